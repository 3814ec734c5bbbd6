//! The key/value store from outside: its scripts, its model, its bytes.

extern crate archipel_kv as kv;

mod encoding;
mod generator;
mod random;
mod scripts;
mod shown;
mod store;
mod words;
