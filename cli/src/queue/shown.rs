//! Tasks as people read them.

use serde_json::Value;

use crate::table::harmless;

/// How much of a payload or an error is shown in a line, in characters.
const SHOWN_MAX: usize = 60;

/// The payload as its command gets it: a text is what it says, everything else is JSON.
pub(super) fn plain(payload: &Value) -> String {
    payload.as_str().map_or_else(|| payload.to_string(), str::to_owned)
}

/// A value in a line.
pub(super) fn line(value: &Value) -> String {
    let text = harmless(&plain(value));
    if text.chars().count() <= SHOWN_MAX {
        return text;
    }
    let begin: String = text.chars().take(SHOWN_MAX).collect();
    format!("{begin}…")
}

/// A task, a line for each thing that is known of it.
pub(super) fn print(task: &Value) {
    let Some(fields) = task.as_object() else {
        return;
    };
    for (name, value) in fields {
        match value {
            Value::Null => {}
            Value::Array(attempts) => {
                for attempt in attempts {
                    let (number, end) = (&attempt["delivery"], line(&attempt["end"]));
                    println!("attempt {number}: {end} {}", line(&attempt["error"]));
                }
            }
            value => println!("{name}: {}", harmless(&plain(value))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{line, plain};
    use serde_json::json;

    #[test]
    fn a_text_is_what_it_says() {
        assert_eq!(plain(&json!("a \"b\"")), "a \"b\"");
        assert_eq!(plain(&json!({"a": 1})), "{\"a\":1}");
        assert_eq!(line(&json!("a\u{1b}[2J")), "a\\u{1b}[2J");
        assert!(line(&json!("x".repeat(99))).ends_with('…'));
    }
}
