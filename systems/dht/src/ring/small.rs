//! A ring of 256 places, in which every key finds its node by eye.

use alloc::vec::Vec;

/// FNV-1a of 32 bits (Fowler, Noll, Vo).
#[must_use]
pub fn fnv1a_32(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// Nodes at places from 0 to 255, each at its own.
#[derive(Clone, Debug)]
pub struct SmallRing {
    nodes: Vec<u8>,
}

impl SmallRing {
    /// A ring with nodes at these places; a place that is named twice has one node.
    ///
    /// # Panics
    /// If there is no node.
    #[must_use]
    pub fn new(places: &[u8]) -> Self {
        assert!(!places.is_empty(), "a ring has a node");
        let mut nodes = places.to_vec();
        nodes.sort_unstable();
        nodes.dedup();
        Self { nodes }
    }

    /// Where a key stands.
    #[must_use]
    pub fn place(key: &str) -> u8 {
        fnv1a_32(key.as_bytes()).to_be_bytes()[3]
    }

    /// The node of a place: the first one there or clockwise of it. After the last place comes the first, so
    /// there always is one.
    #[must_use]
    pub fn owner(&self, place: u8) -> u8 {
        let first = self.nodes[0];
        self.nodes.iter().copied().find(|node| *node >= place).unwrap_or(first)
    }

    /// The nodes, by place.
    #[must_use]
    pub fn nodes(&self) -> &[u8] {
        &self.nodes
    }
}

#[cfg(test)]
mod tests {
    use super::{SmallRing, fnv1a_32};

    #[test]
    fn the_hash_gives_the_published_values() {
        assert_eq!((fnv1a_32(b""), fnv1a_32(b"a")), (0x811c_9dc5, 0xe40c_292c));
        assert_eq!(fnv1a_32(b"foobar"), 0xbf9c_f968);
    }

    #[test]
    fn every_key_has_a_node_also_beyond_the_last_one() {
        let ring = SmallRing::new(&[200, 100, 150]);
        let found = |key| (SmallRing::place(key), ring.owner(SmallRing::place(key)));
        assert_eq!(found("filename1"), (59, 100));
        assert_eq!(found("hello"), (171, 200));
        assert_eq!(found("filename2"), (206, 100));
        let wrapped = (0..=255).filter(|place| *place > 200 && ring.owner(*place) == 100);
        assert_eq!(wrapped.count(), 55);
    }
}
