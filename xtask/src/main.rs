//! `cargo xtask`: the project's own chores.
//!
//! ```text
//! cargo xtask tidy             the house rules; every breach with its file and line
//! cargo xtask tidy --stats     how long the files and functions are, and how often they assert
//! cargo xtask ci               all that must be green before a change is merged
//! cargo xtask ci --only STEP   one step of it
//! cargo xtask soak             kills, known bugs, fresh seeds: --hours N, --minutes N, --kills N, --no-zoo
//! cargo xtask zoo              known bugs, which the simulator must find: [NAME...] [--seeds N] [--json]
//! cargo xtask compose          the image and the compose files, and the course's exercises on them
//! cargo xtask foreign          etcd and beanstalkd beside ours, and the clients of others: --quick, ...
//! cargo xtask versus etcd      how fast ours is beside etcd: --json, --plot FILE, --rounds N, --help
//! cargo xtask versus queue     how fast the work queue is beside beanstalkd and Redis: --json, --rounds N, --help
//! cargo xtask picture          a captured terminal, from standard input, as an SVG
//! ```

mod ci;
mod compose;
mod debian;
mod foreign;
mod kubernetes;
mod picture;
mod rustup;
mod simulate;
mod soak;
mod tidy;
mod versus;
mod zoo;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

const HELP: &str = "\
The project's own chores.

  cargo xtask tidy             check the house rules
  cargo xtask tidy --stats     sizes of files and functions, and assertions, for each crate
  cargo xtask ci               format, lints, tidy, docs, bare metal, real processes, seeds
  cargo xtask ci --only STEP   one step of it
  cargo xtask soak             a hundred kills, all known bugs, then fresh seeds, which file what they
                               find in bugs/: --hours N, --minutes N, --kills N, --no-zoo
  cargo xtask zoo              known bugs, which the simulator must find: [NAME...] [--seeds N]
                               [--first N] [--jobs N] [--turn] [--json]
  cargo xtask foreign          etcd and beanstalkd beside ours, and the clients of others, all of which are
                               installed: --against etcd, --members N, --seeds N, --quick
  cargo xtask compose          builds the image, starts the compose files and plays the course's exercises on
                               them, where there is a Docker engine: --build-in-docker
  cargo xtask versus etcd      ours beside etcd and a server that does next to nothing, by turns, on this
                               machine: --rounds N, --seconds N, --json, --plot FILE; --help tells more
  cargo xtask versus queue     our work queue beside beanstalkd and Redis, by turns: --rounds N, --seconds N,
                               --backlog N, --json; --help tells more
  cargo xtask picture          draw a terminal, captured by `tmux capture-pane -e -p`, as an SVG";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let root = workspace_root();
    let result = match words.as_slice() {
        ["tidy"] => tidy::check(&root),
        ["tidy", "--stats"] => tidy::print_statistics(&root),
        ["ci"] => ci::run(&root, None),
        ["ci", "--only", step] => ci::run(&root, Some(step)),
        ["soak", rest @ ..] => soak::plan(rest).and_then(|plan| soak::run(&root, plan)),
        ["zoo", rest @ ..] => zoo::plan(rest).and_then(|plan| zoo::run(&root, &plan)),
        ["foreign", rest @ ..] => foreign::plan(rest).and_then(|plan| foreign::run(&root, &plan)),
        ["compose", rest @ ..] => compose::plan(rest).and_then(|built| compose::run(&root, built)),
        ["versus", "etcd", rest @ ..] => versus::etcd(&root, rest),
        ["versus", "queue", rest @ ..] => versus::queue(&root, rest),
        ["picture"] => std::io::read_to_string(std::io::stdin())
            .map(|screen| print!("{}", picture::draw(&screen)))
            .map_err(|error| format!("standard input could not be read: {error}")),
        [] | ["help" | "--help" | "-h"] => {
            println!("{HELP}");
            Ok(())
        }
        _ => Err(format!("`{}` is not a chore.\n\n{HELP}", words.join(" "))),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace: the one above this crate's, which Cargo names.
fn workspace_root() -> PathBuf {
    let manifest_folder = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    manifest_folder.parent().expect("the crate's folder stands in the workspace's").to_path_buf()
}

/// Where Cargo puts what it builds.
fn target_folder(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root.join("target"), |folder| root.join(PathBuf::from(folder)))
}

/// The Cargo that runs us.
fn cargo_program() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}
