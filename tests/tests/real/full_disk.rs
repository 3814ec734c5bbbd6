//! A disk that is full for real: a small file system in memory. Needs the right to mount one.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

use crate::{
    client::Answer,
    cluster::{Cluster, IMPATIENT, Turn, run_to_end, wait_for},
    report::report,
};

/// More than any small disk takes, and no harm to another one.
const PIECES_MAX: u32 = 16_384;

/// A file system of its own, for as long as this lives.
struct SmallDisk {
    path: PathBuf,
}

impl SmallDisk {
    /// A disk of `mib` MiB at `path`; nothing, and a word about it, if it may not be mounted.
    fn mount(path: &Path, mib: u64) -> Option<Self> {
        fs::create_dir_all(path).unwrap();
        let options = format!("size={mib}m");
        let options = std::ffi::CString::new(options).expect("there is no zero in it");
        match mount("archipel-test", path, "tmpfs", MountFlags::empty(), options.as_c_str()) {
            Ok(()) => Some(Self { path: path.to_owned() }),
            Err(error) => {
                report(&format!("full disk: SKIPPED, no file system can be mounted here: {error}"));
                None
            }
        }
    }

    /// Takes all the room that is left.
    fn fill(&self) {
        let mut file = File::create(self.filler()).unwrap();
        let piece = vec![1; 64 << 10];
        let is_full = (0..PIECES_MAX).any(|_| file.write_all(&piece).is_err());
        assert!(is_full, "this is not the small disk");
    }

    /// Gives it back.
    fn make_room(&self) {
        fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> PathBuf {
        self.path.join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = unmount(&self.path, UnmountFlags::DETACH);
    }
}

const OPTIONS: [&str; 2] = ["--segment-mib", "8"];
const VALUE_BYTES: usize = 1_000_000;

#[test]
fn a_full_disk_refuses_writes_and_serves_reads_and_loses_nothing() {
    let mut cluster = Cluster::new("full", 1, Turn::shared());
    let path = cluster.nodes[0].folder.parent().expect("it has a parent").join("disk");
    let Some(disk) = SmallDisk::mount(&path, 100) else {
        return;
    };
    cluster.nodes[0].folder = path.join("node1");
    cluster.add_options(&OPTIONS);
    cluster.start_all();
    wait_for("a write", || (put(&cluster, 0, "before").status == 200).then_some(()));
    disk.fill();
    let mut written = 0;
    let refused = wait_for("a refusal, since the disk is full", || {
        let answer = put(&cluster, 0, &format!("key{written}"));
        written += i32::from(answer.status == 200);
        (![200, 503].contains(&answer.status)).then_some(answer)
    });
    assert_eq!(refused.error(), (507, "disk_full".to_owned()));
    assert!(written < 20, "{written} values found room on a full disk");
    assert_eq!(cluster.client(0).get("/kv/before").unwrap().status, 200, "reads go on");
    wait_for("the status to say so", || (cluster.status(0)?["diskFull"] == true).then_some(()));

    // Killed while the disk is full, it starts, or says why it does not; either way nothing is lost.
    cluster.kill_all();
    let is_refused = start_on_a_full_disk(&mut cluster);
    disk.make_room();
    if is_refused {
        cluster.start_all();
    }
    wait_for("writes, now that there is room", || {
        (put(&cluster, 0, "after").status == 200).then_some(())
    });
    let pairs = cluster.wait_until_same();
    assert!((0..written).all(|number| pairs.contains_key(&format!("key{number}"))), "{written}");
    cluster.kill_all();
    drop(disk);
}

/// True if the node said that there is no room and did not start.
fn start_on_a_full_disk(cluster: &mut Cluster) -> bool {
    cluster.nodes[0].start();
    let is_refused = wait_for("the node to start or to say why not", || {
        if cluster.nodes[0].ended().is_some() {
            return Some(true);
        }
        let read = cluster.client(0).get("/kv/before").ok()?;
        (read.status == 200).then_some(false)
    });
    if is_refused {
        cluster.nodes[0].wait_for_end(Duration::from_secs(1));
        run_to_end(cluster.nodes[0].command()).expect(2, "no room");
    }
    is_refused
}

#[test]
fn one_full_disk_of_three_keeps_voting_and_nothing_is_lost() {
    let mut cluster = Cluster::new("full-one-of-three", 3, Turn::shared());
    let path = cluster.nodes[0].folder.parent().expect("it has a parent").join("disk");
    let Some(disk) = SmallDisk::mount(&path, 100) else {
        return;
    };
    cluster.nodes[0].folder = path.join("node1");
    cluster.introduce(None);
    cluster.add_options(&[OPTIONS, IMPATIENT].concat());
    cluster.start_all();
    disk.fill();
    let mut written = Vec::new();
    let is_full = |cluster: &Cluster| cluster.status(0)?["diskFull"].as_bool();
    // Its disk is full once the segment that was made ahead is in use, and the next one has no room.
    while is_full(&cluster) != Some(true) {
        assert!(written.len() < 30, "{} values found room on a full disk", written.len());
        let key = format!("key{}", written.len());
        if put(&cluster, 1, &key).status == 200 {
            written.push(key);
        }
    }
    for number in 0..12 {
        let key = format!("more{number}");
        // Where the full disk is the leader's, writes are refused; elsewhere the other two suffice.
        let answer = put(&cluster, number % 3, &key);
        assert!([200, 503, 504, 507].contains(&answer.status), "{}", answer.text());
        if answer.status == 200 {
            written.push(key);
        }
    }
    // It keeps what room it has for terms and votes: with one of the others it elects a leader.
    let other = if cluster.wait_for_leader() == 2 { 2 } else { 1 };
    cluster.nodes[other].kill();
    cluster.wait_for_leader_among(&[0, 3 - other]);
    disk.make_room();
    cluster.start_all();
    wait_for("a write through the node that had no room", || {
        (put(&cluster, 0, "after").status == 200).then_some(())
    });
    let pairs = cluster.wait_until_same();
    assert!(written.iter().all(|key| pairs.contains_key(key)), "{written:?}");
    report(&format!("one full disk of three: {} writes were taken", written.len()));
    cluster.kill_all();
    drop(disk);
}

fn put(cluster: &Cluster, place: usize, key: &str) -> Answer {
    cluster.plain_client(place).put(key, &"x".repeat(VALUE_BYTES)).unwrap()
}
