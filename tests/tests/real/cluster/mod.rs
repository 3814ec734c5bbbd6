//! Clusters of real processes on this machine.

mod node;
mod run;
mod turn;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process, thread,
    time::{Duration, Instant},
};

pub(crate) use archipel_tests::{free_port, free_ports, program};
pub(crate) use node::Node;
pub(crate) use run::{Ended, archipel, run_to_end};
use serde_json::Value;
pub(crate) use turn::Turn;

use crate::{client::Client, network::Network};

/// A request's time is over sooner than by default: a client whose request was lost with a node goes on.
pub(crate) const IMPATIENT: [&str; 2] = ["--request-timeout-ms", "1000"];

/// How long anything may take that should happen soon.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// A folder of one test, removed at the end unless the test failed.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
}

impl Folder {
    /// An empty folder.
    pub(crate) fn new(test: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}-{}", process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("the target folder can be written");
        Self { path }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("The folder {} is kept.", self.path.display());
        } else {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Nodes that belong together. Ends with them, and shows their log lines if the test failed.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) nodes: Vec<Node>,
    /// The links between the nodes, where they can be cut.
    pub(crate) network: Option<Network>,
    pub(crate) folder: Folder,
    _turn: Turn,
}

impl Cluster {
    /// Starts `count` nodes for `test`, and waits until they serve.
    pub(crate) fn start(test: &str, count: usize) -> Self {
        let mut cluster = Self::new(test, count, Turn::shared());
        cluster.introduce(None);
        cluster.start_all();
        cluster
    }

    /// As [`Cluster::start_with_options`], alone on this machine, so that times mean something.
    pub(crate) fn start_alone(test: &str, count: usize, options: &[&str]) -> Self {
        let mut cluster = Self::new(test, count, Turn::alone());
        cluster.introduce(None);
        cluster.add_options(options);
        cluster.start_all();
        cluster
    }

    /// As [`Cluster::start`], with these options of `archipel node` besides.
    pub(crate) fn start_with_options(test: &str, count: usize, options: &[&str]) -> Self {
        let mut cluster = Self::new(test, count, Turn::shared());
        cluster.introduce(None);
        cluster.add_options(options);
        cluster.start_all();
        cluster
    }

    /// Gives all nodes these options of `archipel node`.
    pub(crate) fn add_options(&mut self, options: &[&str]) {
        for node in &mut self.nodes {
            node.options.extend(options.iter().copied().map(String::from));
        }
    }

    /// As [`Cluster::start_with_options`], where each link between two nodes can be cut.
    pub(crate) fn start_with_network(test: &str, count: usize, options: &[&str]) -> Self {
        let mut cluster = Self::new(test, count, Turn::shared());
        cluster.add_options(options);
        let ports: Vec<u16> = cluster.nodes.iter().map(|node| node.peer_port).collect();
        let network = Network::new(&ports);
        cluster.introduce(Some(&network));
        cluster.network = Some(network);
        cluster.start_all();
        cluster
    }

    /// Nodes that do not know each other yet and do not run.
    pub(crate) fn new(test: &str, count: usize, turn: Turn) -> Self {
        let folder = Folder::new(test);
        let name = |number| format!("node{number}");
        let nodes = (1..=count).map(|number| Node::new(&folder.path, &name(number))).collect();
        Self { nodes, network: None, folder, _turn: turn }
    }

    /// Tells each node where it reaches the others: directly, or by the links of `network`.
    pub(crate) fn introduce(&mut self, network: Option<&Network>) {
        let places: Vec<(String, u16, u16)> = self
            .nodes
            .iter()
            .map(|node| (node.name.clone(), node.client_port, node.peer_port))
            .collect();
        for (own, node) in self.nodes.iter_mut().enumerate() {
            let others = places.iter().enumerate().filter(|(other, _)| *other != own);
            let peers: Vec<String> = others
                .map(|(other, (name, client_port, peer_port))| {
                    let port = network.map_or(*peer_port, |network| network.port(own, other));
                    format!("{name}=127.0.0.1:{client_port}/{port}")
                })
                .collect();
            if !peers.is_empty() {
                node.options.extend([String::from("--peers"), peers.join(",")]);
            }
        }
    }

    /// Starts all nodes that do not run, and waits until all serve.
    pub(crate) fn start_all(&mut self) {
        for node in self.nodes.iter_mut().filter(|node| !node.is_started()) {
            node.start();
        }
        self.wait_until_ready();
    }

    /// `kill -9` for all nodes, as close together as can be.
    pub(crate) fn kill_all(&mut self) {
        for node in &mut self.nodes {
            node.kill();
        }
    }

    /// Waits until linearizable reads work on each node that runs.
    pub(crate) fn wait_until_ready(&mut self) {
        let running = (0..self.nodes.len()).filter(|place| self.nodes[*place].is_started());
        self.wait_until_these_are_ready(&running.collect::<Vec<usize>>());
    }

    /// Waits until linearizable reads work on the nodes in these places.
    pub(crate) fn wait_until_these_are_ready(&mut self, places: &[usize]) {
        let deadline = Instant::now() + SOON;
        for place in places {
            let node = &mut self.nodes[*place];
            let mut client = node.client();
            while !client.get("/ready").is_ok_and(|answer| answer.status == 200) {
                if let Some(status) = node.ended() {
                    panic!("{} ended with {status}\n{}", node.name, node.last_lines());
                }
                assert!(Instant::now() < deadline, "{} is not ready within {SOON:?}", node.name);
                thread::sleep(Duration::from_millis(10));
            }
        }
    }

    /// A client of the node in this place, which asks again while there is no leader.
    pub(crate) fn client(&self, place: usize) -> Client {
        self.nodes[place].client().that_asks_again()
    }

    /// A client that takes no for an answer.
    pub(crate) fn plain_client(&self, place: usize) -> Client {
        self.nodes[place].client()
    }

    /// The ports for clients of all nodes.
    pub(crate) fn client_ports(&self) -> Vec<u16> {
        self.nodes.iter().map(|node| node.client_port).collect()
    }

    /// The addresses for clients of all nodes, as the command line takes them.
    pub(crate) fn addresses(&self) -> String {
        let addresses: Vec<String> = self.nodes.iter().map(Node::address).collect();
        addresses.join(",")
    }

    /// The links, in a cluster that has them.
    pub(crate) fn network(&self) -> &Network {
        self.network.as_ref().expect("the cluster was started with a network")
    }

    /// The place of the node that leads, once one does.
    pub(crate) fn wait_for_leader(&self) -> usize {
        let all: Vec<usize> = (0..self.nodes.len()).collect();
        self.wait_for_leader_among(&all)
    }

    /// The place of the node that leads, once one of these does. An old leader that does not know
    /// better has the lower term.
    pub(crate) fn wait_for_leader_among(&self, places: &[usize]) -> usize {
        let found = wait_for("a leader", || {
            let leaders = places.iter().filter_map(|place| {
                let status = self.status(*place)?;
                (status["role"] == "leader").then(|| (status["term"].as_u64(), *place))
            });
            leaders.max()
        });
        found.1
    }

    /// What the node in this place says of itself; nothing if it does not answer.
    pub(crate) fn status(&self, place: usize) -> Option<Value> {
        if !self.nodes[place].is_started() {
            return None;
        }
        let answer = self.client(place).get("/status").ok()?;
        Some(answer.json())
    }

    /// Waits until all nodes hold the same pairs, each by its own copy, and gives them.
    pub(crate) fn wait_until_same(&self) -> BTreeMap<String, String> {
        wait_for("the same pairs on all nodes", || {
            let mut copies = (0..self.nodes.len()).map(|place| self.client(place).copy());
            let first = copies.next()??;
            copies.all(|copy| copy.as_ref() == Some(&first)).then_some(first)
        })
    }

    /// Waits until the own copy of each node holds `value` under `key`.
    pub(crate) fn wait_until_same_at(&self, key: &str, value: &str) {
        for place in 0..self.nodes.len() {
            let mut client = self.client(place);
            wait_for("a pair on all nodes", || {
                let answer = client.get(&format!("/kv/{key}?consistency=stale")).ok()?;
                (answer.status == 200 && answer.json()["value"] == value).then_some(())
            });
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.kill_all();
        if thread::panicking() {
            for node in &self.nodes {
                eprintln!("{}", node.last_lines());
            }
        }
    }
}

/// Asks again until there is something, for as long as is reasonable.
pub(crate) fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(start.elapsed() < SOON, "there is no such thing within {SOON:?}: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}
