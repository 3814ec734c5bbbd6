//! A bug that is kept: a small file for people and for programs. `bugs/README.md` has the words for it.
//!
//! ```text
//! What it was, in a sentence or a few.
//!
//! run: archipel sim --seed 17 --nodes 3
//! kind: safety
//! words: what clients saw of key1 is not linearizable:
//! found in: 39900a8
//! mended: yes
//! needs: messages held, elections
//! ```
//! A line that begins with a space goes on with the line before it.

use std::{collections::BTreeMap, fmt};

use crate::{Found, Kind, Malformed, Scenario};

/// What stands before a scenario on a command line.
const COMMAND: &str = "archipel sim ";

/// How long a line may be.
const COLUMNS: usize = 110;

/// A bug that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bug {
    /// What it was.
    pub about: String,
    /// What shows it, or showed it to the simulator of its time.
    pub scenario: Scenario,
    /// What was found.
    pub found: Found,
    /// The short hash of the commit in which it was found.
    pub found_in: String,
    /// It is a bug no more.
    pub is_mended: bool,
    /// Names of what is counted without which the scenario cannot show it. When the simulator changes, a
    /// seed means another world; by these one sees whether it still comes near the bug.
    pub needs: Vec<String>,
}

impl Bug {
    /// Reads a file.
    ///
    /// # Errors
    /// What is missing in it, or makes no sense.
    pub fn read(text: &str) -> Result<Self, Malformed> {
        let (about, facts) = text
            .split_once("\n\n")
            .ok_or_else(|| Malformed::new("after the sentence there is no empty line"))?;
        let facts = facts.replace("\n ", " ");
        let pairs = facts.lines().filter_map(|line| line.split_once(": "));
        let facts: BTreeMap<&str, &str> = pairs.collect();
        let fact = |name: &str| {
            let found = facts.get(name).copied();
            found.ok_or_else(|| Malformed::new(format!("there is no line `{name}: `")))
        };
        let run = fact("run")?;
        let options = run.strip_prefix(COMMAND);
        let options = options
            .ok_or_else(|| Malformed::new(format!("`{run}` does not begin with {COMMAND}")))?;
        let kind = Kind::ALL.into_iter().find(|kind| fact("kind") == Ok(kind.name()));
        let needs = facts.get("needs").copied().unwrap_or_default();
        Ok(Self {
            about: about.replace('\n', " "),
            scenario: options.parse()?,
            found: Found {
                kind: kind.ok_or_else(|| Malformed::new("`kind` is none that there is"))?,
                what: fact("words")?.to_owned(),
            },
            found_in: fact("found in")?.to_owned(),
            is_mended: match fact("mended")? {
                "yes" => true,
                "no" => false,
                other => return Err(Malformed::new(format!("mended: {other}; say yes or no"))),
            },
            needs: needs.split(", ").filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        })
    }

    /// Those of its needs that a run did not meet.
    ///
    /// # Errors
    /// If a need is no counter of the simulator.
    pub fn unmet(&self, exercised: &[(&'static str, u64)]) -> Result<Vec<&str>, Malformed> {
        let mut unmet = Vec::new();
        for need in &self.needs {
            let counted = exercised.iter().find(|(name, _)| name == need);
            let (_, count) = counted
                .ok_or_else(|| Malformed::new(format!("`{need}` is nothing that is counted")))?;
            if *count == 0 {
                unmet.push(need.as_str());
            }
        }
        Ok(unmet)
    }

    /// A name for its file, without number and ending: the first words of what was found.
    #[must_use]
    pub fn slug(&self) -> String {
        let words = self.found.words().to_lowercase();
        let words = words.split(|character: char| !character.is_ascii_alphabetic());
        let words: Vec<&str> = words.filter(|word| word.len() > 1).take(7).collect();
        if words.is_empty() { self.found.kind.to_string() } else { words.join("_") }
    }
}

impl fmt::Display for Bug {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        wrapped(formatter, &self.about, "")?;
        writeln!(formatter)?;
        wrapped(formatter, &format!("run: {COMMAND}{}", self.scenario), " ")?;
        writeln!(formatter, "kind: {}", self.found.kind)?;
        wrapped(formatter, &format!("words: {}", self.found.words()), " ")?;
        writeln!(formatter, "found in: {}", self.found_in)?;
        writeln!(formatter, "mended: {}", if self.is_mended { "yes" } else { "no" })?;
        if !self.needs.is_empty() {
            writeln!(formatter, "needs: {}", self.needs.join(", "))?;
        }
        Ok(())
    }
}

/// Writes a text in lines of at most so many columns; all but the first begin with `indent`.
fn wrapped(formatter: &mut fmt::Formatter<'_>, text: &str, indent: &str) -> fmt::Result {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.trim().is_empty() && line.chars().count() + word.chars().count() >= COLUMNS {
            writeln!(formatter, "{line}")?;
            line = indent.to_owned();
        } else if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    writeln!(formatter, "{line}")
}

#[cfg(test)]
mod tests {
    use super::Bug;
    use sim::Counters;

    const TEXT: &str = "\
Two replicas led in one term.

run: archipel sim --seed 17 --nodes 3
kind: safety
words: 1.2 and 3.1 lead in term 17
found in: 39900a8
mended: yes
needs: elections, crashes
";

    #[test]
    fn a_file_is_read_and_written() {
        let bug = Bug::read(TEXT).expect("it is a bug");
        assert_eq!(bug.to_string(), TEXT);
        assert_eq!((bug.scenario.seed, bug.is_mended), (17, true));
        assert_eq!(bug.slug(), "and_lead_in_term");
    }

    #[test]
    fn long_lines_are_wrapped_and_read_back() {
        let mut bug = Bug::read(TEXT).expect("it is a bug");
        bug.about = "It was long and went on and on. ".repeat(9).trim_end().to_owned();
        bug.scenario.spared.numbers = (1..20).collect();
        for name in ["nodes", "clients", "keys", "think-ms", "wire", "spares", "loss-per-mille"] {
            bug.scenario = bug.scenario.with(name, 3);
        }
        let text = bug.to_string();
        assert!(text.lines().all(|line| line.len() <= 110) && text.contains("\n "), "{text}");
        assert_eq!(Bug::read(&text), Ok(bug));
    }

    #[test]
    fn what_a_run_did_not_do_is_said() {
        let mut bug = Bug::read(TEXT).expect("it is a bug");
        let counters = Counters { crashes: 2, ..Counters::default() };
        assert_eq!(bug.unmet(&counters.each()), Ok(vec!["elections"]));
        bug.needs.push("earthquakes".to_owned());
        assert!(bug.unmet(&counters.each()).is_err());
    }

    #[test]
    fn what_is_missing_is_said() {
        let without = |line: &str| Bug::read(&TEXT.replace(line, "")).expect_err("it misses");
        assert_eq!(without("kind: safety\n").to_string(), "`kind` is none that there is");
        assert_eq!(without("mended: yes\n").to_string(), "there is no line `mended: `");
        assert_eq!(
            without("archipel sim").to_string(),
            "` --seed 17 --nodes 3` does not begin with archipel sim "
        );
    }
}
