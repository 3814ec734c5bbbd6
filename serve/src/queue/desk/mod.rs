//! [`Desk`]: one node's side of the work queue. Commands and reads go over it, and consumers wait at it.
//!
//! The state machine has nobody who waits: the desk keeps consumers in memory, looks after entries were applied
//! whether something is ready for them, and takes on their behalf. A consumer who has left gets nothing: what was
//! taken for it goes back.

mod clock;
mod lines;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use host::RequestError;
use kernel::{Fault, Reading, Session, Stamp, Wire};
use queue::{Answer, Claim, Command, Holder, Query, Take, Taken};
use raft::Request;
use tokio::{
    sync::{Notify, oneshot, watch},
    time::sleep,
};

use crate::front::Node;
use clock::ClusterClock;
use lines::{Ask, Lines, Turn};

pub(crate) use lines::{Given, Interest, Terms};

/// How long to wait before something is tried again that was refused.
pub(crate) const PAUSE: Duration = Duration::from_millis(50);

/// How long one node lets another one go first: a take is applied everywhere by then, mostly.
const TURN: Duration = Duration::from_millis(3);

/// One node's side of the work queue.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) node: Node,
    pub(crate) clock: ClusterClock,
    lines: Mutex<Lines>,
    /// Somebody may have to be asked for, though nothing was applied.
    look: Notify,
    connections: AtomicU64,
    /// How many takes for connections have ended so that nobody can say whether they got something.
    doubts: watch::Sender<u64>,
}

/// Why there is no answer of the state machine.
#[derive(Debug)]
pub(crate) enum Unanswered {
    /// The request did not end with one.
    Ended(RequestError),
    /// This node is damaged.
    Broken(Fault),
}

impl Desk {
    /// The desk of `node`, which works as long as the node runs.
    pub(crate) fn start(node: Node) -> Arc<Self> {
        let desk = Arc::new(Self {
            node,
            clock: ClusterClock::new(),
            lines: Mutex::default(),
            look: Notify::new(),
            connections: AtomicU64::new(0),
            doubts: watch::Sender::new(0),
        });
        tokio::spawn(Arc::clone(&desk).run());
        tokio::spawn(Arc::clone(&desk).let_earlier_lives_go());
        desk
    }

    /// A holder that no other connection is, in this life of this node or another.
    pub(crate) fn new_holder(&self) -> Holder {
        let me = self.node.me();
        let connection = self.connections.fetch_add(1, Ordering::Relaxed) + 1;
        Holder { node: me.node, incarnation: me.incarnation, connection }
    }

    /// Changes whenever it is doubtful what a connection holds: a take may have got something, and nobody was told.
    pub(crate) fn doubts(&self) -> watch::Receiver<u64> {
        self.doubts.subscribe()
    }

    /// Notes that a request of a connection may have got it something.
    pub(crate) fn note_doubt(&self, error: &Unanswered) {
        if matches!(error, Unanswered::Ended(RequestError::Unknown)) {
            self.doubts.send_modify(|doubts| *doubts += 1);
        }
    }

    /// Puts a command through the log. It is handed in when this is called: commands of one caller are carried out
    /// in the order of the calls, unless one is refused.
    pub(crate) fn submit(
        &self,
        command: &Command,
        session: Option<Session>,
    ) -> impl Future<Output = Result<Answer, Unanswered>> + Send + use<> {
        let ended = self.node.submit(Request::Command { data: command.to_bytes(), session });
        async move {
            let answer = ended.await.map_err(Unanswered::Ended)?;
            Answer::from_bytes(answer).map_err(|error| {
                let what = format!("the queue's answer cannot be read: {error}");
                Unanswered::Broken(Fault::Corrupt(what))
            })
        }
    }

    /// A moment at which all that was acknowledged before is there.
    pub(crate) async fn reading(&self) -> Result<Reading, Unanswered> {
        self.node.read(Request::Read).await.map_err(Unanswered::Ended)
    }

    /// A moment of what this node has applied: at least all that it has answered.
    pub(crate) async fn own_reading(&self) -> Result<Reading, Unanswered> {
        self.node.stale().await.map_err(Unanswered::Ended)
    }

    /// Takes a task if one is ready now. That there is none costs no entry of the log.
    pub(crate) async fn take_now(
        &self,
        interest: &Interest,
        terms: Terms,
    ) -> Result<Option<Given>, Unanswered> {
        let is_seen = is_ready(&self.own_reading().await?, interest)?;
        if !is_seen && !is_ready(&self.reading().await?, interest)? {
            return Ok(None);
        }
        Ok(self.take(interest, terms, 1).await?.pop())
    }

    /// Lets somebody wait for a task.
    pub(crate) fn wait(self: &Arc<Self>, interest: &Arc<Interest>, terms: Terms) -> Wait {
        let (number, task) = self.lines().join(interest, terms);
        self.look.notify_one();
        Wait { desk: Arc::clone(self), interest: Arc::clone(interest), number, task }
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        self.lines().count()
    }

    async fn take(
        &self,
        interest: &Interest,
        terms: Terms,
        count: usize,
    ) -> Result<Vec<Given>, Unanswered> {
        let command = Command::Take(Take {
            queues: interest.queues.clone(),
            kinds: interest.kinds.clone(),
            count: u32::try_from(count).expect("a line's window is small"),
            lease_ms: terms.lease_ms,
            holder: terms.holder,
        });
        match self.submit(&command, None).await? {
            Answer::Taken { stamp, tasks } => Ok(given(stamp, tasks)),
            answer => Err(not_asked_for(&answer)),
        }
    }

    async fn run(self: Arc<Self>) {
        let mut applied = self.node.applied();
        loop {
            tokio::select! {
                changed = applied.changed() => match changed {
                    Ok(()) => self.clock.note(*applied.borrow_and_update()),
                    Err(_) => return,
                },
                () = self.look.notified() => {}
            }
            if let Err(Unanswered::Broken(fault)) = self.serve_lines().await {
                tracing::error!("Consumers cannot be told what is ready: {fault}.");
                return;
            }
        }
    }

    /// Asks for those who wait for something that is ready.
    async fn serve_lines(self: &Arc<Self>) -> Result<(), Unanswered> {
        let wanted = self.lines().wanted();
        if wanted.is_empty() {
            return Ok(());
        }
        let reading = self.own_reading().await.inspect_err(|_| self.look_later())?;
        for interest in wanted {
            if !is_ready(&reading, &interest)? {
                self.lines().calm(&interest);
                continue;
            }
            let turn = self.turn(&reading);
            let turn = self.lines().turn_of(&interest, turn, Instant::now());
            match turn {
                Turn::Now => {}
                Turn::In(wait) => {
                    self.look_in(wait);
                    continue;
                }
                Turn::NotYet => continue,
            }
            let asks = self.lines().ask(&interest);
            for ask in asks {
                tokio::spawn(Arc::clone(self).take_for(Arc::clone(&interest), ask));
            }
        }
        Ok(())
    }

    /// In how long this node's turn comes to ask for what is ready. The members take turns at being first, so that they
    /// seldom ask for the same task.
    fn turn(&self, reading: &Reading) -> Duration {
        let meta = reading.meta();
        let (me, members) = (self.node.me().node, &meta.membership.members);
        let place = members.keys().take_while(|node| **node < me).count() as u64;
        let members = members.len().max(1) as u64;
        let rank = (place + meta.applied.index.0) % members;
        TURN * u32::try_from(rank).unwrap_or(u32::MAX)
    }

    /// Takes on behalf of some who wait.
    async fn take_for(self: Arc<Self>, interest: Arc<Interest>, ask: Ask) {
        let taken = self.take(&interest, ask.terms, ask.numbers.len()).await;
        let is_refused = taken.is_err();
        if let (Err(error), Some(_)) = (&taken, ask.terms.holder) {
            self.note_doubt(error);
        }
        let unwanted = self.lines().settle(&interest, &ask.numbers, taken.unwrap_or_default());
        for task in unwanted {
            tokio::spawn(Arc::clone(&self).give_back(task));
        }
        if is_refused { self.look_later() } else { self.look.notify_one() }
    }

    /// Gives back what was taken for somebody who has left. If that cannot be done, its lease ends in time.
    async fn give_back(self: Arc<Self>, given: Given) {
        let (task, claim) = (given.task.task, Claim::Token(given.task.token));
        let command = Command::Release { task, claim, priority: None, delay_ms: 0 };
        let _ = self.submit(&command, None).await;
    }

    fn look_later(self: &Arc<Self>) {
        self.look_in(PAUSE);
    }

    fn look_in(self: &Arc<Self>, wait: Duration) {
        let desk = Arc::clone(self);
        tokio::spawn(async move {
            sleep(wait).await;
            desk.look.notify_one();
        });
    }

    /// What connections of this node's earlier lives hold is given up: they have ended.
    async fn let_earlier_lives_go(self: Arc<Self>) {
        let me = self.node.me();
        let command = Command::LetGoBefore { node: me.node, incarnation: me.incarnation };
        if me.incarnation.0 > 1 {
            self.insist(&command).await;
        }
    }

    /// Has a command carried out that can be repeated, however long that takes, as long as the node runs.
    pub(crate) async fn insist(&self, command: &Command) {
        while !self.node.is_stopped() && self.submit(command, None).await.is_err() {
            sleep(PAUSE).await;
        }
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a take at `stamp` has got.
pub(crate) fn given(stamp: Stamp, tasks: Vec<Taken>) -> Vec<Given> {
    tasks.into_iter().map(|task| Given { task, stamp }).collect()
}

fn is_ready(reading: &Reading, interest: &Interest) -> Result<bool, Unanswered> {
    let query = Query::Ready { queues: interest.queues.clone(), kinds: interest.kinds.clone() };
    match query.answer(reading).map_err(Unanswered::Broken)? {
        Answer::Ready(is_ready) => Ok(is_ready),
        answer => Err(not_asked_for(&answer)),
    }
}

/// An answer that makes no sense here: a bug, told as one.
pub(crate) fn not_asked_for(answer: &Answer) -> Unanswered {
    let what = format!("an answer that was not asked for: {answer:?}");
    Unanswered::Broken(Fault::StateMachine(what))
}

/// Somebody's place in a line. Dropping it leaves the line.
#[derive(Debug)]
pub(crate) struct Wait {
    desk: Arc<Desk>,
    interest: Arc<Interest>,
    number: u64,
    task: oneshot::Receiver<Given>,
}

impl Wait {
    /// Waits for the task. May be called again if it was not waited for to the end.
    pub(crate) async fn task(&mut self) -> Given {
        match (&mut self.task).await {
            Ok(task) => task,
            // Only who leaves gets nothing, and then nobody listens here.
            Err(_) => std::future::pending().await,
        }
    }

    /// Leaves the line. Gives a task if one was just taken: it belongs to whoever waited.
    pub(crate) async fn leave(mut self) -> Option<Given> {
        self.desk.lines().leave(&self.interest, self.number);
        (&mut self.task).await.ok()
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.task.close();
        self.desk.lines().leave(&self.interest, self.number);
        if let Ok(task) = self.task.try_recv() {
            tokio::spawn(Arc::clone(&self.desk).give_back(task));
        }
    }
}
