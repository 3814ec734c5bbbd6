//! Each rule has histories that break it, and others that look alike and do not.

use archipel_check::{
    HistoryError, Process,
    queue::{Answer, Call, Event, Promise, QueueHistory, Rule, judge},
};

use crate::script::history;

/// A drained run in which terms began at 0 and 1,000, and in which a lease then holds for 30 at least.
fn drained() -> Promise {
    Promise { is_drained: true, terms_ns: Some(vec![0, 1_000]), grace_ns: 30, settles_ns: 5 }
}

fn broken(script: &str, promise: &Promise) -> Option<(Rule, Vec<usize>)> {
    judge(&history(script), promise).map(|breach| (breach.rule, breach.operations))
}

#[test]
fn what_can_be_explained_is_no_breach() {
    let sound = [
        "put a\n take 1 a.1@50\n done a.1 10",
        // A lease that ran out, and a late completion that was refused.
        "put a\n take 1 a.1@50\n take 50 a.2@99\n late a.1\n done a.2 60",
        // Given back in time.
        "put a\n take 1 a.1@50\n fail a.1 ready\n take 20 a.2@70\n done a.2 30",
        // It may have been given back.
        "put a\n take 1 a.1@50\n ( 1 fail a.1 ready\n take 20 a.2@70\n done a.2 30\n ) 1",
        // A put whose outcome is unknown may have been done, and need not.
        "put a ?\n take 1 a.1@50\n done a.1 10",
        "put a ?",
        // A take whose answer was lost delivered the first time.
        "put a\n take 2 ?\n take 60 a.2@99\n done a.2 70",
        // An unknown completion may have happened.
        "put a\n take 1 a.1@50\n done a.1 0 ?",
        "put a tries=1\n take 1 a.1@50\n fail a.1 dead",
        // A connection was lost, in an earlier life of its node.
        "put a\n take 1 as=1.1.7 a.1@50\n letgo 1.1.7 1\n take 20 a.2@70\n done a.2 30",
        "put a\n take 1 as=1.1.7 a.1@50\n letgobefore 1.2 1\n take 20 a.2@70\n done a.2 30",
        // A lease went on with a new term.
        "put a\n take 990 a.1@1020\n done a.1 1025",
        // Waits of 10, then of 20, each up to half as long again.
        "put a wait=10\n take 1 a.1@50\n look 20\n fail a.1 32\n look 21\n take 40 a.2@90\n \
         look 50\n fail a.2 75\n look 50\n take 80 a.3@99\n done a.3 81",
        // Nobody waits for a delay after a kick.
        "put a delay=500\n kick a\n take 20 a.1@70\n done a.1 30",
        // A dead letter that was kicked has all its attempts again, and lives for ever.
        "put a tries=1 live=100\n take 1 a.1@50\n fail a.1 dead\n kick a\n take 300 a.2@350/0\n done a.2 310",
        // A task given back has not failed, and waits as long as its holder said.
        "put a\n take 1 a.1@50\n look 10\n release a.1 20 30\n look 10\n take 30 a.2@80/0\n done a.2 31",
        // The lowest priority first, then the oldest; of another queue anything.
        "look 1\n put a p=2\n put b p=1\n put c p=1\n put d q=r\n look 2\n take 10 b.1@60\n take 20 c.1@70\n \
         take 30 q=q+r count=5 a.1@80 d.1@80\n done b.1 31\n done c.1 32\n done a.1 33\n done d.1 34",
        // It may have expired, or not have been ready yet, or be out of a paused queue.
        "put a live=20\n look 25\n dead q",
        "look 1\n put a delay=10\n look 2\n take 11 count=1\n take 12 a.1@60\n done a.1 13",
        "put a\n look 2\n pause q for=100\n look 3\n take 50 count=1\n take 120 a.1@150\n done a.1 130",
        "put a\n look 2\n pause q\n look 3\n resume q\n take 50 a.1@100\n done a.1 60",
        // A known key; and another task once the first was forgotten.
        "put a key=k keep=100\n take 1 a.1@50\n done a.1 10\n dup b 1 key=k\n look 120\n put c key=k\n \
         take 130 c.1@180\n done c.1 140",
        "put a key=k\n delete a\n put b key=k\n take 1 b.1@50\n done b.1 2",
        // Dead letters are read until they are deleted.
        "put a\n take 1 a.1@50\n bury a.1\n dead q a\n delete a\n dead q",
    ];
    for script in sound {
        assert_eq!(broken(script, &drained()), None, "{script}");
    }
}

/// A history for each rule, and the operations that show it.
const BREACHES: &[(Rule, &[usize], &str)] = &[
    (Rule::FromNowhere, &[0], "take 1 a.1@50\n put a"),
    (Rule::TokenReused, &[1, 2], "put a\n take 1 a.1@50\n take 60 a.1@99"),
    (Rule::TokenReused, &[1, 2], "put a\n take 60 a.1@99\n take 1 a.2@50"),
    (Rule::TwoHolders, &[1, 2], "put a\n take 1 a.1@50\n take 49 a.2@99"),
    (Rule::TwoHolders, &[1, 2, 3], "put a\n take 1 a.1@50\n extend a.1 80\n take 60 a.2@99"),
    // A term began at 1,000 while the lease of 30 held.
    (Rule::TwoHolders, &[1, 2], "put a\n take 980 a.1@1010\n take 1020 a.2@1050"),
    // The life of the connection is not over, or another connection is.
    (
        Rule::TwoHolders,
        &[1, 3],
        "put a\n take 1 as=1.2.7 a.1@50\n letgobefore 1.2 1\n take 9 a.2@70",
    ),
    (Rule::TwoHolders, &[1, 3], "put a\n take 1 as=1.2.7 a.1@50\n letgo 1.2.8 1\n take 9 a.2@70"),
    (Rule::StaleAccepted, &[1, 2, 3], "put a\n take 1 a.1@50\n take 50 a.2@99\n done a.1 60"),
    (Rule::StaleAccepted, &[1, 2, 3], "put a\n take 1 a.1@50\n take 50 a.2@99\n extend a.1 99"),
    (Rule::StaleAccepted, &[1, 2, 3], "put a\n take 1 a.1@50\n fail a.1 ready\n done a.1 20"),
    (Rule::LateAccepted, &[1, 2], "put a\n take 1 a.1@50\n done a.1 51"),
    (Rule::LateAccepted, &[1, 3], "put a\n take 1 a.1@50\n look 60\n extend a.1 110\n look 70"),
    (Rule::AfterDone, &[2, 3], "put a\n take 1 a.1@50\n done a.1 10\n take 60 a.2@99"),
    (Rule::AfterDone, &[1, 2], "put a\n delete a\n take 60 a.1@99"),
    (
        Rule::TooManyAttempts,
        &[3],
        "put a tries=2\n take 1 a.1@50\n take 50 a.2@99\n take 100 a.3@150\n done a.3 120",
    ),
    (Rule::TooManyAttempts, &[1, 2], "put a tries=1\n take 1 a.1@50\n fail a.1 ready"),
    (Rule::GaveUpEarly, &[1, 2], "put a tries=2\n take 1 a.1@50\n fail a.1 dead"),
    (Rule::FailuresMiscounted, &[1], "put a\n take 1 a.1@50/1"),
    (Rule::FailuresMiscounted, &[1, 2], "put a\n take 1 a.1@50\n take 50 a.2@99/0"),
    (Rule::FailuresMiscounted, &[1, 2], "put a\n take 1 a.1@50\n take 50 a.2@99/2"),
    // Told to wait too short, too long, or not at all; and not waiting after a lease that ran out.
    (Rule::WrongWait, &[1, 3], "put a wait=10\n take 1 a.1@50\n look 20\n fail a.1 29"),
    (Rule::WrongWait, &[1, 2], "put a wait=10\n take 1 a.1@50\n fail a.1 40\n look 20"),
    (Rule::WrongWait, &[1, 2], "put a wait=10\n take 1 a.1@50\n fail a.1 ready"),
    (Rule::WrongWait, &[1, 2], "put a wait=10\n take 1 a.1@50\n take 59 a.2@99"),
    (Rule::WrongWait, &[1, 2], "put a\n take 1 a.1@50\n release a.1 20 90\n look 20"),
    (Rule::ReadyEarly, &[1, 2], "look 5\n put a delay=20\n take 24 a.1@70"),
    (
        Rule::ReadyEarly,
        &[1, 2, 4],
        "put a\n take 1 a.1@50\n release a.1 30 35\n look 10\n take 34 a.2@80/0",
    ),
    (Rule::DeliveredExpired, &[0, 2], "put a live=20\n look 5\n take 25 a.1@70"),
    (
        Rule::OutOfOrder,
        &[1, 4, 5],
        "look 1\n put a\n put b\n look 2\n take 10 b.1@60\n take 20 a.1@70\n done a.1 21\n done b.1 22",
    ),
    (
        Rule::OutOfOrder,
        &[2, 4, 5],
        "look 1\n put a p=2\n put b p=1\n look 2\n take 10 a.1@60\n take 20 b.1@70\n done a.1 21\n done b.1 22",
    ),
    // After it was given back.
    (
        Rule::OutOfOrder,
        &[3, 5, 6],
        "put a\n put b\n take 1 a.1@50\n release a.1 0 ready\n look 2\n take 10 b.1@60\n take 20 a.2@70/0\n \
         done a.2 21\n done b.1 22",
    ),
    (
        Rule::Overlooked,
        &[0, 2, 3],
        "put a\n look 1\n take 10 count=1\n take 20 a.1@70\n done a.1 30",
    ),
    (
        Rule::PauseIgnored,
        &[2, 3],
        "put a\n look 10\n pause q for=30\n take 39 a.1@90\n done a.1 50",
    ),
    (Rule::PauseIgnored, &[1, 2], "put a\n pause q\n take 39 a.1@90\n done a.1 50"),
    (
        Rule::KeyForgotten,
        &[0, 3],
        "put a key=k keep=100\n take 1 a.1@50\n done a.1 10\n put b key=k\n look 20\n \
         take 30 b.1@80\n done b.1 31",
    ),
    (
        Rule::KeyForgotten,
        &[0, 1],
        "put a key=k\n put b key=k\n take 1 a.1@50 b.1@50\n done a.1 2\n done b.1 3",
    ),
    (Rule::KeyMixed, &[0, 1], "put a key=k\n dup b 1 key=l\n take 1 a.1@50\n done a.1 2"),
    (Rule::DeadLetterLost, &[2, 3], "put a\n take 1 a.1@50\n bury a.1\n dead q"),
    (Rule::Lost, &[0], "put a"),
    (Rule::Lost, &[0], "put a tries=1\n take 0 ?\n dead q"),
    (Rule::Unfinished, &[0, 1], "put a\n take 1 a.1@50"),
    (Rule::Unfinished, &[0, 1], "put a\n take 1 a.1@50\n fail a.1 ready"),
];

#[test]
fn each_rule_has_a_history_that_breaks_it() {
    for (rule, operations, script) in BREACHES {
        assert_eq!(broken(script, &drained()), Some((*rule, operations.to_vec())), "{script}");
    }
    for rule in Rule::ALL {
        assert!(BREACHES.iter().any(|(broken, ..)| *broken == rule), "{rule:?}");
    }
}

/// A run that was not drained, or whose attempts may have been used up unseen, may leave something.
#[test]
fn what_is_left_is_a_breach_only_if_it_cannot_be_explained() {
    assert_eq!(broken("put a", &Promise::default()), None);
    assert_eq!(broken("put a tries=1\n take 0 ?", &drained()), None);
    assert_eq!(broken("put a\n take 0 ?", &drained()), Some((Rule::Lost, vec![0])));
}

/// Whether a lease had run out can be said only by who knows when terms began.
#[test]
fn what_is_asked_late_is_a_breach_only_where_terms_are_known() {
    let script = "put a\n take 1 a.1@50\n done a.1 51";
    assert_eq!(broken(script, &Promise { terms_ns: None, ..drained() }), None);
}

#[test]
fn a_history_is_well_formed() {
    let mut history = QueueHistory::default();
    let take = || Event::Invoke(Call::Take { queues: vec![b"q".to_vec()], count: 1, holder: None });
    assert_eq!(history.push(Process(1), take()), Ok(()));
    assert_eq!(history.push(Process(1), take()), Err(HistoryError::StillOpen(Process(1))));
    let done = Event::Ok(Answer::Done);
    assert_eq!(history.push(Process(1), done), Err(HistoryError::WrongAnswer(Process(1))));
    assert_eq!(history.push(Process(1), Event::Info), Ok(()));
    assert_eq!(history.push(Process(1), take()), Err(HistoryError::ProcessEnded(Process(1))));
    assert_eq!((history.operations().len(), history.events()), (1, 2));
}

#[test]
fn a_history_reads_as_lines() {
    let text = history("put a p=3\n take 1000000 a.1@2500000\n done a.1 0 ?").to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "    0 101: put q a priority 3 tries 0 every 0.000ms: task 1");
    let taken = "a.1@";
    assert!(
        !text.contains(taken)
            && lines[1].contains("a#1 (task 1 priority 3 failed 0 until 2.500ms)")
    );
    assert_eq!(lines[2], "    2 103: complete a#1: unknown");
}
