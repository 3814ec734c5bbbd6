//! What is wrong with the data of a node on this machine.

use std::path::{Path, PathBuf};

use super::{finding::Finding, node};
use crate::{
    bench,
    exit::{Exit, Failure, Outcome},
};

/// Looks at the folder, and measures its disk.
pub(super) fn look(dir: &Path) -> Outcome<Vec<Finding>> {
    let shown = dir.display().to_string();
    if !dir.is_dir() {
        return Err(Failure::usage(format!(
            "There is no folder {shown}; name a node's with --dir."
        )));
    }
    let mut findings = Vec::new();
    if let Err(error) = host::peek(dir) {
        findings.push(damaged(format!("The data folder {shown} cannot be used. {error}")));
    }
    let left = host::leftovers(dir)
        .map_err(|error| Failure::usage(format!("The folder {shown} cannot be read: {error}.")))?;
    if !left.damaged_tables.is_empty() {
        let says = format!("Damaged tables were set aside: {}.", list(&left.damaged_tables));
        findings.push(damaged(says));
    }
    if !left.last_inputs.is_empty() {
        findings.push(Finding::ailing(
            "broken-assertion",
            format!("A node stopped because an assertion failed, and left {}.", list(&left.last_inputs)),
            "That is a mistake of ours: keep the file, run it again with `archipel replay FILE`, and report it.",
        ));
    }
    let flush = bench::disk::measure(dir)?.value_at_quantile(0.99);
    if node::is_slow(flush) {
        findings.push(node::slow(&shown, flush));
    }
    Ok(findings)
}

fn damaged(says: String) -> Finding {
    let advice = "The other nodes have the data. Move the folder away and let the node join again as a new member: \
                  docs/deploy/replace-disk.md.";
    Finding::ailing("damaged-data", says, advice).with(Exit::Damaged)
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}
