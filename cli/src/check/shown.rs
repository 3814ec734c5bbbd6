//! Operations in words.

use ::check::{Answer, Call, End, Evidence, Operation};

use super::history_file::Recorded;
use crate::table;

/// How much of a key or a value is shown.
const SHOWN_CHARS: usize = 24;

/// A key or a value, as much of it as fits.
pub(super) fn text(bytes: &[u8]) -> String {
    table::cut(&table::harmless(&String::from_utf8_lossy(bytes)), SHOWN_CHARS)
}

/// A value that may be missing.
pub(super) fn optional(value: Option<&Vec<u8>>) -> String {
    value.map_or_else(|| String::from("nothing"), |value| text(value))
}

/// The key, in words; a history may have one without a name.
pub(super) fn key(key: &[u8]) -> String {
    if key.is_empty() { String::from("the key") } else { text(key) }
}

/// What an operation asked and was told, without who and when.
pub(super) fn deed(operation: &Operation) -> String {
    let key = key(&operation.key);
    let told = match &operation.end {
        End::Ok(_, answer) => Some(answer),
        End::Failed(_) => return format!("{} failed", asked(operation, &key)),
        End::Unknown => None,
    };
    let asked = asked(operation, &key);
    match told {
        None => format!("{asked}, outcome unknown"),
        Some(Answer::Found(value)) => format!("{asked} found {}", optional(value.as_ref())),
        Some(Answer::Mismatch) => format!("{asked} found something else"),
        Some(Answer::Deleted(false)) => format!("{asked} found nothing"),
        Some(Answer::Written | Answer::Deleted(true)) => asked,
    }
}

fn asked(operation: &Operation, key: &str) -> String {
    match &operation.call {
        Call::Read => format!("read {key}"),
        Call::Write(value) => format!("write {key} = {}", text(value)),
        Call::CompareAndSet { expected, new } => {
            format!("set {key} from {} to {}", optional(expected.as_ref()), text(new))
        }
        Call::Delete => format!("delete {key}"),
    }
}

/// In a few characters.
pub(super) fn label(operation: &Operation) -> String {
    let short = |value: Option<&Vec<u8>>| {
        value.map_or_else(|| String::from("–"), |value| table::cut(&text(value), 9))
    };
    match (&operation.call, &operation.end) {
        (Call::Read, End::Ok(_, Answer::Found(value))) => format!("r {}", short(value.as_ref())),
        (Call::Read, _) => String::from("r ?"),
        (Call::Write(value), _) => format!("w {}", short(Some(value))),
        (Call::CompareAndSet { expected, new }, end) => {
            let arrow = if matches!(end, End::Ok(_, Answer::Mismatch)) { "↛" } else { "→" };
            format!("{}{arrow}{}", short(expected.as_ref()), short(Some(new)))
        }
        (Call::Delete, End::Ok(_, Answer::Deleted(false))) => String::from("del –"),
        (Call::Delete, _) => String::from("del"),
    }
}

/// The lines of an operation in the file: asked, and answered if it was.
pub(super) fn lines(recorded: &Recorded, operation: &Operation) -> (usize, Option<usize>) {
    let end = match operation.end {
        End::Ok(at, _) | End::Failed(at) => Some(recorded.lines[at]),
        End::Unknown => None,
    };
    (recorded.lines[operation.invoked], end)
}

/// The whole of it on one line.
pub(super) fn sentence(recorded: &Recorded, operation: &Operation) -> String {
    let (asked, answered) = lines(recorded, operation);
    let lines = match answered {
        Some(answered) => format!("lines {asked} and {answered}"),
        None => format!("line {asked}"),
    };
    format!("process {}: {} ({lines})", operation.process.0, deed(operation))
}

/// The operations that break a promise on their own, each on a line, and no more than `shown_max`.
pub(super) fn evidence(recorded: &Recorded, evidence: &Evidence, shown_max: usize) -> Vec<String> {
    let operations = recorded.history.operations();
    let line = |place: &usize| {
        let sentence = sentence(recorded, &operations[*place]);
        let counts = evidence.written_only.binary_search(place).is_ok();
        if counts { sentence + "; only what it left counts" } else { sentence }
    };
    evidence.places.iter().take(shown_max).map(line).collect()
}
