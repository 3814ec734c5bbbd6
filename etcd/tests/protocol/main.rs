//! What goes over the wire, and what JSON says of it.

#![allow(clippy::unwrap_used, reason = "a test says what must be so")]

mod json;
mod wire;
