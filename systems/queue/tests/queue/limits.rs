//! What one entry does is bounded, and nothing is wrong before the rest is done.

use bytes::Bytes;
use kernel::EntryKind;
use queue::{
    AT_ONCE_MAX, Answer, Claim, Command, Counts, Failure, Invalid, NAME_BYTES_MAX,
    PAYLOAD_BYTES_MAX, Put, QUEUES_MAX, Query, Retry, Take,
};

use crate::{
    store::Store,
    words::{connection, put, take},
};

fn filled(count: u32) -> Store {
    let mut store = Store::new();
    for _ in 0..count {
        let retry = Some(Retry::ENDLESS);
        store.apply(&Command::Put(Put { retry, lease_ms: Some(1000), ..put("q") }));
    }
    store
}

fn counts(store: &Store) -> Counts {
    match store.query(&Query::Totals) {
        Answer::Totals { counts, .. } => counts,
        other => panic!("totals are counts: {other:?}"),
    }
}

/// A thousand leases run out at once. No entry ends them all; meanwhile none of their holders can do
/// anything any more, and what is handed out is handed out once.
#[test]
fn many_leases_that_run_out_together_end_over_many_entries() {
    let mut store = filled(1000);
    let mut taken = Vec::new();
    for _ in 0..4 {
        taken.extend(store.take(take("q", AT_ONCE_MAX)));
    }
    assert_eq!(taken.len(), 1000);
    store.wait_ms(1000);
    let late = taken[999].clone();
    assert_eq!(store.complete(late.task, late.token), Answer::Failed(Failure::NotHeld));
    let reserved = counts(&store).reserved;
    assert!((900..1000).contains(&reserved), "{reserved} are still to be ended");
    store.check();
    let again = store.take(take("q", AT_ONCE_MAX));
    assert!(again.iter().all(|taken| taken.token == 2), "each is handed out again once");
    let mut ticks = 0;
    while store.deadline().is_some_and(|deadline| deadline <= store.now) {
        store.apply_entry(EntryKind::Tick, &[]).expect("a tick is no fault");
        ticks += 1;
    }
    assert!((3..10).contains(&ticks), "{ticks} ticks");
    assert_eq!(counts(&store).reserved, again.len() as u64);
    assert_eq!(counts(&store).timeouts, 1000);
    store.check();
}

#[test]
fn a_lost_connection_lets_go_of_many_tasks_over_many_entries() {
    let mut store = filled(600);
    for _ in 0..3 {
        store.take(Take { holder: Some(connection(7)), ..take("q", AT_ONCE_MAX) });
    }
    store.take(Take { holder: Some(connection(8)), ..take("q", AT_ONCE_MAX) });
    let lost = store.apply(&Command::LetGo { holder: connection(7) });
    assert_eq!(lost, Answer::Count { count: AT_ONCE_MAX, more: true });
    store.check();
    store.tick();
    assert_eq!(counts(&store).ready, 600);
    assert_eq!(counts(&store).failures, 600);
    store.check();
}

#[test]
fn kick_and_purge_do_a_bounded_number() {
    let mut store = filled(300);
    for _ in 0..2 {
        for taken in store.take(take("q", AT_ONCE_MAX)) {
            let (claim, error) = (Claim::Token(taken.token), Bytes::new());
            store.apply(&Command::Bury { task: taken.task, claim, priority: None, error });
        }
    }
    assert_eq!(counts(&store).buried, 300);
    let purge = Command::Purge { queue: "q".into(), count: u32::MAX };
    assert_eq!(store.apply(&purge), Answer::Count { count: AT_ONCE_MAX, more: true });
    assert_eq!(store.apply(&purge), Answer::Count { count: 44, more: false });
    store.check();
}

#[test]
fn a_take_hands_out_a_bounded_number_of_bytes() {
    let mut store = Store::new();
    for _ in 0..3 {
        let payload = Bytes::from(vec![0; PAYLOAD_BYTES_MAX / 2]);
        store.apply(&Command::Put(Put { payload, ..put("q") }));
    }
    assert_eq!(store.take(take("q", 10)).len(), 2);
    assert_eq!(store.take(take("q", 10)).len(), 1);
}

#[test]
fn what_breaks_a_limit_changes_nothing() {
    let mut store = Store::new();
    let long = |bytes: usize| Bytes::from(vec![b'x'; bytes]);
    let (claim, task) = (Claim::Token(1), queue::TaskId(1));
    let too_much = PAYLOAD_BYTES_MAX + 1;
    let refused = [
        (Command::Put(Put { queue: Bytes::new(), ..put("q") }), Invalid::QueueName),
        (Command::Put(Put { queue: long(NAME_BYTES_MAX + 1), ..put("q") }), Invalid::QueueName),
        (Command::Put(Put { kind: long(NAME_BYTES_MAX + 1), ..put("q") }), Invalid::Kind),
        (Command::Put(Put { key: Some(Bytes::new()), ..put("q") }), Invalid::Key),
        (Command::Put(Put { payload: long(too_much), ..put("q") }), Invalid::Payload),
        (Command::Complete { task, claim, result: long(too_much) }, Invalid::Result),
        (Command::Fail { task, claim, error: long(too_much) }, Invalid::Error),
        (Command::Take(Take { queues: vec![], ..take("q", 1) }), Invalid::TooMany),
        (
            Command::Take(Take { queues: vec!["q".into(); QUEUES_MAX + 1], ..take("q", 1) }),
            Invalid::TooMany,
        ),
        (Command::Take(Take { kinds: vec![Bytes::new()], ..take("q", 1) }), Invalid::Kind),
    ];
    for (command, invalid) in refused {
        assert_eq!(store.apply(&command), Answer::Invalid(invalid), "{command:?}");
    }
    assert_eq!(store.query(&Query::Queue { queue: "q".into() }), Answer::Missing);
    store.apply(&Command::Put(Put { queue: long(NAME_BYTES_MAX), ..put("q") }));
    store.check();
}

/// A command that this build does not know may make sense to others: it must stop. One that it knows and
/// cannot read makes sense to nobody.
#[test]
fn malformed_bytes_are_an_answer_and_an_unknown_kind_is_a_fault() {
    let mut store = Store::new();
    assert_eq!(store.apply_bytes(&[1, 2]), Ok(Answer::Invalid(Invalid::Malformed)));
    assert_eq!(store.apply_bytes(&[]), Ok(Answer::Invalid(Invalid::Malformed)));
    assert!(store.apply_bytes(&[18]).is_err());
    assert_eq!(store.query_bytes(Bytes::from_static(&[9])), Answer::Invalid(Invalid::Malformed));
}
