//! The key/value store in a world: what its clients say to it, by its own interface or by etcd's, and its
//! watchers.

mod etcd;
mod say;
mod watchers;

use kernel::{Bytes, Reading, Rng, Session, Wire};
use kv::{Answer, Command, Expect, KvMachine, Query};
use raft::{Request, print::Printer};
use sim::{Asked, RegisterCall, Registers, Settings};

use crate::system::System;
use watchers::Watchers;

/// How Raft's doings read where its commands are those of the store.
pub const PRINTER: Printer = Printer { command: say::say_command };

/// In one world of so many clients speak etcd's interface.
const ETCD_ONE_IN: u64 = 3;

/// The key/value store.
#[derive(Clone, Debug, Default)]
pub struct Kv {
    /// Clients speak etcd's interface: transactions, leases, compaction.
    speaks_etcd: bool,
    watchers: Watchers,
}

impl System for Kv {
    type Machine = KvMachine;
    type Workload = Registers;

    const PRINTER: Printer = PRINTER;

    fn draw(seed: u64) -> Self {
        let mut rng = Rng::new(seed ^ 0x6574_6364);
        Self { speaks_etcd: rng.chance(1, ETCD_ONE_IN), watchers: Watchers::default() }
    }

    fn workload(&self, settings: &Settings) -> Registers {
        Registers::new(settings)
    }

    fn ask(&self, call: &RegisterCall, session: Option<Session>) -> Asked<Request> {
        let key = Bytes::from(call.key_name());
        if self.speaks_etcd {
            return etcd::ask(&key, &call.call, session);
        }
        let bytes = |value: &Vec<u8>| Bytes::copy_from_slice(value);
        let command = match &call.call {
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

    fn answer(&self, call: &RegisterCall, answer: Bytes) -> Result<check::Answer, String> {
        let call = &call.call;
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

    fn watch(&mut self, reading: &Reading) -> Result<(), String> {
        self.watchers.look(reading)
    }
}
