//! What a command costs does not grow with the tasks that are there, nor with those that were.

use std::time::Instant;

use queue::{Answer, Command, PRIORITY_HIGH, Put, Retry, Start};

use crate::{
    store::Store,
    words::{put, take},
};

/// Puts, takes and completes one task, and another one that fails twice and is urgent.
fn rounds(store: &mut Store, count: u32) {
    let retry = Retry { attempts_max: 3, first_ms: 5, limit_ms: 5, jitter_percent: 0 };
    for _ in 0..count {
        store.wait_ms(3);
        store.apply(&Command::Put(put("q")));
        store.apply(&Command::Put(Put { priority: PRIORITY_HIGH, retry: Some(retry), ..put("q") }));
        for taken in store.take(take("q", 2)) {
            let claim = queue::Claim::Token(taken.token);
            let command = if taken.priority == PRIORITY_HIGH && taken.failures < 2 {
                Command::Fail { task: taken.task, claim, error: "oh".into() }
            } else {
                Command::Complete { task: taken.task, claim, result: "done".into() }
            };
            assert!(matches!(store.apply(&command), Answer::Now(_)));
        }
        store.tick();
    }
}

fn filled(tasks: u32) -> Store {
    let mut store = Store::new();
    for number in 0..tasks {
        let start = if number % 10 == 0 { Start::AfterMs(86_400_000) } else { Start::AtOnce };
        store.apply(&Command::Put(Put { start, ..put("q") }));
    }
    store.flush();
    store
}

/// Of the base as much is read with a hundred tasks as with a hundred times as many.
#[test]
fn a_round_reads_as_much_however_many_tasks_there_are() {
    let reads = [100, 10_000].map(|tasks| {
        let mut store = filled(tasks);
        let before = store.reads();
        rounds(&mut store, 200);
        store.reads() - before
    });
    let (few, many) = (reads[0], reads[1]);
    assert!(many <= few + few / 10, "{few} reads with few tasks, {many} with many");
}

/// A queue through which tasks run leaves deleted rows behind until the next flush; nobody passes them
/// again and again. Measured in time, so it is not run by itself: `cargo test --release -- --ignored`.
#[test]
#[ignore = "takes a while, and judges time"]
fn a_round_takes_as_long_after_many_rounds_without_a_flush() {
    for tasks in [1000, 100_000, 1_000_000] {
        let mut store = filled(tasks);
        for part in 0..4 {
            let began = Instant::now();
            rounds(&mut store, 10_000);
            let each_ns = began.elapsed().as_nanos() / 10_000;
            println!("{tasks} tasks, part {part}: {each_ns} ns a round of about 7 commands");
        }
    }
}
