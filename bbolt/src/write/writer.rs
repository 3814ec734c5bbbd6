//! The writer: buckets in the order of their names, each with its pairs in the order of their keys.

use alloc::vec::Vec;

use super::{
    error::WriteError,
    pages::{Layout, Pages},
    sink::{Nowhere, Sink},
    tree::Tree,
};
use crate::format::{BUCKET_FLAG, KEY_BYTES_MAX, VALUE_BYTES_MAX, bucket_header};

/// Writes a file from its first byte to its last.
///
/// Begin a bucket, give its pairs, begin the next; names and keys ascend. Memory holds a page or two for each
/// level of a tree, and a value that is larger than that. Every bucket gets pages of its own, also one that
/// bbolt would put inline: bbolt reads both.
#[derive(Debug)]
pub struct Writer<S> {
    pages: Pages<S>,
    /// What the file must turn out to be.
    measured: Option<Layout>,
    root: Tree,
    open: Option<OpenBucket>,
}

#[derive(Debug)]
struct OpenBucket {
    name: Vec<u8>,
    last_key: Vec<u8>,
    tree: Tree,
}

impl Writer<Nowhere> {
    /// A writer that only measures. [`finish`](Writer::finish) gives the layout.
    #[must_use]
    pub fn measuring() -> Self {
        Self { pages: Pages::unmeasured(Nowhere), measured: None, root: Tree::new(), open: None }
    }
}

impl<S: Sink> Writer<S> {
    /// A writer of the file that was measured. What stands in front of the buckets is written at once.
    ///
    /// # Errors
    /// What the sink says.
    pub fn new(layout: Layout, sink: S) -> Result<Self, S::Error> {
        let pages = Pages::measured(layout, sink)?;
        Ok(Self { pages, measured: Some(layout), root: Tree::new(), open: None })
    }

    /// Begins a bucket. The pairs that follow belong to it.
    ///
    /// # Errors
    /// If the name is empty, too long or not greater than the last one, and what the sink says.
    pub fn bucket(&mut self, name: &[u8]) -> Result<(), WriteError<S::Error>> {
        let last_name = self.open.as_ref().map_or(&[][..], |open| &open.name);
        check_key(name, last_name)?;
        self.close_bucket()?;
        let (name, last_key) = (name.to_vec(), Vec::new());
        self.open = Some(OpenBucket { name, last_key, tree: Tree::new() });
        Ok(())
    }

    /// Adds a pair to the bucket that was begun last.
    ///
    /// # Errors
    /// If there is no bucket, if the key is empty, too long or not greater than the last one, if the value
    /// is too long, and what the sink says.
    pub fn pair(&mut self, key: &[u8], value: &[u8]) -> Result<(), WriteError<S::Error>> {
        let open = self.open.as_mut().ok_or(WriteError::NoBucket)?;
        check_key(key, &open.last_key)?;
        if value.len() > VALUE_BYTES_MAX {
            return Err(WriteError::LongValue { bytes: value.len() });
        }
        open.last_key.clear();
        open.last_key.extend_from_slice(key);
        open.tree.push(0, (key, value), &mut self.pages)
    }

    /// Writes what is left. The file is whole only then.
    ///
    /// # Errors
    /// If the file is not the one that was measured, and what the sink says.
    pub fn finish(mut self) -> Result<Layout, WriteError<S::Error>> {
        self.close_bucket()?;
        let root = self.root.finish(&mut self.pages)?;
        let layout = Layout { root, end: self.pages.next() };
        if self.measured.is_some_and(|measured| measured != layout) {
            return Err(WriteError::NotAsMeasured);
        }
        Ok(layout)
    }

    fn close_bucket(&mut self) -> Result<(), WriteError<S::Error>> {
        let Some(OpenBucket { name, tree, .. }) = self.open.take() else {
            return Ok(());
        };
        let header = bucket_header(tree.finish(&mut self.pages)?);
        self.root.push(BUCKET_FLAG, (&name, &header), &mut self.pages)
    }
}

/// No key is empty, so an empty `last` is one that stands before all keys.
fn check_key<E>(key: &[u8], last: &[u8]) -> Result<(), WriteError<E>> {
    match key.len() {
        0 => Err(WriteError::EmptyKey),
        bytes if bytes > KEY_BYTES_MAX => Err(WriteError::LongKey { bytes }),
        _ if key <= last => Err(WriteError::OutOfOrder),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use alloc::{vec, vec::Vec};

    use super::{KEY_BYTES_MAX, Layout, Sink, WriteError, Writer};

    /// One bucket with a pair for each of `keys`.
    fn walk<S: Sink>(
        mut writer: Writer<S>,
        keys: &[&[u8]],
    ) -> Result<Layout, WriteError<S::Error>> {
        writer.bucket(b"bucket")?;
        for key in keys {
            writer.pair(key, b"value")?;
        }
        writer.finish()
    }

    #[test]
    fn what_bbolt_would_not_take_is_refused() {
        let refused = |keys: &[&[u8]]| walk(Writer::measuring(), keys).unwrap_err();
        let long = vec![b'k'; KEY_BYTES_MAX + 1];
        assert_eq!(refused(&[b""]), WriteError::EmptyKey);
        assert_eq!(refused(&[&long]), WriteError::LongKey { bytes: KEY_BYTES_MAX + 1 });
        assert_eq!(refused(&[b"b", b"a"]), WriteError::OutOfOrder);
        assert_eq!(refused(&[b"b", b"b"]), WriteError::OutOfOrder);
        assert!(walk(Writer::measuring(), &[&long[1..]]).is_ok());
    }

    #[test]
    fn a_pair_needs_a_bucket_and_buckets_ascend() {
        assert_eq!(Writer::measuring().pair(b"a", b"1"), Err(WriteError::NoBucket));
        let mut writer = Writer::measuring();
        writer.bucket(b"b").unwrap();
        assert_eq!(writer.bucket(b"b"), Err(WriteError::OutOfOrder));
        assert_eq!(writer.bucket(b"a"), Err(WriteError::OutOfOrder));
    }

    #[test]
    fn a_second_walk_that_differs_is_found_before_more_is_written_than_was_measured() {
        let layout = walk(Writer::measuring(), &[b"a"]).unwrap();
        let mut taken = 0;
        let sink = |bytes: &[u8]| -> Result<(), ()> {
            taken += bytes.len() as u64;
            Ok(())
        };
        let keys: Vec<[u8; 2]> = (0..1000_u16).map(u16::to_be_bytes).collect();
        let keys: Vec<&[u8]> = keys.iter().map(|key| &key[..]).collect();
        let error = walk(Writer::new(layout, sink).unwrap(), &keys).unwrap_err();
        assert_eq!(error, WriteError::NotAsMeasured);
        assert!(taken <= layout.file_bytes());

        let layout = walk(Writer::measuring(), &keys).unwrap();
        let writer = Writer::new(layout, |_: &[u8]| -> Result<(), ()> { Ok(()) }).unwrap();
        assert_eq!(walk(writer, &[b"a"]), Err(WriteError::NotAsMeasured));
    }

    #[test]
    fn an_error_of_the_sink_passes_through_wherever_it_comes() {
        let layout = walk(Writer::measuring(), &[b"a", b"b"]).unwrap();
        let mut parts = 0;
        let count = |_: &[u8]| -> Result<(), ()> {
            parts += 1;
            Ok(())
        };
        walk(Writer::new(layout, count).unwrap(), &[b"a", b"b"]).unwrap();
        for fatal in 0..parts {
            let mut part = 0;
            let sink = |_: &[u8]| {
                part += 1;
                if part > fatal { Err("full") } else { Ok(()) }
            };
            let end = Writer::new(layout, sink)
                .map_err(WriteError::Sink)
                .and_then(|writer| walk(writer, &[b"a", b"b"]));
            assert_eq!(end, Err(WriteError::Sink("full")), "part {fatal}");
        }
    }
}
