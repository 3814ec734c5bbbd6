//! [`Failure`]: why a command or a read of etcd's kind changes or gives nothing.

use core::fmt;

use kernel::Malformed;

use crate::auth::failure::{ALL as ALL_OF_AUTH, AuthFailure};

/// Why a command or a read of etcd's kind changes or gives nothing. A front finds the words of its
/// protocol for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// What is there was to be kept, and there is nothing.
    KeyNotFound,
    /// There is no such lease.
    LeaseNotFound,
    /// There is such a lease.
    LeaseExists,
    /// The lease would last too long.
    LeaseTooLong,
    /// The revision has been compacted away.
    Compacted,
    /// The revision has not been reached.
    FutureRevision,
    /// A transaction changes a key twice.
    DuplicateKey,
    /// A transaction has too many operations.
    TooManyOperations,
    /// A key is empty.
    KeyEmpty,
    /// Some member has no space, and an alarm says so.
    NoSpace,
    /// Some member is corrupt, and an alarm says so.
    Corrupt,
    /// The caller may not do that, or users and roles stay as they are.
    Auth(AuthFailure),
}

const ALL: [Failure; 11] = [
    Failure::KeyNotFound,
    Failure::LeaseNotFound,
    Failure::LeaseExists,
    Failure::LeaseTooLong,
    Failure::Compacted,
    Failure::FutureRevision,
    Failure::DuplicateKey,
    Failure::TooManyOperations,
    Failure::KeyEmpty,
    Failure::NoSpace,
    Failure::Corrupt,
];

impl Failure {
    /// Its number, from 1.
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::KeyNotFound => 1,
            Self::LeaseNotFound => 2,
            Self::LeaseExists => 3,
            Self::LeaseTooLong => 4,
            Self::Compacted => 5,
            Self::FutureRevision => 6,
            Self::DuplicateKey => 7,
            Self::TooManyOperations => 8,
            Self::KeyEmpty => 9,
            Self::NoSpace => 10,
            Self::Corrupt => 11,
            Self::Auth(failure) => failure.number(),
        }
    }

    pub(crate) fn from_number(number: u8) -> Result<Self, Malformed> {
        let mut all = ALL.into_iter().chain(ALL_OF_AUTH.map(Self::Auth));
        let found = all.find(|failure| failure.number() == number);
        found.ok_or(Malformed("a failure from 1 to 24"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Self::KeyNotFound => "the key is not there",
            Self::LeaseNotFound => "there is no such lease",
            Self::LeaseExists => "there is such a lease already",
            Self::LeaseTooLong => "the lease would last too long",
            Self::Compacted => "the revision has been compacted away",
            Self::FutureRevision => "the revision has not been reached",
            Self::DuplicateKey => "the transaction changes a key twice",
            Self::TooManyOperations => "the transaction has too many operations",
            Self::KeyEmpty => "the key is empty; a key has at least one byte",
            Self::NoSpace => "a member has no space left for its tables",
            Self::Corrupt => "a member is corrupt",
            Self::Auth(failure) => return failure.fmt(formatter),
        };
        formatter.write_str(words)
    }
}
