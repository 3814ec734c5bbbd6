//! Settings and pauses of queues.

use bytes::Bytes;
use kernel::{Fault, Stamp, Tables, Wire};

use crate::{
    answer::Answer,
    settings::Settings,
    store::{
        self,
        dates::{self, DateKind, Due},
        queues::{self, Queue, SETTINGS},
    },
    task::later,
};

/// A pause that ends only when somebody ends it.
const FOR_EVER: Stamp = Stamp(u64::MAX);

/// Gives a queue settings of its own, or takes them away.
pub(super) fn configure(
    name: &Bytes,
    settings: Option<&Settings>,
    stamp: Stamp,
    tables: &mut Tables,
) -> Result<Answer, Fault> {
    match settings {
        Some(settings) => tables.put(SETTINGS, name, &settings.to_bytes())?,
        None => tables.delete(SETTINGS, name).map(drop)?,
    }
    let mut queue = queues::load(tables, name)?;
    store::watch_idle(tables, name, &mut queue, stamp)?;
    queues::save(tables, name, &queue)?;
    Ok(Answer::Done)
}

/// Lets nothing be taken from a queue for a while.
pub(super) fn pause(
    name: &Bytes,
    for_ms: Option<u64>,
    stamp: Stamp,
    tables: &mut Tables,
) -> Result<Answer, Fault> {
    let mut queue = queues::load(tables, name)?;
    drop_pause(name, &mut queue, tables)?;
    let until = for_ms.map_or(FOR_EVER, |for_ms| later(stamp, for_ms));
    if until > stamp {
        queue.paused_until = Some(until);
        if until < FOR_EVER {
            dates::add(tables, DateKind::Comes, until, &Due::Pause(name.clone()))?;
        }
    }
    queue.counts.pauses += 1;
    store::watch_idle(tables, name, &mut queue, stamp)?;
    queues::save(tables, name, &queue)?;
    Ok(Answer::Done)
}

/// Ends the pause of a queue.
pub(super) fn resume(name: &Bytes, stamp: Stamp, tables: &mut Tables) -> Result<Answer, Fault> {
    end_pause(name, stamp, tables)?;
    Ok(Answer::Done)
}

/// Ends the pause of a queue, if it has one.
pub(super) fn end_pause(name: &Bytes, stamp: Stamp, tables: &mut Tables) -> Result<(), Fault> {
    let Some(mut queue) = queues::find(tables, name)? else {
        return Ok(());
    };
    drop_pause(name, &mut queue, tables)?;
    store::watch_idle(tables, name, &mut queue, stamp)?;
    queues::save(tables, name, &queue)
}

fn drop_pause(name: &Bytes, queue: &mut Queue, tables: &mut Tables) -> Result<(), Fault> {
    match queue.paused_until.take() {
        Some(until) if until < FOR_EVER => {
            dates::remove(tables, DateKind::Comes, until, &Due::Pause(name.clone()))
        }
        _ => Ok(()),
    }
}
