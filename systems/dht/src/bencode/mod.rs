//! Bencode (BEP 3), strict and without copies.
//!
//! ```text
//!   integer  i-42e        no leading zeros, no -0
//!   bytes    4:spam       a length without leading zeros
//!   list     l...e
//!   dict     d...e        keys are bytes, each greater than the one before
//! ```
//! One value has one encoding, so equal values have equal hashes and signatures. What is not that encoding is
//! no bencode. [`Raw`] is a slice of the datagram: what a signature covers is never encoded anew.

mod read;
mod write;

pub use read::{Dict, List, Malformed, Raw};
pub use write::{DictWriter, dict, integer, list_of_bytes, string};
