//! The rules, a file for each kind of thing that they look at.

mod code;
mod dependencies;
mod links;
mod prose;
mod references;
mod scripts;
mod shape;
mod text;

use super::{
    finding::Finding,
    manifest::Workspace,
    repository::{File, Repository},
};

/// All breaches of all rules, in no order.
pub(crate) fn all(repository: &Repository, workspace: &Workspace) -> Vec<Finding> {
    let mut findings = dependencies::check(repository, workspace);
    findings.extend(references::check(repository));
    findings.extend(links::check(repository));
    for file in &repository.files {
        findings.extend(one_file(file, &repository.root));
    }
    findings
}

fn one_file(file: &File, root: &str) -> Vec<Finding> {
    let mut findings = text::check(file, root);
    findings.extend(code::check(file));
    findings.extend(shape::check(file));
    findings.extend(prose::check(file));
    findings.extend(scripts::check(file));
    findings
}
