//! `member list`, `add`, `update`, `remove`, `promote`.

use super::{Etcdctl, wait_for};

/// The line of `member list` in this place, cut at its commas.
fn member(etcdctl: &Etcdctl, name: &str) -> Vec<String> {
    let list = etcdctl.ok(&["member", "list"]);
    let mut lines = list.lines().map(|line| line.split(", ").map(String::from).collect());
    lines.find(|fields: &Vec<String>| fields[2] == name).unwrap_or_else(|| panic!("{name}: {list}"))
}

#[test]
fn members_are_listed_with_their_addresses() {
    let Some(etcdctl) = Etcdctl::start() else { return };
    assert_eq!(etcdctl.ok(&["member", "list"]).lines().count(), 3);
    for known in &etcdctl.cluster.members {
        let fields = member(&etcdctl, &known.name);
        assert!(u64::from_str_radix(&fields[0], 16).is_ok_and(|id| id > 0), "{fields:?}");
        assert_eq!(fields[1], "started");
        assert_eq!(fields[4], known.address(), "{fields:?}");
        assert_eq!(fields[5], "false", "no learner: {fields:?}");
    }
}

#[test]
fn a_learner_is_added_renamed_and_removed() {
    let Some(etcdctl) = Etcdctl::start() else { return };
    let nowhere = format!("--peer-urls=http://127.0.0.1:{}", archipel_tests::free_port());
    // A member takes part in changes only once it has been heard of for a while.
    let added = wait_for("a member that is added", || {
        let said = etcdctl.said(&["member", "add", "fourth", "--learner", &nowhere]);
        (said.code == Some(0)).then_some(said.stdout)
    });
    assert!(
        added.starts_with("Member ") && added.contains("ETCD_INITIAL_CLUSTER_STATE=\"existing\""),
        "{added}"
    );
    let fields = member(&etcdctl, "");
    assert_eq!((fields[1].as_str(), fields[5].as_str()), ("unstarted", "true"), "{fields:?}");
    let id = &fields[0];
    let error = etcdctl.fails(&["member", "promote", id]);
    assert!(
        error
            .contains("etcdserver: can only promote a learner member which is in sync with leader"),
        "{error}"
    );
    let elsewhere = format!("--peer-urls=http://127.0.0.1:{}", archipel_tests::free_port());
    let updated = etcdctl.ok(&["member", "update", id, &elsewhere]);
    assert!(updated.starts_with(&format!("Member {id} updated in cluster ")), "{updated}");
    let removed = etcdctl.ok(&["member", "remove", id]);
    assert!(removed.starts_with(&format!("Member {id} removed from cluster ")), "{removed}");
    let error = etcdctl.fails(&["member", "remove", id]);
    assert!(error.contains("etcdserver: member not found"), "{error}");
    assert_eq!(etcdctl.ok(&["member", "list"]).lines().count(), 3);
}

#[test]
fn a_voter_cannot_be_promoted_and_an_address_not_taken_twice() {
    let Some(etcdctl) = Etcdctl::start() else { return };
    let fields = member(&etcdctl, "member1");
    let error = etcdctl.fails(&["member", "promote", &fields[0]]);
    assert!(error.contains("etcdserver: can only promote a learner member"), "{error}");
    let taken = format!("--peer-urls={}", fields[3]);
    let error = wait_for("an address that is taken", || {
        let said = etcdctl.said(&["member", "add", "fourth", &taken]);
        (!said.stderr.contains("unhealthy cluster")).then_some(said.stderr)
    });
    assert!(error.contains("etcdserver: Peer URLs already exists"), "{error}");
}
