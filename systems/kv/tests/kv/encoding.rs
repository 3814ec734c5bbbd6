//! The bytes of every kind, as they stand in logs that exist. A line here may be added, never changed.

use std::fmt::{Debug, Write as _};

use bytes::Bytes;
use kernel::Wire;
use kv::{
    Access, Alarm, AlarmKind, Answer, AuthFailure, Bounds, Caller, Command, Comparison, Delete,
    Expect, Failure, Found, Invalid, Item, Keys, LeaseId, Operation, Order, Permission, Put, Query,
    Range, Relation, Replies, Reply, ReplyKind, SortBy, Target, Transaction, User, auth::Change,
};

fn holds<T: Wire + PartialEq + Debug>(value: &T, golden: &str) {
    let bytes = value.to_bytes();
    let mut shown = String::new();
    for byte in &bytes {
        let _ = write!(shown, "{byte:02x}");
    }
    assert_eq!(shown, golden, "{value:?}");
    assert_eq!(T::from_bytes(bytes.clone()).as_ref(), Ok(value));
    for length in 0..bytes.len() {
        assert!(T::from_bytes(bytes.slice(..length)).is_err(), "{value:?} cut at {length}");
    }
}

const KEY: Bytes = Bytes::from_static(b"k");
const VALUE: Bytes = Bytes::from_static(b"vw");

fn item() -> Item {
    Item { key: KEY, value: VALUE, created: 1, modified: 3, version: 2, lease: LeaseId(5) }
}

#[test]
fn commands_keep_their_bytes() {
    let put = |expect| Command::Put { key: KEY, value: VALUE, expect };
    holds(&put(Expect::Any), "01010000006b02000000767700");
    holds(&put(Expect::Absent), "01010000006b02000000767701");
    holds(&put(Expect::Value(VALUE)), "01010000006b02000000767702020000007677");
    holds(&put(Expect::Revision(258)), "01010000006b020000007677030201000000000000");
    let delete = |expect| Command::Delete { key: KEY, expect };
    holds(&delete(Expect::Any), "02010000006b00");
    holds(&delete(Expect::Absent), "02010000006b01");
    holds(&delete(Expect::Value(KEY)), "02010000006b02010000006b");
    holds(&delete(Expect::Revision(1)), "02010000006b030100000000000000");
}

#[test]
fn queries_keep_their_bytes() {
    holds(&Query::Get { key: KEY }, "01010000006b");
    let list = |after| Query::List { prefix: VALUE, after, limit: 7 };
    holds(&list(None), "020200000076770007000000");
    holds(&list(Some(KEY)), "0202000000767701010000006b07000000");
}

#[test]
fn answers_keep_their_bytes() {
    let put = |previous_revision| Answer::Put { revision: 5, version: 2, previous_revision };
    holds(&put(None), "010500000000000000020000000000000000");
    holds(&put(Some(4)), "0105000000000000000200000000000000010400000000000000");
    holds(&Answer::Deleted { was_there: true, revision: 6 }, "02010600000000000000");
    holds(&Answer::Deleted { was_there: false, revision: 6 }, "02000600000000000000");
    holds(&Answer::Mismatch { current: None }, "0300");
    holds(&Answer::Mismatch { current: Some(9) }, "03010900000000000000");
    let row =
        "010000006b0200000076770100000000000000030000000000000002000000000000000500000000000000";
    holds(&Answer::Found(item()), &format!("04{row}"));
    holds(&Answer::Missing, "05");
    let page = Answer::Page { items: vec![item()], more: true };
    holds(&page, &format!("060101000000{row}"));
    holds(&Answer::Invalid(Invalid::KeyEmpty), "0701");
    holds(&Answer::Invalid(Invalid::KeyTooLong), "0702");
    holds(&Answer::Invalid(Invalid::ValueTooLong), "0703");
    holds(&Answer::Invalid(Invalid::Malformed), "0704");
}

#[test]
fn transactions_keep_their_bytes() {
    let comparison =
        |target| Comparison { keys: Keys::One(KEY), relation: Relation::Greater, target };
    holds(&comparison(Target::Version(1)), "01010000006b01020100000000000000");
    holds(&comparison(Target::Created(1)), "01010000006b02020100000000000000");
    holds(&comparison(Target::Modified(-1)), "01010000006b0302ffffffffffffffff");
    holds(&comparison(Target::Value(VALUE)), "01010000006b0402020000007677");
    holds(&comparison(Target::Lease(1)), "01010000006b05020100000000000000");
    let put = |previous, keep_value, keep_lease| {
        let lease = LeaseId(3);
        Operation::Put(Put { key: KEY, value: VALUE, lease, previous, keep_value, keep_lease })
    };
    let putting = "02010000006b0200000076770300000000000000";
    holds(&put(false, false, false), &format!("{putting}00"));
    holds(&put(true, false, false), &format!("{putting}01"));
    holds(&put(false, true, true), &format!("{putting}06"));
    let delete = Operation::Delete(Delete { keys: Keys::From(KEY), previous: true });
    holds(&delete, "0303010000006b01");
    let range = Range {
        keys: Keys::Range(KEY, VALUE),
        limit: 7,
        revision: 8,
        order: Order::Descending,
        sort_by: SortBy::Value,
        keys_only: true,
        count_only: false,
        modified: Bounds { least: 1, greatest: 2 },
        created: Bounds { least: 3, greatest: 4 },
    };
    let ranging = "02010000006b0200000076770700000008000000000000000204010100000000000000\
                   020000000000000003000000000000000400000000000000";
    holds(&Operation::Range(range.clone()), &format!("01{ranging}"));
    holds(&Query::Range(range), &format!("03{ranging}"));
    let inner = Operation::Transaction(delete.clone().alone());
    holds(&inner, "0400000000010000000303010000006b0100000000");
    let whole = Transaction {
        comparisons: vec![comparison(Target::Version(1))],
        success: vec![],
        failure: vec![delete],
    };
    let deciding = "0100000001010000006b0102010000000000000000000000010000000303010000006b01";
    holds(&Command::Do(whole.clone()), &format!("03{deciding}"));
    holds(&Query::Look(whole), &format!("04{deciding}"));
}

#[test]
fn leases_and_compaction_keep_their_bytes() {
    let lease = LeaseId(-2);
    let id = "feffffffffffffff";
    holds(&Command::Compact { revision: 258 }, "040201000000000000");
    holds(&Command::Grant { lease, seconds: 60 }, &format!("05{id}3c00000000000000"));
    holds(&Command::Revoke { lease }, &format!("06{id}"));
    holds(&Command::KeepAlive { lease }, &format!("07{id}"));
    holds(&Command::TimeLeft { lease, with_keys: true }, &format!("08{id}01"));
    holds(&Query::Leases, "05");
    holds(&Answer::Revision(258), "0b0201000000000000");
    holds(
        &Answer::Granted { lease, seconds: 60, revision: 7 },
        &format!("0c{id}3c000000000000000700000000000000"),
    );
    holds(
        &Answer::Left { seconds: -1, granted: 60, keys: vec![KEY], revision: 7 },
        "0dffffffffffffffff3c0000000000000001000000010000006b0700000000000000",
    );
    holds(
        &Answer::Leases { revision: 7, leases: vec![lease] },
        &format!("0e070000000000000001000000{id}"),
    );
}

#[test]
fn replies_keep_their_bytes() {
    let row =
        "010000006b0200000076770100000000000000030000000000000002000000000000000500000000000000";
    let reply = |kind| Reply { revision: 9, kind };
    let deleted = ReplyKind::Deleted { count: 2, previous: vec![item()] };
    let found = Found { items: vec![item()], count: 3, more: true };
    let replies = Replies {
        succeeded: true,
        replies: vec![
            reply(ReplyKind::Range(found.clone())),
            reply(ReplyKind::Put(None)),
            reply(ReplyKind::Put(Some(item()))),
            reply(deleted),
            reply(ReplyKind::Transaction(Replies::default())),
        ],
    };
    let finding = format!("03000000000000000101000000{row}");
    let nine = "0900000000000000";
    holds(
        &Answer::Done { revision: 9, replies },
        &format!(
            "09{nine}0105000000{nine}01{finding}{nine}0200{nine}0201{row}\
             {nine}03020000000000000001000000{row}{nine}040000000000"
        ),
    );
    holds(&Answer::Read { revision: 9, found }, &format!("0a{nine}{finding}"));
    let failures = [
        Failure::KeyNotFound,
        Failure::LeaseNotFound,
        Failure::LeaseExists,
        Failure::LeaseTooLong,
        Failure::Compacted,
        Failure::FutureRevision,
        Failure::DuplicateKey,
        Failure::TooManyOperations,
        Failure::KeyEmpty,
    ];
    for (number, failure) in (1..).zip(failures) {
        holds(&Answer::Failed(failure), &format!("08{number:02x}"));
    }
}

#[test]
fn users_and_roles_keep_their_bytes() {
    let (name, role) = (String::from("u"), String::from("r"));
    let (u, r) = ("0100000075", "0100000072");
    let auth = |change, golden: &str| holds(&Command::Auth(change), golden);
    auth(Change::Enable { key: VALUE }, "0a020000007677");
    auth(Change::Disable, "0b");
    let user = User { no_password: true, password: VALUE, roles: vec![role.clone()] };
    auth(Change::AddUser { name: name.clone(), user }, &format!("0c{u}0102000000767701000000{r}"));
    auth(Change::DeleteUser { name: name.clone() }, &format!("0d{u}"));
    auth(Change::SetPassword { name: name.clone(), password: KEY }, &format!("0e{u}010000006b"));
    auth(Change::GrantRole { user: name.clone(), role: role.clone() }, &format!("0f{u}{r}"));
    auth(Change::RevokeRole { user: name.clone(), role: role.clone() }, &format!("10{u}{r}"));
    auth(Change::AddRole { name: role.clone() }, &format!("11{r}"));
    auth(Change::DeleteRole { name: role.clone() }, &format!("12{r}"));
    let permission = |access| Permission { keys: Keys::One(KEY), access };
    let permit = |access| Change::Permit { role: role.clone(), permission: permission(access) };
    auth(permit(Access::Read), &format!("13{r}01010000006b01"));
    auth(permit(Access::Write), &format!("13{r}01010000006b02"));
    auth(permit(Access::ReadWrite), &format!("13{r}01010000006b03"));
    let forbid = Change::Forbid { role: role.clone(), keys: Keys::From(KEY) };
    auth(forbid, &format!("14{r}03010000006b"));
    let caller = Caller { auth_revision: 258, user: name.clone() };
    let command = Command::Compact { revision: 1 }.by(Some(caller.clone()));
    holds(&command, &format!("090201000000000000{u}040100000000000000"));
    let query = |query: Query, golden: &str| holds(&query, golden);
    query(Query::Leases.by(Some(caller)), &format!("060201000000000000{u}05"));
    query(Query::Watch(Keys::One(KEY)), "0701010000006b");
    query(Query::Admin, "08");
    query(Query::Users, "09");
    query(Query::Roles, "0a");
    query(Query::RolesOf { user: name.clone() }, &format!("0b{u}"));
    query(Query::Permissions { role }, &format!("0c{r}"));
    query(Query::Standing, "0d");
    let seven = "0700000000000000";
    let names = Answer::Names { revision: 7, names: vec![name] };
    holds(&names, &format!("0f{seven}01000000{u}"));
    let permissions = vec![permission(Access::Read)];
    let permitted = Answer::Permitted { revision: 7, permissions };
    holds(&permitted, &format!("10{seven}0100000001010000006b01"));
    let standing = Answer::Standing { revision: 7, is_on: true, auth_revision: 8 };
    holds(&standing, &format!("11{seven}010800000000000000"));
}

#[test]
fn alarms_and_their_failures_keep_their_bytes() {
    let no_space = Alarm { kind: AlarmKind::NoSpace, member: 258 };
    let corrupt = Alarm { kind: AlarmKind::Corrupt, member: 258 };
    let member = "0201000000000000";
    holds(&Command::Raise(no_space), &format!("1501{member}"));
    holds(&Command::Disarm(corrupt), &format!("1602{member}"));
    holds(&Query::Alarms, "0e");
    let alarms = Answer::Alarms { revision: 7, alarms: vec![no_space] };
    holds(&alarms, &format!("1207000000000000000100000001{member}"));
    let failures = [
        Failure::NoSpace,
        Failure::Corrupt,
        Failure::Auth(AuthFailure::UserEmpty),
        Failure::Auth(AuthFailure::UserNotFound),
        Failure::Auth(AuthFailure::UserExists),
        Failure::Auth(AuthFailure::RoleEmpty),
        Failure::Auth(AuthFailure::RoleNotFound),
        Failure::Auth(AuthFailure::RoleExists),
        Failure::Auth(AuthFailure::RoleNotGranted),
        Failure::Auth(AuthFailure::PermissionNotGranted),
        Failure::Auth(AuthFailure::PermissionDenied),
        Failure::Auth(AuthFailure::RootMissing),
        Failure::Auth(AuthFailure::RootWithoutRole),
        Failure::Auth(AuthFailure::InvalidManagement),
        Failure::Auth(AuthFailure::OldRevision),
    ];
    for (number, failure) in (10..).zip(failures) {
        holds(&Answer::Failed(failure), &format!("08{number:02x}"));
    }
}

/// A command on behalf of a user must be as unknown as the command itself, and is of one user alone.
#[test]
fn a_command_on_behalf_of_a_user_has_the_kind_of_the_command() {
    let caller = Caller { auth_revision: 1, user: String::from("u") };
    let once = Command::Compact { revision: 1 }.by(Some(caller.clone()));
    let twice = once.by(Some(caller));
    assert!(twice.check().is_err());
    assert!(Command::from_bytes(twice.to_bytes()).is_err());
}
