//! What clients saw of a run, as lines that `archipel check` reads.

use ::check::{Answer, Call, Event, EventKind, History};
use serde_json::{Value, json};

/// A line of JSON for each event, in order.
pub(super) fn lines(history: &History) -> impl Iterator<Item = String> {
    history.events().iter().map(|event| line(event).to_string())
}

fn line(event: &Event) -> Value {
    let mut line = json!({ "process": event.process.0, "type": kind(&event.kind) });
    match &event.kind {
        EventKind::Invoke { key, call } => {
            let (function, value) = asked(call);
            line["f"] = function.into();
            line["key"] = text(key);
            line["value"] = value;
        }
        EventKind::Ok(answer) => line["value"] = told(answer),
        EventKind::Fail | EventKind::Info => {}
    }
    line["time"] = event.time_ns.into();
    line
}

const fn kind(kind: &EventKind) -> &'static str {
    match kind {
        EventKind::Invoke { .. } => "invoke",
        EventKind::Ok(_) => "ok",
        EventKind::Fail => "fail",
        EventKind::Info => "info",
    }
}

fn asked(call: &Call) -> (&'static str, Value) {
    match call {
        Call::Read => ("read", Value::Null),
        Call::Write(value) => ("write", text(value)),
        Call::CompareAndSet { expected, new } => {
            ("cas", json!([expected.as_deref().map(text), text(new)]))
        }
        Call::Delete => ("delete", Value::Null),
    }
}

fn told(answer: &Answer) -> Value {
    match answer {
        Answer::Found(value) => value.as_deref().map_or(Value::Null, text),
        Answer::Written => Value::Bool(true),
        Answer::Mismatch => Value::Bool(false),
        Answer::Deleted(was_there) => Value::Bool(*was_there),
    }
}

/// Simulated clients write text.
fn text(bytes: &[u8]) -> Value {
    String::from_utf8_lossy(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::lines;
    use check::{Answer, Call, Event, EventKind, History, Process};

    #[test]
    fn every_event_is_a_line() {
        let mut history = History::default();
        let call = Call::CompareAndSet { expected: None, new: b"1.".to_vec() };
        let kinds = [
            EventKind::Invoke { key: b"key0".to_vec(), call },
            EventKind::Ok(Answer::Mismatch),
            EventKind::Invoke { key: b"key0".to_vec(), call: Call::Read },
            EventKind::Ok(Answer::Found(None)),
            EventKind::Invoke { key: b"key0".to_vec(), call: Call::Delete },
            EventKind::Info,
        ];
        for (time_ns, kind) in (5..).zip(kinds) {
            history.push(Event { time_ns, process: Process(3), kind }).expect("it makes sense");
        }
        let expected = [
            r#"{"process":3,"type":"invoke","f":"cas","key":"key0","value":[null,"1."],"time":5}"#,
            r#"{"process":3,"type":"ok","value":false,"time":6}"#,
            r#"{"process":3,"type":"invoke","f":"read","key":"key0","value":null,"time":7}"#,
            r#"{"process":3,"type":"ok","value":null,"time":8}"#,
            r#"{"process":3,"type":"invoke","f":"delete","key":"key0","value":null,"time":9}"#,
            r#"{"process":3,"type":"info","time":10}"#,
        ];
        assert_eq!(lines(&history).collect::<Vec<String>>(), expected);
    }
}
