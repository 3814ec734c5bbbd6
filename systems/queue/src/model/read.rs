//! Queries of the model.

use alloc::{boxed::Box, vec::Vec};

use bytes::Bytes;

use super::Model;
use crate::{
    answer::{Answer, Details, Held, Report},
    failure::Invalid,
    query::{Query, Standing, page_limit},
    task::{State, TaskId},
};

/// How many attempts of a task are shown.
const ATTEMPTS_MAX: usize = 8;

impl Model {
    /// Answers a query.
    #[must_use]
    pub fn query(&self, query: &Query) -> Answer {
        if let Some(invalid) = refuse(query) {
            return Answer::Invalid(invalid);
        }
        match query {
            Query::Get { task } => self.found(Some(*task)),
            Query::First { queue, standing } => self.found(match standing {
                Standing::Ready => {
                    let of_queue = |id: &&TaskId| self.tasks[*id].task.queue == *queue;
                    let is_ready = |id: &&TaskId| self.tasks[*id].task.state == State::Ready;
                    let ready = self.tasks.keys().filter(of_queue).filter(is_ready);
                    ready.min_by_key(|id| (self.tasks[*id].task.priority, **id)).copied()
                }
                Standing::Delayed => self.delayed(queue).first().copied(),
                Standing::Buried => self.buried(queue).first().copied(),
            }),
            Query::Dead { queue, from, limit } => self.dead(queue, *from, page_limit(*limit)),
            Query::Queue { queue } => match self.queues.get(queue) {
                None => Answer::Missing,
                Some(known) => Answer::Queue(Report {
                    queue: queue.clone(),
                    stamp: self.now,
                    counts: self.counts(queue),
                    settings: self.settings(queue),
                    paused_until: known.paused_until.filter(|until| *until > self.now),
                }),
            },
            Query::Queues { after, limit } => {
                let names = self.queues.keys().filter(|name| Some(*name) > after.as_ref());
                let mut names: Vec<Bytes> = names.cloned().collect();
                let more = names.len() > page_limit(*limit);
                names.truncate(page_limit(*limit));
                Answer::Names { names, more }
            }
            Query::Totals => {
                let mut counts = self.gone;
                self.queues.keys().for_each(|name| counts.add(&self.counts(name)));
                Answer::Totals { stamp: self.now, counts }
            }
            Query::Held { holder } => {
                let held = self.tasks.iter().filter_map(|(id, item)| match item.task.state {
                    State::Reserved { holder: Some(other), due, .. } if other == *holder => {
                        Some(Held { task: *id, due })
                    }
                    _ => None,
                });
                Answer::Held { stamp: self.now, tasks: held.take(crate::HELD_MAX).collect() }
            }
            Query::Ready { queues, kinds } => {
                Answer::Ready(self.next_ready(queues, kinds).is_some())
            }
        }
    }

    fn found(&self, id: Option<TaskId>) -> Answer {
        let details = id.and_then(|id| self.details(id));
        details.map_or(Answer::Missing, |details| Answer::Found(Box::new(details)))
    }

    fn details(&self, id: TaskId) -> Option<Details> {
        let item = self.tasks.get(&id)?;
        let hidden = item.attempts.len().saturating_sub(ATTEMPTS_MAX);
        Some(Details {
            id,
            stamp: self.now,
            task: item.task.clone(),
            payload: item.payload.clone(),
            result: item.result.clone(),
            attempts: item.attempts[hidden..].to_vec(),
        })
    }

    fn dead(&self, queue: &Bytes, from: u64, limit: usize) -> Answer {
        let is_behind = |details: &Details| match details.task.state {
            State::Buried { place } => place >= from,
            _ => false,
        };
        let details = self.buried(queue).into_iter().filter_map(|id| self.details(id));
        let (mut tasks, mut bytes) = (Vec::new(), 0);
        for details in details.filter(is_behind) {
            bytes += details.payload.len();
            if tasks.len() == limit || (bytes > crate::PAGE_BYTES_MAX && !tasks.is_empty()) {
                return Answer::Page { tasks, more: true };
            }
            tasks.push(details);
        }
        Answer::Page { tasks, more: false }
    }
}

fn refuse(query: &Query) -> Option<Invalid> {
    let is_name = |name: &Bytes| (1..=crate::NAME_BYTES_MAX).contains(&name.len());
    match query {
        Query::First { queue, .. } | Query::Dead { queue, .. } | Query::Queue { queue } => {
            (!is_name(queue)).then_some(Invalid::QueueName)
        }
        Query::Ready { queues, kinds } => {
            if !queues.iter().chain(kinds).all(is_name) {
                Some(Invalid::QueueName)
            } else {
                (queues.len() * kinds.len().max(1) > crate::QUEUES_MAX).then_some(Invalid::TooMany)
            }
        }
        _ => None,
    }
}
