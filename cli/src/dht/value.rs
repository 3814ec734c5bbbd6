//! Values as people see them: a text is a string of bencode, and other bencode is shown as it is.

use dht::bencode::{self, Raw};

/// A text as a value.
pub(super) fn of_text(text: &str) -> Vec<u8> {
    let mut value = Vec::new();
    bencode::string(&mut value, text.as_bytes());
    value
}

/// The bytes to print of a value: those of a string, or the bencode itself.
pub(super) fn shown(value: &[u8]) -> &[u8] {
    Raw::parse(value).ok().and_then(Raw::as_string).unwrap_or(value)
}
