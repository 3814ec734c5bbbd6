//! Random nodes are killed and started again under load, over and over.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use kernel::Rng;

use crate::{
    client::Client,
    cluster::{Cluster, IMPATIENT},
    load::{Load, read_everything, wait_for_writes},
    recorder::Recorder,
    report::{number, report},
};

#[test]
fn no_acknowledged_write_is_lost_and_no_read_is_stale_whoever_is_killed() {
    let kills = number("ARCHIPEL_KILLS", 12);
    let seed = number("ARCHIPEL_SEED", u64::from(std::process::id()));
    let mut random = Rng::new(seed);
    let mut cluster = Cluster::start_with_options(
        "kills",
        3,
        &[&IMPATIENT[..], &["--segment-mib", "8"]].concat(),
    );
    let recorder = Arc::new(Recorder::new());
    let load = Load::start(&recorder, &cluster.client_ports(), 8);
    let ballast = Ballast::start(&cluster.client_ports());
    let mut killed = 0;
    while killed < kills {
        wait_for_writes(&recorder, 10 + random.below(60));
        if random.chance(1, 6) {
            stand_still(&cluster, &mut random);
            continue;
        }
        let victims = victims(&mut random);
        for victim in &victims {
            cluster.nodes[*victim].kill();
            killed += 1;
        }
        thread::sleep(Duration::from_millis(random.below(500)));
        for victim in victims {
            cluster.nodes[victim].start();
        }
    }
    cluster.wait_until_ready();
    wait_for_writes(&recorder, 20);
    load.stop();
    ballast.stop();
    read_everything(&recorder, &cluster.client_ports());
    cluster.wait_until_same();
    let tally = recorder.judge(&cluster.folder.path);
    report(&format!("{killed} kills from seed {seed}: {tally:?}"));
}

/// Large values under one key, so that the log rolls on, segments come and go and the tables are
/// flushed while nodes die.
struct Ballast {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Ballast {
    fn start(ports: &[u16]) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&stop);
        let mut clients: Vec<Client> = ports.iter().map(|port| Client::new(*port)).collect();
        let value = "x".repeat(200_000);
        let thread = thread::spawn(move || {
            for client in (0..clients.len()).cycle() {
                if is_over.load(Ordering::Relaxed) {
                    return;
                }
                let _ = clients[client].put("ballast", &value);
                thread::sleep(Duration::from_millis(20));
            }
        });
        Self { stop, thread }
    }

    fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("it ends when it is told to");
    }
}

/// Mostly one node, sometimes two, sometimes all.
fn victims(random: &mut Rng) -> Vec<usize> {
    let first = usize::try_from(random.below(3)).expect("below 3");
    let count = match random.below(10) {
        0..6 => 1,
        6..9 => 2,
        _ => 3,
    };
    (0..count).map(|step| (first + step) % 3).collect()
}

/// A node that stands still for a while believes afterwards that no time has passed.
fn stand_still(cluster: &Cluster, random: &mut Rng) {
    let node = &cluster.nodes[usize::try_from(random.below(3)).expect("below 3")];
    node.pause();
    thread::sleep(Duration::from_millis(random.below(800)));
    node.resume();
}
