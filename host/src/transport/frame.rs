//! Frames: what goes over a connection after the greeting.
//!
//! ```text
//! length u32 | checksum u32 | group u64 | payload
//! ```
//! The length counts the group and the payload. The checksum is the CRC-32C of the length, the group and
//! the payload. A length is compared with the limit before any memory is taken for it.

use bytes::Bytes;
use kernel::{
    GroupId, Wire, Writer,
    checksum::{crc32c, crc32c_of},
};

/// Length and checksum.
pub(super) const HEAD_BYTES: usize = 8;
const GROUP_BYTES: usize = 8;

/// Frames gather in pieces of at least this size.
const BUFFER_BYTES: usize = 64 << 10;

/// Appends a message as a frame; false if it is over the limit, and then nothing is appended.
pub(super) fn append(
    writer: &mut Writer,
    group: GroupId,
    message: &impl Wire,
    bytes_max: u32,
) -> bool {
    let start = writer.len();
    writer.put_u64(0);
    group.encode(writer);
    message.encode(writer);
    let length = writer.len() - start - HEAD_BYTES;
    let Some(length) = u32::try_from(length).ok().filter(|length| *length <= bytes_max) else {
        let mut bytes = std::mem::take(writer).into_vec();
        bytes.truncate(start);
        writer.put_raw(&bytes);
        return false;
    };
    let (head, body) = writer.as_mut_slice()[start..].split_at_mut(HEAD_BYTES);
    head[..4].copy_from_slice(&length.to_le_bytes());
    let checksum = crc32c_of(&[&head[..4], body]);
    head[4..].copy_from_slice(&checksum.to_le_bytes());
    true
}

/// The group and the payload of a frame's body.
pub(crate) fn group_payload(body: Bytes) -> Option<(GroupId, Bytes)> {
    let (group, _) = body.split_first_chunk::<GROUP_BYTES>()?;
    let group = GroupId(u64::from_le_bytes(*group));
    Some((group, body.slice(GROUP_BYTES..)))
}

/// Cuts a stream of bytes into frames.
#[derive(Debug)]
pub(super) struct FrameReader {
    buffer: Vec<u8>,
    /// What has been read and not been taken yet: from `taken` to `filled`.
    taken: usize,
    filled: usize,
}

/// Why a stream makes no sense.
pub(super) type Nonsense = &'static str;

impl FrameReader {
    pub(super) fn new() -> Self {
        Self { buffer: vec![0; BUFFER_BYTES], taken: 0, filled: 0 }
    }

    /// Where to read to; never empty.
    pub(super) fn space(&mut self) -> &mut [u8] {
        if self.taken == self.filled {
            self.taken = 0;
            self.filled = 0;
        }
        if self.filled == self.buffer.len() {
            self.buffer.copy_within(self.taken..self.filled, 0);
            self.filled -= self.taken;
            self.taken = 0;
        }
        &mut self.buffer[self.filled..]
    }

    /// So many bytes have been read into the space.
    pub(super) fn read(&mut self, count: usize) {
        self.filled += count;
        assert!(self.filled <= self.buffer.len(), "no more is read than there is space");
    }

    /// What has been read and not been taken.
    pub(super) fn rest(&self) -> &[u8] {
        &self.buffer[self.taken..self.filled]
    }

    /// Takes bytes that are no frame.
    pub(super) fn skip(&mut self, count: usize) {
        self.taken += count;
        assert!(self.taken <= self.filled, "no more is taken than was read");
    }

    /// The body of the next frame, if it is here whole.
    pub(super) fn next(&mut self, bytes_max: u32) -> Result<Option<Bytes>, Nonsense> {
        let Some((head, _)) = self.rest().split_first_chunk::<HEAD_BYTES>() else {
            return Ok(None);
        };
        let [l0, l1, l2, l3, c0, c1, c2, c3] = *head;
        let length = u32::from_le_bytes([l0, l1, l2, l3]);
        let checksum = u32::from_le_bytes([c0, c1, c2, c3]);
        if length > bytes_max {
            return Err("a frame over the limit");
        }
        let whole = HEAD_BYTES + length as usize;
        if self.rest().len() < whole {
            self.make_room(whole);
            return Ok(None);
        }
        let body = &self.rest()[HEAD_BYTES..whole];
        if crc32c_of(&[&length.to_le_bytes(), body]) != checksum {
            return Err("a frame that does not match its checksum");
        }
        let body = self.take_body(whole);
        Ok(Some(body))
    }

    /// A large frame gets a buffer of exactly its size, which then becomes the payload without a copy.
    fn make_room(&mut self, whole: usize) {
        if whole > self.buffer.len() {
            let mut buffer = vec![0; whole];
            let rest = self.filled - self.taken;
            buffer[..rest].copy_from_slice(&self.buffer[self.taken..self.filled]);
            self.buffer = buffer;
            self.taken = 0;
            self.filled = rest;
        }
    }

    fn take_body(&mut self, whole: usize) -> Bytes {
        if whole > BUFFER_BYTES && whole == self.buffer.len() {
            let frame = std::mem::replace(&mut self.buffer, vec![0; BUFFER_BYTES]);
            self.taken = 0;
            self.filled = 0;
            return Bytes::from(frame).slice(HEAD_BYTES..);
        }
        let body = Bytes::copy_from_slice(&self.rest()[HEAD_BYTES..whole]);
        self.skip(whole);
        body
    }
}

/// The checksum of a greeting.
pub(super) fn greeting_checksum(body: &[u8]) -> u32 {
    crc32c(body)
}

#[cfg(test)]
mod tests {
    use kernel::{GroupId, Incarnation, Writer};

    use super::{BUFFER_BYTES, FrameReader, append, group_payload};

    fn frames(count: u64) -> Vec<u8> {
        let mut writer = Writer::default();
        for number in 0..count {
            assert!(append(&mut writer, GroupId(7), &Incarnation(number), 1000));
        }
        writer.into_vec()
    }

    fn feed(reader: &mut FrameReader, mut bytes: &[u8], piece: usize) -> Vec<(GroupId, Vec<u8>)> {
        let mut bodies = Vec::new();
        while !bytes.is_empty() {
            let space = reader.space();
            let count = piece.min(bytes.len()).min(space.len());
            space[..count].copy_from_slice(&bytes[..count]);
            reader.read(count);
            bytes = &bytes[count..];
            while let Some(body) = reader.next(1 << 20).unwrap() {
                let (group, payload) = group_payload(body).unwrap();
                bodies.push((group, payload.to_vec()));
            }
        }
        bodies
    }

    #[test]
    fn frames_come_out_whole_however_they_are_cut() {
        let bytes = frames(100);
        for piece in [1, 2, 7, 8, 9, 100, 5000] {
            let bodies = feed(&mut FrameReader::new(), &bytes, piece);
            assert_eq!(bodies.len(), 100);
            assert_eq!(bodies[99], (GroupId(7), 99u64.to_le_bytes().to_vec()));
        }
    }

    #[test]
    fn a_large_frame_between_small_ones() {
        struct Large;
        impl kernel::Wire for Large {
            fn encode(&self, writer: &mut Writer) {
                writer.put_raw(&vec![5; 3 * BUFFER_BYTES]);
            }
            fn decode(_: &mut kernel::Reader) -> Result<Self, kernel::Malformed> {
                Ok(Self)
            }
        }
        let mut writer = Writer::default();
        append(&mut writer, GroupId(1), &Incarnation(1), 1 << 20);
        append(&mut writer, GroupId(1), &Large, 1 << 20);
        append(&mut writer, GroupId(1), &Incarnation(2), 1 << 20);
        let bodies = feed(&mut FrameReader::new(), &writer.into_vec(), 10_000);
        let lengths: Vec<usize> = bodies.iter().map(|(_, payload)| payload.len()).collect();
        assert_eq!(lengths, [8, 3 * BUFFER_BYTES, 8]);
    }

    #[test]
    fn a_message_over_the_limit_leaves_no_trace() {
        let mut writer = Writer::default();
        assert!(append(&mut writer, GroupId(1), &Incarnation(1), 16));
        let before = writer.len();
        assert!(!append(&mut writer, GroupId(1), &Incarnation(1), 15));
        assert_eq!(writer.len(), before);
    }

    #[test]
    fn every_flipped_bit_is_found_before_the_frame_is_used() {
        let bytes = frames(1);
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let mut reader = FrameReader::new();
            reader.space()[..damaged.len()].copy_from_slice(&damaged);
            reader.read(damaged.len());
            assert!(!matches!(reader.next(1000), Ok(Some(_))), "bit {bit}");
        }
    }

    #[test]
    fn no_bytes_whatever_bring_the_reader_down() {
        let mut rng = kernel::Rng::new(7);
        for _ in 0..20_000 {
            let mut bytes = frames(rng.below(4));
            for _ in 0..rng.below(4) {
                let place = usize::try_from(rng.below(bytes.len() as u64 + 1)).unwrap();
                bytes.insert(place, rng.next().to_le_bytes()[0]);
            }
            let mut reader = FrameReader::new();
            reader.space()[..bytes.len()].copy_from_slice(&bytes);
            reader.read(bytes.len());
            let mut count = 0;
            while let Ok(Some(body)) = reader.next(1 << 20) {
                count += 1;
                let payload = group_payload(body).map(|(_, payload)| payload.len());
                assert_eq!(payload, Some(8), "what passes the checksum is a frame that was made");
            }
            assert!(count <= 3 && reader.space().len() < 2 << 20);
        }
    }

    #[test]
    fn a_length_over_the_limit_takes_no_memory() {
        let mut reader = FrameReader::new();
        reader.space()[..8].copy_from_slice(&[255; 8]);
        reader.read(8);
        assert_eq!(reader.next(1 << 24), Err("a frame over the limit"));
        assert_eq!(reader.space().len(), BUFFER_BYTES - 8);
    }
}
