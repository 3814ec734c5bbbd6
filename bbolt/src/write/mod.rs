//! Writing a file as a stream: first into nowhere to measure it, then into a sink.
//!
//! ```text
//!   bucket, pair ─▶ Writer ─▶ Tree ─▶ Pending, one a level ─▶ Pages ─▶ Sink
//! ```

mod error;
mod pages;
mod pending;
mod sink;
mod tree;
mod writer;

pub use error::WriteError;
pub use pages::Layout;
pub use sink::{Nowhere, Sink};
pub use writer::Writer;
