//! Carries out what a script says.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    time::Duration,
};

use archipel_raft::{Change, Request};
use kernel::{
    ClientId, FetchOutcome, HardState, Index, Input, Member, Membership, Node, NodeId, Role,
    Session, Stamp, StorageFault, Term,
};

use crate::{
    cluster::Cluster,
    disk::Disk,
    machine::Part,
    network::Filter,
    print,
    verbs::{Numbers, Verb},
};

type Done = Result<(), Box<dyn Error>>;

/// More rounds of deliveries than this are a loop.
const ROUNDS_MAX: usize = 1_000;

/// Runs one script over one cluster.
#[derive(Debug, Default)]
pub(crate) struct Runner {
    cluster: Cluster,
}

impl goldenscript::Runner for Runner {
    type Command = Verb;

    fn run(&mut self, verb: &Verb, _: &goldenscript::Context) -> Result<String, Box<dyn Error>> {
        self.cluster.out.clear();
        self.cluster.is_quiet = false;
        match verb {
            Verb::Cluster { .. }
            | Verb::Config(_)
            | Verb::ShowFlushes
            | Verb::Join(_)
            | Verb::Disk { .. }
            | Verb::Start(_)
            | Verb::Crash(_)
            | Verb::Restart { .. } => self.run_life(verb)?,
            Verb::Timeout(_)
            | Verb::Campaign(_)
            | Verb::Elect(_)
            | Verb::Advance { .. }
            | Verb::Lapse { .. }
            | Verb::Run(_) => self.run_time(verb)?,
            Verb::Deliver { .. }
            | Verb::Stabilize
            | Verb::Drop { .. }
            | Verb::Hold { .. }
            | Verb::Release(_)
            | Verb::Partition(_)
            | Verb::Cut { .. }
            | Verb::Heal
            | Verb::Snapshot { .. } => self.run_network(verb)?,
            Verb::Slow { .. }
            | Verb::Fast { .. }
            | Verb::Durable { .. }
            | Verb::Apply(_)
            | Verb::Fetch { .. }
            | Verb::Flush(_)
            | Verb::Fault { .. }
            | Verb::Unreachable { .. }
            | Verb::Expire { .. } => self.run_parts(verb)?,
            Verb::Put { .. }
            | Verb::Fill { .. }
            | Verb::Large { .. }
            | Verb::Read { .. }
            | Verb::Add { .. }
            | Verb::Promote { .. }
            | Verb::Remove { .. }
            | Verb::Voters { .. }
            | Verb::Transfer { .. }
            | Verb::Together { .. } => self.run_request(verb)?,
            Verb::Status(_) | Verb::Log(_) | Verb::Peers(_) | Verb::State(_) | Verb::Gate(_) => {
                self.run_question(verb)?;
            }
        }
        Ok(std::mem::take(&mut self.cluster.out))
    }
}

fn member(node: u64) -> (NodeId, Member) {
    (NodeId(node), Member { name: format!("node{node}"), ..Member::default() })
}

impl Runner {
    /// The nodes that are meant; all that run if none is named.
    fn meant(&self, nodes: &[u64]) -> Vec<NodeId> {
        if nodes.is_empty() {
            return self.cluster.running();
        }
        nodes.iter().copied().map(NodeId).collect()
    }

    fn run_life(&mut self, verb: &Verb) -> Done {
        match verb {
            Verb::Cluster { voters, learners, start } => {
                let all = 1..=voters + learners;
                let mut membership = Membership::of_voters((1..=*voters).map(member).collect());
                membership.members = all.clone().map(member).collect();
                membership.learners = (voters + 1..=voters + learners).map(NodeId).collect();
                for node in all {
                    self.cluster.add(NodeId(node), membership.clone());
                    if start.unwrap_or(true) {
                        self.cluster.start(NodeId(node), None)?;
                    }
                }
            }
            Verb::Config(settings) => {
                for (name, value) in settings {
                    self.configure(name, *value)?;
                }
            }
            Verb::ShowFlushes => self.cluster.shows_flushes = true,
            Verb::Join(node) => {
                self.cluster.add(NodeId(*node), Membership::default());
                self.cluster.start(NodeId(*node), None)?;
            }
            Verb::Disk { node, log, term, vote, commit } => {
                let hard =
                    HardState { term: Term(*term), vote: vote.map(NodeId), commit: Index(*commit) };
                self.cluster.machine(NodeId(*node))?.disk.prepare_log(&log.0, hard);
            }
            Verb::Start(nodes) => {
                for node in nodes {
                    self.cluster.start(NodeId(*node), None)?;
                }
            }
            Verb::Crash(nodes) => {
                for node in nodes {
                    self.cluster.machine(NodeId(*node))?.crash();
                    self.cluster.line(&format!("{node} crashes"));
                }
            }
            Verb::Restart { node, lose, empty, uncertain } => {
                let machine = self.cluster.machine(NodeId(*node))?;
                machine.crash();
                if *empty {
                    machine.disk = Disk::new(machine.disk.durable_image().membership);
                }
                if let Some(from) = lose {
                    machine.lose(Index(*from));
                }
                self.cluster.start(NodeId(*node), uncertain.as_ref().map(|id| id.0))?;
            }
            _ => unreachable!("a verb of life"),
        }
        Ok(())
    }

    fn configure(&mut self, name: &str, value: u64) -> Done {
        let config = &mut self.cluster.config;
        match name {
            "cache" => config.cache_bytes = value,
            "retain" => config.retain_bytes = value,
            "batch" => config.batch_bytes_max = value,
            "window" => config.window_bytes = value,
            "entry" => config.entry_bytes_max = value,
            "waiting" => config.waiting_bytes_max = value,
            "behind" => config.promote_behind_max = value,
            "request" => config.request_timeout = Duration::from_millis(value),
            "stall" => config.disk_stall = Duration::from_millis(value),
            _ => return Err(format!("there is no setting {name}").into()),
        }
        Ok(())
    }

    fn run_time(&mut self, verb: &Verb) -> Done {
        match verb {
            Verb::Timeout(nodes) => {
                for node in nodes {
                    self.time_out(NodeId(*node))?;
                }
            }
            Verb::Campaign(node) => self.campaign(NodeId(*node))?,
            Verb::Elect(node) => {
                self.campaign(NodeId(*node))?;
                self.stabilize()?;
                self.time_out(NodeId(*node))?;
                self.stabilize()?;
            }
            Verb::Advance { milliseconds, nodes } => {
                let nodes = self.meant(nodes);
                self.pass(&nodes, *milliseconds, false)?;
            }
            Verb::Lapse { milliseconds, nodes } => {
                for node in self.meant(nodes) {
                    let machine = self.cluster.machine(node)?;
                    machine.clock = machine.clock.after(Duration::from_millis(*milliseconds));
                }
            }
            Verb::Run(milliseconds) => {
                self.cluster.is_quiet = true;
                self.stabilize()?;
                let nodes = self.cluster.running();
                self.pass(&nodes, *milliseconds, true)?;
            }
            _ => unreachable!("a verb of time"),
        }
        Ok(())
    }

    fn time_out(&mut self, node: NodeId) -> Done {
        let deadline =
            self.cluster.machine(node)?.deadline().ok_or("the node waits for nothing")?;
        self.cluster.set_clock(node, deadline);
        self.cluster.give(node, format!("{node} timeout"), vec![Input::Timeout])?;
        Ok(())
    }

    /// Nobody hears from a leader any more, and the node's election timeout comes first.
    fn campaign(&mut self, node: NodeId) -> Done {
        let wait = self.cluster.config.election_min;
        for other in self.cluster.running().into_iter().filter(|other| *other != node) {
            let lapsed = self.cluster.machine(other)?.heard.after(wait);
            self.cluster.set_clock(other, lapsed);
        }
        self.stand(node)
    }

    /// Times out until the node stands for election.
    fn stand(&mut self, node: NodeId) -> Done {
        for _ in 0..10 {
            self.time_out(node)?;
            if self.cluster.raft(node)?.role() != Role::Follower {
                return Ok(());
            }
        }
        Err(format!("node {node} does not stand for election").into())
    }

    /// Time passes at `nodes`, together; deadlines come in order.
    fn pass(&mut self, nodes: &[NodeId], milliseconds: u64, delivers: bool) -> Done {
        let wait = Duration::from_millis(milliseconds);
        let mut starts = BTreeMap::new();
        for node in nodes {
            starts.insert(*node, self.cluster.machine(*node)?.clock);
        }
        loop {
            let due = starts.iter().filter_map(|(node, start)| {
                let deadline = self.cluster.nodes[node].deadline()?;
                Some((deadline.since(*start), *node))
            });
            let next = due.min().filter(|(offset, _)| *offset <= wait);
            let offset = next.map_or(wait, |(offset, _)| offset);
            for (node, start) in &starts {
                self.cluster.set_clock(*node, start.after(offset));
            }
            let Some((offset, node)) = next else {
                return Ok(());
            };
            let header = format!("{node} timeout, +{} ms", offset.as_millis());
            self.cluster.give(node, header, vec![Input::Timeout])?;
            if delivers {
                self.stabilize()?;
            }
        }
    }

    fn stabilize(&mut self) -> Done {
        for _ in 0..ROUNDS_MAX {
            let packets = self.cluster.network.take(&Filter::default());
            if packets.is_empty() {
                return Ok(());
            }
            self.cluster.deliver(packets)?;
        }
        Err("messages do not come to rest".into())
    }

    fn run_network(&mut self, verb: &Verb) -> Done {
        match verb {
            Verb::Deliver { from, to, kind, count } => {
                let filter = Filter { from: *from, to: *to, kind: kind.clone(), count: *count };
                let packets = self.cluster.network.take(&filter);
                if packets.is_empty() {
                    return Err("no such message is on its way".into());
                }
                self.cluster.deliver(packets)?;
            }
            Verb::Stabilize => self.stabilize()?,
            Verb::Drop { from, to, kind, count } => {
                let filter = Filter { from: *from, to: *to, kind: kind.clone(), count: *count };
                for packet in self.cluster.network.take(&filter) {
                    let text = print::message(&packet.message);
                    self.cluster
                        .line(&format!("{} → {} {text} (lost)", packet.from.node, packet.to));
                }
            }
            Verb::Hold { name, from, to, kind, count, copy } => {
                let filter = Filter { from: *from, to: *to, kind: kind.clone(), count: *count };
                for packet in self.cluster.network.hold(name, &filter, *copy) {
                    let text = print::message(&packet.message);
                    self.cluster
                        .line(&format!("{} → {} {text} (held)", packet.from.node, packet.to));
                }
            }
            Verb::Release(name) => {
                for packet in self.cluster.network.release(name) {
                    let text = print::message(&packet.message);
                    self.cluster
                        .line(&format!("{} → {} {text} (late)", packet.from.node, packet.to));
                }
            }
            Verb::Partition(groups) => self.partition(groups),
            Verb::Cut { from, to, oneway } => {
                self.cluster.network.cut(NodeId(*from), NodeId(*to));
                if !oneway {
                    self.cluster.network.cut(NodeId(*to), NodeId(*from));
                }
            }
            Verb::Heal => self.cluster.network.heal(),
            Verb::Snapshot { from, to, outcome } => {
                let breaks = outcome.as_deref() == Some("broken");
                self.cluster.deliver_snapshot(NodeId(*from), NodeId(*to), breaks)?;
            }
            _ => unreachable!("a verb of the network"),
        }
        Ok(())
    }

    fn partition(&mut self, groups: &[Numbers]) {
        for (place, group) in groups.iter().enumerate() {
            for other in groups.iter().enumerate().filter(|(at, _)| *at != place) {
                for (from, to) in
                    group.0.iter().flat_map(|from| other.1.0.iter().map(move |to| (from, to)))
                {
                    self.cluster.network.cut(NodeId(*from), NodeId(*to));
                }
            }
        }
    }

    fn run_parts(&mut self, verb: &Verb) -> Done {
        let cluster = &mut self.cluster;
        match verb {
            Verb::Slow { node, part } => {
                cluster.machine(NodeId(*node))?.slow.insert(part_named(part)?);
            }
            Verb::Fast { node, part } => {
                cluster.machine(NodeId(*node))?.slow.remove(&part_named(part)?);
                cluster.give(NodeId(*node), format!("{node} goes on"), vec![])?;
            }
            Verb::Durable { node, through } => cluster.durable(NodeId(*node), *through)?,
            Verb::Apply(node) => cluster.apply(NodeId(*node))?,
            Verb::Fetch { node, outcome } => {
                let outcome = match outcome.as_deref() {
                    None | Some("ok") => None,
                    Some("failed") => Some(FetchOutcome::Failed),
                    Some("compacted") => Some(FetchOutcome::Compacted),
                    Some(other) => return Err(format!("there is no outcome {other}").into()),
                };
                cluster.fetched(NodeId(*node), outcome)?;
            }
            Verb::Flush(node) => cluster.flush(NodeId(*node))?,
            Verb::Fault { node, fault } => {
                let named = match fault.as_str() {
                    "poisoned" => StorageFault::Poisoned,
                    "full" => StorageFault::Full,
                    "roomy" => StorageFault::Roomy,
                    other => return Err(format!("there is no fault {other}").into()),
                };
                let header = format!("{node} disk {fault}");
                cluster.give(NodeId(*node), header, vec![Input::Storage(named)])?;
            }
            Verb::Unreachable { node, peer } => {
                let header = format!("{node} cannot reach {peer}");
                let input = Input::Unreachable { peer: NodeId(*peer) };
                cluster.give(NodeId(*node), header, vec![input])?;
            }
            Verb::Expire { node, milliseconds } => {
                let applier = &mut cluster.machine(NodeId(*node))?.applier;
                applier.next_deadline = Some(Stamp(milliseconds * 1_000_000));
                let input = Input::Applied {
                    index: applier.tables.last.index,
                    durable: applier.flushed,
                    next_deadline: applier.next_deadline,
                };
                let header = format!("{node} has something to expire at {milliseconds} ms");
                cluster.give(NodeId(*node), header, vec![input])?;
            }
            _ => unreachable!("a verb of a node's parts"),
        }
        Ok(())
    }

    fn run_request(&mut self, verb: &Verb) -> Done {
        match verb {
            Verb::Put { node, commands, session } => {
                let session = match session.0.as_slice() {
                    [] => None,
                    [client, serial] => {
                        Some(Session { client: ClientId(u128::from(*client)), serial: *serial })
                    }
                    _ => return Err("a session is a client and a serial, 7-1".into()),
                };
                let put = |command: &String| Request::Command {
                    data: command.clone().into_bytes().into(),
                    session,
                };
                let asked = commands.iter().map(|command| (command.clone(), put(command)));
                self.ask(*node, asked.collect())
            }
            Verb::Fill { node, count } => {
                let asked = (1..=*count).map(|number| {
                    let mut data = format!("big{number}").into_bytes();
                    data.resize(1024 * 1024, 0);
                    (format!("big{number}"), Request::Command { data: data.into(), session: None })
                });
                self.ask(*node, asked.collect())
            }
            Verb::Large { node, bytes } => {
                let data = vec![b'x'; *bytes];
                let request = Request::Command { data: data.into(), session: None };
                self.ask(*node, vec![(format!("{bytes} bytes"), request)])
            }
            Verb::Read { node, count } => {
                let reads = (0..count.unwrap_or(1)).map(|_| ("read".into(), Request::Read));
                self.ask(*node, reads.collect())
            }
            Verb::Add { node, learner, name } => {
                let (id, mut member) = member(*learner);
                member.name = name.clone().unwrap_or(member.name);
                let change = Change::AddLearner { node: id, member };
                self.change(*node, format!("add {learner}"), change)
            }
            Verb::Promote { node, learner, replacing } => {
                let replacing = replacing.map(NodeId);
                let text = replacing.map_or_else(String::new, |old| format!(" replacing {old}"));
                let change = Change::Promote { node: NodeId(*learner), replacing };
                self.change(*node, format!("promote {learner}{text}"), change)
            }
            Verb::Remove { node, member } => {
                let change = Change::Remove { node: NodeId(*member) };
                self.change(*node, format!("remove {member}"), change)
            }
            Verb::Voters { node, voters } => {
                let wanted: BTreeSet<NodeId> = voters.iter().copied().map(NodeId).collect();
                let text = print::list(voters, |voter| voter.to_string());
                self.change(*node, format!("voters {text}"), Change::SetVoters(wanted))
            }
            Verb::Transfer { node, to } => {
                let request = Request::Transfer { to: to.map(NodeId) };
                let text = to.map_or_else(String::new, |to| format!(" to {to}"));
                self.ask(*node, vec![(format!("transfer{text}"), request)])
            }
            Verb::Together { node, requests } => {
                let asked: Result<Vec<_>, _> = requests.iter().map(|word| named(word)).collect();
                self.ask(*node, asked?)
            }
            _ => unreachable!("a verb of requests"),
        }
    }

    fn change(&mut self, node: u64, text: String, change: Change) -> Done {
        self.ask(node, vec![(text, Request::Change(change))])
    }

    fn ask(&mut self, node: u64, asked: Vec<(String, Request)>) -> Done {
        let mut words = Vec::new();
        let mut inputs = Vec::new();
        for (text, request) in asked {
            let ticket = self.cluster.ticket();
            words.push(format!("t{ticket}:{text}"));
            inputs.push(Input::Request { ticket, request, wall_ms: 0 });
        }
        self.cluster.give(NodeId(node), format!("{node} is asked {}", words.join(" ")), inputs)?;
        Ok(())
    }

    fn run_question(&mut self, verb: &Verb) -> Done {
        match verb {
            Verb::Status(nodes) => {
                for node in self.meant(nodes) {
                    self.print_status(node)?;
                }
            }
            Verb::Log(nodes) => {
                for node in self.meant(nodes) {
                    self.print_log(node)?;
                }
            }
            Verb::Peers(node) => {
                for (peer, known) in self.cluster.raft(NodeId(*node))?.status().peers {
                    let heard = if known.recently_active { "" } else { ", silent" };
                    let (matched, next, state) = (known.matched, known.next, known.state);
                    self.cluster
                        .line(&format!("{peer}: {state}, matched {matched}, next {next}{heard}"));
                }
            }
            Verb::State(nodes) => {
                for node in self.meant(nodes) {
                    let commands = &self.cluster.machine(node)?.applier.tables.commands;
                    let text = print::list(commands, Clone::clone);
                    self.cluster.line(format!("{node}: {text}").trim_end());
                }
            }
            Verb::Gate(node) => {
                let gate = self.cluster.machine(NodeId(*node))?.gate.clone();
                for (after, to, message) in gate {
                    self.cluster
                        .line(&format!("→ {to} {} (once #{after})", print::message(&message)));
                }
            }
            _ => unreachable!("a question"),
        }
        Ok(())
    }

    fn print_status(&mut self, node: NodeId) -> Done {
        let status = self.cluster.raft(node)?.status();
        let leader = match (status.role, status.leader) {
            (Role::Follower, Some(leader)) => format!(" of {leader}"),
            _ => String::new(),
        };
        let flag =
            |holds: bool, word: &str| if holds { format!(", {word}") } else { String::new() };
        self.cluster.line(&format!(
            "{node}: {}{leader} in term {}, log {} to {}, durable {}, commit {}, applied {}{}{}",
            status.role.name(),
            status.term,
            status.base,
            status.last,
            status.durable,
            status.commit,
            status.applied,
            flag(status.uncertain, "uncertain"),
            flag(status.disk_full, "disk full"),
        ));
        Ok(())
    }

    fn print_log(&mut self, node: NodeId) -> Done {
        let disk = &self.cluster.machine(node)?.disk;
        let (durable, full) = (disk.durable_image(), disk.full_image());
        let base = if full.base.index.0 == 0 { String::new() } else { format!("[{}] ", full.base) };
        let (kept, new): (Vec<_>, Vec<_>) =
            full.entries.into_iter().partition(|entry| durable.entries.contains(entry));
        let new =
            if new.is_empty() { String::new() } else { format!(" | {}", print::entries(&new)) };
        let line = format!("{node}: {base}{}{new}", print::entries(&kept));
        self.cluster.line(line.trim_end());
        Ok(())
    }
}

fn part_named(name: &str) -> Result<Part, String> {
    match name {
        "disk" => Ok(Part::Disk),
        "applier" => Ok(Part::Applier),
        "reader" => Ok(Part::Reader),
        other => Err(format!("there is no part {other}")),
    }
}

/// A request by a word: `put-a`, `read`, `transfer-2`, `remove-3`.
fn named(word: &str) -> Result<(String, Request), String> {
    let (verb, object) = word.split_once('-').unwrap_or((word, ""));
    let node = || object.parse().map(NodeId).map_err(|_| format!("{word} names no node"));
    let request = match verb {
        "put" => Request::Command { data: object.to_owned().into_bytes().into(), session: None },
        "read" => Request::Read,
        "transfer" if object.is_empty() => Request::Transfer { to: None },
        "transfer" => Request::Transfer { to: Some(node()?) },
        "remove" => Request::Change(Change::Remove { node: node()? }),
        other => return Err(format!("there is no request {other}")),
    };
    Ok((word.replace('-', " "), request))
}
