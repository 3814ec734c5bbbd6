//! Consistent hashing with virtual nodes (Karger and others 1997): who joins takes his share from everybody, and
//! all other keys stay.

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};

use crate::id::Id;

/// Nodes by name on a ring of 2^32 places, each at many of them.
#[derive(Clone, Debug)]
pub struct VirtualRing {
    points: BTreeMap<u32, String>,
    per_node: u32,
}

impl VirtualRing {
    /// An empty ring on which each node will stand `per_node` times.
    #[must_use]
    pub const fn new(per_node: u32) -> Self {
        Self { points: BTreeMap::new(), per_node }
    }

    /// Puts a node on the ring. A place that is taken stays with the node that has it.
    pub fn join(&mut self, node: &str) {
        for number in 0..self.per_node {
            let place = Self::place(&format!("{node}#{number}"));
            self.points.entry(place).or_insert_with(|| node.into());
        }
    }

    /// Takes a node off the ring.
    pub fn leave(&mut self, node: &str) {
        self.points.retain(|_, owner| owner != node);
    }

    /// The node of a key: the first one clockwise of it. Nothing on an empty ring.
    #[must_use]
    pub fn owner(&self, key: &str) -> Option<&str> {
        let after = self.points.range(Self::place(key)..).chain(&self.points).next();
        after.map(|(_, node)| node.as_str())
    }

    /// The `count` different nodes clockwise of a key: where its copies go.
    #[must_use]
    pub fn owners(&self, key: &str, count: usize) -> Vec<&str> {
        let mut owners: Vec<&str> = Vec::new();
        for (_, node) in self.points.range(Self::place(key)..).chain(&self.points) {
            if owners.len() < count && !owners.contains(&node.as_str()) {
                owners.push(node);
            }
        }
        owners
    }

    /// Where a name stands on the ring.
    #[must_use]
    pub fn place(name: &str) -> u32 {
        let [a, b, c, d, ..] = Id::hash(&[name.as_bytes()]).0;
        u32::from_be_bytes([a, b, c, d])
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::String, vec::Vec};

    use super::VirtualRing;

    fn keys() -> Vec<String> {
        (0..20_000).map(|number| format!("key-{number}")).collect()
    }

    fn ring(nodes: u32) -> VirtualRing {
        let mut ring = VirtualRing::new(128);
        (1..=nodes).for_each(|node| ring.join(&format!("node-{node}")));
        ring
    }

    #[test]
    fn a_node_that_joins_takes_its_share_and_all_other_keys_stay() {
        let (before, after) = (ring(3), ring(4));
        let mut moved = 0;
        for key in keys() {
            if before.owner(&key) != after.owner(&key) {
                assert_eq!(after.owner(&key), Some("node-4"));
                moved += 1;
            }
        }
        assert!((4_000..6_000).contains(&moved), "{moved} of 20,000 moved, a quarter should");
    }

    #[test]
    fn a_node_that_leaves_changes_nothing_for_the_others_keys() {
        let before = ring(4);
        let mut after = before.clone();
        after.leave("node-4");
        for key in keys() {
            assert!(
                before.owner(&key) == Some("node-4") || before.owner(&key) == after.owner(&key)
            );
        }
    }

    #[test]
    fn copies_go_to_different_nodes() {
        let ring = ring(4);
        let owners = ring.owners("greeting", 3);
        assert_eq!(owners.len(), 3);
        assert_eq!(Some(owners[0]), ring.owner("greeting"));
        assert_eq!(ring.owners("greeting", 9).len(), 4);
        assert_eq!(VirtualRing::new(8).owner("greeting"), None);
    }
}
