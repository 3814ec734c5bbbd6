//! A whole world in one thread, from one seed: real nodes, real logs and real state machines over
//! virtual time, a virtual network, virtual disks and clients whose histories are judged.
//!
//! ```text
//!   seed ─▶ Settings        what can happen in this world, and how often      settings
//!   World                   events in order of virtual time                    world, queue
//!     Network               delay, loss, copies, cuts                          network
//!     Computers             survive a crash: a clock and two disks             computers, computer,
//!                                                                              log_disk, base_disk
//!       TablesDisk          a map, or what the composition puts in             tables_disk, map_disk
//!       Life                dies in a crash: node, keeper, gate, applier       life
//!     Crowd                 clients: whom they ask, how often                  crowd
//!       Workload            what they want, what they were told, the verdict   workload, registers
//!     mishaps               their kinds and weights, and what each does        weights, mishap
//!                           those that wait, those in several acts, damage     ambush, nightmare, damage
//!     operator              replaces who is gone for good                      operator
//!   Oracle                  what must never be                                 oracle
//!   Witness                 sees all that happens, if somebody wants to        happening, watch
//!   run                     chaos, healing, trials, a Report or a Finding      run, trial
//! ```
//! In the first phase anything may happen, and nothing that the oracle knows may be broken. Then
//! everything is healed, and the cluster must make progress within a bound of virtual time: all of it,
//! and a majority of it while the others ail. What clients saw is judged at the end.
//!
//! The same seed gives the same world, event for event; [`Report::hash`] says so. The simulator names
//! no consensus and no system: a [`Composition`] puts them in.
#![no_std]

extern crate alloc;

mod ambush;
mod applying;
mod base_disk;
mod chances;
mod clock;
mod composition;
mod computer;
mod computers;
mod counters;
mod crowd;
mod damage;
mod effects;
mod event;
mod event_hash;
mod finding;
mod happening;
mod life;
mod log_disk;
mod map_disk;
mod mishap;
mod network;
mod nightmare;
mod operator;
mod oracle;
mod pairs;
mod power;
mod queue;
mod registers;
mod run;
mod settings;
mod shadow;
mod snapshots;
mod storing;
mod tables_disk;
mod trial;
mod watch;
mod weights;
mod workload;
mod world;

pub use composition::{AnswerOf, Asked, Boot, CallOf, Composition, InputOf, MembershipChange};
pub use counters::Counters;
pub use finding::Finding;
pub use happening::{Fate, Happening, Layer, Told, Witness};
pub use map_disk::MapDisk;
pub use registers::{RegisterCall, RegisterErrand, Registers};
pub use run::{Report, run};
pub use settings::{ClientSettings, DiskSettings, NetworkSettings, Settings};
pub use tables_disk::{Interrupted, TablesDisk};
pub use weights::{Mishap, MishapWeights, Spared, UnknownMishap};
pub use workload::{Counted, Ended, Judgement, Stage, Tally, Who, Workload};
pub use world::World;
