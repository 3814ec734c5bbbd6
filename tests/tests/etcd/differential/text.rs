//! Messages as short text: what `{:?}` prints, without fields that are as if they were not there, and with
//! bytes as characters.

use std::{
    fmt::Debug,
    hash::{DefaultHasher, Hash, Hasher},
};

/// Longer values are shown by their start and a hash.
const SHOWN_MAX: usize = 100;

/// The short text of a message. What is left out is zero, false or empty.
pub(crate) fn brief(message: &impl Debug) -> String {
    let long = format!("{message:?}");
    let mut reader = Reader { rest: &long };
    reader.value().unwrap_or_else(|| "nothing".to_owned())
}

/// Reads the grammar of `{:?}`: names, numbers, strings, `[...]`, `Name { field: value }` and `Name(value)`.
struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    /// The value that comes next; nothing if it is as good as absent.
    fn value(&mut self) -> Option<String> {
        if self.take("[") {
            return self.list();
        }
        let word = self.word();
        if self.take(" { ") {
            return Some(self.fields(&word));
        }
        if self.take("(") {
            let inner = self.value();
            assert!(self.take(")"), "a bracket closes before {:?}", self.rest);
            return match word.as_str() {
                "Some" => inner.or_else(|| Some("{}".to_owned())),
                _ => Some(format!("{word} {}", inner.unwrap_or_else(|| "{}".to_owned()))),
            };
        }
        let is_default = matches!(word.as_str(), "0" | "false" | "None" | "\"\"" | "b\"\"");
        (!is_default).then(|| shortened(word))
    }

    fn list(&mut self) -> Option<String> {
        let mut items = Vec::new();
        while !self.take("]") {
            items.push(self.value());
            self.take(", ");
        }
        let bytes: Option<Vec<u8>> =
            items.iter().map(|item| item.as_deref().unwrap_or("0").parse().ok()).collect();
        match bytes {
            _ if items.is_empty() => None,
            Some(bytes) => Some(format!("\"{}\"", bytes.escape_ascii())),
            None => {
                let items = items.into_iter().map(|item| item.unwrap_or_else(|| "0".to_owned()));
                Some(format!("[{}]", items.collect::<Vec<String>>().join(", ")))
            }
        }
    }

    fn fields(&mut self, name: &str) -> String {
        let mut fields = Vec::new();
        while !self.take("}") {
            let field = self.word();
            assert!(self.take(": "), "a value follows the field {field}");
            fields.extend(self.value().map(|value| format!("{field}: {value}")));
            self.take(", ");
            self.take(" ");
        }
        format!("{name} {{ {} }}", fields.join(", ")).replace("{  }", "{}")
    }

    /// A string in quotes, or what lies before the next mark.
    fn word(&mut self) -> String {
        let quoted = self.rest.strip_prefix('b').unwrap_or(self.rest).starts_with('"');
        let end = if quoted { self.end_of_string() } else { self.end_of_name() };
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word.to_owned()
    }

    fn end_of_name(&self) -> usize {
        self.rest.find([' ', ',', ':', '(', ')', '[', ']', '{', '}']).unwrap_or(self.rest.len())
    }

    fn end_of_string(&self) -> usize {
        let start = self.rest.find('"').expect("a string begins with a quotation mark") + 1;
        let mut is_escaped = false;
        for (place, character) in self.rest[start..].char_indices() {
            match character {
                '"' if !is_escaped => return start + place + 1,
                '\\' => is_escaped = !is_escaped,
                _ => is_escaped = false,
            }
        }
        self.rest.len()
    }

    fn take(&mut self, mark: &str) -> bool {
        let rest = self.rest.strip_prefix(mark);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }
}

/// A string or bytes, if not too long, and anything else as it is.
fn shortened(word: String) -> String {
    let text = word.strip_prefix('b').filter(|text| text.starts_with('"')).unwrap_or(&word);
    if text.len() <= SHOWN_MAX {
        return text.to_owned();
    }
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    let start: String = text.chars().take(SHOWN_MAX / 4).collect();
    format!("{start}...\" ({} characters, {:x})", text.len(), hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::brief;

    #[derive(Debug)]
    #[expect(dead_code, reason = "only printed")]
    struct Pair {
        key: Vec<u8>,
        version: i64,
        lease: i64,
        inner: Option<Box<Self>>,
        list: Vec<i64>,
        said: &'static str,
    }

    #[test]
    fn what_is_absent_is_left_out() {
        let inner =
            Pair { key: Vec::new(), version: 0, lease: 0, inner: None, list: vec![], said: "" };
        let pair = Pair {
            key: b"a\0".to_vec(),
            version: 2,
            lease: 0,
            inner: Some(Box::new(inner)),
            list: vec![1000, 0],
            said: "a \"b\", c",
        };
        let text = r#"Pair { key: "a\x00", version: 2, inner: Pair {}, list: [1000, 0], said: "a \"b\", c" }"#;
        assert_eq!(brief(&pair), text);
    }
}
