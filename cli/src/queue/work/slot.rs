//! [`Slot`]: one of the places in which commands run.

use std::{
    cell::Cell,
    rc::Rc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{sync::watch, time::sleep};

use super::{
    Tally, WorkOptions,
    command::{Ended, Running},
    lease,
    queue::{Queue, Task},
};
use crate::{
    client::Reply,
    exit::{Exit, Outcome},
};

/// How long to wait before asking again when no node answers.
const PAUSE: Duration = Duration::from_millis(500);

/// How far the worker is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It takes tasks.
    Work,
    /// It takes none any more, and waits for the commands that run.
    Finish,
    /// It ends the commands that run, and gives their tasks back.
    Abandon,
}

impl Stage {
    /// What follows when the user asks to stop.
    pub(super) const fn after_ctrl_c(self) -> Self {
        match self {
            Self::Work => Self::Finish,
            Self::Finish | Self::Abandon => Self::Abandon,
        }
    }

    /// What the user is told.
    pub(super) const fn sentence(self) -> &'static str {
        match self {
            Self::Work => "Working.",
            Self::Finish => {
                "Stopping once the commands that run have ended; Ctrl-C again ends them now."
            }
            Self::Abandon => "Ending the commands; their tasks are given back.",
        }
    }
}

/// One of the places in which commands run.
pub(super) struct Slot {
    number: u16,
    options: WorkOptions,
    queue: Rc<Queue>,
    tally: Rc<Tally>,
    stage: watch::Receiver<Stage>,
}

impl Slot {
    pub(super) fn new(
        number: u16,
        options: WorkOptions,
        queue: Rc<Queue>,
        tally: Rc<Tally>,
        stage: watch::Receiver<Stage>,
    ) -> Self {
        Self { number, options, queue, tally, stage }
    }

    /// Takes and does tasks until the worker stops, or until there are none left and that is what was wanted.
    pub(super) async fn run(&mut self) -> Outcome<()> {
        while *self.stage.borrow() == Stage::Work {
            let (queue, drain) = (Rc::clone(&self.queue), self.options.drain);
            let taken = tokio::select! {
                taken = queue.take(drain) => taken,
                // The node sees that nobody waits any more, and gives back what it takes.
                () = reached(&mut self.stage, Stage::Finish) => return Ok(()),
            };
            match taken {
                Ok(Some(task)) => self.perform(&task).await?,
                Ok(None) if drain => return Ok(()),
                Ok(None) => {}
                Err(failure) if failure.exit == Exit::Unavailable => sleep(PAUSE).await,
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }

    async fn perform(&mut self, task: &Task) -> Outcome<()> {
        let start = Instant::now();
        let mut running = Running::start(&self.options.exec, task)?;
        let queue = Rc::clone(&self.queue);
        let ended = tokio::select! {
            ended = running.end() => Some(ended),
            () = lease::keep(&queue, task) => None,
            () = reached(&mut self.stage, Stage::Abandon) => {
                running.kill().await;
                // If that cannot be said, the lease ends by itself.
                let _ = queue.release(task).await;
                return Ok(());
            }
        };
        let told = match ended {
            None => {
                running.kill().await;
                None
            }
            Some(Ended::Well(result)) => {
                let reply = self.queue.complete(task, result).await.ok();
                done(reply).map(|body| (&self.tally.completed, body))
            }
            Some(Ended::Badly(error)) => {
                let reply = self.queue.fail(task, &error).await.ok();
                done(reply).map(|body| (&self.tally.failed, with_error(body, &error)))
            }
        };
        let (count, body) = told
            .unwrap_or_else(|| (&self.tally.lost, json!({ "taskId": task.id, "status": "lost" })));
        count.set(count.get() + 1);
        self.tell(count, body, start.elapsed());
        Ok(())
    }

    /// Says how a task ended, if that is worth a line.
    fn tell(&self, count: &Cell<usize>, mut body: Value, took: Duration) {
        if self.options.cluster.json {
            body["slot"] = Value::from(self.number);
            body["tookMs"] = Value::from(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
            println!("{body}");
        } else if !std::ptr::eq(count, &self.tally.completed) {
            let task = body["taskId"].as_str().unwrap_or_default();
            let error = body["error"].as_str().unwrap_or("somebody else has it now, or had");
            eprintln!("\rTask {task}: {}.", crate::table::harmless(error));
        }
    }
}

/// What the cluster says of an end that it took. If nobody answers for long, the lease ends and the task is tried
/// again: it is as lost as one that somebody else has.
fn done(reply: Option<Reply>) -> Option<Value> {
    reply.filter(|reply| reply.status == 200).map(|reply| reply.body)
}

fn with_error(mut body: Value, error: &str) -> Value {
    if let Some(object) = body.as_object_mut() {
        object.insert("error".to_owned(), error.into());
    }
    body
}

/// Waits until the worker is so far.
async fn reached(stage: &mut watch::Receiver<Stage>, wanted: Stage) {
    let is_reached = |stage: &Stage| *stage == wanted || *stage == Stage::Abandon;
    if stage.wait_for(is_reached).await.is_err() {
        std::future::pending::<()>().await;
    }
}
