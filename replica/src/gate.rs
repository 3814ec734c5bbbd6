//! [`Gate`]: holds back what must not be said before something is durable (O2).

use alloc::{collections::VecDeque, vec::Vec};

use kernel::PersistNumber;

/// What waits for the disk, in the order in which it came.
///
/// What waits for nothing ([`PersistNumber::NONE`]) passes at once, also past what is held. What is
/// gated never overtakes what was gated before it, so that a receiver hears it in order.
#[derive(Clone, Debug)]
pub struct Gate<T> {
    durable: PersistNumber,
    held: VecDeque<(PersistNumber, T)>,
}

impl<T> Default for Gate<T> {
    fn default() -> Self {
        Self { durable: PersistNumber::NONE, held: VecDeque::new() }
    }
}

impl<T> Gate<T> {
    /// An empty gate, with nothing durable yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Holds `item` until `after` is durable, or gives it back if it may leave at once.
    #[must_use]
    pub fn hold(&mut self, after: PersistNumber, item: T) -> Option<T> {
        let is_free = after == PersistNumber::NONE;
        if is_free || (after <= self.durable && self.held.is_empty()) {
            return Some(item);
        }
        self.held.push_back((after, item));
        None
    }

    /// All through `durable` is on stable storage: what may leave now, in order.
    ///
    /// # Panics
    /// If less is durable than before.
    #[must_use]
    pub fn open(&mut self, durable: PersistNumber) -> Vec<T> {
        assert!(durable >= self.durable, "what is durable stays durable");
        self.durable = durable;
        let is_free = |(after, _): &(PersistNumber, T)| *after <= durable;
        let free = self.held.iter().take_while(|held| is_free(held)).count();
        self.held.drain(..free).map(|(_, item)| item).collect()
    }

    /// How far everything is known to be durable.
    #[must_use]
    pub const fn durable(&self) -> PersistNumber {
        self.durable
    }

    /// How many items are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// True if nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::Gate;
    use alloc::vec;
    use kernel::PersistNumber;

    const fn after(number: u64) -> PersistNumber {
        PersistNumber(number)
    }

    #[test]
    fn what_waits_for_nothing_passes_at_once() {
        let mut gate = Gate::new();
        assert_eq!(gate.hold(after(1), "vote"), None);
        assert_eq!(gate.hold(PersistNumber::NONE, "append"), Some("append"));
        assert_eq!(gate.len(), 1);
    }

    #[test]
    fn what_is_gated_leaves_once_durable_and_in_order() {
        let mut gate = Gate::new();
        assert_eq!(gate.hold(after(1), "first"), None);
        assert_eq!(gate.hold(after(3), "second"), None);
        assert_eq!(gate.open(after(2)), vec!["first"]);
        // Durable already, but it must not overtake the one that still waits.
        assert_eq!(gate.hold(after(2), "third"), None);
        assert_eq!(gate.open(after(3)), vec!["second", "third"]);
        assert_eq!(gate.hold(after(3), "fourth"), Some("fourth"));
        assert!(gate.is_empty());
    }

    #[test]
    #[should_panic(expected = "what is durable stays durable")]
    fn durability_never_goes_back() {
        let mut gate: Gate<()> = Gate::new();
        let _ = gate.open(after(2));
        let _ = gate.open(after(1));
    }
}
