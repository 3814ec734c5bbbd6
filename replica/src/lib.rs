//! Carries out a node's effects without I/O: keeper of the log, applier of entries.
#![no_std]

extern crate alloc;

pub mod applier;
pub mod envelope;
pub mod fit;
pub mod gate;
pub mod keeper;
#[cfg(test)]
mod map_base;
pub mod sessions;
pub mod snapshot;

pub use applier::{Applier, ApplierOutput};
pub use envelope::Envelope;
pub use fit::{Misfit, check_fit};
pub use gate::Gate;
pub use keeper::Keeper;
pub use snapshot::{
    ReceiverEffect, SenderEffect, SnapshotMessage, SnapshotReceiver, SnapshotSender,
};
