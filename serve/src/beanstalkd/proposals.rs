//! What goes through the log, together with what came before and after: put, delete, release, bury, touch and
//! kick-job; and what needs no log at all: use, watch, ignore.
//!
//! Requests are handed in in the order in which they came, so the log has them in this order. Two about one job do
//! not go together: if the first has to be tried again, the second must not overtake it.

use std::{pin::Pin, time::Duration};

use host::RequestError;
use kernel::Refusal;
use queue::{
    Answer, Claim, Command, Failure, PAYLOAD_BYTES_MAX, Put, Retry, Start, State, TaskId,
    protocol::{Job, Mistake, Reply, Request, list},
};
use tokio::time::{Instant, sleep};

use super::client::Client;
use crate::queue::{PAUSE, Unanswered};

type Ended = Pin<Box<dyn Future<Output = Result<Answer, Unanswered>> + Send + Sync>>;

/// A request that has not been replied to.
pub(super) enum Pending {
    /// The reply is known, and has its turn.
    Said(Reply),
    /// It is on its way through the log.
    Proposed(Proposal),
}

/// A request on its way through the log.
pub(super) struct Proposal {
    verb: Verb,
    command: Command,
    ended: Ended,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Put,
    Delete(u64),
    Release(u64),
    Bury(u64),
    Touch(u64),
    KickJob(u64),
}

impl Verb {
    fn job(self) -> Option<u64> {
        match self {
            Self::Put => None,
            Self::Delete(job)
            | Self::Release(job)
            | Self::Bury(job)
            | Self::Touch(job)
            | Self::KickJob(job) => Some(job),
        }
    }
}

impl Client {
    /// Begins with a request; gives it back if it has to wait until all others have ended.
    pub(super) async fn begin(&mut self, request: Request) -> Option<Request> {
        self.server.census.totals().count(request.verb());
        let claim = Claim::Holder(self.holder);
        let (verb, command) = match request {
            Request::Put(job) => (Verb::Put, self.put(job)),
            Request::Delete(job) => {
                (Verb::Delete(job), Command::Delete { task: TaskId(job), claim: Some(claim) })
            }
            Request::Release { job, priority, delay_s } => {
                let (task, priority, delay_ms) = (TaskId(job), Some(priority), ms(delay_s));
                (Verb::Release(job), Command::Release { task, claim, priority, delay_ms })
            }
            Request::Bury { job, priority } => {
                let (task, priority) = (TaskId(job), Some(priority));
                (
                    Verb::Bury(job),
                    Command::Bury { task, claim, priority, error: Default::default() },
                )
            }
            Request::Touch(job) => {
                (Verb::Touch(job), Command::Extend { task: TaskId(job), claim, lease_ms: None })
            }
            Request::KickJob(job) => (Verb::KickJob(job), Command::KickOne { task: TaskId(job) }),
            other => return self.say_at_once(other),
        };
        // Two about one job go one after the other.
        if verb.job().is_some() && self.is_under_way(verb.job()) {
            let reply = self.propose_after_all(verb, command).await;
            self.under_way.push_back(Pending::Said(reply));
            return None;
        }
        let ended = Box::pin(self.server.desk.submit(&command, None));
        self.under_way.push_back(Pending::Proposed(Proposal { verb, command, ended }));
        None
    }

    /// A job that cannot be put was meant to be.
    pub(super) fn note_mistake(&mut self, mistake: Mistake) {
        if matches!(mistake, Mistake::ExpectedCrlf | Mistake::JobTooBig) {
            self.server.census.totals().count(queue::protocol::Verb::Put);
        }
        if mistake == Mistake::ExpectedCrlf {
            self.becomes_producer();
        }
    }

    fn becomes_producer(&mut self) {
        if !self.is_producer {
            self.is_producer = true;
            self.server.census.totals().producers += 1;
        }
    }

    fn put(&mut self, job: Job) -> Command {
        self.becomes_producer();
        assert!(job.body.len() <= PAYLOAD_BYTES_MAX, "the decoder lets no longer job through");
        let start = match job.delay_s {
            0 => Start::AtOnce,
            delay_s => Start::AfterMs(ms(delay_s)),
        };
        Command::Put(Put {
            queue: self.used.clone(),
            kind: Default::default(),
            key: None,
            payload: job.body,
            priority: job.priority,
            start,
            lease_ms: Some(ms(job.lease_s)),
            retry: Some(Retry::ENDLESS),
            live_ms: None,
        })
    }

    fn is_under_way(&self, job: Option<u64>) -> bool {
        let is_same = |pending: &Pending| match pending {
            Pending::Proposed(proposal) => proposal.verb.job() == job,
            Pending::Said(_) => false,
        };
        self.under_way.iter().any(is_same)
    }

    /// Replies to what needs no log.
    fn say_at_once(&mut self, request: Request) -> Option<Request> {
        let reply = match request {
            Request::Use(tube) => {
                let mut totals = self.server.census.totals();
                totals.change(&self.used, |of_tube| of_tube.using -= 1);
                totals.change(&tube, |of_tube| of_tube.using += 1);
                self.used = tube;
                Reply::Using(self.used.clone())
            }
            Request::Watch(tube) => {
                if !self.watched.contains(&tube) {
                    self.server.census.totals().change(&tube, |of_tube| of_tube.watching += 1);
                    self.watched.push(tube);
                }
                Reply::Watching(self.watched.len())
            }
            Request::Ignore(tube) => match self.watched.iter().position(|other| *other == tube) {
                Some(_) if self.watched.len() == 1 => Reply::NotIgnored,
                Some(place) => {
                    self.server.census.totals().change(&tube, |of_tube| of_tube.watching -= 1);
                    self.watched.remove(place);
                    Reply::Watching(self.watched.len())
                }
                None => Reply::Watching(self.watched.len()),
            },
            Request::ListTubeUsed => Reply::Using(self.used.clone()),
            Request::ListTubesWatched => Reply::Page(list(&self.watched)),
            other => return Some(other),
        };
        self.under_way.push_back(Pending::Said(reply));
        None
    }

    /// Waits for all that is under way, and writes the replies in order.
    pub(super) async fn end_all(&mut self, replies: &mut Vec<u8>) {
        while let Some(pending) = self.under_way.pop_front() {
            match pending {
                Pending::Said(reply) => reply.encode(replies),
                Pending::Proposed(proposal) => self.end(proposal).await.encode(replies),
            }
        }
    }

    /// As [`Client::end_all`], but the replies stay where they are; then carries out one more.
    async fn propose_after_all(&mut self, verb: Verb, command: Command) -> Reply {
        for _ in 0..self.under_way.len() {
            let pending = self.under_way.pop_front().expect("there are as many");
            let said = match pending {
                Pending::Said(reply) => reply,
                Pending::Proposed(proposal) => self.end(proposal).await,
            };
            self.under_way.push_back(Pending::Said(said));
        }
        let ended = Box::pin(self.server.desk.submit(&command, None));
        self.end(Proposal { verb, command, ended }).await
    }

    async fn end(&mut self, proposal: Proposal) -> Reply {
        let Proposal { verb, command, ended } = proposal;
        let answer = match self.patiently(&command, ended).await {
            Ok(answer) => answer,
            Err(reply) => return reply,
        };
        self.note_held(verb, &answer);
        match (verb, answer) {
            (Verb::Put, Answer::Put { task, .. }) => Reply::Inserted(task.0),
            (Verb::Delete(_), Answer::Done) => Reply::Deleted,
            (Verb::Release(_), Answer::Now(_)) => Reply::Released,
            (Verb::Bury(_), Answer::Now(_)) => Reply::Buried,
            (Verb::Touch(_), Answer::Now(_)) => Reply::Touched,
            (Verb::KickJob(_), Answer::Now(_)) => Reply::KickedJob,
            (_, Answer::Failed(Failure::Full)) => Reply::OutOfMemory,
            (_, Answer::Failed(_)) => Reply::NotFound,
            _ => Reply::InternalError,
        }
    }

    /// What the client holds after that.
    fn note_held(&mut self, verb: Verb, answer: &Answer) {
        match (verb, answer) {
            (Verb::Touch(job), Answer::Now(State::Reserved { lease_ms, .. })) => {
                self.held.insert(job, Instant::now() + Duration::from_millis(*lease_ms));
            }
            (Verb::Put | Verb::KickJob(_), _) => {}
            (Verb::Delete(job) | Verb::Release(job) | Verb::Bury(job) | Verb::Touch(job), _) => {
                self.held.remove(&job);
            }
        }
    }

    /// Waits for an answer; while there is no leader, tries again for as long as any request may take.
    pub(super) async fn patiently(&self, command: &Command, ended: Ended) -> Result<Answer, Reply> {
        let deadline = Instant::now() + self.server.front.limits.answer_timeout;
        let mut answered = ended.await;
        loop {
            match answered {
                Ok(answer) => return Ok(answer),
                Err(error) if is_worth_a_try(&error) && Instant::now() < deadline => {
                    sleep(PAUSE).await;
                    answered = self.server.desk.submit(command, None).await;
                }
                Err(error) => {
                    self.server.desk.note_doubt(&error);
                    return Err(told(&error));
                }
            }
        }
    }
}

/// True if it was not done, and may be soon.
pub(super) fn is_worth_a_try(error: &Unanswered) -> bool {
    let Unanswered::Ended(RequestError::Refused(refusal)) = error else {
        return false;
    };
    matches!(
        refusal,
        Refusal::NoLeader | Refusal::LeadershipLost | Refusal::Busy | Refusal::Transferring
    )
}

/// What the client is told of a request that has no answer.
pub(super) fn told(error: &Unanswered) -> Reply {
    match error {
        Unanswered::Ended(RequestError::Refused(Refusal::DiskFull)) => Reply::OutOfMemory,
        Unanswered::Ended(_) => Reply::InternalError,
        Unanswered::Broken(fault) => {
            tracing::error!("A request failed: {fault}.");
            Reply::InternalError
        }
    }
}

/// Seconds in milliseconds.
pub(super) fn ms(seconds: u32) -> u64 {
    u64::from(seconds) * 1000
}
