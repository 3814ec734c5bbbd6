//! `endpoint health`, `status` and `hashkv`; `move-leader`; `defrag`; `version`.

use serde_json::Value;

use super::{Etcdctl, Said, wait_for};

/// What each endpoint says of itself.
fn statuses(etcdctl: &Etcdctl) -> Vec<Value> {
    let said = etcdctl.ok(&["endpoint", "status", "-w", "json"]);
    serde_json::from_str::<Vec<Value>>(&said).unwrap()
}

#[test]
fn endpoints_are_healthy_and_one_leads() {
    let Some(etcdctl) = Etcdctl::start() else { return };
    let health = etcdctl.said(&["endpoint", "health"]);
    assert_eq!(health.code, Some(0), "{health:?}");
    let healthy = health.stdout + &health.stderr;
    assert_eq!(
        healthy.matches("is healthy: successfully committed proposal").count(),
        3,
        "{healthy}"
    );
    let statuses = statuses(&etcdctl);
    let ids: Vec<u64> =
        statuses.iter().map(|one| one["Status"]["header"]["member_id"].as_u64().unwrap()).collect();
    for status in statuses.iter().map(|one| &one["Status"]) {
        assert!(ids.contains(&status["leader"].as_u64().unwrap()), "{status}");
        assert!(
            status["dbSize"].as_u64().unwrap() > 0 && status["raftIndex"].as_u64().unwrap() > 0
        );
        let version = status["version"].as_str().unwrap();
        assert_eq!(version.split('.').count(), 3, "{version}");
    }
    let table = etcdctl.ok(&["endpoint", "status", "-w", "table"]);
    assert!(table.contains("IS LEADER") && table.matches("true").count() == 1, "{table}");
}

#[test]
fn all_members_have_the_same_hash() {
    let Some(etcdctl) = Etcdctl::start() else { return };
    for number in 0..20 {
        etcdctl.ok(&["put", "a", &number.to_string()]);
    }
    // A read at each member waits until it has everything.
    (0..3).for_each(|place| assert_eq!(etcdctl.ok_at(place, &["get", "a"]), "a\n19\n"));
    let said = etcdctl.ok(&["endpoint", "hashkv", "-w", "json"]);
    let hashes: Vec<Value> = serde_json::from_str(&said).unwrap();
    let hash = |one: &Value| one["HashKV"]["hash"].as_u64().unwrap();
    assert!(hashes.iter().all(|one| hash(one) == hash(&hashes[0]) && hash(one) != 0), "{said}");
    let before = etcdctl.ok(&["endpoint", "hashkv", "--rev", "5", "-w", "json"]);
    assert!(!before.contains(&hash(&hashes[0]).to_string()), "{before}");
}

#[test]
fn leadership_moves_where_it_is_told() {
    let Some(etcdctl) = Etcdctl::start() else { return };
    let leader = statuses(&etcdctl)[0]["Status"]["leader"].as_u64().unwrap();
    let ids: Vec<u64> = statuses(&etcdctl)
        .iter()
        .map(|one| one["Status"]["header"]["member_id"].as_u64().unwrap())
        .collect();
    let place = ids.iter().position(|id| *id == leader).unwrap();
    let next = (place + 1) % 3;
    let (from, to) = (format!("{leader:x}"), format!("{:x}", ids[next]));
    // Only the leader can hand over, so etcdctl looks for it among the endpoints.
    let said = etcdctl.ok(&["move-leader", &to]);
    assert_eq!(said, format!("Leadership transferred from {from} to {to}\n"));
    wait_for("another leader", || {
        (statuses(&etcdctl)[0]["Status"]["leader"] == ids[next]).then_some(())
    });
    let error = etcdctl.fails(&["move-leader", "1"]);
    assert!(error.contains("etcdserver: bad leader transferee"), "{error}");
}

#[test]
fn members_are_defragmented_one_by_one() {
    let Some(etcdctl) = Etcdctl::start() else { return };
    etcdctl.ok(&["put", "a", "1"]);
    for (place, member) in etcdctl.cluster.members.iter().enumerate() {
        let said = etcdctl.ok_at(place, &["defrag"]);
        let endpoint = member.host_and_port();
        assert_eq!(said, format!("Finished defragmenting etcd member[{endpoint}]\n"));
    }
    assert_eq!(etcdctl.ok(&["get", "a"]), "a\n1\n");
}

/// etcdctl 3.4 then sends the whole URL as `:authority`, which HTTP/2 does not allow and Go's server takes.
#[test]
fn an_endpoint_may_be_written_as_a_url() {
    let Some(etcdctl) = Etcdctl::start() else { return };
    let endpoints = etcdctl.cluster.addresses().join(",");
    let said = Said::by(etcdctl.command_at(&endpoints, &["endpoint", "status"]).spawn().unwrap());
    assert_eq!(said.ok().lines().count(), 3);
}
