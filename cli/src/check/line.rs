//! One line of a history: a JSON object as an event, and back.

use std::collections::BTreeMap;

use ::check::{Answer, Call, Event, EventKind, Process};
use serde_json::{Map, Value, json};

/// An event is an object with a few fields; a text with more parts is none, and would take much memory
/// to understand.
const PARTS_MAX: usize = 1_000;

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) process: Process,
    pub(super) kind: EventKind,
    pub(super) time_ns: Option<u64>,
}

/// What can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Read,
    Write,
    CompareAndSet,
    Delete,
}

impl Function {
    const ALL: [Self; 4] = [Self::Read, Self::Write, Self::CompareAndSet, Self::Delete];

    const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::CompareAndSet => "cas",
            Self::Delete => "delete",
        }
    }

    const fn of(call: &Call) -> Self {
        match call {
            Call::Read => Self::Read,
            Call::Write(_) => Self::Write,
            Call::CompareAndSet { .. } => Self::CompareAndSet,
            Call::Delete => Self::Delete,
        }
    }
}

/// Reads lines one after the other; an answer is understood by what was asked.
#[derive(Debug, Default)]
pub(super) struct Lines {
    asked: BTreeMap<Process, Function>,
}

impl Lines {
    /// What `text` says.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub(super) fn read(&mut self, text: &str) -> Result<Line, String> {
        if parts(text) > PARTS_MAX {
            return Err(format!("it has more than {PARTS_MAX} parts, which no event has"));
        }
        let value: Value = serde_json::from_str(text)
            .map_err(|error| format!("this is not JSON: {}", reason(&error)))?;
        let Value::Object(fields) = value else {
            return Err(String::from("a line must be a JSON object, like {\"process\":1, ...}"));
        };
        let process = fields.get("process").and_then(Value::as_u64).map(Process);
        let process = process.ok_or_else(|| {
            format!("\"process\" must be a whole number, and is {}", found(&fields, "process"))
        })?;
        let time_ns = match fields.get("time") {
            None => None,
            Some(time) => Some(time.as_u64().ok_or_else(|| {
                format!("\"time\" must be a whole number of nanoseconds, and is {time}")
            })?),
        };
        let kind = self.kind(process, &fields)?;
        Ok(Line { process, kind, time_ns })
    }

    fn kind(&mut self, process: Process, fields: &Map<String, Value>) -> Result<EventKind, String> {
        let kind = fields.get("type").and_then(Value::as_str);
        if kind == Some("invoke") {
            let function = function(fields)?;
            let call = call(function, fields)?;
            let kind = EventKind::Invoke { key: key(fields)?, call };
            self.asked.insert(process, function);
            return Ok(kind);
        }
        if !matches!(kind, Some("ok" | "fail" | "info")) {
            return Err(format!(
                "\"type\" must be \"invoke\", \"ok\", \"fail\" or \"info\", and is {}",
                found(fields, "type")
            ));
        }
        let asked = self.asked.remove(&process).ok_or_else(|| {
            let process = process.0;
            format!(
                "process {process} is answered but asked nothing; what it asked must stand on an \
                 earlier line, as \"invoke\""
            )
        })?;
        if let Some(function) = fields.get("f")
            && function.as_str() != Some(asked.name())
        {
            let asked = asked.name();
            return Err(format!("this answers a {function}, but the process asked for a {asked}"));
        }
        match kind {
            Some("ok") => answer(asked, fields).map(EventKind::Ok),
            Some("fail") => Ok(EventKind::Fail),
            _ => Ok(EventKind::Info),
        }
    }
}

/// The line for an event; `asked` is what the process asked, if the event is an answer.
pub(super) fn text(event: &Event, asked: Option<&Call>) -> String {
    let mut line = json!({ "process": event.process.0 });
    let (kind, call) = match &event.kind {
        EventKind::Invoke { call, .. } => ("invoke", Some(call)),
        EventKind::Ok(_) => ("ok", asked),
        EventKind::Fail => ("fail", asked),
        EventKind::Info => ("info", asked),
    };
    line["type"] = kind.into();
    if let Some(call) = call {
        line["f"] = Function::of(call).name().into();
    }
    match &event.kind {
        EventKind::Invoke { key, call } => {
            line["key"] = value(key);
            match call {
                Call::Write(new) => line["value"] = value(new),
                Call::CompareAndSet { expected, new } => {
                    line["value"] = json!([maybe(expected.as_ref()), value(new)]);
                }
                Call::Read | Call::Delete => {}
            }
        }
        EventKind::Ok(Answer::Found(found)) => line["value"] = maybe(found.as_ref()),
        EventKind::Ok(Answer::Mismatch) => line["value"] = false.into(),
        EventKind::Ok(Answer::Deleted(was_there)) => line["value"] = (*was_there).into(),
        EventKind::Ok(Answer::Written) | EventKind::Fail | EventKind::Info => {}
    }
    line["time"] = event.time_ns.into();
    line.to_string()
}

fn maybe(bytes: Option<&Vec<u8>>) -> Value {
    bytes.map_or(Value::Null, |bytes| value(bytes))
}

/// Text as it is, other bytes as {"hex":"00ff"}.
fn value(bytes: &[u8]) -> Value {
    match str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            json!({ "hex": hex })
        }
    }
}

/// How many values and brackets a JSON text has, about.
fn parts(text: &str) -> usize {
    let mut is_text = false;
    let mut bytes = text.bytes();
    let mut count = 0;
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => is_text = !is_text,
            b'\\' if is_text => _ = bytes.next(),
            b',' | b'[' | b'{' if !is_text => count += 1,
            _ => {}
        }
    }
    count
}

fn function(fields: &Map<String, Value>) -> Result<Function, String> {
    let name = fields.get("f").and_then(Value::as_str);
    let function = Function::ALL.into_iter().find(|function| Some(function.name()) == name);
    function.ok_or_else(|| {
        format!(
            "\"f\" must be \"read\", \"write\", \"cas\" or \"delete\", and is {}",
            found(fields, "f")
        )
    })
}

fn key(fields: &Map<String, Value>) -> Result<Vec<u8>, String> {
    match fields.get("key") {
        None => Ok(Vec::new()),
        Some(key) => {
            bytes(key).ok_or_else(|| format!("\"key\" must be a string or a number, and is {key}"))
        }
    }
}

fn call(function: Function, fields: &Map<String, Value>) -> Result<Call, String> {
    let value = fields.get("value");
    match function {
        Function::Read => Ok(Call::Read),
        Function::Delete => Ok(Call::Delete),
        Function::Write => value.and_then(bytes).map(Call::Write).ok_or_else(|| {
            format!(
                "a write needs a \"value\" that is a string or a number, and has {}",
                found(fields, "value")
            )
        }),
        Function::CompareAndSet => compare_and_set(value).ok_or_else(|| {
            format!(
                "a cas needs a \"value\" of two, [expected, new], and has {}",
                found(fields, "value")
            )
        }),
    }
}

fn compare_and_set(value: Option<&Value>) -> Option<Call> {
    let [expected, new] = value?.as_array()?.as_slice() else {
        return None;
    };
    Some(Call::CompareAndSet { expected: optional(expected)?, new: bytes(new)? })
}

fn answer(asked: Function, fields: &Map<String, Value>) -> Result<Answer, String> {
    let value = fields.get("value");
    let wrong = |wanted: &str| format!("{wanted}, and has {}", found(fields, "value"));
    match (asked, value) {
        (Function::Read, _) => value
            .and_then(optional)
            .map(Answer::Found)
            .ok_or_else(|| wrong("the answer of a read needs a \"value\", what was found or null")),
        (Function::Write, _) => Ok(Answer::Written),
        (Function::CompareAndSet, Some(Value::Bool(false))) => Ok(Answer::Mismatch),
        (Function::CompareAndSet, None | Some(Value::Bool(true) | Value::Array(_))) => {
            Ok(Answer::Written)
        }
        (Function::CompareAndSet, _) => Err(wrong(
            "the answer of a cas has no \"value\" if it was done, and false if something else was \
             there",
        )),
        (Function::Delete, Some(Value::Bool(was_there))) => Ok(Answer::Deleted(*was_there)),
        (Function::Delete, _) => Err(wrong(
            "the answer of a delete needs a \"value\", true if there was something or false",
        )),
    }
}

/// A value; inside, nothing if there is none.
fn optional(value: &Value) -> Option<Option<Vec<u8>>> {
    if value.is_null() { Some(None) } else { bytes(value).map(Some) }
}

fn bytes(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => Some(text.clone().into_bytes()),
        Value::Number(number) => Some(number.to_string().into_bytes()),
        Value::Object(fields) if fields.len() == 1 => unhex(fields.get("hex")?.as_str()?),
        _ => None,
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let pairs = digits?;
    let (pairs, rest) = pairs.as_chunks::<2>();
    let byte = |[high, low]: &[u32; 2]| u8::try_from(high * 16 + low).ok();
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}

/// What stands in a field, for a sentence.
fn found(fields: &Map<String, Value>, name: &str) -> String {
    const SHOWN: usize = 60;
    fields.get(name).map_or_else(
        || String::from("missing"),
        |value| crate::table::cut(&value.to_string(), SHOWN),
    )
}

/// Why a text is not JSON; the place in the text is the column, since it is one line.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let reason = text.split(" at line").next().unwrap_or_default();
    format!("{reason} at column {}", error.column())
}

#[cfg(test)]
mod tests {
    use ::check::{Answer, Call, Event, EventKind, Process};

    use super::{Line, Lines, text};

    fn kinds(texts: &[&str]) -> Vec<EventKind> {
        let mut lines = Lines::default();
        texts.iter().map(|text| lines.read(text).unwrap().kind).collect()
    }

    #[test]
    fn a_line_is_an_event() {
        let text = r#"{"process":3,"type":"invoke","f":"write","key":"x","value":7,"time":12}"#;
        let call = Call::Write(b"7".to_vec());
        let kind = EventKind::Invoke { key: b"x".to_vec(), call };
        let line = Line { process: Process(3), kind, time_ns: Some(12) };
        assert_eq!(Lines::default().read(text), Ok(line));
    }

    #[test]
    fn an_answer_is_understood_by_what_was_asked() {
        let read = kinds(&[
            r#"{"process":1,"type":"invoke","f":"read"}"#,
            r#"{"process":1,"type":"ok","f":"read","value":null}"#,
        ]);
        assert_eq!(read[1], EventKind::Ok(Answer::Found(None)));
        for (told, answer) in [
            (r#""value":false"#, Answer::Mismatch),
            (r#""value":[null,"2"]"#, Answer::Written),
            (r#""value":true"#, Answer::Written),
            (r#""time":3"#, Answer::Written),
        ] {
            let swap = kinds(&[
                r#"{"process":1,"type":"invoke","f":"cas","value":[null,"2"]}"#,
                &format!(r#"{{"process":1,"type":"ok",{told}}}"#),
            ]);
            assert_eq!(swap[1], EventKind::Ok(answer));
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let bytes = [b"".to_vec(), b"\"7\\ \n".to_vec(), vec![0, 255, 128], "ä✓".into()];
        for (place, new) in bytes.iter().enumerate() {
            let key = bytes[(place + 1) % bytes.len()].clone();
            for expected in [None, Some(key.clone())] {
                let swap = Call::CompareAndSet { expected: expected.clone(), new: new.clone() };
                for (call, answers) in [
                    (Call::Read, vec![Answer::Found(expected.clone())]),
                    (Call::Write(new.clone()), vec![Answer::Written]),
                    (swap, vec![Answer::Written, Answer::Mismatch]),
                    (Call::Delete, vec![Answer::Deleted(true), Answer::Deleted(false)]),
                ] {
                    let ends = answers.into_iter().map(EventKind::Ok);
                    for end in ends.chain([EventKind::Fail, EventKind::Info]) {
                        assert_is_read_again(&key, &call, end);
                    }
                }
            }
        }
    }

    fn assert_is_read_again(key: &[u8], call: &Call, end: EventKind) {
        let mut lines = Lines::default();
        let invoke = EventKind::Invoke { key: key.to_vec(), call: call.clone() };
        for (time_ns, kind) in [(1, invoke), (u64::MAX, end)] {
            let event = Event { time_ns, process: Process(7), kind };
            let line = text(&event, Some(call));
            assert!(!line.contains('\n'), "{line:?}");
            let Event { time_ns, process, kind } = event;
            let read = Line { process, kind, time_ns: Some(time_ns) };
            assert_eq!(lines.read(&line), Ok(read), "{line}");
        }
    }

    #[test]
    fn what_makes_no_sense_gets_a_sentence() {
        let sentences = [
            ("{", "this is not JSON: EOF while parsing an object at column 1"),
            ("[]", "a line must be a JSON object, like {\"process\":1, ...}"),
            ("{}", "\"process\" must be a whole number, and is missing"),
            (
                r#"{"process":1,"type":"invoked"}"#,
                "\"type\" must be \"invoke\", \"ok\", \"fail\" or \"info\", and is \"invoked\"",
            ),
            (
                r#"{"process":1,"type":"invoke","f":"get"}"#,
                "\"f\" must be \"read\", \"write\", \"cas\" or \"delete\", and is \"get\"",
            ),
            (
                r#"{"process":1,"type":"invoke","f":"cas","value":"1"}"#,
                "a cas needs a \"value\" of two, [expected, new], and has \"1\"",
            ),
            (
                r#"{"process":1,"type":"invoke","f":"write","key":{"hex":"0g"},"value":1}"#,
                "\"key\" must be a string or a number, and is {\"hex\":\"0g\"}",
            ),
            (
                r#"{"process":1,"type":"info"}"#,
                "process 1 is answered but asked nothing; what it asked must stand on an earlier line, \
                 as \"invoke\"",
            ),
            (
                r#"{"process":1,"type":"ok","time":-1}"#,
                "\"time\" must be a whole number of nanoseconds, and is -1",
            ),
        ];
        for (text, sentence) in sentences {
            assert_eq!(Lines::default().read(text), Err(sentence.to_owned()));
        }
        let many = format!("[{}]", "0,".repeat(2_000));
        assert_eq!(
            Lines::default().read(&many),
            Err("it has more than 1000 parts, which no event has".to_owned())
        );
    }

    #[test]
    fn answers_that_make_no_sense_get_a_sentence() {
        for (function, answer, sentence) in [
            (
                "read",
                "{}",
                "the answer of a read needs a \"value\", what was found or null, and has missing",
            ),
            (
                "cas",
                r#"{"value":7}"#,
                "the answer of a cas has no \"value\" if it was done, and false if something else was there, and has 7",
            ),
            (
                "delete",
                r#"{"value":null}"#,
                "the answer of a delete needs a \"value\", true if there was something or false, and has null",
            ),
            (
                "read",
                r#"{"f":"write"}"#,
                "this answers a \"write\", but the process asked for a read",
            ),
        ] {
            let mut lines = Lines::default();
            let asked =
                format!(r#"{{"process":1,"type":"invoke","f":"{function}","value":[1,2]}}"#);
            lines.read(&asked).unwrap();
            let answer = answer.replacen('{', r#"{"process":1,"type":"ok","#, 1).replace(",}", "}");
            assert_eq!(lines.read(&answer), Err(sentence.to_owned()));
        }
    }
}
