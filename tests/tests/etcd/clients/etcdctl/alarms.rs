//! `alarm list` and `alarm disarm`.

use super::Etcdctl;

#[test]
fn a_healthy_cluster_has_no_alarms_and_can_be_told_so() {
    let Some(etcdctl) = Etcdctl::start() else { return };
    assert_eq!(etcdctl.ok(&["alarm", "list"]), "");
    assert_eq!(etcdctl.ok(&["alarm", "disarm"]), "");
}
