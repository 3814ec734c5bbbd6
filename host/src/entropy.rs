//! Randomness from the system, for ids and seeds: the only source of chance in a running node.

use std::{fs::File, io::Read};

use kernel::{ClientId, ClusterId, DiskId};

/// A new cluster's id.
#[must_use]
pub fn draw_cluster_id() -> ClusterId {
    ClusterId(u128::from_le_bytes(draw()))
}

/// A new client's id, for a session.
#[must_use]
pub fn draw_client_id() -> ClientId {
    ClientId(u128::from_le_bytes(draw()))
}

/// 64 random bits, for a seed.
#[must_use]
pub fn draw_u64() -> u64 {
    u64::from_le_bytes(draw())
}

/// Random bytes that nobody can foretell, for keys and secrets.
#[must_use]
pub fn draw_secret<const COUNT: usize>() -> [u8; COUNT] {
    draw()
}

pub(crate) fn draw_disk_id() -> DiskId {
    DiskId(u128::from_le_bytes(draw()))
}

fn draw<const COUNT: usize>() -> [u8; COUNT] {
    let mut bytes = [0; COUNT];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .expect("the system has a source of randomness");
    bytes
}
