//! What was asked for.

use std::{path::PathBuf, time::Duration};

use super::engine::Kind;
use crate::plan::number;

const HELP: &str = "\
archipel-versus queue measures work queues beside each other, each in turn, on the same disk.

  --contestants A,B    of beanstalkd, redis, one (ours, one node) and three (ours, three nodes); all if nothing is said
  --rounds N           how often each has its turn (2)
  --seconds N          how long each load lasts (5)
  --backlog N          tasks that lie in the queue during a last load of 16 connections (1000000); 0 leaves it out
  --archipel FILE      our program (archipel)
  --folder FOLDER      where the data goes (target/versus)
  --json               say it as JSON";

/// What to measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) contestants: Vec<Kind>,
    pub(crate) rounds: u32,
    /// How long each load lasts.
    pub(crate) duration: Duration,
    pub(crate) backlog: u64,
    pub(crate) archipel: PathBuf,
    pub(crate) folder: PathBuf,
    pub(crate) json: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            contestants: Kind::ALL.to_vec(),
            rounds: 2,
            duration: Duration::from_secs(5),
            backlog: 1_000_000,
            archipel: PathBuf::from("archipel"),
            folder: PathBuf::from("target/versus"),
            json: false,
        }
    }
}

/// Reads the command line.
///
/// # Errors
/// What is wrong with it, or the help that was asked for.
pub(crate) fn read(words: &[String]) -> Result<Plan, String> {
    let mut plan = Plan::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} takes a value.\n\n{HELP}"));
        match word.as_str() {
            "--contestants" => plan.contestants = kinds(value()?)?,
            "--rounds" => plan.rounds = number(value()?)?,
            "--seconds" => plan.duration = Duration::from_secs(number(value()?)?),
            "--backlog" => plan.backlog = number(value()?)?,
            "--archipel" => plan.archipel = PathBuf::from(value()?),
            "--folder" => plan.folder = PathBuf::from(value()?),
            "--json" => plan.json = true,
            "--help" => return Err(HELP.to_owned()),
            _ => return Err(format!("versus queue does not know `{word}`.\n\n{HELP}")),
        }
    }
    Ok(plan)
}

fn kinds(text: &str) -> Result<Vec<Kind>, String> {
    let kind = |name| Kind::of_name(name).ok_or_else(|| format!("`{name}` is no contestant"));
    text.split(',').map(kind).collect()
}

#[cfg(test)]
mod tests {
    use super::{Kind, read};

    #[test]
    fn a_plan_is_read_from_words() {
        let words = "--contestants one,redis --backlog 7 --json".split_whitespace();
        let plan = read(&words.map(String::from).collect::<Vec<_>>()).expect("it is a plan");
        assert_eq!(plan.contestants, [Kind::One, Kind::Redis]);
        assert!(plan.backlog == 7 && plan.json);
        assert!(read(&["--fast".to_owned()]).is_err_and(|text| text.contains("`--fast`")));
    }
}
