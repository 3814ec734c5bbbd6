//! What is wrong with single nodes: behind, short of room, slow, late.

use super::{finding::Finding, visit::Visit};

/// So many entries behind is more than what is on its way.
const LAG_MAX: u64 = 10_000;
/// With less room the next flush of large tables may find none.
const ROOM_BYTES_MIN: u64 = 1 << 30;
/// Longer flushes come near the time after which followers call an election.
const FLUSH_MICROSECONDS_MAX: u64 = 100_000;
/// Fewer flushes tell nothing of one in a hundred.
const FLUSHES_MIN: u64 = 100;
/// What is dated by one node and shown by another would seem strange.
const CLOCK_MS_MAX: i64 = 1000;

/// Looks at each.
pub(super) fn look(visits: &[Visit]) -> Vec<Finding> {
    let answering: Vec<&Visit> = visits.iter().filter(|visit| visit.answers()).collect();
    let commit = answering.iter().map(|visit| visit.number("/commit")).max().unwrap_or_default();
    let mut findings = Vec::new();
    for visit in &answering {
        findings.extend(lag(visit, commit));
        findings.extend(doubt(visit));
        findings.extend(room(visit));
        findings.extend(speed(visit));
    }
    findings.extend(clocks(&answering));
    findings
}

fn lag(visit: &Visit, commit: u64) -> Option<Finding> {
    let behind = commit.saturating_sub(visit.number("/applied"));
    (behind > LAG_MAX).then(|| {
        Finding::ailing(
            "lag",
            format!("{} is {behind} entries behind.", visit.name()),
            "Look again in a minute: one that was away catches up by itself. If the number grows, its disk or its \
             processor is slower than what clients write.",
        )
    })
}

fn doubt(visit: &Visit) -> Option<Finding> {
    visit.says("/uncertain").then(|| {
        Finding::ailing(
            "doubt",
            format!("The end of the log of {} is in doubt, so it does not vote.", visit.name()),
            "It votes again once it has heard from a leader; bring a majority of the others up.",
        )
    })
}

fn room(visit: &Visit) -> Option<Finding> {
    let name = visit.name();
    if visit.says("/diskFull") || visit.says("/machine/tablesLackRoom") {
        return Some(Finding::ailing(
            "full-disk",
            format!(
                "The disk of {name} is full: what needs it is refused, reads and elections go on."
            ),
            "Make room on that disk; the node goes on by itself.",
        ));
    }
    let room = visit.status["machine"]["roomBytes"].as_u64()?;
    (room < ROOM_BYTES_MIN).then(|| {
        Finding::ailing(
            "little-room",
            format!("The disk of {name} has room for {} MiB only.", room >> 20),
            "Make room before it is full: writes are refused then.",
        )
    })
}

fn speed(visit: &Visit) -> Option<Finding> {
    let p99 = visit.number("/machine/flushMicrosecondsP99");
    let is_slow = visit.number("/machine/flushes") >= FLUSHES_MIN && p99 > FLUSH_MICROSECONDS_MAX;
    is_slow.then(|| slow(visit.name(), p99))
}

/// A disk on which one flush in a hundred takes so long.
pub(super) fn slow(whose: &str, p99_microseconds: u64) -> Finding {
    Finding::ailing(
        "slow-disk",
        format!(
            "On the disk of {whose} one flush in a hundred takes over {} ms.",
            p99_microseconds / 1000
        ),
        "Give the log a disk of its own, or a faster one. Until then longer times hold needless elections off: \
         --heartbeat-ms, --election-min-ms and --election-max-ms.",
    )
}

/// Flushes longer than these are worth a word.
pub(super) const fn is_slow(p99_microseconds: u64) -> bool {
    p99_microseconds > FLUSH_MICROSECONDS_MAX
}

fn clocks(answering: &[&Visit]) -> Option<Finding> {
    let first = answering.iter().min_by_key(|visit| visit.ahead_ms)?;
    let last = answering.iter().max_by_key(|visit| visit.ahead_ms)?;
    let apart = last.ahead_ms - first.ahead_ms;
    (apart > CLOCK_MS_MAX).then(|| {
        Finding::ailing(
            "clocks",
            format!("The clock of {} is {apart} ms ahead of that of {}.", last.name(), first.name()),
            "Nothing is decided by it, but times that people see are wrong. Have both hosts follow a time server.",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::look;
    use crate::doctor::visit::Visit;
    use serde_json::{Value, json};

    fn node(name: &str, change: impl FnOnce(&mut Value)) -> Visit {
        let mut status = json!({
            "node": { "name": name }, "commit": 20_000, "applied": 20_000, "uncertain": false, "diskFull": false,
            "machine": {
                "roomBytes": 1u64 << 40, "tablesLackRoom": false, "flushes": 200, "flushMicrosecondsP99": 900,
            },
        });
        change(&mut status);
        Visit { address: format!("{name}:3000"), status, ahead_ms: 0 }
    }

    fn codes(visits: &[Visit]) -> Vec<&'static str> {
        look(visits).into_iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn each_ailment_has_its_name() {
        assert_eq!(codes(&[node("a", |_| ())]), [""; 0]);
        let one = |change: fn(&mut Value)| codes(&[node("a", |_| ()), node("b", change)]);
        assert_eq!(one(|it| it["applied"] = 9_000.into()), ["lag"]);
        assert_eq!(one(|it| it["uncertain"] = true.into()), ["doubt"]);
        assert_eq!(one(|it| it["diskFull"] = true.into()), ["full-disk"]);
        assert_eq!(one(|it| it["machine"]["roomBytes"] = 5.into()), ["little-room"]);
        assert_eq!(one(|it| it["machine"]["flushMicrosecondsP99"] = 120_000.into()), ["slow-disk"]);
    }

    #[test]
    fn clocks_are_compared_with_each_other_and_not_with_ours() {
        let (mut a, mut b) = (node("a", |_| ()), node("b", |_| ()));
        (a.ahead_ms, b.ahead_ms) = (90_000, 90_400);
        assert_eq!(codes(&[a.clone(), b.clone()]), [""; 0]);
        b.ahead_ms = 92_000;
        assert_eq!(look(&[a, b])[0].says, "The clock of b is 2000 ms ahead of that of a.");
    }
}
