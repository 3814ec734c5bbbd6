//! `cargo xtask foreign`: the protocols of others against their servers and their clients.
//!
//! What is needed is installed first: etcd, `etcdctl` and beanstalkd from Debian, libraries from where their languages
//! keep them, below `target/foreign`. Then the tests in `tests/tests/etcd` and `tests/tests/beanstalkd` run, longer
//! than they do by themselves.

mod libraries;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::debian;
pub(crate) use libraries::python;

/// Histories of a thousand operations, and those of a quick run.
const SEEDS: u32 = 40;
const SEEDS_QUICK: u32 = 3;

/// What to run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The program under test: `archipel`, or `etcd` to see that the tests themselves are right.
    against: String,
    /// The members of its cluster in the differential test.
    members: u32,
    seeds: u32,
    /// What takes a minute and wants the machine for itself.
    is_long: bool,
}

/// Reads `[--against etcd|archipel] [--members N] [--seeds N] [--quick]`.
pub(crate) fn plan(words: &[&str]) -> Result<Plan, String> {
    let against = "archipel".to_owned();
    let mut plan = Plan { against, members: 3, seeds: SEEDS, is_long: true };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} takes a value."));
        let number = |text: &str| {
            text.parse().map_err(|_| format!("`{text}` is not a number: try `{word} 3`."))
        };
        match *word {
            "--quick" => (plan.seeds, plan.is_long) = (SEEDS_QUICK, false),
            "--members" => plan.members = number(value()?)?,
            "--seeds" => plan.seeds = number(value()?)?,
            "--against" => plan.against = program(value()?)?,
            _ => {
                return Err(
                    "foreign takes --against etcd, --members N, --seeds N and --quick.".into()
                );
            }
        }
    }
    Ok(plan)
}

fn program(name: &str) -> Result<String, String> {
    match name {
        "etcd" | "archipel" => Ok(name.to_owned()),
        _ => Err(format!("`{name}` is not under test here: it is archipel or etcd.")),
    }
}

/// Installs what is missing.
///
/// # Errors
/// If something cannot be installed.
pub(crate) fn install(root: &Path) -> Result<(), String> {
    prepare(root).map(drop)
}

/// A run for every change.
///
/// # Errors
/// As [`run`].
pub(crate) fn run_quickly(root: &Path) -> Result<(), String> {
    plan(&["--quick"]).and_then(|plan| run(root, &plan))
}

/// Installs what is missing and runs the tests.
///
/// # Errors
/// If something cannot be installed, or a test fails.
pub(crate) fn run(root: &Path, plan: &Plan) -> Result<(), String> {
    let folder = prepare(root)?;
    println!("foreign: {} seeds, and the clients of others, against {}", plan.seeds, plan.against);
    run_tests(root, "etcd", plan, &folder)?;
    // Against etcd there is nothing to learn of beanstalkd.
    if plan.against == "archipel" { run_tests(root, "beanstalkd", plan, &folder) } else { Ok(()) }
}

fn run_tests(root: &Path, name: &str, plan: &Plan, folder: &Path) -> Result<(), String> {
    let mut tests = Command::new(crate::cargo_program());
    tests
        .args(["test", "--package", "archipel-tests", "--test", name, "--", "--test-threads", "2"])
        .env("ARCHIPEL_UNDER_TEST", &plan.against)
        .env("ARCHIPEL_MEMBERS", plan.members.to_string())
        .env("ARCHIPEL_ETCD_SEEDS", plan.seeds.to_string())
        .env("ARCHIPEL_BEANSTALKD_SEEDS", plan.seeds.to_string())
        .env("ARCHIPEL_FOREIGN", folder)
        .current_dir(root);
    if plan.is_long {
        tests.env("ARCHIPEL_LONG", "1");
    }
    let status = tests.status().map_err(|error| format!("cargo did not start: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("foreign: a test of {name} has failed")) }
}

/// Gives the folder of the libraries.
fn prepare(root: &Path) -> Result<PathBuf, String> {
    debian::install(&[
        "etcd-server",
        "etcd-client",
        "protobuf-compiler",
        "libprotobuf-dev",
        "beanstalkd",
    ])?;
    libraries::prepare(root)
}

#[cfg(test)]
mod tests {
    use super::plan;

    #[test]
    fn a_plan_is_read_from_words() {
        let said = plan(&["--against", "etcd", "--quick", "--members", "1"]).expect("it is a plan");
        assert_eq!((said.against.as_str(), said.members, said.seeds), ("etcd", 1, 3));
        assert!(!said.is_long);
        assert!(plan(&["--against", "zookeeper"]).is_err() && plan(&["--seeds"]).is_err());
        assert!(plan(&["--fast"]).is_err());
    }
}
