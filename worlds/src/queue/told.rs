//! What the queue's answers say, in the words of the judge.

use check::queue::{Answer as Told, Call, Delivery, Taken};
use kernel::{Bytes, Wire};
use queue::{Answer, Counts, Failure, State};

/// What the answer to `call` says.
///
/// # Errors
/// What is wrong with it.
pub(super) fn told(call: &Call, answer: Bytes) -> Result<Told, String> {
    let answer = Answer::from_bytes(answer).map_err(|malformed| malformed.to_string())?;
    let told = match answer {
        Answer::Put { task, is_duplicate } => Told::Accepted { number: task.0, is_duplicate },
        Answer::Taken { stamp, tasks } => {
            Told::Taken { stamp_ns: stamp.0, tasks: tasks.into_iter().map(taken).collect() }
        }
        Answer::Now(state) => now(call, state)?,
        Answer::Done => Told::Done,
        Answer::Kicked { count, .. } | Answer::Count { count, .. } => Told::Count(count.into()),
        Answer::Failed(Failure::Full) if matches!(call, Call::Put(_)) => Told::NotHeld,
        Answer::Failed(_) if !matches!(call, Call::Put(_)) => Told::NotHeld,
        Answer::Page { tasks, more: false } => {
            Told::Dead(tasks.into_iter().map(|task| name(&task.payload)).collect())
        }
        Answer::Totals { stamp, counts } => looked(stamp.0, &counts),
        other => return Err(format!("{other:?}")),
    };
    if call.fits(&told) { Ok(told) } else { Err(format!("{told:?}")) }
}

fn taken(task: queue::Taken) -> Taken {
    Taken {
        delivery: Delivery { task: name(&task.payload), token: task.token },
        number: task.task.0,
        priority: task.priority,
        failures: task.failures.into(),
        due_ns: task.due.0,
    }
}

/// Where a task stands after what its holder asked.
fn now(call: &Call, state: State) -> Result<Told, String> {
    Ok(match (call, state) {
        (Call::KickOne(_), State::Ready) => Told::Done,
        (_, State::Ready) => Told::Waits { until_ns: None },
        (_, State::Delayed { until }) => Told::Waits { until_ns: Some(until.0) },
        (_, State::Reserved { due, .. }) => Told::Extended { due_ns: due.0 },
        (_, State::Buried { .. }) => Told::Buried,
        (_, State::Completed { at, .. }) => Told::Completed { stamp_ns: at.0 },
        (_, State::Expired { .. }) => Told::Expired,
    })
}

const fn looked(stamp_ns: u64, counts: &Counts) -> Told {
    let (ready, open) = (counts.ready, counts.length());
    let (timeouts, expired) = (counts.timeouts, counts.expirations);
    Told::Looked { stamp_ns, ready, open, timeouts, expired }
}

/// A payload is its task's name and what makes it heavy.
fn name(payload: &[u8]) -> Vec<u8> {
    payload.split(|byte| *byte == b'.').next().unwrap_or_default().to_vec()
}
