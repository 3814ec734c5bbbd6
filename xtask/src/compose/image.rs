//! The image `archipel`, from `deploy/Dockerfile`.
//!
//! Nothing is pulled unless it is asked for: the program is built by this machine's Cargo and takes the place of the
//! first stage. A builder that knows no named contexts is given the last stage alone.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{Built, engine::Engine};

const DOCKERFILE: &str = "deploy/Dockerfile";

/// Builds it.
///
/// # Errors
/// If the program or the image cannot be built.
pub(super) fn build(root: &Path, engine: &Engine, built: Built) -> Result<(), String> {
    let mut docker = Command::new("docker");
    docker.current_dir(root);
    if built == Built::InDocker {
        return succeed(docker.args(["build", "--tag", "archipel", "--file", DOCKERFILE, "."]));
    }
    let folder = stage(root)?;
    if engine.has_named_contexts {
        let context = format!("build={}", folder.display());
        docker.args(["buildx", "build", "--load", "--tag", "archipel", "--file", DOCKERFILE]);
        return succeed(docker.args(["--build-context", &context, "."]));
    }
    let text = read(&root.join(DOCKERFILE))?;
    let alone = folder.join("Dockerfile");
    fs::write(&alone, last_stage(&text))
        .map_err(|error| format!("{}: {error}", alone.display()))?;
    succeed(docker.env("DOCKER_BUILDKIT", "0").args(["build", "--tag", "archipel"]).arg(&folder))
}

/// A folder with what the first stage would leave: the program, and a folder for data.
fn stage(root: &Path) -> Result<PathBuf, String> {
    let program = program(root)?;
    let folder = crate::target_folder(root).join("image");
    let wrong = |error| format!("{}: {error}", folder.display());
    fs::create_dir_all(folder.join("data")).map_err(wrong)?;
    fs::copy(program, folder.join("archipel")).map_err(wrong)?;
    Ok(folder)
}

/// The static program, built by Cargo.
fn program(root: &Path) -> Result<PathBuf, String> {
    let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    crate::rustup::require_target(root, &target)?;
    let mut cargo = Command::new(crate::cargo_program());
    cargo.args(["rustc", "--locked", "--release", "--package", "archipel", "--target", &target]);
    succeed(cargo.args(["--", "-C", "strip=debuginfo"]).current_dir(root))?;
    Ok(crate::target_folder(root).join(target).join("release/archipel"))
}

/// The last stage of a Dockerfile, which copies from the folder that it is built in.
fn last_stage(dockerfile: &str) -> String {
    let at = dockerfile.rfind("\nFROM ").map_or(0, |before| before + 1);
    dockerfile[at..].replace("--from=build ", "")
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn succeed(command: &mut Command) -> Result<(), String> {
    let shown = format!("{command:?}");
    let status = command.status().map_err(|error| format!("{shown} did not start: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{shown} ended with {status}")) }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{DOCKERFILE, last_stage, read};

    #[test]
    fn the_last_stage_stands_on_its_own() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let text = last_stage(&read(&root.join(DOCKERFILE)).expect("there is a Dockerfile"));
        assert!(text.starts_with("FROM scratch\n"), "{text}");
        assert!(text.contains("\nCOPY /archipel ") && !text.contains("--from"), "{text}");
        assert_eq!(text.matches("FROM ").count(), 1, "{text}");
    }
}
