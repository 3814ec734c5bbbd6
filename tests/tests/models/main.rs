//! Small models of two rules, explored to the end: every state that can be reached within the bounds.
//! docs/proofs.md tells what they prove.
//!
//! ```text
//! cargo test -p archipel-tests --test models -- --nocapture      with counts and traces
//! ```
#![allow(missing_docs, unreachable_pub)]

mod ambiguous_tail;
mod explorer;
mod messages;
mod vote_gate;
