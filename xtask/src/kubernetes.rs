//! `deploy/kubernetes.yaml` against the schemas of Kubernetes, strictly and without a cluster.

use std::{path::Path, process::Command};

use crate::foreign::python;

/// Brings the schemas of the versions along.
const PACKAGES: &[&str] = &["kubernetes-validate==1.37.0"];
/// What the file must be right for: one that is in use, and the latest.
const VERSIONS: [&str; 2] = ["1.32", "1.37"];

/// Has the schemas installed if they are missing.
///
/// # Errors
/// If they cannot be had.
pub(crate) fn needs(root: &Path) -> Result<(), String> {
    python(&crate::target_folder(root).join("kubernetes"), PACKAGES)
}

/// Checks the file.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check(root: &Path) -> Result<(), String> {
    let program = crate::target_folder(root).join("kubernetes/bin/kubernetes-validate");
    for version in VERSIONS {
        let mut validate = Command::new(&program);
        validate.args(["--strict", "--kubernetes-version", version, "deploy/kubernetes.yaml"]);
        let status = validate.current_dir(root).status();
        let status =
            status.map_err(|error| format!("{} did not start: {error}", program.display()))?;
        if !status.success() {
            return Err(format!("deploy/kubernetes.yaml is not right for Kubernetes {version}"));
        }
    }
    Ok(())
}
