//! What is told of a run: as text and as a page.

mod kept;
mod page;
mod queue;
mod trace;
