//! Operations drawn from a seed, over so few keys, leases and watches that they meet.

mod reads;
mod transactions;
mod watches;

use bytes::Bytes;
use etcd::etcdserverpb::PutRequest;
use kernel::Rng;

use super::operation::Operation;

const KEYS: &[&[u8]] = &[b"a", b"aa", b"ab", b"b", b"b\0", b"c", b"\xff\xfe"];
const ENDS: &[&[u8]] = &[b"aa", b"ab\0", b"b", b"c", b"d", b"\xff"];
/// A range's end that means: all keys from the start on.
const NO_END: &[u8] = b"\0";
/// The leases that clients choose. None ends by itself within a run.
const LEASES: &[i64] = &[1001, 1002, 1003];
const LEASE_TTLS_S: &[i64] = &[600, 700, 9_000_000_000];
/// A checkpoint follows after about as many operations.
const BETWEEN_CHECKPOINTS: u64 = 40;

/// The operations of a seed; a checkpoint is the last.
pub(crate) fn operations(seed: u64, count: usize) -> Vec<Operation> {
    let mut drawer = Drawer { rng: Rng::new(seed), values: 0 };
    let mut drawn: Vec<Operation> = (1..count).map(|_| drawer.operation()).collect();
    drawn.push(Operation::Checkpoint);
    drawn
}

/// What draws.
struct Drawer {
    rng: Rng,
    /// How many values were made: each is another one.
    values: u64,
}

impl Drawer {
    fn operation(&mut self) -> Operation {
        if self.chance(1, BETWEEN_CHECKPOINTS) {
            return Operation::Checkpoint;
        }
        match self.rng.below(100) {
            0..35 => Operation::Put(self.put()),
            35..55 => Operation::Range(self.range()),
            55..63 => Operation::DeleteRange(self.delete_range()),
            63..80 => Operation::Txn(self.txn()),
            80..82 => self.compact(),
            82..91 => self.lease(),
            _ => self.watch(),
        }
    }

    fn put(&mut self) -> PutRequest {
        let mut put = PutRequest {
            key: self.key(),
            value: self.value(),
            lease: if self.chance(1, 4) { self.lease_id() } else { 0 },
            prev_kv: self.chance(1, 4),
            ignore_value: self.chance(1, 15),
            ignore_lease: self.chance(1, 15),
        };
        // With a value, and with a lease, they are errors.
        if put.ignore_value && self.chance(4, 5) {
            put.value.clear();
        }
        if put.ignore_lease && self.chance(4, 5) {
            put.lease = 0;
        }
        put
    }

    fn lease(&mut self) -> Operation {
        let lease = self.lease_id();
        match self.rng.below(14) {
            0..4 => Operation::Grant { lease, ttl_s: self.one_of(LEASE_TTLS_S) },
            4..6 => {
                let lease = self.one_of(&[0, 0, 2001, lease]);
                Operation::GrantAndRevoke { lease, ttl_s: self.one_of(&[-5, 0, 1, 2, 3, 600]) }
            }
            6 => Operation::Grant { lease: 2002, ttl_s: 9_000_000_001 },
            7..9 => Operation::Revoke { lease },
            9..11 => Operation::KeepAlive { lease },
            11..13 => Operation::TimeToLive { lease, keys: self.chance(2, 3) },
            _ => Operation::Leases,
        }
    }

    fn compact(&mut self) -> Operation {
        // Mostly a while back, at times where there is nothing to compact or nothing yet.
        let revision = match self.rng.below(8) {
            0 => -1,
            1 => 1,
            2 => 1000,
            3 => 0,
            _ => self.between(2, 60),
        };
        Operation::Compact { revision, physical: self.chance(1, 2) }
    }

    fn key(&mut self) -> Bytes {
        let key = if self.chance(1, 60) { b"" } else { self.one_of(KEYS) };
        Bytes::from_static(key)
    }

    /// The end of a range: mostly one key only, at times before its start.
    fn end(&mut self) -> Bytes {
        Bytes::from_static(match self.rng.below(10) {
            0..4 => b"",
            4..9 => self.one_of(ENDS),
            _ => NO_END,
        })
    }

    fn value(&mut self) -> Bytes {
        if self.chance(1, 20) {
            return Bytes::new();
        }
        self.values += 1;
        Bytes::from(format!("{}", self.values % 1000))
    }

    /// A lease, mostly one of those that are granted at times.
    fn lease_id(&mut self) -> i64 {
        if self.chance(1, 20) { 3003 } else { self.one_of(LEASES) }
    }

    /// A relative revision: mostly in the near past.
    fn revision(&mut self) -> i64 {
        match self.rng.below(10) {
            0..7 => self.between(1, 30),
            7..9 => self.between(1, 200),
            _ => -self.between(1, 3),
        }
    }

    fn between(&mut self, low: u64, high: u64) -> i64 {
        i64::try_from(self.rng.between(low, high)).expect("small numbers are drawn")
    }

    fn one_of<T: Copy>(&mut self, items: &[T]) -> T {
        *self.rng.pick(items).expect("what is drawn from is not empty")
    }

    fn chance(&mut self, numerator: u64, denominator: u64) -> bool {
        self.rng.chance(numerator, denominator)
    }
}
