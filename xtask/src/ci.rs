//! All that must be green before a change is merged, a step at a time, each with its time.

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use crate::{compose, foreign, kubernetes, rustup, simulate, tidy, zoo};

/// A machine without an operating system.
const BARE_METAL: &str = "x86_64-unknown-none";

/// One step: its name, what it holds, and how it is done.
struct Step {
    name: &'static str,
    holds: &'static str,
    /// What must be at hand; without it the step is not run, and that is said.
    needs: fn(&Path) -> Result<(), String>,
    run: fn(&Path) -> Result<(), String>,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Ok,
    NotRun,
    Failed,
}

const STEPS: &[Step] = &[
    Step { name: "format", holds: "rustfmt has nothing to say", needs: nothing, run: format },
    Step { name: "tidy", holds: "the house rules", needs: nothing, run: tidy::check },
    Step {
        name: "lints",
        holds: "clippy has nothing to say, in tests neither",
        needs: nothing,
        run: lints,
    },
    Step { name: "chores", holds: "the tests of xtask itself", needs: nothing, run: chores },
    Step {
        name: "docs",
        holds: "every link in the documentation leads somewhere",
        needs: nothing,
        run: docs,
    },
    Step {
        name: "bare-metal",
        holds: "the core builds without an operating system",
        needs: nothing,
        run: bare_metal,
    },
    Step {
        name: "real",
        holds: "real processes, killed and cut off for real",
        needs: nothing,
        run: real,
    },
    Step {
        name: "foreign",
        holds: "the clients of others work, and etcd answers as we do",
        needs: foreign::install,
        run: foreign::run_quickly,
    },
    Step {
        name: "compose",
        holds: "the image and the compose files work, and the course's exercises on them",
        needs: compose::needs,
        run: compose::run_here,
    },
    Step {
        name: "kubernetes",
        holds: "the StatefulSets are what Kubernetes wants",
        needs: kubernetes::needs,
        run: kubernetes::check,
    },
    Step {
        name: "bytes",
        holds: "a seed is the same world in every build",
        needs: nothing,
        run: simulate::same_bytes,
    },
    Step {
        name: "zoo",
        holds: "ten known bugs, others each time, are found",
        needs: nothing,
        run: zoo_turn,
    },
    Step {
        name: "seeds",
        holds: "nothing is found by seeds, old and new",
        needs: nothing,
        run: simulate::seeds,
    },
];

/// Runs all steps, or the one called `only`. Goes on after a failure, so that one run tells all.
///
/// # Errors
/// The names of the steps that failed, or that there is no such step.
pub(crate) fn run(root: &Path, only: Option<&str>) -> Result<(), String> {
    let chosen: Vec<&Step> =
        STEPS.iter().filter(|step| only.is_none_or(|name| name == step.name)).collect();
    if chosen.is_empty() {
        let names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        return Err(format!("there is no such step; there are: {}", names.join(", ")));
    }
    let mut done = Vec::new();
    for step in chosen {
        println!("== {}: {}", step.name, step.holds);
        let start = Instant::now();
        done.push((step.name, carry_out(step, root), start.elapsed()));
    }
    print!("{}", summary(&done));
    let has_failed = |(_, end, _): &&(&str, End, Duration)| *end == End::Failed;
    let failed: Vec<&str> = done.iter().filter(has_failed).map(|(name, ..)| *name).collect();
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", "))) }
}

fn carry_out(step: &Step, root: &Path) -> End {
    if let Err(message) = (step.needs)(root) {
        println!(
            "{} is not run, because something that it needs is not at hand:\n{message}",
            step.name
        );
        return End::NotRun;
    }
    match (step.run)(root) {
        Ok(()) => End::Ok,
        Err(message) => {
            println!("{message}");
            End::Failed
        }
    }
}

fn summary(done: &[(&str, End, Duration)]) -> String {
    let mut text = String::from("\nstep         seconds  result\n");
    for (name, end, took) in done {
        let result = match end {
            End::Ok => "ok",
            End::NotRun => "NOT RUN",
            End::Failed => "FAILED",
        };
        text.push_str(&format!("{name:<12} {:>7}  {result}\n", took.as_secs()));
    }
    text
}

fn nothing(_: &Path) -> Result<(), String> {
    Ok(())
}

fn format(root: &Path) -> Result<(), String> {
    succeed(cargo(root).args(["fmt", "--all", "--check"]))
}

fn lints(root: &Path) -> Result<(), String> {
    succeed(cargo(root).args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

fn chores(root: &Path) -> Result<(), String> {
    succeed(cargo(root).args(["test", "--package", "xtask"]))
}

fn docs(root: &Path) -> Result<(), String> {
    let mut command = cargo(root);
    command.env("RUSTDOCFLAGS", "-D warnings");
    succeed(command.args(["doc", "--workspace", "--no-deps", "--document-private-items"]))
}

fn bare_metal(root: &Path) -> Result<(), String> {
    rustup::require_target(root, BARE_METAL)?;
    let mut command = cargo(root);
    command.args(["check", "--target", BARE_METAL]);
    for package in tidy::core_packages(root)? {
        command.args(["--package", &package]);
    }
    succeed(&mut command)
}

fn real(root: &Path) -> Result<(), String> {
    let places = ["tests/tests/real.rs", "tests/tests/real/main.rs"];
    if !places.iter().any(|place| root.join(place).exists()) {
        println!("there are no tests of real processes yet");
        return Ok(());
    }
    succeed(cargo(root).args(["build", "--release", "--package", "archipel"]))?;
    succeed(cargo(root).args([
        "test",
        "--release",
        "--package",
        "archipel-tests",
        "--test",
        "real",
    ]))
}

fn zoo_turn(root: &Path) -> Result<(), String> {
    zoo::plan(&["--turn"]).and_then(|turn| zoo::run(root, &turn))
}

/// The Cargo that runs us, in the root of the workspace.
fn cargo(root: &Path) -> Command {
    let mut command = Command::new(crate::cargo_program());
    command.current_dir(root);
    command
}

/// Runs a command that must end well.
fn succeed(command: &mut Command) -> Result<(), String> {
    let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
    let shown = format!("cargo {}", words.join(" "));
    let status = command.status().map_err(|error| format!("`{shown}` did not start: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{shown}` ended with {status}")) }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, time::Duration};

    use super::{End, run, summary};

    #[test]
    fn an_unknown_step_is_answered_with_those_there_are() {
        let error = run(Path::new("."), Some("formt")).expect_err("there is no such step");
        assert!(error.contains("format, tidy, lints"), "{error}");
    }

    #[test]
    fn the_summary_has_a_line_a_step() {
        let text = summary(&[
            ("format", End::Ok, Duration::from_millis(1900)),
            ("docs", End::Failed, Duration::ZERO),
            ("foreign", End::NotRun, Duration::ZERO),
        ]);
        assert!(text.contains("format             1  ok\n"), "{text}");
        assert!(text.contains("docs               0  FAILED\n"), "{text}");
        assert!(text.contains("foreign            0  NOT RUN\n"), "{text}");
    }
}
