//! The matrix: what became of each mutant.

use std::{fmt, time::Duration};

use serde_json::{Value, json};

/// Above the rows.
pub(crate) const HEAD: &str = "\
mutant                              caught      seed   trace  build    run  by what";

/// What became of one mutant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    name: String,
    /// What kind of finding, if there is one: `safety`, `liveness`, `assertion`, ...
    kind: Option<String>,
    what: String,
    /// The seed that found it.
    seed: Option<u64>,
    /// How many seeds were run.
    seeds: u64,
    /// How many lines the smallest trace has that was found.
    lines: Option<u64>,
    /// What shows it, on a command line.
    smallest: Option<String>,
    build: Duration,
    run: Duration,
    is_broken: bool,
}

impl Row {
    /// A mutant that could not be built.
    pub(crate) fn broken(name: &str, what: &str) -> Self {
        Self { name: name.to_owned(), what: what.to_owned(), is_broken: true, ..Self::default() }
    }

    /// Reads what the runner said.
    ///
    /// # Errors
    /// If it said nothing that makes sense.
    pub(crate) fn read(
        name: &str,
        said: &str,
        build: Duration,
        run: Duration,
    ) -> Result<Self, String> {
        let fact =
            |key: &str| said.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
        let number = |key: &str| fact(key).and_then(|text| text.parse().ok());
        let seeds = number("seeds").ok_or_else(|| format!("the runner said: {said}"))?;
        Ok(Self {
            name: name.to_owned(),
            kind: fact("kind").map(str::to_owned),
            what: fact("what").unwrap_or_default().to_owned(),
            seed: number("seed"),
            seeds,
            lines: number("lines"),
            smallest: fact("run").map(str::to_owned),
            build,
            run,
            is_broken: false,
        })
    }

    /// The mutant.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// True if a mutant was caught, and the code as it is was not.
    pub(crate) fn is_right(&self) -> bool {
        let is_caught = self.kind.is_some();
        !self.is_broken && is_caught != self.name.starts_with(super::UNMUTATED)
    }
}

impl fmt::Display for Row {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_broken {
            return write!(formatter, "{:<35} IS NOT BUILT: {}", self.name, self.what);
        }
        let Some(kind) = &self.kind else {
            let verdict = if self.is_right() { "passes" } else { "IS NOT CAUGHT" };
            let (name, seeds) = (&self.name, self.seeds);
            let seconds = self.run.as_secs();
            return write!(formatter, "{name:<35} {verdict} in {seeds} seeds, {seconds} s");
        };
        let shown = |number: Option<u64>| {
            number.map_or_else(|| "-".to_owned(), |number| number.to_string())
        };
        write!(
            formatter,
            "{:<35} {:<9} {:>6} {:>7} {:>4} s {:>4} s  {}",
            self.name,
            kind,
            shown(self.seed),
            shown(self.lines),
            self.build.as_secs(),
            self.run.as_secs(),
            self.what
        )
    }
}

/// The rows for programs.
pub(crate) fn json(rows: &[Row]) -> Value {
    let row = |row: &Row| {
        json!({
            "mutant": row.name,
            "is_right": row.is_right(),
            "is_built": !row.is_broken,
            "kind": row.kind,
            "what": row.what,
            "seed": row.seed,
            "seeds": row.seeds,
            "smallest": row.smallest,
            "trace_lines": row.lines,
            "build_ms": u64::try_from(row.build.as_millis()).unwrap_or(u64::MAX),
            "run_ms": u64::try_from(row.run.as_millis()).unwrap_or(u64::MAX),
        })
    };
    Value::Array(rows.iter().map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::Row;
    use std::time::Duration;

    fn read(name: &str, said: &str) -> Row {
        Row::read(name, said, Duration::ZERO, Duration::ZERO).expect("it is an answer")
    }

    #[test]
    fn a_mutant_is_right_when_caught_and_the_code_as_it_is_when_not() {
        let caught = "seed 7\nseeds 8\nkind safety\nwhat two lead\nlines 40\n";
        assert!(read("b08_x", caught).is_right() && !read("unmutated", caught).is_right());
        assert!(
            !read("b08_x", "seeds 9\n").is_right() && read("unmutated", "seeds 9\n").is_right()
        );
        assert!(!Row::broken("b08_x", "no").is_right());
        assert!(read("b08_x", caught).to_string().ends_with("two lead"));
    }
}
