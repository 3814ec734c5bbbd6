//! The dumb version: what the store does, without tables, bytes or replicas. For the checker, and for
//! whoever wants to know what is right.

use alloc::collections::BTreeMap;

use bytes::Bytes;

use crate::{
    PAGE_BYTES_MAX,
    answer::{Answer, Item},
    command::{Command, Expect, check_key},
    query::{Query, page_limit},
};

/// A key/value store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    /// One more with each change.
    pub revision: u64,
    /// What is there.
    pub items: BTreeMap<Bytes, Item>,
}

impl Model {
    /// Carries out a command.
    pub fn apply(&mut self, command: &Command) -> Answer {
        if let Err(invalid) = command.check() {
            return Answer::Invalid(invalid);
        }
        let present = self.items.get(command.key()).cloned();
        let is_met = match command.expect() {
            Expect::Any => true,
            Expect::Absent => present.is_none(),
            Expect::Value(value) => present.as_ref().is_some_and(|item| item.value == value),
            Expect::Revision(0) => present.is_none(),
            Expect::Revision(revision) => {
                present.as_ref().is_some_and(|item| item.modified == *revision)
            }
        };
        match (command, present) {
            (_, present) if !is_met => {
                Answer::Mismatch { current: present.map(|item| item.modified) }
            }
            (Command::Put { key, value, .. }, present) => self.put(key, value, present.as_ref()),
            (Command::Delete { key, .. }, present) => {
                self.revision += u64::from(present.is_some());
                self.items.remove(key);
                Answer::Deleted { was_there: present.is_some(), revision: self.revision }
            }
        }
    }

    /// Answers a query.
    #[must_use]
    pub fn query(&self, query: &Query) -> Answer {
        match query {
            Query::Get { key } => match (check_key(key), self.items.get(key)) {
                (Err(invalid), _) => Answer::Invalid(invalid),
                (Ok(()), Some(item)) => Answer::Found(item.clone()),
                (Ok(()), None) => Answer::Missing,
            },
            Query::List { prefix, after, limit } => {
                self.list(prefix, after.as_ref(), page_limit(*limit))
            }
        }
    }

    fn put(&mut self, key: &Bytes, value: &Bytes, present: Option<&Item>) -> Answer {
        self.revision += 1;
        let revision = self.revision;
        let item = Item {
            key: key.clone(),
            value: value.clone(),
            created: present.map_or(revision, |item| item.created),
            modified: revision,
            version: present.map_or(1, |item| item.version + 1),
        };
        let version = item.version;
        self.items.insert(key.clone(), item);
        Answer::Put { revision, version, previous_revision: present.map(|item| item.modified) }
    }

    fn list(&self, prefix: &Bytes, after: Option<&Bytes>, limit: usize) -> Answer {
        let mut items = alloc::vec::Vec::new();
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
