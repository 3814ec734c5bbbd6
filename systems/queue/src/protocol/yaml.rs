//! The YAML of beanstalkd's pages: a dictionary of numbers and names, or a list of names.

use alloc::string::String;
use core::fmt::{Display, Write};

use bytes::Bytes;

const HEAD: &str = "---\n";

/// A dictionary, line by line.
#[derive(Clone, Debug)]
pub struct Dictionary {
    text: String,
}

impl Default for Dictionary {
    fn default() -> Self {
        Self { text: String::from(HEAD) }
    }
}

impl Dictionary {
    /// Adds a line.
    #[must_use]
    pub fn line(mut self, name: &str, value: impl Display) -> Self {
        writeln!(self.text, "{name}: {value}").expect("a string takes all text");
        self
    }

    /// Adds a line whose value is bytes that are text in any tube's name.
    #[must_use]
    pub fn name_line(self, name: &str, value: &[u8]) -> Self {
        let value = String::from_utf8_lossy(value);
        self.line(name, value)
    }

    /// The page.
    #[must_use]
    pub fn into_page(self) -> String {
        self.text
    }
}

/// A list of names.
pub fn list<'a>(names: impl IntoIterator<Item = &'a Bytes>) -> String {
    let mut text = String::from(HEAD);
    for name in names {
        writeln!(text, "- {}", String::from_utf8_lossy(name)).expect("a string takes all text");
    }
    text
}
