//! What the log promises, against a disk that does its worst.
#![allow(missing_docs, unreachable_pub)]

extern crate archipel_log as log;

mod damage;
mod disk;
mod golden;
mod model;
mod power_cut;
mod reading;
mod sample;
