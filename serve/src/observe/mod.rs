//! Looking at a node: the course's `/debug`, checks for schedulers, everything for people and numbers
//! for Prometheus.

mod debug;
mod health;
mod index;
mod metrics;
mod status;
mod version;

pub(crate) use debug::debug;
pub(crate) use health::{health, ready};
pub(crate) use index::index;
pub(crate) use metrics::metrics;
pub(crate) use status::status;
pub(crate) use version::version;
