//! The file format of bbolt, the storage engine of etcd: a writer that streams and a reader that is wary.
//!
//! What etcd calls a snapshot is such a file with a SHA-256 behind it. With this crate `etcdctl snapshot
//! save` gets from archipel what a real etcd restores, and a snapshot of a real etcd can be read here.
//!
//! ```text
//!   page     0       1        2         3 ...
//!         ┌──────┬──────┬──────────┬────────┬────────┬─────┬────────┬──────┐
//!         │ meta │ meta │ freelist │  leaf  │  leaf  │ ... │ branch │ root │
//!         └──┬───┴──┬───┴──────────┴────────┴────────┴─────┴────────┴──▲───┘
//!            └──────┴───────── the page of the root bucket ────────────┘
//! ```
//! A file is a tree of pages. The root bucket holds buckets, a bucket holds pairs in the order of their
//! keys, and both are B+ trees of the same pages (`format.rs` has their bytes). Pages have no checksum, only
//! the metas do: what a reader cannot see is what the SHA-256 behind a snapshot is for.
//!
//! # Writing takes two passes
//!
//! The metas stand first and name the root and the number of pages, and a receiver of a stream cannot go
//! back to fill them in. The upper pages cannot be written ahead of the lower ones either: bbolt finds a
//! page in its parent by the page's own first key, so a parent repeats keys that are not known before they
//! are met. So the pairs are walked twice over one moment of the data, with the same code: once into nowhere,
//! which gives the [`Layout`], and once into the sink. Nothing is buffered but a page or two for each level of
//! the tree, there is no temporary file, and the size is known before the first byte is sent, which
//! etcd's protocol tells its clients with every part.
//!
//! ```
//! # use archipel_bbolt::{Layout, Reader, Sink, WriteError, Writer};
//! fn walk<S: Sink>(mut writer: Writer<S>) -> Result<Layout, WriteError<S::Error>> {
//!     writer.bucket(b"key")?;
//!     writer.pair(b"a", b"1")?;
//!     writer.pair(b"b", b"2")?;
//!     writer.bucket(b"lease")?;
//!     writer.finish()
//! }
//!
//! let layout = walk(Writer::measuring()).unwrap();
//! let mut file = Vec::new();
//! let sink = |bytes: &[u8]| -> Result<(), ()> { Ok(file.extend_from_slice(bytes)) };
//! walk(Writer::new(layout, sink).unwrap()).unwrap();
//! assert_eq!(file.len() as u64, layout.file_bytes());
//!
//! let reader = Reader::open(&file[..]).unwrap();
//! let bucket = reader.bucket(b"key").unwrap().unwrap();
//! let mut pairs = reader.pairs(&bucket).unwrap();
//! assert_eq!(pairs.next_pair().unwrap().unwrap().value, b"1");
//! ```
#![no_std]

extern crate alloc;

mod format;
mod meta;
mod read;
mod write;

pub use format::{KEY_BYTES_MAX, PAGE_BYTES, PageId, VALUE_BYTES_MAX};
pub use read::{
    Bucket, Buckets, ElementFlaw, MetaFlaw, PageFlaw, Pair, Pairs, ReadError, Reader, Source,
};
pub use write::{Layout, Nowhere, Sink, WriteError, Writer};
