//! What goes over the wire, and what JSON says of it.

#![expect(clippy::unwrap_used, reason = "a test that fails may panic")]

mod json;
mod wire;
