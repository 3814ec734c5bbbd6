//! All computers of a world, by the number of their node: from 1, without a gap.

use alloc::vec::Vec;
use core::ops::{Index, IndexMut};

use kernel::NodeId;

use crate::{composition::Composition, computer::Computer};

/// A map that finds a computer without searching: it is asked for one several times in each event.
pub(crate) struct Computers<C: Composition>(Vec<Computer<C>>);

impl<C: Composition> Computers<C> {
    pub(crate) fn new(all: impl Iterator<Item = Computer<C>>) -> Self {
        let all: Vec<Computer<C>> = all.collect();
        assert!(all.iter().zip(1..).all(|(one, number)| one.node().0 == number), "no gaps");
        Self(all)
    }

    pub(crate) fn get(&self, node: NodeId) -> Option<&Computer<C>> {
        self.0.get(place(node)?)
    }

    pub(crate) fn get_mut(&mut self, node: NodeId) -> Option<&mut Computer<C>> {
        self.0.get_mut(place(node)?)
    }

    /// All nodes, ascending.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = NodeId> + use<C> {
        (1..=self.0.len() as u64).map(NodeId)
    }

    /// All computers, ascending by node.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Computer<C>> {
        self.0.iter()
    }
}

impl<C: Composition> Index<NodeId> for Computers<C> {
    type Output = Computer<C>;

    fn index(&self, node: NodeId) -> &Computer<C> {
        self.get(node).expect("every node has a computer")
    }
}

impl<C: Composition> IndexMut<NodeId> for Computers<C> {
    fn index_mut(&mut self, node: NodeId) -> &mut Computer<C> {
        self.get_mut(node).expect("every node has a computer")
    }
}

fn place(node: NodeId) -> Option<usize> {
    usize::try_from(node.0).ok()?.checked_sub(1)
}
