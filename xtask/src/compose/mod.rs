//! `cargo xtask compose`: the image and the compose files of `deploy/` on a Docker engine, and the course's exercises
//! played on them for real.
//!
//! ```text
//! engine: what is at hand ─▶ image: the program in it ─▶ cluster: a compose file, started ─▶ exercises
//! ```

mod cluster;
mod engine;
mod exercises;
mod image;

use std::path::Path;

use cluster::Cluster;
use engine::Engine;

/// Where the program in the image comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Built {
    /// From this machine's Cargo: nothing is pulled.
    Here,
    /// From the first stage of the Dockerfile, as users have it: its base image is pulled.
    InDocker,
}

/// Reads `[--build-in-docker]`.
pub(crate) fn plan(words: &[&str]) -> Result<Built, String> {
    match words {
        [] => Ok(Built::Here),
        ["--build-in-docker"] => Ok(Built::InDocker),
        _ => Err("compose takes --build-in-docker, or nothing.".into()),
    }
}

/// What must be at hand.
///
/// # Errors
/// If there is no Docker engine or no Compose.
pub(crate) fn needs(_: &Path) -> Result<(), String> {
    Engine::find().map(drop)
}

/// Builds the image from what is built here, and plays.
///
/// # Errors
/// As [`run`].
pub(crate) fn run_here(root: &Path) -> Result<(), String> {
    run(root, Built::Here)
}

/// Builds the image, starts each compose file and plays the exercises on it.
///
/// # Errors
/// What does not go as the course says.
pub(crate) fn run(root: &Path, built: Built) -> Result<(), String> {
    let engine = Engine::find()?;
    engine.require_free()?;
    image::build(root, &engine, built)?;
    play(root, &engine, 3, &[exercises::BASIC, exercises::FAILOVER, exercises::PERSISTENCE])?;
    play(root, &engine, 5, &[exercises::PARTITION])
}

fn play(
    root: &Path,
    engine: &Engine,
    nodes: u32,
    exercises: &[exercises::Exercise],
) -> Result<(), String> {
    println!("compose: deploy/compose-{nodes}.yaml");
    let cluster = Cluster::start(root, engine, nodes)?;
    for exercise in exercises {
        (exercise.play)(&cluster)
            .map_err(|what| format!("{}: {what}\n{}", exercise.name, cluster.last_lines()))?;
        println!("compose: {}: {}", exercise.name, exercise.shows);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Built, plan};

    #[test]
    fn a_plan_is_read_from_words() {
        assert_eq!(plan(&[]), Ok(Built::Here));
        assert_eq!(plan(&["--build-in-docker"]), Ok(Built::InDocker));
        assert!(plan(&["--fast"]).is_err());
    }
}
