//! Histories of a work queue, and what is promised of it.
//!
//! ```text
//!   workers ─▶ QueueHistory ─▶ spans      when each operation was done, at the earliest and the latest
//!                          └─▶ Story      one task, its deliveries and what was asked of them
//!                                └─▶ lease, waits, ends, keys     rules about one task
//!                                └─▶ order                        rules about what a take was given
//!                                      └─▶ Breach
//! ```
//! Each task is known by a name that its producer chose and nobody used twice. A delivery has a token, which
//! names it among the deliveries of its task, and a lease; both lie in the cluster time of what was tested,
//! whose stamps are part of some answers. An operation whose answer tells no stamp lies between the stamps that
//! were told before it was asked and after it was answered. Only what cannot be explained is a breach. The rules
//! stand with [`Rule`].

mod call;
mod ends;
mod history;
mod judge;
mod keys;
mod lease;
mod order;
mod rule;
mod spans;
mod story;
mod waits;

pub use call::{Answer, Call, Delivery, Holder, Retry, Taken, Task};
pub use history::{End, Event, Operation, QueueHistory};
pub use judge::{Promise, judge};
pub use rule::{Breach, Rule};
