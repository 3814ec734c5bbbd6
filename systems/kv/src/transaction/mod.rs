//! [`Transaction`]: if all this holds do these operations, else those; as etcd's `Txn` defines it.
//!
//! ```text
//! transaction: comparisons | operations if they hold | operations if not     lists: count u32, then each
//! comparison:  keys | target u8 | relation u8 | number i64, or bytes if the target is the value
//! operation:   kind u8: 1 range | 2 key, value, lease i64, flags u8 | 3 keys, flags u8 | 4 transaction
//! ```

mod rules;

use alloc::vec::Vec;

use bytes::Bytes;
use kernel::{Malformed, Reader, Wire, Writer};

use crate::{item::LeaseId, keys::Keys, range::Range};

/// How deep transactions may lie in one another.
const DEPTH_MAX: u32 = 64;

const PREVIOUS: u8 = 1;
const KEEP_VALUE: u8 = 2;
const KEEP_LEASE: u8 = 4;

/// Some operations that happen together, at one revision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transaction {
    /// What must hold, all of it, before any of this transaction is done.
    pub comparisons: Vec<Comparison>,
    /// Done in order if it holds.
    pub success: Vec<Operation>,
    /// Done in order if it does not.
    pub failure: Vec<Operation>,
}

/// A part of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Reads.
    Range(Range),
    /// Writes a key.
    Put(Put),
    /// Deletes keys.
    Delete(Delete),
    /// Decides again.
    Transaction(Transaction),
}

/// Writes a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    /// The key.
    pub key: Bytes,
    /// Its new value.
    pub value: Bytes,
    /// The lease with which it goes from now on.
    pub lease: LeaseId,
    /// What was there is wanted.
    pub previous: bool,
    /// The value stays as it is.
    pub keep_value: bool,
    /// The lease stays as it is.
    pub keep_lease: bool,
}

/// Deletes keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delete {
    /// The keys.
    pub keys: Keys,
    /// What was there is wanted.
    pub previous: bool,
}

/// Something that must hold of each of some keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The keys. If none is there, a key of zeros is compared, which has no value.
    pub keys: Keys,
    /// The relation of what is there to what is said.
    pub relation: Relation,
    /// What is compared with what.
    pub target: Target,
}

/// What is compared with what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The version.
    Version(i64),
    /// The revision that created the item.
    Created(i64),
    /// The revision that last changed the item.
    Modified(i64),
    /// The value.
    Value(Bytes),
    /// The lease.
    Lease(i64),
}

/// How what is there is to what is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// The same.
    Equal,
    /// Greater.
    Greater,
    /// Less.
    Less,
    /// Another.
    NotEqual,
}

impl Transaction {
    /// True if one of its branches would write.
    #[must_use]
    pub fn writes(&self) -> bool {
        self.success.iter().chain(&self.failure).any(|operation| match operation {
            Operation::Range(_) => false,
            Operation::Put(_) | Operation::Delete(_) => true,
            Operation::Transaction(inner) => inner.writes(),
        })
    }
}

impl Operation {
    /// On its own, as a transaction that always succeeds.
    #[must_use]
    pub fn alone(self) -> Transaction {
        Transaction { comparisons: Vec::new(), success: alloc::vec![self], failure: Vec::new() }
    }
}

impl Wire for Transaction {
    fn encode(&self, writer: &mut Writer) {
        writer.put_list(&self.comparisons);
        writer.put_list(&self.success);
        writer.put_list(&self.failure);
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        decode_at(reader, 0)
    }
}

fn decode_at(reader: &mut Reader, depth: u32) -> Result<Transaction, Malformed> {
    if depth > DEPTH_MAX {
        return Err(Malformed("transactions that lie less deep in one another"));
    }
    Ok(Transaction {
        comparisons: reader.take_list()?,
        success: operations_at(reader, depth)?,
        failure: operations_at(reader, depth)?,
    })
}

fn operations_at(reader: &mut Reader, depth: u32) -> Result<Vec<Operation>, Malformed> {
    (0..reader.take_u32()?).map(|_| operation_at(reader, depth)).collect()
}

fn operation_at(reader: &mut Reader, depth: u32) -> Result<Operation, Malformed> {
    match reader.take_u8()? {
        1 => Ok(Operation::Range(Range::decode(reader)?)),
        2 => Ok(Operation::Put(Put::decode(reader)?)),
        3 => Ok(Operation::Delete(Delete::decode(reader)?)),
        4 => Ok(Operation::Transaction(decode_at(reader, depth + 1)?)),
        _ => Err(Malformed("an operation of kind 1 to 4")),
    }
}

impl Wire for Operation {
    fn encode(&self, writer: &mut Writer) {
        match self {
            Self::Range(range) => {
                writer.put_u8(1);
                range.encode(writer);
            }
            Self::Put(put) => {
                writer.put_u8(2);
                put.encode(writer);
            }
            Self::Delete(delete) => {
                writer.put_u8(3);
                delete.encode(writer);
            }
            Self::Transaction(transaction) => {
                writer.put_u8(4);
                transaction.encode(writer);
            }
        }
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        operation_at(reader, 0)
    }
}

impl Wire for Put {
    fn encode(&self, writer: &mut Writer) {
        writer.put_bytes(&self.key);
        writer.put_bytes(&self.value);
        self.lease.encode(writer);
        let flags = [
            (self.previous, PREVIOUS),
            (self.keep_value, KEEP_VALUE),
            (self.keep_lease, KEEP_LEASE),
        ];
        writer.put_u8(flags.into_iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag).sum());
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        let (key, value) = (reader.take_bytes()?, reader.take_bytes()?);
        let lease = LeaseId::decode(reader)?;
        let flags = reader.take_u8()?;
        if flags > PREVIOUS | KEEP_VALUE | KEEP_LEASE {
            return Err(Malformed("flags of a put that this build knows"));
        }
        let has = |flag| flags & flag != 0;
        let (previous, keep_value, keep_lease) = (has(PREVIOUS), has(KEEP_VALUE), has(KEEP_LEASE));
        Ok(Self { key, value, lease, previous, keep_value, keep_lease })
    }
}

impl Wire for Delete {
    fn encode(&self, writer: &mut Writer) {
        self.keys.encode(writer);
        writer.put_u8(u8::from(self.previous));
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self { keys: Keys::decode(reader)?, previous: crate::answer::take_flag(reader)? })
    }
}

impl Wire for Comparison {
    fn encode(&self, writer: &mut Writer) {
        self.keys.encode(writer);
        writer.put_u8(match self.target {
            Target::Version(_) => 1,
            Target::Created(_) => 2,
            Target::Modified(_) => 3,
            Target::Value(_) => 4,
            Target::Lease(_) => 5,
        });
        writer.put_u8(match self.relation {
            Relation::Equal => 1,
            Relation::Greater => 2,
            Relation::Less => 3,
            Relation::NotEqual => 4,
        });
        match &self.target {
            Target::Version(number)
            | Target::Created(number)
            | Target::Modified(number)
            | Target::Lease(number) => writer.put_u64(number.cast_unsigned()),
            Target::Value(value) => writer.put_bytes(value),
        }
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        let keys = Keys::decode(reader)?;
        let target = reader.take_u8()?;
        let relation = match reader.take_u8()? {
            1 => Relation::Equal,
            2 => Relation::Greater,
            3 => Relation::Less,
            4 => Relation::NotEqual,
            _ => return Err(Malformed("a relation from 1 to 4")),
        };
        let target = if target == 4 {
            Target::Value(reader.take_bytes()?)
        } else {
            let number = reader.take_u64()?.cast_signed();
            match target {
                1 => Target::Version(number),
                2 => Target::Created(number),
                3 => Target::Modified(number),
                5 => Target::Lease(number),
                _ => return Err(Malformed("a target from 1 to 5")),
            }
        };
        Ok(Self { keys, relation, target })
    }
}
