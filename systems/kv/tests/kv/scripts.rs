//! Runs the scripts in `scripts/`. Each line goes to the state machine and to the model, and both must
//! answer the same; what they answer is the golden part. After a deliberate change run the test with
//! `UPDATE_GOLDENFILES=1` and read the difference.

use std::{error::Error, fmt::Write as _, path::Path};

use bytes::Bytes;
use kernel::EntryKind;
use kv::{Answer, Command, Expect, Item, Model, Query};

use crate::store::Store;

/// Longer texts are shown as their first byte and their length.
const SHOWN_BYTES_MAX: usize = 40;

/// A text is its own bytes; `x*5` is five times x.
#[derive(goldenscript::Command)]
enum Line {
    /// put KEY VALUE
    Put {
        key: String,
        value: String,
        #[arg(key)]
        if_value: Option<String>,
        #[arg(key)]
        if_revision: Option<u64>,
        #[arg(key, optional)]
        if_absent: bool,
    },
    /// delete KEY
    Delete {
        key: String,
        #[arg(key)]
        if_value: Option<String>,
        #[arg(key)]
        if_revision: Option<u64>,
        #[arg(key, optional)]
        if_absent: bool,
    },
    /// get KEY
    Get { key: String },
    /// list [PREFIX] [after=KEY] [limit=N]
    List {
        prefix: Option<String>,
        #[arg(key)]
        after: Option<String>,
        #[arg(key, optional)]
        limit: u32,
    },
    /// Shows the store's revision.
    Revision,
    /// An entry with these bytes, in hexadecimal, as its command.
    Raw { bytes: Option<String> },
    /// An entry of another kind: noop or tick.
    Entry { kind: String },
    /// Carries all writes into the base.
    Flush,
}

struct Script {
    store: Store,
    model: Model,
}

impl goldenscript::Runner for Script {
    type Command = Line;

    fn run(
        &mut self,
        line: &Line,
        _context: &goldenscript::Context,
    ) -> Result<String, Box<dyn Error>> {
        let shown = match line {
            Line::Put { key, value, if_value, if_revision, if_absent } => {
                let expect = expectation(if_value.as_deref(), *if_revision, *if_absent)?;
                self.apply(&Command::Put { key: text(key)?, value: text(value)?, expect })
            }
            Line::Delete { key, if_value, if_revision, if_absent } => {
                let expect = expectation(if_value.as_deref(), *if_revision, *if_absent)?;
                self.apply(&Command::Delete { key: text(key)?, expect })
            }
            Line::Get { key } => self.query(&Query::Get { key: text(key)? }),
            Line::List { prefix, after, limit } => {
                let prefix = text(prefix.as_deref().unwrap_or_default())?;
                let after = after.as_deref().map(text).transpose()?;
                self.query(&Query::List { prefix, after, limit: *limit })
            }
            Line::Revision => format!("revision {}", self.model.revision),
            Line::Raw { bytes } => {
                show(&self.store.apply_bytes(&hexadecimal(bytes.as_deref().unwrap_or_default())?)?)
            }
            Line::Entry { kind } => {
                let kind = match kind.as_str() {
                    "noop" => EntryKind::Noop,
                    "tick" => EntryKind::Tick,
                    _ => return Err("the kinds are noop and tick".into()),
                };
                format!("{} answers", self.store.apply_entry(kind, &[])?.len())
            }
            Line::Flush => {
                self.store.flush();
                return Ok(String::new());
            }
        };
        self.store.check();
        Ok(shown + "\n")
    }
}

impl Script {
    fn apply(&mut self, command: &Command) -> String {
        let answer = self.store.apply(command);
        assert_eq!(answer, self.model.apply(command), "the model agrees");
        show(&answer)
    }

    fn query(&self, query: &Query) -> String {
        let answer = self.store.query(query);
        assert_eq!(answer, self.model.query(query), "the model agrees");
        show(&answer)
    }
}

#[test]
fn every_script_says_what_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    let mut scripts: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder of scripts")
        .map(|file| file.expect("a script").path())
        .collect();
    scripts.sort();
    assert!(!scripts.is_empty(), "there are scripts");
    for script in scripts {
        println!("{}", script.display());
        let mut runner = Script { store: Store::new(), model: Model::default() };
        goldenscript::run(&mut runner, &script).expect("a script can be run");
    }
}

fn expectation(
    value: Option<&str>,
    revision: Option<u64>,
    absent: bool,
) -> Result<Expect, Box<dyn Error>> {
    match (value, revision, absent) {
        (None, None, false) => Ok(Expect::Any),
        (None, None, true) => Ok(Expect::Absent),
        (Some(value), None, false) => Ok(Expect::Value(text(value)?)),
        (None, Some(revision), false) => Ok(Expect::Revision(revision)),
        _ => Err("one expectation at most".into()),
    }
}

fn text(word: &str) -> Result<Bytes, Box<dyn Error>> {
    match word.split_once('*') {
        Some((piece, count)) => Ok(piece.repeat(count.parse()?).into()),
        None => Ok(Bytes::copy_from_slice(word.as_bytes())),
    }
}

fn hexadecimal(digits: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?)).collect()
}

fn show(answer: &Answer) -> String {
    match answer {
        Answer::Put { revision, version, previous_revision } => {
            let before = previous_revision
                .map_or_else(|| "new".to_owned(), |before| format!("before at revision {before}"));
            format!("put at revision {revision}, version {version}, {before}")
        }
        Answer::Deleted { was_there: true, revision } => format!("deleted at revision {revision}"),
        Answer::Deleted { was_there: false, revision } => {
            format!("was not there, revision stays {revision}")
        }
        Answer::Mismatch { current: Some(revision) } => {
            format!("mismatch, last changed at revision {revision}")
        }
        Answer::Mismatch { current: None } => "mismatch, not there".to_owned(),
        Answer::Found(item) => show_item(item),
        Answer::Missing => "missing".to_owned(),
        Answer::Page { items, more } => {
            let plural = if items.len() == 1 { "" } else { "s" };
            let mut shown = format!("{} item{plural}", items.len());
            for item in items {
                let _ = write!(shown, "\n  {}", show_item(item));
            }
            if *more {
                shown += "\n  and more";
            }
            shown
        }
        Answer::Invalid(invalid) => format!("invalid: {invalid}"),
    }
}

fn show_item(item: &Item) -> String {
    let Item { key, value, created, modified, version } = item;
    let (key, value) = (show_bytes(key), show_bytes(value));
    format!("{key} = {value}  created {created}, modified {modified}, version {version}")
}

fn show_bytes(bytes: &[u8]) -> String {
    match bytes {
        [first, ..] if bytes.len() > SHOWN_BYTES_MAX => {
            format!("{}... of {} bytes", first.escape_ascii(), bytes.len())
        }
        _ => format!("\"{}\"", bytes.escape_ascii()),
    }
}
