//! What this machine's disk takes to make a small write durable: the floor under every put.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
    path::Path,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;

use crate::exit::{Failure, Outcome};

/// The size of each write, bytes: a small entry with its frame, in a sector.
const WRITE_BYTES: usize = 512;
/// How many writes are measured, at most: each to its own place, none twice.
const WRITES_MAX: u64 = 4000;
/// How long they may take together on a slow disk.
const LENGTH_MAX: Duration = Duration::from_secs(3);
/// The longest time that is told apart, in microseconds.
const MICROSECONDS_MAX: u64 = 60_000_000;

/// Microseconds per write and fdatasync, of a few thousand appends to a file that was filled with zeros
/// before, as the log's segments are: so a flush writes data and nothing about the file.
pub(crate) fn measure(folder: &Path) -> Outcome<Histogram<u32>> {
    let path = folder.join(format!("archipel-bench-{}.tmp", std::process::id()));
    let measured = measure_in(&path, WRITES_MAX);
    let _ = fs::remove_file(&path);
    measured.map_err(|error| {
        Failure::usage(format!(
            "The disk cannot be measured in {}: {error}. Choose another folder with --dir.",
            folder.display()
        ))
    })
}

fn measure_in(path: &Path, writes: u64) -> io::Result<Histogram<u32>> {
    let file = File::options().write(true).create_new(true).open(path)?;
    let zeros = [0; WRITE_BYTES];
    for number in 0..writes {
        file.write_all_at(&zeros, place(number))?;
    }
    file.sync_all()?;
    let mut times = no_times();
    let start = Instant::now();
    for number in 0..writes {
        // Other bytes each time: a disk that compares or compresses must not look faster than it is.
        let bytes = content(number);
        let before = Instant::now();
        file.write_all_at(&bytes, place(number))?;
        file.sync_data()?;
        times.saturating_record(u64::try_from(before.elapsed().as_micros()).unwrap_or(u64::MAX));
        if start.elapsed() > LENGTH_MAX {
            break;
        }
    }
    Ok(times)
}

/// No measurement yet.
pub(super) fn no_times() -> Histogram<u32> {
    Histogram::new_with_bounds(1, MICROSECONDS_MAX, 3).expect("the bounds are right")
}

const fn place(number: u64) -> u64 {
    number * WRITE_BYTES as u64
}

/// The bytes of one write: no two writes have the same.
fn content(number: u64) -> [u8; WRITE_BYTES] {
    let mut rng = kernel::Rng::new(number);
    let mut bytes = [0; WRITE_BYTES];
    for piece in bytes.chunks_exact_mut(8) {
        piece.copy_from_slice(&rng.next().to_le_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::{WRITE_BYTES, content, measure_in};
    use std::fs;

    #[test]
    fn every_write_has_its_own_place_and_its_own_bytes() {
        const WRITES: usize = 20;
        let name = format!("archipel-bench-test-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = fs::remove_file(&path);
        let times = measure_in(&path, WRITES as u64).unwrap();
        let file = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert_eq!(times.len(), WRITES as u64);
        assert_eq!(file.len(), WRITES * WRITE_BYTES, "the file was whole before it was measured");
        for (number, bytes) in (0u64..).zip(file.chunks(WRITE_BYTES)) {
            assert_eq!(bytes, content(number), "write {number}");
        }
    }
}
