//! The contestants: clusters of processes on this machine, with their defaults.

mod command;

pub(crate) use command::bound;

use std::{
    fs::{self, File},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{plan::Plan, process};

/// How long a cluster may take to start.
const START_MAX: Duration = Duration::from_secs(300);

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Debian's etcd.
    Etcd,
    /// Ours.
    Archipel,
    /// One process that only makes things durable.
    Null,
}

impl Kind {
    /// Its name in tables and on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::Archipel => "archipel",
            Self::Null => "null",
        }
    }

    /// The contestant of this name.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        [Self::Etcd, Self::Archipel, Self::Null].into_iter().find(|kind| kind.name() == name)
    }
}

/// One process.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) client_port: u16,
    pub(crate) peer_port: u16,
    pub(crate) folder: PathBuf,
    child: Option<Child>,
}

impl Member {
    /// The address for clients.
    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.client_port)
    }

    fn pid(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A running cluster. It ends, and its data goes, with this value.
#[derive(Debug)]
pub(crate) struct Contestant {
    pub(crate) kind: Kind,
    pub(crate) members: Vec<Member>,
    program: PathBuf,
    folder: PathBuf,
}

impl Contestant {
    /// Starts a cluster with empty folders and waits until it listens.
    ///
    /// # Errors
    /// If it cannot be started.
    pub(crate) fn start(plan: &Plan, kind: Kind) -> Result<Self, String> {
        let folder = fresh_folder(&plan.folder, kind.name())?;
        let count = if kind == Kind::Null { 1 } else { plan.members };
        let members =
            (1..=count).map(|number| new_member(&folder, number)).collect::<Result<_, _>>()?;
        let mut contestant = Self { kind, members, program: plan.archipel.clone(), folder };
        contestant.start_all()?;
        Ok(contestant)
    }

    /// Starts all members and waits until they listen.
    ///
    /// # Errors
    /// If one cannot be started, or does not listen.
    pub(crate) fn start_all(&mut self) -> Result<(), String> {
        let command = |place| command::command(self.kind, &self.members, place, &self.program);
        let commands = (0..self.members.len()).map(command).collect::<Result<_, _>>()?;
        start_members(&mut self.members, commands, self.kind.name())
    }

    /// Ends all members at once, as a power cut would.
    pub(crate) fn kill_all(&mut self) {
        self.members.iter_mut().for_each(Member::kill);
    }

    /// The addresses for clients.
    pub(crate) fn addresses(&self) -> Vec<String> {
        self.members.iter().map(Member::address).collect()
    }

    /// The processor time that each member has used.
    pub(crate) fn processor_times(&self) -> Vec<Duration> {
        self.members.iter().map(|member| process::processor_time(member.pid())).collect()
    }

    /// The memory that each member has in use, in bytes.
    pub(crate) fn resident_bytes(&self) -> Vec<u64> {
        self.members.iter().map(|member| process::resident_bytes(member.pid())).collect()
    }
}

impl Drop for Contestant {
    fn drop(&mut self) {
        self.kill_all();
        // A folder that stays is removed before the next start.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// An empty folder of this name below `root`.
///
/// # Errors
/// If it cannot be made.
pub(crate) fn fresh_folder(root: &Path, name: &str) -> Result<PathBuf, String> {
    let folder = root.join(name);
    // What an earlier run has left is of no use.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

/// Starts a process for each member and waits until all listen.
///
/// # Errors
/// If one cannot be started, or does not listen.
pub(crate) fn start_members(
    members: &mut [Member],
    commands: Vec<Command>,
    name: &str,
) -> Result<(), String> {
    for (member, command) in members.iter_mut().zip(commands) {
        member.child = Some(spawn(command, &member.folder)?);
    }
    let deadline = Instant::now() + START_MAX;
    for member in members {
        while TcpStream::connect(("127.0.0.1", member.client_port)).is_err() {
            if Instant::now() > deadline {
                return Err(format!("{} of {name} does not start", member.name));
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
    Ok(())
}

/// A member that is not started yet, with its folder below `root`.
///
/// # Errors
/// If no port is free.
pub(crate) fn new_member(root: &Path, number: u16) -> Result<Member, String> {
    let name = format!("member{number}");
    let folder = root.join(&name);
    Ok(Member { client_port: free_port()?, peer_port: free_port()?, folder, name, child: None })
}

fn spawn(mut command: Command, folder: &Path) -> Result<Child, String> {
    let path = folder.with_extension("log");
    let log = File::options().create(true).append(true).open(&path);
    let log = log.map_err(|error| format!("{}: {error}", path.display()))?;
    let both = log.try_clone().map_err(|error| error.to_string())?;
    command.stdin(Stdio::piped()).stdout(both).stderr(log);
    command.spawn().map_err(|error| format!("{:?} did not start: {error}", command.get_program()))
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(|error| error.to_string())?;
    listener.local_addr().map(|address| address.port()).map_err(|error| error.to_string())
}
