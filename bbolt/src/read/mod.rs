//! Reading a file that nobody vouches for.
//!
//! ```text
//!   Source ─▶ Reader: metas ─▶ Cursor over a tree: Page by Page, in order ─▶ buckets, pairs
//! ```
//! Nothing that a file says is believed before it is checked: a page says its own number, lies within the file
//! and has the elements that it counts; keys ascend over the whole tree. So a walk comes to each leaf at most
//! once and ends, even if the pages name each other in circles.

mod cursor;
mod error;
mod order;
mod page;
mod reader;
mod source;

pub use error::{ElementFlaw, MetaFlaw, PageFlaw, ReadError};
pub use reader::{Bucket, Buckets, Pair, Pairs, Reader};
pub use source::Source;
