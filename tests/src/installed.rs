//! Programs of others.

use std::env;

/// Whether a program is on the path; says what is left out if it is not.
#[must_use]
pub fn is_installed(program: &str) -> bool {
    let paths = env::var_os("PATH").unwrap_or_default();
    let is_there = env::split_paths(&paths).any(|folder| folder.join(program).is_file());
    if !is_there {
        eprintln!("Left out: {program} is not installed; `cargo xtask foreign` installs it.");
    }
    is_there
}
