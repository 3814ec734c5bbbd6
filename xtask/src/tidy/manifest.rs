//! What `cargo metadata` says of the workspace: its crates and what each depends on.

use std::{path::Path, process::Command};

use serde_json::Value;

/// The crates of the workspace.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    /// The crates, as Cargo lists them.
    pub(crate) crates: Vec<Crate>,
}

/// One crate of the workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Crate {
    /// What Cargo calls it.
    pub(crate) package: String,
    /// Its folder, from the root of the repository.
    pub(crate) folder: String,
    /// What it depends on.
    pub(crate) dependencies: Vec<Dependency>,
}

/// One line of a manifest's dependencies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dependency {
    /// The folder of a crate of this workspace, or the name of a package from outside.
    pub(crate) name: String,
    /// True if it is a crate of this workspace.
    pub(crate) is_ours: bool,
    /// True if only tests and examples use it.
    pub(crate) is_for_tests: bool,
}

impl Workspace {
    /// Asks Cargo.
    ///
    /// # Errors
    /// If Cargo cannot be asked, or a manifest is broken.
    pub(crate) fn read(root: &Path) -> Result<Self, String> {
        let asked = Command::new(crate::cargo_program())
            .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
            .current_dir(root)
            .output()
            .map_err(|error| format!("cargo metadata did not start: {error}"))?;
        if !asked.status.success() {
            return Err(String::from_utf8_lossy(&asked.stderr).into_owned());
        }
        Self::of_metadata(&asked.stdout, &root.to_string_lossy())
            .ok_or_else(|| "cargo metadata answered in a form that tidy does not know".to_owned())
    }

    /// Reads the answer of `cargo metadata --no-deps` for the workspace at `root`.
    fn of_metadata(answer: &[u8], root: &str) -> Option<Self> {
        let metadata: Value = serde_json::from_slice(answer).ok()?;
        let packages = metadata["packages"].as_array()?;
        let crates =
            packages.iter().map(|package| read_crate(package, root)).collect::<Option<_>>()?;
        Some(Self { crates })
    }
}

fn read_crate(package: &Value, root: &str) -> Option<Crate> {
    let name = package["name"].as_str()?.to_owned();
    let manifest = package["manifest_path"].as_str()?;
    let folder = relative(manifest.strip_suffix("/Cargo.toml")?, root);
    let dependencies = package["dependencies"].as_array()?;
    let dependencies =
        dependencies.iter().map(|line| read_dependency(line, root)).collect::<Option<_>>()?;
    Some(Crate { package: name, folder, dependencies })
}

fn read_dependency(line: &Value, root: &str) -> Option<Dependency> {
    let path = line["path"].as_str();
    let name = path.map_or_else(
        || line["name"].as_str().map(str::to_owned),
        |path| Some(relative(path, root)),
    )?;
    let is_for_tests = line["kind"].as_str() == Some("dev");
    Some(Dependency { name, is_ours: path.is_some(), is_for_tests })
}

fn relative(path: &str, root: &str) -> String {
    path.strip_prefix(root).unwrap_or(path).trim_start_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Dependency, Workspace};

    #[test]
    fn folders_and_kinds_are_read_from_the_answer() {
        let answer = br#"{"packages": [{"name": "archipel-kv", "manifest_path": "/here/systems/kv/Cargo.toml",
            "dependencies": [
                {"name": "archipel-kernel", "path": "/here/kernel", "kind": null},
                {"name": "goldenscript", "path": null, "kind": "dev"}
            ]}]}"#;
        let workspace = Workspace::of_metadata(answer, "/here").expect("the answer is well formed");
        assert_eq!(workspace.crates[0].package, "archipel-kv");
        assert_eq!(workspace.crates[0].folder, "systems/kv");
        let dependency = |name: &str, is_ours, is_for_tests| Dependency {
            name: name.to_owned(),
            is_ours,
            is_for_tests,
        };
        assert_eq!(
            workspace.crates[0].dependencies,
            [dependency("kernel", true, false), dependency("goldenscript", false, true)]
        );
    }
}
