//! One seed from its beginning to its verdict.

use alloc::{boxed::Box, format, string::String, vec::Vec};
use core::fmt::Write;

use kernel::NodeId;

use crate::{
    composition::Composition,
    computer::Computer,
    counters::Counters,
    finding::Finding,
    happening::{Happening, Witness},
    life::Life,
    mishap::describe,
    settings::Settings,
    workload::{Judgement, Stage, Workload},
    world::World,
};

/// How long clients go on as before once everything is healed: longer than any request may take, so
/// that what was under way has ended.
const SETTLE_NS: u64 = 4_000_000_000;

/// How long clients that are asked to slow down think between operations.
const LEISURE_NS: u64 = 200_000_000;

/// What a run without a finding did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// A hash over all events: equal for equal runs.
    pub hash: u64,
    /// What was exercised.
    pub counters: Counters,
    /// True if the history could not be judged within bounds.
    pub undecided: bool,
}

/// Runs a world to its end: chaos, healing, progress, verdict. `witness`, if there is one, sees what
/// happens.
///
/// # Errors
/// The first [`Finding`].
///
/// # Panics
/// If a node or a part of it breaks an invariant that it asserts.
pub fn run<C: Composition>(
    composition: C,
    settings: Settings,
    witness: Option<Box<dyn Witness>>,
) -> Result<Report, Finding> {
    World::new(composition, settings, witness).run()
}

impl<C: Composition> World<C> {
    /// Runs the world to its end. What it did until a finding, or a panic, can still be read off it
    /// afterwards.
    ///
    /// # Errors
    /// The first [`Finding`].
    ///
    /// # Panics
    /// If a node or a part of it breaks an invariant that it asserts.
    pub fn run(&mut self) -> Result<Report, Finding> {
        let result = self.live();
        if let Err(finding) = &result {
            self.found(finding);
        }
        result
    }

    /// Tells the witness what was found. Whoever catches a panic of [`World::run`] does it.
    pub fn found(&mut self, finding: &Finding) {
        let was_ns = self.was_wrong_ns.unwrap_or(self.now_ns);
        self.tell(|_| Happening::Found { finding: finding.clone(), was_ns });
    }

    fn live(&mut self) -> Result<Report, Finding> {
        while self.now_ns < self.settings.chaos_ns {
            self.step()?;
        }
        self.heal()?;
        let settled_ns = self.now_ns + SETTLE_NS;
        while self.now_ns < settled_ns {
            self.step()?;
        }
        self.expect_order()?;
        self.expect_agreement()?;
        if self.settings.has_minority_trial {
            self.try_minority()?;
            self.expect_order()?;
        }
        self.try_handovers()?;
        self.expect_order()?;
        self.get_done(Stage::Service)?;
        self.get_done(Stage::Drain)?;
        self.conclude()
    }

    /// All that is on the agenda must be done in time.
    fn get_done(&mut self, stage: Stage) -> Result<(), Finding> {
        let late_ns = self.now_ns + self.settings.progress_ns_max;
        self.set_agenda(stage);
        while !self.is_finished() {
            if stage == Stage::Drain && self.now_ns >= late_ns {
                // What never ends may be what was broken: then that is to be told.
                self.judge(false)?;
            }
            self.step_before(late_ns, "not everything gets done, or not everybody agrees")?;
        }
        Ok(())
    }

    /// Lets the next thing happen, unless it is too late for what should have happened by now.
    pub(crate) fn step_before(&mut self, late_ns: u64, what: &str) -> Result<(), Finding> {
        if self.now_ns < late_ns {
            return self.step();
        }
        Err(Finding::Liveness(format!("{what}{}", self.described())))
    }

    /// For people: what clients and nodes are at.
    pub(crate) fn described(&self) -> String {
        let mut text = String::new();
        for doing in self.crowd.doing() {
            let _ = write!(text, "\n  {doing}");
        }
        let computers: Vec<&Computer<C>> = self.computers.iter().collect();
        text + &describe(&computers)
    }

    /// Somebody leads, all members follow and know who is one, no change is half done, and whoever was
    /// lost has been replaced.
    fn expect_order(&mut self) -> Result<(), Finding> {
        let patience_ns = self.settings.progress_ns_max;
        let late_ns = self.now_ns + patience_ns;
        while !self.is_in_order() {
            // Where clients write as fast as members can take it, a successor never catches up.
            if self.now_ns > late_ns - patience_ns / 2 && self.lost_member().is_some() {
                let clients = &mut self.settings.clients;
                clients.think_ns = clients.think_ns.max(LEISURE_NS);
            }
            let what =
                "nobody leads, a member does not follow, a change does not end or a loss stays";
            self.step_before(late_ns, what)?;
        }
        Ok(())
    }

    /// While nobody asks anything, every member gets to where the leader is, even one that finds its disk
    /// rotten. It comes before leadership is moved, which could hide that a member is stuck.
    fn expect_agreement(&mut self) -> Result<(), Finding> {
        self.let_clients_end()?;
        if self.settings.mishaps.rot > 0 {
            self.rot();
        }
        let late_ns = self.now_ns + self.settings.progress_ns_max;
        while !self.is_finished() {
            self.step_before(late_ns, "a member never catches up")?;
        }
        self.let_clients_go_on();
        Ok(())
    }

    fn is_in_order(&self) -> bool {
        let Some(leader) = self.latest_leader().and_then(|leader| self.life(leader)) else {
            return false;
        };
        let follows = |node: &NodeId| {
            let knows = |life: &Life<C>| {
                life.term == leader.term
                    && life.membership == leader.membership
                    && (*node == leader.me.node || life.leader == Some(leader.me.node))
            };
            self.life(*node).is_some_and(knows)
        };
        !leader.membership.is_joint()
            && self.lost_member().is_none()
            && self.members().iter().all(follows)
    }

    /// Each member has to do once more whatever clients can ask of it.
    pub(crate) fn set_agenda(&mut self, stage: Stage) {
        let agenda = self.crowd.workload.agenda(&self.members(), stage);
        self.crowd.agenda = Some(agenda);
        for client in 0..self.crowd.len() {
            if self.crowd.is_free(client) {
                self.plan_ask(client);
            }
        }
    }

    /// The members according to the latest leader, but for those whose disk is lost; on trial, those
    /// who must do without the others.
    pub(crate) fn members(&self) -> Vec<NodeId> {
        if let Some(core) = &self.trial {
            return core.iter().copied().collect();
        }
        let leader = self.latest_leader().and_then(|node| self.life(node));
        let members =
            leader.map_or_else(Vec::new, |life| life.membership.members.keys().copied().collect());
        members.into_iter().filter(|node| !self.computers[*node].is_lost).collect()
    }

    /// Everything that was asked is done, and all members agree.
    fn is_finished(&self) -> bool {
        if !self.crowd.is_finished() {
            return false;
        }
        let Some(leader) = self.latest_leader().and_then(|node| self.life(node)) else {
            return false;
        };
        let applied = leader.applier.applied();
        let agrees = |node: &NodeId| {
            self.life(*node).is_some_and(|life| {
                life.applier.applied() == applied
                    && life.applier.digest() == leader.applier.digest()
                    && life.membership == leader.membership
            })
        };
        let mut lives = self.computers.iter().filter_map(Computer::life);
        applied.index.0 == self.oracle.committed_len()
            && !leader.membership.is_joint()
            && self.members().iter().all(agrees)
            && lives.all(|life| life.waiting.is_empty())
    }

    fn conclude(&mut self) -> Result<Report, Finding> {
        self.check_all()?;
        for life in self.computers.iter().filter_map(Computer::life) {
            self.hash.mix_wide(life.applier.digest());
        }
        let undecided = self.judge(true)?;
        self.hash.mix(self.crowd.workload.events());
        Ok(Report {
            seed: self.settings.seed,
            hash: self.hash(),
            counters: self.counters(),
            undecided,
        })
    }

    /// What clients were told keeps the promises; true if that could not be decided. `is_drained` if nothing is
    /// left to be done.
    fn judge(&mut self, is_drained: bool) -> Result<bool, Finding> {
        match self.crowd.workload.judge(self.oracle.terms(), is_drained) {
            Judgement::Broken { what, at_ns } => {
                self.was_wrong_ns = at_ns;
                Err(Finding::Safety(what))
            }
            judgement => Ok(judgement == Judgement::Undecided),
        }
    }
}
