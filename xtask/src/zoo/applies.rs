//! The house rule for the zoo: every patch says what it is, stands in the table, and still applies.

use std::path::Path;

use super::{mutant::Mutant, workshop};
use crate::tidy::Finding;

/// The table of all mistakes.
const TABLE: &str = "zoo/README.md";

/// The breaches: of the folder `zoo/` in the repository at `root`.
pub(crate) fn check(root: &Path, table: Option<&str>) -> Vec<Finding> {
    let Some(table) = table else {
        return Vec::new();
    };
    match Mutant::all(root) {
        Ok(mutants) => mutants.iter().filter_map(|one| breach(root, one, table)).collect(),
        Err(reason) => vec![Finding::new(TABLE, 1, reason)],
    }
}

fn breach(root: &Path, mutant: &Mutant, table: &str) -> Option<Finding> {
    let path = format!("zoo/{}.patch", mutant.name);
    let finding = |message: String| Some(Finding::new(&path, 1, message));
    let Some(number) = mutant.number() else {
        return finding("a mutant is called after its mistake: `b08_vote_before_durable`".into());
    };
    let row = format!("| {number} |");
    let names_it = |line: &&str| line.starts_with(&row) && line.contains(&mutant.name);
    if !table.lines().any(|line| names_it(&line)) {
        return finding(format!("the row of {number} in {TABLE} does not name it: add it there"));
    }
    if !mutant.words().contains("\nCaught by: ") {
        return finding(
            "before the patch: what the mistake is, who made it, and a line `Caught by: ...`"
                .into(),
        );
    }
    match workshop::apply(root, &root.join(&path), &["--check"]) {
        Err(reason) => finding(reason),
        Ok(done) if done.status.success() => None,
        Ok(_) => finding("the code has moved on: put the same bug into it as it is now".into()),
    }
}
