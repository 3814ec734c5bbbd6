//! Which disk each other node has: believed at the first sight, held to from then on.
//!
//! A node that comes back with another disk has lost what it once acknowledged, so nothing that it says
//! under its old name may count. The file `peers` keeps what is known:
//!
//! ```text
//! archipel peers 1
//! peer 2 9ab3...         node and disk, 32 hexadecimal digits
//! checksum 1a2b3c4d      CRC-32C of all lines above
//! ```

use std::{collections::BTreeMap, fmt::Write};

use kernel::{DiskId, Incarnation, NodeId};

use super::Introduction;
use crate::identity::{check_checksum, hexadecimal, number, with_checksum};

const TITLE: &str = "archipel peers 1";

/// How many nodes are remembered: what strangers say of themselves must not fill memory and disk.
const PEERS_MAX: usize = 1024;

/// What is known of the other nodes.
#[derive(Debug, Default)]
pub(crate) struct KnownPeers {
    disks: BTreeMap<NodeId, DiskId>,
    /// The latest life of each that was seen since this process began.
    lives: BTreeMap<NodeId, Incarnation>,
}

impl KnownPeers {
    /// What the file `peers` says, or what is wrong with it.
    pub(crate) fn decode(text: &str) -> Result<Self, &'static str> {
        let mut lines = check_checksum(text)?.lines();
        if lines.next() != Some(TITLE) {
            return Err("it does not begin with the line \"archipel peers 1\"");
        }
        let mut disks = BTreeMap::new();
        for line in lines {
            let peer = line.strip_prefix("peer ").and_then(|rest| rest.split_once(' '));
            let (node, disk) = peer.ok_or("a line is no peer")?;
            disks.insert(NodeId(number(node)?), DiskId(hexadecimal(disk)?));
        }
        Ok(Self { disks, lives: BTreeMap::new() })
    }

    /// The content of the file `peers`.
    pub(crate) fn encode(&self) -> String {
        let mut lines = format!("{TITLE}\n");
        for (node, disk) in &self.disks {
            writeln!(lines, "peer {node} {:032x}", disk.0).expect("a string takes all text");
        }
        with_checksum(lines)
    }

    /// Notes what the membership says of a node's disk; true if that is new.
    pub(super) fn learn(&mut self, node: NodeId, disk: DiskId) -> bool {
        self.disks.insert(node, disk) != Some(disk)
    }

    /// Whether `other` may talk with `me`, and if it is seen for the first time.
    ///
    /// # Errors
    /// A sentence that says why not.
    pub(super) fn judge(
        &mut self,
        me: &Introduction,
        other: &Introduction,
        expected: Option<NodeId>,
    ) -> Result<bool, String> {
        let node = other.node;
        if other.cluster != me.cluster {
            return Err(format!(
                "node {node} at {} belongs to the cluster {:032x}, node {} to {:032x}. Check the addresses.",
                other.address, other.cluster.0, me.node, me.cluster.0
            ));
        }
        if let Some(expected) = expected
            && expected != node
        {
            return Err(format!(
                "the node at {} is node {node}, not node {expected}. Check the addresses.",
                other.address
            ));
        }
        if node == me.node {
            return Err(format!("two nodes say that they are node {node}. Stop one of them."));
        }
        if self.disks.get(&node).is_some_and(|disk| *disk != other.disk) {
            return Err(format!(
                "node {node} has another disk than before, so it may have lost what it acknowledged. \
                 Remove it from the cluster and add it under a new number."
            ));
        }
        if self.lives.get(&node).is_some_and(|life| *life > other.incarnation) {
            return Err(format!("an earlier life of node {node} than the one known."));
        }
        if !self.disks.contains_key(&node) && self.disks.len() >= PEERS_MAX {
            return Err(format!("node {node} is not known, and {PEERS_MAX} other nodes are."));
        }
        self.lives.insert(node, other.incarnation);
        Ok(self.disks.insert(node, other.disk).is_none())
    }
}

#[cfg(test)]
mod tests {
    use kernel::{ClusterId, DiskId, Incarnation, NodeId};

    use super::{Introduction, KnownPeers, PEERS_MAX};

    fn node(number: u64) -> Introduction {
        Introduction {
            cluster: ClusterId(1),
            node: NodeId(number),
            disk: DiskId(u128::from(number)),
            incarnation: Incarnation(5),
            address: String::from("here:1"),
        }
    }

    #[test]
    fn a_node_is_new_once_and_known_after_a_restart() {
        let mut known = KnownPeers::default();
        assert_eq!(known.judge(&node(1), &node(2), None), Ok(true));
        assert_eq!(known.judge(&node(1), &node(2), None), Ok(false));
        let mut known = KnownPeers::decode(&known.encode()).unwrap();
        assert_eq!(known.judge(&node(1), &node(2), Some(NodeId(2))), Ok(false));
    }

    #[test]
    fn another_disk_under_a_known_name_is_refused() {
        let mut known = KnownPeers::default();
        known.judge(&node(1), &node(2), None).unwrap();
        let other = Introduction { disk: DiskId(99), ..node(2) };
        assert!(known.judge(&node(1), &other, None).unwrap_err().contains("another disk"));
    }

    #[test]
    fn strangers_are_remembered_up_to_a_bound() {
        let mut known = KnownPeers::default();
        for number in 2..2 + PEERS_MAX as u64 {
            assert_eq!(known.judge(&node(1), &node(number), None), Ok(true));
        }
        assert!(known.judge(&node(1), &node(9999), None).unwrap_err().contains("not known"));
        assert_eq!(known.judge(&node(1), &node(2), None), Ok(false), "who is known may come back");
        assert!(known.learn(NodeId(9999), DiskId(9999)), "a member is always taken");
        assert_eq!(known.judge(&node(1), &node(9999), None), Ok(false));
    }

    #[test]
    fn foreign_clusters_wrong_nodes_doubles_and_the_dead_are_refused() {
        let mut known = KnownPeers::default();
        let foreign = Introduction { cluster: ClusterId(2), ..node(2) };
        assert!(known.judge(&node(1), &foreign, None).unwrap_err().contains("cluster"));
        let wrong = known.judge(&node(1), &node(2), Some(NodeId(3))).unwrap_err();
        assert!(wrong.contains("is node 2, not node 3"), "{wrong}");
        assert!(known.judge(&node(1), &node(1), None).unwrap_err().contains("two nodes"));
        known.judge(&node(1), &node(2), None).unwrap();
        let dead = Introduction { incarnation: Incarnation(4), ..node(2) };
        assert!(known.judge(&node(1), &dead, None).unwrap_err().contains("earlier life"));
    }

    #[test]
    fn a_damaged_file_is_found() {
        let mut known = KnownPeers::default();
        known.learn(NodeId(2), DiskId(3));
        let text = known.encode().replace("peer 2", "peer 3");
        assert!(KnownPeers::decode(&text).is_err());
    }
}
