//! [`Request`]: what a line asks for.

use bytes::Bytes;

use super::{
    Mistake,
    numbers::{Words, low_bits},
};
use crate::NAME_BYTES_MAX;

/// What names a request in a line, in the order in which beanstalkd compares: an earlier one hides a later one that
/// begins with it. A request with arguments has a space behind its name.
pub const VERBS: [(&str, Verb); 26] = [
    ("put ", Verb::Put),
    ("peek ", Verb::Peek),
    ("peek-ready", Verb::PeekReady),
    ("peek-delayed", Verb::PeekDelayed),
    ("peek-buried", Verb::PeekBuried),
    ("reserve-with-timeout ", Verb::ReserveWithTimeout),
    ("reserve-job ", Verb::ReserveJob),
    ("reserve", Verb::Reserve),
    ("delete ", Verb::Delete),
    ("release ", Verb::Release),
    ("bury ", Verb::Bury),
    ("kick ", Verb::Kick),
    ("kick-job ", Verb::KickJob),
    ("touch ", Verb::Touch),
    ("stats-job ", Verb::StatsJob),
    ("stats-tube ", Verb::StatsTube),
    ("stats", Verb::Stats),
    ("use ", Verb::Use),
    ("watch ", Verb::Watch),
    ("ignore ", Verb::Ignore),
    ("list-tubes-watched", Verb::ListTubesWatched),
    ("list-tube-used", Verb::ListTubeUsed),
    ("list-tubes", Verb::ListTubes),
    ("quit", Verb::Quit),
    ("pause-tube", Verb::PauseTube),
    // Not of beanstalkd, and never reached: so that the table has a row for each verb.
    ("", Verb::Unknown),
];

/// The kinds of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Verb {
    Put,
    Peek,
    PeekReady,
    PeekDelayed,
    PeekBuried,
    Reserve,
    ReserveWithTimeout,
    ReserveJob,
    Delete,
    Release,
    Bury,
    Kick,
    KickJob,
    Touch,
    StatsJob,
    StatsTube,
    Stats,
    Use,
    Watch,
    Ignore,
    ListTubesWatched,
    ListTubeUsed,
    ListTubes,
    Quit,
    PauseTube,
    Unknown,
}

/// A job to put; its body follows the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// What is smaller is served earlier.
    pub priority: u32,
    /// How long it waits before it is ready, in seconds.
    pub delay_s: u32,
    /// How long a worker may take, in seconds; at least 1.
    pub lease_s: u32,
    /// What it is about.
    pub body: Bytes,
}

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Put a job into the tube in use.
    Put(Job),
    /// Put into this tube from now on.
    Use(Bytes),
    /// Reserve a job of a watched tube.
    Reserve {
        /// How long to wait for one, in seconds; nothing for as long as it takes.
        wait_s: Option<u32>,
    },
    /// Reserve this job.
    ReserveJob(u64),
    /// Delete a job.
    Delete(u64),
    /// Give a job back.
    Release {
        /// The job.
        job: u64,
        /// Its priority from now on.
        priority: u32,
        /// How long it waits before it is ready, in seconds.
        delay_s: u32,
    },
    /// Put a job aside.
    Bury {
        /// The job.
        job: u64,
        /// Its priority from now on.
        priority: u32,
    },
    /// Let the time of a reserved job begin again.
    Touch(u64),
    /// Reserve from this tube too.
    Watch(Bytes),
    /// Reserve from this tube no longer.
    Ignore(Bytes),
    /// Show a job.
    Peek(u64),
    /// Show the next ready job of the tube in use.
    PeekReady,
    /// Show its delayed job whose time comes first.
    PeekDelayed,
    /// Show its job that was buried first.
    PeekBuried,
    /// Make so many jobs of the tube in use ready that were buried, or if there are none, delayed.
    Kick(u32),
    /// Make a buried or delayed job ready.
    KickJob(u64),
    /// Tell about a job.
    StatsJob(u64),
    /// Tell about a tube.
    StatsTube(Bytes),
    /// Tell about the server.
    Stats,
    /// Name all tubes.
    ListTubes,
    /// Name the tube in use.
    ListTubeUsed,
    /// Name the watched tubes.
    ListTubesWatched,
    /// Reserve nothing from a tube for a while.
    PauseTube {
        /// The tube.
        tube: Bytes,
        /// For how long, in seconds.
        pause_s: u32,
    },
    /// Leave.
    Quit,
}

/// What a line is.
pub(super) enum Line {
    /// A whole request.
    Whole(Request),
    /// A job whose body of so many bytes follows.
    Job(Job, u32),
}

/// Reads a line without its end.
pub(super) fn read(line: &[u8]) -> Result<Line, Mistake> {
    if line.contains(&0) {
        return Err(Mistake::BadFormat);
    }
    let begins = |(name, _): &&(&str, Verb)| line.starts_with(name.as_bytes());
    let (name, verb) = VERBS.iter().find(begins).expect("every line begins with nothing");
    let words = Words(&line[name.len()..]);
    if *verb == Verb::Put {
        return read_job(words);
    }
    whole(*verb, words).map(Line::Whole)
}

fn whole(verb: Verb, mut words: Words<'_>) -> Result<Request, Mistake> {
    let request = match verb {
        Verb::Use => return tube(words).map(Request::Use),
        Verb::Watch => return tube(words).map(Request::Watch),
        Verb::Ignore => return tube(words).map(Request::Ignore),
        Verb::StatsTube => return tube(words).map(Request::StatsTube),
        Verb::ReserveWithTimeout => return patience(words),
        Verb::Kick => return kick(words),
        // Whatever follows it.
        Verb::Quit => return Ok(Request::Quit),
        Verb::Unknown | Verb::Put => return Err(Mistake::UnknownCommand),
        Verb::ReserveJob => Request::ReserveJob(words.number(u64::MAX)?),
        Verb::Delete => Request::Delete(words.number(u64::MAX)?),
        Verb::Touch => Request::Touch(words.number(u64::MAX)?),
        Verb::Peek => Request::Peek(words.number(u64::MAX)?),
        Verb::KickJob => Request::KickJob(words.number(u64::MAX)?),
        Verb::StatsJob => Request::StatsJob(words.number(u64::MAX)?),
        Verb::Release => Request::Release {
            job: words.number(u64::MAX)?,
            priority: words.number_u32()?,
            delay_s: words.number_u32()?,
        },
        Verb::Bury => Request::Bury { job: words.number(u64::MAX)?, priority: words.number_u32()? },
        Verb::PauseTube => pause(&mut words)?,
        Verb::Reserve => Request::Reserve { wait_s: None },
        Verb::PeekReady => Request::PeekReady,
        Verb::PeekDelayed => Request::PeekDelayed,
        Verb::PeekBuried => Request::PeekBuried,
        Verb::Stats => Request::Stats,
        Verb::ListTubes => Request::ListTubes,
        Verb::ListTubeUsed => Request::ListTubeUsed,
        Verb::ListTubesWatched => Request::ListTubesWatched,
    };
    words.end()?;
    Ok(request)
}

fn read_job(mut words: Words<'_>) -> Result<Line, Mistake> {
    let job = Job {
        priority: words.number_u32()?,
        delay_s: words.number_u32()?,
        lease_s: words.number_u32()?.max(1),
        body: Bytes::new(),
    };
    let bytes = words.number_u32()?;
    words.end()?;
    Ok(Line::Job(job, bytes))
}

/// `reserve-with-timeout`: what is no number is 0, and what is below 0 waits for ever.
fn patience(mut words: Words<'_>) -> Result<Request, Mistake> {
    let number = words.signed()?.unwrap_or(0);
    i64::try_from(number).map_err(|_| Mistake::BadFormat)?;
    let wait_s = Some(low_bits(number)).filter(|wait_s| *wait_s < 1 << 31);
    Ok(Request::Reserve { wait_s })
}

fn kick(mut words: Words<'_>) -> Result<Request, Mistake> {
    let number = words.signed()?.ok_or(Mistake::BadFormat)?;
    Ok(Request::Kick(low_bits(number)))
}

fn pause(words: &mut Words<'_>) -> Result<Request, Mistake> {
    words.skip(|byte| byte == b' ');
    let name = words.span(is_of_name);
    let pause_s = words.number_u32()?;
    Ok(Request::PauseTube { tube: checked(name)?, pause_s })
}

fn tube(words: Words<'_>) -> Result<Bytes, Mistake> {
    checked(words.0)
}

/// A name that a tube may have.
fn checked(name: &[u8]) -> Result<Bytes, Mistake> {
    let is_name = !name.is_empty()
        && name.len() <= NAME_BYTES_MAX
        && name[0] != b'-'
        && name.iter().all(|byte| is_of_name(*byte));
    if is_name { Ok(Bytes::copy_from_slice(name)) } else { Err(Mistake::BadFormat) }
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-+/;.$_()".contains(&byte)
}

impl Request {
    /// Its kind.
    #[must_use]
    pub const fn verb(&self) -> Verb {
        match self {
            Self::Put(_) => Verb::Put,
            Self::Use(_) => Verb::Use,
            Self::Reserve { wait_s: None } => Verb::Reserve,
            Self::Reserve { wait_s: Some(_) } => Verb::ReserveWithTimeout,
            Self::ReserveJob(_) => Verb::ReserveJob,
            Self::Delete(_) => Verb::Delete,
            Self::Release { .. } => Verb::Release,
            Self::Bury { .. } => Verb::Bury,
            Self::Touch(_) => Verb::Touch,
            Self::Watch(_) => Verb::Watch,
            Self::Ignore(_) => Verb::Ignore,
            Self::Peek(_) => Verb::Peek,
            Self::PeekReady => Verb::PeekReady,
            Self::PeekDelayed => Verb::PeekDelayed,
            Self::PeekBuried => Verb::PeekBuried,
            Self::Kick(_) => Verb::Kick,
            Self::KickJob(_) => Verb::KickJob,
            Self::StatsJob(_) => Verb::StatsJob,
            Self::StatsTube(_) => Verb::StatsTube,
            Self::Stats => Verb::Stats,
            Self::ListTubes => Verb::ListTubes,
            Self::ListTubeUsed => Verb::ListTubeUsed,
            Self::ListTubesWatched => Verb::ListTubesWatched,
            Self::PauseTube { .. } => Verb::PauseTube,
            Self::Quit => Verb::Quit,
        }
    }
}
