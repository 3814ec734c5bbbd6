//! What an export must write at the least: a file with keys that no etcd ever made is restored and served.

use std::fs;

use super::{
    process::{Etcd, Folder, is_installed, restore, snapshot_status},
    protobuf::{Field, encode},
    snapshot::{goes_on, with_checksum},
};
use crate::{
    audit::audit,
    model::{Model, Pairs, write},
};

const KEYS: u64 = 20_000;

/// One put of each key, at a revision of its own from 2 on.
fn keys() -> Pairs {
    let pair = |number: u64| {
        let revision = number + 2;
        let key = [&revision.to_be_bytes()[..], b"_", &[0; 8]].concat();
        let fields = vec![
            (1, Field::Bytes(format!("round-{number:05}").into_bytes())),
            (2, Field::Number(revision)),
            (3, Field::Number(revision)),
            (4, Field::Number(1)),
            (5, Field::Bytes(format!("value {number}").into_bytes())),
        ];
        (key, encode(&fields))
    };
    (0..KEYS).map(pair).collect()
}

#[test]
fn keys_and_an_index_are_all_that_etcd_needs() {
    if !is_installed() {
        return;
    }
    let folder = Folder::new();
    let index = Pairs::from([(b"consistent_index".to_vec(), vec![0; 8])]);
    let model = Model::from([(b"key".to_vec(), keys()), (b"meta".to_vec(), index)]);
    let file = write(&model);
    audit(&file);
    fs::write(folder.join("made"), with_checksum(file)).unwrap();
    let status = snapshot_status(&folder.join("made"));
    assert_eq!(
        (&status["revision"], &status["totalKey"]),
        (&(KEYS + 1).into(), &(KEYS + 1).into())
    );

    restore(&folder.join("made"), &folder.join("data"));
    let etcd = Etcd::start(&folder.join("data"));
    assert_eq!(etcd.json(&["get", "", "--prefix", "--limit=1"])["count"], KEYS);
    let last = format!("round-{:05}", KEYS - 1);
    assert_eq!(etcd.ctl(&["get", &last]), format!("{last}\nvalue {}\n", KEYS - 1));
    goes_on(&etcd, &folder);
}
