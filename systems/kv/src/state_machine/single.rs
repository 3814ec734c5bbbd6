//! The commands of the course's interface: one key, with an expectation.

use bytes::Bytes;
use kernel::{Fault, Tables};

use crate::{
    answer::Answer,
    command::Expect,
    item::LeaseId,
    store::{self, Head, View, items},
    write::Write,
};

/// Sets a key to a value.
pub(super) fn put(
    key: &Bytes,
    value: &Bytes,
    expect: &Expect,
    tables: &mut Tables,
) -> Result<Answer, Fault> {
    let present = items::head(tables, key)?;
    if !is_met(tables, expect, present)? {
        return Ok(mismatch(present));
    }
    let mut write = Write::begin(tables)?;
    let head = write.put(key, value, LeaseId::NONE, present)?;
    let revision = write.end()?;
    let previous_revision = present.map(|head| head.modified);
    Ok(Answer::Put { revision, version: head.version, previous_revision })
}

/// Removes a key.
pub(super) fn delete(key: &Bytes, expect: &Expect, tables: &mut Tables) -> Result<Answer, Fault> {
    let present = items::head(tables, key)?;
    if !is_met(tables, expect, present)? {
        return Ok(mismatch(present));
    }
    let Some(present) = present else {
        return Ok(Answer::Deleted { was_there: false, revision: store::revision(tables)? });
    };
    let mut write = Write::begin(tables)?;
    write.delete(key, present)?;
    Ok(Answer::Deleted { was_there: true, revision: write.end()? })
}

fn mismatch(present: Option<Head>) -> Answer {
    Answer::Mismatch { current: present.map(|head| head.modified) }
}

fn is_met(view: &impl View, expect: &Expect, present: Option<Head>) -> Result<bool, Fault> {
    Ok(match (expect, present) {
        (Expect::Any, _) | (Expect::Absent, None) => true,
        (Expect::Value(expected), Some(head)) => *expected == head.value(view)?,
        (Expect::Revision(expected), Some(head)) => *expected == head.modified,
        (Expect::Revision(expected), None) => *expected == 0,
        (Expect::Absent, Some(_)) | (Expect::Value(_), None) => false,
    })
}
