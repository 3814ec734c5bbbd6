//! The copy of the code into which mutants are put: `zoo/code` in the target folder. Files are written
//! only where they differ, so that Cargo builds again only what a mutant changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use super::mutant::Mutant;
use crate::tidy::{Repository, Workspace};

/// What the simulator with its cluster is.
const TESTED: &str = "worlds";

/// The runner's manifest: it stands beside the crates and uses what its clients use.
const MANIFEST: &str = "\
[package]
name = \"zoo-runner\"
version = \"0.0.0\"
edition.workspace = true

[dependencies]
worlds.workspace = true
sim.workspace = true
";

/// As fast as released code, with all its checks, and quick to link.
const PROFILE: &str = "
[profile.zoo]
inherits = \"release\"
opt-level = 1
lto = false
codegen-units = 16
incremental = true
debug = false
";

/// The copy, and what belongs in it.
#[derive(Debug)]
pub(crate) struct Workshop {
    folder: PathBuf,
    /// The files, by path, as they are without a mutant.
    files: BTreeMap<String, String>,
}

impl Workshop {
    /// Reads the code.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn open(root: &Path) -> Result<Self, String> {
        let target = crate::target_folder(root);
        let repository = Repository::read(root)?;
        let folders = needed(&Workspace::read(root)?);
        let mut files = BTreeMap::new();
        for file in repository.files {
            let is_needed = file.crate_folder().is_some_and(|folder| folders.contains(folder))
                || matches!(file.path.as_str(), "Cargo.lock");
            if let Some(text) = file.text.filter(|_| is_needed) {
                files.insert(file.path, text);
            }
        }
        let read = |path: &str| {
            fs::read_to_string(root.join(path))
                .map_err(|error| format!("{path} cannot be read: {error}"))
        };
        let manifest = manifest(&read("Cargo.toml")?, &folders);
        files.insert("Cargo.toml".to_owned(), manifest + PROFILE);
        files.insert("runner/Cargo.toml".to_owned(), MANIFEST.to_owned());
        files.insert("runner/src/main.rs".to_owned(), read("zoo/runner.rs")?);
        Ok(Self { folder: target.join("zoo"), files })
    }

    /// Makes the copy what the code is, and then puts the mutant in.
    ///
    /// # Errors
    /// If a file cannot be written, or the patch does not fit.
    pub(crate) fn prepare(&self, mutant: Option<&Mutant>) -> Result<(), String> {
        let mutated = match mutant {
            None => BTreeMap::new(),
            Some(mutant) => self.mutated(mutant)?,
        };
        self.remove_others(&self.code())?;
        for (path, text) in &self.files {
            let text = mutated.get(path).unwrap_or(text);
            let path = self.code().join(path);
            if fs::read_to_string(&path).is_ok_and(|present| present == *text) {
                continue;
            }
            write(&path, text)?;
        }
        Ok(())
    }

    /// Removes from the copy what is no part of the code any more.
    fn remove_others(&self, folder: &Path) -> Result<(), String> {
        let wrong = |error| format!("{} cannot be tidied up: {error}", folder.display());
        let Ok(present) = fs::read_dir(folder) else {
            return Ok(());
        };
        for file in present {
            let path = file.map_err(wrong)?.path();
            if path.is_dir() {
                self.remove_others(&path)?;
                continue;
            }
            let name = path.strip_prefix(self.code()).ok().and_then(Path::to_str);
            if !name.is_some_and(|name| self.files.contains_key(name)) {
                fs::remove_file(&path).map_err(wrong)?;
            }
        }
        Ok(())
    }

    /// The files that a mutant changes, as it makes them.
    fn mutated(&self, mutant: &Mutant) -> Result<BTreeMap<String, String>, String> {
        let bench = self.folder.join("bench");
        let _ = fs::remove_dir_all(&bench);
        let changed = mutant.text.lines().filter_map(|line| line.strip_prefix("+++ b/"));
        let changed: BTreeSet<&str> = changed.map(str::trim_end).collect();
        for path in &changed {
            let text = self.files.get(*path);
            let text = text.ok_or_else(|| format!("{path} is nothing that the simulator runs"))?;
            write(&bench.join(path), text)?;
        }
        let patch = self.folder.join("mutant.patch");
        write(&patch, &mutant.text)?;
        let done = apply(&bench, &patch, &[])?;
        if !done.status.success() {
            return Err(String::from_utf8_lossy(&done.stderr).into_owned());
        }
        let read = |path: &&str| {
            let text = fs::read_to_string(bench.join(path));
            text.map(|text| ((*path).to_owned(), text)).map_err(|error| error.to_string())
        };
        changed.iter().map(read).collect()
    }

    /// Builds the runner.
    ///
    /// # Errors
    /// What the compiler said.
    pub(crate) fn build(&self) -> Result<(), String> {
        let built = Command::new(crate::cargo_program())
            .args(["build", "--quiet", "--profile", "zoo", "--package", "zoo-runner"])
            .current_dir(self.code())
            .env("CARGO_TARGET_DIR", self.folder.join("built"))
            .env("RUSTFLAGS", "-Awarnings")
            .output()
            .map_err(|error| format!("cargo did not start: {error}"))?;
        if built.status.success() {
            return Ok(());
        }
        Err(String::from_utf8_lossy(&built.stderr).into_owned())
    }

    /// Runs seeds of a system; what the runner said.
    ///
    /// # Errors
    /// If it could not be run to its end.
    pub(crate) fn run(&self, system: &str, numbers: [u64; 3]) -> Result<String, String> {
        let runner = self.folder.join("built/zoo/zoo-runner");
        let ran = Command::new(&runner)
            .arg(system)
            .args(numbers.map(|number| number.to_string()))
            .stderr(Stdio::inherit())
            .output()
            .map_err(|error| format!("{} did not start: {error}", runner.display()))?;
        if ran.status.success() {
            return Ok(String::from_utf8_lossy(&ran.stdout).into_owned());
        }
        // A process that dies of its bug, by a full memory or stack, has found it too.
        Ok(format!("seeds 0\nkind crash\nwhat the process ended with {}", ran.status))
    }

    fn code(&self) -> PathBuf {
        self.folder.join("code")
    }
}

/// Runs `git apply` in `folder`, as if that were no part of any repository.
///
/// # Errors
/// If git does not start.
pub(super) fn apply(folder: &Path, patch: &Path, flags: &[&str]) -> Result<Output, String> {
    Command::new("git")
        .arg("apply")
        .args(flags)
        .arg(patch)
        .current_dir(folder)
        .env("GIT_CEILING_DIRECTORIES", folder.parent().unwrap_or(folder))
        .output()
        .map_err(|error| format!("git did not start: {error}"))
}

/// How many commits there are: whose turn it is.
///
/// # Errors
/// If git does not know.
pub(crate) fn commits(root: &Path) -> Result<usize, String> {
    let counted = Command::new("git")
        .args(["rev-list", "--count", "HEAD"])
        .current_dir(root)
        .output()
        .map_err(|error| format!("git did not start: {error}"))?;
    let number = String::from_utf8_lossy(&counted.stdout).trim().parse();
    number.map_err(|_| "git does not know how many commits there are".to_owned())
}

/// The folders of the crates that the simulator with its cluster is made of.
fn needed(workspace: &Workspace) -> BTreeSet<String> {
    let mut needed = BTreeSet::from([TESTED.to_owned()]);
    loop {
        let members = workspace.crates.iter().filter(|member| needed.contains(&member.folder));
        let named = members.flat_map(|member| &member.dependencies);
        let more: BTreeSet<String> =
            named.filter(|line| line.is_ours).map(|line| line.name.clone()).collect();
        if more.is_subset(&needed) {
            return needed;
        }
        needed.extend(more);
    }
}

/// The workspace's manifest with other members.
fn manifest(text: &str, folders: &BTreeSet<String>) -> String {
    let members: Vec<String> = folders
        .iter()
        .map(|folder| format!("\"{folder}\", "))
        .chain(["\"runner\"".into()])
        .collect();
    let mut lines = Vec::new();
    let mut in_list = false;
    for line in text.lines() {
        let begins = line.starts_with("members = [") || line.starts_with("default-members = [");
        if line.starts_with("members = [") {
            lines.push(format!("members = [{}]", members.concat()));
        }
        if !begins && !in_list {
            lines.push(line.to_owned());
        }
        in_list = (begins || in_list) && !line.ends_with(']');
    }
    lines.join("\n") + "\n"
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let unwritable = |error| format!("{} cannot be written: {error}", path.display());
    fs::create_dir_all(path.parent().unwrap_or(path)).map_err(unwritable)?;
    fs::write(path, text).map_err(unwritable)
}

#[cfg(test)]
mod tests {
    use super::manifest;
    use std::collections::BTreeSet;

    #[test]
    fn a_manifest_gets_other_members_and_keeps_the_rest() {
        let text =
            "[workspace]\nmembers = [\n    \"a\",\n    \"b\",\n]\ndefault-members = [\"a\"]\n[x]\n";
        let folders = BTreeSet::from(["a".to_owned()]);
        assert_eq!(manifest(text, &folders), "[workspace]\nmembers = [\"a\", \"runner\"]\n[x]\n");
    }
}
