//! [`Reply`]: what a client is told.

use alloc::{string::String, vec::Vec};
use core::fmt::Write;

use bytes::Bytes;

use super::Mistake;

/// What a client is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The job was put, under this number.
    Inserted(u64),
    /// Into this tube jobs are put now.
    Using(Bytes),
    /// This job is reserved for the connection.
    Reserved(u64, Bytes),
    /// This is the job.
    Found(u64, Bytes),
    /// A job that the connection has reserved has to be finished first.
    DeadlineSoon,
    /// There was no job in time.
    TimedOut,
    /// The job is deleted.
    Deleted,
    /// There is no such job or tube, or the connection does not hold it.
    NotFound,
    /// The job was given back.
    Released,
    /// The job was put aside.
    Buried,
    /// The time of the job begins again.
    Touched,
    /// So many tubes are watched now.
    Watching(usize),
    /// The last tube cannot be ignored.
    NotIgnored,
    /// So many jobs were made ready.
    Kicked(u64),
    /// The job was made ready.
    KickedJob,
    /// The tube is paused.
    Paused,
    /// A page of YAML.
    Page(String),
    /// What was sent is no request.
    Mistake(Mistake),
    /// There is no room for the job now.
    OutOfMemory,
    /// It was not done, or nobody can say whether it was.
    InternalError,
}

impl Reply {
    /// Appends its bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Inserted(job) => line(out, format_args!("INSERTED {job}")),
            Self::Using(tube) => words(out, &[b"USING ", tube]),
            Self::Reserved(job, body) => with_body(out, format_args!("RESERVED {job}"), body),
            Self::Found(job, body) => with_body(out, format_args!("FOUND {job}"), body),
            Self::Watching(count) => line(out, format_args!("WATCHING {count}")),
            Self::Kicked(count) => line(out, format_args!("KICKED {count}")),
            Self::Page(page) => with_body(out, format_args!("OK"), page.as_bytes()),
            other => words(out, &[other.word()]),
        }
    }

    /// The only word of a reply that has no more.
    fn word(&self) -> &'static [u8] {
        match self {
            Self::DeadlineSoon => b"DEADLINE_SOON",
            Self::TimedOut => b"TIMED_OUT",
            Self::Deleted => b"DELETED",
            Self::NotFound => b"NOT_FOUND",
            Self::Released => b"RELEASED",
            Self::Buried => b"BURIED",
            Self::Touched => b"TOUCHED",
            Self::NotIgnored => b"NOT_IGNORED",
            Self::KickedJob => b"KICKED",
            Self::Paused => b"PAUSED",
            Self::OutOfMemory => b"OUT_OF_MEMORY",
            Self::InternalError => b"INTERNAL_ERROR",
            Self::Mistake(Mistake::UnknownCommand) => b"UNKNOWN_COMMAND",
            Self::Mistake(Mistake::BadFormat) => b"BAD_FORMAT",
            Self::Mistake(Mistake::ExpectedCrlf) => b"EXPECTED_CRLF",
            Self::Mistake(Mistake::JobTooBig) => b"JOB_TOO_BIG",
            other => panic!("a reply of one word: {other:?}"),
        }
    }
}

fn words(out: &mut Vec<u8>, words: &[&[u8]]) {
    words.iter().for_each(|word| out.extend_from_slice(word));
    out.extend_from_slice(b"\r\n");
}

fn line(out: &mut Vec<u8>, text: core::fmt::Arguments<'_>) {
    let mut line = String::new();
    line.write_fmt(text).expect("a string takes all text");
    words(out, &[line.as_bytes()]);
}

fn with_body(out: &mut Vec<u8>, head: core::fmt::Arguments<'_>, body: &[u8]) {
    line(out, format_args!("{head} {}", body.len()));
    words(out, &[body]);
}
