//! [`Story`]: what happened to one task, and [`Tale`]: all of a history that rules ask for.

use alloc::{collections::BTreeMap, vec::Vec};

use super::{
    call::{Answer, Call, Delivery, Holder, Taken, Task},
    history::End,
    spans::{Timed, timed},
};
use crate::queue::QueueHistory;

/// A history, sorted by what its operations are about.
pub(super) struct Tale<'a> {
    pub(super) operations: Vec<Timed<'a>>,
    pub(super) stories: BTreeMap<&'a [u8], Story<'a>>,
    pub(super) queues: BTreeMap<&'a [u8], OfQueue<'a>>,
    /// What was asked of connections that had ended.
    pub(super) let_go: Vec<Timed<'a>>,
    /// The last moment that was told, in nanoseconds.
    pub(super) last_ns: u64,
    /// Takes of which nobody knows what they gave.
    pub(super) unknown_takes: u64,
}

/// What was asked of a queue as a whole.
#[derive(Default)]
pub(super) struct OfQueue<'a> {
    pub(super) kicks: Vec<Timed<'a>>,
    /// Pauses and their ends.
    pub(super) pauses: Vec<Timed<'a>>,
    /// Reads of the dead letters.
    pub(super) dead: Vec<(Timed<'a>, &'a [Vec<u8>])>,
}

/// What happened to one task.
#[derive(Default)]
pub(super) struct Story<'a> {
    /// Its put, unless nobody asked for it, or it was refused.
    pub(super) put: Option<(Timed<'a>, &'a Task)>,
    /// What somebody got of it, by token.
    pub(super) deliveries: Vec<Delivered<'a>>,
    /// What was asked for each delivery.
    pub(super) asked: BTreeMap<u64, Vec<Timed<'a>>>,
    /// What was asked of the task by its name: deletions and kicks.
    pub(super) named: Vec<Timed<'a>>,
}

/// A delivery that somebody got.
#[derive(Clone, Copy)]
pub(super) struct Delivered<'a> {
    pub(super) take: Timed<'a>,
    pub(super) taken: &'a Taken,
    pub(super) holder: Option<Holder>,
}

impl Delivered<'_> {
    pub(super) const fn token(&self) -> u64 {
        self.taken.delivery.token
    }

    pub(super) const fn stamp_ns(&self) -> u64 {
        self.take.span.earliest_ns
    }
}

impl<'a> Tale<'a> {
    pub(super) fn of(history: &'a QueueHistory) -> Self {
        let operations = timed(history.operations(), history.events());
        let is_unknown_take = |one: &&Timed<'_>| {
            matches!(one.operation.call, Call::Take { .. }) && one.operation.end == End::Unknown
        };
        let mut tale = Tale {
            last_ns: operations.iter().map(|one| one.span.earliest_ns).max().unwrap_or(0),
            unknown_takes: operations.iter().filter(is_unknown_take).count() as u64,
            operations: operations.clone(),
            stories: BTreeMap::new(),
            queues: BTreeMap::new(),
            let_go: Vec::new(),
        };
        for one in operations {
            if one.operation.end != End::Failed {
                tale.tell(one);
            }
        }
        for story in tale.stories.values_mut() {
            story.deliveries.sort_by_key(Delivered::token);
        }
        tale
    }

    fn tell(&mut self, one: Timed<'a>) {
        let answer = match &one.operation.end {
            End::Ok(_, answer) => Some(answer),
            _ => None,
        };
        match &one.operation.call {
            Call::Put(task) => {
                if matches!(answer, None | Some(Answer::Accepted { is_duplicate: false, .. })) {
                    self.story(&task.name).put = Some((one, task));
                }
            }
            Call::Take { holder, .. } => {
                let Some(Answer::Taken { tasks, .. }) = answer else {
                    return;
                };
                for taken in tasks {
                    let delivered = Delivered { take: one, taken, holder: *holder };
                    self.story(&taken.delivery.task).deliveries.push(delivered);
                }
            }
            Call::Delete(name) | Call::KickOne(name) => self.story(name).named.push(one),
            Call::Kick(queue) => self.queue(queue).kicks.push(one),
            Call::Pause { queue, .. } | Call::Resume(queue) => self.queue(queue).pauses.push(one),
            Call::Dead(queue) => {
                if let Some(Answer::Dead(names)) = answer {
                    self.queue(queue).dead.push((one, names));
                }
            }
            Call::LetGo(_) | Call::LetGoBefore { .. } => self.let_go.push(one),
            Call::Configure(_) | Call::Look => {}
            call => {
                let Delivery { task, token } = call.delivery().expect("the rest names deliveries");
                self.story(task).asked.entry(*token).or_default().push(one);
            }
        }
    }

    fn story(&mut self, name: &'a [u8]) -> &mut Story<'a> {
        self.stories.entry(name).or_default()
    }

    fn queue(&mut self, name: &'a [u8]) -> &mut OfQueue<'a> {
        self.queues.entry(name).or_default()
    }

    /// Operations that may have made a task ready that was a dead letter or delayed.
    pub(super) fn kicks<'b>(&'b self, story: &'b Story<'a>) -> impl Iterator<Item = &'b Timed<'a>> {
        let queue = story.put.as_ref().and_then(|(_, task)| self.queues.get(&*task.queue));
        let kicks = queue.into_iter().flat_map(|queue| &queue.kicks);
        let named = story.named.iter();
        let named = named.filter(|one| matches!(one.operation.call, Call::KickOne(_)));
        kicks.chain(named).filter(|one| one.may_be_done())
    }

    /// Operations that may have taken a delivery from its holder because a connection had ended.
    pub(super) fn let_go<'b>(
        &'b self,
        delivered: &'b Delivered<'a>,
    ) -> impl Iterator<Item = &'b Timed<'a>> {
        let holder = delivered.holder;
        let is_of = move |one: &&Timed<'a>| match (&one.operation.call, holder) {
            (Call::LetGo(gone), Some(holder)) => *gone == holder,
            (Call::LetGoBefore { node, life }, Some(holder)) => {
                holder.node == *node && holder.life < *life
            }
            _ => false,
        };
        self.let_go.iter().filter(is_of).filter(|one| one.may_be_done())
    }
}

impl<'a> Story<'a> {
    /// Each delivery and the next one that somebody got.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&Delivered<'a>, &Delivered<'a>)> {
        self.deliveries.iter().zip(self.deliveries.iter().skip(1))
    }

    pub(super) fn asked(&self, token: u64) -> &[Timed<'a>] {
        self.asked.get(&token).map_or(&[], Vec::as_slice)
    }

    /// Those of what was asked for a delivery that may have ended it.
    pub(super) fn ends(&self, token: u64) -> impl Iterator<Item = &Timed<'a>> {
        let asked = self.asked(token).iter();
        let ends = asked.filter(|one| !matches!(one.operation.call, Call::Extend(_)));
        ends.filter(|one| one.may_be_done())
    }

    /// Deletions that may have been done.
    pub(super) fn deletions(&self) -> impl Iterator<Item = &Timed<'a>> {
        let named = self.named.iter();
        let deletions = named.filter(|one| matches!(one.operation.call, Call::Delete(_)));
        deletions.filter(|one| one.may_be_done())
    }

    /// Completions that may have been done.
    pub(super) fn completions(&self) -> impl Iterator<Item = &Timed<'a>> {
        let asked = self.asked.values().flatten();
        let completions = asked.filter(|one| matches!(one.operation.call, Call::Complete(_)));
        completions.filter(|one| one.may_be_done())
    }
}
