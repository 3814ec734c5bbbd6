//! [`Replies`]: what the operations of a transaction came to.
//!
//! ```text
//! replies: succeeded u8 | count u32 | each: revision u64 | kind u8
//!   1 range found | 2 previous item, if any | 3 count u64, previous items | 4 replies
//! ```

use alloc::vec::Vec;

use kernel::{Malformed, Reader, Wire, Writer};

use crate::{answer::take_flag, item::Item, range::Found};

/// What the operations of a transaction came to, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replies {
    /// True if all that was compared held.
    pub succeeded: bool,
    /// One for each operation.
    pub replies: Vec<Reply>,
}

/// What an operation came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The revision after it, counting what the transaction had changed so far.
    pub revision: u64,
    /// What it came to.
    pub kind: ReplyKind,
}

/// What an operation came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplyKind {
    /// What was found.
    Range(Found),
    /// Done; what was there before, if that was wanted.
    Put(Option<Item>),
    /// Done.
    Deleted {
        /// How many keys were deleted.
        count: u64,
        /// What was there before, if that was wanted.
        previous: Vec<Item>,
    },
    /// What the inner transaction came to.
    Transaction(Replies),
}

impl Wire for Replies {
    fn encode(&self, writer: &mut Writer) {
        writer.put_u8(u8::from(self.succeeded));
        writer.put_list(&self.replies);
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self { succeeded: take_flag(reader)?, replies: reader.take_list()? })
    }
}

impl Wire for Reply {
    fn encode(&self, writer: &mut Writer) {
        writer.put_u64(self.revision);
        match &self.kind {
            ReplyKind::Range(found) => {
                writer.put_u8(1);
                found.encode(writer);
            }
            ReplyKind::Put(previous) => {
                writer.put_u8(2);
                writer.put_option(previous.as_ref());
            }
            ReplyKind::Deleted { count, previous } => {
                writer.put_u8(3);
                writer.put_u64(*count);
                writer.put_list(previous);
            }
            ReplyKind::Transaction(replies) => {
                writer.put_u8(4);
                replies.encode(writer);
            }
        }
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        let revision = reader.take_u64()?;
        let kind = match reader.take_u8()? {
            1 => ReplyKind::Range(Found::decode(reader)?),
            2 => ReplyKind::Put(reader.take_option()?),
            3 => ReplyKind::Deleted { count: reader.take_u64()?, previous: reader.take_list()? },
            4 => ReplyKind::Transaction(Replies::decode(reader)?),
            _ => return Err(Malformed("a reply of kind 1 to 4")),
        };
        Ok(Self { revision, kind })
    }
}
