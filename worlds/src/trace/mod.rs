//! A run as text, in the format of the golden scripts, with the virtual time in milliseconds in front.
//!
//! ```text
//!   1204.417  2 ← 1 Append@4 after 2@2 [3@4:key1=17.] commit 0      an input, and under it what the node says
//!                 writes #4: 3@4:key1=17.
//!                 → 1 AppendReply@4 matched 3 (once #4)
//!   1206.010  fault 7: isolation of 1 2 3 (1 ↛ 2 3, 2 ↛ 1, 3 ↛ 1)
//!   1207.003  1 → 2 Heartbeat@4 round 9 commit 0 (cut)               a message that does not get there
//!   1210.800  client 2 asks 1: key1 read
//! ```
//! Inputs that only tell a node that time has passed, or that something it wanted is done, stand here
//! only if it says something then.

use std::{
    fmt::{self, Write},
    io,
};

use sim::{Happening, Witness};

pub(crate) use lines::without_padding;
pub use lines::{Lane, Line, Lines};

mod lines;

/// Writes what happens, line by line.
pub struct Text {
    out: Box<dyn Write>,
    lines: Lines,
}

impl Text {
    /// Writes to `out`. What cannot be written is dropped: whoever watches a run must not change it.
    #[must_use]
    pub fn new(out: Box<dyn Write>) -> Self {
        Self { out, lines: Lines::default() }
    }

    /// Writes to a file or a stream, which should be buffered.
    #[must_use]
    pub fn to_stream(out: Box<dyn io::Write>) -> Self {
        Self::new(Box::new(Bytes(out)))
    }
}

/// What a panic cut short is written too.
impl Drop for Text {
    fn drop(&mut self) {
        for line in self.lines.rest() {
            let _ = writeln!(self.out, "{line}");
        }
    }
}

/// A stream of bytes that takes text.
struct Bytes(Box<dyn io::Write>);

impl Write for Bytes {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write_all(text.as_bytes()).map_err(|_| fmt::Error)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Text")
    }
}

impl Witness for Text {
    fn see(&mut self, at_ns: u64, happening: &Happening) {
        for line in self.lines.see(at_ns, happening) {
            let _ = writeln!(self.out, "{line}");
        }
    }
}
