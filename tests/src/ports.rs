//! Ports for nodes. A node that is killed must find its port free when it comes back, so ports are
//! taken from below the range that systems give to outgoing connections.

use std::{
    net::TcpListener,
    ops::Range,
    process,
    sync::{
        OnceLock,
        atomic::{AtomicU16, Ordering},
    },
};

const RANGE: Range<u16> = 10_000..32_000;

/// A port that nobody listens on and that this process gives out only once.
pub fn free_port() -> u16 {
    free_ports(1, &[0])
}

/// The first of `count` ports in a row which are free, as are those that are `offsets` above them.
///
/// # Panics
/// If there are none.
pub fn free_ports(count: u16, offsets: &[u16]) -> u16 {
    for _ in 0..RANGE.len() {
        let first = next(count);
        let mut wanted =
            offsets.iter().flat_map(|offset| (0..count).map(move |port| first + offset + port));
        if first + count < RANGE.end && wanted.all(is_free) {
            return first;
        }
    }
    panic!("no port is free in {RANGE:?}");
}

/// Test processes that run at the same time begin at different places.
fn next(count: u16) -> u16 {
    static NEXT: OnceLock<AtomicU16> = OnceLock::new();
    let width = RANGE.end - RANGE.start;
    let next = NEXT.get_or_init(|| {
        let place = process::id().wrapping_mul(7919) % u32::from(width);
        AtomicU16::new(u16::try_from(place).expect("below the width of the range"))
    });
    let place = next.update(Ordering::Relaxed, Ordering::Relaxed, |place| (place + count) % width);
    RANGE.start + place
}

fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}
