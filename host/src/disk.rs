//! Carries out what the log wants of the disk.
//!
//! Writes and flushes happen on the log thread, each once: one that failed is never tried again,
//! because after a failed flush nobody can say what the disk holds. Making segments and removing them
//! takes its time and happens elsewhere, see [`segment_thread`](crate::segment_thread).

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
};

use bytes::Bytes;
use log::{DiskOperation, SegmentNumber};

use crate::folder::{Layout, flush_folder};

/// Zeros are written and flushed in pieces of this size, so that no flush of the log waits long.
const PIECE_BYTES: usize = 1 << 20;

/// The segments of a log, opened as they are needed.
#[derive(Debug)]
pub(crate) struct Disk {
    layout: Layout,
    files: BTreeMap<SegmentNumber, File>,
}

impl Disk {
    pub(crate) const fn new(layout: Layout) -> Self {
        Self { layout, files: BTreeMap::new() }
    }

    /// Carries out one operation. After an error of a write or a flush the disk must not be used.
    pub(crate) fn carry_out(&mut self, operation: &DiskOperation) -> io::Result<()> {
        match operation {
            DiskOperation::Create { segment, bytes_len } => {
                self.forget(*segment);
                create_segment(&self.layout, *segment, *bytes_len)
            }
            DiskOperation::Write { segment, offset, bytes } => {
                self.file(*segment)?.write_all_at(bytes, *offset)
            }
            DiskOperation::Flush { segment } => self.file(*segment)?.sync_data(),
            DiskOperation::Remove { segment } => {
                self.forget(*segment);
                remove_segment(&self.layout, *segment)
            }
        }
    }

    /// Reads a part of a segment.
    pub(crate) fn read(
        &mut self,
        segment: SegmentNumber,
        offset: u64,
        bytes_len: u64,
    ) -> io::Result<Bytes> {
        let length = usize::try_from(bytes_len).expect("a part of a segment fits in memory");
        let mut bytes = vec![0; length];
        self.file(segment)?.read_exact_at(&mut bytes, offset)?;
        Ok(Bytes::from(bytes))
    }

    /// The segment has been made anew or removed.
    pub(crate) fn forget(&mut self, segment: SegmentNumber) {
        self.files.remove(&segment);
    }

    fn file(&mut self, segment: SegmentNumber) -> io::Result<&File> {
        use std::collections::btree_map::Entry;
        match self.files.entry(segment) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => {
                let path = self.layout.segment(segment);
                let file = File::options().read(true).write(true).open(path)?;
                Ok(entry.insert(file))
            }
        }
    }
}

/// Makes a segment full of zeros that were really written, so that no later flush has to wait for the
/// file system to find room. It appears under its name only when it is whole.
pub(crate) fn create_segment(
    layout: &Layout,
    segment: SegmentNumber,
    bytes_len: u64,
) -> io::Result<()> {
    let beside = layout.temporary(&Layout::segment_name(segment));
    let result = fill_with_zeros(&beside, bytes_len)
        .and_then(|()| fs::rename(&beside, layout.segment(segment)))
        .and_then(|()| flush_folder(&layout.log()));
    if result.is_err() {
        // What could be written of it only takes room; the error that counts is the first one.
        let _ = fs::remove_file(&beside);
    }
    result
}

fn fill_with_zeros(path: &std::path::Path, bytes_len: u64) -> io::Result<()> {
    let file = File::create(path)?;
    let zeros = vec![0; PIECE_BYTES];
    let mut offset = 0;
    while offset < bytes_len {
        let piece = (bytes_len - offset).min(PIECE_BYTES as u64);
        let length = usize::try_from(piece).expect("a piece is at most 1 MiB");
        file.write_all_at(&zeros[..length], offset)?;
        file.sync_data()?;
        offset += piece;
    }
    file.sync_all()
}

pub(crate) fn remove_segment(layout: &Layout, segment: SegmentNumber) -> io::Result<()> {
    match fs::remove_file(layout.segment(segment)) {
        // An attempt before this one came as far as this.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        result => result?,
    }
    flush_folder(&layout.log())
}

/// How many bytes this process may still write to the disk that `path` is on.
pub(crate) fn room(path: &std::path::Path) -> io::Result<u64> {
    let numbers = rustix::fs::statvfs(path)?;
    Ok(numbers.f_bavail.saturating_mul(numbers.f_frsize))
}

/// True if the error says that there is no room, rather than that the disk is broken.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use log::{DiskOperation, SegmentNumber};

    use super::{Disk, room};
    use crate::{folder::Layout, scratch::scratch};

    const SEGMENT: SegmentNumber = SegmentNumber(1);
    const BYTES: u64 = 3 << 19;

    fn disk(name: &str) -> Disk {
        Disk::new(Layout::make(scratch(name)).unwrap())
    }

    #[test]
    fn a_segment_is_zeros_until_it_is_written() {
        let mut disk = disk("disk-write");
        let operations = [
            DiskOperation::Create { segment: SEGMENT, bytes_len: BYTES },
            DiskOperation::Write {
                segment: SEGMENT,
                offset: 512,
                bytes: Bytes::from_static(b"here"),
            },
            DiskOperation::Flush { segment: SEGMENT },
        ];
        for operation in &operations {
            disk.carry_out(operation).unwrap();
        }
        let length = disk.layout.segment(SEGMENT).metadata().unwrap().len();
        assert_eq!(length, BYTES);
        assert_eq!(disk.read(SEGMENT, 510, 8).unwrap().as_ref(), b"\0\0here\0\0");
        assert!(disk.read(SEGMENT, BYTES, 1).is_err(), "there is nothing behind the end");
    }

    #[test]
    fn a_segment_is_there_whole_or_not_at_all_and_goes_without_a_trace() {
        let mut disk = disk("disk-remove");
        let create = DiskOperation::Create { segment: SEGMENT, bytes_len: 512 };
        disk.carry_out(&create).unwrap();
        assert_eq!(disk.layout.segments().unwrap(), [SEGMENT]);
        assert!(std::fs::read_dir(disk.layout.temporary("")).unwrap().next().is_none());
        let remove = DiskOperation::Remove { segment: SEGMENT };
        disk.carry_out(&remove).unwrap();
        disk.carry_out(&remove).expect("what is gone may be removed again");
        assert!(disk.layout.segments().unwrap().is_empty());
        assert!(disk.read(SEGMENT, 0, 1).is_err(), "the file is not kept open either");
    }

    #[test]
    fn what_cannot_be_made_leaves_nothing_behind() {
        let mut disk = disk("disk-fail");
        std::fs::create_dir(disk.layout.segment(SEGMENT)).unwrap();
        let create = DiskOperation::Create { segment: SEGMENT, bytes_len: 512 };
        assert!(disk.carry_out(&create).is_err());
        assert!(std::fs::read_dir(disk.layout.temporary("")).unwrap().next().is_none());
    }

    #[test]
    fn a_disk_says_how_much_room_it_has() {
        assert!(room(&scratch("disk-room")).unwrap() > 0);
    }
}
