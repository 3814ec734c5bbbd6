//! What was injected and what it exercised, as a table.

use sim::Counters;
use worlds::Totals;

use crate::table::Table;

/// Counters of what goes wrong.
const FAULTS: &[&str] = &[
    "mishaps",
    "crashes",
    "power cuts",
    "pauses",
    "cuts",
    "disk failures",
    "full disks",
    "disk stalls",
    "torn tails",
    "uncertain tails",
    "lost disks",
    "rotten disks",
    "disks replaced",
    "bits flipped in memory",
    "clock leaps",
    "murks",
    "storms of transfers",
    "amnesias",
    "ghosts",
    "estrangements",
    "ambushes sprung",
    "bursts of changes",
    "flushes asked for",
    "messages lost",
    "messages copied",
    "messages held",
    "messages from the dead",
    "machines rebuilt",
];

/// Of these, the ones that are done to the world, so that none is counted twice.
const INJECTED: &[&str] =
    &["mishaps", "messages lost", "messages copied", "messages held", "bits flipped in memory"];

/// Counters of what clients saw.
const CLIENTS: &[&str] =
    &["reads", "writes", "mismatches", "refused", "unknown", "session repeats"];

/// Prints the table. What every system counts and is neither a fault nor seen by clients was exercised by
/// faults; what only one system counts is seen by its clients.
pub(super) fn print(exercised: &[(&'static str, u64)]) {
    let common = Counters::default().each().map(|(name, _)| name);
    let is_seen = |name: &str| CLIENTS.contains(&name) || !common.contains(&name);
    let group = |is_in: &dyn Fn(&str) -> bool| -> Vec<(&str, u64)> {
        exercised.iter().copied().filter(|(name, _)| is_in(name)).collect()
    };
    let faults = group(&|name| FAULTS.contains(&name));
    let clients = group(&is_seen);
    let exercised = group(&|name| !FAULTS.contains(&name) && !is_seen(name));
    let groups = [faults, exercised, clients];
    let mut table = Table::new(&["faults injected", "", "what it exercised", "", "clients", ""]);
    for line in 0..groups.iter().map(Vec::len).max().unwrap_or_default() {
        let cells = groups.iter().flat_map(|group| {
            let width = group.iter().map(|(_, count)| digits(*count)).max().unwrap_or_default();
            let cell = group.get(line);
            cell.map_or_else(Default::default, |(name, count)| {
                [(*name).to_owned(), format!("{:>width$}", grouped(*count))]
            })
        });
        table.row(cells.collect());
    }
    table.print();
}

/// How many faults were injected.
pub(super) fn faults(counters: &Counters) -> u64 {
    let counted = counters.each().into_iter().filter(|(name, _)| INJECTED.contains(name));
    counted.map(|(_, count)| count).sum()
}

/// How fast it went, in words.
pub(super) fn speed(totals: &Totals) -> String {
    let elapsed_ms = totals.elapsed.as_millis().max(1);
    let a_second = |thousandths: u64| {
        let tenths = u128::from(thousandths) * 10 / elapsed_ms;
        let (whole, tenth) = (u64::try_from(tenths / 10).unwrap_or(u64::MAX), tenths % 10);
        if whole < 10 { format!("{whole}.{tenth}") } else { grouped(whole) }
    };
    format!(
        "{} seeds, {} cluster seconds and {} events a second",
        a_second(totals.seeds * 1_000),
        a_second(totals.counters.virtual_ms),
        a_second(totals.counters.events.saturating_mul(1_000))
    )
}

/// A number with a comma after every three digits.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn digits(number: u64) -> usize {
    grouped(number).len()
}

#[cfg(test)]
mod tests {
    use super::{CLIENTS, FAULTS, INJECTED, faults, grouped};
    use sim::Counters;

    #[test]
    fn every_name_is_one_that_is_counted() {
        let counted = Counters::default().each().map(|(name, _)| name);
        for name in FAULTS.iter().chain(CLIENTS) {
            assert!(counted.contains(name), "{name}");
        }
        assert!(INJECTED.iter().all(|name| FAULTS.contains(name)));
        assert_eq!(faults(&Counters { mishaps: 3, lost: 4, crashes: 9, ..Counters::default() }), 7);
    }

    #[test]
    fn digits_stand_in_groups_of_three() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
