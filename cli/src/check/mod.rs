//! `archipel check`: judges what clients saw.

pub(crate) mod history_file;
mod json;
mod line;
mod page;
mod report;
mod shown;

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use ::check::{Consistency, Finding, Ladder, Limits};
use clap::Args;

use crate::exit::{Exit, Failure, Outcome};
use history_file::Recorded;

/// Judges a history of what clients asked of a key/value store and what they were told.
///
/// Says whether the history is linearizable and, if not, the operation that fits nowhere. Then it goes
/// down the ladder of weaker promises: sequential, causal, read-your-writes, monotonic-reads, eventual.
/// For each that is broken it names operations that show it on their own. One page beside the history,
/// with the ending .html, then shows them on a time line, with the longest linearizable prefix and the
/// operation that fits nowhere.
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
    /// If a promise is broken, write the page that shows the operations on a time line to this file,
    /// and not beside the history.
    #[arg(long, value_name = "OUT")]
    html: Option<PathBuf>,
    /// Write no page.
    #[arg(long, conflicts_with = "html")]
    no_html: bool,
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
Keys and values are strings or numbers, 1 and \"1\" being the same, or bytes that are no text, as in
{\"hex\":\"00ff\"}. Other fields are left alone. The models, their limits and more examples are in
docs/histories.md.

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
    if options.json {
        println!("{}", json::findings(&recorded, &ladder));
    } else {
        report::print(&recorded, &ladder);
    }
    if let Some(sentence) = write_page(options, &recorded, &ladder)?
        && !options.json
    {
        println!("\n{sentence}");
    }
    Ok(match ladder.finding(options.model) {
        Finding::Holds => Exit::Done,
        // The table of exit codes: something is not as expected.
        Finding::Broken(_) => Exit::Missing,
        Finding::Unknown(_) => Exit::Unknown,
    })
}

/// Writes the page if there is something to show; a sentence that says so. Programs get one only where
/// they ask for it.
fn write_page(
    options: &CheckOptions,
    recorded: &Recorded,
    ladder: &Ladder,
) -> Outcome<Option<String>> {
    let is_quiet = options.no_html || options.json && options.html.is_none();
    let Some(page) = page::draw(recorded, ladder).filter(|_| !is_quiet) else {
        return Ok(None);
    };
    let beside = options.file.with_extension("html");
    let path = match &options.html {
        Some(path) => path,
        None if options.file.as_os_str() == "-" || !may_replace(&beside) => {
            return Ok(Some(String::from(
                "Give --html OUT for a page that shows it on a time line.",
            )));
        }
        None => &beside,
    };
    match fs::write(path, page) {
        Ok(()) => Ok(Some(format!("{} shows it on a time line.", path.display()))),
        Err(error) => {
            let sentence = format!("The page cannot be written to {}: {error}.", path.display());
            // Who did not ask for it need not be able to have it.
            if options.html.is_some() { Err(Failure::usage(sentence)) } else { Ok(Some(sentence)) }
        }
    }
}

/// True if nothing of somebody else's is at `path`.
fn may_replace(path: &Path) -> bool {
    let mut head = Vec::new();
    match fs::File::open(path) {
        Err(error) => error.kind() == io::ErrorKind::NotFound,
        Ok(file) => {
            let is_read = file.take(page::MARK.len() as u64).read_to_end(&mut head).is_ok();
            is_read && head == page::MARK.as_bytes()
        }
    }
}

/// A model by its name.
fn model(name: &str) -> Result<Consistency, String> {
    let found = Consistency::ALL.into_iter().find(|model| model.name() == name);
    found.ok_or_else(|| {
        let names = Consistency::ALL.map(Consistency::name).join(", ");
        format!("there are: {names}")
    })
}
