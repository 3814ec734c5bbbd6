//! Opens a log that was read back, and begins the replica's next life in it.

use alloc::{vec, vec::Vec};

use kernel::Incarnation;

use crate::{
    append::{Log, create},
    disk::DiskOperation,
    error::Trust,
    recovery::{Blank, Recovered, Recovery},
    scan::Verdict,
};

/// Goes on after what was read, of which `verdict` says how it ended.
pub(crate) fn resume(recovery: Recovery, verdict: &Verdict) -> Recovered {
    let Recovery { identity, limits, mut files, replay, blank, .. } = recovery;
    let mut ledger = replay.ledger.expect("a log that is resumed has a first batch");
    let (from, batch) = (ledger.last_index().next(), replay.link.batch);
    let mut incarnation = replay.incarnation;
    if let Verdict::Garbled(Some(head)) = verdict {
        ledger.suspect(head.hard, head.last);
        // The lost batch may be the one that began the life after the last one that is known.
        incarnation.0 += 1;
    }
    files.retain(|segment| *segment <= replay.tail.segment);
    let trust = match (ledger.small().doubt, verdict) {
        (Some(until), _) => Trust::Uncertain { from, until },
        (None, Verdict::End) => Trust::Whole,
        (None, _) => Trust::Torn { batch, from },
    };
    let mut log = Log {
        identity,
        limits,
        incarnation: Incarnation(incarnation.0 + 1),
        ledger,
        tail: replay.tail,
        link: replay.link,
        in_flight: false,
        needed_from: replay.tail.segment,
        files,
        spare: None,
    };
    let goes_on_here = *verdict == Verdict::End && !replay.is_sealed;
    let (offset, bytes) = replay.last_written.expect("a first batch was read");
    let mut start = confirm(&log, offset, bytes);
    start.extend(begin(&mut log, goes_on_here, blank.as_ref()));
    log.needed_from = log.oldest_needed();
    let small = log.ledger.small();
    Recovered {
        start,
        incarnation: log.incarnation,
        group: small.group,
        hard: small.hard,
        base: small.base,
        base_stamp: small.base_stamp,
        membership: small.membership.clone(),
        generation: small.generation,
        entries: replay.entries.into(),
        trust,
        log,
    }
}

/// Writes the last batch once more and flushes it. What was read may stand in a cache only: because
/// the process died before its flush, or because a flush failed and the system now takes the pages
/// for clean, so that another flush alone would do nothing (B37).
fn confirm(log: &Log, offset: u64, bytes: kernel::Bytes) -> Vec<DiskOperation> {
    let segment = log.tail.segment;
    vec![DiskOperation::Write { segment, offset, bytes }, DiskOperation::Flush { segment }]
}

/// Makes the new incarnation durable: right here if the segment ends with zeros, or in a new segment
/// so that what stands here is never overwritten.
fn begin(log: &mut Log, goes_on_here: bool, blank: Option<&Blank>) -> Vec<DiskOperation> {
    let body = log.start_body();
    if goes_on_here && log.fits(body.len()) {
        log.spare = blank
            .map(|blank| blank.segment)
            .filter(|_| blank.is_some_and(|blank| blank.bytes_len == log.limits.segment_bytes));
        return log.start().to_vec();
    }
    let next = log.tail.segment.next();
    let mut operations = vec![create(next, &log.limits)];
    operations.extend(log.roll(next, &body, &[]));
    operations
}
