//! The house rules as a test: reads every file of the repository once and names each breach.
//!
//! A rule is a function from what was read to findings. A finding says where, what, and what to do
//! instead. There are no exemption lists; a rule that needs one is the wrong rule.

mod finding;
mod manifest;
mod markdown;
mod regions;
mod repository;
mod rules;
mod source;
mod statistics;

use std::path::Path;

pub(crate) use finding::Finding;
pub(crate) use manifest::Workspace;
pub(crate) use repository::Repository;

/// Prints every breach of the house rules, sorted by file and line.
///
/// # Errors
/// How many breaches there are, or why the repository could not be read.
pub(crate) fn check(root: &Path) -> Result<(), String> {
    let repository = Repository::read(root)?;
    let workspace = Workspace::read(root)?;
    let mut findings = rules::all(&repository, &workspace);
    findings.extend(crate::zoo::check(root, repository.text("zoo/README.md")));
    findings.sort();
    findings.dedup();
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => Ok(()),
        1 => Err("tidy: one finding".to_owned()),
        count => Err(format!("tidy: {count} findings")),
    }
}

/// Prints how long files and functions are and how often they assert, a line for each crate.
///
/// # Errors
/// Why the repository could not be read.
pub(crate) fn print_statistics(root: &Path) -> Result<(), String> {
    let repository = Repository::read(root)?;
    print!("{}", statistics::table(&repository));
    Ok(())
}

/// The packages of the core crates, which build without an operating system.
///
/// # Errors
/// Why the workspace could not be read.
pub(crate) fn core_packages(root: &Path) -> Result<Vec<String>, String> {
    let crates = Workspace::read(root)?.crates.into_iter();
    let core = crates.filter(|member| repository::is_core_crate(&member.folder));
    Ok(core.map(|member| member.package).collect())
}
