//! Answers as the scripts show them.

use std::fmt::Write as _;

use kv::{Access, Alarm, Answer, Found, Item, Keys, Permission, Replies, ReplyKind};

/// Longer texts are shown as their first byte and their length.
const SHOWN_BYTES_MAX: usize = 40;

/// An answer, in a line or a few.
pub(crate) fn show(answer: &Answer) -> String {
    match answer {
        Answer::Put { revision, version, previous_revision } => {
            let before = previous_revision
                .map_or_else(|| "new".to_owned(), |before| format!("before at revision {before}"));
            format!("put at revision {revision}, version {version}, {before}")
        }
        Answer::Deleted { was_there: true, revision } => format!("deleted at revision {revision}"),
        Answer::Deleted { was_there: false, revision } => {
            format!("was not there, revision stays {revision}")
        }
        Answer::Mismatch { current: Some(revision) } => {
            format!("mismatch, last changed at revision {revision}")
        }
        Answer::Mismatch { current: None } => "mismatch, not there".to_owned(),
        Answer::Found(item) => show_item(item),
        Answer::Missing => "missing".to_owned(),
        Answer::Page { items, more } => {
            let plural = if items.len() == 1 { "" } else { "s" };
            let mut shown = format!("{} item{plural}", items.len());
            for item in items {
                let _ = write!(shown, "\n  {}", show_item(item));
            }
            if *more {
                shown += "\n  and more";
            }
            shown
        }
        Answer::Invalid(invalid) => format!("invalid: {invalid}"),
        Answer::Failed(failure) => format!("failed: {failure}"),
        Answer::Done { revision, replies } => {
            format!("revision {revision}, {}", show_replies(replies, 1))
        }
        Answer::Read { found, .. } => show_found(found, 1),
        Answer::Revision(revision) => format!("done, revision {revision}"),
        Answer::Granted { lease, seconds, .. } => format!("lease {} for {seconds} s", lease.0),
        Answer::Left { seconds, granted, keys, .. } => {
            let keys: Vec<String> = keys.iter().map(|key| show_bytes(key)).collect();
            format!("{seconds} s of {granted} left, keys: {}", keys.join(" "))
        }
        Answer::Leases { leases, .. } => {
            let leases: Vec<String> = leases.iter().map(|lease| lease.0.to_string()).collect();
            format!("leases: {}", leases.join(" "))
        }
        Answer::Names { names, .. } => format!("names: {}", names.join(" ")),
        Answer::Permitted { permissions, .. } => {
            let permissions: Vec<String> = permissions.iter().map(show_permission).collect();
            format!("may {}", permissions.join(", "))
        }
        Answer::Standing { is_on, auth_revision, .. } => {
            format!(
                "authentication {}, revision {auth_revision}",
                if *is_on { "on" } else { "off" }
            )
        }
        Answer::Alarms { alarms, .. } => {
            let show = |alarm: &Alarm| format!("{:?} of {}", alarm.kind, alarm.member);
            let alarms: Vec<String> = alarms.iter().map(show).collect();
            format!("alarms: {}", alarms.join(", "))
        }
    }
}

fn show_permission(permission: &Permission) -> String {
    let access = match permission.access {
        Access::Read => "read",
        Access::Write => "write",
        Access::ReadWrite => "read and write",
    };
    let keys = match &permission.keys {
        Keys::One(key) => show_bytes(key),
        Keys::Range(first, end) => format!("{}..{}", show_bytes(first), show_bytes(end)),
        Keys::From(first) => format!("{}..", show_bytes(first)),
    };
    format!("{access} {keys}")
}

fn show_replies(replies: &Replies, depth: usize) -> String {
    let mut shown = String::from(if replies.succeeded { "succeeded" } else { "failed" });
    for reply in &replies.replies {
        let kind = match &reply.kind {
            ReplyKind::Range(found) => show_found(found, depth + 1),
            ReplyKind::Put(None) => "put".to_owned(),
            ReplyKind::Put(Some(previous)) => format!("put, before {}", show_item(previous)),
            ReplyKind::Deleted { count, previous } => {
                let previous: Vec<String> = previous.iter().map(show_item).collect();
                format!("deleted {count} {}", previous.join(", "))
            }
            ReplyKind::Transaction(inner) => show_replies(inner, depth + 1),
        };
        let _ = write!(shown, "\n{}@{} {}", "  ".repeat(depth), reply.revision, kind.trim_end());
    }
    shown
}

fn show_found(found: &Found, depth: usize) -> String {
    let more = if found.more { ", and more" } else { "" };
    let mut shown = format!("{} of {}{more}", found.items.len(), found.count);
    for item in &found.items {
        let _ = write!(shown, "\n{}{}", "  ".repeat(depth), show_item(item));
    }
    shown
}

fn show_item(item: &Item) -> String {
    let Item { key, value, created, modified, version, lease } = item;
    let (key, value) = (show_bytes(key), show_bytes(value));
    let lease = if lease.is_some() { format!(", lease {}", lease.0) } else { String::new() };
    format!("{key} = {value}  created {created}, modified {modified}, version {version}{lease}")
}

fn show_bytes(bytes: &[u8]) -> String {
    match bytes {
        [first, ..] if bytes.len() > SHOWN_BYTES_MAX => {
            format!("{}... of {} bytes", first.escape_ascii(), bytes.len())
        }
        _ => format!("\"{}\"", bytes.escape_ascii()),
    }
}
