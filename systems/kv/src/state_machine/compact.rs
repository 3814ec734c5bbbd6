//! Compaction: giving up what was there before a revision.
//!
//! From the moment of the command nobody can read it. The rows go afterwards, a bounded number with each
//! entry: a change up to that revision makes what its key was before it unreachable, and a deletion
//! leaves nothing itself.

use kernel::{Fault, Tables};

use crate::{
    answer::Answer,
    failure::Failure,
    store::{
        self, CHANGES, COMPACTED, COUNTERS, Change, HISTORY, SCRUBBED, View, changes,
        history::{self, Rows},
    },
};

/// How many changes one entry goes through.
const CHANGES_AT_ONCE: usize = 1000;

/// Gives up what was there before `revision`.
pub(super) fn compact(revision: u64, tables: &mut Tables) -> Result<Answer, Fault> {
    if store::compacted(tables)?.is_some_and(|compacted| revision <= compacted) {
        return Ok(Answer::Failed(Failure::Compacted));
    }
    let present = store::revision(tables)?;
    if revision > present {
        return Ok(Answer::Failed(Failure::FutureRevision));
    }
    store::set_counter(tables, COMPACTED, revision)?;
    scrub(tables)?;
    Ok(Answer::Revision(present))
}

/// True if rows that nobody can read are left.
pub(crate) fn is_pending(view: &impl View) -> Result<bool, Fault> {
    let Some(compacted) = store::compacted(view)? else {
        return Ok(false);
    };
    let scrubbed = view.get(COUNTERS, SCRUBBED)?;
    Ok(scrubbed.is_none_or(|scrubbed| *scrubbed < changes::place_of(compacted, u32::MAX)[..]))
}

/// Goes on with taking rows away.
pub(super) fn scrub(tables: &mut Tables) -> Result<(), Fault> {
    let Some(compacted) = store::compacted(tables)? else {
        return Ok(());
    };
    let scrubbed = tables.get(COUNTERS, SCRUBBED)?.unwrap_or_default();
    let end = changes::place_of(compacted, u32::MAX);
    if *scrubbed >= end[..] {
        return Ok(());
    }
    let from = crate::keys::successor(&scrubbed);
    let rows = tables.scan(CHANGES, &from, Some(&end), CHANGES_AT_ONCE)?;
    let is_last = rows.len() < CHANGES_AT_ONCE;
    for row in &rows {
        scrub_change(&changes::decode(row)?, tables)?;
    }
    let reached = match rows.last() {
        Some((place, _)) if !is_last => place.clone(),
        _ => bytes::Bytes::copy_from_slice(&end),
    };
    tables.put(COUNTERS, SCRUBBED, &reached)
}

fn scrub_change(change: &Change, tables: &mut Tables) -> Result<(), Fault> {
    let key = &change.key;
    if let Some(before) = history::newest(tables, key, change.revision - 1)? {
        let (revision, place) = before.change();
        forget(key, revision, place, tables)?;
    }
    if change.is_deletion {
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
