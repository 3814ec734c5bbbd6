//! What the store holds, as the file that etcd would have: `etcdctl snapshot save` gets it, and a real etcd can be
//! restored from it.
//!
//! ```text
//! a moment of the tables ─▶ walk, for its length ─▶ walk again ─▶ pieces of the file ─▶ its SHA-256
//! ```
//! Buckets and rows are those of etcd 3.4 and 3.5. Members and the version of the cluster are not among them: who
//! restores the file makes a new cluster.

use ::etcd::{
    authpb::{Role, User, UserAddOptions},
    etcdserverpb::{ResponseHeader, SnapshotResponse},
};
use ::kv::{dump, protobuf};
use bbolt::{Layout, Sink, WriteError, Writer};
use bytes::{Bytes, BytesMut};
use kernel::{Fault, Reading};
use prost::Message;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tonic::Status;

use super::{auth, refusal};

/// How many bytes of the file one message has, as in etcd.
const PIECE_BYTES: usize = 32 << 10;

/// Where the pieces of a file go.
pub(super) type Pieces = mpsc::Sender<Result<SnapshotResponse, Status>>;

/// A lease as etcd writes it.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Lease {
    #[prost(int64, tag = "1")]
    pub(super) id: i64,
    #[prost(int64, tag = "2")]
    pub(super) seconds: i64,
}

/// Why there is no whole file.
enum Broken {
    /// The tables cannot be read.
    Fault(Fault),
    /// The store holds what such a file cannot, in words.
    Unfit(String),
    /// Nobody wants it any more.
    Gone,
}

impl From<Fault> for Broken {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl<E> From<WriteError<E>> for Broken {
    fn from(error: WriteError<E>) -> Self {
        match error {
            WriteError::Sink(_) => Self::Gone,
            WriteError::NoBucket => Self::Unfit("a pair before the first bucket".to_owned()),
            WriteError::EmptyKey => Self::Unfit("a key without bytes".to_owned()),
            WriteError::LongKey { bytes } => Self::Unfit(format!("a key of {bytes} bytes")),
            WriteError::LongValue { bytes } => Self::Unfit(format!("a value of {bytes} bytes")),
            WriteError::OutOfOrder => Self::Unfit("keys out of order".to_owned()),
            WriteError::NotAsMeasured => Self::Unfit("something else the second time".to_owned()),
        }
    }
}

/// Sends the file, piece by piece, until it is whole or nobody wants it. Blocks: it reads all that there is, twice.
pub(super) fn send(reading: &Reading, header: Option<ResponseHeader>, pieces: &Pieces) {
    let status = match write(reading, header, pieces) {
        Ok(()) | Err(Broken::Gone) => return,
        Err(Broken::Fault(fault)) => refusal::damaged(&fault),
        Err(Broken::Unfit(what)) => Status::internal(format!("the store holds {what}")),
    };
    // Who has gone does not ask why.
    let _ = pieces.blocking_send(Err(status));
}

fn write(reading: &Reading, header: Option<ResponseHeader>, pieces: &Pieces) -> Result<(), Broken> {
    let layout = walk(reading, Writer::measuring())?;
    let mut file = File {
        pieces,
        header,
        hash: Sha256::new(),
        remaining: layout.file_bytes(),
        piece: BytesMut::with_capacity(PIECE_BYTES),
    };
    walk(
        reading,
        Writer::new(layout, |bytes: &[u8]| file.take(bytes)).map_err(|()| Broken::Gone)?,
    )?;
    file.finish().map_err(|()| Broken::Gone)
}

/// A file on its way.
struct File<'a> {
    pieces: &'a Pieces,
    header: Option<ResponseHeader>,
    hash: Sha256,
    /// How many bytes have not been sent.
    remaining: u64,
    piece: BytesMut,
}

impl File<'_> {
    fn take(&mut self, mut bytes: &[u8]) -> Result<(), ()> {
        while !bytes.is_empty() {
            let room = PIECE_BYTES - self.piece.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.piece.extend_from_slice(now);
            bytes = later;
            if self.piece.len() == PIECE_BYTES {
                self.send_piece()?;
            }
        }
        Ok(())
    }

    fn send_piece(&mut self) -> Result<(), ()> {
        let blob = self.piece.split().freeze();
        self.hash.update(&blob);
        self.remaining -= blob.len() as u64;
        self.send(blob)
    }

    fn send(&self, blob: Bytes) -> Result<(), ()> {
        let header = self.header;
        let answer = SnapshotResponse {
            header,
            remaining_bytes: self.remaining,
            blob,
            ..Default::default()
        };
        self.pieces.blocking_send(Ok(answer)).map_err(|_| ())
    }

    /// What is left, then the hash of all.
    fn finish(mut self) -> Result<(), ()> {
        if !self.piece.is_empty() {
            self.send_piece()?;
        }
        assert_eq!(self.remaining, 0, "a file is as long as it was measured to be");
        let hash = self.hash.clone().finalize();
        self.send(Bytes::copy_from_slice(&hash))
    }
}

/// Goes through all buckets in the order of their names.
fn walk<S: Sink>(reading: &Reading, mut writer: Writer<S>) -> Result<Layout, Broken> {
    writer.bucket(b"alarm")?;
    write_auth(reading, &mut writer)?;
    writer.bucket(b"cluster")?;
    writer.bucket(b"key")?;
    dump::each_change(reading, |left| {
        let key = protobuf::place(left.revision, left.place, left.item.is_err());
        let value = match &left.item {
            Ok(item) => protobuf::key_value(item),
            Err(key) => protobuf::deleted(key),
        };
        writer.pair(&key, &value).map_err(Broken::from)
    })?;
    writer.bucket(b"lease")?;
    dump::each_lease(reading, |id, seconds| {
        let lease = Lease { id: id.0, seconds: seconds.cast_signed() };
        writer.pair(&id.0.to_be_bytes(), &lease.encode_to_vec()).map_err(Broken::from)
    })?;
    writer.bucket(b"members")?;
    writer.bucket(b"members_removed")?;
    writer.bucket(b"meta")?;
    let applied = reading.meta().applied.index.0;
    writer.pair(b"consistent_index", &applied.to_be_bytes())?;
    if let Some(compacted) = ::kv::events::compacted(reading)? {
        // What it gave up is not in the file, so it is finished as well.
        let place = protobuf::place(compacted, 0, false);
        writer.pair(b"finishedCompactRev", &place)?;
        writer.pair(b"scheduledCompactRev", &place)?;
    }
    Ok(writer.finish()?)
}

fn write_auth<S: Sink>(reading: &Reading, writer: &mut Writer<S>) -> Result<(), Broken> {
    let standing = ::kv::auth::standing(reading)?;
    writer.bucket(b"auth")?;
    writer.pair(b"authEnabled", &[u8::from(standing.is_on)])?;
    writer.pair(b"authRevision", &standing.revision.to_be_bytes())?;
    writer.bucket(b"authRoles")?;
    for (name, permissions) in dump::roles(reading)? {
        let role = Role {
            name: Bytes::copy_from_slice(name.as_bytes()),
            key_permission: permissions.into_iter().map(auth::shown).collect(),
        };
        writer.pair(name.as_bytes(), &role.encode_to_vec())?;
    }
    writer.bucket(b"authUsers")?;
    for (name, user) in dump::users(reading)? {
        let user = User {
            name: Bytes::copy_from_slice(name.as_bytes()),
            password: user.password,
            roles: user.roles,
            options: Some(UserAddOptions { no_password: user.no_password }),
        };
        writer.pair(name.as_bytes(), &user.encode_to_vec())?;
    }
    Ok(())
}
