//! One line of a history: a JSON object as an event.

use std::collections::BTreeMap;

use ::check::{Answer, Call, EventKind, Process};
use serde_json::{Map, Value};

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) process: Process,
    pub(super) kind: EventKind,
    pub(super) time_ns: Option<u64>,
}

/// Reads lines one after the other; an answer is understood by what was asked.
#[derive(Debug, Default)]
pub(super) struct Lines {
    asked: BTreeMap<Process, (String, Call)>,
}

impl Lines {
    /// What `text` says.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub(super) fn read(&mut self, text: &str) -> Result<Line, String> {
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
            self.asked.insert(process, (function.to_owned(), call.clone()));
            return Ok(EventKind::Invoke { key: key(fields)?, call });
        }
        let asked = self
            .asked
            .get(&process)
            .ok_or_else(|| format!("process {} is answered but asked nothing", process.0));
        match kind {
            Some("ok") => answer(asked?, fields).map(EventKind::Ok),
            Some("fail") => asked.map(|_| EventKind::Fail),
            Some("info") => asked.map(|_| EventKind::Info),
            _ => Err(format!(
                "\"type\" must be \"invoke\", \"ok\", \"fail\" or \"info\", and is {}",
                found(fields, "type")
            )),
        }
    }
}

fn function(fields: &Map<String, Value>) -> Result<&str, String> {
    match fields.get("f").and_then(Value::as_str) {
        Some(function @ ("read" | "write" | "cas" | "delete")) => Ok(function),
        _ => Err(format!(
            "\"f\" must be \"read\", \"write\", \"cas\" or \"delete\", and is {}",
            found(fields, "f")
        )),
    }
}

fn key(fields: &Map<String, Value>) -> Result<Vec<u8>, String> {
    match fields.get("key") {
        None => Ok(Vec::new()),
        Some(key) => {
            bytes(key).ok_or_else(|| format!("\"key\" must be a string or a number, and is {key}"))
        }
    }
}

fn call(function: &str, fields: &Map<String, Value>) -> Result<Call, String> {
    let value = fields.get("value");
    match function {
        "read" => Ok(Call::Read),
        "delete" => Ok(Call::Delete),
        "write" => value.and_then(bytes).map(Call::Write).ok_or_else(|| {
            format!(
                "a write needs a \"value\" that is a string or a number, and has {}",
                found(fields, "value")
            )
        }),
        _ => compare_and_set(value).ok_or_else(|| {
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

fn answer((asked, call): &(String, Call), fields: &Map<String, Value>) -> Result<Answer, String> {
    if let Some(function) = fields.get("f")
        && function.as_str() != Some(asked)
    {
        return Err(format!("this answers a {function}, but the process asked for a {asked}"));
    }
    let value = fields.get("value");
    match call {
        Call::Read => value.and_then(optional).map(Answer::Found).ok_or_else(|| {
            format!(
                "the answer of a read needs a \"value\", what was found or null, and has {}",
                found(fields, "value")
            )
        }),
        Call::Write(_) => Ok(Answer::Written),
        Call::CompareAndSet { .. } if value == Some(&Value::Bool(false)) => Ok(Answer::Mismatch),
        Call::CompareAndSet { .. } => Ok(Answer::Written),
        Call::Delete => value.and_then(Value::as_bool).map(Answer::Deleted).ok_or_else(|| {
            format!(
                "the answer of a delete needs a \"value\", true if there was something or false, \
                 and has {}",
                found(fields, "value")
            )
        }),
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
        _ => None,
    }
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
    use ::check::{Answer, Call, EventKind, Process};

    use super::{Line, Lines};

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
        let swap = kinds(&[
            r#"{"process":1,"type":"invoke","f":"cas","value":[null,"2"]}"#,
            r#"{"process":1,"type":"ok","value":false}"#,
            r#"{"process":1,"type":"ok","value":[null,"2"]}"#,
        ]);
        assert_eq!(swap[1..], [EventKind::Ok(Answer::Mismatch), EventKind::Ok(Answer::Written)]);
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
                r#"{"process":1,"type":"ok","time":-1}"#,
                "\"time\" must be a whole number of nanoseconds, and is -1",
            ),
        ];
        for (text, sentence) in sentences {
            assert_eq!(Lines::default().read(text), Err(sentence.to_owned()));
        }
    }
}
