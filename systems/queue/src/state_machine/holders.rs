//! Connections that have ended let go of what they hold.

use core::ops::Range;

use bytes::Bytes;
use kernel::{Fault, Incarnation, NodeId, Stamp, Tables};

use super::time::{self, settled};
use crate::{
    AT_ONCE_MAX,
    answer::Answer,
    attempt::AttemptEnd,
    store::{
        dates::{self, DateKind, Due},
        holders,
    },
    task::{Holder, State},
};

/// A connection has ended.
pub(super) fn let_go(holder: Holder, stamp: Stamp, tables: &mut Tables) -> Result<Answer, Fault> {
    let_go_of(&holders::only(holder), stamp, tables)
}

/// All connections of a node's earlier lives have ended.
pub(super) fn let_go_before(
    node: NodeId,
    incarnation: Incarnation,
    stamp: Stamp,
    tables: &mut Tables,
) -> Result<Answer, Fault> {
    let_go_of(&holders::before(node, incarnation), stamp, tables)
}

fn let_go_of(range: &Range<Holder>, stamp: Stamp, tables: &mut Tables) -> Result<Answer, Fault> {
    let (count, more) = release_some(range, stamp, AT_ONCE_MAX as usize, tables)?;
    let count = u32::try_from(count).expect("one entry does a bounded number");
    Ok(Answer::Count { count, more })
}

/// Lets these connections go of so many tasks; if there are more, they go at the next tick. Gives how many
/// went, and whether there are more.
pub(super) fn release_some(
    range: &Range<Holder>,
    stamp: Stamp,
    limit: usize,
    tables: &mut Tables,
) -> Result<(usize, bool), Fault> {
    let held = holders::held(tables, range, limit + 1)?;
    let more = held.len() > limit;
    let mut count = 0;
    for id in held.into_iter().take(limit) {
        let task = settled(tables, id, stamp)?;
        // Its lease may have ended by itself.
        if let Some(task) = task
            && matches!(task.state, State::Reserved { holder: Some(holder), .. } if range.contains(&holder))
        {
            time::fail(tables, id, &task, stamp, AttemptEnd::Lost, &Bytes::new())?;
            count += 1;
        }
    }
    if more {
        dates::add(tables, DateKind::Comes, stamp, &Due::LetGo(range.clone()))?;
    }
    Ok((count, more))
}
