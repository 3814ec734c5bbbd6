//! Reads through the layers: what is newer hides what is older.

use alloc::{sync::Arc, vec, vec::Vec};
use core::iter::Peekable;

use bytes::Bytes;

use super::{BaseReading, Layer, TableId, full_key};
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
    let first = full_key(table, from);
    let end = to.map_or_else(|| table_end(table), |to| full_key(table, to));
    if first >= end {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    let mut base = Pages {
        base: view.base,
        next: Some(first.clone()),
        end: &end,
        page: Vec::new().into_iter(),
    };
    let mut active = view.active.range(&first, &end).peekable();
    let mut frozen = view.frozen.into_iter().flat_map(|layer| layer.range(&first, &end)).peekable();
    let mut base_head = base.next(limit)?;
    while found.len() < limit {
        let heads = [
            active.peek().map(|(key, _)| (*key).clone()),
            frozen.peek().map(|(key, _)| (*key).clone()),
            base_head.as_ref().map(|(key, _)| key.clone()),
        ];
        let Some(key) = heads.into_iter().flatten().min() else {
            break;
        };
        let newest = take(&mut active, &key);
        let older = take(&mut frozen, &key);
        let mut oldest = None;
        if base_head.as_ref().is_some_and(|(head, _)| *head == key) {
            oldest = base_head.take().map(|(_, value)| value);
            base_head = base.next(limit)?;
        }
        if let Some(value) = newest.or(older).unwrap_or(oldest) {
            found.push((key.slice(1..), value));
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
    next: Option<Bytes>,
    end: &'a [u8],
    page: vec::IntoIter<(Bytes, Bytes)>,
}

impl Pages<'_> {
    fn next(&mut self, limit: usize) -> Result<Option<(Bytes, Bytes)>, Fault> {
        if let Some(pair) = self.page.next() {
            return Ok(Some(pair));
        }
        let Some(from) = self.next.take() else {
            return Ok(None);
        };
        let page_length = limit.clamp(1, 1024);
        let page = self.base.scan(&from, self.end, page_length)?;
        if page.len() == page_length {
            self.next = page.last().map(|(key, _)| successor(key));
        }
        self.page = page.into_iter();
        Ok(self.page.next())
    }
}

/// The least key above `key`.
fn successor(key: &[u8]) -> Bytes {
    let mut next = key.to_vec();
    next.push(0);
    Bytes::from(next)
}

fn table_end(table: TableId) -> Bytes {
    assert!(table.0 < u8::MAX, "table 255 has no end");
    full_key(TableId(table.0 + 1), &[])
}
