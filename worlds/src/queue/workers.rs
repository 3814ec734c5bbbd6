//! [`Workers`]: producers and workers of the queue, what they hold, and what they were told.

use check::{
    HistoryError,
    queue::{Answer, Breach, Call, Delivery, Event, Holder, Promise, QueueHistory, judge},
};
use kernel::{NodeId, Rng, Stamp};
use queue::{TERM_GRACE_MS, TaskId};
use sim::{ClientSettings, Counted, Ended, Judgement, Settings, Stage, Tally, Who, Workload};

use super::{
    ask::MILLISECOND,
    count::count,
    draw::{Habits, LEASE_MS_MAX},
};

/// How many former deliveries a worker remembers, to use their tokens on purpose.
const STALE_MAX: usize = 4;

/// How many tasks are remembered that somebody may kick or delete.
const NAMED_MAX: usize = 8;

/// How many tasks are taken at once when everything must be done.
const DRAINED_AT_ONCE: u64 = 10;

/// How long it may take until what has become ready can be taken: one entry does a bounded amount of what
/// is due, and a tick does the rest.
const SETTLES_NS: u64 = 200 * MILLISECOND;

/// A call, and what the queue needs for it besides.
#[derive(Clone, Debug)]
pub struct Asking {
    pub(super) call: Call,
    /// The number of the task that it names.
    pub(super) task: TaskId,
    /// The connection by whose right it is asked, if not by a token's.
    pub(super) holder: Option<Holder>,
    pub(super) lease_ms: Option<u64>,
    pub(super) priority: Option<u32>,
    /// What makes a payload, a result or an error heavy.
    pub(super) padding: Vec<u8>,
}

impl Asking {
    pub(super) fn of(call: Call) -> Self {
        let (task, padding) = (TaskId(0), Vec::new());
        Self { call, task, holder: None, lease_ms: None, priority: None, padding }
    }
}

/// A delivery that a worker holds or has held.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) delivery: Delivery,
    pub(super) task: TaskId,
    pub(super) holder: Option<Holder>,
}

/// One client: a producer and a worker.
#[derive(Clone, Debug, Default)]
pub(super) struct Worker {
    pub(super) held: Vec<Held>,
    pub(super) stale: Vec<Held>,
    pub(super) life: u64,
    connections: u64,
}

impl Worker {
    /// The node to which it is connected, which nobody else is: its lives are the worker's.
    pub(super) const fn node(&self, client: usize) -> u64 {
        1 + client as u64
    }

    pub(super) fn connect(&mut self, client: usize) -> Holder {
        self.connections += 1;
        Holder { node: self.node(client), life: self.life, connection: self.connections }
    }

    pub(super) fn die(&mut self) {
        self.life += 1;
        for held in core::mem::take(&mut self.held) {
            self.outlive(held);
        }
    }

    fn outlive(&mut self, held: Held) {
        self.stale.push(held);
        if self.stale.len() > STALE_MAX {
            self.stale.remove(0);
        }
    }

    fn let_go_of(&mut self, delivery: &Delivery) {
        let is_it = |held: &Held| held.delivery == *delivery;
        if let Some(place) = self.held.iter().position(is_it) {
            let held = self.held.remove(place);
            self.outlive(held);
        }
    }
}

/// Something that must be done before a world may end.
#[derive(Clone, Debug)]
pub enum Errand {
    /// Put a task into this queue.
    Put(Vec<u8>),
    /// Take from all queues.
    Take,
    /// Complete what was taken.
    Complete(Delivery, TaskId),
    /// Look how much is left.
    Look,
    /// End the pause of a queue.
    Resume(Vec<u8>),
    /// Take and complete until nothing is left.
    Drain,
    /// Read the dead letters of a queue.
    Dead(Vec<u8>),
}

/// All clients of the queue.
#[derive(Debug)]
pub struct Workers {
    pub(super) habits: Habits,
    pub(super) queues: Vec<Vec<u8>>,
    pub(super) clients: Vec<Worker>,
    history: QueueHistory,
    /// When each event of the history was, in nanoseconds of virtual time.
    times_ns: Vec<u64>,
    names: u64,
    /// Tasks accepted, and those of them that are over, as far as clients know.
    accepted: u64,
    over: u64,
    /// Dead letters, and tasks put lately.
    pub(super) dead: Vec<(Vec<u8>, TaskId)>,
    pub(super) recent: Vec<(Vec<u8>, TaskId)>,
    pub(super) deaths: u64,
}

impl Workers {
    pub(super) fn new(habits: Habits, settings: &Settings) -> Self {
        let queues = (0..settings.clients.keys).map(|queue| format!("q{queue}").into_bytes());
        let clients = (0..settings.clients.count).map(|_| Worker { life: 1, ..Worker::default() });
        Self {
            habits,
            queues: queues.collect(),
            clients: clients.collect(),
            history: QueueHistory::default(),
            times_ns: Vec::new(),
            names: 0,
            accepted: 0,
            over: 0,
            dead: Vec::new(),
            recent: Vec::new(),
            deaths: 0,
        }
    }

    pub(super) fn new_name(&mut self) -> Vec<u8> {
        self.names += 1;
        format!("t{}", self.names).into_bytes()
    }

    /// How many tasks are still to be done, as far as clients know.
    pub(super) const fn open(&self) -> u64 {
        self.accepted.saturating_sub(self.over)
    }

    fn push(&mut self, who: Who, event: Event) -> Result<(), HistoryError> {
        self.history.push(who.process, event)?;
        self.times_ns.push(who.now_ns);
        Ok(())
    }

    /// What a client remembers of an answer.
    fn learn(&mut self, client: usize, asking: &Asking, answer: &Answer) {
        let worker = &mut self.clients[client];
        match (&asking.call, answer) {
            (Call::Put(task), Answer::Accepted { number, is_duplicate: false }) => {
                self.accepted += 1;
                remember(&mut self.recent, &task.name, TaskId(*number));
            }
            (Call::Take { holder, .. }, Answer::Taken { tasks, .. }) => {
                // Of a life that is over nothing is held.
                let is_alive = holder.is_none_or(|holder| holder.life == worker.life);
                for taken in tasks {
                    let (delivery, task) = (taken.delivery.clone(), TaskId(taken.number));
                    let held = Held { delivery, task, holder: *holder };
                    if is_alive {
                        worker.held.push(held);
                    } else {
                        worker.outlive(held);
                    }
                }
            }
            (call, Answer::Completed { .. } | Answer::Expired | Answer::Buried) => {
                self.over += 1;
                if let (Answer::Buried, Some(delivery)) = (answer, call.delivery()) {
                    remember(&mut self.dead, &delivery.task, asking.task);
                }
            }
            (Call::Kick(_), Answer::Count(count)) => self.over = self.over.saturating_sub(*count),
            (Call::KickOne(_), Answer::Done) => self.over = self.over.saturating_sub(1),
            (Call::Look, Answer::Looked { open, .. }) => {
                self.over = self.accepted.saturating_sub(*open);
            }
            _ => {}
        }
    }

    fn promise(&self, terms: &[Stamp]) -> Promise {
        Promise {
            is_drained: true,
            terms_ns: Some(terms.iter().map(|stamp| stamp.0).collect()),
            grace_ns: TERM_GRACE_MS * MILLISECOND,
            settles_ns: SETTLES_NS,
        }
    }

    /// A breach with the operations that show it, and the moment of the last of their ends.
    fn broken(&self, breach: &Breach) -> Judgement {
        let operations = self.history.operations();
        let mut what = format!("{}: task {}:", breach.rule, String::from_utf8_lossy(&breach.task));
        let mut last = None;
        for place in &breach.operations {
            let operation = &operations[*place];
            what += &format!("\n  {place:>5} {operation}");
            if let check::queue::End::Ok(at, _) = operation.end {
                last = last.max(Some(at));
            }
        }
        Judgement::Broken { what, at_ns: last.map(|at| self.times_ns[at]) }
    }
}

fn remember(named: &mut Vec<(Vec<u8>, TaskId)>, name: &[u8], task: TaskId) {
    named.push((name.to_vec(), task));
    if named.len() > NAMED_MAX {
        named.remove(0);
    }
}

impl Workload for Workers {
    type Call = Asking;
    type Answer = Answer;
    type Errand = Errand;
    type History = QueueHistory;

    fn draw(&mut self, client: usize, settings: &ClientSettings, rng: &mut Rng) -> Asking {
        self.draw_call(client, settings, rng)
    }

    fn agenda(&self, members: &[NodeId], stage: Stage) -> Vec<(NodeId, Errand)> {
        let queues = || self.queues.iter().cloned();
        match stage {
            Stage::Service => {
                let mut agenda = Vec::new();
                for node in members {
                    let put = queues().take(1).map(Errand::Put);
                    let errands = [Errand::Look, Errand::Take].into_iter().chain(put);
                    agenda.extend(errands.map(|errand| (*node, errand)));
                }
                agenda
            }
            Stage::Drain => {
                let Some(node) = members.first() else {
                    return Vec::new();
                };
                let errands = [Errand::Drain].into_iter().chain(queues().map(Errand::Resume));
                errands.map(|errand| (*node, errand)).collect()
            }
        }
    }

    fn carry_out(&mut self, _: usize, errand: &Errand, rng: &mut Rng) -> Asking {
        match errand {
            Errand::Put(queue) => self.draw_put(queue.clone(), 0, rng),
            Errand::Take => {
                let (queues, count) = (self.queues.clone(), DRAINED_AT_ONCE);
                let call = Call::Take { queues, count, holder: None };
                Asking { lease_ms: Some(LEASE_MS_MAX), ..Asking::of(call) }
            }
            Errand::Complete(delivery, task) => {
                Asking { task: *task, ..Asking::of(Call::Complete(delivery.clone())) }
            }
            Errand::Look | Errand::Drain => Asking::of(Call::Look),
            Errand::Resume(queue) => Asking::of(Call::Resume(queue.clone())),
            Errand::Dead(queue) => Asking::of(Call::Dead(queue.clone())),
        }
    }

    fn follow_up(&self, errand: &Errand, answer: &Answer) -> Vec<Errand> {
        match (errand, answer) {
            (Errand::Take, Answer::Taken { tasks, .. }) => {
                let complete = tasks
                    .iter()
                    .map(|taken| Errand::Complete(taken.delivery.clone(), TaskId(taken.number)));
                complete.collect()
            }
            (Errand::Drain, Answer::Looked { open: 0, .. }) => {
                self.queues.iter().cloned().map(Errand::Dead).collect()
            }
            (Errand::Drain, Answer::Looked { ready: 0, .. }) => vec![Errand::Drain],
            (Errand::Drain, _) => vec![Errand::Drain, Errand::Take],
            _ => Vec::new(),
        }
    }

    fn is_read(asking: &Asking) -> bool {
        asking.call.is_read()
    }

    /// Several payloads together are too long an answer to be kept.
    fn fits_session(asking: &Asking) -> bool {
        !asking.call.is_read() && !matches!(asking.call, Call::Take { count: 2.., .. })
    }

    fn counted(asking: &Asking, answer: &Answer) -> Counted {
        match answer {
            Answer::NotHeld => Counted::Mismatch,
            _ if asking.call.is_read() => Counted::Read,
            _ => Counted::Written,
        }
    }

    fn begin(&mut self, who: Who, asking: &Asking) -> Result<(), HistoryError> {
        self.push(who, Event::Invoke(asking.call.clone()))
    }

    fn end(&mut self, who: Who, asking: &Asking, ended: Ended<Answer>) -> Result<(), HistoryError> {
        // Whatever became of it: who has asked for the end of a delivery holds it no more.
        let is_kept = matches!(ended, Ended::Answered(Answer::Extended { .. }) | Ended::Refused);
        if let Some(delivery) = asking.call.delivery().filter(|_| !is_kept) {
            self.clients[who.client].let_go_of(delivery);
        }
        let event = match ended {
            Ended::Answered(answer) => {
                self.learn(who.client, asking, &answer);
                Event::Ok(answer)
            }
            Ended::Refused => Event::Fail,
            Ended::Unknown => Event::Info,
        };
        self.push(who, event)
    }

    fn history(&self) -> &QueueHistory {
        &self.history
    }

    fn events(&self) -> u64 {
        self.history.events() as u64
    }

    fn judge(&self, terms: &[Stamp], is_drained: bool) -> Judgement {
        let promise = Promise { is_drained, ..self.promise(terms) };
        let breach = judge(&self.history, &promise);
        breach.map_or(Judgement::Sound, |breach| self.broken(&breach))
    }

    fn tally(&self) -> Tally {
        count(&self.history, self.deaths)
    }

    fn say(&self, asking: &Asking) -> String {
        let by = if asking.holder.is_some() { " by its connection" } else { "" };
        format!("{}{by}", asking.call)
    }
}
