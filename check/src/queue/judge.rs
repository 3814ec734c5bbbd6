//! Judges a history of a work queue, task by task, in time that grows with its length times a logarithm.

use alloc::{collections::BTreeMap, vec, vec::Vec};
use core::fmt;

use super::{Answer, Call, End, Operation, QueueHistory};

/// What a run promises besides the rules that always hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Promise {
    /// How many deliveries a task has at most; 0 for no end of them.
    pub attempts_max: u64,
    /// The run went on until nothing was left to do, after everything had been mended.
    pub is_drained: bool,
}

/// What a work queue must not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// Deliver what nobody had asked to put by then.
    FromNowhere,
    /// Deliver the same delivery twice, or a later one with an earlier stamp.
    TokenReused,
    /// Deliver a task while somebody's lease on it held: before the end that was told, and before its holder
    /// asked for anything that ends it.
    TwoHolders,
    /// Do what somebody asked for a delivery when a later one had been answered before.
    StaleAccepted,
    /// Deliver a task that had been completed: taken after the answer, or at a later stamp.
    AfterDone,
    /// Deliver a task more often than allowed.
    TooManyAttempts,
    /// Lose a task: at the end of a drained run, one that was accepted was never delivered to anybody.
    Lost,
    /// Forget a task: at the end of a drained run, one that was accepted is neither done nor dead.
    Unfinished,
}

/// A rule that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// Which.
    pub rule: Rule,
    /// For which task.
    pub task: Vec<u8>,
    /// By which operations of the history, ascending: their places among all operations.
    pub operations: Vec<usize>,
}

/// Judges `history`. Gives the first breach of the first task that has one, in the order of their names;
/// nothing if the history can be explained.
#[must_use]
pub fn judge(history: &QueueHistory, promise: Promise) -> Option<Breach> {
    let operations = history.operations();
    let mut tasks: BTreeMap<&[u8], Story<'_>> = BTreeMap::new();
    for (place, operation) in operations.iter().enumerate() {
        tell(&mut tasks, place, operation);
    }
    let is_unknown_take = |operation: &&Operation| {
        operation.call == Call::Take && matches!(operation.end, End::Unknown)
    };
    let unknown_takes = operations.iter().filter(is_unknown_take).count() as u64;
    tasks.into_iter().find_map(|(task, mut story)| {
        story.deliveries.sort_by_key(|delivery| delivery.token);
        let broken = story.broken(operations, promise, unknown_takes);
        broken.map(|(rule, mut operations)| {
            operations.sort_unstable();
            operations.dedup();
            Breach { rule, task: task.to_vec(), operations }
        })
    })
}

/// What happened to one task. Numbers are places among the operations.
#[derive(Default)]
struct Story<'a> {
    puts: Vec<usize>,
    deliveries: Vec<Delivered>,
    /// What was asked for each delivery.
    asked: BTreeMap<u64, Vec<(usize, &'a Operation)>>,
}

/// A delivery that somebody got.
struct Delivered {
    token: u64,
    take: usize,
    invoked: usize,
    answered: usize,
    stamp_ns: u64,
    due_ns: u64,
}

fn tell<'a>(tasks: &mut BTreeMap<&'a [u8], Story<'a>>, place: usize, operation: &'a Operation) {
    match (&operation.call, &operation.end) {
        (_, End::Failed) => {}
        (Call::Put(task), _) => tasks.entry(task).or_default().puts.push(place),
        (Call::Take, End::Ok(answered, Answer::Taken { stamp_ns, deliveries })) => {
            for (delivery, due_ns) in deliveries {
                tasks.entry(&delivery.task).or_default().deliveries.push(Delivered {
                    token: delivery.token,
                    take: place,
                    invoked: operation.invoked,
                    answered: *answered,
                    stamp_ns: *stamp_ns,
                    due_ns: *due_ns,
                });
            }
        }
        (Call::Take, _) => {}
        (Call::Complete(delivery) | Call::Fail(delivery) | Call::Extend(delivery), _) => {
            let story = tasks.entry(&delivery.task).or_default();
            story.asked.entry(delivery.token).or_default().push((place, operation));
        }
    }
}

type Found = Option<(Rule, Vec<usize>)>;

impl Story<'_> {
    fn broken(&self, operations: &[Operation], promise: Promise, unknown_takes: u64) -> Found {
        self.comes_from_nowhere(operations)
            .or_else(|| self.token_reused())
            .or_else(|| self.two_holders())
            .or_else(|| self.stale_accepted())
            .or_else(|| self.after_done())
            .or_else(|| self.too_many(promise.attempts_max))
            .or_else(|| self.left_over(operations, promise, unknown_takes))
    }

    fn comes_from_nowhere(&self, operations: &[Operation]) -> Found {
        let first = self.puts.iter().map(|put| operations[*put].invoked).min();
        let is_early = |delivery: &&Delivered| first.is_none_or(|put| delivery.answered < put);
        let delivery = self.deliveries.iter().find(is_early)?;
        Some((Rule::FromNowhere, vec![delivery.take]))
    }

    fn token_reused(&self) -> Found {
        self.pairs().find_map(|(one, next)| {
            let is_wrong = one.token == next.token || one.stamp_ns > next.stamp_ns;
            is_wrong.then(|| (Rule::TokenReused, vec![one.take, next.take]))
        })
    }

    fn two_holders(&self) -> Found {
        self.pairs().find_map(|(one, next)| {
            let asked = self.asked(one.token);
            let is_extended = |(place, operation): &(usize, &Operation)| match operation.end {
                End::Ok(_, Answer::Extended { due_ns }) if operation.invoked < next.answered => {
                    Some((due_ns, Some(*place)))
                }
                _ => None,
            };
            let told = [(one.due_ns, None)].into_iter().chain(asked.iter().filter_map(is_extended));
            let (due_ns, extended) = told.max().expect("a lease has an end");
            let may_have_ended = asked.iter().any(|(_, operation)| may_end_before(operation, next));
            let is_held = next.stamp_ns < due_ns && !may_have_ended;
            is_held.then(|| {
                let operations = [one.take, next.take].into_iter().chain(extended).collect();
                (Rule::TwoHolders, operations)
            })
        })
    }

    fn stale_accepted(&self) -> Found {
        self.pairs().find_map(|(one, next)| {
            let is_stale = |(_, operation): &&(usize, &Operation)| {
                was_accepted(operation)
                    && (operation.invoked > next.answered
                        || completed_at(operation).is_some_and(|at_ns| at_ns > next.stamp_ns))
            };
            let (place, _) = self.asked(one.token).iter().find(is_stale)?;
            Some((Rule::StaleAccepted, vec![one.take, next.take, *place]))
        })
    }

    fn after_done(&self) -> Found {
        let done =
            self.asked.values().flatten().find_map(|(place, operation)| match operation.end {
                End::Ok(at, Answer::Completed { stamp_ns }) => Some((*place, at, stamp_ns)),
                _ => None,
            });
        let (completion, at, stamp_ns) = done?;
        let is_late = |delivery: &&Delivered| delivery.invoked > at || delivery.stamp_ns > stamp_ns;
        let delivery = self.deliveries.iter().find(is_late)?;
        Some((Rule::AfterDone, vec![completion, delivery.take]))
    }

    fn too_many(&self, attempts_max: u64) -> Found {
        let takes: Vec<usize> = self.deliveries.iter().map(|delivery| delivery.take).collect();
        let is_broken = attempts_max > 0 && takes.len() as u64 > attempts_max;
        is_broken.then_some((Rule::TooManyAttempts, takes))
    }

    /// What a drained run must not leave. Deliveries that nobody heard of may have used up the attempts.
    fn left_over(&self, operations: &[Operation], promise: Promise, unknown_takes: u64) -> Found {
        let is_accepted = |put: &&usize| matches!(operations[**put].end, End::Ok(..));
        let put = *self.puts.iter().find(is_accepted)?;
        let known = self.deliveries.len() as u64;
        let may_be_dead = promise.attempts_max > 0 && known + unknown_takes >= promise.attempts_max;
        if !promise.is_drained || may_be_dead {
            return None;
        }
        let mut asked = self.asked.values().flatten();
        let is_over = asked.any(|(_, operation)| match (&operation.call, &operation.end) {
            (Call::Complete(_), End::Unknown | End::Ok(_, Answer::Completed { .. })) => true,
            (Call::Fail(_), End::Ok(_, Answer::Failed { is_dead })) => *is_dead,
            _ => false,
        });
        if is_over {
            return None;
        }
        let takes = self.deliveries.iter().map(|delivery| delivery.take);
        let rule = if known == 0 { Rule::Lost } else { Rule::Unfinished };
        Some((rule, [put].into_iter().chain(takes).collect()))
    }

    /// Each delivery and the next one that somebody got.
    fn pairs(&self) -> impl Iterator<Item = (&Delivered, &Delivered)> {
        self.deliveries.iter().zip(self.deliveries.iter().skip(1))
    }

    fn asked(&self, token: u64) -> &[(usize, &Operation)] {
        self.asked.get(&token).map_or(&[], Vec::as_slice)
    }
}

/// True if the operation may have ended the delivery for which it asked, before the next one began.
fn may_end_before(operation: &Operation, next: &Delivered) -> bool {
    if !matches!(operation.call, Call::Complete(_) | Call::Fail(_)) {
        return false;
    }
    let may_be_done = matches!(operation.end, End::Unknown) || was_accepted(operation);
    let is_late = operation.invoked > next.answered
        || completed_at(operation).is_some_and(|at_ns| at_ns > next.stamp_ns);
    may_be_done && !is_late
}

/// The stamp at which the operation completed its task, if it is known to have done so.
const fn completed_at(operation: &Operation) -> Option<u64> {
    match operation.end {
        End::Ok(_, Answer::Completed { stamp_ns }) => Some(stamp_ns),
        _ => None,
    }
}

fn was_accepted(operation: &Operation) -> bool {
    matches!(&operation.end, End::Ok(_, answer) if *answer != Answer::NotHeld)
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::FromNowhere => "it was delivered before anybody had asked to put it",
            Self::TokenReused => "two deliveries had one token, or tokens and stamps disagree",
            Self::TwoHolders => "it was delivered while another lease on it held",
            Self::StaleAccepted => "what a former holder asked was done after a later delivery",
            Self::AfterDone => "it was delivered after it had been completed",
            Self::TooManyAttempts => "it was delivered more often than allowed",
            Self::Lost => "it was accepted and never delivered",
            Self::Unfinished => "it was accepted, and is neither done nor dead",
        })
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let task = alloc::string::String::from_utf8_lossy(&self.task);
        write!(formatter, "task {task}: {} (operations {:?})", self.rule, self.operations)
    }
}
