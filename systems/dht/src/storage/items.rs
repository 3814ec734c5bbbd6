//! The values kept here.

use alloc::{collections::BTreeMap, vec::Vec};
use core::time::Duration;

use kernel::Instant;

use crate::{id::Id, item::Item, krpc::KrpcError};

/// The most values kept: four mebibytes of them. Beyond that the farthest from us goes first.
pub const ITEMS_MAX: usize = 4096;
/// How long a value is kept after it was last put (BEP 44).
const LIFE: Duration = Duration::from_secs(2 * 3600);

/// The values kept here, by id.
#[derive(Debug, Default)]
pub struct Items {
    kept: BTreeMap<Id, (Instant, Item)>,
}

impl Items {
    /// Keeps an item that is known to be genuine, in the place of an older one.
    ///
    /// # Errors
    /// As BEP 44 says: [`KrpcError::NotAsExpected`] if another than the value number `compare` is there,
    /// [`KrpcError::SequenceTooLow`] if a newer one is, or another of the same number.
    pub fn put(
        &mut self,
        now: Instant,
        own: Id,
        item: Item,
        compare: Option<i64>,
    ) -> Result<(), KrpcError> {
        let target = item.target();
        if let Some((_, old)) = self.kept.get(&target) {
            may_follow(old, &item, compare)?;
        } else if self.kept.len() >= ITEMS_MAX {
            self.make_room(own);
        }
        self.kept.insert(target, (now.after(LIFE), item));
        Ok(())
    }

    /// The value under an id.
    #[must_use]
    pub fn get(&self, target: Id) -> Option<&Item> {
        self.kept.get(&target).map(|(_, item)| item)
    }

    /// Forgets what nobody has put for two hours.
    pub fn expire(&mut self, now: Instant) {
        self.kept.retain(|_, (end, _)| *end > now);
    }

    /// All values and their ids.
    pub fn iter(&self) -> impl Iterator<Item = (Id, &Item)> {
        self.kept.iter().map(|(target, (_, item))| (*target, item))
    }

    /// How many values are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// True if nothing is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    fn make_room(&mut self, own: Id) {
        let ids: Vec<Id> = self.kept.keys().copied().collect();
        if let Some(farthest) = ids.into_iter().max_by_key(|target| target.distance(own)) {
            self.kept.remove(&farthest);
        }
    }
}

fn may_follow(old: &Item, new: &Item, compare: Option<i64>) -> Result<(), KrpcError> {
    let (Some(old_seal), Some(new_seal)) = (&old.seal, &new.seal) else {
        return Ok(());
    };
    if compare.is_some_and(|expected| expected != old_seal.sequence) {
        return Err(KrpcError::NotAsExpected);
    }
    let is_same = old_seal.sequence == new_seal.sequence && old.value == new.value;
    if is_same || new_seal.sequence > old_seal.sequence {
        Ok(())
    } else {
        Err(KrpcError::SequenceTooLow)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use bytes::Bytes;

    use super::{ITEMS_MAX, Id, Instant, Item, Items, KrpcError};
    use crate::bencode;

    const HOUR: u64 = 3_600_000_000_000;

    fn number(number: i64) -> Bytes {
        let mut bytes = Vec::new();
        bencode::integer(&mut bytes, number);
        Bytes::from(bytes)
    }

    fn signed(sequence: i64, value: i64) -> Item {
        Item::signed(&[1; 32], Bytes::new(), sequence, number(value))
    }

    #[test]
    fn a_newer_value_follows_an_older_one_and_never_the_other_way() {
        let (mut items, own) = (Items::default(), Id([0; 20]));
        let mut put =
            |sequence, value, compare| items.put(Instant(0), own, signed(sequence, value), compare);
        assert_eq!(put(5, 1, None), Ok(()));
        assert_eq!(put(5, 1, None), Ok(()));
        assert_eq!(put(5, 2, None), Err(KrpcError::SequenceTooLow));
        assert_eq!(put(4, 1, None), Err(KrpcError::SequenceTooLow));
        assert_eq!(put(6, 1, Some(4)), Err(KrpcError::NotAsExpected));
        assert_eq!(put(6, 1, Some(5)), Ok(()));
        assert_eq!(items.len(), 1);
    }

    #[test]
    fn what_nobody_puts_again_is_forgotten_after_two_hours() {
        let (mut items, own) = (Items::default(), Id([0; 20]));
        items.put(Instant(0), own, signed(1, 1), None).unwrap();
        items.put(Instant(HOUR), own, signed(1, 1), None).unwrap();
        items.expire(Instant(3 * HOUR - 1));
        assert_eq!(items.len(), 1);
        items.expire(Instant(3 * HOUR));
        assert!(items.is_empty());
    }

    #[test]
    fn when_it_is_full_the_nearest_stay() {
        let (mut items, own) = (Items::default(), Id([0; 20]));
        let count = i64::try_from(ITEMS_MAX).unwrap() + 500;
        let all: Vec<Item> = (0..count).map(|value| Item::immutable(number(value))).collect();
        for item in &all {
            items.put(Instant(0), own, item.clone(), None).unwrap();
        }
        assert_eq!(items.len(), ITEMS_MAX);
        let nearest = all.iter().min_by_key(|item| item.target().distance(own)).unwrap();
        assert!(items.get(nearest.target()).is_some());
    }
}
