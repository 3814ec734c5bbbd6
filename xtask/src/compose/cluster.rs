//! A cluster from a compose file, gone with its volumes when it is dropped.

use std::{
    path::{Path, PathBuf},
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::engine::{Engine, said, say};

/// Apart from whatever else runs from the same files.
const PROJECT: &str = "archipel-exercises";
/// The network of the compose files.
const NETWORK: &str = "raft-network";
/// Nothing takes longer, even on a slow and busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// How a command in a container ended.
#[derive(Clone, Debug)]
pub(super) struct Told {
    /// Its exit code: those of `archipel --help`.
    pub(super) exit: i32,
    /// What it wrote.
    pub(super) text: String,
}

/// The containers of one compose file.
pub(super) struct Cluster<'a> {
    engine: &'a Engine,
    file: PathBuf,
    /// How many nodes it has.
    pub(super) nodes: u32,
}

impl<'a> Cluster<'a> {
    /// Starts it and waits until every node is healthy.
    pub(super) fn start(root: &Path, engine: &'a Engine, nodes: u32) -> Result<Self, String> {
        let file = root.join(format!("deploy/compose-{nodes}.yaml"));
        let cluster = Self { engine, file, nodes };
        said(&mut cluster.compose(&["up", "--detach", "--no-build"]))?;
        cluster.wait_until_all_are_ready()?;
        Ok(cluster)
    }

    /// Waits until every node is healthy, as the engine sees it.
    pub(super) fn wait_until_all_are_ready(&self) -> Result<(), String> {
        (1..=self.nodes).try_for_each(|node| self.wait_for_health(node, "healthy"))
    }

    /// Waits until the health check of a node says this.
    pub(super) fn wait_for_health(&self, node: u32, wanted: &str) -> Result<(), String> {
        until(&format!("node {node} is {wanted}"), || {
            let words = ["inspect", "--format", "{{.State.Health.Status}}", &container(node)];
            Ok((say("docker", words)? == wanted).then_some(()))
        })
    }

    /// The number of the node that leads, as one of `among` says it.
    pub(super) fn leader(&self, among: &[u32]) -> Result<u32, String> {
        until("somebody leads", || {
            Ok(among.iter().find_map(|node| {
                let ready =
                    self.inside(*node, &["status", "--ready", "--cluster", "3000", "--json"]);
                let ready = ready.ok().filter(|told| told.exit == 0)?;
                let ready: Value = serde_json::from_str(&ready.text).ok()?;
                let leader = ready["leader"].as_str()?.strip_prefix("node")?.parse().ok()?;
                among.contains(&leader).then_some(leader)
            }))
        })
    }

    /// Runs `archipel` in the container of a node.
    pub(super) fn inside(&self, node: u32, words: &[&str]) -> Result<Told, String> {
        let mut command = Command::new("docker");
        command.args(["exec", &container(node), "archipel"]).args(words);
        let output = command.output().map_err(|error| format!("docker did not start: {error}"))?;
        let text = if output.stdout.is_empty() { output.stderr } else { output.stdout };
        let text = String::from_utf8_lossy(&text).trim().to_owned();
        Ok(Told { exit: output.status.code().unwrap_or(-1), text })
    }

    /// Asks a node for a key or writes one: `words` are those of `archipel kv`.
    pub(super) fn kv(&self, node: u32, words: &[&str]) -> Result<Told, String> {
        self.inside(node, &[&["kv"], words, &["--cluster", "127.0.0.1:3000"]].concat())
    }

    /// Writes a key by way of a node; it must be taken.
    pub(super) fn put(&self, node: u32, key: &str, value: &str) -> Result<(), String> {
        let told = self.kv(node, &["put", key, value])?;
        expect(told.exit == 0, || format!("node {node} does not take {key}: {}", told.text))
    }

    /// Waits until a node's own copy of a key is this.
    pub(super) fn wait_for_copy(&self, node: u32, key: &str, value: &str) -> Result<(), String> {
        until(&format!("node {node} has {key} = {value}"), || {
            let told = self.kv(node, &["get", key, "--stale"])?;
            Ok((told.exit == 0 && told.text == value).then_some(()))
        })
    }

    /// `docker kill`, or another command on the container of a node.
    pub(super) fn docker(&self, command: &str, node: u32) -> Result<(), String> {
        say("docker", [command, &container(node)]).map(drop)
    }

    /// `docker network connect` or `disconnect`.
    pub(super) fn network(&self, command: &str, node: u32) -> Result<(), String> {
        say("docker", ["network", command, NETWORK, &container(node)]).map(drop)
    }

    /// The last lines that every node wrote, for whoever looks for the reason.
    pub(super) fn last_lines(&self) -> String {
        said(&mut self.compose(&["logs", "--no-color", "--tail", "12"])).unwrap_or_default()
    }

    fn compose(&self, words: &[&str]) -> Command {
        let mut command = self.engine.compose(&["--project-name", PROJECT, "--file"]);
        command.arg(&self.file).args(words);
        command
    }
}

impl Drop for Cluster<'_> {
    fn drop(&mut self) {
        if let Err(error) = said(&mut self.compose(&["down", "--volumes", "--timeout", "20"])) {
            println!("compose: the cluster is not taken down: {error}");
        }
    }
}

fn container(node: u32) -> String {
    format!("raft-node{node}")
}

/// Asks until something is found.
///
/// # Errors
/// That it was not found in time, or why it cannot be asked.
pub(super) fn until<T>(
    what: &str,
    mut found: impl FnMut() -> Result<Option<T>, String>,
) -> Result<T, String> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = found()? {
            return Ok(found);
        }
        if Instant::now() > deadline {
            return Err(format!("waited in vain until {what}"));
        }
        sleep(Duration::from_millis(200));
    }
}

/// Nothing if it is so, else what is wrong.
pub(super) fn expect(is_so: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if is_so { Ok(()) } else { Err(otherwise()) }
}
