//! Who looks after the cluster: in the place of a replica that is gone for good it puts a new one, with
//! a new name and an empty disk, first as a learner.

use kernel::{Membership, NodeId};

use crate::{
    composition::{Composition, MembershipChange},
    computer::Computer,
    event::Event,
    finding::Finding,
    life::Waiting,
    watch::Ends,
    world::World,
};

/// How often the operator looks, in nanoseconds.
const ROUND_NS: u64 = 250_000_000;

impl<C: Composition> World<C> {
    pub(crate) fn plan_operator(&mut self) {
        self.queue.plan(self.now_ns + ROUND_NS, Event::Operator);
    }

    /// The operator looks whether somebody is gone for good, and takes the next step if so.
    pub(crate) fn operator(&mut self) -> Result<(), Finding> {
        self.plan_operator();
        let Some((lost, membership)) = self.lost_member() else {
            self.name_next_victim();
            return Ok(());
        };
        let Some(successor) = self.successor(&membership) else {
            return Err(Finding::Simulator("there is no computer to take the place".into()));
        };
        if !self.computer(successor).is_in_use {
            let text = format_args!("in the place of {lost}");
            self.fault("new computer", &[successor], Ends::AtOnce, text);
            self.start(successor)?;
        }
        let change = next_step(&membership, lost, successor);
        let alive = self.alive();
        let Some(node) = self.chances.lives.pick(&alive).copied() else {
            return Ok(());
        };
        self.fault("repair", &[node], Ends::AtOnce, format_args!("{change:?}"));
        let request = self.composition.change(&change);
        self.request(node, request, Waiting::Repair)
    }

    /// Whoever took the place of a victim that is gone may be the next to suffer.
    fn name_next_victim(&mut self) {
        if !self.victim.is_some_and(|victim| self.computers[victim].is_lost) {
            return;
        }
        let leader = self.latest_leader().and_then(|leader| self.life(leader));
        let membership = leader.map(|leader| &leader.membership);
        if let Some(membership) = membership.filter(|membership| !membership.is_joint()) {
            self.victim = membership.voters.last().copied();
        }
    }

    /// True if another replica may be lost: there is a computer to take its place.
    pub(crate) fn has_spare(&self) -> bool {
        let founders = self.settings.nodes;
        self.computers.iter().any(|one| one.node().0 > founders && !one.is_in_use && !one.is_lost)
    }

    /// A member that is gone for good, and the configuration in which it still is.
    pub(crate) fn lost_member(&self) -> Option<(NodeId, Membership)> {
        let leader = self.latest_leader().and_then(|leader| self.life(leader))?;
        let is_lost = |node: &&NodeId| self.computers.get(**node).is_some_and(|one| one.is_lost);
        let lost = leader.membership.members.keys().find(is_lost)?;
        Some((*lost, leader.membership.clone()))
    }

    /// Whom the operator has chosen to take the place: a spare without a vote of its own.
    fn successor(&self, membership: &Membership) -> Option<NodeId> {
        let founders = self.settings.nodes;
        let is_free = |node: &NodeId| !membership.is_voter(*node) || membership.is_joint();
        let spares = self.computers.iter().filter(|one| one.node().0 > founders && !one.is_lost);
        spares.map(Computer::node).find(is_free)
    }
}

/// What is to be asked for next.
fn next_step(membership: &Membership, lost: NodeId, successor: NodeId) -> MembershipChange {
    if !membership.contains(successor) {
        return MembershipChange::AddLearner(successor);
    }
    if membership.learners.contains(&successor) && membership.voters.contains(&lost) {
        return MembershipChange::Promote(successor, Some(lost));
    }
    MembershipChange::Remove(lost)
}
