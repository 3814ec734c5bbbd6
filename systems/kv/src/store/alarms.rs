//! Alarms: kind u8, then the member u64, the largest byte first ─▶ nothing.

use alloc::vec::Vec;

use kernel::{Fault, Malformed, TableId, Tables};

use super::{View, corrupt};
use crate::alarm::{Alarm, AlarmKind};

/// The alarms.
pub(crate) const ALARMS: TableId = TableId(26);

/// All alarms, those of a kind together.
pub(crate) fn all(view: &impl View) -> Result<Vec<Alarm>, Fault> {
    let rows = view.scan(ALARMS, &[], None, usize::MAX)?;
    rows.iter().map(|(key, _)| decode(key)).collect()
}

pub(crate) fn is_raised(view: &impl View, alarm: Alarm) -> Result<bool, Fault> {
    Ok(view.get(ALARMS, &key(alarm))?.is_some())
}

pub(crate) fn raise(tables: &mut Tables, alarm: Alarm) -> Result<(), Fault> {
    tables.put(ALARMS, &key(alarm), &[])
}

/// False if there was none.
pub(crate) fn disarm(tables: &mut Tables, alarm: Alarm) -> Result<bool, Fault> {
    tables.delete(ALARMS, &key(alarm))
}

fn key(alarm: Alarm) -> [u8; 9] {
    let mut key = [alarm.kind.number(); 9];
    key[1..].copy_from_slice(&alarm.member.to_be_bytes());
    key
}

fn decode(key: &[u8]) -> Result<Alarm, Fault> {
    let malformed = || corrupt(Malformed("an alarm's kind and member"));
    let (kind, member) = key.split_first().ok_or_else(malformed)?;
    let kind = match kind {
        1 => AlarmKind::NoSpace,
        2 => AlarmKind::Corrupt,
        _ => return Err(malformed()),
    };
    let member = member.try_into().map_err(|_| malformed())?;
    Ok(Alarm { kind, member: u64::from_be_bytes(member) })
}
