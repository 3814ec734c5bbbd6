//! Raising and disarming alarms.

use alloc::{vec, vec::Vec};

use kernel::{Fault, Tables};

use crate::{
    alarm::Alarm,
    answer::Answer,
    store::{self, alarms, guards},
};

/// Raises an alarm; again, if it is raised already.
pub(super) fn raise(alarm: Alarm, tables: &mut Tables) -> Result<Answer, Fault> {
    if !alarms::is_raised(tables, alarm)? {
        alarms::raise(tables, alarm)?;
        guards::set(tables, guards::of(alarm.kind), true)?;
    }
    Ok(Answer::Alarms { revision: store::revision(tables)?, alarms: vec![alarm] })
}

/// Disarms an alarm. What it stood for goes on once no other member has one of its kind.
pub(super) fn disarm(alarm: Alarm, tables: &mut Tables) -> Result<Answer, Fault> {
    let mut disarmed = Vec::new();
    if alarms::disarm(tables, alarm)? {
        disarmed.push(alarm);
        let is_up = alarms::all(tables)?.iter().any(|other| other.kind == alarm.kind);
        guards::set(tables, guards::of(alarm.kind), is_up)?;
    }
    Ok(Answer::Alarms { revision: store::revision(tables)?, alarms: disarmed })
}
