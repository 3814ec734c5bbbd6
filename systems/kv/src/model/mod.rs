//! The dumb version: what the store does, without tables, bytes or replicas. For the checker, and for
//! whoever wants to know what is right.

mod auth;

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use bytes::Bytes;
use kernel::Stamp;

use crate::{
    PAGE_BYTES_MAX,
    alarm::{Alarm, AlarmKind, concerns_data},
    answer::Answer,
    command::{Command, Expect, check_key},
    failure::Failure,
    item::{Item, LeaseId},
    query::{Query, page_limit},
    range::{Found, Order, Range, SortBy},
    reply::{Replies, Reply, ReplyKind},
    transaction::{Comparison, Operation, Put, Relation, Target, Transaction},
};

pub use auth::Auth;

const SECOND_NS: u64 = 1_000_000_000;

/// A key/value store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// One more with each command that changes keys.
    pub revision: u64,
    /// What is there.
    pub items: BTreeMap<Bytes, Item>,
    /// What was there at each revision.
    pub past: BTreeMap<u64, BTreeMap<Bytes, Item>>,
    /// The first revision that can be read.
    pub compacted: Option<u64>,
    /// How long each lease lasts, in seconds, and when it is due.
    pub leases: BTreeMap<LeaseId, (u64, Stamp)>,
    /// Cluster time.
    pub now: Stamp,
    /// Who may do what.
    pub auth: Auth,
    /// What members have found wrong.
    pub alarms: BTreeSet<Alarm>,
}

impl Default for Model {
    fn default() -> Self {
        let past = BTreeMap::from([(1, BTreeMap::new())]);
        let (items, leases) = (BTreeMap::new(), BTreeMap::new());
        Self {
            revision: 1,
            items,
            past,
            compacted: None,
            leases,
            now: Stamp(0),
            auth: Auth::default(),
            alarms: BTreeSet::new(),
        }
    }
}

impl Model {
    /// Carries out a command.
    pub fn apply(&mut self, command: &Command) -> Answer {
        if let Err(invalid) = command.check() {
            return Answer::Invalid(invalid);
        }
        let (caller, command) = command.parts();
        let has = |kind| self.alarms.iter().any(|alarm| alarm.kind == kind);
        if has(AlarmKind::Corrupt) && concerns_data(command) {
            return Answer::Failed(Failure::Corrupt);
        }
        if let Some(failure) = self.forbids(caller, command) {
            return Answer::Failed(Failure::Auth(failure));
        }
        if has(AlarmKind::NoSpace) && command.takes_room() {
            return Answer::Failed(Failure::NoSpace);
        }
        match command {
            Command::Put { key, value, expect } => self.put_if(key, value, expect),
            Command::Delete { key, expect } => self.delete_if(key, expect),
            Command::Do(transaction) => self.transact(transaction),
            Command::Compact { revision } => self.compact(*revision),
            Command::Grant { lease, seconds } => self.grant(*lease, *seconds),
            Command::Revoke { lease } => self.revoke(*lease),
            Command::KeepAlive { lease } => {
                let seconds = self.leases.get(lease).map_or(0, |(seconds, _)| *seconds);
                self.begin_lease(*lease);
                Answer::Granted { lease: *lease, seconds, revision: self.revision }
            }
            Command::TimeLeft { lease, with_keys } => self.time_left(*lease, *with_keys),
            Command::Auth(change) => match self.auth.change(change) {
                Ok(()) => Answer::Revision(self.revision),
                Err(failure) => Answer::Failed(Failure::Auth(failure)),
            },
            Command::Raise(alarm) => {
                self.alarms.insert(*alarm);
                Answer::Alarms { revision: self.revision, alarms: alloc::vec![*alarm] }
            }
            Command::Disarm(alarm) => {
                let alarms = self.alarms.take(alarm).into_iter().collect();
                Answer::Alarms { revision: self.revision, alarms }
            }
            Command::As { .. } => panic!("a command on behalf of two was found malformed"),
        }
    }

    /// Somebody new leads: every lease has its whole time again.
    pub fn begin_term(&mut self) {
        for lease in self.leases.keys().copied().collect::<Vec<_>>() {
            self.begin_lease(lease);
        }
    }

    /// Ends the leases that are due.
    pub fn tick(&mut self) {
        let mut due: Vec<(Stamp, LeaseId)> = self
            .leases
            .iter()
            .map(|(lease, (_, due))| (*due, *lease))
            .filter(|(due, _)| *due <= self.now)
            .collect();
        due.sort_by_key(|(due, lease)| (*due, lease.to_key()));
        for (_, lease) in due {
            self.revoke(lease);
        }
    }

    /// Answers a query.
    #[must_use]
    pub fn query(&self, query: &Query) -> Answer {
        let (caller, query) = match query {
            Query::As { caller, query } => (Some(caller), &**query),
            query => (None, query),
        };
        if let Some(failure) = self.forbids_query(caller, query) {
            return Answer::Failed(Failure::Auth(failure));
        }
        let revision = self.revision;
        match query {
            Query::Get { key } => match (check_key(key), self.items.get(key)) {
                (Err(invalid), _) => Answer::Invalid(invalid),
                (Ok(()), Some(item)) => Answer::Found(item.clone()),
                (Ok(()), None) => Answer::Missing,
            },
            Query::List { prefix, after, limit } => {
                self.list(prefix, after.as_ref(), page_limit(*limit))
            }
            Query::Range(range) if range.keys.first().is_empty() => {
                Answer::Failed(Failure::KeyEmpty)
            }
            Query::Range(range) => match self.check_revision(range) {
                Some(failure) => Answer::Failed(failure),
                None => Answer::Read { revision: self.revision, found: self.read(range) },
            },
            Query::Look(transaction) if transaction.writes() => {
                Answer::Invalid(crate::Invalid::Malformed)
            }
            Query::Look(transaction) => self.clone().transact(transaction),
            Query::Leases => {
                let mut leases: Vec<LeaseId> = self.leases.keys().copied().collect();
                leases.sort_by_key(|lease| lease.to_key());
                Answer::Leases { revision, leases }
            }
            Query::As { .. } => Answer::Invalid(crate::Invalid::Malformed),
            Query::Watch(_) | Query::Admin => Answer::Revision(revision),
            Query::Alarms => {
                Answer::Alarms { revision, alarms: self.alarms.iter().copied().collect() }
            }
            other => self.auth.query(other, revision),
        }
    }

    fn put_if(&mut self, key: &Bytes, value: &Bytes, expect: &Expect) -> Answer {
        if let Some(mismatch) = self.mismatch(key, expect) {
            return mismatch;
        }
        let previous_revision = self.items.get(key).map(|item| item.modified);
        self.set(key, value.clone(), LeaseId::NONE);
        self.end_revision(true);
        let version = self.items[key].version;
        Answer::Put { revision: self.revision, version, previous_revision }
    }

    fn delete_if(&mut self, key: &Bytes, expect: &Expect) -> Answer {
        if let Some(mismatch) = self.mismatch(key, expect) {
            return mismatch;
        }
        let was_there = self.items.remove(key).is_some();
        self.end_revision(was_there);
        Answer::Deleted { was_there, revision: self.revision }
    }

    fn mismatch(&self, key: &Bytes, expect: &Expect) -> Option<Answer> {
        let present = self.items.get(key);
        let is_met = match expect {
            Expect::Any => true,
            Expect::Absent | Expect::Revision(0) => present.is_none(),
            Expect::Value(value) => present.is_some_and(|item| item.value == value),
            Expect::Revision(revision) => present.is_some_and(|item| item.modified == *revision),
        };
        (!is_met).then(|| Answer::Mismatch { current: present.map(|item| item.modified) })
    }

    /// Writes a key at the next revision.
    fn set(&mut self, key: &Bytes, value: Bytes, lease: LeaseId) {
        let modified = self.revision + 1;
        let present = self.items.get(key);
        let item = Item {
            key: key.clone(),
            value,
            created: present.map_or(modified, |item| item.created),
            modified,
            version: present.map_or(1, |item| item.version + 1),
            lease,
        };
        self.items.insert(key.clone(), item);
    }

    fn end_revision(&mut self, has_changed: bool) {
        if has_changed {
            self.revision += 1;
            self.past.insert(self.revision, self.items.clone());
        }
    }

    fn transact(&mut self, transaction: &Transaction) -> Answer {
        if let Err(failure) = transaction.check() {
            return Answer::Failed(failure);
        }
        let before = self.clone();
        if let Some(failure) = before.refuse(transaction) {
            return Answer::Failed(failure);
        }
        let mut has_changed = false;
        let replies = self.carry_out(transaction, &before, &mut has_changed);
        self.end_revision(has_changed);
        Answer::Done { revision: self.revision, replies }
    }

    fn branch<'a>(&self, transaction: &'a Transaction) -> (bool, &'a [Operation]) {
        let succeeded = transaction.comparisons.iter().all(|comparison| self.is_met(comparison));
        (succeeded, if succeeded { &transaction.success } else { &transaction.failure })
    }

    fn is_met(&self, comparison: &Comparison) -> bool {
        let holds = |item: Option<&Item>| {
            let number = |of: fn(&Item) -> u64| item.map_or(0, of).cast_signed();
            let order = match &comparison.target {
                Target::Version(said) => number(|item| item.version).cmp(said),
                Target::Created(said) => number(|item| item.created).cmp(said),
                Target::Modified(said) => number(|item| item.modified).cmp(said),
                Target::Lease(said) => item.map_or(0, |item| item.lease.0).cmp(said),
                Target::Value(said) => match item {
                    Some(item) => item.value.cmp(said),
                    None => return false,
                },
            };
            match comparison.relation {
                Relation::Equal => order.is_eq(),
                Relation::Greater => order.is_gt(),
                Relation::Less => order.is_lt(),
                Relation::NotEqual => order.is_ne(),
            }
        };
        let mut items =
            self.items.values().filter(|item| comparison.keys.contains(&item.key)).peekable();
        if items.peek().is_none() { holds(None) } else { items.all(|item| holds(Some(item))) }
    }

    /// Puts are looked at first, then reads; of a put its key, then its lease.
    fn refuse(&self, transaction: &Transaction) -> Option<Failure> {
        self.refuse_of(transaction, &|operation| match operation {
            Operation::Put(put)
                if (put.keep_value || put.keep_lease) && !self.items.contains_key(&put.key) =>
            {
                Some(Failure::KeyNotFound)
            }
            Operation::Put(put) => (put.lease.is_some() && !self.leases.contains_key(&put.lease))
                .then_some(Failure::LeaseNotFound),
            _ => None,
        })
        .or_else(|| {
            self.refuse_of(transaction, &|operation| match operation {
                Operation::Range(range) => self.check_revision(range),
                _ => None,
            })
        })
    }

    fn refuse_of(
        &self,
        transaction: &Transaction,
        look: &dyn Fn(&Operation) -> Option<Failure>,
    ) -> Option<Failure> {
        self.branch(transaction).1.iter().find_map(|operation| match operation {
            Operation::Transaction(inner) => self.refuse_of(inner, look),
            other => look(other),
        })
    }

    /// Comparisons are about what was there before.
    fn carry_out(
        &mut self,
        transaction: &Transaction,
        before: &Self,
        has_changed: &mut bool,
    ) -> Replies {
        let (succeeded, operations) = before.branch(transaction);
        let mut replies = Vec::new();
        for operation in operations {
            let kind = match operation {
                Operation::Range(range) => ReplyKind::Range(self.read(range)),
                Operation::Put(put) => {
                    *has_changed = true;
                    self.carry_out_put(put)
                }
                Operation::Delete(delete) => {
                    let gone = |key: &Bytes, _: &mut Item| delete.keys.contains(key);
                    let previous: Vec<Item> =
                        self.items.extract_if(.., gone).map(|(_, item)| item).collect();
                    *has_changed |= !previous.is_empty();
                    let count = previous.len() as u64;
                    let previous = if delete.previous { previous } else { Vec::new() };
                    ReplyKind::Deleted { count, previous }
                }
                Operation::Transaction(inner) => {
                    ReplyKind::Transaction(self.carry_out(inner, before, has_changed))
                }
            };
            replies.push(Reply { revision: self.revision + u64::from(*has_changed), kind });
        }
        Replies { succeeded, replies }
    }

    fn carry_out_put(&mut self, put: &Put) -> ReplyKind {
        let present = self.items.get(&put.key).cloned();
        let (mut value, mut lease) = (put.value.clone(), put.lease);
        if let Some(item) = &present {
            value = if put.keep_value { item.value.clone() } else { value };
            lease = if put.keep_lease { item.lease } else { lease };
        }
        self.set(&put.key, value, lease);
        ReplyKind::Put(present.filter(|_| put.previous))
    }

    fn check_revision(&self, range: &Range) -> Option<Failure> {
        if range.revision > self.revision {
            return Some(Failure::FutureRevision);
        }
        let is_gone = range.revision > 0 && range.revision < self.compacted.unwrap_or(0);
        is_gone.then_some(Failure::Compacted)
    }

    fn read(&self, range: &Range) -> Found {
        let then = match range.revision {
            0 => &self.items,
            revision if revision == self.revision => &self.items,
            revision => &self.past[&revision],
        };
        let all: Vec<Item> =
            then.values().filter(|item| range.keys.contains(&item.key)).cloned().collect();
        let count = all.len() as u64;
        if range.count_only {
            return Found { count, ..Found::default() };
        }
        let limit = if range.limit == 0 { usize::MAX } else { range.limit as usize };
        let is_bounded = [range.modified, range.created].iter().any(|b| b.least + b.greatest > 0);
        let mut items = all;
        if range.order == Order::Any && !is_bounded {
            items.truncate(limit.saturating_add(1));
        }
        items.retain(|item| {
            [(range.modified, item.modified), (range.created, item.created)].iter().all(
                |(bounds, revision)| {
                    *revision >= bounds.least
                        && (bounds.greatest == 0 || *revision <= bounds.greatest)
                },
            )
        });
        match range.sort_by {
            SortBy::Key => {}
            SortBy::Version => items.sort_by_key(|item| item.version),
            SortBy::Created => items.sort_by_key(|item| item.created),
            SortBy::Modified => items.sort_by_key(|item| item.modified),
            SortBy::Value => items.sort_by_key(|item| item.value.clone()),
        }
        if range.order == Order::Descending {
            // Of equals the one with the least key still comes first.
            items.reverse();
            let by = range.sort_by;
            items.chunk_by_mut(|a, b| rank(a, by) == rank(b, by)).for_each(<[Item]>::reverse);
        }
        let more = items.len() > limit;
        items.truncate(limit);
        if range.keys_only {
            items.iter_mut().for_each(|item| item.value = Bytes::new());
        }
        Found { items, count, more }
    }

    fn compact(&mut self, revision: u64) -> Answer {
        if self.compacted.is_some_and(|compacted| revision <= compacted) {
            return Answer::Failed(Failure::Compacted);
        }
        if revision > self.revision {
            return Answer::Failed(Failure::FutureRevision);
        }
        self.compacted = Some(revision);
        self.past.retain(|past, _| *past >= revision);
        Answer::Revision(self.revision)
    }

    fn grant(&mut self, lease: LeaseId, seconds: u64) -> Answer {
        if !lease.is_some() || self.leases.contains_key(&lease) {
            return Answer::Failed(Failure::LeaseExists);
        }
        if seconds > 9_000_000_000 {
            return Answer::Failed(Failure::LeaseTooLong);
        }
        let seconds = seconds.max(2);
        self.leases.insert(lease, (seconds, Stamp(0)));
        self.begin_lease(lease);
        Answer::Granted { lease, seconds, revision: self.revision }
    }

    fn begin_lease(&mut self, lease: LeaseId) {
        if let Some((seconds, due)) = self.leases.get_mut(&lease) {
            *due = Stamp(self.now.0.saturating_add(seconds.saturating_mul(SECOND_NS)));
        }
    }

    fn revoke(&mut self, lease: LeaseId) -> Answer {
        if self.leases.remove(&lease).is_none() {
            return Answer::Failed(Failure::LeaseNotFound);
        }
        let there = self.items.len();
        self.items.retain(|_, item| item.lease != lease);
        self.end_revision(self.items.len() < there);
        Answer::Revision(self.revision)
    }

    fn time_left(&self, lease: LeaseId, with_keys: bool) -> Answer {
        let revision = self.revision;
        let Some((granted, due)) = self.leases.get(&lease) else {
            return Answer::Left { seconds: -1, granted: 0, keys: Vec::new(), revision };
        };
        let seconds = (due.0.saturating_sub(self.now.0) / SECOND_NS).cast_signed();
        let its = |item: &&Item| with_keys && item.lease == lease;
        let keys = self.items.values().filter(its).map(|item| item.key.clone()).collect();
        Answer::Left { seconds, granted: *granted, keys, revision }
    }

    fn list(&self, prefix: &Bytes, after: Option<&Bytes>, limit: usize) -> Answer {
        let mut items = Vec::new();
        let mut bytes = 0;
        for item in self.items.values() {
            if !item.key.starts_with(prefix) || after.is_some_and(|after| item.key <= *after) {
                continue;
            }
            bytes += item.key.len() + item.value.len();
            if items.len() == limit || (bytes > PAGE_BYTES_MAX && !items.is_empty()) {
                return Answer::Page { items, more: true };
            }
            items.push(item.clone());
        }
        Answer::Page { items, more: false }
    }
}

/// What an order goes by, as bytes.
fn rank(item: &Item, by: SortBy) -> Bytes {
    let number = |number: u64| Bytes::copy_from_slice(&number.to_be_bytes());
    match by {
        SortBy::Key => item.key.clone(),
        SortBy::Version => number(item.version),
        SortBy::Created => number(item.created),
        SortBy::Modified => number(item.modified),
        SortBy::Value => item.value.clone(),
    }
}
