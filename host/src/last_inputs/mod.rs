//! The last inputs of a node, kept so that they can be run again if it breaks an invariant.
//!
//! ```text
//!            older half                      newer half
//!   copy of the node ─▶ inputs ─▶│ copy of the node ─▶ inputs ─▶ now
//!   └──────── what is written ───┼────────────────────────────┘
//! ```
//! When the newer half is full it becomes the older one, whose copy and inputs are dropped. So there is
//! always at least one full half of the past, and a copy of the node to begin it with.

mod error;
mod file;
mod recorder;

pub use error::LastInputsError;
pub use file::LastInputs;
pub use recorder::Recorder;
