//! A run as one page of HTML that needs nothing but itself: lanes for nodes and clients, messages as
//! arrows, faults as bands, the lines of the trace beside them.
//!
//! ```text
//!   Recorder      sees the run and keeps what the page shows          recorder
//!   data          what was kept, as JSON                              data
//!   document      the page around it                                  document, page.css, page.js
//! ```

mod data;
mod document;
mod recorder;

pub use recorder::Recorder;
