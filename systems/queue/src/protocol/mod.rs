//! The protocol of beanstalkd, version 1.12, without I/O: from bytes to requests, from replies to bytes.
//!
//! ```text
//!   bytes ─▶ Decoder ─▶ Request  or  Mistake          Reply ─▶ bytes
//!            decoder.rs  request.rs, numbers.rs        reply.rs, yaml.rs
//! ```
//! A request is a line of at most 224 bytes that ends with CR LF; only `put` is followed by a body, whose length
//! stands in the line. Requests may be sent without waiting for replies, which come in the order of the requests.
//! The source is doc/protocol.txt of beanstalkd; where it is silent, what beanstalkd 1.12 was seen to do.

mod decoder;
mod numbers;
mod reply;
mod request;
mod yaml;

pub use decoder::Decoder;
pub use reply::Reply;
pub use request::{Job, Request, VERBS, Verb};
pub use yaml::{Dictionary, list};

/// The longest line, with its end, in bytes.
pub const LINE_BYTES_MAX: usize = 224;

/// Why something is no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// The line begins with no command.
    UnknownCommand,
    /// The line is too long, or what follows the command is not as it must be.
    BadFormat,
    /// What follows the body of a job is no end of a line.
    ExpectedCrlf,
    /// The body of a job is longer than it may be.
    JobTooBig,
}
