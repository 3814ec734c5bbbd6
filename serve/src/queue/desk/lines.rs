//! [`Lines`]: who waits for a task at this node, in the order of arrival.
//!
//! ```text
//!   join ─▶ idle ──ask──▶ asking ──a task──▶ gone with it
//!            │  ▲           │  └──leave──▶ leaving ──the end of the take──▶ gone
//!            │  └──nothing──┘
//!            └──leave──▶ gone
//! ```
//! Nobody's place is given away while a take on their behalf is under way, and a line has no more takes under way
//! than its window, which grows with each task and shrinks with each take that found nothing. A line with a small
//! window hesitates before it asks, each node for another while: so consumers of several nodes who race for one task
//! cost few entries, and those who wait for many tasks get them at once.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use kernel::Stamp;
use queue::{Holder, Taken};
use tokio::sync::oneshot;

/// The most tasks for which a line asks at a time.
const WINDOW_MAX: usize = 256;

/// A line whose window is as large does not hesitate.
const BOLD_WINDOW: usize = 4;

/// What a consumer takes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Interest {
    /// From which queues.
    pub(crate) queues: Vec<Bytes>,
    /// Of which types; of any, or none, if there are no types here.
    pub(crate) kinds: Vec<Bytes>,
}

/// How a consumer takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    /// How long the lease lasts, in milliseconds; nothing for what the task says.
    pub(crate) lease_ms: Option<u64>,
    /// The connection that shall hold it, if it is one.
    pub(crate) holder: Option<Holder>,
}

/// A task that was taken for somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) task: Taken,
    /// When, in cluster time.
    pub(crate) stamp: Stamp,
}

impl Given {
    /// For how long, in milliseconds, from the moment of the take.
    pub(crate) const fn lease_ms(&self) -> u64 {
        self.task.due.0.saturating_sub(self.stamp.0) / 1_000_000
    }
}

/// A take on behalf of some who wait.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ask {
    pub(super) terms: Terms,
    /// For whom, in the order in which they are served.
    pub(super) numbers: Vec<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Idle,
    Asking,
    Leaving,
}

#[derive(Debug)]
struct Waiter {
    number: u64,
    terms: Terms,
    stage: Stage,
    given: oneshot::Sender<Given>,
}

#[derive(Debug)]
struct Line {
    /// In the order of their numbers.
    waiters: VecDeque<Waiter>,
    idle: usize,
    asking: usize,
    window: usize,
    /// Until when it hesitates, if it does.
    hesitates: Option<Instant>,
}

/// Whether a line asks for what is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Now.
    Now,
    /// After so long a while, if it is ready still.
    In(Duration),
    /// It hesitates already.
    NotYet,
}

/// Who waits, by what they wait for.
#[derive(Debug, Default)]
pub(super) struct Lines {
    joined: u64,
    lines: BTreeMap<Arc<Interest>, Line>,
}

impl Lines {
    /// Lets somebody wait at the end of their line: their number, and where the task will come. If it ends without
    /// one, whoever waited has left.
    pub(super) fn join(
        &mut self,
        interest: &Arc<Interest>,
        terms: Terms,
    ) -> (u64, oneshot::Receiver<Given>) {
        let (given, task) = oneshot::channel();
        self.joined += 1;
        let number = self.joined;
        let line = self.lines.entry(Arc::clone(interest)).or_insert_with(Line::new);
        line.waiters.push_back(Waiter { number, terms, stage: Stage::Idle, given });
        line.idle += 1;
        (number, task)
    }

    /// Lets somebody go: at once, or at the end of the take that is under way for them.
    pub(super) fn leave(&mut self, interest: &Arc<Interest>, number: u64) {
        let Some(line) = self.lines.get_mut(interest) else {
            return;
        };
        let Some(place) = line.place_of(number) else {
            return;
        };
        match line.waiters[place].stage {
            Stage::Idle => {
                line.waiters.remove(place);
                line.idle -= 1;
            }
            Stage::Asking | Stage::Leaving => line.waiters[place].stage = Stage::Leaving,
        }
        self.forget_if_empty(interest);
    }

    /// What those are interested in who wait and for whom something may be asked.
    pub(super) fn wanted(&self) -> Vec<Arc<Interest>> {
        let may_ask = |line: &Line| line.idle > 0 && line.asking < line.window;
        let wanted = self.lines.iter().filter(|(_, line)| may_ask(line));
        wanted.map(|(interest, _)| Arc::clone(interest)).collect()
    }

    /// Whether a line asks at `now` for what is ready, on a node whose turn comes in `turn`.
    pub(super) fn turn_of(
        &mut self,
        interest: &Arc<Interest>,
        turn: Duration,
        now: Instant,
    ) -> Turn {
        let Some(line) = self.lines.get_mut(interest) else {
            return Turn::NotYet;
        };
        if line.window >= BOLD_WINDOW {
            return Turn::Now;
        }
        match line.hesitates {
            None if turn.is_zero() => Turn::Now,
            None => {
                line.hesitates = Some(now + turn);
                Turn::In(turn)
            }
            Some(until) if now < until => Turn::NotYet,
            Some(_) => Turn::Now,
        }
    }

    /// Nothing is ready for a line: others were faster, and it need not hesitate.
    pub(super) fn calm(&mut self, interest: &Arc<Interest>) {
        if let Some(line) = self.lines.get_mut(interest) {
            line.hesitates = None;
        }
    }

    /// How many wait.
    pub(super) fn count(&self) -> usize {
        self.lines.values().map(|line| line.waiters.len()).sum()
    }

    /// What to ask for those first in line. Who gives no holder and the same time shares a take.
    pub(super) fn ask(&mut self, interest: &Arc<Interest>) -> Vec<Ask> {
        let Some(line) = self.lines.get_mut(interest) else {
            return Vec::new();
        };
        line.hesitates = None;
        let mut asks: Vec<Ask> = Vec::new();
        for waiter in line.waiters.iter_mut().filter(|waiter| waiter.stage == Stage::Idle) {
            if line.asking >= line.window {
                break;
            }
            waiter.stage = Stage::Asking;
            line.idle -= 1;
            line.asking += 1;
            let is_shared =
                |ask: &&mut Ask| waiter.terms.holder.is_none() && ask.terms == waiter.terms;
            match asks.iter_mut().find(is_shared) {
                Some(ask) => ask.numbers.push(waiter.number),
                None => asks.push(Ask { terms: waiter.terms, numbers: vec![waiter.number] }),
            }
        }
        asks
    }

    /// A take has ended: those for whom it was get what it got, in order. Gives back what nobody waits for any more.
    pub(super) fn settle(
        &mut self,
        interest: &Arc<Interest>,
        numbers: &[u64],
        taken: Vec<Given>,
    ) -> Vec<Given> {
        let line = self.lines.get_mut(interest).expect("a line stays while a take is under way");
        line.window = if taken.len() == numbers.len() {
            WINDOW_MAX.min(line.window * 2)
        } else {
            (line.window / 2).max(1)
        };
        let mut unwanted = Vec::new();
        let mut tasks = taken.into_iter();
        for number in numbers {
            line.asking -= 1;
            let place = line.place_of(*number).expect("who asks keeps the place");
            let is_leaving = line.waiters[place].stage == Stage::Leaving;
            match tasks.next() {
                Some(task) => {
                    let waiter = line.waiters.remove(place).expect("it was just found");
                    unwanted.extend(waiter.given.send(task).err());
                }
                None if is_leaving => {
                    line.waiters.remove(place);
                }
                None => {
                    line.waiters[place].stage = Stage::Idle;
                    line.idle += 1;
                }
            }
        }
        unwanted.extend(tasks);
        self.forget_if_empty(interest);
        unwanted
    }

    fn forget_if_empty(&mut self, interest: &Arc<Interest>) {
        if self.lines.get(interest).is_some_and(|line| line.waiters.is_empty()) {
            self.lines.remove(interest);
        }
    }
}

impl Line {
    fn new() -> Self {
        Self { waiters: VecDeque::new(), idle: 0, asking: 0, window: 1, hesitates: None }
    }

    fn place_of(&self, number: u64) -> Option<usize> {
        let place = self.waiters.partition_point(|waiter| waiter.number < number);
        self.waiters.get(place).filter(|waiter| waiter.number == number).map(|_| place)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::Arc,
        time::{Duration, Instant},
    };

    use bytes::Bytes;
    use kernel::Stamp;
    use queue::{Holder, Taken, TaskId};

    use super::{Given, Interest, Lines, Terms, Turn};

    const ANYBODY: Terms = Terms { lease_ms: None, holder: None };

    fn interest() -> Arc<Interest> {
        Arc::new(Interest { queues: vec![Bytes::from_static(b"a")], kinds: Vec::new() })
    }

    fn task(number: u64) -> Given {
        let task = Taken {
            task: TaskId(number),
            token: 1,
            due: Stamp(0),
            queue: Bytes::from_static(b"a"),
            kind: Bytes::new(),
            priority: 0,
            failures: 0,
            payload: Bytes::new(),
        };
        Given { task, stamp: Stamp(0) }
    }

    #[test]
    fn who_came_first_is_served_first_and_keeps_the_place_while_nothing_comes() {
        let (mut lines, interest) = (Lines::default(), interest());
        let (first, mut got_first) = lines.join(&interest, ANYBODY);
        let (second, mut got_second) = lines.join(&interest, ANYBODY);
        assert_eq!(lines.ask(&interest)[0].numbers, [first]);
        assert!(lines.wanted().is_empty(), "one at a time until something comes");
        assert!(lines.settle(&interest, &[first], Vec::new()).is_empty());
        assert_eq!(lines.ask(&interest)[0].numbers, [first]);
        lines.settle(&interest, &[first], vec![task(1)]);
        assert_eq!(got_first.try_recv().unwrap().task.task, TaskId(1));
        assert_eq!(lines.ask(&interest)[0].numbers, [second]);
        lines.settle(&interest, &[second], vec![task(2)]);
        assert_eq!(got_second.try_recv().unwrap().task.task, TaskId(2));
        assert_eq!(lines.count(), 0);
    }

    #[test]
    fn a_line_asks_for_more_as_long_as_it_gets_all() {
        let (mut lines, interest) = (Lines::default(), interest());
        let waiting: Vec<_> = (0..7).map(|_| lines.join(&interest, ANYBODY)).collect();
        let mut asked = Vec::new();
        for round in 1..=3 {
            let asks = lines.ask(&interest);
            assert_eq!(asks.len(), 1, "who may hold anything shares a take");
            let tasks = (0..asks[0].numbers.len()).map(|_| task(round)).collect();
            assert!(lines.settle(&interest, &asks[0].numbers, tasks).is_empty());
            asked.push(asks[0].numbers.len());
        }
        assert_eq!(asked, [1, 2, 4]);
        drop(waiting);
    }

    #[test]
    fn a_line_that_may_race_hesitates_once_and_a_bold_one_does_not() {
        let (mut lines, interest) = (Lines::default(), interest());
        let waiting: Vec<_> = (0..3).map(|_| lines.join(&interest, ANYBODY)).collect();
        let (now, turn) = (Instant::now(), Duration::from_millis(2));
        assert_eq!(lines.turn_of(&interest, Duration::ZERO, now), Turn::Now);
        assert_eq!(lines.turn_of(&interest, turn, now), Turn::In(turn));
        assert_eq!(lines.turn_of(&interest, turn, now), Turn::NotYet);
        assert_eq!(lines.turn_of(&interest, turn, now + turn), Turn::Now);
        lines.calm(&interest);
        assert_eq!(lines.turn_of(&interest, turn, now + turn), Turn::In(turn));
        for _ in 0..2 {
            let numbers = lines.ask(&interest)[0].numbers.clone();
            let tasks = numbers.iter().map(|number| task(*number)).collect();
            lines.settle(&interest, &numbers, tasks);
            drop(lines.join(&interest, ANYBODY));
        }
        assert_eq!(lines.turn_of(&interest, turn, now), Turn::Now);
        drop(waiting);
    }

    #[test]
    fn connections_take_each_for_itself() {
        let (mut lines, interest) = (Lines::default(), interest());
        let of = |connection| Terms {
            lease_ms: None,
            holder: Some(Holder { connection, ..Holder::default() }),
        };
        let (first, _task) = lines.join(&interest, of(1));
        let (_, _other) = lines.join(&interest, of(2));
        let (_, _third) = lines.join(&interest, of(3));
        assert_eq!(lines.ask(&interest).len(), 1);
        lines.settle(&interest, &[first], vec![task(1)]);
        let asks = lines.ask(&interest);
        assert_eq!(asks.iter().map(|ask| ask.numbers.len()).collect::<Vec<_>>(), [1, 1]);
    }

    #[test]
    fn a_task_for_somebody_who_has_left_goes_back() {
        let (mut lines, interest) = (Lines::default(), interest());
        let (number, task_of_nobody) = lines.join(&interest, ANYBODY);
        lines.ask(&interest);
        drop(task_of_nobody);
        lines.leave(&interest, number);
        let unwanted = lines.settle(&interest, &[number], vec![task(1)]);
        assert_eq!(unwanted.len(), 1);
        assert_eq!(lines.count(), 0);
    }

    #[test]
    fn who_leaves_while_a_take_is_under_way_still_gets_what_it_gets() {
        let (mut lines, interest) = (Lines::default(), interest());
        let (number, mut given) = lines.join(&interest, ANYBODY);
        lines.ask(&interest);
        lines.leave(&interest, number);
        assert!(lines.settle(&interest, &[number], vec![task(1)]).is_empty());
        assert_eq!(given.try_recv().unwrap().task.task, TaskId(1));
    }

    #[test]
    fn who_leaves_while_idle_is_gone() {
        let (mut lines, interest) = (Lines::default(), interest());
        let (number, mut given) = lines.join(&interest, ANYBODY);
        lines.leave(&interest, number);
        assert!(given.try_recv().is_err());
        assert!(lines.ask(&interest).is_empty());
    }
}
