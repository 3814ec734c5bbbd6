//! Reads a history from a file, line by line, and writes one.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufRead, BufReader, Read, Write},
    path::Path,
};

use ::check::{Call, Event, EventKind, History, Process};

use super::line::{self, Lines};
use crate::exit::{Exit, Failure, Outcome};

/// A line that is longer is no event.
const LINE_BYTES_MAX: u64 = 16 << 20;

/// What an event takes in memory besides its key and value, roughly.
const EVENT_BYTES: u64 = 400;

/// A history and where it was read.
#[derive(Debug)]
pub(super) struct Recorded {
    /// As people gave it.
    pub(super) name: String,
    pub(super) history: History,
    /// For each event, the number of its line.
    pub(super) lines: Vec<usize>,
}

/// Reads `path`, or standard input if it is `-`, into no more memory than is given.
pub(super) fn read(path: &Path, memory_bytes_max: u64) -> Outcome<Recorded> {
    if path.as_os_str() == "-" {
        return read_from(io::stdin().lock(), "standard input", memory_bytes_max);
    }
    let name = path.display().to_string();
    let file = File::open(path)
        .map_err(|error| Failure::usage(format!("{name} cannot be opened: {error}.")))?;
    read_from(BufReader::new(file), &name, memory_bytes_max)
}

fn read_from(mut source: impl BufRead, name: &str, memory_bytes_max: u64) -> Outcome<Recorded> {
    let mut recorded =
        Recorded { name: name.to_owned(), history: History::default(), lines: Vec::new() };
    let mut lines = Lines::default();
    let mut memory_bytes = 0_u64;
    let mut number = 0;
    let mut time_ns = 0;
    let mut text = Vec::new();
    loop {
        text.clear();
        number += 1;
        let wrong = |sentence: &str| {
            Failure::usage(format!("{name}, line {number}: {}.", sentence.trim_end_matches('.')))
        };
        let count = source.by_ref().take(LINE_BYTES_MAX + 1).read_until(b'\n', &mut text);
        if count.map_err(|error| wrong(&format!("it cannot be read: {error}")))? == 0 {
            if recorded.lines.is_empty() {
                return Err(Failure::usage(format!(
                    "{name} has no events. A history has one JSON object a line: `archipel check --help`."
                )));
            }
            return Ok(recorded);
        }
        if text.len() as u64 > LINE_BYTES_MAX {
            return Err(wrong("it is longer than 16 MiB, which no event is"));
        }
        let text = str::from_utf8(&text)
            .map_err(|_| {
                wrong("it is not UTF-8 text; bytes that are no text are written {\"hex\":\"00ff\"}")
            })?
            .trim();
        if text.is_empty() {
            continue;
        }
        // The event and its operation each keep a copy.
        memory_bytes += 2 * text.len() as u64 + EVENT_BYTES;
        if memory_bytes > memory_bytes_max {
            return Err(too_large(name, recorded.lines.len(), memory_bytes_max));
        }
        let line = lines.read(text).map_err(|sentence| wrong(&sentence))?;
        let now_ns = line.time_ns.unwrap_or(time_ns);
        if now_ns < time_ns {
            return Err(wrong(&format!(
                "time goes back, from {time_ns} to {now_ns}; put the events in the order in which they \
                 happened"
            )));
        }
        time_ns = now_ns;
        let event = Event { time_ns, process: line.process, kind: line.kind };
        recorded.history.push(event).map_err(|error| wrong(&error.to_string()))?;
        recorded.lines.push(number);
    }
}

/// Writes `history` to `out`, an event a line, so that `archipel check` can read it.
///
/// # Errors
/// What `out` says; some of it may then be written.
pub(crate) fn write(history: &History, mut out: impl Write) -> io::Result<()> {
    let mut asked: BTreeMap<Process, &Call> = BTreeMap::new();
    for event in history.events() {
        if let EventKind::Invoke { call, .. } = &event.kind {
            asked.insert(event.process, call);
        }
        writeln!(out, "{}", line::text(event, asked.get(&event.process).copied()))?;
    }
    out.flush()
}

fn too_large(name: &str, events: usize, memory_bytes_max: u64) -> Failure {
    let mib = memory_bytes_max >> 20;
    Failure::new(
        Exit::Unknown,
        format!(
            "Unknown: the first {events} events of {name} take the {mib} MiB that are allowed. Give \
             more with --memory-mib-max, or check a part of it."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::{read_from, write};
    use crate::exit::Exit;

    const READ: &str = "{\"process\":1,\"type\":\"invoke\",\"f\":\"read\",\"time\":5}\n";

    fn message(text: &str) -> String {
        read_from(text.as_bytes(), "h.jsonl", 1 << 20).unwrap_err().message
    }

    #[test]
    fn events_know_their_lines() {
        let text = format!("\n{READ}\n{{\"process\":1,\"type\":\"fail\"}}");
        let recorded = read_from(text.as_bytes(), "h.jsonl", 1 << 20).unwrap();
        assert_eq!(recorded.lines, [2, 4]);
        assert_eq!(recorded.history.operations().len(), 1);
    }

    #[test]
    fn what_makes_no_sense_is_named_with_its_line() {
        assert_eq!(
            message(&format!("{READ}{READ}")),
            "h.jsonl, line 2: process 1 asks before its last operation has ended; give each client \
             that asks at the same time a number of its own."
        );
        let back = READ.replace("\"time\":5", "\"time\":4").replace(":1,", ":2,");
        assert_eq!(
            message(&format!("{READ}{back}")),
            "h.jsonl, line 2: time goes back, from 5 to 4; put the events in the order in which they \
             happened."
        );
        let broken = read_from(&b"\xff\n"[..], "h.jsonl", 1 << 20).unwrap_err();
        assert_eq!(
            broken.message,
            "h.jsonl, line 1: it is not UTF-8 text; bytes that are no text are written \
             {\"hex\":\"00ff\"}."
        );
        assert!(message("\n\n").starts_with("h.jsonl has no events."));
    }

    #[test]
    fn what_is_written_is_read_again() {
        let text = READ.to_owned() + "{\"process\":1,\"type\":\"ok\",\"value\":7,\"time\":6}\n";
        let recorded = read_from(text.as_bytes(), "h.jsonl", 1 << 20).unwrap();
        let mut written = Vec::new();
        write(&recorded.history, &mut written).unwrap();
        let again = read_from(&written[..], "h.jsonl", 1 << 20).unwrap();
        assert_eq!(again.history.events(), recorded.history.events());
        assert_eq!(again.lines, [1, 2]);
    }

    #[test]
    fn a_history_that_is_too_large_is_unknown() {
        let failure = read_from(READ.as_bytes(), "h.jsonl", 100).unwrap_err();
        assert_eq!(failure.exit, Exit::Unknown);
    }
}
