//! The same requests to two servers, and every reply compared.
//!
//! ```text
//!   seed ── draw ──▶ steps ──▶ endpoint A ──▶ replies ─┐
//!                      │                               ├─▶ run: the same, but for numbers and times?
//!                      └─────▶ endpoint B ──▶ replies ─┘      │ not the same
//!                                                             ▼
//!                      shrink: fewer steps, on fresh servers, that still differ
//! ```

mod draw;
mod endpoint;
mod reply;
mod run;
mod scenes;
mod shrink;
mod tests;

/// How many connections there are to each server.
const CONNECTIONS: usize = 3;

/// One step of a script. A job is written `#3`: the third that was inserted.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// Send this over a connection and read so many replies.
    Send { connection: usize, text: String, replies: usize },
    /// Send this, and read nothing yet.
    Begin { connection: usize, text: String },
    /// Read the reply to what was begun.
    End { connection: usize },
    /// Close a connection and open another one in its place.
    Close { connection: usize },
    /// Let time pass, in milliseconds.
    Wait(u64),
}

/// A request with one reply.
fn send(connection: usize, text: impl Into<String>) -> Step {
    Step::Send { connection, text: text.into(), replies: 1 }
}
