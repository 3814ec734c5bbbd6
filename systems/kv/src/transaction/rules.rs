//! Which transactions are refused before anything is looked at.

use alloc::{collections::BTreeSet, vec::Vec};

use bytes::Bytes;

use super::{Operation, Transaction};
use crate::{failure::Failure, keys::Keys};

/// The most comparisons or operations of a transaction, those that lie in it included.
const OPERATIONS_MAX: usize = 128;

impl Transaction {
    /// Holds the transaction against the rules: no empty key, not too many operations, no key put twice
    /// or put and deleted. A front asks before it proposes the transaction, the state machine asks again.
    ///
    /// # Errors
    /// Which rule it breaks.
    pub fn check(&self) -> Result<(), Failure> {
        self.check_sizes(OPERATIONS_MAX)?;
        changes(&self.success)?;
        changes(&self.failure)?;
        Ok(())
    }

    fn check_sizes(&self, operations_max: usize) -> Result<(), Failure> {
        let operations = self.comparisons.len().max(self.success.len()).max(self.failure.len());
        if operations > operations_max {
            return Err(Failure::TooManyOperations);
        }
        if self.comparisons.iter().any(|comparison| comparison.keys.first().is_empty()) {
            return Err(Failure::KeyEmpty);
        }
        for operation in self.success.iter().chain(&self.failure) {
            match operation {
                Operation::Range(range) => check_key(range.keys.first())?,
                Operation::Put(put) => check_key(&put.key)?,
                Operation::Delete(delete) => check_key(delete.keys.first())?,
                Operation::Transaction(inner) => inner.check_sizes(operations_max - operations)?,
            }
        }
        Ok(())
    }
}

const fn check_key(key: &Bytes) -> Result<(), Failure> {
    if key.is_empty() { Err(Failure::KeyEmpty) } else { Ok(()) }
}

/// What a list of operations may change.
#[derive(Default)]
struct Changes {
    puts: BTreeSet<Bytes>,
    deletes: Vec<Keys>,
}

/// What these operations may change together; a failure if that is a key twice. Two deletions of a key
/// are one.
fn changes(operations: &[Operation]) -> Result<Changes, Failure> {
    let mut changes = Changes::default();
    for operation in operations {
        if let Operation::Delete(delete) = operation {
            changes.deletes.push(delete.keys.clone());
        }
    }
    for operation in operations {
        if let Operation::Transaction(inner) = operation {
            changes.take_branches(inner)?;
        }
    }
    for operation in operations {
        if let Operation::Put(put) = operation {
            changes.put(put.key.clone(), None)?;
        }
    }
    Ok(changes)
}

impl Changes {
    /// Only one of the branches will happen, so both may put the same key.
    fn take_branches(&mut self, inner: &Transaction) -> Result<(), Failure> {
        let (success, failure) = (changes(&inner.success)?, changes(&inner.failure)?);
        let deletes = [success.deletes, failure.deletes].concat();
        // etcd lets a key be put by one transaction and deleted by the next one beside it.
        let is_put = |keys: &Keys| self.puts.iter().any(|key| keys.contains(key));
        if deletes.iter().any(is_put) {
            return Err(Failure::DuplicateKey);
        }
        for key in &success.puts {
            self.put(key.clone(), None)?;
        }
        for key in failure.puts {
            self.put(key, Some(&success.puts))?;
        }
        self.deletes.extend(deletes);
        Ok(())
    }

    fn put(&mut self, key: Bytes, instead_of: Option<&BTreeSet<Bytes>>) -> Result<(), Failure> {
        let is_deleted = self.deletes.iter().any(|keys| keys.contains(&key));
        let is_instead = instead_of.is_some_and(|puts| puts.contains(&key));
        if is_deleted || !self.puts.insert(key) && !is_instead {
            return Err(Failure::DuplicateKey);
        }
        Ok(())
    }
}
