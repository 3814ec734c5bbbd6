//! `check perf`: etcdctl's own load. It takes a minute and wants the machine for itself, so it runs only with
//! `ARCHIPEL_LONG=1`.

use super::Etcdctl;

#[test]
fn a_small_load_is_borne() {
    if std::env::var_os("ARCHIPEL_LONG").is_none() {
        eprintln!("Left out: check perf takes a minute; ARCHIPEL_LONG=1 runs it.");
        return;
    }
    let Some(etcdctl) = Etcdctl::start() else { return };
    let child = etcdctl.command(&["check", "perf", "--load=s"]).spawn().unwrap();
    // What etcdctl draws while it runs is not for programs; its last line is.
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.trim_end().ends_with("PASS"), "{text}");
    assert_eq!(etcdctl.ok(&["get", "/etcdctl-check-perf/", "--prefix", "--keys-only"]), "");
}
