//! What this machine's disk takes to make a small write durable: the floor under every put.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::FileExt,
    path::Path,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;

use crate::exit::{Failure, Outcome};

/// How long to measure.
const LENGTH: Duration = Duration::from_secs(2);
/// The size of each write, bytes: a small entry with its frame, in a sector.
const WRITE_BYTES: usize = 512;
/// The file, filled with zeros before: so the flush writes data and nothing about the file.
const FILE_BYTES: usize = 8 << 20;

/// The longest time that is told apart, in microseconds.
const MICROSECONDS_MAX: u64 = 60_000_000;

/// Microseconds per write and fdatasync.
pub(super) fn measure(folder: &Path) -> Outcome<Histogram<u32>> {
    let path = folder.join(format!("archipel-bench-{}.tmp", std::process::id()));
    let measured = measure_in(&path);
    let _ = fs::remove_file(&path);
    measured.map_err(|error| {
        Failure::usage(format!(
            "The disk cannot be measured in {}: {error}. Choose another folder with --dir.",
            folder.display()
        ))
    })
}

fn measure_in(path: &Path) -> io::Result<Histogram<u32>> {
    let mut file: File = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(&vec![0; FILE_BYTES])?;
    file.sync_all()?;
    let mut times =
        Histogram::new_with_bounds(1, MICROSECONDS_MAX, 3).expect("the bounds are right");
    let bytes = [1; WRITE_BYTES];
    let start = Instant::now();
    for place in (0..FILE_BYTES as u64).step_by(WRITE_BYTES).cycle() {
        let before = Instant::now();
        file.write_all_at(&bytes, place)?;
        file.sync_data()?;
        times.saturating_record(u64::try_from(before.elapsed().as_micros()).unwrap_or(u64::MAX));
        if start.elapsed() > LENGTH {
            break;
        }
    }
    Ok(times)
}
