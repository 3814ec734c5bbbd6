//! The work queue from outside: its scripts, its model, its bytes, its costs.

mod cost;
mod encoding;
mod generator;
mod judged;
mod limits;
mod protocol;
mod random;
mod scripts;
mod shown;
mod store;
mod words;
