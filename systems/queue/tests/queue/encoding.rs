//! The bytes of every kind, as they stand in logs that exist. A line here may be added, never changed.

use std::fmt::{Debug, Write as _};

use bytes::Bytes;
use kernel::{EntryKind, Incarnation, NodeId, Stamp, Wire};
use queue::{
    Answer, Attempt, AttemptEnd, Claim, Command, Counts, Details, Failure, Held, Holder, Invalid,
    Put, Query, Report, Retry, Settings, Sleepers, Standing, Start, State, Take, Taken, Task,
    TaskId,
};

use crate::{
    store::Store,
    words::{put, take},
};

fn holds<T: Wire + PartialEq + Debug>(value: &T, golden: &str) {
    let bytes = value.to_bytes();
    let mut shown = String::new();
    for byte in &bytes {
        let _ = write!(shown, "{byte:02x}");
    }
    assert_eq!(shown, golden.replace(' ', ""), "{value:?}");
    assert_eq!(T::from_bytes(bytes.clone()).as_ref(), Ok(value));
    for length in 0..bytes.len() {
        assert!(T::from_bytes(bytes.slice(..length)).is_err(), "{value:?} cut at {length}");
    }
}

const QUEUE: Bytes = Bytes::from_static(b"q");
const KIND: Bytes = Bytes::from_static(b"k");
const TEXT: Bytes = Bytes::from_static(b"tx");
const TASK: TaskId = TaskId(258);
const TOKEN: Claim = Claim::Token(3);
const HOLDER: Holder = Holder { node: NodeId(1), incarnation: Incarnation(2), connection: 3 };
const RETRY: Retry = Retry { attempts_max: 4, first_ms: 5, limit_ms: 6, jitter_percent: 7 };
const SETTINGS: Settings = Settings { length_max: 1, lease_ms: 2, retry: RETRY, retention_ms: 3 };
const COUNTS: Counts = Counts {
    ready: 1,
    urgent: 2,
    delayed: 3,
    reserved: 4,
    buried: 5,
    completed: 6,
    expired: 7,
    puts: 8,
    deliveries: 9,
    completions: 10,
    failures: 11,
    timeouts: 12,
    expirations: 13,
    deletions: 14,
    pauses: 15,
};

/// Of the counts above: fifteen numbers.
fn counts() -> String {
    (1..=15_u64).fold(String::new(), |mut shown, number| {
        let _ = write!(shown, "{number:02x}00000000000000");
        shown
    })
}

fn task(state: State) -> Task {
    Task {
        queue: QUEUE,
        kind: KIND,
        key: Some(TEXT),
        priority: 1,
        created: Stamp(2),
        created_wall_ms: 12,
        delay_ms: 3,
        lease_ms: 4,
        retry: RETRY,
        expires: Some(Stamp(5)),
        deliveries: 6,
        failures: 7,
        timeouts: 8,
        releases: 9,
        buries: 10,
        kicks: 11,
        state,
    }
}

#[test]
fn puts_and_takes_keep_their_bytes() {
    let put = Put {
        queue: QUEUE,
        kind: KIND,
        key: Some(TEXT),
        payload: TEXT,
        priority: 1,
        start: Start::AfterMs(2),
        lease_ms: Some(3),
        retry: Some(RETRY),
        live_ms: Some(8),
    };
    holds(
        &Command::Put(put.clone()),
        "010100000071010000006b0102000000747802000000747801000000020200000000000000010300 \
         00000000000001040000000500000000000000060000000000000007010800000000000000",
    );
    let plain = Put {
        kind: Bytes::new(),
        key: None,
        start: Start::AtOnce,
        lease_ms: None,
        retry: None,
        live_ms: None,
        ..put
    };
    holds(&Command::Put(plain.clone()), "01010000007100000000000200000074780100000001000000");
    holds(
        &Command::Put(Put { start: Start::At(Stamp(9)), ..plain }),
        "010100000071000000000002000000747801000000030900000000000000000000",
    );
    let take = Take {
        queues: vec![QUEUE, TEXT],
        kinds: vec![KIND],
        count: 5,
        lease_ms: Some(6),
        holder: Some(HOLDER),
    };
    holds(
        &Command::Take(take.clone()),
        "0202000000010000007102000000747801000000010000006b050000000106000000000000000101 \
         0000000000000002000000000000000300000000000000",
    );
    let plain = Take { kinds: vec![], lease_ms: None, holder: None, ..take };
    holds(&Command::Take(plain), "0202000000010000007102000000747800000000050000000000");
    holds(
        &Command::TakeOne { task: TASK, lease_ms: Some(1), holder: None },
        "03020100000000000001010000000000000000",
    );
    holds(
        &Command::TakeOne { task: TASK, lease_ms: None, holder: Some(HOLDER) },
        "0302010000000000000001010000000000000002000000000000000300000000000000",
    );
}

#[test]
fn commands_of_holders_keep_their_bytes() {
    let (task, claim) = (TASK, TOKEN);
    holds(
        &Command::Complete { task, claim, result: TEXT },
        "040201000000000000010300000000000000020000007478",
    );
    holds(
        &Command::Complete { task, claim: Claim::Holder(HOLDER), result: TEXT },
        "04020100000000000002010000000000000002000000000000000300000000000000020000007478",
    );
    holds(
        &Command::Fail { task, claim, error: TEXT },
        "050201000000000000010300000000000000020000007478",
    );
    holds(
        &Command::Extend { task, claim, lease_ms: Some(1) },
        "060201000000000000010300000000000000010100000000000000",
    );
    holds(
        &Command::Extend { task, claim, lease_ms: None },
        "06020100000000000001030000000000000000",
    );
    holds(
        &Command::Release { task, claim, priority: Some(1), delay_ms: 2 },
        "07020100000000000001030000000000000001010000000200000000000000",
    );
    holds(
        &Command::Release { task, claim, priority: None, delay_ms: 2 },
        "070201000000000000010300000000000000000200000000000000",
    );
    holds(
        &Command::Bury { task, claim, priority: Some(1), error: TEXT },
        "0802010000000000000103000000000000000101000000020000007478",
    );
    holds(
        &Command::Bury { task, claim, priority: None, error: TEXT },
        "08020100000000000001030000000000000000020000007478",
    );
}

#[test]
fn other_commands_keep_their_bytes() {
    let kick = |sleepers| Command::Kick { queue: QUEUE, sleepers, count: 2 };
    holds(&kick(Sleepers::Any), "0901000000710102000000");
    holds(&kick(Sleepers::Buried), "0901000000710202000000");
    holds(&kick(Sleepers::Delayed), "0901000000710302000000");
    holds(&Command::KickOne { task: TASK }, "0a0201000000000000");
    holds(&Command::Delete { task: TASK, claim: None }, "0b020100000000000000");
    holds(
        &Command::Delete { task: TASK, claim: Some(TOKEN) },
        "0b020100000000000001010300000000000000",
    );
    holds(&Command::LetGo { holder: HOLDER }, "0c010000000000000002000000000000000300000000000000");
    holds(
        &Command::LetGoBefore { node: NodeId(1), incarnation: Incarnation(2) },
        "0d01000000000000000200000000000000",
    );
    holds(
        &Command::Configure { queue: QUEUE, settings: Some(SETTINGS) },
        "0e010000007101010000000000000002000000000000000400000005000000000000000600000000 \
         000000070300000000000000",
    );
    holds(&Command::Configure { queue: QUEUE, settings: None }, "0e010000007100");
    holds(&Command::Pause { queue: QUEUE, for_ms: Some(1) }, "0f0100000071010100000000000000");
    holds(&Command::Pause { queue: QUEUE, for_ms: None }, "0f010000007100");
    holds(&Command::Resume { queue: QUEUE }, "100100000071");
    holds(&Command::Purge { queue: QUEUE, count: 2 }, "11010000007102000000");
}

#[test]
fn queries_keep_their_bytes() {
    holds(&Query::Get { task: TASK }, "010201000000000000");
    let first = |standing| Query::First { queue: QUEUE, standing };
    holds(&first(Standing::Ready), "02010000007101");
    holds(&first(Standing::Delayed), "02010000007102");
    holds(&first(Standing::Buried), "02010000007103");
    holds(&Query::Dead { queue: QUEUE, from: 1, limit: 2 }, "030100000071010000000000000002000000");
    holds(&Query::Queue { queue: QUEUE }, "040100000071");
    holds(&Query::Queues { after: Some(QUEUE), limit: 1 }, "0501010000007101000000");
    holds(&Query::Queues { after: None, limit: 1 }, "050001000000");
    holds(&Query::Totals, "06");
    holds(&Query::Held { holder: HOLDER }, "07010000000000000002000000000000000300000000000000");
    holds(
        &Query::Ready { queues: vec![QUEUE], kinds: vec![KIND, TEXT] },
        "0801000000010000007102000000010000006b020000007478",
    );
}

#[test]
fn answers_to_commands_keep_their_bytes() {
    holds(&Answer::Put { task: TASK, is_duplicate: true }, "01020100000000000001");
    let taken = Taken {
        task: TASK,
        token: 1,
        due: Stamp(2),
        queue: QUEUE,
        kind: KIND,
        priority: 3,
        failures: 4,
        payload: TEXT,
    };
    holds(
        &Answer::Taken { stamp: Stamp(9), tasks: vec![taken] },
        "02090000000000000001000000020100000000000001000000000000000200000000000000010000 \
         0071010000006b0300000004000000020000007478",
    );
    holds(&Answer::Done, "04");
    holds(&Answer::Kicked { sleepers: Sleepers::Buried, count: 1 }, "050201000000");
    holds(&Answer::Count { count: 1, more: true }, "060100000001");
    let invalid = [
        Invalid::Malformed,
        Invalid::QueueName,
        Invalid::Kind,
        Invalid::Key,
        Invalid::Payload,
        Invalid::Result,
        Invalid::Error,
        Invalid::TooMany,
    ];
    for (number, invalid) in (1..).zip(invalid) {
        holds(&Answer::Invalid(invalid), &format!("07{number:02x}"));
    }
    let failures = [
        Failure::NotFound,
        Failure::NotHeld,
        Failure::Full,
        Failure::Reserved,
        Failure::WrongState,
    ];
    for (number, failure) in (1..).zip(failures) {
        holds(&Answer::Failed(failure), &format!("08{number:02x}"));
    }
}

/// A state stands in answers and in the rows of tasks.
#[test]
fn states_keep_their_bytes() {
    let (at, gone) = (Stamp(1), Stamp(2));
    let reserved = |holder| State::Reserved { since: at, due: gone, lease_ms: 3, holder };
    holds(&Answer::Now(State::Ready), "0301");
    holds(&Answer::Now(State::Delayed { until: at }), "03020100000000000000");
    holds(&Answer::Now(reserved(None)), "030301000000000000000200000000000000030000000000000000");
    holds(
        &Answer::Now(reserved(Some(HOLDER))),
        "03030100000000000000020000000000000003000000000000000101000000000000000200000000 \
         0000000300000000000000",
    );
    holds(&Answer::Now(State::Buried { place: 1 }), "03040100000000000000");
    holds(&Answer::Now(State::Completed { at, gone }), "030501000000000000000200000000000000");
    holds(&Answer::Now(State::Expired { at, gone }), "030601000000000000000200000000000000");
}

#[test]
fn answers_to_queries_keep_their_bytes() {
    let attempt = |how| Attempt { delivery: 1, since: Stamp(2), ended: Stamp(3), how, error: TEXT };
    let ends = [
        AttemptEnd::Failed,
        AttemptEnd::TimedOut,
        AttemptEnd::Lost,
        AttemptEnd::Released,
        AttemptEnd::Buried,
    ];
    for (number, how) in (1..).zip(ends) {
        holds(
            &attempt(how),
            &format!(
                "0100000000000000 0200000000000000 0300000000000000 {number:02x} 02000000 7478"
            ),
        );
    }
    let details = Details {
        id: TASK,
        stamp: Stamp(9),
        task: task(State::Ready),
        payload: TEXT,
        result: KIND,
        attempts: vec![attempt(AttemptEnd::Failed)],
    };
    holds(
        &Answer::Found(Box::new(details.clone())),
        "09020100000000000009000000000000000100000071010000006b01020000007478010000000200 \
         0000000000000c000000000000000300000000000000040000000000000004000000050000000000 \
         00000600000000000000070105000000000000000600000000000000070000000800000009000000 \
         0a0000000b00000001020000007478010000006b0100000001000000000000000200000000000000 \
         030000000000000001020000007478",
    );
    holds(&Answer::Missing, "0a");
    holds(
        &Answer::Page { tasks: vec![details], more: false },
        "0b01000000020100000000000009000000000000000100000071010000006b010200000074780100 \
         000002000000000000000c0000000000000003000000000000000400000000000000040000000500 \
         00000000000006000000000000000701050000000000000006000000000000000700000008000000 \
         090000000a0000000b00000001020000007478010000006b01000000010000000000000002000000 \
         0000000003000000000000000102000000747800",
    );
    let report = |paused_until| {
        let (queue, stamp, counts, settings) = (QUEUE, Stamp(9), COUNTS, SETTINGS);
        Answer::Queue(Report { queue, stamp, counts, settings, paused_until })
    };
    let settings = "0100000000000000 0200000000000000 04000000 0500000000000000 0600000000000000 07 0300000000000000";
    let head = "0c 01000000 71 0900000000000000";
    holds(&report(None), &format!("{head} {} {settings} 00", counts()));
    holds(&report(Some(Stamp(8))), &format!("{head} {} {settings} 01 0800000000000000", counts()));
    holds(
        &Answer::Names { names: vec![QUEUE, TEXT], more: true },
        "0d02000000010000007102000000747801",
    );
    let totals = Answer::Totals { stamp: Stamp(9), counts: COUNTS };
    holds(&totals, &format!("0e 0900000000000000 {}", counts()));
    let held = Held { task: TASK, due: Stamp(2) };
    holds(
        &Answer::Held { stamp: Stamp(9), tasks: vec![held] },
        "0f09000000000000000100000002010000000000000200000000000000",
    );
    holds(&Answer::Ready(true), "1001");
}

/// The rows of all tables, as they stand in data folders that exist: one number for all of them. If it changes,
/// some row has another layout, and what was written before is not read any more.
#[test]
fn rows_keep_their_bytes() {
    let mut store = Store::new();
    let put = |start| Put { start, kind: KIND, key: None, live_ms: Some(9), ..put("q") };
    store.apply(&Command::Configure { queue: QUEUE, settings: Some(SETTINGS) });
    store.apply(&Command::Configure { queue: QUEUE, settings: None });
    store.apply(&Command::Configure { queue: TEXT, settings: Some(SETTINGS) });
    for _ in 0..4 {
        store.apply(&Command::Put(put(Start::AtOnce)));
    }
    store.apply(&Command::Put(Put { key: Some(TEXT), ..put(Start::AfterMs(5)) }));
    let taken = store.take(Take { holder: Some(HOLDER), ..take("q", 3) });
    store.complete(taken[0].task, taken[0].token);
    let (task, claim) = (taken[1].task, Claim::Token(taken[1].token));
    store.apply(&Command::Bury { task, claim, priority: None, error: TEXT });
    store.apply(&Command::Pause { queue: QUEUE, for_ms: Some(1) });
    store.apply_entry(EntryKind::Noop, &[]).expect("a new term is no fault");
    store.check();
    assert_eq!(format!("{:032x}", store.tables.meta().digest), "12d178c162f104af8ef842b3f0cd0fbe");
}
