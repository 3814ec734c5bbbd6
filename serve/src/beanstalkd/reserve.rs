//! reserve, reserve-with-timeout and reserve-job.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use queue::{Answer, Command, Query, TaskId, protocol::Reply};
use tokio::{
    net::tcp::OwnedReadHalf,
    time::{Instant, sleep, sleep_until},
};

use super::{
    client::{Client, hear},
    proposals::{is_worth_a_try, told},
};
use crate::queue::{Desk, Given, Interest, PAUSE, Terms, Wait, given};

/// So long before the time of a job is over a client is told rather than kept waiting.
const MARGIN: Duration = Duration::from_secs(1);

/// What ends a client's waiting.
enum Woken {
    Job(Given),
    Timeout,
    /// The time of a job that it holds is nearly over.
    Deadline,
    /// It may hold a job that it was not told of.
    Doubt,
    Leaving,
}

impl Client {
    /// Reserves a job of a watched tube. Nothing if the client leaves while it waits.
    pub(super) async fn reserve(
        &mut self,
        wait_s: Option<u32>,
        input: &mut OwnedReadHalf,
    ) -> Option<Reply> {
        self.becomes_worker();
        let mut queues = self.watched.clone();
        queues.sort();
        let interest = Arc::new(Interest { queues, kinds: Vec::new() });
        if self.doubts.has_changed().unwrap_or_default()
            && let Some(reply) = self.adopt().await
        {
            return Some(reply);
        }
        let deadline_is_soon = self.deadline_is_soon().await;
        if wait_s == Some(0) || deadline_is_soon {
            let otherwise = if deadline_is_soon { Reply::DeadlineSoon } else { Reply::TimedOut };
            return Some(self.reserve_now(&interest, otherwise).await);
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
                Err(error) => {
                    self.server.desk.note_doubt(&error);
                    return told(&error);
                }
            }
        }
    }

    /// A job that a take has got for the client without anybody being told: a leader has died with the answer.
    async fn adopt(&mut self) -> Option<Reply> {
        self.doubts.mark_unchanged();
        let Ok(reading) = self.server.desk.reading().await else {
            // It is as doubtful as before, and can be seen once there is a leader.
            self.doubts.mark_changed();
            return None;
        };
        let held = (Query::Held { holder: self.holder }).answer(&reading);
        let Ok(Answer::Held { tasks: held, .. }) = held else {
            return None;
        };
        let unknown = held.iter().find(|held| !self.held.contains_key(&held.task.0))?;
        let task = unknown.task;
        let Ok(Answer::Found(details)) = (Query::Get { task }).answer(&reading) else {
            return None;
        };
        // There may be another one.
        self.doubts.mark_changed();
        let left = unknown.due.0.saturating_sub(self.server.desk.clock.now(&reading).0);
        self.held.insert(task.0, Instant::now() + Duration::from_nanos(left));
        Some(Reply::Reserved(task.0, details.payload))
    }

    /// Waits in line. Nothing if the client leaves.
    async fn wait(
        &mut self,
        interest: &Arc<Interest>,
        timeout: Option<Instant>,
        input: &mut OwnedReadHalf,
    ) -> Option<Reply> {
        let desk: Arc<Desk> = Arc::clone(&self.server.desk);
        loop {
            let mut line = desk.wait(interest, self.terms());
            let woken = self.woken(&mut line, timeout, input).await;
            let given = match woken {
                Woken::Job(given) => return Some(self.reserved(given)),
                // A take that is under way must end first: what it gets is the client's.
                _ => line.leave().await,
            };
            if let Some(given) = given {
                let reply = self.reserved(given);
                return Some(reply).filter(|_| !matches!(woken, Woken::Leaving));
            }
            match woken {
                Woken::Timeout => return Some(Reply::TimedOut),
                Woken::Deadline => return Some(Reply::DeadlineSoon),
                Woken::Leaving => return None,
                Woken::Doubt | Woken::Job(_) => match self.adopt().await {
                    Some(reply) => return Some(reply),
                    None => sleep(PAUSE).await,
                },
            }
        }
    }

    /// What ends the waiting in line.
    async fn woken(
        &mut self,
        line: &mut Wait,
        timeout: Option<Instant>,
        input: &mut OwnedReadHalf,
    ) -> Woken {
        loop {
            let soonest = self.held.values().min().map(|due| *due - MARGIN);
            tokio::select! {
                given = line.task() => return Woken::Job(given),
                () = at(timeout) => return Woken::Timeout,
                () = at(soonest) => {
                    if self.deadline_is_soon().await {
                        return Woken::Deadline;
                    }
                }
                _ = self.doubts.changed() => return Woken::Doubt,
                stays = hear(&mut self.decoder, input) => {
                    if !stays {
                        return Woken::Leaving;
                    }
                }
            }
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
