//! Operations on two servers side by side, until all are done or the servers differ.

use std::{collections::BTreeSet, fmt, time::Duration};

use tokio::time::{Instant, sleep};

use super::{
    endpoint::Endpoint,
    flaws::Flaw,
    known::{KNOWN, Situation},
    operation::Operation,
    text::brief,
};

/// How long what one server has delivered may be missing from the other.
const SETTLE: Duration = Duration::from_secs(3);

/// Where two servers differ.
#[derive(Clone, Debug)]
pub(crate) struct Difference {
    /// How many operations were done before.
    pub(crate) place: usize,
    /// The operations up to and with the one that shows it, with real revisions, as text.
    pub(crate) script: Vec<String>,
    /// What differs: an answer, a hash, a watch.
    pub(crate) what: String,
    pub(crate) first: String,
    pub(crate) second: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, line) in self.script.iter().enumerate() {
            writeln!(formatter, "{number:>5}  {line}")?;
        }
        writeln!(formatter, "{}:", self.what)?;
        writeln!(formatter, "  A  {}", self.first)?;
        write!(formatter, "  B  {}", self.second)
    }
}

/// Two servers.
pub(crate) struct Pair<'a> {
    pub(crate) first: Endpoint,
    pub(crate) second: Endpoint,
    /// What is done wrong on purpose on the second.
    pub(crate) flaw: Option<&'a Flaw>,
}

impl Pair<'_> {
    /// Does the operations; gives all refusals that were met, each once.
    ///
    /// # Errors
    /// The first difference.
    pub(crate) async fn run(
        &mut self,
        operations: &[Operation],
    ) -> Result<BTreeSet<String>, Box<Difference>> {
        let mut situation = Situation::default();
        let mut script = Vec::new();
        for (place, operation) in operations.iter().enumerate() {
            let mut operation = operation.resolved(situation.newest);
            for known in KNOWN {
                (known.avoid)(&situation, &mut operation);
            }
            script.push(brief(&operation));
            let found = self.step(&operation, &mut situation).await;
            if let Some((what, first, second)) = found {
                return Err(Box::new(Difference { place, script, what, first, second }));
            }
        }
        Ok(situation.refusals)
    }

    async fn step(
        &mut self,
        operation: &Operation,
        situation: &mut Situation,
    ) -> Option<(String, String, String)> {
        let on_second = match self.flaw {
            Some(flaw) => (flaw.change)(operation.clone()),
            None => operation.clone(),
        };
        let (first, second) =
            tokio::join!(self.first.perform(operation.clone()), self.second.perform(on_second));
        situation.note(operation, &first);
        if first != second {
            return Some((String::from("the answers differ"), first.text, second.text));
        }
        match operation {
            Operation::Checkpoint => self.compare_watches().await,
            _ => None,
        }
    }

    /// Both have delivered the same, or will soon.
    async fn compare_watches(&mut self) -> Option<(String, String, String)> {
        let deadline = Instant::now() + SETTLE;
        loop {
            let found = self.first_watch_that_differs();
            if found.is_none() {
                self.forget_what_is_the_same();
                return None;
            }
            if Instant::now() > deadline {
                return found;
            }
            sleep(Duration::from_millis(10)).await;
            for stream in self.first.streams.iter_mut().chain(&mut self.second.streams) {
                stream.take_what_came().await;
            }
        }
    }

    fn first_watch_that_differs(&self) -> Option<(String, String, String)> {
        for (number, (first, second)) in
            self.first.streams.iter().zip(&self.second.streams).enumerate()
        {
            for (name, stream) in [("A", first), ("B", second)] {
                if let Some(rule) = stream.broken.first() {
                    let what = format!("{name} breaks a rule of watches");
                    return Some((what, rule.clone(), format!("stream {number}")));
                }
            }
            let nothing = Vec::new();
            for watch in first.delivered.keys().chain(second.delivered.keys()) {
                let first = first.delivered.get(watch).unwrap_or(&nothing);
                let second = second.delivered.get(watch).unwrap_or(&nothing);
                let Some(place) = differs_at(first, second) else { continue };
                let what = String::from("a watch delivered other things");
                let line = |lines: &[String]| {
                    let line = lines.get(place).map_or("nothing more", String::as_str);
                    format!("stream {number}, watch {watch}: {line}")
                };
                return Some((what, line(first), line(second)));
            }
        }
        None
    }

    fn forget_what_is_the_same(&mut self) {
        for stream in self.first.streams.iter_mut().chain(&mut self.second.streams) {
            stream.delivered.clear();
        }
    }
}

fn differs_at(first: &[String], second: &[String]) -> Option<usize> {
    let length = first.len().max(second.len());
    (0..length).find(|place| first.get(*place) != second.get(*place))
}
