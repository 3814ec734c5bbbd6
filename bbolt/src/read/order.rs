//! Keys of a tree ascend on the way from its first leaf to its last, those of the branches among them.

use alloc::vec::Vec;

/// Watches that keys ascend.
#[derive(Debug, Default)]
pub(super) struct Order {
    last: Vec<u8>,
    /// The last key was a branch's: the page below may begin with the same.
    may_repeat: bool,
}

impl Order {
    /// True if a branch's `key` may stand here. The page that it names comes next.
    #[must_use]
    pub(super) fn admits_branch(&mut self, key: &[u8]) -> bool {
        self.admits(key, true)
    }

    /// True if a leaf's `key` may stand here.
    #[must_use]
    pub(super) fn admits_leaf(&mut self, key: &[u8]) -> bool {
        self.admits(key, false)
    }

    fn admits(&mut self, key: &[u8], may_repeat: bool) -> bool {
        let is_in_order = key > &self.last || (self.may_repeat && key == self.last);
        self.last.clear();
        self.last.extend_from_slice(key);
        self.may_repeat = may_repeat;
        is_in_order
    }
}

#[cfg(test)]
mod tests {
    use super::Order;

    #[test]
    fn leaves_ascend_and_begin_where_their_branch_says_or_later() {
        let mut order = Order::default();
        assert!(order.admits_branch(b"b"));
        assert!(order.admits_branch(b"b"));
        assert!(order.admits_leaf(b"b"));
        assert!(order.admits_leaf(b"c"));
        assert!(order.admits_branch(b"d"));
        assert!(order.admits_leaf(b"e"));
    }

    #[test]
    fn nothing_comes_twice_and_no_leaf_begins_below_its_branch() {
        let mut order = Order::default();
        assert!(order.admits_leaf(b"b"));
        assert!(!order.admits_leaf(b"b"));
        assert!(!order.admits_branch(b"b"));
        assert!(!order.admits_leaf(b"a"));
    }
}
