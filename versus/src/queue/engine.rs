//! The queues: processes on this machine, each told to make every write durable before it says that it is done.

use std::{fs, path::PathBuf, process::Command};

use super::plan::Plan;
use crate::contestant::{Member, bound, free_port, fresh_folder, new_member, start_members};

/// Whose queue it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// beanstalkd with a flush for each write to its log.
    Beanstalkd,
    /// A stream of Redis with a flush before each answer.
    Redis,
    /// Ours, one node.
    One,
    /// Ours, three nodes.
    Three,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::Beanstalkd, Self::Redis, Self::One, Self::Three];

    /// Its name in tables and on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Beanstalkd => "beanstalkd",
            Self::Redis => "redis",
            Self::One => "one",
            Self::Three => "three",
        }
    }

    /// The contestant of this name.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What it is told, for the reader of the table.
    pub(crate) const fn settings(self) -> &'static str {
        match self {
            Self::Beanstalkd => {
                "beanstalkd -b FOLDER -f 0: a flush for each write, one after the other"
            }
            Self::Redis => {
                "redis-server --appendonly yes --appendfsync always: a flush for all that came together"
            }
            Self::One => "archipel node --system queue: a flush for all that came together",
            Self::Three => {
                "three of archipel node --system queue: the same, on two nodes of three before the answer"
            }
        }
    }
}

/// A running queue. It ends, and its data goes, with this value.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) kind: Kind,
    /// For ours, the port for other nodes is above the one that is used here.
    members: Vec<Member>,
    folder: PathBuf,
}

impl Engine {
    /// Starts it with empty folders and waits until it listens.
    ///
    /// # Errors
    /// If it cannot be started.
    pub(crate) fn start(plan: &Plan, kind: Kind) -> Result<Self, String> {
        let folder = fresh_folder(&plan.folder, kind.name())?;
        let count = if kind == Kind::Three { 3 } else { 1 };
        let members =
            (1..=count).map(|number| new_member(&folder, number)).collect::<Result<_, _>>()?;
        let mut engine = Self { kind, members, folder };
        let commands = engine.commands(plan)?;
        start_members(&mut engine.members, commands, kind.name())?;
        Ok(engine)
    }

    /// Where clients connect, as `host:port`.
    pub(crate) fn addresses(&self) -> Vec<String> {
        self.members.iter().map(|member| format!("127.0.0.1:{}", member.client_port)).collect()
    }

    fn commands(&self, plan: &Plan) -> Result<Vec<Command>, String> {
        match self.kind {
            Kind::Beanstalkd => self.members.iter().map(beanstalkd).collect(),
            Kind::Redis => self.members.iter().map(redis).collect(),
            Kind::One | Kind::Three => self.archipel(plan),
        }
    }

    fn archipel(&self, plan: &Plan) -> Result<Vec<Command>, String> {
        // Clients speak to the port of beanstalkd; the one for HTTP is beside it.
        let ports = self.members.iter().map(|_| free_port());
        let ports: Vec<u16> = ports.collect::<Result<_, _>>()?;
        let all = self.members.iter().zip(ports);
        let all: Vec<(&Member, u16)> = all.collect();
        let command = |(member, http): &(&Member, u16)| {
            let others = all.iter().filter(|(other, _)| other.name != member.name);
            let address = |(other, http): &(&Member, u16)| {
                format!("{}=127.0.0.1:{http}/{}", other.name, other.peer_port)
            };
            let peers: Vec<String> = others.map(address).collect();
            let mut command = Command::new(&plan.archipel);
            command
                .args([
                    "node",
                    "--stop-with-stdin",
                    "--system",
                    "queue",
                    "--name",
                    &member.name,
                    "--dir",
                ])
                .arg(&member.folder)
                .args(["--port", &http.to_string(), "--peer-port", &member.peer_port.to_string()])
                .args(["--beanstalkd-address", &format!("127.0.0.1:{}", member.client_port)]);
            if !peers.is_empty() {
                command.args(["--peers", &peers.join(",")]);
            }
            command
        };
        Ok(all.iter().map(command).collect())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.members.iter_mut().for_each(Member::kill);
        // A folder that stays is removed before the next start.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn beanstalkd(member: &Member) -> Result<Command, String> {
    fs::create_dir_all(&member.folder).map_err(|error| error.to_string())?;
    let mut command = bound("beanstalkd");
    command.args(["-l", "127.0.0.1", "-p", &member.client_port.to_string(), "-f", "0", "-b"]);
    command.arg(&member.folder);
    Ok(command)
}

fn redis(member: &Member) -> Result<Command, String> {
    fs::create_dir_all(&member.folder).map_err(|error| error.to_string())?;
    let mut command = bound("redis-server");
    command
        .args(["--bind", "127.0.0.1", "--port", &member.client_port.to_string(), "--save", ""])
        .args(["--appendonly", "yes", "--appendfsync", "always", "--dir"])
        .arg(&member.folder);
    Ok(command)
}
