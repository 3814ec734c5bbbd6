//! A cluster of three with one damaged disk loses nothing and repairs it.

use std::{fs, sync::Arc, time::Duration};

use super::data_folder::flip_a_bit_at;
use crate::{
    cluster::{Cluster, wait_for},
    load::{Load, read_everything, wait_for_writes},
    members::{joiner, wait_for_part},
    recorder::Recorder,
    report::report,
};

#[test]
fn a_damaged_node_comes_back_as_a_new_member_and_nothing_is_lost() {
    let mut cluster = Cluster::start_with_options("repair", 3, &["--segment-mib", "8"]);
    let recorder = Arc::new(Recorder::new());
    assert_eq!(cluster.client(1).put("needle", "in-the-haystack").unwrap().status, 200);
    let load = Load::start(&recorder, &cluster.client_ports(), 4);
    wait_for_writes(&recorder, 50);
    cluster.nodes[1].kill();
    flip_a_bit_at(&cluster.nodes[1].folder, "in-the-haystack");
    cluster.nodes[1].start();
    let status = cluster.nodes[1].wait_for_end(Duration::from_secs(10));
    assert_eq!(status.code(), Some(6), "{}", cluster.nodes[1].last_lines());
    wait_for_writes(&recorder, 50);

    let damaged = cluster.nodes[1].folder.clone();
    fs::rename(&damaged, damaged.with_extension("damaged")).unwrap();
    let mut new = joiner(&cluster, "node2", &["--segment-mib", "8"]);
    new.client_port = cluster.nodes[1].client_port;
    cluster.nodes[1] = new;
    cluster.start_all();
    wait_for_part(&cluster, 0, "node2", "voter");
    wait_for("the old self to be gone", || {
        let members = cluster.client(0).get("/members").ok()?.json();
        (members["members"].as_array()?.len() == 3).then_some(())
    });
    wait_for_writes(&recorder, 50);
    cluster.nodes[2].kill();
    wait_for_writes(&recorder, 50);
    cluster.start_all();
    load.stop();
    read_everything(&recorder, &cluster.client_ports());
    let pairs = cluster.wait_until_same();
    assert_eq!(pairs.get("needle").map(String::as_str), Some("in-the-haystack"));
    report(&format!("repair: {:?}", recorder.judge(&cluster.folder.path)));
}
