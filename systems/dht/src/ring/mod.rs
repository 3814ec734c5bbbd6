//! Rings: the nodes stand on a circle, and a key belongs to the first node clockwise.
//!
//! [`small`] has 256 places and fits on a slide. [`virtual_nodes`] has 2^32 and puts every node on it many times,
//! so that shares are even and a joining node takes a little from everybody.

pub mod small;
pub mod virtual_nodes;

pub use small::{SmallRing, fnv1a_32};
pub use virtual_nodes::VirtualRing;
