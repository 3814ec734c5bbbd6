//! `lease grant`, `timetolive`, `list`, `keep-alive`, `revoke`, and expiry.

use std::io::{BufRead, BufReader};

use super::{Etcdctl, interrupt, wait_for};

impl Etcdctl {
    /// Grants a lease; its id as etcdctl writes it.
    fn grant(&self, ttl_s: &str) -> String {
        let said = self.ok(&["lease", "grant", ttl_s]);
        let id = said.split_whitespace().nth(1).unwrap().to_owned();
        assert_eq!(said, format!("lease {id} granted with TTL({ttl_s}s)\n"));
        id
    }
}

#[test]
fn a_lease_holds_keys_until_it_is_revoked() {
    let Some(etcdctl) = Etcdctl::start() else { return };
    let lease = etcdctl.grant("100");
    etcdctl.ok(&["put", "a", "1", "--lease", &lease]);
    let left = etcdctl.ok(&["lease", "timetolive", &lease, "--keys"]);
    let start = format!("lease {lease} granted with TTL(100s), remaining(");
    assert!(left.starts_with(&start) && left.ends_with("attached keys([a])\n"), "{left}");
    assert_eq!(etcdctl.ok(&["lease", "list"]), format!("found 1 leases\n{lease}\n"));
    let once = etcdctl.ok(&["lease", "keep-alive", "--once", &lease]);
    assert_eq!(once, format!("lease {lease} keepalived with TTL(100)\n"));
    assert_eq!(etcdctl.ok(&["lease", "revoke", &lease]), format!("lease {lease} revoked\n"));
    assert_eq!(etcdctl.ok(&["get", "a"]), "");
    let gone = etcdctl.ok(&["lease", "timetolive", &lease]);
    assert_eq!(gone, format!("lease {lease} already expired\n"));
    let error = etcdctl.fails(&["lease", "revoke", &lease]);
    assert!(error.contains("etcdserver: requested lease not found"), "{error}");
    let error = etcdctl.fails(&["put", "a", "1", "--lease", &lease]);
    assert!(error.contains("etcdserver: requested lease not found"), "{error}");
}

#[test]
fn a_lease_expires_unless_it_is_kept_alive() {
    let Some(etcdctl) = Etcdctl::start() else { return };
    let (kept, left) = (etcdctl.grant("2"), etcdctl.grant("2"));
    etcdctl.ok(&["put", "kept", "1", "--lease", &kept]);
    etcdctl.ok(&["put", "left", "1", "--lease", &left]);
    let mut keeper = etcdctl.command(&["lease", "keep-alive", &kept]).spawn().unwrap();
    wait_for("a key that expires", || etcdctl.ok(&["get", "left"]).is_empty().then_some(()));
    assert_eq!(etcdctl.ok(&["get", "kept"]), "kept\n1\n");
    interrupt(&keeper);
    keeper.wait().unwrap();
    let lines = BufReader::new(keeper.stdout.take().unwrap()).lines();
    assert!(
        lines
            .map(Result::unwrap)
            .all(|line| line == format!("lease {kept} keepalived with TTL(2)"))
    );
    wait_for("a key that expires", || etcdctl.ok(&["get", "kept"]).is_empty().then_some(()));
}
