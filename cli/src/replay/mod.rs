//! `archipel replay`: runs the last inputs of a node that broke an invariant again.
//!
//! ```text
//!   the file ─▶ player ─▶ steps ─▶ report
//! ```

mod player;
mod report;

use std::{collections::VecDeque, path::PathBuf};

use clap::Args;
use host::LastInputs;
use raft::Raft;

use crate::exit::{Exit, Failure, Outcome};
use player::Player;

/// How many inputs are shown unless more are asked for.
const SHOWN: u64 = 50;

/// Runs the last inputs of a node that stopped on a broken invariant again.
///
/// Such a node writes what it was given last, and an image of itself from before, into its data folder,
/// and names the file. The same inputs come to the same node at the same moments, so the same invariant
/// breaks, here without disks, clocks and sockets. Only the program that wrote a file can run it.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct ReplayOptions {
    /// The file, such as last-inputs-7.replay, in the data folder of a node.
    file: PathBuf,
    /// Show all inputs from this one on. Without it the last 50 are shown.
    #[arg(long, value_name = "NUMBER")]
    from: Option<u64>,
    /// Print the node, the inputs with their effects, and what broke, as JSON.
    #[arg(long)]
    json: bool,
}

const HELP: &str = "\
Each line is an input, with its number in this life of the node and the milliseconds since that life
began; under it stands what the node said. `3@4:noop` is the entry at index 3 of term 4, `#4` the
number of a write, `t7` the ticket of a request.

Examples:
  archipel replay archipel-data/node1/last-inputs-3.replay
  archipel replay archipel-data/node1/last-inputs-3.replay --from 12000 --json

Exit codes:
  0  the inputs ran without breaking anything
  1  an invariant broke; the last line says which, where, and whether it is the one that is on file
  2  the file cannot be used; the sentence says why";

/// Runs the file and shows what happened.
pub(crate) fn run(options: &ReplayOptions) -> Outcome {
    let shown = options.file.display();
    let kept = LastInputs::<Raft>::read(&options.file)
        .map_err(|error| Failure::usage(format!("{shown} cannot be run: {error}.")))?;
    let (first, last) = (kept.before + 1, kept.before + kept.inputs.len() as u64);
    if let Some(from) = options.from.filter(|from| *from > last) {
        return Err(Failure::usage(format!(
            "There is no input {from} in {shown}: it has inputs {first} to {last}."
        )));
    }
    let mut player = Player::new(kept);
    let mut steps = VecDeque::new();
    while let Some(step) = player.step() {
        steps.push_back(step);
        let is_wanted = |number: u64, shown: usize| {
            options.from.map_or(shown as u64 <= SHOWN, |from| number >= from)
        };
        // What breaks is shown in any case.
        let is_over = player.broken().is_some();
        if !is_over && steps.front().is_some_and(|step| !is_wanted(step.number, steps.len())) {
            steps.pop_front();
        }
    }
    let steps = Vec::from(steps);
    if options.json {
        println!("{}", report::json(&player, &steps));
    } else {
        report::print(&player, &steps);
    }
    // The table of exit codes: something is not as expected.
    Ok(if player.broken().is_some() { Exit::Missing } else { Exit::Done })
}
