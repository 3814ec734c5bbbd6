//! The same operations done to two servers, and every answer compared.
//!
//! ```text
//!   seed ── draw ──▶ operations ──▶ endpoint A ──▶ answers ─┐
//!                        │                                  ├─▶ run: same, or a difference that is known?
//!                        └────────▶ endpoint B ──▶ answers ─┘      │ neither
//!                                                                  ▼
//!                        shrink: fewer operations, on fresh servers, with the same kind of difference
//! ```

mod answer;
mod draw;
mod endpoint;
mod flaws;
mod known;
mod operation;
mod report;
mod run;
mod scenes;
mod shrink;
mod stream;
mod tests;
mod text;
