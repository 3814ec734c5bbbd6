//! `put`, `get`, `del`, `compaction`.

use super::Etcdctl;

#[test]
fn what_is_put_can_be_got_and_deleted() {
    let Some(etcdctl) = Etcdctl::start() else { return };
    assert_eq!(etcdctl.ok(&["put", "a", "1"]), "OK\n");
    assert_eq!(etcdctl.ok(&["put", "a", "2", "--prev-kv"]), "OK\na\n1\n");
    assert_eq!(etcdctl.ok(&["get", "a"]), "a\n2\n");
    assert_eq!(etcdctl.ok(&["get", "a", "--print-value-only"]), "2\n");
    assert_eq!(etcdctl.ok(&["get", "a", "--consistency", "s"]), "a\n2\n");
    assert_eq!(etcdctl.ok(&["get", "b"]), "");
    assert_eq!(etcdctl.ok(&["put", "a", "--ignore-value"]), "OK\n");
    assert_eq!(etcdctl.ok(&["del", "a", "--prev-kv"]), "1\na\n2\n");
    assert_eq!(etcdctl.ok(&["del", "a"]), "0\n");
    let error = etcdctl.fails(&["put", "a", "--ignore-value"]);
    assert!(error.contains("etcdserver: key not found"), "{error}");
}

#[test]
fn ranges_are_chosen_sorted_and_cut() {
    let Some(etcdctl) = Etcdctl::start() else { return };
    for (key, value) in [("k1", "c"), ("k2", "b"), ("k3", "a"), ("l", "d")] {
        etcdctl.ok(&["put", key, value]);
    }
    let keys = |words: &[&str]| {
        etcdctl.ok(&[&["get", "--keys-only"], words].concat()).replace("\n\n", " ")
    };
    assert_eq!(keys(&["k", "--prefix"]), "k1 k2 k3 ");
    assert_eq!(keys(&["k2", "l"]), "k2 k3 ");
    assert_eq!(keys(&["k2", "--from-key"]), "k2 k3 l ");
    assert_eq!(keys(&["k", "--prefix", "--order=DESCEND", "--limit=2"]), "k3 k2 ");
    assert_eq!(keys(&["k", "--prefix", "--sort-by=VALUE", "--order=ASCEND"]), "k3 k2 k1 ");
    assert_eq!(keys(&["k", "--prefix", "--sort-by=MODIFY", "--order=DESCEND"]), "k3 k2 k1 ");
    let fields = etcdctl.ok(&["get", "k", "--prefix", "--limit=1", "-w", "fields"]);
    assert!(fields.contains("\"Count\" : 3"), "{fields}");
    assert_eq!(etcdctl.ok(&["del", "k", "--prefix"]), "3\n");
    assert_eq!(etcdctl.ok(&["del", "", "--from-key"]), "1\n");
}

#[test]
fn history_is_there_until_it_is_compacted() {
    let Some(etcdctl) = Etcdctl::start() else { return };
    for value in ["1", "2", "3"] {
        etcdctl.ok(&["put", "a", value]);
    }
    assert_eq!(etcdctl.ok(&["get", "a", "--rev=2"]), "a\n1\n");
    assert_eq!(etcdctl.ok(&["compaction", "3"]), "compacted revision 3\n");
    assert_eq!(etcdctl.ok(&["get", "a", "--rev=3"]), "a\n2\n");
    let error = etcdctl.fails(&["get", "a", "--rev=2"]);
    assert!(error.contains("required revision has been compacted"), "{error}");
    let error = etcdctl.fails(&["get", "a", "--rev=99"]);
    assert!(error.contains("required revision is a future revision"), "{error}");
    let error = etcdctl.fails(&["compaction", "3"]);
    assert!(error.contains("required revision has been compacted"), "{error}");
    assert_eq!(etcdctl.ok(&["compaction", "4", "--physical"]), "compacted revision 4\n");
}

#[test]
fn answers_are_printed_as_json_with_a_header() {
    let Some(etcdctl) = Etcdctl::start() else { return };
    etcdctl.ok(&["put", "a", "1"]);
    let json = etcdctl.ok(&["get", "a", "-w", "json"]);
    let answer: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(answer["kvs"][0]["key"], "YQ==");
    assert_eq!(answer["header"]["revision"], 2);
    for id in ["cluster_id", "member_id", "raft_term"] {
        assert!(answer["header"][id].as_u64().is_some_and(|id| id > 0), "{id}: {json}");
    }
}
