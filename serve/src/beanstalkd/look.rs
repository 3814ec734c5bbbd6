//! What is read, peek, stats and lists; and what changes many jobs or a tube, kick and pause-tube.

use bytes::Bytes;
use kernel::Reading;
use queue::{
    AT_ONCE_MAX, Answer, Command, Details, Query, Report, Sleepers, Standing, TaskId,
    protocol::{Reply, Request, list},
};
use tokio::time::{Instant, sleep};

use super::{
    DEFAULT_TUBE,
    client::Client,
    pages,
    proposals::{is_worth_a_try, ms, told},
};
use crate::queue::PAUSE;

impl Client {
    /// Replies to what is only read.
    pub(super) async fn look(&self, request: Request) -> Result<Reply, Reply> {
        let reading = self.reading().await?;
        let first = |standing| Query::First { queue: self.used.clone(), standing };
        match request {
            Request::Peek(job) => peek(reading, Query::Get { task: TaskId(job) }).await,
            Request::PeekReady => peek(reading, first(Standing::Ready)).await,
            Request::PeekDelayed => peek(reading, first(Standing::Delayed)).await,
            Request::PeekBuried => peek(reading, first(Standing::Buried)).await,
            Request::StatsJob(job) => {
                let now = self.server.desk.clock.now(&reading);
                let details = find(reading, Query::Get { task: TaskId(job) }).await?;
                Ok(Reply::Page(pages::of_job(&details, now)))
            }
            Request::StatsTube(tube) => self.stats_tube(reading, tube).await,
            Request::Stats => {
                let tubes = self.tubes(reading.clone()).await?.len();
                match ask(reading, Query::Totals).await? {
                    Answer::Totals { counts, .. } => {
                        Ok(Reply::Page(pages::of_server(&self.server, &counts, tubes)))
                    }
                    _ => Err(Reply::InternalError),
                }
            }
            Request::ListTubes => Ok(Reply::Page(list(&self.tubes(reading).await?))),
            // All others are replied to elsewhere.
            _ => Err(Reply::InternalError),
        }
    }

    /// Makes jobs of the tube in use ready, some at a time.
    pub(super) async fn kick(&self, count: u32) -> Result<Reply, Reply> {
        let (mut left, mut kicked, mut sleepers) = (count, 0, Sleepers::Any);
        while left > 0 {
            let asked = left.min(AT_ONCE_MAX);
            let command = Command::Kick { queue: self.used.clone(), sleepers, count: asked };
            match self.carry_out(&command).await? {
                Answer::Kicked { sleepers: which, count } => {
                    (left, kicked, sleepers) = (left - count, kicked + u64::from(count), which);
                    if count < asked {
                        break;
                    }
                }
                _ => return Err(Reply::InternalError),
            }
        }
        Ok(Reply::Kicked(kicked))
    }

    /// Lets nothing be reserved from a tube for a while.
    pub(super) async fn pause(&self, tube: Bytes, pause_s: u32) -> Result<Reply, Reply> {
        let reading = self.reading().await?;
        self.report(reading, &tube).await?.ok_or(Reply::NotFound)?;
        match self.carry_out(&Command::Pause { queue: tube, for_ms: Some(ms(pause_s)) }).await? {
            Answer::Done => Ok(Reply::Paused),
            _ => Err(Reply::InternalError),
        }
    }

    async fn stats_tube(&self, reading: Reading, tube: Bytes) -> Result<Reply, Reply> {
        let now = self.server.desk.clock.now(&reading);
        let report = self.report(reading, &tube).await?.ok_or(Reply::NotFound)?;
        let clients = self.server.census.of_tube(&tube).unwrap_or_default();
        Ok(Reply::Page(pages::of_tube(&report, clients, now)))
    }

    /// What is known of a tube; nothing if it has no jobs and nobody here has to do with it.
    async fn report(&self, reading: Reading, tube: &Bytes) -> Result<Option<Report>, Reply> {
        let stamp = reading.meta().stamp;
        let is_known_here = tube == DEFAULT_TUBE || self.server.census.of_tube(tube).is_some();
        match ask(reading, Query::Queue { queue: tube.clone() }).await? {
            Answer::Queue(report) if is_known_here || has_jobs(&report) => Ok(Some(report)),
            Answer::Missing if is_known_here => Ok(Some(Report {
                queue: tube.clone(),
                stamp,
                counts: Default::default(),
                settings: Default::default(),
                paused_until: None,
            })),
            Answer::Queue(_) | Answer::Missing => Ok(None),
            _ => Err(Reply::InternalError),
        }
    }

    /// The names of all tubes: of those with jobs, and of those with which clients of this node have to do.
    async fn tubes(&self, reading: Reading) -> Result<Vec<Bytes>, Reply> {
        let mut tubes: Vec<Bytes> = self.server.census.totals().tubes.keys().cloned().collect();
        tubes.push(Bytes::from_static(DEFAULT_TUBE));
        let read = tokio::task::spawn_blocking(move || tubes_with_jobs(&reading));
        tubes.extend(read.await.expect("a read does not panic")?);
        tubes.sort();
        tubes.dedup();
        Ok(tubes)
    }

    /// A moment at which all that was replied before is there.
    async fn reading(&self) -> Result<Reading, Reply> {
        let deadline = Instant::now() + self.server.front.limits.answer_timeout;
        loop {
            match self.server.desk.reading().await {
                Ok(reading) => return Ok(reading),
                Err(error) if is_worth_a_try(&error) && Instant::now() < deadline => {
                    sleep(PAUSE).await;
                }
                Err(error) => return Err(told(&error)),
            }
        }
    }

    async fn carry_out(&self, command: &Command) -> Result<Answer, Reply> {
        let ended = Box::pin(self.server.desk.submit(command, None));
        self.patiently(command, ended).await
    }
}

async fn peek(reading: Reading, query: Query) -> Result<Reply, Reply> {
    let details = find(reading, query).await?;
    Ok(Reply::Found(details.id.0, details.payload))
}

/// A job. What is over is none any more.
async fn find(reading: Reading, query: Query) -> Result<Box<Details>, Reply> {
    match ask(reading, query).await? {
        Answer::Found(details) if !details.task.state.is_final() => Ok(details),
        Answer::Found(_) | Answer::Missing => Err(Reply::NotFound),
        _ => Err(Reply::InternalError),
    }
}

/// Asks aside: it may touch the disk.
async fn ask(reading: Reading, query: Query) -> Result<Answer, Reply> {
    let asked = tokio::task::spawn_blocking(move || answer(&reading, &query));
    asked.await.expect("a read does not panic")
}

fn answer(reading: &Reading, query: &Query) -> Result<Answer, Reply> {
    query.answer(reading).map_err(|fault| {
        tracing::error!("A read failed: {fault}.");
        Reply::InternalError
    })
}

fn tubes_with_jobs(reading: &Reading) -> Result<Vec<Bytes>, Reply> {
    let (mut tubes, mut after) = (Vec::new(), None);
    loop {
        let Answer::Names { names, more } = answer(reading, &Query::Queues { after, limit: 0 })?
        else {
            return Err(Reply::InternalError);
        };
        after = names.last().cloned();
        for queue in names {
            match answer(reading, &Query::Queue { queue: queue.clone() })? {
                Answer::Queue(report) if has_jobs(&report) => tubes.push(queue),
                _ => {}
            }
        }
        if !more {
            return Ok(tubes);
        }
    }
}

const fn has_jobs(report: &Report) -> bool {
    report.counts.length() + report.counts.buried > 0
}
