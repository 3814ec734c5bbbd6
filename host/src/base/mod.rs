//! The base of the tables on a host: one file for each generation, `tables/3.redb`, and the thread that
//! carries flushes into it. What the engine makes of a file stands in the crate `base`.

mod flush_thread;
mod generation;
mod paced;
mod verify_thread;

pub(crate) use flush_thread::{FlushThread, FlushWork, Flushed};
pub(crate) use generation::{Filling, GenerationFile, aside, create, open};
pub(crate) use verify_thread::VerifyThread;

#[cfg(test)]
mod tests;
