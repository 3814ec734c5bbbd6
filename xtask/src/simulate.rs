//! Runs `archipel sim`, built from the sources as they are.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// Each system, how many of its seeds must be the same world in every build, and how many every change runs
/// again.
pub(crate) const SYSTEMS: [(&str, &str, &str); 2] =
    [("kv", "300", "1000"), ("queue", "100", "200")];

/// A build of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Build {
    /// As `cargo test` builds it.
    Test,
    /// As it is given to people.
    Release,
}

impl Build {
    const fn profile(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Release => "release",
        }
    }

    const fn folder(self) -> &'static str {
        match self {
            Self::Test => "debug",
            Self::Release => "release",
        }
    }
}

/// Builds the program; its path.
///
/// # Errors
/// If it cannot be built.
pub(crate) fn program(root: &Path, build: Build) -> Result<PathBuf, String> {
    let built = Command::new(crate::cargo_program())
        .args(["build", "--quiet", "--package", "archipel", "--profile", build.profile()])
        .current_dir(root)
        .status()
        .map_err(|error| format!("cargo did not start: {error}"))?;
    if !built.success() {
        return Err(format!("the program could not be built: {built}"));
    }
    let target = crate::target_folder(root);
    Ok(target.join(build.folder()).join("archipel"))
}

/// Runs `archipel sim` with these words; what it wrote to standard output.
///
/// # Errors
/// If it does not start.
pub(crate) fn simulate(root: &Path, program: &Path, words: &[&str]) -> Result<Output, String> {
    Command::new(program)
        .arg("sim")
        .args(words)
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("{} did not start: {error}", program.display()))
}

/// The same seeds, built for tests, built for people, and once more.
///
/// # Errors
/// The first seed that is not the same world each time.
pub(crate) fn same_bytes(root: &Path) -> Result<(), String> {
    let release = program(root, Build::Release)?;
    let test = program(root, Build::Test)?;
    for (system, compared, _) in SYSTEMS {
        let hashes = |program: &Path| -> Result<String, String> {
            let words = ["--system", system, "--seeds", compared, "--hashes"];
            let said = simulate(root, program, &words)?;
            let text = String::from_utf8_lossy(&said.stdout).into_owned();
            if said.status.success() {
                Ok(text)
            } else {
                Err(format!("something was found:\n{text}"))
            }
        };
        let expected = hashes(&release)?;
        for (build, program) in [("release, again", &release), ("test", &test)] {
            if let Some(seed) = first_difference(&expected, &hashes(program)?) {
                return Err(format!(
                    "seed {seed} of {system} is another world in the build for {build}"
                ));
            }
        }
        let count = expected.lines().count();
        println!("{count} seeds of {system} are the same worlds in three runs of two builds");
    }
    Ok(())
}

/// The seed of the first line that differs.
fn first_difference(one: &str, other: &str) -> Option<String> {
    let (mut ones, mut others) = (one.lines(), other.lines());
    loop {
        let pair = (ones.next(), others.next());
        let line = pair.0.or(pair.1)?;
        if pair.0 != pair.1 {
            return line.split(' ').next().map(str::to_owned);
        }
    }
}

/// Seeds that every change runs, and then seeds that nobody has run, for a minute a system. What the fresh ones
/// find is printed with its command line and is not held against the change: most likely it was there
/// before. `cargo xtask soak` files it.
///
/// # Errors
/// If one of the first finds something.
pub(crate) fn seeds(root: &Path) -> Result<(), String> {
    let program = program(root, Build::Release)?;
    for (system, _, fixed) in SYSTEMS {
        let said = simulate(root, &program, &["--system", system, "--seeds", fixed])?;
        print!("{}", String::from_utf8_lossy(&said.stdout));
        if !said.status.success() {
            return Err(format!(
                "archipel sim --system {system} --seeds {fixed} ended with {}",
                said.status
            ));
        }
    }
    SYSTEMS.iter().try_for_each(|(system, ..)| fresh_seeds(root, &program, system))
}

/// Seeds of a system that nobody has run, for a minute.
fn fresh_seeds(root: &Path, program: &Path, system: &str) -> Result<(), String> {
    let out = root.join("target/fresh-findings").display().to_string();
    let fresh = ["--fresh", "--minutes", "1", "--shrink-seconds", "20", "--out", &out];
    let said = simulate(root, program, &[&["--system", system], &fresh[..]].concat())?;
    print!("{}", String::from_utf8_lossy(&said.stdout));
    if !said.status.success() {
        println!(
            "FRESH SEEDS FOUND SOMETHING, see above: file it (`cargo xtask soak`) and mend it."
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::first_difference;

    #[test]
    fn the_first_line_that_differs_is_named() {
        assert_eq!(first_difference("1 a\n2 b\n", "1 a\n2 b\n"), None);
        assert_eq!(first_difference("1 a\n2 b\n", "1 a\n2 c\n").as_deref(), Some("2"));
        assert_eq!(first_difference("1 a\n", "1 a\n2 c\n").as_deref(), Some("2"));
    }
}
