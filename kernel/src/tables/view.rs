//! [`View`]: what can be read, of a replica that applies or as its readers see it.

use alloc::vec::Vec;

use bytes::Bytes;

use super::{Reading, TableId, Tables, successor};
use crate::outcome::Fault;

/// How many rows are read at once, so that long values do not take much memory.
const ROWS_AT_ONCE: usize = 64;

/// A moment of the tables to read.
pub trait View {
    /// The value of a key.
    ///
    /// # Errors
    /// A [`Fault`] if the base cannot be read.
    fn get(&self, table: TableId, key: &[u8]) -> Result<Option<Bytes>, Fault>;

    /// Pairs in the order of their keys, from one on to before another, so many at most.
    ///
    /// # Errors
    /// A [`Fault`] if the base cannot be read.
    fn scan(
        &self,
        table: TableId,
        from: &[u8],
        to: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Bytes, Bytes)>, Fault>;
}

macro_rules! view {
    ($tables:ty) => {
        impl View for $tables {
            fn get(&self, table: TableId, key: &[u8]) -> Result<Option<Bytes>, Fault> {
                Self::get(self, table, key)
            }

            fn scan(
                &self,
                table: TableId,
                from: &[u8],
                to: Option<&[u8]>,
                limit: usize,
            ) -> Result<Vec<(Bytes, Bytes)>, Fault> {
                Self::scan(self, table, from, to, limit)
            }
        }
    };
}

view!(Tables);
view!(Reading);

/// Goes through the rows of a table, from one key on to before another, in order.
///
/// # Errors
/// A [`Fault`] if the base cannot be read, or what `take` says.
pub fn each_row<E: From<Fault>>(
    view: &impl View,
    table: TableId,
    (from, to): (&[u8], Option<&[u8]>),
    mut take: impl FnMut(Bytes, Bytes) -> Result<(), E>,
) -> Result<(), E> {
    let mut from = Bytes::copy_from_slice(from);
    loop {
        let rows = view.scan(table, &from, to, ROWS_AT_ONCE)?;
        let is_last = rows.len() < ROWS_AT_ONCE;
        if let Some((last, _)) = rows.last() {
            from = successor(last);
        }
        for (key, row) in rows {
            take(key, row)?;
        }
        if is_last {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::tables::prefix_end;

    #[test]
    fn a_prefix_ends_before_the_next_larger_one() {
        assert_eq!(prefix_end(b"ab").as_deref(), Some(&b"ac"[..]));
        assert_eq!(prefix_end(b"a\xff").as_deref(), Some(&b"b"[..]));
        assert_eq!(prefix_end(b"\xff\xff"), None);
        assert_eq!(prefix_end(b""), None);
    }
}
