//! `cargo xtask soak`: what is too long for every change. A hundred kills of real processes under load,
//! then fresh seeds in the simulator until the time is over or something is found.

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// How many seeds one run of the simulator takes.
const SEEDS_PER_RUN: u64 = 5_000;

/// How much to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Plan {
    /// How long the simulator goes on, after the kills.
    simulate: Duration,
    /// How many kills and restarts of real processes.
    kills: u32,
}

/// Reads `[--hours N] [--minutes N] [--kills N]`; ten minutes and a hundred kills if nothing is said.
pub(crate) fn plan(words: &[&str]) -> Result<Plan, String> {
    let mut plan = Plan { simulate: Duration::from_secs(600), kills: 100 };
    for pair in words.chunks(2) {
        let number = |text: &str| {
            text.parse::<u32>().map_err(|_| format!("`{text}` is not a number: try `--hours 1`."))
        };
        match pair {
            ["--hours", hours] => plan.simulate = Duration::from_secs(3600) * number(hours)?,
            ["--minutes", minutes] => plan.simulate = Duration::from_secs(60) * number(minutes)?,
            ["--kills", kills] => plan.kills = number(kills)?,
            _ => return Err("soak takes --hours N, --minutes N and --kills N.".into()),
        }
    }
    Ok(plan)
}

/// Carries the plan out; the first finding ends it.
pub(crate) fn run(root: &Path, plan: Plan) -> Result<(), String> {
    if plan.kills > 0 {
        println!("soak: {} kills and restarts of real processes under load", plan.kills);
        test(root, "real", "kills", &[("ARCHIPEL_KILLS", plan.kills.to_string())])?;
    }
    let started = Instant::now();
    let mut first = first_seed();
    let mut seeds = 0;
    while started.elapsed() < plan.simulate {
        let last = first + SEEDS_PER_RUN;
        test(root, "seeds", "many_seeds", &[("SEEDS", format!("{first}..{last}"))])?;
        first = last;
        seeds += SEEDS_PER_RUN;
        println!("soak: {seeds} seeds in {} s, nothing found", started.elapsed().as_secs());
    }
    Ok(())
}

/// Every soak takes other seeds: the clock's seconds, far apart, and beyond those that every test runs.
fn first_seed() -> u64 {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_secs());
    seconds * 1_000_000
}

fn test(root: &Path, binary: &str, name: &str, variables: &[(&str, String)]) -> Result<(), String> {
    let status = Command::new(super::cargo_program())
        .current_dir(root)
        .args([
            "test",
            "--release",
            "--quiet",
            "--package",
            "archipel-tests",
            "--test",
            binary,
            name,
        ])
        .args(["--", "--nocapture"])
        .envs(variables.iter().map(|(variable, value)| (*variable, value)))
        .status()
        .map_err(|error| format!("cargo could not be started: {error}"))?;
    if status.success() {
        return Ok(());
    }
    let given: Vec<String> =
        variables.iter().map(|(variable, value)| format!("{variable}={value}")).collect();
    Err(format!(
        "soak: something was found; run it again with {} cargo test --release -p archipel-tests \
         --test {binary} {name} -- --nocapture",
        given.join(" ")
    ))
}

#[cfg(test)]
mod tests {
    use super::{Plan, plan};
    use std::time::Duration;

    #[test]
    fn a_plan_is_read_from_words() {
        let said = plan(&["--hours", "2", "--kills", "7"]);
        assert_eq!(said, Ok(Plan { simulate: Duration::from_secs(7200), kills: 7 }));
        assert_eq!(plan(&[]), Ok(Plan { simulate: Duration::from_secs(600), kills: 100 }));
        assert!(plan(&["--hours"]).is_err() && plan(&["--hours", "many"]).is_err());
    }
}
