//! The key/value store from outside: its scripts, its model, its bytes.

extern crate archipel_kv as kv;

mod encoding;
mod random;
mod scripts;
mod store;
