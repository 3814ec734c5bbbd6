//! What etcd 3.4.23 keeps in its buckets, byte for byte, as observed in its snapshots. It is checked here of each
//! snapshot that the tests save; an export and an import can be written from it.
//!
//! ```text
//! bucket           key                                  value
//! ───────────────  ───────────────────────────────────  ────────────────────────────────────────────────────────
//! key              revision u64, '_', number u64        KeyValue  1 key bytes       2 create revision
//!                                                                 3 mod revision    4 version
//!                                                                 5 value bytes     6 lease
//!                  the same, 't': the key was deleted   KeyValue  1 key bytes
//! meta             consistent_index                     u64: the last entry of the log that is in here
//!                  scheduledCompactRev                  revision u64, '_', 0 u64
//!                  finishedCompactRev                   the same
//! lease            id u64                               Lease     1 id              2 granted TTL in seconds
//! auth             authEnabled                          one byte, 1
//!                  authRevision                         u64, from 1; grows with each change of users and roles
//! authUsers        name                                 User      1 name            2 password, as bcrypt's text
//!                                                                 3 role, each      4 options  1 no password
//! authRoles        name                                 Role      1 name            2 permission, each
//!                                                         permission  1 type (0 read, 1 write, 2 both)
//!                                                                     2 key bytes   3 end of the range
//! members          id, hexadecimal                      JSON: id, peerURLs, isLearner, name, clientURLs
//! members_removed  id, hexadecimal                      the text `removed`
//! cluster          clusterVersion                       the text `3.4.0`
//! alarm            AlarmMember  1 member  2 alarm       empty
//! ```
//! Numbers that stand alone are big-endian. What has numbered fields is a protobuf message; a field that is zero or
//! empty is left out, save the empty options of a user.
//!
//! - `key`: the first put of a cluster has revision 2. All requests of a transaction have one revision, and the number
//!   counts them from 0. The create revision is that of the first put since the key was last deleted, and the
//!   version counts the puts since then, from 1.
//! - A compaction leaves of each key the last put at or below its revision, unless that is a deletion, and all that
//!   comes later. What it takes is gone some time after the answer.
//! - `meta` is empty until the first change; the two revisions are there from the first compaction on.
//! - `lease`: which keys hang on a lease is told only by `key`. A third field, the remaining TTL, comes only where
//!   checkpoints of leases are on (from etcd's sources, not observed).
//! - `auth`: `authEnabled` is there once it was enabled. The password's text begins with `$2a$10$`. A user without
//!   one has no field 2 and the options `1: 1`. The end of a range is missing for one key, and is a zero byte
//!   for all keys from there on.
//! - `members`: empty fields are left out of the JSON, and ids have no leading zeros.
//! - `alarm`: 1 is no space, 2 is corrupt (the second from etcd's sources, not observed).
//! - All ten buckets are there from the start, and all but `key` are small and inline.
//! - A snapshot names no freelist (its page is 2^64 - 1), and its metas have the transactions n and n - 1.
//! - Restoring sets `consistent_index` to 1 for a cluster of one member: entries of the old log mean nothing to the new
//!   one. It adds the new member and leaves the old ones in `members`, where nothing reads them any more. So the
//!   `members` of a snapshot may be more than the cluster has: an import must not take them for it.
//! - Where `key` and `meta` are all that there is, etcd makes the rest (`export.rs`).

use super::protobuf::{Field, Fields, decode, encode};
use crate::model::{Model, Pairs};

const BUCKETS: [&str; 10] = [
    "alarm",
    "auth",
    "authRoles",
    "authUsers",
    "cluster",
    "key",
    "lease",
    "members",
    "members_removed",
    "meta",
];

/// Asserts that all that is there is as described above.
pub(crate) fn assert_is_known(model: &Model) {
    let names: Vec<_> = model.keys().map(|name| text(name)).collect();
    assert_eq!(names, BUCKETS);
    for (name, pairs) in model {
        let is_known: fn(&[u8], &[u8]) -> bool = match &name[..] {
            b"key" => is_revision,
            b"meta" => is_meta,
            b"lease" => is_lease,
            b"auth" => is_auth,
            b"authUsers" => is_user,
            b"authRoles" => is_role,
            b"members" => is_member,
            b"members_removed" => |key, value| is_member_id(key) && value == b"removed",
            b"cluster" => |key, value| key == b"clusterVersion" && value == b"3.4.0",
            b"alarm" => |key, value| numbers(&decode(key)) == [1, 2] && value.is_empty(),
            _ => |_, _| false,
        };
        for (key, value) in pairs {
            assert!(is_known(key, value), "{} holds {key:?}: {value:?}", text(name));
        }
    }
    assert_revisions_ascend(&model[&b"key"[..]]);
}

/// True if a key of the bucket `key` tells of a deletion.
pub(crate) fn is_tombstone(revision: &[u8]) -> bool {
    revision.len() == 18
}

/// The key in a message of the bucket `key`.
pub(crate) fn key_of(value: &[u8]) -> Vec<u8> {
    match decode(value).first() {
        Some((1, Field::Bytes(key))) => key.clone(),
        other => panic!("a KeyValue begins with its key, not with {other:?}"),
    }
}

fn is_revision(key: &[u8], value: &[u8]) -> bool {
    let fields = decode(value);
    if encode(&fields) != value || key[8] != b'_' {
        return false;
    }
    match key.len() {
        18 => key[17] == b't' && numbers(&fields) == [1],
        17 => {
            let mod_revision = fields[2].1 == Field::Number(number(&key[..8]));
            let without_lease = &numbers(&fields)[..];
            mod_revision && matches!(without_lease, [1, 2, 3, 4, 5] | [1, 2, 3, 4, 5, 6])
        }
        _ => false,
    }
}

/// No revision is below 2, and within one the numbers ascend.
fn assert_revisions_ascend(pairs: &Pairs) {
    let mut last = (1, 0);
    for key in pairs.keys() {
        let at = (number(&key[..8]), number(&key[9..17]));
        assert!(at > last, "{at:?} after {last:?}");
        last = at;
    }
}

fn is_meta(key: &[u8], value: &[u8]) -> bool {
    match key {
        b"consistent_index" => value.len() == 8,
        b"scheduledCompactRev" | b"finishedCompactRev" => {
            value.len() == 17 && value[8..] == *b"_\0\0\0\0\0\0\0\0"
        }
        _ => false,
    }
}

fn is_lease(key: &[u8], value: &[u8]) -> bool {
    let fields = decode(value);
    let id = Field::Number(number(key));
    key.len() == 8 && numbers(&fields) == [1, 2] && fields[0].1 == id && encode(&fields) == value
}

fn is_auth(key: &[u8], value: &[u8]) -> bool {
    match key {
        b"authEnabled" => matches!(value, [0 | 1]),
        b"authRevision" => value.len() == 8,
        _ => false,
    }
}

fn is_user(key: &[u8], value: &[u8]) -> bool {
    let fields = decode(value);
    let is_name = fields[0] == (1, Field::Bytes(key.to_vec()));
    let no_password = encode(&vec![(1, Field::Number(1))]);
    let has_password = fields[1].0 == 2;
    let options = if has_password { Vec::new() } else { no_password };
    is_name && fields.last() == Some(&(4, Field::Bytes(options)))
}

fn is_role(key: &[u8], value: &[u8]) -> bool {
    let fields = decode(value);
    let is_name = fields[0] == (1, Field::Bytes(key.to_vec()));
    let is_permission = |(number, field): &(u64, Field)| match field {
        Field::Bytes(bytes) => *number == 2 && decode(bytes).iter().all(|(part, _)| *part <= 3),
        Field::Number(_) => false,
    };
    is_name && fields[1..].iter().all(is_permission)
}

fn is_member(key: &[u8], value: &[u8]) -> bool {
    let member: serde_json::Value = serde_json::from_slice(value).unwrap();
    let id = format!("{:x}", member["id"].as_u64().unwrap());
    is_member_id(key) && id.as_bytes() == key && member["peerURLs"].is_array()
}

fn is_member_id(key: &[u8]) -> bool {
    !key.is_empty() && key.len() <= 16 && key.iter().all(u8::is_ascii_hexdigit)
}

fn numbers(fields: &Fields) -> Vec<u64> {
    fields.iter().map(|(number, _)| *number).collect()
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
