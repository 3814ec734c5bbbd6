//! A snapshot of etcd becomes the first tables of a cluster: keys with their revisions, leases, users and roles.
//!
//! Members are not taken: they were those of another cluster. Authentication is off until somebody turns it on, since
//! the key that makes tokens is drawn then.

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    os::unix::fs::FileExt,
    path::Path,
};

use ::etcd::{
    authpb::{Role, User},
    mvccpb::KeyValue,
};
use ::kv::{Item, LeaseId, dump::Left, load::Loading};
use bbolt::{Reader, Source};
use host::FirstTables;
use kernel::Fault;
use prost::Message;
use sha2::{Digest, Sha256};

use super::{auth, snapshot::Lease};

/// How many bytes the hash behind the file has.
const HASH_BYTES: u64 = 32;
/// A file is a whole number of these long, the hash left aside.
const SECTOR_BYTES: u64 = 512;

/// A snapshot of etcd whose hash is right.
#[derive(Debug)]
pub struct EtcdSnapshot {
    file: File,
    bytes: u64,
    hash: [u8; HASH_BYTES as usize],
}

/// What a snapshot holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holds {
    /// The revision of the last change.
    pub revision: u64,
    /// Changes of keys that can still be read: the last of each key, and what no compaction has given up.
    pub changes: u64,
    /// Leases.
    pub leases: u64,
    /// Users.
    pub users: u64,
    /// True if authentication was on.
    pub authentication: bool,
}

impl fmt::Display for Holds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { revision, changes, leases, users, .. } = self;
        write!(
            formatter,
            "revision {revision}, with {changes} changes, {leases} leases and {users} users"
        )
    }
}

impl Source for &EtcdSnapshot {
    type Error = io::Error;

    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), io::Error> {
        self.file.read_exact_at(into, offset)
    }
}

impl EtcdSnapshot {
    /// Opens the file and checks its hash.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence.
    pub fn open(path: &Path) -> Result<Self, String> {
        let unreadable = |error| format!("{} cannot be read: {error}.", path.display());
        let mut file = File::open(path).map_err(unreadable)?;
        let length = file.metadata().map_err(unreadable)?.len();
        if length < HASH_BYTES || length % SECTOR_BYTES != HASH_BYTES {
            return Err(format!(
                "{} has no hash behind it, so it is no whole snapshot; make one with `etcdctl snapshot save`.",
                path.display()
            ));
        }
        let bytes = length - HASH_BYTES;
        let (mut hash, mut part) = (Sha256::new(), vec![0; 1 << 20]);
        let mut left = (&mut file).take(bytes);
        loop {
            let count = left.read(&mut part).map_err(unreadable)?;
            if count == 0 {
                break;
            }
            hash.update(&part[..count]);
        }
        let mut expected = [0; HASH_BYTES as usize];
        file.read_exact_at(&mut expected, bytes).map_err(unreadable)?;
        if hash.finalize()[..] != expected {
            return Err(format!(
                "{} is damaged: its hash is not that of its bytes. Take another copy.",
                path.display()
            ));
        }
        Ok(Self { file, bytes, hash: expected })
    }

    /// The hash of its bytes: another snapshot has another.
    #[must_use]
    pub const fn hash(&self) -> &[u8] {
        &self.hash
    }

    /// Writes what it holds into the tables of a new cluster.
    ///
    /// # Errors
    /// [`Fault::Corrupt`] if it makes no sense, another [`Fault`] if the tables cannot be written.
    pub fn fill(&self, first: &mut FirstTables) -> Result<(), Fault> {
        let mut compacted = None;
        self.each("meta", |key, value| {
            // What was scheduled can no longer be read, whether it was finished or not.
            if matches!(key, b"scheduledCompactRev" | b"finishedCompactRev") {
                compacted = compacted.max(Some(number(value)?));
            }
            Ok(())
        })?;
        let mut loading = Loading::begin(compacted, first.tables()?)?;
        self.each("lease", |_, value| {
            let lease: Lease = message(value)?;
            loading.lease(LeaseId(lease.id), lease.seconds.cast_unsigned(), first.tables()?)
        })?;
        self.each("key", |key, value| loading.change(&left(key, value)?, first.tables()?))?;
        self.each("authRoles", |_, value| {
            let role: Role = message(value)?;
            let permissions: Result<Vec<_>, _> =
                role.key_permission.into_iter().map(auth::permission).collect();
            let permissions = permissions.map_err(|status| corrupt(status.message()))?;
            loading.role(&name(&role.name)?, &permissions, first.tables()?)
        })?;
        self.each("authUsers", |_, value| {
            let User { name: of, password, mut roles, options } = message(value)?;
            roles.sort_unstable();
            let no_password = options.is_some_and(|options| options.no_password);
            let user = ::kv::User { no_password, password, roles };
            loading.user(&name(&of)?, &user, first.tables()?)
        })?;
        loading.end(first.tables()?)?;
        Ok(())
    }

    /// Goes through all of it, and says what there is.
    ///
    /// # Errors
    /// What makes no sense, as a sentence.
    pub fn holds(&self) -> Result<Holds, String> {
        self.count().map_err(|fault| format!("The file cannot be used: {fault}."))
    }

    fn count(&self) -> Result<Holds, Fault> {
        let mut holds = Holds { revision: 1, ..Holds::default() };
        self.each("key", |key, value| {
            let left = left(key, value)?;
            (holds.revision, holds.changes) = (left.revision, holds.changes + 1);
            Ok(())
        })?;
        self.each("lease", |_, value| {
            holds.leases += 1;
            message::<Lease>(value).map(drop)
        })?;
        self.each("authUsers", |_, value| {
            holds.users += 1;
            message::<User>(value).map(drop)
        })?;
        self.each("auth", |key, value| {
            holds.authentication |= key == b"authEnabled" && value == [1];
            Ok(())
        })?;
        Ok(holds)
    }

    /// Goes through a bucket, if there is one.
    fn each(
        &self,
        bucket: &str,
        mut take: impl FnMut(&[u8], &[u8]) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let reader = Reader::open(self).map_err(damaged)?;
        let Some(bucket) = reader.bucket(bucket.as_bytes()).map_err(damaged)? else {
            return Ok(());
        };
        let mut pairs = reader.pairs(&bucket).map_err(damaged)?;
        while let Some(pair) = pairs.next_pair().map_err(damaged)? {
            take(pair.key, pair.value)?;
        }
        Ok(())
    }
}

/// What a change left: revision, an underscore, place, and a mark behind if the key was deleted.
fn left(place: &[u8], value: &[u8]) -> Result<Left, Fault> {
    let (revision, rest) = (number(place)?, place.get(9..).unwrap_or_default());
    let among = u32::try_from(number(rest)?).map_err(|_| corrupt("a place is too large"))?;
    let KeyValue { key, value, create_revision, mod_revision, version, lease } = message(value)?;
    let item = match rest.get(8..) {
        Some([]) => Ok(Item {
            key,
            value,
            created: create_revision.cast_unsigned(),
            modified: mod_revision.cast_unsigned(),
            version: version.cast_unsigned(),
            lease: LeaseId(lease),
        }),
        _ => Err(key),
    };
    Ok(Left { revision, place: among, item })
}

fn number(bytes: &[u8]) -> Result<u64, Fault> {
    let first = bytes.first_chunk().ok_or_else(|| corrupt("a number is cut"))?;
    Ok(u64::from_be_bytes(*first))
}

fn message<M: Message + Default>(value: &[u8]) -> Result<M, Fault> {
    M::decode(value).map_err(|error| corrupt(&error.to_string()))
}

fn name(bytes: &[u8]) -> Result<String, Fault> {
    String::from_utf8(bytes.to_vec()).map_err(|_| corrupt("a name is not in UTF-8"))
}

fn corrupt(what: &str) -> Fault {
    Fault::Corrupt(format!("the snapshot makes no sense: {what}"))
}

fn damaged(error: impl fmt::Display) -> Fault {
    corrupt(&error.to_string())
}
