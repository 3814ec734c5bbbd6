//! [`Item`]: a key and all that the store knows of it.

use bytes::Bytes;
use kernel::{Malformed, Reader, Wire, Writer};

/// A key and all that the store knows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The key.
    pub key: Bytes,
    /// Its value.
    pub value: Bytes,
    /// The revision that created it.
    pub created: u64,
    /// The revision that last changed it.
    pub modified: u64,
    /// How often it has been put since it was created, from 1.
    pub version: u64,
    /// The lease with which it goes.
    pub lease: LeaseId,
}

impl Item {
    /// What is known of a key that a revision deleted: its key and that revision.
    pub(crate) const fn gone(key: Bytes, revision: u64) -> Self {
        let lease = LeaseId::NONE;
        Self { key, value: Bytes::new(), created: 0, modified: revision, version: 0, lease }
    }
}

/// The number of a lease. Never 0, which stands for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseId(pub i64);

impl LeaseId {
    /// No lease.
    pub const NONE: Self = Self(0);

    /// True unless it stands for no lease.
    #[must_use]
    pub const fn is_some(self) -> bool {
        self.0 != 0
    }

    pub(crate) const fn to_key(self) -> [u8; 8] {
        self.0.cast_unsigned().to_be_bytes()
    }

    pub(crate) const fn from_bits(bits: u64) -> Self {
        Self(bits.cast_signed())
    }
}

impl Wire for LeaseId {
    fn encode(&self, writer: &mut Writer) {
        writer.put_u64(self.0.cast_unsigned());
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self::from_bits(reader.take_u64()?))
    }
}

impl Wire for Item {
    fn encode(&self, writer: &mut Writer) {
        writer.put_bytes(&self.key);
        writer.put_bytes(&self.value);
        writer.put_u64(self.created);
        writer.put_u64(self.modified);
        writer.put_u64(self.version);
        self.lease.encode(writer);
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            key: reader.take_bytes()?,
            value: reader.take_bytes()?,
            created: reader.take_u64()?,
            modified: reader.take_u64()?,
            version: reader.take_u64()?,
            lease: LeaseId::decode(reader)?,
        })
    }
}
