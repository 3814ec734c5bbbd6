//! Judges what stands at a place in a segment where a batch should be.

use kernel::Bytes;

use crate::{
    batch::{self, HEAD_BYTES, Head, Strange},
    sector::{self, PAYLOAD_BYTES, Place, SECTOR_BYTES, Sector},
    segment::{Link, SEAL_BYTES},
};

/// One segment under examination.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scan<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) salt: u64,
}

/// What stands where batch `link.batch` should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The batch: its head, its body, and the link after it.
    Whole(Head, Bytes, Link),
    /// Nothing but zeros from here on.
    End,
    /// Some sectors of the batch and otherwise zeros: it was never durable as a whole.
    Torn,
    /// Neither the batch nor zeros, and nothing that proves that it was ever durable. The head, if it
    /// is intact.
    Garbled(Option<Head>),
    /// The batch was durable and is no more: what should have been there.
    Lost(&'static str),
    /// A version that this build does not know.
    Newer(u16),
}

impl Scan<'_> {
    /// What stands at `offset`, where the batch of `link` should begin.
    pub(crate) fn judge(&self, offset: usize, link: &Link) -> Verdict {
        let end = self.bytes.len() - SEAL_BYTES as usize;
        assert!(offset <= end, "a batch begins before the seal");
        let rest = &self.bytes[offset..end];
        if rest.is_empty() {
            return Verdict::End;
        }
        let verdict = match self.sector(rest, link.batch, 0) {
            Sector::New => Self::judge_rest(self, rest, link),
            Sector::Zero if sector::is_zero(rest) => return Verdict::End,
            Sector::Zero => self.judge_without_head(rest, link.batch),
            Sector::Garbage => Verdict::Garbled(None),
        };
        let readable = matches!(verdict, Verdict::Whole(..) | Verdict::Newer(_));
        if !readable && self.was_durable(rest, link.batch) {
            return Verdict::Lost("the batch that a later one proves to have been durable");
        }
        verdict
    }

    fn judge_rest(&self, rest: &[u8], link: &Link) -> Verdict {
        let head = match Head::decode(&rest[..PAYLOAD_BYTES]) {
            Ok(head) => head,
            Err(Strange::Newer(version)) => return Verdict::Newer(version),
            Err(Strange::Malformed(malformed)) => return Verdict::Lost(malformed.0),
        };
        let sectors = head.sectors as usize;
        let Some(whole) = rest.get(..sectors * SECTOR_BYTES) else {
            return Verdict::Lost("a batch that ends within its segment");
        };
        let mut torn = false;
        for position in 1..sectors {
            match self.sector(whole, link.batch, position) {
                Sector::New => {}
                Sector::Zero => torn = true,
                Sector::Garbage => return Verdict::Garbled(Some(head)),
            }
        }
        if torn {
            return Verdict::Torn;
        }
        // Every sector is of this batch, and yet they are not one: no torn write does that.
        batch::open(&head, whole, link.chain)
            .map_or(Verdict::Garbled(Some(head)), |(body, after)| Verdict::Whole(head, body, after))
    }

    /// The first sector was never written: all others must be of the same batch, or zero.
    fn judge_without_head(&self, rest: &[u8], batch: u64) -> Verdict {
        let sectors = rest.len() / SECTOR_BYTES;
        let is_garbage = |position| self.sector(rest, batch, position) == Sector::Garbage;
        if (1..sectors).any(is_garbage) { Verdict::Garbled(None) } else { Verdict::Torn }
    }

    /// True if any later batch of the segment says that `batch` was durable.
    fn was_durable(&self, rest: &[u8], batch: u64) -> bool {
        rest.chunks(SECTOR_BYTES).skip(1).any(|sector| {
            let (number, durable_upto) = batch::claims(&sector[..HEAD_BYTES]);
            let place = Place { salt: self.salt, batch: number, position: 0 };
            number > batch && durable_upto >= batch && sector::judge(sector, &place) == Sector::New
        })
    }

    fn sector(&self, rest: &[u8], batch: u64, position: usize) -> Sector {
        let start = position * SECTOR_BYTES;
        let place = Place { salt: self.salt, batch, position: position as u64 };
        sector::judge(&rest[start..start + SECTOR_BYTES], &place)
    }
}
