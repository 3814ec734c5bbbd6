//! The greeting: who is there on either side of a connection, before anything else is believed.
//!
//! ```text
//! magic "ARCHIPEL" | length u16 | checksum u32 of the body | body
//!
//! body   version u16 | purpose u8 (1: messages between nodes)
//!        cluster u128 | node u64 | disk u128 | incarnation u64 | wanted node u64
//!        address with length | reason with length        why it is refused; empty: it is not
//! ```

use bytes::Bytes;
use kernel::{ClusterId, DiskId, Incarnation, Malformed, NodeId, Reader, Wire, Writer};

use super::frame::{Nonsense, greeting_checksum};

const MAGIC: &[u8; 8] = b"ARCHIPEL";
const VERSION: u16 = 1;
const PURPOSE_MESSAGES: u8 = 1;
const HEAD_BYTES: usize = MAGIC.len() + 2 + 4;
const BODY_BYTES_MAX: usize = 2048;

/// Who somebody is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Introduction {
    pub(crate) cluster: ClusterId,
    pub(crate) node: NodeId,
    pub(crate) disk: DiskId,
    pub(crate) incarnation: Incarnation,
    /// Where it is reached, for those that do not know it as a member.
    pub(crate) address: String,
}

/// What is said first, by either side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Greeting {
    pub(super) introduction: Introduction,
    /// Whom it is said to.
    pub(super) to: NodeId,
    /// Why the other side is refused; empty if it is welcome.
    pub(super) refusal: String,
}

impl Greeting {
    pub(super) fn to_wire(&self) -> Vec<u8> {
        let body = self.to_bytes();
        let length = u16::try_from(body.len()).expect("a greeting is short");
        let mut writer = Writer::with_capacity(HEAD_BYTES + body.len());
        writer.put_raw(MAGIC);
        writer.put_u16(length);
        writer.put_u32(greeting_checksum(&body));
        writer.put_raw(&body);
        writer.into_vec()
    }

    /// The greeting at the front of `bytes` and its length, if it is here whole.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, Nonsense> {
        let present = bytes.len().min(MAGIC.len());
        if bytes[..present] != MAGIC[..present] {
            return Err("something that is no greeting of a node");
        }
        let Some((head, rest)) = bytes.split_at_checked(HEAD_BYTES) else {
            return Ok(None);
        };
        let mut head = Reader::new(Bytes::copy_from_slice(&head[MAGIC.len()..]));
        let read = |_: Malformed| "a greeting cut short";
        let length = usize::from(head.take_u16().map_err(read)?);
        let checksum = head.take_u32().map_err(read)?;
        if length > BODY_BYTES_MAX {
            return Err("a greeting over the limit");
        }
        let Some(body) = rest.get(..length) else {
            return Ok(None);
        };
        if greeting_checksum(body) != checksum {
            return Err("a greeting that does not match its checksum");
        }
        let greeting = Self::from_bytes(Bytes::copy_from_slice(body))
            .map_err(|_| "a greeting of another version; run the same version on all nodes")?;
        Ok(Some((greeting, HEAD_BYTES + length)))
    }
}

impl Wire for Greeting {
    fn encode(&self, writer: &mut Writer) {
        writer.put_u16(VERSION);
        writer.put_u8(PURPOSE_MESSAGES);
        self.introduction.cluster.encode(writer);
        self.introduction.node.encode(writer);
        self.introduction.disk.encode(writer);
        self.introduction.incarnation.encode(writer);
        self.to.encode(writer);
        writer.put_bytes(self.introduction.address.as_bytes());
        writer.put_bytes(self.refusal.as_bytes());
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        if reader.take_u16()? != VERSION || reader.take_u8()? != PURPOSE_MESSAGES {
            return Err(Malformed("a greeting of version 1 for messages"));
        }
        let cluster = ClusterId::decode(reader)?;
        let node = NodeId::decode(reader)?;
        let disk = DiskId::decode(reader)?;
        let incarnation = Incarnation::decode(reader)?;
        let to = NodeId::decode(reader)?;
        let address = reader.take_string()?;
        let refusal = reader.take_string()?;
        let introduction = Introduction { cluster, node, disk, incarnation, address };
        Ok(Self { introduction, to, refusal })
    }
}

#[cfg(test)]
mod tests {
    use kernel::{ClusterId, DiskId, Incarnation, NodeId};

    use super::{Greeting, Introduction};

    fn greeting() -> Greeting {
        let introduction = Introduction {
            cluster: ClusterId(1),
            node: NodeId(2),
            disk: DiskId(3),
            incarnation: Incarnation(4),
            address: String::from("127.0.0.1:5"),
        };
        Greeting { introduction, to: NodeId(6), refusal: String::from("no") }
    }

    #[test]
    fn a_greeting_is_read_back_once_it_is_whole() {
        let bytes = greeting().to_wire();
        for length in 0..bytes.len() {
            assert_eq!(Greeting::parse(&bytes[..length]), Ok(None), "{length} bytes");
        }
        assert_eq!(Greeting::parse(&bytes), Ok(Some((greeting(), bytes.len()))));
    }

    #[test]
    fn what_is_no_greeting_is_known_at_its_first_bytes() {
        assert!(Greeting::parse(b"GET / HTTP/1.1").is_err());
        assert!(Greeting::parse(b"G").is_err());
    }

    #[test]
    fn no_flipped_bit_gives_another_greeting() {
        let bytes = greeting().to_wire();
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(!matches!(Greeting::parse(&damaged), Ok(Some(_))), "bit {bit}");
        }
    }
}
