//! The world: computers, links, clients, and one event after the other.

use alloc::{boxed::Box, collections::BTreeSet, format, vec::Vec};
use core::fmt;

use kernel::{ClusterId, DiskId, Effect, Instant, Member, Membership, NodeId, Peer, Wire};
use log::Identity;
use replica::Envelope;

use crate::{
    chances::Chances,
    composition::Composition,
    computer::{Computer, MessageOf, Power},
    computers::Computers,
    counters::Counters,
    crowd::{Crowd, End},
    event::{Event, Mend, Parcel, Wake},
    event_hash::EventHash,
    finding::Finding,
    happening::{self, Happening, Witness},
    life::Life,
    network::{Fate, Network},
    oracle::Oracle,
    queue::Queue,
    settings::Settings,
    watch::{Watch, say_envelope},
    workload::{Tally, Workload},
};

/// After how many events everything is checked.
const FULL_CHECK_EVENTS: u64 = 1_000;

/// How much may be planned. Clusters of this size have some hundreds of messages under way.
const PLANNED_MAX: usize = 200_000;

/// A whole world. Step it with [`World::step`], or let [`run`](fn@crate::run) do it.
pub struct World<C: Composition> {
    pub(crate) composition: C,
    pub(crate) settings: Settings,
    pub(crate) now_ns: u64,
    pub(crate) queue: Queue<Event<MessageOf<C>>>,
    pub(crate) chances: Chances,
    pub(crate) network: Network,
    pub(crate) computers: Computers<C>,
    pub(crate) crowd: Crowd<C::Workload>,
    pub(crate) oracle: Oracle,
    pub(crate) counters: Counters,
    pub(crate) hash: EventHash,
    pub(crate) watch: Option<Watch>,
    /// How many mishaps were drawn, those included that were spared.
    pub(crate) mishaps: u64,
    /// The replica that may be damaged.
    pub(crate) victim: Option<NodeId>,
    /// Until when everybody who comes to lead is harassed.
    pub(crate) haunted_until_ns: u64,
    /// How the latest transfer of leadership ended.
    pub(crate) handover: Option<End>,
    /// Those that must do without the others, while they must.
    pub(crate) trial: Option<BTreeSet<NodeId>>,
    /// When it was that something was wrong, if that is found only later.
    pub(crate) was_wrong_ns: Option<u64>,
    /// The first phase is over: nothing goes wrong any more.
    pub(crate) is_healed: bool,
    /// Room for what a node says in a turn.
    pub(crate) effects: Vec<Effect<MessageOf<C>>>,
}

impl<C: Composition> World<C> {
    /// A world in which nothing has happened yet. `witness`, if there is one, sees what happens.
    #[must_use]
    pub fn new(composition: C, settings: Settings, witness: Option<Box<dyn Witness>>) -> Self {
        let mut chances = Chances::new(settings.seed);
        let founders = founders(settings.nodes);
        let computers = Computers::new((1..=settings.nodes + settings.spares).map(|number| {
            let membership =
                if number <= settings.nodes { founders.clone() } else { Membership::default() };
            let tables = composition.tables_disk();
            Computer::new(identity(number), settings.disk.log, membership, tables)
        }));
        let real_bases = u64::from(computers[NodeId(1)].base_disk.is_real());
        let victim = NodeId(chances.disk.between(1, settings.nodes));
        let victim = settings.may_damage().then_some(victim);
        let workload = composition.workload(&settings);
        let crowd = Crowd::new(workload, &settings, &mut chances.clients);
        let mut world = Self {
            network: Network::new(settings.network.clone()),
            oracle: Oracle::new(founders),
            crowd,
            composition,
            settings,
            now_ns: 0,
            queue: Queue::new(),
            chances,
            computers,
            counters: Counters { real_bases, ..Counters::default() },
            hash: EventHash::new(),
            watch: witness.map(Watch::new),
            mishaps: 0,
            victim,
            haunted_until_ns: 0,
            handover: None,
            trial: None,
            was_wrong_ns: None,
            is_healed: false,
            effects: Vec::new(),
        };
        world.begin();
        world
    }

    fn begin(&mut self) {
        let Settings { seed, nodes, spares, .. } = self.settings;
        let clients = self.crowd.len();
        self.tell(|_| Happening::Begins {
            seed,
            founders: (1..=nodes).map(NodeId).collect(),
            spares: (nodes + 1..=nodes + spares).map(NodeId).collect(),
            clients,
        });
        for number in 1..=self.settings.nodes {
            let at_ns = self.chances.lives.between(0, 100_000_000);
            self.queue.plan(at_ns, Event::Mend(Mend::Start(NodeId(number))));
        }
        for client in 0..self.crowd.len() {
            self.plan_ask(client);
        }
        self.plan_mishap();
        if self.victim.is_some() {
            self.plan_operator();
        }
    }

    /// Lets the next thing happen.
    ///
    /// # Errors
    /// A [`Finding`] if it must not have.
    pub fn step(&mut self) -> Result<(), Finding> {
        let (at_ns, event) = self.queue.next().ok_or_else(|| {
            Finding::Liveness("nothing is planned any more, not even a heartbeat".into())
        })?;
        assert!(at_ns >= self.now_ns, "time does not go back");
        self.end_faults_by(at_ns);
        self.now_ns = at_ns;
        self.counters.events += 1;
        if self.counters.events.is_multiple_of(FULL_CHECK_EVENTS) {
            self.check_all()?;
            if self.queue.len() > PLANNED_MAX {
                let text = "messages multiply: more and more are under way, without end";
                return Err(Finding::Liveness(text.into()));
            }
        }
        let (kind, place) = event.numbers();
        self.hash.mix(at_ns);
        self.hash.mix(kind ^ (place << 32));
        if let Some(backlog) = event
            .process()
            .and_then(|node| self.computers.get_mut(node))
            .and_then(|computer| computer.backlog.as_mut())
        {
            backlog.push(event);
            return Ok(());
        }
        match event {
            Event::Deliver { message, from, to, parcel } => self.deliver(message, from, to, parcel),
            Event::Wake { peer, wake } => self.wake(peer, wake),
            Event::Ask { client } => self.ask(client),
            Event::Mishap => self.mishap(),
            Event::Sprung { node, mishap } => self.sprung(node, mishap),
            Event::Operator => self.operator(),
            Event::Mend(mend) => self.mend(mend),
        }
    }

    fn wake(&mut self, peer: Peer, wake: Wake) -> Result<(), Finding> {
        if matches!(wake, Wake::Started) {
            return self.started(peer);
        }
        if self.life(peer.node).is_none_or(|life| life.me != peer) {
            return Ok(());
        }
        match wake {
            Wake::Started => Ok(()),
            Wake::Timer => self.timer(peer.node),
            Wake::Doom => {
                self.crash(peer.node);
                self.plan_start(peer.node);
                Ok(())
            }
            Wake::Batch => self.batch_done(peer.node),
            Wake::Background => self.background_done(peer.node),
            Wake::Applier => self.applier_turn(peer.node),
            Wake::Flush => self.flush_done(peer.node),
            Wake::Fetch(id) => self.fetch_done(peer.node, id),
            Wake::Unreachable(other) => {
                self.give(peer.node, kernel::Input::Unreachable { peer: other })
            }
            Wake::Sender(to) => self.sender_turn(peer.node, to),
            Wake::GiveUp(ticket) => self.ended(peer.node, ticket, End::Unknown),
            Wake::Received => self.snapshot_durable(peer.node),
        }
    }

    fn deliver(
        &mut self,
        message: u64,
        from: Peer,
        to: NodeId,
        parcel: Parcel<MessageOf<C>>,
    ) -> Result<(), Finding> {
        self.tell_arrival(message, from, to, &parcel);
        if self.life(to).is_none() {
            return Ok(());
        }
        if self.life(from.node).is_none_or(|life| life.me != from) {
            self.counters.posthumous += 1;
        }
        let envelope = match parcel {
            Parcel::Value(envelope) => envelope,
            Parcel::Bytes(bytes) => {
                self.hash.mix_bytes(&bytes);
                Envelope::from_bytes(bytes).map_err(|malformed| {
                    Finding::Safety(format!("a message of {from} cannot be read: {malformed}"))
                })?
            }
        };
        match envelope {
            Envelope::Node(message) => self.give(to, kernel::Input::Message { from, message }),
            Envelope::Snapshot(message) => self.snapshot_message(to, from, message),
        }
    }

    /// Sends something that waits for nothing any more.
    pub(crate) fn post(&mut self, from: Peer, to: NodeId, envelope: Envelope<MessageOf<C>>) {
        let link = (from.node, to);
        let fate =
            self.network.send(link, self.now_ns, &mut self.chances.network, &mut self.counters);
        let message = self.counters.messages;
        self.tell(|composition| {
            let (layer, kind, text) = say_envelope(composition, &envelope);
            let fate = match fate {
                Fate::Cut => happening::Fate::Cut,
                Fate::Arrives([None, None]) => happening::Fate::Lost,
                Fate::Arrives(_) => happening::Fate::OnItsWay,
            };
            Happening::Left { message, from, to, layer, kind, text, fate }
        });
        let is_off = self.computers.get(to).is_none_or(Computer::is_off);
        if self.settings.reports_unreachable && (is_off || matches!(fate, Fate::Cut)) {
            let wake = Wake::Unreachable(to);
            self.queue.plan(self.now_ns + 1_000_000, Event::Wake { peer: from, wake });
        }
        let Fate::Arrives(arrivals) = fate else {
            return;
        };
        let parcel = if self.settings.wire {
            Parcel::Bytes(envelope.to_bytes())
        } else {
            Parcel::Value(envelope)
        };
        for at_ns in arrivals.into_iter().flatten() {
            self.queue.plan(at_ns, Event::Deliver { message, from, to, parcel: parcel.clone() });
        }
    }

    pub(crate) fn life(&self, node: NodeId) -> Option<&Life<C>> {
        self.computers.get(node).and_then(Computer::life)
    }

    pub(crate) fn life_mut(&mut self, node: NodeId) -> Option<&mut Life<C>> {
        self.computers.get_mut(node).and_then(Computer::life_mut)
    }

    /// The computer and the life of a node that is known to live.
    pub(crate) fn living(&mut self, node: NodeId) -> &mut Life<C> {
        self.life_mut(node).expect("the caller knows that the node lives")
    }

    pub(crate) fn computer(&mut self, node: NodeId) -> &mut Computer<C> {
        &mut self.computers[node]
    }

    /// Everything that can be checked at any moment: what nodes and machines assert of themselves, and
    /// that replicas that have applied as much hold the same.
    pub(crate) fn check_all(&mut self) -> Result<(), Finding> {
        for node in self.computers.nodes().collect::<Vec<_>>() {
            let Some(life) = self.life(node).filter(|life| !life.has_failed_tables) else {
                continue;
            };
            kernel::Node::check(&life.node);
            let (applied, digest) = (life.applier.applied().index, life.applier.digest());
            self.oracle.applied(node, applied, digest)?;
            let checked = self.living(node).applier.check();
            self.survives(node, checked)?;
            self.look_at(node)?;
        }
        Ok(())
    }

    /// Looks at the tables of a node as watchers do.
    fn look_at(&mut self, node: NodeId) -> Result<(), Finding> {
        let Some(life) = self.computers[node].life_mut() else {
            return Ok(());
        };
        let Ok(reading) = life.applier.reading() else {
            return Ok(());
        };
        self.composition
            .watch(node, &reading)
            .map_err(|what| Finding::Safety(format!("whoever watches {node} is misled: {what}")))
    }

    /// What the clock of a node's computer says.
    pub(crate) fn local_now(&self, node: NodeId) -> Instant {
        self.computers[node].clock.local(self.now_ns)
    }

    /// Those whose process runs, pauses included.
    pub(crate) fn alive(&self) -> Vec<NodeId> {
        let on = |computer: &&Computer<C>| matches!(computer.power, Power::On(_));
        self.computers.iter().filter(on).map(Computer::node).collect()
    }

    /// What time it is in the world, in nanoseconds since its beginning.
    #[must_use]
    pub const fn now_ns(&self) -> u64 {
        self.now_ns
    }

    /// What was exercised so far.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        let mut counters = self.counters;
        counters.virtual_ms = self.now_ns / 1_000_000;
        counters
    }

    /// A hash over all events so far.
    #[must_use]
    pub const fn hash(&self) -> u64 {
        self.hash.value()
    }

    /// How many mishaps were drawn so far, those included that were spared.
    #[must_use]
    pub const fn mishaps(&self) -> u64 {
        self.mishaps
    }

    /// What clients asked and were told so far.
    #[must_use]
    pub fn history(&self) -> &<C::Workload as Workload>::History {
        self.crowd.workload.history()
    }

    /// What else clients did so far, by name.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.crowd.workload.tally()
    }
}

impl<C: Composition> fmt::Debug for World<C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "World(seed {} at {} ns)", self.settings.seed, self.now_ns)
    }
}

/// Whom a node knows another by.
pub(crate) fn member(node: NodeId) -> Member {
    Member {
        name: format!("node{node}"),
        peer_address: format!("node{node}:1"),
        client_address: format!("node{node}:2"),
        disk: DiskId(node.0.into()),
    }
}

fn founders(nodes: u64) -> Membership {
    Membership::of_voters(
        (1..=nodes).map(|number| (NodeId(number), member(NodeId(number)))).collect(),
    )
}

const fn identity(number: u64) -> Identity {
    Identity { cluster: ClusterId(7), node: NodeId(number), disk: DiskId(number as u128) }
}
