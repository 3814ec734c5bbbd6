//! The command or the query that a call becomes.

use check::queue::{Call, Holder, Task};
use kernel::{Bytes, Incarnation, NodeId, Session, Wire};
use queue::{Claim, Command, PAGE_TASKS_MAX, Put, Query, Sleepers, Start, Take};
use raft::Request;
use sim::Asked;

use super::{draw::Habits, workers::Asking};

pub(super) const MILLISECOND: u64 = 1_000_000;

/// The request of a call, and the query for when it may be read.
pub(super) fn ask(asking: &Asking, habits: &Habits, session: Option<Session>) -> Asked<Request> {
    if let Some(query) = query(&asking.call) {
        return Asked { request: Request::Read, query: Some(query.to_bytes()) };
    }
    let data = command(asking, habits).to_bytes();
    Asked { request: Request::Command { data, session }, query: None }
}

fn query(call: &Call) -> Option<Query> {
    match call {
        Call::Dead(queue) => {
            Some(Query::Dead { queue: bytes(queue), from: 0, limit: PAGE_TASKS_MAX })
        }
        Call::Look => Some(Query::Totals),
        _ => None,
    }
}

fn command(asking: &Asking, habits: &Habits) -> Command {
    match &asking.call {
        Call::Put(task) => Command::Put(put(asking, task)),
        Call::Take { queues, count, holder } => Command::Take(Take {
            queues: queues.iter().map(|queue| bytes(queue)).collect(),
            kinds: Vec::new(),
            count: u32::try_from(*count).expect("few at once"),
            lease_ms: asking.lease_ms,
            holder: holder.map(to_holder),
        }),
        Call::Delete(_) => Command::Delete { task: asking.task, claim: None },
        Call::KickOne(_) => Command::KickOne { task: asking.task },
        Call::Kick(queue) => {
            Command::Kick { queue: bytes(queue), sleepers: Sleepers::Any, count: u32::MAX }
        }
        Call::LetGo(holder) => Command::LetGo { holder: to_holder(*holder) },
        Call::LetGoBefore { node, life } => {
            Command::LetGoBefore { node: NodeId(*node), incarnation: Incarnation(*life) }
        }
        Call::Pause { queue, for_ns } => Command::Pause {
            queue: bytes(queue),
            for_ms: for_ns.map(|for_ns| for_ns / MILLISECOND),
        },
        Call::Resume(queue) => Command::Resume { queue: bytes(queue) },
        Call::Configure(queue) => {
            Command::Configure { queue: bytes(queue), settings: Some(habits.settings) }
        }
        call => of_holder(asking, call),
    }
}

/// What the holder of a delivery asks.
fn of_holder(asking: &Asking, call: &Call) -> Command {
    let delivery = call.delivery().expect("all others name no delivery");
    let by_token = Claim::Token(delivery.token);
    let claim = asking.holder.map_or(by_token, |holder| Claim::Holder(to_holder(holder)));
    let (task, said) = (asking.task, Bytes::from(asking.padding.clone()));
    match call {
        Call::Complete(_) => Command::Complete { task, claim, result: said },
        Call::Extend(_) => Command::Extend { task, claim, lease_ms: None },
        Call::Release { delay_ns, .. } => {
            let delay_ms = delay_ns / MILLISECOND;
            Command::Release { task, claim, priority: asking.priority, delay_ms }
        }
        Call::Bury(_) => Command::Bury { task, claim, priority: asking.priority, error: said },
        _ => Command::Fail { task, claim, error: said },
    }
}

fn put(asking: &Asking, task: &Task) -> Put {
    let ms = |ns: u64| ns / MILLISECOND;
    let payload = [&task.name[..], b".", &asking.padding].concat();
    Put {
        queue: bytes(&task.queue),
        kind: Bytes::new(),
        key: task.key.as_ref().map(|key| bytes(key)),
        payload: payload.into(),
        priority: task.priority,
        start: match task.delay_ns {
            0 => Start::AtOnce,
            delay_ns => Start::AfterMs(ms(delay_ns)),
        },
        lease_ms: asking.lease_ms,
        retry: Some(queue::Retry {
            attempts_max: u32::try_from(task.retry.attempts_max).expect("few attempts"),
            first_ms: ms(task.retry.first_ns),
            limit_ms: ms(task.retry.limit_ns),
            jitter_percent: u8::try_from(task.retry.jitter_percent).expect("a small share"),
        }),
        live_ms: task.live_ns.map(ms),
    }
}

fn to_holder(holder: Holder) -> queue::Holder {
    queue::Holder {
        node: NodeId(holder.node),
        incarnation: Incarnation(holder.life),
        connection: holder.connection,
    }
}

fn bytes(name: &[u8]) -> Bytes {
    Bytes::copy_from_slice(name)
}
