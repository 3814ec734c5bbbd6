//! reserve, reserve-with-timeout and reserve-job.

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use queue::{Answer, Command, Query, TaskId, protocol::Reply};
use tokio::{
    net::tcp::OwnedReadHalf,
    time::{Instant, sleep, sleep_until},
};

use super::{
    client::Client,
    proposals::{is_worth_a_try, told},
};
use crate::queue::{Desk, Given, Interest, PAUSE, Terms, given};

/// So long before the time of a job is over a client is told rather than kept waiting.
const MARGIN: Duration = Duration::from_secs(1);

/// What ends a client's waiting.
enum Woken {
    Job(Given),
    Timeout,
    /// The time of a job that it holds is nearly over.
    Deadline,
    Leaving,
}

impl Client {
    /// Reserves a job of a watched tube. Nothing if the client leaves while it waits.
    pub(super) async fn reserve(
        &mut self,
        wait_s: Option<u32>,
        input: &mut OwnedReadHalf,
    ) -> io::Result<Option<Reply>> {
        self.becomes_worker();
        let mut queues = self.watched.clone();
        queues.sort();
        let interest = Arc::new(Interest { queues, kinds: Vec::new() });
        let deadline_is_soon = self.deadline_is_soon().await;
        if wait_s == Some(0) || deadline_is_soon {
            let otherwise = if deadline_is_soon { Reply::DeadlineSoon } else { Reply::TimedOut };
            return Ok(Some(self.reserve_now(&interest, otherwise).await));
        }
        let timeout = wait_s.map(|wait_s| Instant::now() + Duration::from_secs(wait_s.into()));
        self.note_waiting(true);
        let reply = self.wait(&interest, timeout, input).await;
        self.note_waiting(false);
        reply
    }

    /// Reserves a job if one is ready.
    async fn reserve_now(&mut self, interest: &Interest, otherwise: Reply) -> Reply {
        let deadline = Instant::now() + self.server.front.limits.answer_timeout;
        loop {
            match self.server.desk.take_now(interest, self.terms()).await {
                Ok(Some(given)) => return self.reserved(given),
                Ok(None) => return otherwise,
                Err(error) if is_worth_a_try(&error) && Instant::now() < deadline => {
                    sleep(PAUSE).await;
                }
                Err(error) => return told(&error),
            }
        }
    }

    /// Waits in line.
    async fn wait(
        &mut self,
        interest: &Arc<Interest>,
        timeout: Option<Instant>,
        input: &mut OwnedReadHalf,
    ) -> io::Result<Option<Reply>> {
        let desk: Arc<Desk> = Arc::clone(&self.server.desk);
        let mut line = desk.wait(interest, self.terms());
        loop {
            let soonest = self.held.values().min().map(|due| *due - MARGIN);
            let woken = tokio::select! {
                given = line.task() => Woken::Job(given),
                () = at(timeout) => Woken::Timeout,
                () = at(soonest) => Woken::Deadline,
                stays = self.hear(input) => match stays {
                    Ok(true) => continue,
                    Ok(false) | Err(_) => Woken::Leaving,
                },
            };
            let otherwise = match woken {
                Woken::Job(given) => return Ok(Some(self.reserved(given))),
                Woken::Deadline if !self.deadline_is_soon().await => continue,
                Woken::Deadline => Some(Reply::DeadlineSoon),
                Woken::Timeout => Some(Reply::TimedOut),
                Woken::Leaving => None,
            };
            // A take that is under way must end first: what it gets is the client's.
            let given = line.leave().await;
            return Ok(match (given, otherwise) {
                (Some(given), Some(_)) => Some(self.reserved(given)),
                (Some(given), None) => {
                    self.reserved(given);
                    None
                }
                (None, otherwise) => otherwise,
            });
        }
    }

    /// Reserves this job, wherever it waits.
    pub(super) async fn reserve_job(&mut self, job: u64) -> Result<Reply, Reply> {
        let holder = Some(self.holder);
        let command = Command::TakeOne { task: TaskId(job), lease_ms: None, holder };
        let ended = Box::pin(self.server.desk.submit(&command, None));
        let answered = self.patiently(&command, ended).await;
        // As in beanstalkd, only who gets a job that way works. Without an answer, perhaps it did.
        if !matches!(answered, Ok(Answer::Failed(_))) {
            self.becomes_worker();
        }
        match answered? {
            Answer::Taken { stamp, tasks } => {
                let given = given(stamp, tasks).pop().ok_or(Reply::NotFound)?;
                Ok(self.reserved(given))
            }
            Answer::Failed(_) => Err(Reply::NotFound),
            _ => Err(Reply::InternalError),
        }
    }

    fn reserved(&mut self, given: Given) -> Reply {
        let due = Instant::now() + Duration::from_millis(given.lease_ms());
        let (job, body): (u64, Bytes) = (given.task.task.0, given.task.payload);
        self.held.insert(job, due);
        Reply::Reserved(job, body)
    }

    fn terms(&self) -> Terms {
        Terms { lease_ms: None, holder: Some(self.holder) }
    }

    /// True if the time of a job that the client holds is nearly over. What it holds no longer is forgotten.
    async fn deadline_is_soon(&mut self) -> bool {
        let soon = Instant::now() + MARGIN;
        if self.held.values().all(|due| *due > soon) {
            return false;
        }
        if let Ok(reading) = self.server.desk.own_reading().await
            && let Ok(Answer::Held { tasks, .. }) =
                (Query::Held { holder: self.holder }).answer(&reading)
        {
            self.held.retain(|job, _| tasks.iter().any(|held| held.task.0 == *job));
        }
        self.held.values().any(|due| *due <= soon)
    }

    fn becomes_worker(&mut self) {
        if !self.is_worker {
            self.is_worker = true;
            self.server.census.totals().workers += 1;
        }
    }

    fn note_waiting(&self, waits: bool) {
        let change = |count: &mut u64| *count = if waits { *count + 1 } else { *count - 1 };
        let mut totals = self.server.census.totals();
        change(&mut totals.waiting);
        for tube in &self.watched {
            totals.change(tube, |of_tube| change(&mut of_tube.waiting));
        }
    }
}

async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
