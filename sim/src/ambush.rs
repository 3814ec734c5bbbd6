//! Mishaps that wait for their moment: what a node does next brings them on. Many mistakes need a crash
//! right after a vote was asked for, or a cut right when somebody has come to lead; at a random moment
//! that hardly ever happens.

use kernel::NodeId;

use crate::{
    composition::Composition, event::Event, finding::Finding, watch::Ends, weights::Mishap,
    world::World,
};

const MILLISECOND: u64 = 1_000_000;

/// What a node does that brings a mishap on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// It stands for election.
    Stands,
    /// It comes to lead.
    Leads,
    /// It hands something to its disk.
    Writes,
    /// It says that something is committed.
    Commits,
}

/// A mishap that waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ambush {
    trigger: Trigger,
    /// How often the node may do so before.
    spares: u64,
    mishap: Mishap,
}

const TRIGGERS: [Trigger; 6] = [
    Trigger::Stands,
    Trigger::Stands,
    Trigger::Leads,
    Trigger::Leads,
    Trigger::Writes,
    Trigger::Commits,
];

const MISHAPS: [Mishap; 11] = [
    Mishap::Crash,
    Mishap::Crash,
    Mishap::Crash,
    Mishap::Pause,
    Mishap::Isolate,
    Mishap::OneWay,
    Mishap::Stall,
    Mishap::Murk,
    Mishap::Transfer,
    Mishap::Change,
    Mishap::Burst,
];

impl<C: Composition> World<C> {
    /// Something lies in wait for each node.
    pub(crate) fn lay_ambushes(&mut self) {
        self.alive().into_iter().for_each(|node| self.lay_ambush(node));
    }

    /// The mishap comes as soon as the node does what it waits for.
    pub(crate) fn lie_in_wait(&mut self, node: NodeId, trigger: Trigger, mishap: Mishap) {
        self.computer(node).ambush = Some(Ambush { trigger, spares: 0, mishap });
    }

    fn lay_ambush(&mut self, node: NodeId) {
        let rng = &mut self.chances.mishaps;
        let trigger = *rng.pick(&TRIGGERS).expect("some triggers");
        let mishap = match *rng.pick(&MISHAPS).expect("some mishaps") {
            Mishap::Change | Mishap::Burst if !self.settings.may_change() => Mishap::Transfer,
            drawn => drawn,
        };
        let spares = if rng.chance(1, 2) { 0 } else { rng.below(4) };
        let text = format_args!("{mishap} when it {trigger:?}, after {spares}");
        self.fault("ambush laid", &[node], Ends::AtOnce, text);
        self.computer(node).ambush = Some(Ambush { trigger, spares, mishap });
    }

    /// The node does something that may bring a mishap on.
    pub(crate) fn spring(&mut self, node: NodeId, trigger: Trigger) {
        let Some(ambush) = &mut self.computer(node).ambush else {
            return;
        };
        if ambush.trigger != trigger {
            return;
        }
        if ambush.spares > 0 {
            ambush.spares -= 1;
            return;
        }
        let mishap = ambush.mishap;
        self.computer(node).ambush = None;
        self.counters.ambushes += 1;
        self.fault("ambush", &[node], Ends::AtOnce, format_args!("{mishap}"));
        let rng = &mut self.chances.mishaps;
        let wait_ns = if rng.chance(1, 2) { 0 } else { rng.below(3 * MILLISECOND) };
        self.queue.plan(self.now_ns + wait_ns, Event::Sprung { node, mishap });
    }

    /// The moment of a mishap has come that waited, or was one of several acts.
    pub(crate) fn sprung(&mut self, node: NodeId, mishap: Mishap) -> Result<(), Finding> {
        if self.is_healed || self.life(node).is_none() {
            return Ok(());
        }
        match mishap {
            // Half of those that are ready to vote for it, or to follow, answer late.
            Mishap::Crash => {
                let murk = self.chances.mishaps.chance(1, 2);
                if murk {
                    self.befall(Mishap::Murk, node)?;
                }
                self.crash(node);
                self.plan_start(node);
                Ok(())
            }
            // Whoever leads by now is cut off.
            Mishap::Isolate => {
                let leader = self.latest_leader().filter(|_| self.chances.mishaps.chance(1, 2));
                self.befall(Mishap::Isolate, leader.unwrap_or(node))
            }
            other => self.befall(other, node),
        }
    }
}
