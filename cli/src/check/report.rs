//! The findings for people.

use std::collections::BTreeSet;

use ::check::{Consistency, Evidence, Finding, Ladder, Reason};

use super::{history_file::Recorded, shown};
use crate::table::Table;

/// How many operations of a prefix or a witness are shown.
const SHOWN: usize = 10;

/// Prints the verdict, the operation that fits nowhere, and the ladder.
pub(super) fn print(recorded: &Recorded, ladder: &Ladder) {
    println!("{}", verdict(recorded, ladder));
    print_witness(recorded, ladder);
    println!();
    let mut table = Table::new(&["PROMISE", "FINDING", "SHOWN BY"]);
    for model in Consistency::ALL {
        let (finding, by) = finding(recorded, ladder.finding(model));
        table.row(vec![model.name().to_owned(), finding.to_owned(), by]);
    }
    table.print();
    println!("\n{}", strongest(ladder));
    for model in Consistency::ALL.into_iter().skip(1) {
        if let Finding::Broken(evidence) = ladder.finding(model) {
            print_evidence(recorded, model, evidence);
        }
    }
}

/// The verdict in a sentence.
pub(super) fn verdict(recorded: &Recorded, ladder: &Ladder) -> String {
    let operations = recorded.history.operations();
    let keys: BTreeSet<&[u8]> = operations.iter().map(|one| one.key.as_slice()).collect();
    let is = match ladder.finding(Consistency::Linearizable) {
        Finding::Holds => "is linearizable".to_owned(),
        Finding::Broken(_) => "is not linearizable".to_owned(),
        Finding::Unknown(reason) => {
            format!("may or may not be linearizable: {}", why(recorded, reason))
        }
    };
    let (operations, keys) = (count(operations.len(), "operation"), count(keys.len(), "key"));
    format!("{} {is} ({operations} on {keys}).", recorded.name)
}

/// The strongest promises in a sentence.
pub(super) fn strongest(ladder: &Ladder) -> String {
    let names: Vec<&str> = ladder.strongest().into_iter().map(Consistency::name).collect();
    if names.is_empty() {
        return String::from("None of these promises is known to hold.");
    }
    format!("The strongest that holds: {}.", names.join(", "))
}

/// What was found about a model, and what shows it.
pub(super) fn finding(recorded: &Recorded, finding: &Finding) -> (&'static str, String) {
    match finding {
        Finding::Holds => ("holds", String::new()),
        Finding::Unknown(reason) => ("unknown", why(recorded, reason)),
        Finding::Broken(evidence) => {
            let lines: Vec<String> = evidence
                .places
                .iter()
                .map(|place| recorded.history.operations()[*place].invoked)
                .map(|invoked| recorded.lines[invoked].to_string())
                .take(SHOWN)
                .collect();
            let more = if evidence.places.len() > SHOWN { ", …" } else { "" };
            let operations = count(evidence.places.len(), "operation");
            (
                "broken",
                format!("{operations}{}, from lines {}{more}", few(evidence), lines.join(", ")),
            )
        }
    }
}

fn print_witness(recorded: &Recorded, ladder: &Ladder) {
    let Some(witness) = &ladder.witness else {
        return;
    };
    let length = witness.prefix.len();
    let longest = if witness.is_longest { "the longest" } else { "a" };
    println!(
        "\nOf {}, {longest} beginning that can be explained has this order of {}:",
        shown::key(&witness.key),
        count(length, "operation")
    );
    if length > SHOWN {
        println!("  … {} before", count(length - SHOWN, "operation"));
    }
    for operation in &witness.prefix[length.saturating_sub(SHOWN)..] {
        println!("  {}", shown::sentence(recorded, operation));
    }
    println!("This operation fits nowhere:\n  {}", shown::sentence(recorded, &witness.stuck));
}

fn print_evidence(recorded: &Recorded, model: Consistency, evidence: &Evidence) {
    println!("\nThese are not {} on their own:", model.name());
    for line in shown::evidence(recorded, evidence, SHOWN) {
        println!("  {line}");
    }
    if evidence.places.len() > SHOWN {
        println!("  … {} more", evidence.places.len() - SHOWN);
    }
}

/// Why something is not known.
pub(super) fn why(recorded: &Recorded, reason: &Reason) -> String {
    match reason {
        Reason::Ambiguous { place } => {
            let operation = &recorded.history.operations()[*place];
            let line = recorded.lines[operation.invoked];
            format!("{reason} (line {line}); values must be unique for this")
        }
        _ => reason.to_string(),
    }
}

/// Whether fewer operations could show it.
pub(super) const fn few(evidence: &Evidence) -> &'static str {
    if evidence.is_shortest { " (proven: no fewer can)" } else { "" }
}

/// A number and its noun.
pub(super) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
