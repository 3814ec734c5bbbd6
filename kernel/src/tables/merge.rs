//! Reads through the layers: what is newer hides what is older.

use alloc::{sync::Arc, vec, vec::Vec};
use core::iter::Peekable;

use bytes::{Buf, Bytes};

use super::{BaseReading, Layer, TableId, full_key, successor, with_full_key};
use crate::outcome::Fault;

/// The layers, newest first.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) active: &'a Layer,
    pub(super) frozen: Option<&'a Layer>,
    pub(super) base: &'a Arc<dyn BaseReading>,
}

impl View<'_> {
    pub(super) fn get(self, key: &[u8]) -> Result<Option<Bytes>, Fault> {
        let newer = self.active.get(key).or_else(|| self.frozen.and_then(|frozen| frozen.get(key)));
        newer.map_or_else(|| self.base.get(key), |value| Ok(value.cloned()))
    }
}

/// The first `limit` pairs of `table` in the range, keys without the table's number.
pub(super) fn scan(
    view: View<'_>,
    table: TableId,
    (from, to): (&[u8], Option<&[u8]>),
    limit: usize,
) -> Result<Vec<(Bytes, Bytes)>, Fault> {
    with_full_key(table, from, |first| match to {
        Some(to) => with_full_key(table, to, |end| scan_full(view, (first, end), limit)),
        None => scan_full(view, (first, &table_end(table)), limit),
    })
}

fn scan_full(
    view: View<'_>,
    (first, end): (&[u8], &[u8]),
    limit: usize,
) -> Result<Vec<(Bytes, Bytes)>, Fault> {
    let mut found = Vec::new();
    if first >= end {
        return Ok(found);
    }
    let mut base = Pages::new(view.base, (first, end), limit);
    let mut active = view.active.range(first, end).peekable();
    let mut frozen = view.frozen.into_iter().flat_map(|layer| layer.range(first, end)).peekable();
    let mut base_head = None;
    while found.len() < limit {
        if base_head.is_none() {
            base_head = base.next()?;
        }
        let layers = [active.peek(), frozen.peek()];
        let newer = layers.into_iter().flatten().map(|(key, _)| *key).min();
        let (mut key, oldest) = match (newer, base_head.take()) {
            (None, None) => break,
            (Some(newer), Some((key, value))) if *newer < key => {
                base_head = Some((key, value));
                (newer.clone(), None)
            }
            (_, Some((key, value))) => (key, Some(value)),
            (Some(newer), None) => (newer.clone(), None),
        };
        let newest = take(&mut active, &key);
        let older = take(&mut frozen, &key);
        if let Some(value) = newest.or(older).unwrap_or(oldest) {
            key.advance(1);
            found.push((key, value));
        }
    }
    Ok(found)
}

fn take<'a>(
    layer: &mut Peekable<impl Iterator<Item = (&'a Bytes, Option<&'a Bytes>)>>,
    key: &Bytes,
) -> Option<Option<Bytes>> {
    layer.next_if(|(head, _)| *head == key).map(|(_, value)| value.cloned())
}

/// The base's pairs, a page at a time.
struct Pages<'a> {
    base: &'a Arc<dyn BaseReading>,
    first: &'a [u8],
    end: &'a [u8],
    length: usize,
    page: vec::IntoIter<(Bytes, Bytes)>,
    /// Where the page after this one begins; nothing before the first.
    next: Option<Bytes>,
    is_last: bool,
}

impl<'a> Pages<'a> {
    fn new(
        base: &'a Arc<dyn BaseReading>,
        (first, end): (&'a [u8], &'a [u8]),
        limit: usize,
    ) -> Self {
        let length = limit.clamp(1, 1024);
        let page = Vec::new().into_iter();
        Self { base, first, end, length, page, next: None, is_last: false }
    }

    fn next(&mut self) -> Result<Option<(Bytes, Bytes)>, Fault> {
        if self.page.len() == 0 && !self.is_last {
            let from = self.next.as_deref().unwrap_or(self.first);
            let page = self.base.scan(from, self.end, self.length)?;
            self.is_last = page.len() < self.length;
            self.next = page.last().map(|(key, _)| successor(key));
            self.page = page.into_iter();
        }
        Ok(self.page.next())
    }
}

fn table_end(table: TableId) -> Bytes {
    assert!(table.0 < u8::MAX, "table 255 has no end");
    full_key(TableId(table.0 + 1), &[])
}
