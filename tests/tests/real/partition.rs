//! The third exercise: two of five nodes are cut off. And links that fail in other ways.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use crate::{
    client::Answer,
    cluster::{Cluster, IMPATIENT, wait_for},
    load::{Load, read_everything, wait_for_writes},
    recorder::Recorder,
    report::report,
};

/// No request takes longer, whatever happens: the node's own bound, and what the way takes.
const ANSWERED_WITHIN: Duration = Duration::from_millis(3000);

#[test]
fn the_majority_goes_on_and_the_minority_refuses_and_catches_up() {
    let cluster = Cluster::start_with_network("partition", 5, &IMPATIENT);
    let recorder = Arc::new(Recorder::new());
    let load = Load::start(&recorder, &cluster.client_ports(), 10);
    for has_leader in [true, false] {
        wait_for_writes(&recorder, 30);
        let leader = cluster.wait_for_leader();
        let first = if has_leader { leader } else { (leader + 1) % 5 };
        let other = (0..5).rfind(|place| *place != leader && *place != first);
        cut_off(&cluster, &recorder, [first, other.expect("there are five nodes")]);
    }
    load.stop();
    read_everything(&recorder, &cluster.client_ports());
    cluster.wait_until_same();
    report(&format!("partition: {:?}", recorder.judge(&cluster.folder.path)));
}

fn cut_off(cluster: &Cluster, recorder: &Recorder, minority: [usize; 2]) {
    let majority: Vec<usize> = (0..5).filter(|place| !minority.contains(place)).collect();
    let inside = cluster.wait_for_leader();
    put(cluster, inside, "shared", "before");
    cluster.wait_until_same_at("shared", "before");
    cluster.network().cut_off(&minority);

    let leader = wait_for("a leader of the majority", || {
        let leader = cluster.wait_for_leader_among(&majority);
        let answer = cluster.client(leader).put("shared", "after").ok()?;
        (answer.status == 200).then_some(leader)
    });
    wait_for_writes(recorder, 20);
    for place in &majority {
        let answer = cluster.client(*place).get("/kv/shared").unwrap();
        assert_eq!(answer.json()["value"], "after", "a read from the majority");
    }
    thread::scope(|scope| {
        for place in minority {
            scope.spawn(move || refuses(cluster, place));
        }
    });

    cluster.network().heal();
    cluster.wait_until_same_at("shared", "after");
    for place in minority {
        wait_for("a write through a node that was cut off", || {
            let answer = cluster.client(place).put("healed", "yes").ok()?;
            (answer.status == 200).then_some(())
        });
    }
    assert!(leader < 5);
}

/// The node can reach nobody but one other: it does nothing that needs a majority, says so in time, and
/// still shows what it has.
fn refuses(cluster: &Cluster, place: usize) {
    let start = Instant::now();
    // A leader that does not know yet that it is alone may take a write whose outcome nobody knows.
    while in_time(|| cluster.plain_client(place).put("minority", "1").unwrap()).status == 504 {
        assert!(start.elapsed() < ANSWERED_WITHIN * 3, "a leader without majority steps down");
    }
    let refused = in_time(|| cluster.plain_client(place).put("minority", "1").unwrap());
    assert_eq!(refused.error(), (503, "no_leader".to_owned()));
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    let read = in_time(|| cluster.plain_client(place).get("/kv/shared").unwrap());
    assert_eq!(read.status, 503, "{}", read.text());
    assert!(read.header("retry-after").is_some(), "{read:?}");
    assert_eq!(in_time(|| cluster.plain_client(place).get("/ready").unwrap()).status, 503);
    let stale = cluster.plain_client(place).get("/kv/shared?consistency=stale").unwrap();
    assert_eq!((stale.status, &stale.json()["value"]), (200, &"before".into()));
}

fn in_time(ask: impl FnOnce() -> Answer) -> Answer {
    let start = Instant::now();
    let answer = ask();
    assert!(start.elapsed() < ANSWERED_WITHIN, "an answer after {:?}", start.elapsed());
    answer
}

fn put(cluster: &Cluster, place: usize, key: &str, value: &str) {
    wait_for("a write", || {
        let answer = cluster.client(place).put(key, value).ok()?;
        (answer.status == 200).then_some(())
    });
}

#[test]
fn a_follower_that_was_cut_off_does_not_disturb_the_leader() {
    let cluster = Cluster::start_with_network("return", 3, &IMPATIENT);
    let leader = cluster.wait_for_leader();
    let follower = (leader + 1) % 3;
    put(&cluster, leader, "a", "1");
    let term = |place: usize| cluster.status(place).expect("the node answers")["term"].as_u64();
    let before = term(leader);
    cluster.network().cut_off(&[follower]);
    wait_for("the follower to stand for election", || {
        (cluster.status(follower)?["role"] != "follower").then_some(())
    });
    thread::sleep(Duration::from_millis(700));
    let alone = term(follower);
    cluster.network().heal();
    put(&cluster, follower, "a", "2");
    // A loaded machine may hold an election of its own; what must not be is one for the follower's
    // sake, at a term that it raised while it was alone.
    assert_eq!(alone, before, "nobody counts up terms alone");
    cluster.wait_until_same_at("a", "2");
}

#[test]
fn links_that_work_one_way_only_or_slowly_do_not_stop_the_cluster() {
    let cluster = Cluster::start_with_network("one-way", 3, &IMPATIENT);
    let recorder = Arc::new(Recorder::new());
    let load = Load::start(&recorder, &cluster.client_ports(), 8);
    let others = |place: usize| [(place + 1) % 3, (place + 2) % 3];

    // The leader is not heard any more.
    let leader = cluster.wait_for_leader();
    others(leader).iter().for_each(|other| cluster.network().cut(leader, *other));
    let next = cluster.wait_for_leader_among(&others(leader));
    wait_for_writes(&recorder, 10);
    cluster.network().heal();

    // The leader is heard and hears nothing: it must notice by itself.
    others(next).iter().for_each(|other| cluster.network().cut(*other, next));
    cluster.wait_for_leader_among(&others(next));
    wait_for_writes(&recorder, 10);
    cluster.network().heal();

    // One follower loses its link to the leader, and still reaches the other one.
    let leader = cluster.wait_for_leader();
    let follower = others(leader)[0];
    cluster.network().cut(leader, follower);
    cluster.network().cut(follower, leader);
    wait_for_writes(&recorder, 10);
    cluster.network().heal();

    // One node is far away.
    cluster.network().slow_down(cluster.wait_for_leader(), Duration::from_millis(15));
    wait_for_writes(&recorder, 10);
    cluster.network().heal();

    load.stop();
    read_everything(&recorder, &cluster.client_ports());
    cluster.wait_until_same();
    report(&format!("one-way and slow links: {:?}", recorder.judge(&cluster.folder.path)));
}
