//! `cargo xtask zoo`: puts known bugs into a copy of the code, one at a time, and lets the simulator
//! look for them. A bug that it does not find is a hole in the simulator.

mod applies;
mod matrix;
mod mutant;
mod workshop;

use std::{path::Path, time::Instant};

pub(crate) use applies::check;
use matrix::Row;
use mutant::Mutant;
use workshop::Workshop;

/// How many seeds a mutant may pass before it counts as a hole.
const SEEDS_MAX: u64 = 4_000;

/// How many mutants one turn takes.
const TURN: usize = 10;

/// The name of the code as it is, which must pass, in worlds of the store and in worlds of the queue.
const UNMUTATED: &str = "unmutated";
const UNMUTATED_QUEUE: &str = "unmutated_queue";

/// What is examined.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Specimen {
    Mutant(Mutant),
    /// The code as it is, in worlds of this system.
    Unmutated(&'static str),
}

impl Specimen {
    fn name(&self) -> &str {
        match self {
            Self::Mutant(mutant) => &mutant.name,
            Self::Unmutated("kv") => UNMUTATED,
            Self::Unmutated(_) => UNMUTATED_QUEUE,
        }
    }

    fn system(&self) -> &'static str {
        match self {
            Self::Mutant(mutant) => mutant.system(),
            Self::Unmutated(system) => system,
        }
    }

    const fn mutant(&self) -> Option<&Mutant> {
        match self {
            Self::Mutant(mutant) => Some(mutant),
            Self::Unmutated(_) => None,
        }
    }
}

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Beginnings of names; all mutants if there are none.
    names: Vec<String>,
    seeds: u64,
    first: u64,
    jobs: u64,
    json: bool,
    /// Only as many as fit in a merge, others each time.
    turn: bool,
}

/// Reads `[NAME...] [--seeds N] [--first N] [--jobs N] [--json] [--turn]`.
pub(crate) fn plan(words: &[&str]) -> Result<Plan, String> {
    let jobs = std::thread::available_parallelism().map_or(1, |count| count.get() as u64);
    let names = Vec::new();
    let mut plan = Plan { names, seeds: SEEDS_MAX, first: 0, jobs, json: false, turn: false };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut number = || {
            let text = words.next().ok_or_else(|| format!("{word} takes a number."))?;
            text.parse().map_err(|_| format!("`{text}` is not a number: try `{word} 100`."))
        };
        match *word {
            "--seeds" => plan.seeds = number()?,
            "--first" => plan.first = number()?,
            "--jobs" => plan.jobs = number()?,
            "--json" => plan.json = true,
            "--turn" => plan.turn = true,
            flag if flag.starts_with('-') => return Err(format!("zoo does not know `{flag}`.")),
            name => plan.names.push(name.to_owned()),
        }
    }
    Ok(plan)
}

/// Runs the mutants and prints the matrix.
///
/// # Errors
/// Which ones were not caught, or what could not be done.
pub(crate) fn run(root: &Path, plan: &Plan) -> Result<(), String> {
    let specimens = chosen(root, plan)?;
    let workshop = Workshop::open(root)?;
    let mut rows = Vec::new();
    if !plan.json {
        println!("{}", matrix::HEAD);
    }
    for specimen in &specimens {
        let row = examine(&workshop, specimen, plan)?;
        if !plan.json {
            println!("{row}");
        }
        rows.push(row);
    }
    if plan.json {
        println!("{}", matrix::json(&rows));
    }
    let bad: Vec<&str> = rows.iter().filter(|row| !row.is_right()).map(Row::name).collect();
    match bad.as_slice() {
        [] => Ok(()),
        [UNMUTATED | UNMUTATED_QUEUE] => Err("zoo: the code as it is has a finding".into()),
        _ => Err(format!("zoo: not as it should be: {}", bad.join(", "))),
    }
}

/// What was asked for.
fn chosen(root: &Path, plan: &Plan) -> Result<Vec<Specimen>, String> {
    let mut all = Mutant::all(root)?;
    if plan.turn {
        all.retain(|mutant| !mutant.is_hole());
        let turn = workshop::commits(root)?;
        let start = turn * TURN % all.len().max(1);
        all.rotate_left(start);
        all.truncate(TURN);
    }
    if plan.names.is_empty() {
        return Ok(all.into_iter().map(Specimen::Mutant).collect());
    }
    let mut chosen = Vec::new();
    for name in &plan.names {
        let before = chosen.len();
        match name.as_str() {
            UNMUTATED => chosen.push(Specimen::Unmutated("kv")),
            UNMUTATED_QUEUE => chosen.push(Specimen::Unmutated("queue")),
            name => {
                let called = all.iter().filter(|one| one.is_called(name));
                chosen.extend(called.cloned().map(Specimen::Mutant));
            }
        }
        if chosen.len() == before {
            return Err(format!("there is no mutant `{name}`: see `ls zoo/*.patch`."));
        }
    }
    Ok(chosen)
}

fn examine(workshop: &Workshop, specimen: &Specimen, plan: &Plan) -> Result<Row, String> {
    let name = specimen.name();
    let started = Instant::now();
    let outcome = workshop.prepare(specimen.mutant()).and_then(|()| workshop.build());
    let build = started.elapsed();
    if let Err(what) = outcome {
        return Ok(Row::broken(name, &what));
    }
    let said = workshop.run(specimen.system(), [plan.first, plan.seeds, plan.jobs])?;
    Row::read(name, &said, build, started.elapsed().saturating_sub(build))
}

#[cfg(test)]
mod tests {
    use super::plan;

    #[test]
    fn a_plan_is_read_from_words() {
        let said = plan(&["b08", "--seeds", "7", "--jobs", "1", "--json"]).expect("it is a plan");
        assert_eq!((said.names, said.seeds, said.jobs), (vec!["b08".to_owned()], 7, 1));
        assert!(said.json && !said.turn);
        assert!(plan(&["--seeds"]).is_err() && plan(&["--seeds", "many"]).is_err());
        assert!(plan(&["--fast"]).is_err());
    }
}
