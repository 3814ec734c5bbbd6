//! Mishaps in several acts, each modelled on what a known mistake needs to show itself.

use alloc::vec::Vec;

use kernel::NodeId;

use crate::{
    ambush::Trigger,
    composition::Composition,
    event::{Event, Mend},
    finding::Finding,
    mishap::shuffle,
    network::{Link, between},
    watch::Ends,
    weights::Mishap,
    world::World,
};

const MILLISECOND: u64 = 1_000_000;

impl<C: Composition> World<C> {
    /// Messages from or to the node, or both, take their time.
    pub(crate) fn darken(&mut self, node: NodeId) {
        let rng = &mut self.chances.mishaps;
        let (from, to) =
            *rng.pick(&[(true, true), (true, false), (false, true)]).expect("some directions");
        let others = self.computers.nodes().filter(|other| *other != node);
        let links: Vec<Link> = others
            .flat_map(|other| [((node, other), from), ((other, node), to)])
            .filter_map(|(link, is_dark)| is_dark.then_some(link))
            .collect();
        self.darken_links(links);
    }

    /// Nothing arrives when it should: answers come when the question is long forgotten.
    pub(crate) fn fog(&mut self) {
        let all: Vec<NodeId> = self.computers.nodes().collect();
        self.darken_links(between(&all, &all));
        if self.chances.mishaps.chance(1, 2)
            && let Some(leader) = self.latest_leader()
        {
            self.crash(leader);
            self.plan_start(leader);
        }
    }

    fn darken_links(&mut self, links: Vec<Link>) {
        self.counters.murks += 1;
        self.network.darken(&links);
        let until_ns = self.until_ns();
        self.fault_on_links("murk", &links, until_ns);
        self.queue.plan(until_ns, Event::Mend(Mend::Clear(links)));
    }

    /// Leadership goes round faster than messages get lost: what is late comes from an earlier term of
    /// the same leader.
    pub(crate) fn storm(&mut self) {
        self.counters.storms += 1;
        let mut at_ns = self.now_ns;
        for _ in 0..self.chances.mishaps.between(3, 12) {
            let alive = self.alive();
            let rng = &mut self.chances.mishaps;
            at_ns += rng.between(5, 120) * MILLISECOND;
            if let Some(node) = rng.pick(&alive).copied() {
                self.queue.plan(at_ns, Event::Sprung { node, mishap: Mishap::Transfer });
            }
        }
        self.fault("storm of transfers", &[], Ends::At(at_ns), format_args!(""));
        let all: Vec<NodeId> = self.computers.nodes().collect();
        if self.chances.mishaps.chance(1, 2) {
            self.darken_links(between(&all, &all));
        }
        if self.chances.mishaps.chance(1, 2)
            && let Some(node) = self.chances.mishaps.pick(&all).copied()
        {
            self.queue.plan(at_ns, Event::Sprung { node, mishap: Mishap::Isolate });
        }
    }

    /// The leader's last entries are on the disk of one follower and not on its own when it crashes. It
    /// is helped to lead again, without them and without that follower, and cut off when it does. Then
    /// the acknowledgements of before arrive: they must not count.
    pub(crate) fn ghost(&mut self) {
        let Some(leader) = self.latest_leader() else {
            return;
        };
        let voters = &self.living(leader).membership.voters;
        let mut others: Vec<NodeId> =
            voters.iter().copied().filter(|other| *other != leader).collect();
        shuffle(&mut others, &mut self.chances.mishaps);
        let Some((hearer, deaf)) = others.split_first() else {
            return;
        };
        self.counters.ghosts += 1;
        let rng = &mut self.chances.mishaps;
        let until_ns = self.now_ns + rng.between(100, 400) * MILLISECOND;
        let late_ns = until_ns + rng.between(100, 1_000) * MILLISECOND;
        self.computer(leader).stalled_until_ns = until_ns;
        self.network.detain((*hearer, leader), until_ns, late_ns);
        let some_deaf = between(&[leader], deaf);
        self.cut_until("ghost: only one follower hears the leader", some_deaf, until_ns);
        let alone = between(&[*hearer], deaf);
        self.cut_until("ghost: nobody hears that follower", alone, late_ns);
        let forget = Mend::Forget { leader, hearer: *hearer, until_ns };
        self.queue.plan(self.now_ns, Event::Mend(forget));
        for wait_ms in [100, 400, 800] {
            self.queue.plan(until_ns + wait_ms * MILLISECOND, Event::Mend(Mend::Lead(leader)));
        }
    }

    /// The leader crashes as soon as there is something that only the other one has on its disk.
    pub(crate) fn forget(&mut self, leader: NodeId, hearer: NodeId, until_ns: u64) {
        if self.is_healed || self.life(leader).is_none() {
            return;
        }
        if !self.oracle.has_more(hearer, leader) && self.now_ns < until_ns {
            let forget = Mend::Forget { leader, hearer, until_ns };
            self.queue.plan(self.now_ns + 5 * MILLISECOND, Event::Mend(forget));
            return;
        }
        self.crash(leader);
        self.queue.plan(self.now_ns + 1, Event::Mend(Mend::Start(leader)));
        // Else the one with the longest log would lead.
        self.queue.plan(self.now_ns, Event::Sprung { node: hearer, mishap: Mishap::Pause });
    }

    /// A node is handed leadership and cut off as soon as it stands for election. The leader goes on, and
    /// has to win back a member that is in a later term than itself.
    pub(crate) fn estrange(&mut self, node: NodeId) -> Result<(), Finding> {
        self.counters.estrangements += 1;
        self.hand_over_to(node, Trigger::Stands)
    }

    /// A follower's disk stands still, and then the leader crashes. If the follower stands for election,
    /// it forgets all that it has not written, its own candidacy included, and answers reach it late.
    pub(crate) fn amnesia(&mut self, node: NodeId) {
        let Some(leader) = self.latest_leader().filter(|leader| *leader != node) else {
            return;
        };
        self.counters.amnesias += 1;
        let rng = &mut self.chances.mishaps;
        let (crash_ns, stall_ns) =
            (rng.between(1, 150) * MILLISECOND, rng.between(300, 1_000) * MILLISECOND);
        self.fault("amnesia", &[node], Ends::At(self.now_ns + stall_ns), format_args!(""));
        self.computer(node).stalled_until_ns = self.now_ns + stall_ns;
        self.queue.plan(self.now_ns + crash_ns, Event::Mend(Mend::Fall(leader)));
        self.lie_in_wait(node, Trigger::Stands, Mishap::Crash);
    }
}
