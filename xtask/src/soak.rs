//! `cargo xtask soak`: what is too long for every change. A hundred kills of real processes under load,
//! all known bugs, then fresh seeds in the simulator until the time is over. What they find is filed in
//! the bug base, and the soak goes on.

use std::{
    fmt,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    simulate::{Build, SYSTEMS, program, simulate},
    zoo,
};

/// How long one run of the simulator takes at most.
const RUN: Duration = Duration::from_secs(600);

/// Milliseconds of a year, of 365 days and a quarter.
const YEAR_MS: u64 = 31_557_600_000;

/// How much to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Plan {
    /// How long the simulator goes on, after the rest.
    simulate: Duration,
    /// How many kills and restarts of real processes.
    kills: u32,
    /// All known bugs must be found.
    zoo: bool,
}

/// Reads `[--hours N] [--minutes N] [--kills N] [--no-zoo]`; ten minutes, a hundred kills and the whole
/// zoo if nothing is said.
pub(crate) fn plan(words: &[&str]) -> Result<Plan, String> {
    let mut plan = Plan { simulate: Duration::from_secs(600), kills: 100, zoo: true };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut number = || {
            let text = words.next().ok_or_else(|| format!("{word} takes a number."))?;
            text.parse::<u32>().map_err(|_| format!("`{text}` is not a number: try `{word} 1`."))
        };
        match *word {
            "--hours" => plan.simulate = Duration::from_secs(3600) * number()?,
            "--minutes" => plan.simulate = Duration::from_secs(60) * number()?,
            "--kills" => plan.kills = number()?,
            "--no-zoo" => plan.zoo = false,
            _ => return Err("soak takes --hours N, --minutes N, --kills N and --no-zoo.".into()),
        }
    }
    Ok(plan)
}

/// Carries the plan out.
///
/// # Errors
/// What was found, after everything was done.
pub(crate) fn run(root: &Path, plan: Plan) -> Result<(), String> {
    let mut wrong = Vec::new();
    if plan.kills > 0 {
        println!("soak: {} kills and restarts of real processes under load", plan.kills);
        wrong.extend(kill(root, plan.kills).err());
    }
    if plan.zoo {
        println!("soak: all known bugs");
        wrong.extend(zoo::plan(&[]).and_then(|all| zoo::run(root, &all)).err());
    }
    println!("soak: fresh seeds for {} minutes", plan.simulate.as_secs() / 60);
    let summary = fresh_seeds(root, plan.simulate)?;
    println!("soak: {summary}");
    if !summary.findings.is_empty() {
        wrong.push(format!("soak: seeds found this:\n{}", summary.findings.join("\n")));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

/// Runs seeds that nobody has run, a while at a time and one system after the other, until the time is over.
fn fresh_seeds(root: &Path, at_most: Duration) -> Result<Summary, String> {
    let program = program(root, Build::Release)?;
    let started = Instant::now();
    let mut summary = Summary::default();
    let run = RUN.min(at_most / 2);
    for (system, ..) in SYSTEMS.iter().cycle() {
        let left = at_most.saturating_sub(started.elapsed()).min(run);
        if left.is_zero() {
            break;
        }
        let minutes = left.as_secs().div_ceil(60).max(1).to_string();
        let words = ["--fresh", "--minutes", &minutes, "--findings-max", "10", "--json"];
        let filed = [&["--system", system], &words[..], &["--file-bugs", "bugs"]].concat();
        let said = simulate(root, &program, &filed)?;
        summary.add(&String::from_utf8_lossy(&said.stdout))?;
        println!("soak: {} s: {summary}", started.elapsed().as_secs());
    }
    Ok(summary)
}

/// What all seeds of a soak did.
#[derive(Debug, Default)]
struct Summary {
    seeds: u64,
    virtual_ms: u64,
    faults: u64,
    /// A line for each finding: what it is, and how to run it again.
    findings: Vec<String>,
}

impl Summary {
    /// Adds what `archipel sim --json` said.
    fn add(&mut self, said: &str) -> Result<(), String> {
        let value: Value = serde_json::from_str(said)
            .map_err(|error| format!("archipel sim said no JSON ({error}): {said}"))?;
        let number = |name: &str| value[name].as_u64().unwrap_or_default();
        self.seeds += number("seeds");
        self.virtual_ms += number("virtual_ms");
        self.faults += number("faults");
        let findings = value["findings"].as_array().map(Vec::as_slice).unwrap_or_default();
        self.findings.extend(findings.iter().map(|finding| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let what = text(&finding["what"]).lines().next().unwrap_or_default().to_owned();
            let bug = text(&finding["bug"]);
            format!("{}: {what}\n  {}  {bug}", text(&finding["kind"]), text(&finding["run"]))
        }));
        Ok(())
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let years = self.virtual_ms * 10_000 / YEAR_MS;
        write!(
            formatter,
            "{} seeds, {}.{:04} simulated years, {} faults injected, {} findings",
            self.seeds,
            years / 10_000,
            years % 10_000,
            self.faults,
            self.findings.len()
        )
    }
}

/// Kills and restarts real processes.
fn kill(root: &Path, kills: u32) -> Result<(), String> {
    let status = Command::new(super::cargo_program())
        .current_dir(root)
        .args(["test", "--release", "--quiet", "--package", "archipel-tests", "--test", "real"])
        .args(["kills", "--", "--nocapture"])
        .env("ARCHIPEL_KILLS", kills.to_string())
        .status()
        .map_err(|error| format!("cargo could not be started: {error}"))?;
    if status.success() {
        return Ok(());
    }
    Err(format!(
        "soak: the kills found something; run them again with ARCHIPEL_KILLS={kills} cargo test \
         --release -p archipel-tests --test real kills -- --nocapture"
    ))
}

#[cfg(test)]
mod tests {
    use super::{Plan, Summary, plan};
    use std::time::Duration;

    #[test]
    fn a_plan_is_read_from_words() {
        let said = plan(&["--hours", "2", "--kills", "7", "--no-zoo"]);
        let expected = Plan { simulate: Duration::from_secs(7200), kills: 7, zoo: false };
        assert_eq!(said, Ok(expected));
        let plain = Plan { simulate: Duration::from_secs(600), kills: 100, zoo: true };
        assert_eq!(plan(&[]), Ok(plain));
        assert!(plan(&["--hours"]).is_err() && plan(&["--hours", "many"]).is_err());
        assert!(plan(&["--days", "1"]).is_err());
    }

    #[test]
    fn what_runs_did_adds_up() {
        let mut summary = Summary::default();
        let quiet = r#"{"seeds": 5, "virtual_ms": 31557600000, "faults": 7, "findings": []}"#;
        let loud = r#"{"seeds": 1, "virtual_ms": 15778800000, "faults": 0, "findings": [
            {"kind": "safety", "what": "two lead\nmore", "run": "archipel sim --seed 3", "bug": null}]}"#;
        for said in [quiet, loud] {
            summary.add(said).expect("it is JSON");
        }
        assert_eq!(
            summary.to_string(),
            "6 seeds, 1.5000 simulated years, 7 faults injected, 1 findings"
        );
        assert_eq!(summary.findings, ["safety: two lead\n  archipel sim --seed 3  "]);
        assert!(summary.add("no").is_err());
    }
}
