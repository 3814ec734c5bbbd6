//! The Docker engine of this machine, and which Compose it has.

use std::{
    ffi::OsStr,
    process::{Command, Output},
};

/// The first engine whose builder takes a folder for a stage.
const NAMED_CONTEXTS_SINCE: u32 = 23;

/// What there is.
#[derive(Debug)]
pub(super) struct Engine {
    /// The words that Compose is called by: the plugin's, or those of the older program.
    compose: Vec<&'static str>,
    /// True if a folder can take the place of a stage of a Dockerfile.
    pub(super) has_named_contexts: bool,
}

impl Engine {
    /// Looks for an engine that answers.
    ///
    /// # Errors
    /// What is missing, and how to get it.
    pub(super) fn find() -> Result<Self, String> {
        let version =
            say("docker", ["version", "--format", "{{.Server.Version}}"]).map_err(|error| {
                format!("No Docker engine answers ({error}). Start it, or install Docker.")
            })?;
        let plugin = vec!["docker", "compose"];
        let program = vec!["docker-compose"];
        let found = [plugin, program].into_iter().find(|words| {
            let asked = Command::new(words[0]).args(&words[1..]).arg("version").output();
            asked.is_ok_and(|said| said.status.success())
        });
        let compose = found.ok_or(
            "There is a Docker engine and no Compose: install Docker's plugin `compose` or Debian's docker-compose.",
        )?;
        let has_buildx = say("docker", ["buildx", "version"]).is_ok();
        let has_named_contexts = has_buildx && major(&version) >= NAMED_CONTEXTS_SINCE;
        Ok(Self { compose, has_named_contexts })
    }

    /// Compose, with these words.
    pub(super) fn compose(&self, words: &[&str]) -> Command {
        let mut command = Command::new(self.compose[0]);
        command.args(&self.compose[1..]).args(words);
        command
    }

    /// Somebody's own cluster is left alone.
    ///
    /// # Errors
    /// If there is one.
    pub(super) fn require_free(&self) -> Result<(), String> {
        let names =
            say("docker", ["ps", "--all", "--filter", "name=raft-node", "--format", "{{.Names}}"])?;
        if names.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = names.lines().collect();
        Err(format!(
            "There are containers of these names already: {}. Take their cluster down first.",
            names.join(", ")
        ))
    }
}

fn major(version: &str) -> u32 {
    version.split('.').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// What a command says, without the space around it.
///
/// # Errors
/// What it says if it fails.
pub(super) fn say<W: AsRef<OsStr>>(
    program: &str,
    words: impl IntoIterator<Item = W>,
) -> Result<String, String> {
    said(Command::new(program).args(words))
}

/// As [`say`], of a command that is put together already.
pub(super) fn said(command: &mut Command) -> Result<String, String> {
    let shown = format!("{command:?}");
    let Output { status, stdout, stderr } =
        command.output().map_err(|error| format!("{shown} did not start: {error}"))?;
    if status.success() {
        return Ok(String::from_utf8_lossy(&stdout).trim().to_owned());
    }
    Err(format!("{shown} ended with {status}: {}", String::from_utf8_lossy(&stderr).trim()))
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn the_version_of_an_engine_has_a_first_number() {
        assert_eq!((major("20.10.24+dfsg1"), major("28.2.2"), major("")), (20, 28, 0));
    }
}
