//! [`Decoder`]: from what arrives, in pieces of any size, to requests.

use bytes::{Buf, BytesMut};

use super::{
    LINE_BYTES_MAX, Mistake,
    request::{self, Job, Line, Request},
};

/// The end of a line, and of a body.
const END: &[u8] = b"\r\n";

/// Reads requests from what has arrived. It holds no more than was put into its buffer.
#[derive(Debug)]
pub struct Decoder {
    /// What has arrived and is not read yet. Whoever receives something appends it here.
    pub received: BytesMut,
    job_bytes_max: u32,
    state: State,
}

#[derive(Debug)]
enum State {
    /// A line comes.
    Line,
    /// The body of a job comes.
    Body(Job, usize),
    /// So many bytes of a body that is too long come.
    Skipping(u64),
    /// The rest of a line that is too long comes.
    LongLine,
}

impl Decoder {
    /// A decoder of a new connection, on which a job's body has `job_bytes_max` bytes at most.
    #[must_use]
    pub fn new(job_bytes_max: u32) -> Self {
        Self { received: BytesMut::new(), job_bytes_max, state: State::Line }
    }

    /// How many bytes of a body have yet to arrive.
    #[must_use]
    pub fn missing(&self) -> usize {
        match &self.state {
            State::Body(_, bytes) => (bytes + END.len()).saturating_sub(self.received.len()),
            State::Line | State::Skipping(_) | State::LongLine => 0,
        }
    }

    /// The next request; nothing if it has not arrived whole.
    pub fn next_request(&mut self) -> Option<Result<Request, Mistake>> {
        loop {
            match core::mem::replace(&mut self.state, State::Line) {
                State::Line => {
                    let line = self.line()?;
                    match line {
                        Ok(Line::Whole(request)) => return Some(Ok(request)),
                        Ok(Line::Job(job, bytes)) => self.state = self.state_of(job, bytes),
                        Err(mistake) => return Some(Err(mistake)),
                    }
                }
                State::Body(job, bytes) => return self.body(job, bytes),
                State::Skipping(left) => return self.skip(left),
                State::LongLine => return self.long_line(),
            }
        }
    }

    /// The next line; nothing if it has not arrived, or if it is too long.
    fn line(&mut self) -> Option<Result<Line, Mistake>> {
        let looked_at = &self.received[..self.received.len().min(LINE_BYTES_MAX)];
        let Some(end) = end_in(looked_at) else {
            if looked_at.len() == LINE_BYTES_MAX {
                return self.long_line().map(|mistake| mistake.map(Line::Whole));
            }
            return None;
        };
        let line = request::read(&looked_at[..end]);
        self.received.advance(end + END.len());
        Some(line)
    }

    fn state_of(&self, job: Job, bytes: u32) -> State {
        if bytes > self.job_bytes_max {
            return State::Skipping(u64::from(bytes) + END.len() as u64);
        }
        State::Body(job, usize::try_from(bytes).expect("a job's length fits in memory"))
    }

    fn body(&mut self, job: Job, bytes: usize) -> Option<Result<Request, Mistake>> {
        if self.received.len() < bytes + END.len() {
            self.state = State::Body(job, bytes);
            return None;
        }
        let body = self.received.split_to(bytes).freeze();
        let end = self.received.split_to(END.len());
        if end != END {
            return Some(Err(Mistake::ExpectedCrlf));
        }
        Some(Ok(Request::Put(Job { body, ..job })))
    }

    fn skip(&mut self, left: u64) -> Option<Result<Request, Mistake>> {
        let here = usize::try_from(left).unwrap_or(usize::MAX).min(self.received.len());
        self.received.advance(here);
        let left = left - here as u64;
        if left > 0 {
            self.state = State::Skipping(left);
            return None;
        }
        Some(Err(Mistake::JobTooBig))
    }

    /// Drops a line that is too long, up to its end.
    fn long_line(&mut self) -> Option<Result<Request, Mistake>> {
        if let Some(end) = end_in(&self.received) {
            self.received.advance(end + END.len());
            return Some(Err(Mistake::BadFormat));
        }
        // Its end may have arrived by half.
        let may_end = self.received.last() == Some(&END[0]);
        self.received.advance(self.received.len() - usize::from(may_end));
        self.state = State::LongLine;
        None
    }
}

fn end_in(bytes: &[u8]) -> Option<usize> {
    bytes.windows(END.len()).position(|pair| pair == END)
}
