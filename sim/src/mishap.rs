//! What goes wrong, and when it is over.

use alloc::{format, vec, vec::Vec};

use kernel::{Membership, NodeId, Rng, Role};

use crate::{
    ambush::Trigger,
    chances::wait_ns,
    composition::{Composition, MembershipChange},
    computer::Computer,
    event::{Event, Mend},
    finding::Finding,
    happening::Happening,
    life::{Waiting, Work},
    network::{Link, between},
    watch::{Ends, Links},
    weights::Mishap,
    world::World,
};

const MILLISECOND: u64 = 1_000_000;

// Faults that may be over because of what happens to their node.
pub(crate) const DISK_FAILURE: &str = "failing write";
pub(crate) const DOOM: &str = "crash at the next write";
pub(crate) const PAUSE: &str = "pause";

impl Mishap {
    /// True if it cuts links.
    const fn cuts(self) -> bool {
        matches!(
            self,
            Self::Isolate
                | Self::Split
                | Self::Bridge
                | Self::Ring
                | Self::OneWay
                | Self::Harass
                | Self::Ghost
        )
    }

    /// The words for a cut.
    const fn cut_name(self) -> &'static str {
        match self {
            Self::Isolate => "isolation",
            Self::Split => "split",
            Self::Bridge => "bridge",
            Self::Ring => "ring",
            _ => "one-way cuts",
        }
    }
}

impl<C: Composition> World<C> {
    pub(crate) fn plan_mishap(&mut self) {
        let every_ns = self.settings.mishap_every_ns;
        let wait = wait_ns(&mut self.chances.calendar, every_ns / 10, 2 * every_ns);
        self.queue.plan(self.now_ns + wait, Event::Mishap);
    }

    /// Something goes wrong.
    pub(crate) fn mishap(&mut self) -> Result<(), Finding> {
        if self.is_healed {
            return Ok(());
        }
        self.plan_mishap();
        let Some(mishap) = self.settings.mishaps.pick(&mut self.chances.calendar) else {
            return Ok(());
        };
        // Each draws from a generator of its own, so that one can be spared and the others stay.
        self.chances.mishaps = self.chances.calendar.fork();
        self.mishaps += 1;
        let number = self.mishaps;
        if self.settings.spared.contains(number, mishap) {
            return Ok(());
        }
        self.counters.mishaps += 1;
        let alive = self.alive();
        let Some(node) = self.draw_target(&alive) else {
            return Ok(());
        };
        self.befall(mishap, node)?;
        self.check_all()
    }

    /// The mishap happens, to `node` if it is of a kind that happens to one.
    pub(crate) fn befall(&mut self, mishap: Mishap, node: NodeId) -> Result<(), Finding> {
        match mishap {
            _ if mishap.cuts() && self.network.is_cut_up() => {}
            // Half of all crashes come while the disk is at work.
            Mishap::Crash if self.chances.mishaps.chance(1, 2) => {
                self.doom(node);
            }
            Mishap::Crash => {
                self.fault("crash", &[node], Ends::AtOnce, format_args!(""));
                self.crash(node);
                self.plan_start(node);
            }
            Mishap::PowerCut => self.power_cut(),
            Mishap::Pause => self.pause(node),
            Mishap::Isolate | Mishap::Split | Mishap::Bridge | Mishap::Ring | Mishap::OneWay => {
                self.cut(mishap, node);
            }
            Mishap::Harass => {
                if let Some(leader) = self.latest_leader() {
                    self.harass(leader);
                }
            }
            Mishap::Stall => self.stall(node),
            Mishap::Full => self.fill(node),
            Mishap::DiskFailure => self.fail_disk(node),
            Mishap::Change => return self.change(node),
            Mishap::Burst => return self.burst(),
            Mishap::Transfer => return self.transfer(node),
            Mishap::Rebuild => {
                self.fault("machine rebuilt", &[node], Ends::AtOnce, format_args!(""));
                return self.work(node, Work::Rebuild);
            }
            Mishap::Murk => self.darken(node),
            Mishap::Ambush => self.lay_ambushes(),
            Mishap::Fog => self.fog(),
            Mishap::Storm => self.storm(),
            Mishap::Amnesia => self.amnesia(node),
            Mishap::Ghost => self.ghost(),
            Mishap::Estrange => return self.estrange(node),
            Mishap::Haunt => self.haunt(),
            Mishap::Rot => self.rot(),
            Mishap::Wipe => self.wipe(),
            Mishap::Leap => return self.leap(node),
            Mishap::Compact => {
                self.fault("flush of the tables", &[node], Ends::AtOnce, format_args!(""));
                self.flush_now(node);
            }
        }
        Ok(())
    }

    /// Whom it hits: often the leader, or the one whose disk may be damaged.
    fn draw_target(&mut self, alive: &[NodeId]) -> Option<NodeId> {
        let leader = self.latest_leader().filter(|leader| alive.contains(leader));
        let victim = self.victim.filter(|victim| alive.contains(victim));
        let rng = &mut self.chances.mishaps;
        let special = match rng.below(6) {
            0 | 1 => leader,
            2 => victim,
            _ => None,
        };
        special.or_else(|| rng.pick(alive).copied())
    }

    /// Something is over.
    pub(crate) fn mend(&mut self, mend: Mend) -> Result<(), Finding> {
        match mend {
            Mend::Start(node) => self.start(node),
            Mend::Resume(node) => self.resume(node),
            Mend::Links(links) => {
                self.network.mend(&links);
                Ok(())
            }
            Mend::Clear(links) => {
                self.network.clear(&links);
                Ok(())
            }
            Mend::Fall(node) if self.is_healed || self.computer(node).is_off() => Ok(()),
            Mend::Fall(node) => {
                self.crash(node);
                self.plan_start(node);
                Ok(())
            }
            Mend::Forget { leader, hearer, until_ns } => {
                self.forget(leader, hearer, until_ns);
                Ok(())
            }
            Mend::Lead(node) => self.hand_over_to(node, Trigger::Leads),
            Mend::Roomy(node) => {
                self.computer(node).is_full = false;
                Ok(())
            }
        }
    }

    /// Until when a mishap lasts that begins now.
    pub(crate) fn until_ns(&mut self) -> u64 {
        let most_ns = self.settings.mishap_lasts_ns_max;
        self.now_ns + self.chances.mishaps.between(MILLISECOND, most_ns)
    }

    fn power_cut(&mut self) {
        self.counters.power_cuts += 1;
        let alive = self.alive();
        self.fault("power cut", &alive, Ends::AtOnce, format_args!(""));
        for node in alive {
            self.crash(node);
            self.plan_start(node);
        }
    }

    /// Power fails while the next batch is being written.
    fn doom(&mut self, node: NodeId) {
        self.fault(DOOM, &[node], Ends::WhenSaid, format_args!(""));
        self.computer(node).is_doomed = true;
    }

    pub(crate) fn fault_on_links(&mut self, kind: &'static str, links: &[Link], until_ns: u64) {
        if links.is_empty() {
            return;
        }
        let links = Links(links);
        self.fault(kind, &links.nodes(), Ends::At(until_ns), format_args!("{links}"));
    }

    /// The leader's last words reach few: what figure 8 of the paper needs, over and over.
    pub(crate) fn harass(&mut self, leader: NodeId) {
        let mut others: Vec<NodeId> = self.computers.nodes().collect();
        others.retain(|other| *other != leader);
        let rng = &mut self.chances.mishaps;
        shuffle(&mut others, rng);
        let reached = usize::try_from(rng.below(others.len() as u64 + 1)).expect("few nodes");
        let links = between(&[leader], &others[reached.min(2).min(others.len())..]);
        match rng.below(3) {
            0 => self.doom(leader),
            1 => {
                let at_ns = self.now_ns + self.chances.mishaps.between(0, 300 * MILLISECOND);
                self.queue.plan(at_ns, Event::Mend(Mend::Fall(leader)));
            }
            _ => {}
        }
        self.counters.cuts += 1;
        let until_ns = self.until_ns();
        self.cut_until("harassed leader", links, until_ns);
    }

    /// The links carry nothing until then.
    pub(crate) fn cut_until(&mut self, kind: &'static str, links: Vec<Link>, until_ns: u64) {
        self.network.cut(&links);
        self.fault_on_links(kind, &links, until_ns);
        self.queue.plan(until_ns, Event::Mend(Mend::Links(links)));
    }

    fn pause(&mut self, node: NodeId) {
        let computer = self.computer(node);
        if computer.backlog.is_none() {
            computer.backlog = Some(Vec::new());
            self.counters.pauses += 1;
            let until_ns = self.until_ns();
            self.fault(PAUSE, &[node], Ends::At(until_ns), format_args!(""));
            self.queue.plan(until_ns, Event::Mend(Mend::Resume(node)));
        }
    }

    /// The process goes on: first with all that had arrived, then with its own timer.
    pub(crate) fn resume(&mut self, node: NodeId) -> Result<(), Finding> {
        let Some(backlog) = self.computer(node).backlog.take() else {
            return Ok(());
        };
        for event in backlog {
            if let Event::Wake { wake: crate::event::Wake::Timer, .. } = event {
                // Its moment has passed; a new one is planned after what had arrived.
                if let Some(life) = self.life_mut(node) {
                    life.timers_ns.clear();
                }
                continue;
            }
            self.queue.plan(self.now_ns, event);
        }
        self.turn(node)
    }

    fn stall(&mut self, node: NodeId) {
        self.counters.disk_stalls += 1;
        let until_ns = self.until_ns();
        self.fault("disk stall", &[node], Ends::At(until_ns), format_args!(""));
        self.computer(node).stalled_until_ns = until_ns;
    }

    fn fill(&mut self, node: NodeId) {
        self.counters.full_disks += 1;
        self.computer(node).is_full = true;
        let until_ns = self.until_ns();
        self.fault("full disk", &[node], Ends::At(until_ns), format_args!(""));
        self.queue.plan(until_ns, Event::Mend(Mend::Roomy(node)));
    }

    fn cut(&mut self, mishap: Mishap, node: NodeId) {
        let mut nodes: Vec<NodeId> = self.computers.nodes().collect();
        shuffle(&mut nodes, &mut self.chances.mishaps);
        let others: Vec<NodeId> = nodes.iter().copied().filter(|other| *other != node).collect();
        let rng = &mut self.chances.mishaps;
        let half = |among: &[NodeId], rng: &mut Rng| {
            usize::try_from(rng.between(0, among.len() as u64)).expect("few nodes")
        };
        let links = match mishap {
            Mishap::Isolate => between(&[node], &others),
            Mishap::Split => {
                let (left, right) = nodes.split_at(half(&nodes, rng));
                between(left, right)
            }
            Mishap::Bridge => {
                let (left, right) = others.split_at(half(&others, rng));
                between(left, right)
            }
            Mishap::Ring => ring_gaps(&nodes),
            _ => {
                let all = between(&nodes, &nodes);
                all.into_iter().filter(|_| rng.chance(1, 3)).collect()
            }
        };
        self.counters.cuts += 1;
        let until_ns = self.until_ns();
        self.cut_until(mishap.cut_name(), links, until_ns);
    }

    /// Who leads in the latest term, among those who live; on trial, among those who must do.
    pub(crate) fn latest_leader(&self) -> Option<NodeId> {
        let lives = self.computers.iter().filter_map(Computer::life);
        let is_asked = |node| self.trial.as_ref().is_none_or(|core| core.contains(&node));
        let leaders = lives.filter(|life| life.role == Role::Leader && is_asked(life.me.node));
        leaders.max_by_key(|life| life.term).map(|life| life.me.node)
    }

    fn change(&mut self, node: NodeId) -> Result<(), Finding> {
        let informed = self.latest_leader().unwrap_or(node);
        let membership = self.living(informed).membership.clone();
        let all: Vec<NodeId> = self.computers.nodes().collect();
        let rng = &mut self.chances.mishaps;
        let change = draw_change(&membership, &all, rng);
        if let MembershipChange::AddLearner(joiner) = change
            && !self.computer(joiner).is_in_use
        {
            self.start(joiner)?;
        }
        self.fault("change", &[node], Ends::AtOnce, format_args!("{change}"));
        let request = self.composition.change(&change);
        self.request(node, request, Waiting::Change)
    }

    /// Several are asked at once, those included that only think that they lead.
    fn burst(&mut self) -> Result<(), Finding> {
        self.counters.bursts += 1;
        for _ in 0..self.chances.mishaps.between(2, 4) {
            let alive = self.alive();
            if let Some(node) = self.chances.mishaps.pick(&alive).copied() {
                self.change(node)?;
            }
        }
        Ok(())
    }

    /// Now and then the old leader hears nobody from then on, for a while.
    fn transfer(&mut self, node: NodeId) -> Result<(), Finding> {
        self.counters.transfers += 1;
        let alive = self.alive();
        let rng = &mut self.chances.mishaps;
        let to = if rng.chance(1, 2) { rng.pick(&alive).copied() } else { None };
        let is_deaf = rng.chance(1, 3);
        let leader = self.latest_leader();
        self.fault("transfer", &[node], Ends::AtOnce, format_args!(""));
        let request = self.composition.transfer(to);
        let asked = leader.filter(|_| is_deaf).unwrap_or(node);
        self.request(asked, request, Waiting::Transfer)?;
        if let Some(leader) = leader.filter(|_| is_deaf) {
            let links = self.computers.nodes().filter(|other| *other != leader);
            let links: Vec<Link> = links.map(|other| (other, leader)).collect();
            self.counters.cuts += 1;
            let until_ns = self.now_ns + self.chances.mishaps.between(1, 200) * MILLISECOND;
            self.cut_until("deaf during a transfer", links, until_ns);
        }
        Ok(())
    }

    /// Leadership is to be handed to the node, which is cut off on its way.
    pub(crate) fn hand_over_to(&mut self, node: NodeId, cut: Trigger) -> Result<(), Finding> {
        if self.is_healed {
            return Ok(());
        }
        self.lie_in_wait(node, cut, Mishap::Isolate);
        let leader = self.latest_leader().filter(|leader| *leader != node);
        leader.map_or(Ok(()), |leader| {
            self.counters.transfers += 1;
            self.fault("transfer", &[leader], Ends::AtOnce, format_args!("to {node}"));
            self.request(leader, self.composition.transfer(Some(node)), Waiting::Transfer)
        })
    }

    /// For a while everybody who comes to lead is harassed at once.
    fn haunt(&mut self) {
        self.haunted_until_ns = self.until_ns() + 1_000 * MILLISECOND;
        self.fault("haunt", &[], Ends::At(self.haunted_until_ns), format_args!(""));
    }

    /// The time of day of a computer jumps either way, or its monotonic clock ahead.
    fn leap(&mut self, node: NodeId) -> Result<(), Finding> {
        const HOUR_MS: u64 = 3_600_000;
        self.counters.leaps += 1;
        let rng = &mut self.chances.mishaps;
        if rng.chance(1, 2) {
            let ahead_ms = rng.below(2 * HOUR_MS);
            self.computer(node).clock.wall_ahead_ms = ahead_ms;
            self.fault("wall clock jumps", &[node], Ends::AtOnce, format_args!(""));
            return Ok(());
        }
        let ahead_ns = rng.below(3_000 * MILLISECOND);
        let text = format_args!("{} ms ahead", ahead_ns / MILLISECOND);
        self.fault("clock leaps", &[node], Ends::AtOnce, text);
        self.computer(node).clock.leap(ahead_ns);
        self.turn(node)
    }

    /// The second phase begins: whatever went wrong is over, or soon will be.
    pub(crate) fn heal(&mut self) -> Result<(), Finding> {
        self.end_faults();
        self.tell(|_| Happening::Healed);
        self.is_healed = true;
        self.network.heal();
        for node in self.computers.nodes().collect::<Vec<_>>() {
            let computer = self.computer(node);
            computer.stalled_until_ns = 0;
            computer.is_full = false;
            computer.fails_next = false;
            computer.base_disk.heal();
            computer.is_doomed = false;
            computer.ambush = None;
            if computer.is_off() && computer.is_in_use && !computer.is_lost {
                let at_ns = self.now_ns + self.chances.mishaps.between(0, 500 * MILLISECOND);
                self.queue.plan(at_ns, Event::Mend(Mend::Start(node)));
            }
            self.resume(node)?;
        }
        Ok(())
    }
}

/// Some change that might make sense.
fn draw_change(membership: &Membership, all: &[NodeId], rng: &mut Rng) -> MembershipChange {
    let outside: Vec<NodeId> =
        all.iter().copied().filter(|node| !membership.contains(*node)).collect();
    let members: Vec<NodeId> = membership.members.keys().copied().collect();
    let learners: Vec<NodeId> = membership.learners.iter().copied().collect();
    let voters: Vec<NodeId> = membership.voters.iter().copied().collect();
    let some = |of: &[NodeId], rng: &mut Rng| rng.pick(of).copied();
    let drawn = match rng.below(8) {
        0 | 1 => some(&outside, rng).map(MembershipChange::AddLearner),
        2 | 3 => some(&learners, rng).map(|node| {
            let replaced = if rng.chance(1, 2) { some(&voters, rng) } else { None };
            MembershipChange::Promote(node, replaced)
        }),
        4 => some(&members, rng).map(MembershipChange::Remove),
        _ => None,
    };
    drawn.unwrap_or_else(|| {
        let mut chosen = if members.is_empty() { vec![all[0]] } else { members };
        shuffle(&mut chosen, rng);
        chosen.truncate(1 + usize::try_from(rng.below(chosen.len() as u64)).expect("few nodes"));
        MembershipChange::SetVoters(chosen)
    })
}

pub(crate) fn shuffle(nodes: &mut [NodeId], rng: &mut Rng) {
    for place in (1..nodes.len()).rev() {
        let other = usize::try_from(rng.between(0, place as u64)).expect("few nodes");
        nodes.swap(place, other);
    }
}

/// All links but those between neighbours on a ring.
fn ring_gaps(nodes: &[NodeId]) -> Vec<Link> {
    let count = nodes.len();
    let mut links = Vec::new();
    for (place, node) in nodes.iter().enumerate() {
        for (other_place, other) in nodes.iter().enumerate() {
            let steps = (place + count - other_place) % count;
            if steps > 1 && steps < count - 1 {
                links.push((*node, *other));
            }
        }
    }
    links
}

/// For people: what each node is at.
pub(crate) fn describe<C: Composition>(computers: &[&Computer<C>]) -> alloc::string::String {
    let mut text = alloc::string::String::new();
    for computer in computers {
        let node = computer.node();
        text += &match computer.life() {
            None => format!("\n  {node}: down"),
            Some(life) => format!(
                "\n  {}: {} in term {}, leader {:?}, applied {}, waiting {}, status {:?}",
                life.me,
                life.role.name(),
                life.term,
                life.leader,
                life.applier.applied(),
                life.waiting.len(),
                kernel::Node::status(&life.node)
            ),
        };
    }
    text
}
