//! Compaction: giving up what was there before a revision.
//!
//! From the moment of the command nobody can read it. The rows go a while later, so that whoever watches
//! and is a moment behind still sees all of it, and a bounded number with each tick: a change up to that
//! revision makes what its key was before it unreachable, and a deletion leaves nothing itself.

use bytes::Bytes;
use kernel::{Fault, Stamp, Tables, tables::successor};

use crate::{
    answer::Answer,
    failure::Failure,
    store::{
        self, CHANGES, COMPACTED, COMPACTED_AT, COUNTERS, Change, HISTORY, SCRUBBED, View, changes,
        history::Rows,
    },
};

/// How many changes one entry goes through.
const CHANGES_AT_ONCE: usize = 1000;

/// How long after a compaction its rows stay, in nanoseconds of cluster time.
const DELAY_NS: u64 = 2_000_000_000;

/// Gives up what was there before `revision`.
pub(super) fn compact(revision: u64, stamp: Stamp, tables: &mut Tables) -> Result<Answer, Fault> {
    if store::compacted(tables)?.is_some_and(|compacted| revision <= compacted) {
        return Ok(Answer::Failed(Failure::Compacted));
    }
    let present = store::revision(tables)?;
    if revision > present {
        return Ok(Answer::Failed(Failure::FutureRevision));
    }
    store::set_counter(tables, COMPACTED, revision)?;
    store::set_counter(tables, COMPACTED_AT, stamp.0)?;
    Ok(Answer::Revision(present))
}

/// True if rows that nobody can read are left.
pub(crate) fn is_pending(view: &impl View) -> Result<bool, Fault> {
    Ok(next_date(view)?.is_some())
}

/// When rows may be taken away; nothing if none are to be.
pub(super) fn next_date(view: &impl View) -> Result<Option<Stamp>, Fault> {
    let compacted_at = store::counter(view, COMPACTED_AT)?;
    Ok(compacted_at.map(|stamp| Stamp(stamp.saturating_add(DELAY_NS))))
}

/// Where the changes begin that may still be there.
pub(crate) fn scrubbed(view: &impl View) -> Result<Bytes, Fault> {
    Ok(view.get(COUNTERS, SCRUBBED)?.unwrap_or_default())
}

/// Goes on with taking rows away, if it is time.
pub(super) fn scrub(stamp: Stamp, tables: &mut Tables) -> Result<(), Fault> {
    let (Some(date), Some(compacted)) = (next_date(tables)?, store::compacted(tables)?) else {
        return Ok(());
    };
    if date > stamp {
        return Ok(());
    }
    let end = changes::place_of(compacted, u32::MAX);
    let from = successor(&scrubbed(tables)?);
    let rows = tables.scan(CHANGES, &from, Some(&end), CHANGES_AT_ONCE)?;
    let is_last = rows.len() < CHANGES_AT_ONCE;
    for row in &rows {
        scrub_change(&changes::decode(row)?, tables)?;
    }
    let reached = match rows.last() {
        Some((place, _)) if !is_last => place.clone(),
        _ => {
            tables.delete(COUNTERS, COMPACTED_AT)?;
            Bytes::copy_from_slice(&end)
        }
    };
    tables.put(COUNTERS, SCRUBBED, &reached)
}

fn scrub_change(change: &Change, tables: &mut Tables) -> Result<(), Fault> {
    let key = &change.key;
    if let Some((revision, place)) = change.before {
        forget(key, revision, place, tables)?;
    }
    if change.is_deletion() {
        forget(key, change.revision, change.place, tables)?;
    }
    Ok(())
}

fn forget(key: &[u8], revision: u64, place: u32, tables: &mut Tables) -> Result<(), Fault> {
    let was_there = tables.delete(HISTORY, &Rows::of(key).at(revision))?
        && tables.delete(CHANGES, &changes::place_of(revision, place))?;
    assert!(was_there, "what was there was left behind by a change");
    Ok(())
}
