//! `archipel check`: judges what clients saw.

mod history_file;
mod json;
mod line;
mod page;
mod report;
mod shown;

use std::{fs, path::PathBuf};

use ::check::{Consistency, Finding, Ladder, Limits};
use clap::Args;

use crate::exit::{Exit, Failure, Outcome};
use history_file::Recorded;

/// Judges a history of what clients asked of a key/value store and what they were told.
///
/// Says whether the history is linearizable and, if not, the operation that fits nowhere. Then it goes
/// down the ladder of weaker promises: sequential, causal, read-your-writes, monotonic-reads, eventual.
/// For each that is broken it names operations that show it on their own.
#[derive(Args, Debug)]
#[command(after_help = FORMAT)]
pub(crate) struct CheckOptions {
    /// The history, one JSON object a line; `-` reads standard input.
    file: PathBuf,
    /// The promise that decides the exit code.
    #[arg(long, default_value = "linearizable", value_parser = model)]
    model: Consistency,
    /// Print the findings as JSON.
    #[arg(long)]
    json: bool,
    /// If a promise is broken, write a page to this file that shows the operations on a time line.
    #[arg(long, value_name = "OUT")]
    html: Option<PathBuf>,
    /// How much memory the history may take, and the search again, in MiB.
    #[arg(long, default_value_t = 1024, value_name = "MIB")]
    memory_mib_max: u64,
    /// How many steps a search may take before it says that it does not know.
    #[arg(long, default_value_t = 50_000_000, value_name = "STEPS")]
    steps_max: u64,
}

const FORMAT: &str = "\
The history has one event a line, in the order in which the events happened:
  process  a number; a process asks one thing at a time
  type     invoke: the process asks; ok: it is answered; fail: it is told that nothing was or will be
           done; info: nobody can say what became of it, and the process asks nothing more
  f        read, write, cas or delete; in answers it may be left out
  key      a string or a number; if it is left out, there is only one key
  value    asked:    write: the value; cas: [expected, new], null for no value
           answered: read: what was found, null for nothing; delete: true if there was something;
                     cas: false if something else was there than expected
  time     nanoseconds of any clock that does not go back; may be left out
Values are strings or numbers; 1 and \"1\" are the same. Other fields are left alone.

Examples:
  archipel check history.jsonl --html history.html
  archipel check history.jsonl --model sequential --json

  {\"process\":1,\"type\":\"invoke\",\"f\":\"write\",\"key\":\"x\",\"value\":\"5\",\"time\":1000}
  {\"process\":1,\"type\":\"ok\",\"time\":2000}
  {\"process\":2,\"type\":\"invoke\",\"f\":\"cas\",\"key\":\"x\",\"value\":[\"5\",\"6\"],\"time\":3000}
  {\"process\":2,\"type\":\"ok\",\"value\":false,\"time\":4000}

Exit codes:
  0  the promise holds
  1  the promise is broken: what clients saw is not as expected
  2  the file cannot be read or makes no sense; the sentence names the line
  4  unknown: it could not be decided within the limits";

/// Judges the history and shows the findings.
pub(crate) fn run(options: &CheckOptions) -> Outcome {
    let memory_bytes_max = options.memory_mib_max.saturating_mul(1 << 20);
    let recorded = history_file::read(&options.file, memory_bytes_max)?;
    let limits = Limits { steps_max: options.steps_max, memory_bytes_max };
    let ladder = Ladder::judge(&recorded.history, limits);
    let page = write_page(options, &recorded, &ladder)?;
    if options.json {
        println!("{}", json::findings(&recorded, &ladder));
    } else {
        report::print(&recorded, &ladder);
        if let Some(sentence) = page {
            println!("\n{sentence}");
        }
    }
    Ok(match ladder.finding(options.model) {
        Finding::Holds => Exit::Done,
        // The table of exit codes: something is not as expected.
        Finding::Broken(_) => Exit::Missing,
        Finding::Unknown(_) => Exit::Unknown,
    })
}

/// Writes the page if one is wanted and there is something to show; a sentence that says so.
fn write_page(
    options: &CheckOptions,
    recorded: &Recorded,
    ladder: &Ladder,
) -> Outcome<Option<String>> {
    let Some(path) = &options.html else {
        return Ok(None);
    };
    let Some(page) = page::draw(recorded, ladder) else {
        return Ok(Some(String::from("No page was written: no promise was found broken.")));
    };
    fs::write(path, page).map_err(|error| {
        let path = path.display();
        Failure::usage(format!("The page cannot be written to {path}: {error}."))
    })?;
    Ok(Some(format!("The page {} shows it on a time line.", path.display())))
}

/// A model by its name.
fn model(name: &str) -> Result<Consistency, String> {
    let found = Consistency::ALL.into_iter().find(|model| model.name() == name);
    found.ok_or_else(|| {
        let names = Consistency::ALL.map(Consistency::name).join(", ");
        format!("there are: {names}")
    })
}
