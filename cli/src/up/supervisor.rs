//! All nodes of a cluster: starts them, notices how they do, starts them again.

use std::time::{Duration, Instant};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::{MissedTickBehavior, interval, sleep},
};

use super::{
    folder::ClusterFolder,
    health::{self, Health},
    ports,
    process::{End, Process},
    view::{Row, View},
};
use crate::exit::{Exit, Failure, Outcome};

/// How often to look at the processes.
const LOOK: Duration = Duration::from_millis(100);
/// Every how many looks the nodes are asked how they do.
const LOOKS_PER_QUESTION: u32 = 4;
/// How long the nodes may take to stop.
const FAREWELL: Duration = Duration::from_secs(15);

/// The nodes of one cluster.
#[derive(Debug)]
pub(super) struct Supervisor {
    folder: ClusterFolder,
    node_options: Vec<String>,
    processes: Vec<Process>,
    healths: Vec<Option<Health>>,
    leader: Option<(String, u64)>,
    view: View,
}

impl Supervisor {
    /// A supervisor of the cluster in `folder`; every node gets `node_options` besides its own.
    pub(super) fn new(folder: ClusterFolder, node_options: &[String]) -> Outcome<Self> {
        let names = (1..=folder.nodes()).map(|number| format!("node{number}"));
        let processes: Vec<Process> = names
            .map(|name| {
                let log = folder.path().join(format!("{name}.log"));
                Process::new(name, log)
            })
            .collect();
        let view = View::new(&folder);
        let healths = vec![None; processes.len()];
        let node_options = node_options.to_vec();
        let new = Self { folder, node_options, processes, healths, leader: None, view };
        new.check_data()?;
        Ok(new)
    }

    /// A majority of the nodes that have had data must still have it.
    fn check_data(&self) -> Outcome<()> {
        let lost: Vec<&str> = self
            .processes
            .iter()
            .map(|process| process.name.as_str())
            .filter(|name| self.folder.is_founded(name) && self.is_empty(name))
            .collect();
        if lost.len() * 2 < self.processes.len() {
            return Ok(());
        }
        Err(Failure::usage(format!(
            "The data of {} is gone from {}, and with it the majority that could bring it back. Put \
             the folders back if you have them, or start a new cluster in another folder with --dir.",
            lost.join(", "),
            self.folder.path().display()
        )))
    }

    /// Runs the cluster until the user has seen enough.
    pub(super) async fn run(&mut self) -> Outcome<()> {
        let mut stops = Stops::new()?;
        let mut ticks = interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for look in 0u32.. {
            tokio::select! {
                () = stops.next() => return Ok(()),
                _ = ticks.tick() => {}
            }
            for place in 0..self.processes.len() {
                self.look_at(place)?;
            }
            if look % LOOKS_PER_QUESTION == 0 {
                let addresses: Vec<String> =
                    (0..self.processes.len()).map(|place| self.address(place)).collect();
                let healths = health::ask(&addresses).await;
                self.note(healths)?;
            }
            self.view.show(&self.rows());
        }
        Ok(())
    }

    /// Stops all nodes and waits for them; a second Ctrl-C does not wait.
    pub(super) async fn stop(&mut self) {
        self.view.event("Stopping the nodes.");
        self.view.show(&self.rows());
        for process in &mut self.processes {
            process.ask_to_stop();
        }
        let deadline = Instant::now() + FAREWELL;
        let mut stops = Stops::new().ok();
        while self.processes.iter_mut().any(|process| {
            process.ended();
            process.process_id().is_some()
        }) {
            if Instant::now() >= deadline {
                break;
            }
            let Some(stops) = &mut stops else {
                sleep(LOOK).await;
                continue;
            };
            tokio::select! {
                () = stops.next() => break,
                () = sleep(LOOK) => {}
            }
        }
        for process in &mut self.processes {
            process.kill();
        }
    }

    fn look_at(&mut self, place: usize) -> Outcome<()> {
        if let Some(end) = self.processes[place].ended() {
            self.healths[place] = None;
            self.mourn(place, &end)?;
        }
        if self.processes[place].is_due() {
            self.start(place)?;
        }
        Ok(())
    }

    fn start(&mut self, place: usize) -> Outcome<()> {
        let words = self.words(place)?;
        let process = &mut self.processes[place];
        process.start(&words).map_err(|error| {
            Failure::new(
                Exit::Broken,
                format!(
                    "{} cannot be started: {error}. Its log would be {}.",
                    process.name,
                    process.log_file().display()
                ),
            )
        })?;
        let id = process.process_id().unwrap_or_default();
        let event = format!("{} is started as process {id}.", process.name);
        self.view.event(&event);
        Ok(())
    }

    /// The words of `archipel node` for one node.
    fn words(&mut self, place: usize) -> Outcome<Vec<String>> {
        let name = self.processes[place].name.clone();
        let others = (0..self.processes.len()).filter(|other| *other != place);
        let addresses: Vec<String> = others.clone().map(|other| self.address(other)).collect();
        let peers: Vec<String> = others
            .map(|other| format!("{}={}", self.processes[other].name, self.address(other)))
            .collect();
        let mut words = vec![
            format!("--name={name}"),
            format!("--port={}", self.port(place)),
            format!("--dir={}", self.folder.data_of(&name).display()),
            format!("--cluster-token={}", self.folder.token()),
            format!("--system={}", self.folder.system()),
            "--stop-with-stdin".to_owned(),
        ];
        if let Some(port) = ports::beanstalkd(self.folder.system(), self.port(place)) {
            words.push(format!("--beanstalkd-address=127.0.0.1:{port}"));
        }
        if !peers.is_empty() {
            words.push(format!("--peers={}", peers.join(",")));
        }
        if self.folder.is_founded(&name) && self.is_empty(&name) {
            let event =
                format!("{name} has no data any more; it gets it from the others as a new member.");
            self.view.event(&event);
            self.folder.note_joining(&name, true)?;
        }
        if self.folder.is_joining(&name) {
            words.push(format!("--join={}", addresses.join(",")));
        }
        words.extend(self.node_options.iter().cloned());
        Ok(words)
    }

    /// Says that a node has ended, and sees whether it can be started again.
    fn mourn(&mut self, place: usize, end: &End) -> Outcome<()> {
        let process = &self.processes[place];
        let name = process.name.clone();
        let words = end.words.clone().unwrap_or_default();
        let was_well = self.folder.is_founded(&name);
        if end.code == Some(Exit::Usage as i32) && !was_well {
            return Err(Failure::usage(format!("{name} cannot start. {words}")));
        }
        if end.code == Some(Exit::Damaged as i32) {
            return self.repair(&name, &words);
        }
        let event = format!(
            "{name} (process {}) has ended: {}. {words} It is started again in {:.1} s.",
            end.process_id,
            end.how,
            end.pause.as_secs_f32()
        );
        self.view.event(&event.replace("  ", " "));
        Ok(())
    }

    /// Puts damaged data aside: the node comes back as a new member and gets it from the others.
    fn repair(&mut self, name: &str, words: &str) -> Outcome<()> {
        if self.processes.len() == 1 {
            return Err(Failure::new(Exit::Damaged, format!("{name} cannot start. {words}")));
        }
        let aside = self.folder.put_aside(name).map_err(|error| {
            Failure::new(
                Exit::Damaged,
                format!("{words} The damaged data cannot be put aside either: {error}."),
            )
        })?;
        self.folder.note_founded(name)?;
        self.check_data()?;
        let event =
            format!("{words} `up` does this now; the damaged data is in {}.", aside.display());
        self.view.event(&event);
        Ok(())
    }

    /// Takes in what the nodes say of themselves.
    fn note(&mut self, healths: Vec<Option<Health>>) -> Outcome<()> {
        for (place, health) in healths.iter().enumerate() {
            let process = &self.processes[place];
            let own = process.process_id().map(u64::from);
            let Some(health) = health.as_ref().filter(|it| Some(it.process_id) == own) else {
                continue;
            };
            self.folder.note_founded(&process.name)?;
            if health.is_voter && self.folder.is_joining(&process.name) {
                self.folder.note_joining(&process.name, false)?;
                self.view.event(&format!("{} is back as a full member.", process.name));
            }
        }
        let leader = healths
            .iter()
            .zip(&self.processes)
            .filter_map(|(health, process)| Some((health.as_ref()?, process)))
            .filter(|(health, _)| health.role == "leader")
            .max_by_key(|(health, _)| health.term)
            .map(|(health, process)| (process.name.clone(), health.term));
        self.healths = healths;
        if leader != self.leader {
            let event = match &leader {
                Some((name, term)) => format!("{name} leads, in term {term}."),
                None => "There is no leader at the moment.".to_owned(),
            };
            self.view.event(&event);
            self.leader = leader;
        }
        Ok(())
    }

    fn rows(&self) -> Vec<Row> {
        self.processes
            .iter()
            .zip(&self.healths)
            .enumerate()
            .map(|(place, (process, health))| Row {
                name: process.name.clone(),
                address: self.address(place),
                process_id: process.process_id(),
                health: health.clone(),
            })
            .collect()
    }

    fn port(&self, place: usize) -> u16 {
        self.folder.port() + u16::try_from(place).expect("a cluster has five nodes at most")
    }

    fn address(&self, place: usize) -> String {
        format!("127.0.0.1:{}", self.port(place))
    }

    /// True if nobody lives in the folder of `name`.
    fn is_empty(&self, name: &str) -> bool {
        host::peek(&self.folder.data_of(name)).is_ok_and(|lives| lives.is_none())
    }
}

/// The signals that ask to stop.
struct Stops {
    signals: [Signal; 3],
}

impl Stops {
    fn new() -> Outcome<Self> {
        let hear = |kind| {
            signal(kind).map_err(|error| {
                Failure::new(Exit::Broken, format!("Signals cannot be received: {error}."))
            })
        };
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let [interrupt, terminate, hang_up] = kinds.map(hear);
        Ok(Self { signals: [interrupt?, terminate?, hang_up?] })
    }

    async fn next(&mut self) {
        let [interrupt, terminate, hang_up] = &mut self.signals;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
    }
}
