//! Whole clusters: seeds, scripts, real processes. The tests are in `tests/`; what several of them need to
//! start processes is here.

mod ports;
mod program;

pub use ports::{free_port, free_ports};
pub use program::program;
