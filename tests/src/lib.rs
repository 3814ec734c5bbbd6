//! Whole clusters: seeds, scripts, real processes. All of it is in the tests of this crate.
