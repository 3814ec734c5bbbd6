//! [`Pairs`]: an ordered map of which one moment can be kept.

use alloc::{sync::Arc, vec::Vec};

use bytes::Bytes;
use kernel::{
    BaseReading, Fault,
    tables::{Key, Sought},
};

type Pair = (Key, Bytes);

/// How many pairs lie together at most.
const CHUNK_MAX: usize = 64;

/// Keys and values in the order of the keys, in chunks that moments of the map share until they change: a flush
/// touches a few chunks, and leaves a moment behind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pairs {
    /// In order; none is empty.
    chunks: Vec<Arc<Vec<Pair>>>,
}

impl Pairs {
    /// Sets a key to a value.
    pub(crate) fn insert(&mut self, key: Bytes, value: Bytes) {
        let sought = Sought::new(&key);
        let place = self.chunk_of(&sought);
        let Some(chunk) = self.chunks.get_mut(place) else {
            self.chunks.push(Arc::new(Vec::from([(Key::new(key), value)])));
            return;
        };
        let chunk = Arc::make_mut(chunk);
        match find(chunk, &sought) {
            Ok(at) => chunk[at].1 = value,
            Err(at) => chunk.insert(at, (Key::new(key), value)),
        }
        if chunk.len() > CHUNK_MAX {
            let upper = chunk.split_off(CHUNK_MAX / 2);
            self.chunks.insert(place + 1, Arc::new(upper));
        }
    }

    /// Removes a key, if it is there.
    pub(crate) fn remove(&mut self, key: &[u8]) {
        let sought = Sought::new(key);
        let place = self.chunk_of(&sought);
        let Some(chunk) = self.chunks.get_mut(place) else {
            return;
        };
        if let Ok(at) = find(chunk, &sought) {
            let chunk = Arc::make_mut(chunk);
            chunk.remove(at);
            if chunk.is_empty() {
                self.chunks.remove(place);
            }
        }
    }

    /// The chunk in which a key lies or would lie.
    fn chunk_of(&self, key: &Sought<'_>) -> usize {
        self.chunks.partition_point(|chunk| chunk[0].0.compare(key).is_le()).saturating_sub(1)
    }
}

impl BaseReading for Pairs {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Fault> {
        let key = Sought::new(key);
        let chunk = self.chunks.get(self.chunk_of(&key));
        let found = chunk.and_then(|chunk| find(chunk, &key).ok().map(|at| chunk[at].1.clone()));
        Ok(found)
    }

    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<(Bytes, Bytes)>, Fault> {
        let (from, to) = (Sought::new(from), Sought::new(to));
        let chunks = self.chunks.iter().skip(self.chunk_of(&from));
        let pairs = chunks.enumerate().flat_map(|(number, chunk)| {
            let is_before = |(key, _): &Pair| key.compare(&from).is_lt();
            let start = if number == 0 { chunk.partition_point(is_before) } else { 0 };
            chunk[start..].iter()
        });
        let pairs = pairs.take_while(|(key, _)| key.compare(&to).is_lt()).take(limit);
        Ok(pairs.map(|(key, value)| (key.bytes().clone(), value.clone())).collect())
    }
}

fn find(chunk: &[Pair], key: &Sought<'_>) -> Result<usize, usize> {
    chunk.binary_search_by(|(present, _)| present.compare(key))
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;

    use kernel::Rng;

    use super::*;

    fn key(rng: &mut Rng) -> Bytes {
        Bytes::copy_from_slice(&u16::try_from(rng.below(500)).unwrap().to_be_bytes())
    }

    #[test]
    fn pairs_are_those_of_an_ordered_map_and_a_moment_stays_as_it_was() {
        let rng = &mut Rng::new(7);
        let (mut pairs, mut model) = (Pairs::default(), BTreeMap::new());
        let mut moment = (pairs.clone(), model.clone());
        for step in 0..20_000_u32 {
            let (at, value) = (key(rng), Bytes::copy_from_slice(&step.to_be_bytes()));
            if rng.chance(1, 2) {
                pairs.insert(at.clone(), value.clone());
                model.insert(at, value);
            } else {
                pairs.remove(&at);
                model.remove(&at);
            }
            let (from, to, limit) = (key(rng), key(rng), usize::try_from(rng.below(100)).unwrap());
            for (pairs, model) in [(&pairs, &model), (&moment.0, &moment.1)] {
                assert_eq!(pairs.get(&from).unwrap(), model.get(&from).cloned());
                let expected: Vec<(Bytes, Bytes)> = match from <= to {
                    true => model.range(from.clone()..to.clone()),
                    false => model.range(from.clone()..from.clone()),
                }
                .take(limit)
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
                assert_eq!(pairs.scan(&from, &to, limit).unwrap(), expected);
            }
            if step % 1_000 == 0 {
                moment = (pairs.clone(), model.clone());
            }
        }
        assert!(pairs.chunks.iter().all(|chunk| (1..=CHUNK_MAX).contains(&chunk.len())));
    }
}
