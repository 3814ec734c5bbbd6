//! Put and take.

use alloc::{collections::BTreeSet, vec::Vec};

use bytes::Bytes;
use kernel::{Fault, Stamp, Tables};

use super::time::{self, settled};
use crate::{
    AT_ONCE_MAX, TAKE_BYTES_MAX,
    answer::{Answer, Taken},
    command::{Put, Start, Take},
    failure::Failure,
    store::{
        self, View,
        counters::{self, LAST_TASK},
        queues,
        ready::Source,
        tasks,
    },
    task::{Holder, State, Task, TaskId, later},
};

const NS_PER_MS: u64 = 1_000_000;

/// Puts a task, at a time of day that is only for display.
pub(super) fn put(
    put: &Put,
    stamp: Stamp,
    created_wall_ms: u64,
    tables: &mut Tables,
) -> Result<Answer, Fault> {
    if let Some(key) = &put.key
        && let Some(task) = tasks::under_key(tables, &put.queue, key)?
        // It may be forgotten at this very moment.
        && settled(tables, task, stamp)?.is_some()
    {
        return Ok(Answer::Put { task, is_duplicate: true });
    }
    let settings = queues::settings(tables, &put.queue)?;
    if settings.length_max > 0
        && queues::load(tables, &put.queue)?.counts.length() >= settings.length_max
    {
        return Ok(Answer::Failed(Failure::Full));
    }
    let delay_ms = match put.start {
        Start::AtOnce => 0,
        Start::AfterMs(wait_ms) => wait_ms,
        Start::At(at) => at.0.saturating_sub(stamp.0).div_ceil(NS_PER_MS),
    };
    let mut task = Task {
        queue: put.queue.clone(),
        kind: put.kind.clone(),
        key: put.key.clone(),
        priority: put.priority,
        created: stamp,
        created_wall_ms,
        delay_ms,
        lease_ms: put.lease_ms.unwrap_or(settings.lease_ms).max(1),
        retry: put.retry.unwrap_or(settings.retry),
        expires: put.live_ms.map(|live_ms| later(stamp, live_ms.max(1))),
        deliveries: 0,
        failures: 0,
        timeouts: 0,
        releases: 0,
        buries: 0,
        kicks: 0,
        state: State::Ready,
    };
    task.state = time::waiting(tables, &task, stamp)?;
    let id = TaskId(counters::counter(tables, LAST_TASK)? + 1);
    counters::set_counter(tables, LAST_TASK, id.0)?;
    store::insert(tables, id, task, &put.payload)?;
    Ok(Answer::Put { task: id, is_duplicate: false })
}

/// Hands out what is ready.
pub(super) fn take(take: &Take, stamp: Stamp, tables: &mut Tables) -> Result<Answer, Fault> {
    let sources = sources(tables, stamp, &take.queues, &take.kinds)?;
    let firsts = sources.iter().map(|source| source.first(tables));
    let mut firsts = firsts.collect::<Result<Vec<_>, Fault>>()?;
    let count_max = take.count.min(AT_ONCE_MAX);
    let mut taken: Vec<Taken> = Vec::new();
    let mut bytes = 0;
    // A ready task may have expired without a tick yet; few turns are spent on those.
    for _ in 0..count_max.saturating_mul(2) {
        let ready = (0_usize..).zip(&firsts).filter_map(|(place, first)| Some(((*first)?, place)));
        let Some(((_, id), place)) = ready.min() else {
            break;
        };
        if let Some(task) = settled(tables, id, stamp)?
            && task.state == State::Ready
        {
            let payload = tasks::payload(tables, id)?;
            bytes += payload.len();
            if !taken.is_empty() && bytes > TAKE_BYTES_MAX {
                break;
            }
            taken.push(reserve(tables, id, &task, payload, (take.lease_ms, take.holder), stamp)?);
        }
        if taken.len() == count_max as usize {
            break;
        }
        firsts[place] = sources[place].first(tables)?;
    }
    Ok(Answer::Taken { stamp, tasks: taken })
}

/// From where a take of these queues and types takes at `stamp`, each place once.
pub(crate) fn sources(
    view: &impl View,
    stamp: Stamp,
    names: &[Bytes],
    kinds: &[Bytes],
) -> Result<Vec<Source>, Fault> {
    let (names, kinds): (BTreeSet<_>, BTreeSet<_>) =
        (names.iter().collect(), kinds.iter().collect());
    let mut sources = Vec::new();
    for name in names {
        let is_open = queues::find(view, name)?
            .is_some_and(|queue| queue.counts.ready > 0 && !queue.is_paused(stamp));
        if is_open && kinds.is_empty() {
            sources.push(Source::of_queue(name));
        } else if is_open {
            sources.extend(kinds.iter().map(|kind| Source::of_type(name, kind)));
        }
    }
    Ok(sources)
}

/// Hands out one task, wherever it waits.
pub(super) fn take_one(
    id: TaskId,
    lease: (Option<u64>, Option<Holder>),
    stamp: Stamp,
    tables: &mut Tables,
) -> Result<Answer, Fault> {
    let Some(task) = settled(tables, id, stamp)? else {
        return Ok(Answer::Failed(Failure::NotFound));
    };
    match task.state {
        State::Ready | State::Delayed { .. } | State::Buried { .. } => {}
        State::Reserved { .. } => return Ok(Answer::Failed(Failure::Reserved)),
        State::Completed { .. } | State::Expired { .. } => {
            return Ok(Answer::Failed(Failure::WrongState));
        }
    }
    let payload = tasks::payload(tables, id)?;
    let taken = reserve(tables, id, &task, payload, lease, stamp)?;
    Ok(Answer::Taken { stamp, tasks: alloc::vec![taken] })
}

fn reserve(
    tables: &mut Tables,
    id: TaskId,
    task: &Task,
    payload: Bytes,
    (lease_ms, holder): (Option<u64>, Option<Holder>),
    stamp: Stamp,
) -> Result<Taken, Fault> {
    assert!(!task.state.is_reserved(), "nobody gets what somebody holds");
    let lease_ms = lease_ms.unwrap_or(task.lease_ms).max(1);
    let due = later(stamp, lease_ms);
    let mut after = task.clone();
    after.deliveries += 1;
    after.state = State::Reserved { since: stamp, due, lease_ms, holder };
    let after = store::replace(tables, id, task, after)?;
    Ok(Taken {
        task: id,
        token: after.deliveries,
        due,
        queue: after.queue,
        kind: after.kind,
        priority: after.priority,
        failures: after.failures,
        payload,
    })
}
