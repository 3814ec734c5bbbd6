//! What was asked for.

use std::{path::PathBuf, time::Duration};

use crate::contestant::Kind;

const HELP: &str = "\
archipel-versus measures contestants beside each other, each in turn, on the same disk.

  --contestants A,B    of etcd, archipel and null; all of them if nothing is said
  --rounds N           how often each has its turn (2)
  --seconds N          how long each load lasts (10)
  --members N          members of a cluster (3)
  --keys N             keys for memory and restart (1000000); 0 leaves both out
  --share N            clients that share a connection, as in etcd's own benchmarks (10)
  --watchers N         watchers of one key (1000); 0 leaves them out
  --archipel FILE      our program (archipel)
  --folder FOLDER      where the data goes (target/versus)
  --json               say it as JSON
  --plot FILE          draw it as an SVG";

/// What this program does.
#[derive(Debug)]
pub(crate) enum Command {
    /// Serve as the null server.
    NullServer { port: u16, file: PathBuf },
    /// Measure.
    Measure(Plan),
}

/// What to measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) contestants: Vec<Kind>,
    pub(crate) rounds: u32,
    /// How long each load lasts.
    pub(crate) duration: Duration,
    pub(crate) members: u16,
    pub(crate) keys: u64,
    pub(crate) watchers: usize,
    /// How many clients share a connection to each member.
    pub(crate) share: usize,
    pub(crate) archipel: PathBuf,
    pub(crate) folder: PathBuf,
    pub(crate) json: bool,
    pub(crate) plot: Option<PathBuf>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            contestants: vec![Kind::Etcd, Kind::Archipel, Kind::Null],
            rounds: 2,
            duration: Duration::from_secs(10),
            members: 3,
            keys: 1_000_000,
            watchers: 1000,
            share: 10,
            archipel: PathBuf::from("archipel"),
            folder: PathBuf::from("target/versus"),
            json: false,
            plot: None,
        }
    }
}

/// Reads the command line.
///
/// # Errors
/// What is wrong with it, or the help that was asked for.
pub(crate) fn read(words: &[String]) -> Result<Command, String> {
    if let [null, port, file] = words
        && null == "null-server"
    {
        let port = port.parse().map_err(|_| format!("`{port}` is not a port"))?;
        return Ok(Command::NullServer { port, file: PathBuf::from(file) });
    }
    let mut plan = Plan::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} takes a value.\n\n{HELP}"));
        match word.as_str() {
            "--contestants" => plan.contestants = kinds(value()?)?,
            "--rounds" => plan.rounds = number(value()?)?,
            "--seconds" => plan.duration = Duration::from_secs(number(value()?)?),
            "--members" => plan.members = number(value()?)?,
            "--keys" => plan.keys = number(value()?)?,
            "--watchers" => plan.watchers = number(value()?)?,
            "--share" => plan.share = number(value()?)?,
            "--archipel" => plan.archipel = PathBuf::from(value()?),
            "--folder" => plan.folder = PathBuf::from(value()?),
            "--json" => plan.json = true,
            "--plot" => plan.plot = Some(PathBuf::from(value()?)),
            "--help" => return Err(HELP.to_owned()),
            _ => return Err(format!("versus does not know `{word}`.\n\n{HELP}")),
        }
    }
    Ok(Command::Measure(plan))
}

/// A number that was given as a word.
///
/// # Errors
/// That it is none, or too large.
pub(crate) fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("`{text}` is not a number that fits here"))
}

fn kinds(text: &str) -> Result<Vec<Kind>, String> {
    let kind = |name| Kind::of_name(name).ok_or_else(|| format!("`{name}` is no contestant"));
    text.split(',').map(kind).collect()
}

#[cfg(test)]
mod tests {
    use super::{Command, Kind, read};

    fn plan(words: &str) -> Result<Command, String> {
        read(&words.split_whitespace().map(String::from).collect::<Vec<String>>())
    }

    #[test]
    fn a_plan_is_read_from_words() {
        let Ok(Command::Measure(plan)) = plan("--contestants etcd,null --seconds 3 --json") else {
            panic!("it is a plan");
        };
        assert_eq!(plan.contestants, [Kind::Etcd, Kind::Null]);
        assert!(plan.duration.as_secs() == 3 && plan.json);
    }

    #[test]
    fn what_is_not_known_is_said() {
        assert!(plan("--fast").is_err_and(|text| text.contains("`--fast`")));
        assert!(plan("--rounds").is_err_and(|text| text.contains("takes a value")));
        assert!(plan("--contestants zookeeper").is_err_and(|text| text.contains("zookeeper")));
    }
}
