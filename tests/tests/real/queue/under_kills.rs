//! The leader is killed, again and again, while producers and workers run; the history is judged.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use kernel::Rng;

use super::{SYSTEM, history::Recorder};
use crate::{
    client::Client,
    cluster::{Cluster, IMPATIENT, wait_for},
    report::{is_long, number, report},
};

#[test]
fn nothing_is_lost_or_held_twice_while_leaders_die() {
    let options = [&SYSTEM[..], &IMPATIENT[..]].concat();
    let mut cluster = Cluster::start_with_options("queue-kills", 3, &options);
    let seed = number("ARCHIPEL_SEED", u64::from(std::process::id()));
    let kills = if is_long() { 30 } else { 5 };
    let recorder = Recorder::default();
    let (is_over, may_end) = (AtomicBool::new(false), AtomicBool::new(false));
    let ports = cluster.client_ports();
    thread::scope(|scope| {
        for number in 0..3 {
            let (recorder, is_over, ports) = (&recorder, &is_over, &ports);
            scope.spawn(move || produce(recorder, is_over, ports, number));
        }
        for number in 0..5 {
            let (recorder, may_end, ports) = (&recorder, &may_end, &ports);
            let random = Rng::new(seed ^ (number << 32));
            scope.spawn(move || work(recorder, may_end, ports, random));
        }
        let mut random = Rng::new(seed);
        for _ in 0..kills {
            let goal = recorder.accepted() + 20 + random.below(40);
            wait_for("tasks to be accepted", || (recorder.accepted() >= goal).then_some(()));
            let leader = cluster.wait_for_leader();
            cluster.nodes[leader].kill();
            thread::sleep(std::time::Duration::from_millis(random.below(600)));
            cluster.nodes[leader].start();
        }
        cluster.wait_until_ready();
        is_over.store(true, Ordering::Relaxed);
        wait_for("everything to be done", || {
            let stats = cluster.client(0).get("/stats").ok()?.json();
            let left = stats["pending"].as_u64()? + stats["processing"].as_u64()?;
            (left == 0).then_some(())
        });
        may_end.store(true, Ordering::Relaxed);
    });
    let operations = recorder.judge();
    report(&format!(
        "queue: {kills} leaders killed from seed {seed}, {} tasks accepted, {operations} operations judged",
        recorder.accepted()
    ));
}

fn produce(recorder: &Recorder, is_over: &AtomicBool, ports: &[u16], number: usize) {
    for task in 0.. {
        if is_over.load(Ordering::Relaxed) {
            return;
        }
        let port = ports[(number + task) % ports.len()];
        recorder.asker(Client::new(port)).put(&format!("task {number}/{task}"));
    }
}

/// A worker that is well mostly, and sometimes fails, takes longer, or forgets.
fn work(recorder: &Recorder, may_end: &AtomicBool, ports: &[u16], mut random: Rng) {
    let mut askers: Vec<_> = ports.iter().map(|port| recorder.asker(Client::new(*port))).collect();
    while !may_end.load(Ordering::Relaxed) {
        let place = usize::try_from(random.below(ports.len() as u64)).expect("there are few");
        let asker = &mut askers[place];
        let Some((id, delivery)) = asker.take() else {
            continue;
        };
        match random.below(20) {
            0 => {}
            1 | 2 => drop(asker.fail(&id, &delivery)),
            3 | 4 => {
                if asker.extend(&id, &delivery) {
                    asker.complete(&id, &delivery);
                }
            }
            // Another node is as good.
            5..8 => drop(askers[(place + 1) % ports.len()].complete(&id, &delivery)),
            _ => drop(asker.complete(&id, &delivery)),
        }
    }
}
