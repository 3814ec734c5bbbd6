//! Random commands and queries, over few keys so that they meet.

use bytes::Bytes;
use kernel::Rng;
use kv::{
    Access, Alarm, AlarmKind, Bounds, Caller, Command, Comparison, Delete, Expect, Keys, LeaseId,
    Model, Operation, Order, Permission, Put, Query, Range, Relation, SortBy, Target, Transaction,
    User, auth::Change,
};

/// Few keys that share prefixes.
pub(crate) const KEYS: [&[u8]; 12] = [
    b"",
    b"a",
    b"aa",
    b"aa\x00",
    b"aab",
    b"ab",
    b"b",
    b"b/1",
    b"b/2",
    b"b\xff",
    b"\xff",
    b"\xff\xff",
];

/// How deep random transactions lie in one another at most.
const DEPTH_MAX: u64 = 2;

/// Draws commands and queries.
pub(crate) struct Generator {
    pub(crate) rng: Rng,
}

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        Self { rng: Rng::new(seed) }
    }

    pub(crate) fn command(&mut self, model: &Model) -> Command {
        let command = match self.rng.below(12) {
            0 => Command::Auth(self.change()),
            1 if self.rng.chance(1, 8) => Command::Raise(self.alarm()),
            1 => Command::Disarm(self.alarm()),
            _ => self.command_of_data(model),
        };
        command.by(self.caller(model))
    }

    /// Mostly somebody who is known, if that counts; now and then somebody else, or nobody.
    fn caller(&mut self, model: &Model) -> Option<Caller> {
        if !self.rng.chance(if model.auth.is_on { 9 } else { 1 }, 10) {
            return None;
        }
        let user = if self.rng.chance(1, 3) { String::from("root") } else { self.name() };
        let age = if self.rng.chance(1, 10) { 1 } else { 0 };
        Some(Caller { auth_revision: model.auth.revision - age, user })
    }

    fn change(&mut self) -> Change {
        let (name, role) = (self.name(), self.name());
        match self.rng.below(16) {
            0 => Change::Disable,
            1..4 => Change::Enable { key: self.value() },
            4..6 => Change::AddUser {
                name,
                user: User {
                    no_password: self.rng.chance(1, 4),
                    password: self.value(),
                    roles: vec![],
                },
            },
            6 => Change::DeleteUser { name },
            7 => Change::SetPassword { name, password: self.value() },
            8..11 => Change::GrantRole { user: name, role },
            11 => Change::RevokeRole { user: name, role },
            12 => Change::AddRole { name },
            13 if self.rng.chance(1, 8) => Change::DeleteRole { name },
            13 | 14 => Change::Permit { role, permission: self.permission() },
            _ => Change::Forbid { role, keys: self.keys() },
        }
    }

    /// Permits a role something, or forbids it.
    pub(crate) fn change_of_role(&mut self, role: &str) -> Command {
        let role = String::from(role);
        Command::Auth(if self.rng.chance(2, 3) {
            Change::Permit { role, permission: self.permission() }
        } else {
            Change::Forbid { role, keys: self.keys() }
        })
    }

    fn permission(&mut self) -> Permission {
        let accesses = [Access::Read, Access::Write, Access::ReadWrite];
        let access = *self.rng.pick(&accesses).expect("some accesses");
        // Now and then of much, or who has it could do hardly anything.
        let keys = if self.rng.chance(1, 3) { Keys::From(Bytes::from("a")) } else { self.keys() };
        Permission { keys, access }
    }

    /// Users and roles may have the same names. Nobody is called nothing, but for a mistake.
    fn name(&mut self) -> String {
        let names = ["root", "anna", "bert", "root", "anna", "bert", "root", "anna", "bert", ""];
        String::from(*self.rng.pick(&names).expect("some names"))
    }

    fn alarm(&mut self) -> Alarm {
        let corrupt = self.rng.chance(1, 3);
        let kind = if corrupt { AlarmKind::Corrupt } else { AlarmKind::NoSpace };
        Alarm { kind, member: self.rng.below(2) }
    }

    pub(crate) fn command_of_data(&mut self, model: &Model) -> Command {
        match self.rng.below(20) {
            0..6 => self.put(model),
            6..9 => Command::Delete { key: self.key(), expect: self.expect(model) },
            9..12 => Command::Do(self.transaction(model, DEPTH_MAX)),
            12..15 => Command::Do(self.operation(model, 0).alone()),
            15 if self.rng.chance(1, 3) => Command::Compact { revision: self.revision(model) },
            15..17 => Command::Grant { lease: self.lease(), seconds: self.rng.below(20) },
            17 => Command::Revoke { lease: self.lease() },
            18 => Command::KeepAlive { lease: self.lease() },
            _ => Command::TimeLeft { lease: self.lease(), with_keys: self.rng.chance(1, 2) },
        }
    }

    pub(crate) fn query(&mut self, model: &Model) -> Query {
        let query = match self.rng.below(16) {
            0 => Query::Users,
            1 => Query::Roles,
            2 => Query::RolesOf { user: self.name() },
            3 => Query::Permissions { role: self.name() },
            4 => Query::Standing,
            5 => Query::Alarms,
            6 => Query::Admin,
            7 => Query::Watch(self.keys()),
            _ => self.query_of_data(model),
        };
        query.by(self.caller(model))
    }

    pub(crate) fn query_of_data(&mut self, model: &Model) -> Query {
        match self.rng.below(8) {
            0 => Query::Get { key: self.key() },
            1 | 2 => {
                let after = self.rng.chance(1, 2).then(|| self.key());
                Query::List { prefix: self.key(), after, limit: self.small() }
            }
            3..6 => Query::Range(self.range(model)),
            6 => Query::Look(Transaction {
                comparisons: vec![self.comparison(model)],
                success: vec![Operation::Range(self.range(model))],
                failure: vec![Operation::Range(self.range(model)).alone()]
                    .into_iter()
                    .map(Operation::Transaction)
                    .collect(),
            }),
            _ => Query::Leases,
        }
    }

    /// All items from a key on, as they were.
    pub(crate) fn range_from(&mut self, key: &'static [u8], revision: u64) -> Range {
        Range { revision, ..Range::of(Keys::From(Bytes::from_static(key))) }
    }

    fn put(&mut self, model: &Model) -> Command {
        Command::Put { key: self.key(), value: self.value(), expect: self.expect(model) }
    }

    fn expect(&mut self, model: &Model) -> Expect {
        match self.rng.below(8) {
            0 => Expect::Absent,
            1 => Expect::Value(self.value()),
            2 => Expect::Revision(self.revision(model)),
            _ => Expect::Any,
        }
    }

    fn transaction(&mut self, model: &Model, depth: u64) -> Transaction {
        let comparisons = (0..self.rng.below(3)).map(|_| self.comparison(model)).collect();
        Transaction {
            comparisons,
            success: self.operations(model, depth),
            failure: self.operations(model, depth),
        }
    }

    fn operations(&mut self, model: &Model, depth: u64) -> Vec<Operation> {
        (0..self.rng.below(4)).map(|_| self.operation(model, depth)).collect()
    }

    fn operation(&mut self, model: &Model, depth: u64) -> Operation {
        match self.rng.below(if depth == 0 { 7 } else { 8 }) {
            0 | 1 => Operation::Range(self.range(model)),
            2..5 => Operation::Put(Put {
                key: self.key(),
                value: self.value(),
                lease: if self.rng.chance(1, 3) { self.lease() } else { LeaseId::NONE },
                previous: self.rng.chance(1, 2),
                keep_value: self.rng.chance(1, 8),
                keep_lease: self.rng.chance(1, 8),
            }),
            5 | 6 => {
                Operation::Delete(Delete { keys: self.keys(), previous: self.rng.chance(1, 2) })
            }
            _ => Operation::Transaction(self.transaction(model, depth - 1)),
        }
    }

    fn comparison(&mut self, model: &Model) -> Comparison {
        let relations = [Relation::Equal, Relation::Greater, Relation::Less, Relation::NotEqual];
        let relation = *self.rng.pick(&relations).expect("some relations");
        let number = self.revision(model).cast_signed() - 1;
        let target = match self.rng.below(5) {
            0 => Target::Version(number % 3),
            1 => Target::Created(number),
            2 => Target::Modified(number),
            3 => Target::Value(self.value()),
            _ => Target::Lease(self.lease().0),
        };
        Comparison { keys: self.keys(), relation, target }
    }

    fn range(&mut self, model: &Model) -> Range {
        let orders = [Order::Any, Order::Any, Order::Ascending, Order::Descending];
        let by = [
            SortBy::Key,
            SortBy::Key,
            SortBy::Version,
            SortBy::Created,
            SortBy::Modified,
            SortBy::Value,
        ];
        Range {
            keys: self.keys(),
            limit: self.small(),
            revision: if self.rng.chance(1, 2) { 0 } else { self.revision(model) },
            order: *self.rng.pick(&orders).expect("some orders"),
            sort_by: *self.rng.pick(&by).expect("some fields"),
            keys_only: self.rng.chance(1, 6),
            count_only: self.rng.chance(1, 6),
            modified: self.bounds(model),
            created: self.bounds(model),
        }
    }

    fn bounds(&mut self, model: &Model) -> Bounds {
        let mut bound = || if self.rng.chance(1, 6) { self.revision(model) } else { 0 };
        Bounds { least: bound(), greatest: bound() }
    }

    fn keys(&mut self) -> Keys {
        match self.rng.below(4) {
            0 | 1 => Keys::One(self.key()),
            2 => Keys::Range(self.key(), self.key()),
            _ => Keys::From(self.key()),
        }
    }

    fn key(&mut self) -> Bytes {
        // The empty key, which is refused, only now and then: it hides what else is asked for.
        let first = usize::from(!self.rng.chance(1, 50));
        Bytes::from_static(self.rng.pick(&KEYS[first..]).expect("there are keys"))
    }

    fn value(&mut self) -> Bytes {
        Bytes::from(self.rng.below(3).to_string())
    }

    fn lease(&mut self) -> LeaseId {
        let leases = [LeaseId(1), LeaseId(2), LeaseId(3), LeaseId(-4), LeaseId(i64::MAX)];
        *self.rng.pick(&leases).expect("some leases")
    }

    fn revision(&mut self, model: &Model) -> u64 {
        self.rng.below(model.revision + 2)
    }

    fn small(&mut self) -> u32 {
        u32::try_from(self.rng.below(6)).expect("below 6")
    }
}
