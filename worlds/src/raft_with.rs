//! Raft and a system on it, for the simulator.

use std::time::Duration;

use kernel::{Bytes, DiskId, Effect, Member, NodeId, PersistNumber, Reading, Rng, Session};
use log::Trust;
use raft::{Change, Config, Message, Raft, Request, print};
use sim::{
    AnswerOf, Asked, Boot, CallOf, Composition, InputOf, MapDisk, MembershipChange, Settings,
    TablesDisk,
};

use crate::{kv::Kv, queue::WorkQueue, real_base::RealBase, system::System};

/// A cluster of Raft replicas with the key/value store on them.
pub type RaftWithKv = RaftWith<Kv>;

/// A cluster of Raft replicas with the work queue on them.
pub type RaftWithQueue = RaftWith<WorkQueue>;

/// A cluster of Raft replicas with a system on them.
#[derive(Clone, Debug)]
pub struct RaftWith<S> {
    config: Config,
    /// The tables lie in the real base, with a cache of so many bytes; else in a map.
    real_base_cache_bytes: Option<usize>,
    system: S,
}

/// In one world of so many the tables lie in the real base.
const REAL_BASE_ONE_IN: u64 = 8;

impl<S: System + Default> RaftWith<S> {
    /// As a cluster is that nobody has configured.
    #[must_use]
    pub fn with_defaults() -> Self {
        Self { config: Config::default(), real_base_cache_bytes: None, system: S::default() }
    }
}

impl<S: System> RaftWith<S> {
    /// With sizes drawn from `seed`, so small that logs are compacted, entries are fetched back and
    /// snapshots are sent within seconds.
    #[must_use]
    pub fn draw(seed: u64) -> Self {
        let mut rng = Rng::new(seed ^ 0x7261_6674);
        let batch_bytes_max = *rng.pick(&[200, 2_000, 20_000]).expect("some sizes");
        let config = Config {
            request_timeout: Duration::from_millis(
                *rng.pick(&[150, 500, 2_000]).expect("some times"),
            ),
            disk_stall: Duration::from_millis(rng.between(500, 2_000)),
            batch_bytes_max,
            window_bytes: batch_bytes_max * rng.between(1, 8),
            cache_bytes: *rng.pick(&[0, 2_000, 100_000]).expect("some sizes"),
            retain_bytes: *rng.pick(&[0, 5_000, 100_000]).expect("some sizes"),
            promote_behind_max: 20,
            ..Config::default()
        };
        let mut rng = Rng::new(seed ^ 0x6261_7365);
        let is_real = rng.chance(1, REAL_BASE_ONE_IN);
        let world = Self { config, real_base_cache_bytes: None, system: S::draw(seed) };
        if is_real { world.over_real_base(seed) } else { world }
    }

    /// The same world with its tables in a map: what the engine costs is left out.
    #[must_use]
    pub fn over_map(self) -> Self {
        Self { real_base_cache_bytes: None, ..self }
    }

    /// The same world with its tables in the real base; how much the engine keeps in memory is drawn
    /// from `seed`.
    #[must_use]
    pub fn over_real_base(self, seed: u64) -> Self {
        let mut rng = Rng::new(seed ^ 0x0063_6163_6865);
        // Without a cache each page is written and read at once.
        let cache_bytes = *rng.pick(&[0, 64 << 10, 1 << 20]).expect("some sizes");
        Self { real_base_cache_bytes: Some(cache_bytes), ..self }
    }
}

impl<S: System> Composition for RaftWith<S> {
    type Node = Raft;
    type Machine = S::Machine;
    type Workload = S::Workload;

    fn machine(&self) -> S::Machine {
        S::Machine::default()
    }

    fn tables_disk(&self) -> Box<dyn TablesDisk> {
        match self.real_base_cache_bytes {
            Some(cache_bytes) => Box::new(RealBase::new(cache_bytes)),
            None => Box::new(MapDisk::default()),
        }
    }

    fn boot(&self, boot: Boot) -> Raft {
        let uncertain_until = match boot.trust {
            Trust::Uncertain { until, .. } => Some(until),
            Trust::Whole | Trust::Torn { .. } => None,
        };
        let replica = raft::Boot {
            me: boot.me,
            seed: boot.seed,
            hard: boot.hard,
            base: boot.base,
            base_stamp: boot.base_stamp,
            membership: boot.membership,
            entries: boot.entries,
            applied: boot.applied,
            uncertain_until,
        };
        Raft::new(self.config.clone(), replica, boot.now)
    }

    fn workload(&self, settings: &Settings) -> S::Workload {
        self.system.workload(settings)
    }

    fn ask(&self, call: &CallOf<Self>, session: Option<Session>) -> Asked<Request> {
        self.system.ask(call, session)
    }

    fn answer(&self, call: &CallOf<Self>, answer: Bytes) -> Result<AnswerOf<Self>, String> {
        self.system.answer(call, answer)
    }

    fn aside(&self, rng: &mut Rng) -> Option<Request> {
        self.system.aside(rng)
    }

    fn watch(&mut self, _node: NodeId, reading: &Reading) -> Result<(), String> {
        self.system.watch(reading)
    }

    fn change(&self, change: &MembershipChange) -> Request {
        Request::Change(match change {
            MembershipChange::AddLearner(node) => {
                Change::AddLearner { node: *node, member: member(*node) }
            }
            MembershipChange::Promote(node, replacing) => {
                Change::Promote { node: *node, replacing: *replacing }
            }
            MembershipChange::Remove(node) => Change::Remove { node: *node },
            MembershipChange::SetVoters(voters) => {
                Change::SetVoters(voters.iter().copied().collect())
            }
        })
    }

    fn transfer(&self, to: Option<NodeId>) -> Request {
        Request::Transfer { to }
    }

    fn message_kind(&self, message: &Message) -> &'static str {
        print::kind(message)
    }

    fn say_message(&self, message: &Message) -> String {
        S::PRINTER.message(message)
    }

    fn say_input(&self, node: NodeId, input: &InputOf<Raft>) -> String {
        S::PRINTER.input(node, input)
    }

    fn say_effect(&self, effect: &Effect<Message>, finished: PersistNumber) -> String {
        S::PRINTER.effect(effect, finished)
    }
}

fn member(node: NodeId) -> Member {
    Member { name: format!("node{node}"), disk: DiskId(node.0.into()), ..Member::default() }
}
