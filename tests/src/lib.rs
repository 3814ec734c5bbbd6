//! Whole clusters: seeds, scripts, real processes. The tests are in `tests/`; what several of them need to
//! start processes is here.

mod installed;
mod ports;
mod program;

pub use installed::is_installed;
pub use ports::{free_port, free_ports};
pub use program::program;
