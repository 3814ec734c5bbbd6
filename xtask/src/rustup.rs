//! Targets of the compiler, by rustup.

use std::{path::Path, process::Command};

/// Has a target installed if it is missing.
///
/// # Errors
/// If it is missing and cannot be had.
pub(crate) fn require_target(root: &Path, target: &str) -> Result<(), String> {
    let rustup = |arguments: &[&str]| {
        Command::new("rustup").args(arguments).current_dir(root).output().map_err(|error| {
            format!("rustup did not start ({error}); install the target {target} another way")
        })
    };
    let installed = rustup(&["target", "list", "--installed"])?;
    if String::from_utf8_lossy(&installed.stdout).lines().any(|line| line == target) {
        return Ok(());
    }
    let added = rustup(&["target", "add", target])?;
    if added.status.success() {
        return Ok(());
    }
    let reason = String::from_utf8_lossy(&added.stderr);
    Err(format!(
        "the target {target} is missing and could not be added; with a network, run `rustup target add \
         {target}`.\n{reason}"
    ))
}
