//! The entries in memory, oldest first, in chunks that a copy shares.
//!
//! ```text
//!   chunk        chunk        chunk
//!   ░░░░▒▒▒▒     ▒▒▒▒▒▒▒▒     ▒▒▒
//!   gone │       full         open: the next entry goes here, unless a copy shares it
//!        front
//! ```
//! A copy of a replica is taken now and then, on the thread that runs it (see [`kernel::Image`]). It
//! costs a reference count for each chunk, not for each entry.

use alloc::{collections::VecDeque, sync::Arc, vec::Vec};

use kernel::{Entry, Index, Malformed, Reader, Wire, Writer};

use crate::image::Field;

/// A chunk is full with this many entries, or when its entries have this many bytes. What has gone
/// from a chunk is freed with the whole chunk: the bytes keep that little.
const CHUNK_ENTRIES_MAX: usize = 256;
const CHUNK_BYTES_MAX: u64 = 64 * 1024;

/// Consecutive entries.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cache {
    chunks: VecDeque<Arc<Chunk>>,
    /// How many entries of the first chunk are gone.
    gone: usize,
}

/// Consecutive entries; never none.
#[derive(Clone, Debug)]
struct Chunk {
    entries: Vec<Entry>,
    bytes: u64,
}

impl Chunk {
    const fn has_room(&self) -> bool {
        self.entries.len() < CHUNK_ENTRIES_MAX && self.bytes < CHUNK_BYTES_MAX
    }

    fn push(&mut self, entry: Entry) {
        self.bytes += entry.size();
        self.entries.push(entry);
    }
}

impl Cache {
    pub(crate) fn front(&self) -> Option<&Entry> {
        self.chunks.front().map(|chunk| &chunk.entries[self.gone])
    }

    pub(crate) fn back(&self) -> Option<&Entry> {
        self.chunks.back().and_then(|chunk| chunk.entries.last())
    }

    /// How many entries are in memory.
    pub(crate) fn len(&self) -> u64 {
        let all: usize = self.chunks.iter().map(|chunk| chunk.entries.len()).sum();
        (all - self.gone) as u64
    }

    /// The entries from `first` on, or all if it is before them.
    pub(crate) fn iter_from(&self, first: Index) -> impl Iterator<Item = &Entry> {
        let is_before =
            |chunk: &Arc<Chunk>| chunk.entries.last().is_some_and(|last| last.index() < first);
        let chunk = self.chunks.partition_point(is_before);
        let gone = if chunk == 0 { self.gone } else { 0 };
        let entries = self.chunks.range(chunk..).flat_map(|chunk| &chunk.entries);
        let begins = self.chunks.get(chunk).map_or(first, |chunk| chunk.entries[gone].index());
        let skipped = first.0.saturating_sub(begins.0);
        let skipped = usize::try_from(skipped).expect("a place in a chunk fits in usize");
        entries.skip(gone + skipped)
    }

    pub(crate) fn push_back(&mut self, entry: Entry) {
        let last = self.chunks.back_mut().and_then(Arc::get_mut);
        match last.filter(|chunk| chunk.has_room()) {
            Some(chunk) => chunk.push(entry),
            None => {
                let mut chunk = Chunk { entries: Vec::new(), bytes: 0 };
                chunk.push(entry);
                self.chunks.push_back(Arc::new(chunk));
            }
        }
    }

    /// Takes the last entry away if `is_wanted` holds for it.
    pub(crate) fn pop_back_if(&mut self, is_wanted: impl Fn(&Entry) -> bool) -> Option<Entry> {
        if !is_wanted(self.back()?) {
            return None;
        }
        let chunk = Arc::make_mut(self.chunks.back_mut()?);
        let entry = chunk.entries.pop()?;
        chunk.bytes -= entry.size();
        let is_only = self.chunks.len() == 1;
        let left = self.chunks.back().map_or(0, |chunk| chunk.entries.len());
        if left == if is_only { self.gone } else { 0 } {
            self.chunks.pop_back();
            self.gone = if is_only { 0 } else { self.gone };
        }
        Some(entry)
    }

    /// Lets the first entry go, if there is one.
    pub(crate) fn drop_front(&mut self) {
        let Some(chunk) = self.chunks.front() else {
            return;
        };
        self.gone += 1;
        if self.gone == chunk.entries.len() {
            self.gone = 0;
            self.chunks.pop_front();
        }
    }
}

impl Field for Cache {
    fn put(&self, writer: &mut Writer) {
        writer.put_u64(self.len());
        for entry in self.iter_from(Index(0)) {
            entry.encode(writer);
        }
    }

    fn take(reader: &mut Reader) -> Result<Self, Malformed> {
        let mut cache = Self::default();
        for _ in 0..reader.take_u64()? {
            cache.push_back(Entry::decode(reader)?);
        }
        Ok(cache)
    }
}

#[cfg(test)]
mod tests {
    use super::Cache;
    use alloc::{collections::VecDeque, vec};
    use kernel::{Entry, EntryHead, EntryId, EntryKind, Index, Rng, Stamp, Term};

    fn entry(index: u64, term: u64, size: usize) -> Entry {
        let head = EntryHead {
            id: EntryId::new(Term(term), Index(index)),
            kind: EntryKind::Command,
            stamp: Stamp(0),
            wall_ms: 0,
            origin: None,
            session: None,
        };
        Entry::new(head, &vec![0; size])
    }

    fn assert_same(cache: &Cache, queue: &VecDeque<Entry>, first: Index) {
        assert_eq!((cache.front(), cache.back()), (queue.front(), queue.back()));
        assert_eq!(cache.len(), queue.len() as u64);
        let expected = queue.iter().filter(|entry| entry.index() >= first);
        assert!(cache.iter_from(first).eq(expected), "from {first}");
    }

    /// The dumb version is a queue; a copy is never changed by what happens to the original.
    #[test]
    fn it_is_a_queue_and_so_is_every_copy() {
        let mut rng = Rng::new(1);
        let (mut cache, mut queue) = (Cache::default(), VecDeque::new());
        let mut copy = (cache.clone(), queue.clone());
        let mut next = 1;
        for step in 0..100_000_u64 {
            // It grows and shrinks in turns, to be long at times and empty at others.
            let grows = step / 2_000 % 2 == 0;
            match rng.below(10) {
                0..6 if grows => {
                    let size = if rng.chance(1, 500) { 70_000 } else { 10 };
                    let entry = entry(next, step, size);
                    cache.push_back(entry.clone());
                    queue.push_back(entry);
                    next += 1;
                }
                0..4 => {
                    cache.drop_front();
                    queue.pop_front();
                }
                4..8 => {
                    let from = Index(next.saturating_sub(rng.below(3)));
                    while let Some(entry) = queue.pop_back_if(|entry| entry.index() >= from) {
                        assert_eq!(cache.pop_back_if(|entry| entry.index() >= from), Some(entry));
                        next -= 1;
                    }
                    assert_eq!(cache.pop_back_if(|entry| entry.index() >= from), None);
                }
                _ if rng.chance(1, 20) => copy = (cache.clone(), queue.clone()),
                _ => {}
            }
            if rng.chance(1, 50) {
                let first = Index(rng.below(next + 10));
                assert_same(&cache, &queue, first);
                assert_same(&copy.0, &copy.1, first);
            }
        }
    }
}
