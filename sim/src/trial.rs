//! The trials of a healed cluster: a majority must do without the rest, whatever ails it, and leadership
//! must go to whom it is handed.

use alloc::{collections::BTreeSet, format, vec, vec::Vec};

use kernel::NodeId;

use crate::{
    composition::Composition,
    crowd::End,
    finding::Finding,
    life::Waiting,
    mishap::shuffle,
    network::{Link, between},
    watch::Ends,
    workload::Stage,
    world::World,
};

const MILLISECOND: u64 = 1_000_000;

/// How long a majority may take to elect a leader and to carry out what is asked of it.
const PATIENCE_NS: u64 = 10_000 * MILLISECOND;

/// How long leadership must then rest.
const REST_NS: u64 = 2_000 * MILLISECOND;

/// Longer than a trial lasts.
const STALL_NS: u64 = 30_000 * MILLISECOND;

/// How often leadership is handed over, and how often that may fail.
const HANDOVERS: u64 = 3;
const FAILURES_MAX: u64 = 40;

/// How many entries a voter may lack to whom leadership is handed over.
const BEHIND_MAX: u64 = 100;

/// What ails one that the majority must do without. None of them can win an election.
#[derive(Clone, Copy, Debug)]
enum Ailment {
    Down,
    CutOff,
    /// It hears the majority, and is not heard.
    Mute,
    /// The majority hears it, and it hears nobody.
    Deaf,
    Stalled,
    Paused,
}

const AILMENTS: [Ailment; 6] = [
    Ailment::Down,
    Ailment::CutOff,
    Ailment::Mute,
    Ailment::Deaf,
    Ailment::Stalled,
    Ailment::Paused,
];

impl<C: Composition> World<C> {
    /// A majority must elect, serve and rest while the others ail.
    pub(crate) fn try_minority(&mut self) -> Result<(), Finding> {
        self.let_clients_end()?;
        let Some(core) = self.draw_core() else {
            self.let_clients_go_on();
            return Ok(());
        };
        self.counters.minority_trials += 1;
        let rest: Vec<NodeId> =
            self.alive().into_iter().filter(|node| !core.contains(node)).collect();
        self.trial = Some(core.clone());
        for node in &rest {
            self.ail(*node, &core);
        }
        let late_ns = self.now_ns + PATIENCE_NS;
        self.set_agenda(Stage::Service);
        while !self.crowd.is_finished() {
            self.step_before(late_ns, "a majority that can reach each other gets nothing done")?;
        }
        // One whose disk stands still may lead for a while by the disks of the others.
        while self.latest_leader().is_none() {
            self.step_before(late_ns, "a majority that can reach each other elects nobody")?;
        }
        self.expect_rest()?;
        self.trial = None;
        self.recover_from_trial(&rest)
    }

    /// Whoever asked something hears how it ended, and asks nothing more.
    pub(crate) fn let_clients_end(&mut self) -> Result<(), Finding> {
        let late_ns = self.now_ns + self.settings.progress_ns_max;
        self.crowd.agenda = Some(Vec::new());
        while !self.crowd.is_finished() {
            self.step_before(late_ns, "what was asked does not end")?;
        }
        Ok(())
    }

    /// Clients ask again whatever they like.
    pub(crate) fn let_clients_go_on(&mut self) {
        self.crowd.agenda = None;
        for client in 0..self.crowd.len() {
            self.plan_ask(client);
        }
    }

    /// A smallest majority of the voters; nothing if none can be left out.
    fn draw_core(&mut self) -> Option<BTreeSet<NodeId>> {
        let leader = self.latest_leader().and_then(|leader| self.life(leader))?;
        let membership = &leader.membership;
        if membership.is_joint() {
            return None;
        }
        let mut voters: Vec<NodeId> = membership.voters.iter().copied().collect();
        let majority = voters.len() / 2 + 1;
        shuffle(&mut voters, &mut self.chances.mishaps);
        let is_fit = |node: &NodeId| self.life(*node).is_some() && !self.computers[*node].is_rotten;
        let core: BTreeSet<NodeId> = voters.iter().copied().filter(is_fit).take(majority).collect();
        let others = self.alive().into_iter().filter(|node| !core.contains(node)).count();
        (core.len() == majority && others > 0).then_some(core)
    }

    fn ail(&mut self, node: NodeId, core: &BTreeSet<NodeId>) {
        let ailment = *self.chances.mishaps.pick(&AILMENTS).expect("some ailments");
        self.fault("trial", &[node], Ends::WhenSaid, format_args!("{ailment:?}"));
        let to_core: Vec<Link> = core.iter().map(|other| (node, *other)).collect();
        let from_core: Vec<Link> = core.iter().map(|other| (*other, node)).collect();
        match ailment {
            Ailment::Down => self.crash(node),
            Ailment::CutOff => self.network.cut(&between(&[node], &Vec::from_iter(core.clone()))),
            Ailment::Mute => self.network.cut(&to_core),
            Ailment::Deaf => self.network.cut(&from_core),
            Ailment::Stalled => self.computer(node).stalled_until_ns = self.now_ns + STALL_NS,
            Ailment::Paused => self.computer(node).backlog = Some(vec![]),
        }
    }

    /// Nobody new may come to lead: nothing hinders who leads.
    fn expect_rest(&mut self) -> Result<(), Finding> {
        let leaders = self.counters.leaders;
        let until_ns = self.now_ns + REST_NS;
        while self.now_ns < until_ns {
            self.step()?;
        }
        if self.counters.leaders == leaders {
            return Ok(());
        }
        Err(Finding::Liveness(format!(
            "a leader that a majority can reach is replaced{}",
            self.described()
        )))
    }

    fn recover_from_trial(&mut self, rest: &[NodeId]) -> Result<(), Finding> {
        for node in rest {
            if self.computer(*node).stalled_until_ns > self.now_ns {
                // Its batch would take its time even now.
                self.crash(*node);
            }
        }
        self.heal()?;
        self.let_clients_go_on();
        let until_ns = self.now_ns + 1_000 * MILLISECOND;
        while self.now_ns < until_ns {
            self.step()?;
        }
        Ok(())
    }

    /// Leadership that is handed over while nothing hinders it must arrive, even under load.
    pub(crate) fn try_handovers(&mut self) -> Result<(), Finding> {
        self.settings.clients.think_ns = 2 * MILLISECOND;
        let mut failures = 0;
        let mut done = 0;
        while done < HANDOVERS {
            let Some((leader, to)) = self.draw_handover()? else {
                return Ok(());
            };
            if self.hand_over(leader, to)? {
                done += 1;
                continue;
            }
            failures += 1;
            if failures > FAILURES_MAX {
                return Err(Finding::Liveness(format!(
                    "leadership cannot be handed over{}",
                    self.described()
                )));
            }
        }
        Ok(())
    }

    /// Who leads, and a voter that has caught up; nothing if nobody else votes.
    fn draw_handover(&mut self) -> Result<Option<(NodeId, NodeId)>, Finding> {
        let late_ns = self.now_ns + self.settings.progress_ns_max;
        loop {
            if let Some(leader) = self.latest_leader().and_then(|leader| self.life(leader)) {
                let (node, membership) = (leader.me.node, &leader.membership);
                if membership.is_joint() || membership.voters.len() == 1 {
                    return Ok(None);
                }
                let behind = leader.applier.applied().index.0.saturating_sub(BEHIND_MAX);
                let is_fit = |voter: &NodeId| {
                    *voter != node
                        && self
                            .life(*voter)
                            .is_some_and(|one| one.applier.applied().index.0 >= behind)
                };
                let fit: Vec<NodeId> = membership.voters.iter().copied().filter(is_fit).collect();
                if let Some(to) = self.chances.mishaps.pick(&fit) {
                    return Ok(Some((node, *to)));
                }
            }
            self.step_before(late_ns, "nobody leads, or nobody catches up")?;
        }
    }

    /// True if it arrived; false if it was refused, or nobody could say.
    fn hand_over(&mut self, leader: NodeId, to: NodeId) -> Result<bool, Finding> {
        let term = self.living(leader).term;
        self.fault("transfer", &[leader], Ends::AtOnce, format_args!("to {to}"));
        self.handover = None;
        let request = self.composition.transfer(Some(to));
        self.request(leader, request, Waiting::Transfer)?;
        let late_ns = self.now_ns + PATIENCE_NS;
        while self.handover.is_none() {
            self.step_before(late_ns, "a transfer of leadership does not end")?;
        }
        if !matches!(self.handover.take(), Some(End::Answered(_))) {
            return Ok(false);
        }
        while !self.oracle.has_led_after(to, term) {
            self.step_before(late_ns, "leadership was handed over, and never arrived")?;
        }
        Ok(true)
    }
}
