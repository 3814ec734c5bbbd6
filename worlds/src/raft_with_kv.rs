//! Raft and the key/value store, for the simulator.

use std::time::Duration;

use kernel::{Bytes, DiskId, Effect, Member, NodeId, PersistNumber, Reading, Rng, Session, Wire};
use kv::{Answer, Command, Expect, Keys, KvMachine, Operation, Query, Transaction};
use log::Trust;
use raft::{
    Change, Config, Message, Raft, Request,
    print::{self, Printer},
};
use sim::{Asked, Boot, Composition, InputOf, MapDisk, MembershipChange, TablesDisk};

use crate::{etcd, real_base::RealBase, trace::without_padding, watchers::Watchers};

/// How Raft's doings read where its commands are those of the store.
pub const PRINTER: Printer = Printer { command: say_command };

/// A cluster of Raft replicas with the key/value store on them.
#[derive(Clone, Debug)]
pub struct RaftWithKv {
    config: Config,
    /// The tables lie in the real base, with a cache of so many bytes; else in a map.
    real_base_cache_bytes: Option<usize>,
    /// Clients speak etcd's interface: transactions, leases, compaction.
    speaks_etcd: bool,
    watchers: Watchers,
}

impl RaftWithKv {
    /// As a cluster is that nobody has configured.
    #[must_use]
    pub fn with_defaults() -> Self {
        Self {
            config: Config::default(),
            real_base_cache_bytes: None,
            speaks_etcd: false,
            watchers: Watchers::default(),
        }
    }

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
        let mut rng_of_language = Rng::new(seed ^ 0x6574_6364);
        let speaks_etcd = rng_of_language.chance(1, ETCD_ONE_IN);
        let world = Self { config, speaks_etcd, ..Self::with_defaults() };
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

/// In one world of so many the tables lie in the real base.
const REAL_BASE_ONE_IN: u64 = 8;

/// In one world of so many clients speak etcd's interface.
const ETCD_ONE_IN: u64 = 3;

impl Composition for RaftWithKv {
    type Node = Raft;
    type Machine = KvMachine;

    fn machine(&self) -> KvMachine {
        KvMachine
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

    fn ask(&self, key: &[u8], call: &check::Call, session: Option<Session>) -> Asked<Request> {
        if self.speaks_etcd {
            return etcd::ask(key, call, session);
        }
        let key = Bytes::copy_from_slice(key);
        let bytes = |value: &Vec<u8>| Bytes::copy_from_slice(value);
        let command = match call {
            check::Call::Read => {
                let query = Some(Query::Get { key }.to_bytes());
                return Asked { request: Request::Read, query };
            }
            check::Call::Write(value) => {
                Command::Put { key, value: bytes(value), expect: Expect::Any }
            }
            check::Call::CompareAndSet { expected, new } => {
                let expect =
                    expected.as_ref().map_or(Expect::Absent, |value| Expect::Value(bytes(value)));
                Command::Put { key, value: bytes(new), expect }
            }
            check::Call::Delete => Command::Delete { key, expect: Expect::Any },
        };
        Asked { request: Request::Command { data: command.to_bytes(), session }, query: None }
    }

    fn answer(&self, call: &check::Call, answer: Bytes) -> Result<check::Answer, String> {
        let answer = Answer::from_bytes(answer).map_err(|malformed| malformed.to_string())?;
        let told = match answer {
            Answer::Done { .. } | Answer::Read { .. } => etcd::told(call, answer)?,
            Answer::Found(item) => check::Answer::Found(Some(item.value.to_vec())),
            Answer::Missing => check::Answer::Found(None),
            Answer::Put { .. } => check::Answer::Written,
            Answer::Mismatch { .. } => check::Answer::Mismatch,
            Answer::Deleted { was_there, .. } => check::Answer::Deleted(was_there),
            other => return Err(format!("{other:?}")),
        };
        if call.fits(&told) { Ok(told) } else { Err(format!("{told:?}")) }
    }

    fn aside(&self, rng: &mut Rng) -> Option<Request> {
        let (latest, compacted) = self.watchers.known();
        let compaction = etcd::compaction(latest, compacted, rng);
        compaction.or_else(|| if self.speaks_etcd { etcd::aside(rng) } else { None })
    }

    fn watch(&mut self, _node: NodeId, reading: &Reading) -> Result<(), String> {
        self.watchers.look(reading)
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
        PRINTER.message(message)
    }

    fn say_input(&self, node: NodeId, input: &InputOf<Raft>) -> String {
        PRINTER.input(node, input)
    }

    fn say_effect(&self, effect: &Effect<Message>, finished: PersistNumber) -> String {
        PRINTER.effect(effect, finished)
    }
}

/// `key1=17.`, `key1=17.(if 12.)`, `delete(key1)`
fn say_command(data: &[u8]) -> String {
    let command = Command::from_bytes(Bytes::copy_from_slice(data));
    command.map_or_else(|_| print::label(data), |command| say_known_command(&command))
}

fn say_known_command(command: &Command) -> String {
    match command {
        Command::Put { key, value, expect } => {
            format!("{}={}{}", shorten(key), shorten(value), say_expectation(expect))
        }
        Command::Delete { key, expect } => {
            format!("delete({}){}", shorten(key), say_expectation(expect))
        }
        Command::Do(transaction) => say_transaction(transaction),
        Command::Compact { revision } => format!("compact({revision})"),
        Command::Grant { lease, seconds } => format!("grant({} {seconds}s)", lease.0),
        Command::Revoke { lease } => format!("revoke({})", lease.0),
        Command::KeepAlive { lease } => format!("keep_alive({})", lease.0),
        Command::TimeLeft { lease, .. } => format!("time_left({})", lease.0),
        Command::As { caller, command } => {
            format!("{}: {}", caller.user, say_known_command(command))
        }
        Command::Auth(change) => format!("{change:?}"),
        Command::Raise(alarm) => format!("raise({:?} of {})", alarm.kind, alarm.member),
        Command::Disarm(alarm) => format!("disarm({:?} of {})", alarm.kind, alarm.member),
    }
}

/// `[key1=17. delete(key2..) get(key3) if 2]`
fn say_transaction(transaction: &Transaction) -> String {
    let say = |operation: &Operation| match operation {
        Operation::Range(range) => format!("get({})", say_keys(&range.keys)),
        Operation::Put(put) => format!("{}={}", shorten(&put.key), shorten(&put.value)),
        Operation::Delete(delete) => format!("delete({})", say_keys(&delete.keys)),
        Operation::Transaction(inner) => say_transaction(inner),
    };
    let operations: Vec<String> = transaction.success.iter().map(say).collect();
    let conditions = match transaction.comparisons.len() {
        0 => String::new(),
        count => format!(" if {count}"),
    };
    format!("[{}{conditions}]", operations.join(" "))
}

fn say_keys(keys: &Keys) -> String {
    let rest = if matches!(keys, Keys::One(_)) { "" } else { ".." };
    shorten(keys.first()) + rest
}

fn say_expectation(expect: &Expect) -> String {
    match expect {
        Expect::Any => String::new(),
        Expect::Absent => "(if absent)".into(),
        Expect::Value(value) => format!("(if {})", shorten(value)),
        Expect::Revision(revision) => format!("(if revision {revision})"),
    }
}

/// Bytes as text; of a heavy value, what it begins with and how heavy it is.
fn shorten(bytes: &[u8]) -> String {
    let text = without_padding(&String::from_utf8_lossy(bytes));
    if bytes.len() < 64 { text } else { format!("{text}({} bytes)", bytes.len()) }
}

fn member(node: NodeId) -> Member {
    Member { name: format!("node{node}"), disk: DiskId(node.0.into()), ..Member::default() }
}
