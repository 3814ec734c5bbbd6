//! The judge of work queues: what an honest queue does is never a breach, and each kind of dishonesty is found.

mod dishonest;
mod rules;
mod script;
#[path = "../support/mod.rs"]
mod support;
