//! The specification of `raft`: one scenario a file under `tests/scripts`, run on a small cluster in
//! one thread. `UPDATE_GOLDENFILES=1 cargo test -p archipel-raft` writes the output anew; then it is
//! read.
//!
//! ```text
//!   verbs     what a script can say             runner    carries it out
//!   cluster   all nodes, and what they want     machine   one node: disk, gate, applier, clock
//!   network   messages on their way             print     the lines of the output
//! ```

mod applier;
mod cluster;
mod disk;
mod machine;
mod network;
mod print;
mod quorums;
mod runner;
mod verbs;
mod wire;

use std::{
    env, fs, io,
    panic::catch_unwind,
    path::{Path, PathBuf},
};

fn scripts(folder: &str) -> io::Result<Vec<PathBuf>> {
    let folder = Path::new("tests/scripts").join(folder);
    let mut paths =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

/// True while scripts are written anew, so that nobody else reads them.
fn is_updating() -> bool {
    env::var("UPDATE_GOLDENFILES").is_ok()
}

/// Runs every script of a folder, then names those that failed.
fn run_folder(folder: &str) -> io::Result<()> {
    let mut failed = Vec::new();
    for path in scripts(folder)? {
        let run = || goldenscript::run(&mut runner::Runner::default(), &path);
        match catch_unwind(run) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => failed.push(format!("{}: {error}", path.display())),
            Err(_) => failed.push(format!("{}: panicked, see above", path.display())),
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(io::Error::other(failed.join("\n"))) }
}

macro_rules! folders {
    ($($folder:ident)*) => {
        $(
            #[test]
            fn $folder() -> io::Result<()> {
                run_folder(stringify!($folder))
            }
        )*

        #[test]
        fn every_folder_of_scripts_is_run() -> io::Result<()> {
            let mut found: Vec<String> = fs::read_dir("tests/scripts")?
                .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
                .collect::<io::Result<_>>()?;
            found.sort();
            assert_eq!(found, [$(stringify!($folder)),*]);
            Ok(())
        }

        #[test]
        fn every_script_says_why() -> io::Result<()> {
            if is_updating() {
                return Ok(());
            }
            for folder in [$(stringify!($folder)),*] {
                for path in scripts(folder)? {
                    let text = fs::read_to_string(&path)?;
                    let opening: Vec<&str> =
                        text.lines().map_while(|line| line.strip_prefix("# ")).collect();
                    assert!(says_why(&opening.join(" ")), "{}", path.display());
                }
            }
            Ok(())
        }
    };
}

folders! { commit election membership reads replication requests snapshot storage transfer }

/// A sentence that names its source: a section or figure, a row of the course's faults, a mistake.
fn says_why(opening: &str) -> bool {
    let names_source = opening.split([' ', '(', ')', ',', ';', '.', ':']).any(|word| {
        let is_number = |rest: &str| rest.starts_with(|letter: char| letter.is_ascii_digit());
        word.starts_with('§')
            || ["B", "O", "E-", "L-", "K-"]
                .iter()
                .any(|start| word.strip_prefix(start).is_some_and(is_number))
            || ["figure", "thesis"].contains(&word)
    });
    names_source && opening.contains('.')
}
