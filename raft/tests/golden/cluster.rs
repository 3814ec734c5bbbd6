//! A cluster in one thread: carries out what nodes want, in their order, and prints it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use archipel_raft::{Body, Config, Message, Raft, Request};
use kernel::{
    Effect, EntryId, FetchOutcome, Generation, Index, Input, Instant, Membership, Node, NodeId,
    Peer, PersistNumber, Role, Term, Ticket, Wire,
};

use crate::{
    applier::{Tables, Task},
    disk::Disk,
    machine::{Fetching, Machine, Part},
    network::{Network, Packet},
    print,
};

/// More steps than this without rest are a loop.
const SETTLE_STEPS_MAX: usize = 10_000;

/// A snapshot on its way.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    pub(crate) from: Peer,
    pub(crate) to: NodeId,
    pub(crate) tables: Tables,
}

/// All nodes and the network between them.
#[derive(Debug, Default)]
pub(crate) struct Cluster {
    pub(crate) config: Config,
    pub(crate) nodes: BTreeMap<NodeId, Machine>,
    pub(crate) network: Network,
    pub(crate) streams: Vec<Stream>,
    pub(crate) tickets: u64,
    /// Print how far tables may be flushed.
    pub(crate) shows_flushes: bool,
    /// Print outcomes only.
    pub(crate) is_quiet: bool,
    pub(crate) out: String,
    /// Printed before the next line, if there is one.
    header: Option<String>,
    /// Requests that have not ended.
    open: BTreeSet<Ticket>,
    /// Requests that were refused: definitely not carried out.
    refused: BTreeSet<Ticket>,
    leaders: BTreeMap<Term, NodeId>,
    applied: BTreeMap<Index, EntryId>,
}

impl Cluster {
    pub(crate) fn add(&mut self, node: NodeId, membership: Membership) {
        let before = self.nodes.insert(node, Machine::new(node, Disk::new(membership)));
        assert!(before.is_none(), "node {node} is there already");
    }

    pub(crate) fn machine(&mut self, node: NodeId) -> Result<&mut Machine, String> {
        self.nodes.get_mut(&node).ok_or_else(|| format!("there is no node {node}"))
    }

    pub(crate) fn raft(&self, node: NodeId) -> Result<&Raft, String> {
        let machine = self.nodes.get(&node).ok_or_else(|| format!("there is no node {node}"))?;
        machine.raft.as_ref().ok_or_else(|| format!("node {node} is down"))
    }

    pub(crate) fn running(&self) -> Vec<NodeId> {
        let up = self.nodes.iter().filter(|(_, machine)| machine.raft.is_some());
        up.map(|(node, _)| *node).collect()
    }

    pub(crate) fn line(&mut self, line: &str) {
        if let Some(header) = self.header.take() {
            let _ = writeln!(self.out, "{header}");
        }
        let _ = writeln!(self.out, "{line}");
    }

    /// Something happens to a node: printed at once.
    fn headline(&mut self, header: String) {
        self.header = None;
        if !self.is_quiet {
            self.line(&header);
        }
    }

    /// Something happens to a node: printed if anything comes of it.
    fn quiet_headline(&mut self, header: String) {
        self.header = (!self.is_quiet).then_some(header);
    }

    fn effect_line(&mut self, node: NodeId, line: &str) {
        if self.is_quiet {
            self.line(&format!("{node} {line}"));
        } else {
            self.line(&format!("  {line}"));
        }
    }

    /// Gives a node an input that the script prints, and all that follows at once.
    pub(crate) fn give(
        &mut self,
        node: NodeId,
        header: String,
        inputs: Vec<Input<Message, Request>>,
    ) -> Result<(), String> {
        self.raft(node)?;
        self.headline(header);
        for input in inputs {
            self.step(node, input);
        }
        self.settle(node);
        self.header = None;
        Ok(())
    }

    /// Starts a node with what its disk holds.
    pub(crate) fn start(&mut self, node: NodeId, uncertain: Option<EntryId>) -> Result<(), String> {
        let config = self.config.clone();
        self.machine(node)?.start(&config, uncertain);
        self.headline(format!("{node} starts"));
        self.settle(node);
        Ok(())
    }

    /// One input, and its effects in their order.
    fn step(&mut self, node: NodeId, input: Input<Message, Request>) {
        let machine = self.nodes.get_mut(&node).expect("only nodes that are there are stepped");
        let Some(raft) = &mut machine.raft else {
            return;
        };
        let mut effects = Vec::new();
        raft.handle(machine.clock, input, &mut effects);
        raft.check();
        for effect in effects {
            self.carry_out(node, effect);
        }
        self.check_leader(node);
    }

    /// What happens by itself: noted work, fast disks, fast appliers.
    fn settle(&mut self, node: NodeId) {
        for _ in 0..SETTLE_STEPS_MAX {
            let machine = self.nodes.get_mut(&node).expect("only nodes that are there settle");
            if machine.raft.is_none() {
                return;
            }
            let is_fast = |part: Part| !machine.slow.contains(&part);
            let under_way = machine.disk.last_under_way().filter(|_| is_fast(Part::Disk));
            if machine.deadline().is_some_and(|at| at <= machine.clock) {
                self.step(node, Input::Timeout);
            } else if let Some(through) = under_way {
                self.quiet_headline(format!("{node} durable #{through}"));
                self.finish_writes(node, through, false);
            } else if !machine.applier.tasks.is_empty() && is_fast(Part::Applier) {
                self.quiet_headline(format!("{node} applied"));
                self.apply_next(node);
            } else if !machine.fetching.is_empty() && is_fast(Part::Reader) {
                self.quiet_headline(format!("{node} reads back"));
                self.read_back(node, None);
            } else {
                self.header = None;
                return;
            }
        }
        panic!("node {node} does not come to rest");
    }

    fn carry_out(&mut self, node: NodeId, effect: Effect<Message>) {
        let machine = self.nodes.get_mut(&node).expect("only nodes that are there do anything");
        let (finished, me) = (machine.disk.finished, machine.me);
        let mut line = print::effect(&effect, finished);
        let is_outcome = matches!(
            effect,
            Effect::Answer { .. }
                | Effect::Refused { .. }
                | Effect::Unknown { .. }
                | Effect::ReadReady { .. }
                | Effect::Members(_)
                | Effect::Role { .. }
                | Effect::Fault(_)
        );
        let is_hidden = matches!(effect, Effect::MayFlush { .. }) && !self.shows_flushes;
        match effect {
            Effect::Persist { number, records } => machine.disk.write(number, records),
            Effect::Send { to, message, after } if after > finished => {
                machine.gate.push_back((after, to, message));
            }
            Effect::Send { to, message, .. } => {
                if !self.network.send(Packet { from: me, to, message }) {
                    line += " (lost)";
                }
            }
            Effect::Apply { entries } => machine.applier.tasks.push_back(Task::Apply(entries)),
            Effect::MayFlush { through } => machine.applier.may_flush = through,
            Effect::InstallSnapshot { meta, generation } => {
                machine.applier.tasks.push_back(Task::Install { meta, generation });
            }
            Effect::Fetch { id, first, last, bytes_max } => {
                machine.fetching.push_back(Fetching { id, first, last, bytes_max });
            }
            Effect::SendSnapshot { to } => {
                let tables = machine.applier.tables.clone();
                self.streams.push(Stream { from: me, to, tables });
            }
            Effect::Answer { ticket, .. }
            | Effect::Unknown { ticket }
            | Effect::ReadReady { ticket, .. } => self.end(ticket),
            Effect::Refused { ticket, .. } => {
                self.end(ticket);
                self.refused.insert(ticket);
            }
            Effect::Members(_) | Effect::Role { .. } | Effect::Fault(_) => {}
        }
        if !is_hidden && (is_outcome || !self.is_quiet) {
            self.effect_line(node, &line);
        }
    }

    /// Makes writes durable: what waited for them leaves, and the node is told.
    pub(crate) fn finish_writes(&mut self, node: NodeId, through: PersistNumber, tells: bool) {
        let machine = self.nodes.get_mut(&node).expect("only nodes that are there write");
        machine.disk.finish(through);
        let (from, open) = (machine.me, machine.open_gate());
        for (to, message) in open {
            let line = format!("lets go → {to} {}", print::message(&message));
            let arrives = self.network.send(Packet { from, to, message });
            if tells && !self.is_quiet {
                self.effect_line(node, &format!("{line}{}", if arrives { "" } else { " (lost)" }));
            }
        }
        self.step(node, Input::Durable { through });
    }

    /// Writes of a slow disk become durable.
    pub(crate) fn durable(&mut self, node: NodeId, through: Option<u64>) -> Result<(), String> {
        let last = self.machine(node)?.disk.last_under_way();
        let through = through.map(PersistNumber).or(last).ok_or("nothing is being written")?;
        self.headline(format!("{node} durable #{through}"));
        self.finish_writes(node, through, true);
        self.settle(node);
        Ok(())
    }

    /// A slow applier does its next task.
    pub(crate) fn apply(&mut self, node: NodeId) -> Result<(), String> {
        if self.machine(node)?.applier.tasks.is_empty() {
            return Err("there is nothing to apply".into());
        }
        self.headline(format!("{node} applied"));
        self.apply_next(node);
        self.settle(node);
        Ok(())
    }

    fn apply_next(&mut self, node: NodeId) {
        let machine = self.nodes.get_mut(&node).expect("only nodes that are there apply");
        match machine.applier.tasks.pop_front().expect("there is a task") {
            Task::Apply(entries) => {
                let answers = machine.applier.apply(machine.me, &entries);
                for (ticket, id) in answers {
                    let waits = self.open.remove(&ticket);
                    let word = if waits { "" } else { ", and nobody waits" };
                    self.effect_line(node, &format!("t{ticket} done at {id}{word}"));
                }
                for entry in entries {
                    let origin = entry.origin().map(|origin| origin.ticket);
                    let is_refused = origin.is_some_and(|ticket| self.refused.contains(&ticket));
                    assert!(!is_refused, "what was refused is never carried out (B46)");
                    let id = entry.id();
                    let before = *self.applied.entry(id.index).or_insert(id);
                    assert_eq!(before, id, "the same is applied everywhere (figure 3)");
                }
                self.report_applied(node);
            }
            Task::Install { meta, generation } => {
                let tables = machine.disk.tables[&generation].clone();
                assert_eq!(tables.last, meta.last, "the tables are those of the snapshot");
                machine.applier.tables = tables;
                machine.applier.generation = generation;
                machine.applier.flushed = meta.last.index;
                self.step(node, Input::SnapshotInstalled { index: meta.last.index });
            }
        }
    }

    /// Tells the node how far the state machine is.
    pub(crate) fn report_applied(&mut self, node: NodeId) {
        let applier = &self.nodes[&node].applier;
        let input = Input::Applied {
            index: applier.tables.last.index,
            durable: applier.flushed,
            next_deadline: applier.next_deadline,
        };
        self.step(node, input);
    }

    /// Makes the tables durable as far as they have been applied, if they may be.
    pub(crate) fn flush(&mut self, node: NodeId) -> Result<(), String> {
        let applier = &mut self.machine(node)?.applier;
        let (last, may_flush) = (applier.tables.last.index, applier.may_flush);
        if last > may_flush {
            self.headline(format!("{node} has applied {last}, may flush only {may_flush}"));
            return Ok(());
        }
        applier.flushed = last;
        let (generation, tables) = (applier.generation, applier.tables.clone());
        self.machine(node)?.disk.tables.insert(generation, tables);
        self.headline(format!("{node} flushed through {last}"));
        self.report_applied(node);
        self.settle(node);
        Ok(())
    }

    /// Answers the first read back from the log, well or with the given outcome.
    pub(crate) fn read_back(&mut self, node: NodeId, outcome: Option<FetchOutcome>) {
        let machine = self.nodes.get_mut(&node).expect("only nodes that are there read back");
        let fetching = machine.fetching.pop_front().expect("there is a read under way");
        let outcome = outcome.unwrap_or_else(|| {
            let mut bytes = 0;
            let entries = machine.disk.full_image().entries.into_iter();
            let wanted =
                entries.filter(|entry| (fetching.first..=fetching.last).contains(&entry.index()));
            let fits = |entry: &kernel::Entry| {
                let is_first = bytes == 0;
                bytes += entry.size();
                is_first || bytes <= fetching.bytes_max
            };
            FetchOutcome::Entries(wanted.take_while(fits).collect())
        });
        let line = print::fetch_outcome(&outcome);
        if !self.is_quiet {
            self.effect_line(node, &line);
        }
        self.step(node, Input::Fetched { id: fetching.id, outcome });
    }

    /// The script answers a slow read.
    pub(crate) fn fetched(
        &mut self,
        node: NodeId,
        outcome: Option<FetchOutcome>,
    ) -> Result<(), String> {
        if self.machine(node)?.fetching.is_empty() {
            return Err("nothing is being read back".into());
        }
        self.headline(format!("{node} reads back"));
        self.read_back(node, outcome);
        self.settle(node);
        Ok(())
    }

    /// Delivers messages, each read from its bytes.
    pub(crate) fn deliver(&mut self, packets: Vec<Packet>) -> Result<(), String> {
        for Packet { from, to, message } in packets {
            let header = format!("{to} ← {} {}", from.node, print::message(&message));
            let is_up = self.nodes.get(&to).is_some_and(|machine| machine.raft.is_some());
            if !is_up {
                self.headline(format!("{header} (down)"));
                continue;
            }
            let read =
                Message::from_bytes(message.to_bytes()).map_err(|error| error.to_string())?;
            assert_eq!(read, message, "a message is read back as it was sent");
            if matches!(message.body, Body::Append { .. } | Body::Heartbeat { .. }) {
                let machine = self.machine(to)?;
                machine.heard = machine.clock;
            }
            self.give(to, header, vec![Input::Message { from, message: read }])?;
        }
        Ok(())
    }

    /// Takes the next ticket.
    pub(crate) fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        self.open.insert(Ticket(self.tickets));
        Ticket(self.tickets)
    }

    /// Consensus ends a request, which must not have ended before.
    fn end(&mut self, ticket: Ticket) {
        assert!(self.open.remove(&ticket), "t{ticket} ends once (B64)");
    }

    /// A snapshot arrives, or its stream breaks.
    pub(crate) fn deliver_snapshot(
        &mut self,
        from: NodeId,
        to: NodeId,
        breaks: bool,
    ) -> Result<(), String> {
        let place = self
            .streams
            .iter()
            .position(|stream| (stream.from.node, stream.to) == (from, to))
            .ok_or("there is no such stream")?;
        let stream = self.streams.remove(place);
        let meta = stream.tables.meta();
        if !breaks {
            self.raft(to)?;
            let machine = self.machine(to)?;
            let newest = machine.disk.tables.keys().next_back().copied().unwrap_or_default();
            let generation = Generation(newest.0 + 1);
            machine.disk.tables.insert(generation, stream.tables);
            let header = format!("{to} has received snapshot {} from {from}", meta.last);
            self.give(to, header, vec![Input::SnapshotReady { meta: meta.clone(), generation }])?;
        }
        let delivered = (!breaks).then_some(meta.last.index);
        let word = if breaks { "broke" } else { "arrived" };
        if self.nodes[&from].raft.is_some() && self.nodes[&from].me == stream.from {
            let header = format!("{from}'s snapshot for {to} {word}");
            self.give(from, header, vec![Input::SnapshotSent { to, delivered }])?;
        }
        Ok(())
    }

    /// At most one leader a term.
    fn check_leader(&mut self, node: NodeId) {
        let Some(raft) = &self.nodes[&node].raft else {
            return;
        };
        if raft.role() == Role::Leader {
            let leader = *self.leaders.entry(raft.status().term).or_insert(node);
            assert_eq!(leader, node, "a term has one leader (figure 3)");
        }
    }

    /// Moves a node's clock.
    pub(crate) fn set_clock(&mut self, node: NodeId, clock: Instant) {
        let machine = self.nodes.get_mut(&node).expect("only nodes that are there have clocks");
        machine.clock = machine.clock.max(clock);
    }
}
