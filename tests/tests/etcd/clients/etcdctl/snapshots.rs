//! `snapshot save`, `status` and `restore`.

use std::fs;

use serde_json::Value;

use super::Etcdctl;

#[test]
fn a_snapshot_has_the_keys_and_can_be_restored() {
    let Some(etcdctl) = Etcdctl::start() else { return };
    for key in ["a", "b", "c"] {
        etcdctl.ok(&["put", key, "1"]);
    }
    etcdctl.ok(&["del", "c"]);
    let folder = &etcdctl.cluster.folder;
    let file = folder.join("saved.db").display().to_string();
    let saved = etcdctl.ok_at(0, &["snapshot", "save", &file]);
    assert!(saved.ends_with(&format!("Snapshot saved at {file}\n")), "{saved}");
    assert_eq!(fs::metadata(&file).unwrap().len() % 512, 32, "a SHA-256 follows the pages");
    let status: Value =
        serde_json::from_str(&etcdctl.ok(&["snapshot", "status", &file, "-w", "json"])).unwrap();
    assert_eq!(status["revision"], 5, "{status}");
    assert!(status["totalKey"].as_u64().is_some_and(|rows| rows >= 4), "{status}");
    let restored = folder.join("restored").display().to_string();
    etcdctl.ok(&["snapshot", "restore", &file, "--data-dir", &restored]);
    assert!(fs::metadata(format!("{restored}/member/snap/db")).unwrap().len() > 0);
}
