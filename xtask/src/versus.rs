//! `cargo xtask versus etcd` and `versus queue`: builds what is measured, has the others installed, and measures.
//!
//! The measuring itself is a program of its own, `archipel-versus`: it needs gRPC, and chores should not.

use std::{path::Path, process::Command};

use crate::{
    debian,
    simulate::{Build, program},
};

/// Runs `versus etcd` with these words besides; `archipel-versus --help` explains them.
///
/// # Errors
/// If something cannot be built, or what was measured is not as it should be.
pub(crate) fn etcd(root: &Path, words: &[&str]) -> Result<(), String> {
    debian::install(&["etcd-server"])?;
    run(root, &[], words)
}

/// Runs `versus queue` with these words besides; `archipel-versus queue --help` explains them.
///
/// # Errors
/// As [`etcd`].
pub(crate) fn queue(root: &Path, words: &[&str]) -> Result<(), String> {
    debian::install(&["beanstalkd", "redis-server"])?;
    run(root, &["queue"], words)
}

fn run(root: &Path, what: &[&str], words: &[&str]) -> Result<(), String> {
    let mut cargo = Command::new(crate::cargo_program());
    cargo.args(["build", "--release", "--quiet", "--package", "archipel-versus"]).current_dir(root);
    succeed(&mut cargo)?;
    let archipel = program(root, Build::Release)?;
    let mut versus = Command::new(archipel.with_file_name("archipel-versus"));
    versus.args(what).arg("--archipel").arg(archipel).args(words).current_dir(root);
    succeed(&mut versus)
}

fn succeed(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.status().map_err(|error| format!("{program} did not start: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{program} ended with {status}")) }
}
