//! `txn`.

use super::Etcdctl;

#[test]
fn a_branch_is_taken_by_what_is_compared() {
    let Some(etcdctl) = Etcdctl::start() else { return };
    etcdctl.ok(&["put", "a", "1"]);
    let txn = "value(\"a\") = \"1\"\nversion(\"a\") > \"0\"\nmod(\"a\") < \"9\"\ncreate(\"b\") = \"0\"\n\n\
               put b 2\nget a\n\nget a\n\n";
    assert_eq!(etcdctl.said_after(&["txn"], txn).ok(), "SUCCESS\n\nOK\n\na\n1\n");
    assert_eq!(etcdctl.said_after(&["txn"], txn).ok(), "FAILURE\n\na\n1\n");
    assert_eq!(etcdctl.ok(&["get", "b", "--print-value-only"]), "2\n");
    assert_eq!(etcdctl.said_after(&["txn"], "\ndel b\n\n\n").ok(), "SUCCESS\n\n1\n");
}

#[test]
fn a_key_is_put_once_in_a_transaction() {
    let Some(etcdctl) = Etcdctl::start() else { return };
    let error = etcdctl.said_after(&["txn"], "\nput a 1\nput a 2\n\n\n").fails();
    assert!(error.contains("etcdserver: duplicate key given in txn request"), "{error}");
}
