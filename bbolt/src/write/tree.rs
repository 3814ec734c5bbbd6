//! A B+ tree that grows from left to right, with one waiting page for each level.

use alloc::{vec, vec::Vec};

use super::{error::WriteError, pages::Pages, pending::Pending, sink::Sink};
use crate::format::PageId;

/// A tree whose pairs come in ascending order.
///
/// Invariants: the lowest level is a leaf, the others are branches; a level exists once a page below it is
/// written; a level that exists is never empty, save the leaf of an empty tree.
#[derive(Debug)]
pub(super) struct Tree {
    levels: Vec<Pending>,
}

impl Tree {
    pub(super) fn new() -> Self {
        Self { levels: vec![Pending::leaf()] }
    }

    /// Adds a pair, or a bucket, behind all others.
    pub(super) fn push<S: Sink>(
        &mut self,
        flags: u32,
        (key, value): (&[u8], &[u8]),
        pages: &mut Pages<S>,
    ) -> Result<(), WriteError<S::Error>> {
        self.levels[0].push_pair(flags, key, value);
        self.close_full(0, pages)
    }

    /// Writes what waits, from below to above, and gives the page at the top.
    pub(super) fn finish<S: Sink>(
        mut self,
        pages: &mut Pages<S>,
    ) -> Result<PageId, WriteError<S::Error>> {
        let mut level = 0;
        loop {
            let count = self.levels[level].page_at_end();
            let is_last_page = count == self.levels[level].len();
            if is_last_page && level + 1 == self.levels.len() {
                let (root, _) = self.levels[level].write(count, pages)?;
                return Ok(root);
            }
            self.close(level, count, pages)?;
            if is_last_page {
                level += 1;
            }
        }
    }

    fn close_full<S: Sink>(
        &mut self,
        level: usize,
        pages: &mut Pages<S>,
    ) -> Result<(), WriteError<S::Error>> {
        while let Some(count) = self.levels[level].full_page() {
            self.close(level, count, pages)?;
        }
        Ok(())
    }

    /// Writes a page of `count` elements and enters it in the level above.
    fn close<S: Sink>(
        &mut self,
        level: usize,
        count: usize,
        pages: &mut Pages<S>,
    ) -> Result<(), WriteError<S::Error>> {
        assert!(count > 0, "a page below another has elements");
        let (page, first_key) = self.levels[level].write(count, pages)?;
        if level + 1 == self.levels.len() {
            self.levels.push(Pending::branch());
        }
        self.levels[level + 1].push_child(&first_key, page);
        self.close_full(level + 1, pages)
    }
}
