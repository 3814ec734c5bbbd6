//! Who may do what, without tables. Keys are covered if their first is, and every key at which a
//! permission ends on the way.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use bytes::Bytes;

use super::Model;
use crate::{
    answer::Answer,
    auth::{Access, AuthFailure, Caller, Change, Permission, ROOT, User},
    command::{Command, Expect},
    failure::Failure,
    item::LeaseId,
    keys::Keys,
    query::Query,
    transaction::{Operation, Transaction},
};

/// Users and roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auth {
    /// True if they count.
    pub is_on: bool,
    /// How often they have changed, from 1.
    pub revision: u64,
    /// The users.
    pub users: BTreeMap<String, User>,
    /// What each role may do.
    pub roles: BTreeMap<String, Vec<Permission>>,
}

impl Default for Auth {
    fn default() -> Self {
        Self { is_on: false, revision: 1, users: BTreeMap::new(), roles: BTreeMap::new() }
    }
}

impl Auth {
    pub(super) fn change(&mut self, change: &Change) -> Result<(), AuthFailure> {
        let before = (self.users.clone(), self.roles.clone());
        match change {
            Change::Enable { .. } if self.is_on => {}
            Change::Enable { .. } => {
                let root = self.users.get(ROOT).ok_or(AuthFailure::RootMissing)?;
                if !root.roles.iter().any(|role| role == ROOT) {
                    return Err(AuthFailure::RootWithoutRole);
                }
                self.is_on = true;
            }
            Change::Disable => {
                self.revision += u64::from(self.is_on);
                self.is_on = false;
            }
            Change::SetPassword { name, password } => {
                let user = self.users.get_mut(name).ok_or(AuthFailure::UserNotFound)?;
                user.password = if user.no_password { Bytes::new() } else { password.clone() };
                self.revision += 1;
                return Ok(());
            }
            Change::Permit { role, permission } => {
                self.permit(role, permission)?;
                self.revision += 1;
                return Ok(());
            }
            other => self.change_members(other)?,
        }
        self.revision += u64::from(before != (self.users.clone(), self.roles.clone()));
        Ok(())
    }

    fn change_members(&mut self, change: &Change) -> Result<(), AuthFailure> {
        let needed = |name: &str| self.is_on && name == ROOT;
        match change {
            Change::AddUser { name, .. } if name.is_empty() => return Err(AuthFailure::UserEmpty),
            Change::AddUser { name, user } => {
                let password = if user.no_password { Bytes::new() } else { user.password.clone() };
                let user = User { password, roles: Vec::new(), no_password: user.no_password };
                if self.users.contains_key(name) {
                    return Err(AuthFailure::UserExists);
                }
                self.users.insert(name.clone(), user);
            }
            Change::DeleteUser { name } if needed(name) => {
                return Err(AuthFailure::InvalidManagement);
            }
            Change::DeleteUser { name } => {
                self.users.remove(name).ok_or(AuthFailure::UserNotFound)?;
            }
            Change::GrantRole { user, role } => {
                let user = self.users.get_mut(user).ok_or(AuthFailure::UserNotFound)?;
                if role != ROOT && !self.roles.contains_key(role) {
                    return Err(AuthFailure::RoleNotFound);
                }
                user.roles.push(role.clone());
                user.roles.sort();
                user.roles.dedup();
            }
            Change::RevokeRole { user, role } => {
                if needed(user) && role == ROOT {
                    return Err(AuthFailure::InvalidManagement);
                }
                let user = self.users.get_mut(user).ok_or(AuthFailure::UserNotFound)?;
                let place = user.roles.iter().position(|its| its == role);
                user.roles.remove(place.ok_or(AuthFailure::RoleNotGranted)?);
            }
            other => self.change_roles(other)?,
        }
        Ok(())
    }

    fn change_roles(&mut self, change: &Change) -> Result<(), AuthFailure> {
        match change {
            Change::AddRole { name } if name.is_empty() => return Err(AuthFailure::RoleEmpty),
            Change::AddRole { name } if self.roles.contains_key(name) => {
                return Err(AuthFailure::RoleExists);
            }
            Change::AddRole { name } => {
                self.roles.insert(name.clone(), Vec::new());
            }
            Change::DeleteRole { name } if self.is_on && name == ROOT => {
                return Err(AuthFailure::InvalidManagement);
            }
            Change::DeleteRole { name } => {
                self.roles.remove(name).ok_or(AuthFailure::RoleNotFound)?;
                self.users.values_mut().for_each(|user| user.roles.retain(|role| role != name));
            }
            Change::Forbid { role, keys } => {
                let permissions = self.roles.get_mut(role).ok_or(AuthFailure::RoleNotFound)?;
                let place = permissions.iter().position(|its| its.keys == *keys);
                permissions.remove(place.ok_or(AuthFailure::PermissionNotGranted)?);
            }
            other => panic!("a change of something else: {other:?}"),
        }
        Ok(())
    }

    fn permit(&mut self, role: &str, permission: &Permission) -> Result<(), AuthFailure> {
        let first = permission.keys.first();
        if first.is_empty() || permission.keys.end().is_some_and(|end| end <= *first) {
            return Err(AuthFailure::InvalidManagement);
        }
        let permissions = self.roles.get_mut(role).ok_or(AuthFailure::RoleNotFound)?;
        if let Some(its) = permissions.iter_mut().find(|its| its.keys == permission.keys) {
            its.access = permission.access;
            return Ok(());
        }
        permissions.push(permission.clone());
        permissions.sort_by_key(|its| its.keys.first().clone());
        Ok(())
    }

    pub(super) fn query(&self, query: &Query, revision: u64) -> Answer {
        let names = |names: Vec<String>| Answer::Names { revision, names };
        let missing = |failure| Answer::Failed(Failure::Auth(failure));
        match query {
            Query::Users => names(self.users.keys().cloned().collect()),
            Query::Roles => names(self.roles.keys().cloned().collect()),
            Query::RolesOf { user } => match self.users.get(user) {
                Some(user) => names(user.roles.clone()),
                None => missing(AuthFailure::UserNotFound),
            },
            Query::Permissions { role } => match self.roles.get(role) {
                Some(role) => Answer::Permitted { revision, permissions: role.clone() },
                None => missing(AuthFailure::RoleNotFound),
            },
            Query::Standing => {
                Answer::Standing { revision, is_on: self.is_on, auth_revision: self.revision }
            }
            other => panic!("a query of something else: {other:?}"),
        }
    }

    fn user(&self, caller: &Caller) -> Option<&User> {
        self.users.get(&caller.user)
    }

    fn admin(&self, caller: &Caller) -> Option<AuthFailure> {
        match self.user(caller) {
            None => Some(AuthFailure::UserNotFound),
            Some(user) if user.roles.iter().any(|role| role == ROOT) => None,
            Some(_) => Some(AuthFailure::PermissionDenied),
        }
    }

    /// Whether the caller may do this with these keys.
    fn keys(&self, caller: &Caller, keys: &Keys, access: Access) -> Option<AuthFailure> {
        if caller.auth_revision < self.revision {
            return Some(AuthFailure::OldRevision);
        }
        let user = self.user(caller);
        if user.is_some() && self.admin(caller).is_none() {
            return None;
        }
        let roles = user.into_iter().flat_map(|user| &user.roles);
        let permitted: Vec<&Keys> = roles
            .flat_map(|role| self.roles.get(role).into_iter().flatten())
            .filter(|its| its.access == access || its.access == Access::ReadWrite)
            .map(|its| &its.keys)
            .collect();
        let is_permitted = |key: &Bytes| permitted.iter().any(|range| range.contains(key));
        let before_end = |key: &Bytes| keys.end().is_none_or(|end| *key < end);
        let ends = permitted.iter().filter_map(|range| range.end());
        let mut on_the_way = ends.filter(|end| end > keys.first() && before_end(end));
        let may = is_permitted(keys.first()) && on_the_way.all(|end| is_permitted(&end));
        (!may).then_some(AuthFailure::PermissionDenied)
    }
}

impl Model {
    pub(super) fn forbids(
        &self,
        caller: Option<&Caller>,
        command: &Command,
    ) -> Option<AuthFailure> {
        let is_own =
            matches!(command, Command::Compact { .. } | Command::Raise(_) | Command::Disarm(_));
        if !self.auth.is_on || is_own && caller.is_none() {
            return None;
        }
        if let Command::Do(transaction) = command {
            return self.forbids_transaction(caller, transaction);
        }
        let Some(caller) = caller else {
            return Some(AuthFailure::UserEmpty);
        };
        match command {
            Command::Put { key, expect, .. } | Command::Delete { key, expect } => {
                let keys = Keys::One(key.clone());
                let writes = self.auth.keys(caller, &keys, Access::Write);
                let compares = *expect != Expect::Any;
                writes.or_else(|| {
                    compares.then(|| self.auth.keys(caller, &keys, Access::Read)).flatten()
                })
            }
            Command::Revoke { lease } | Command::KeepAlive { lease } => {
                self.forbids_leased(caller, *lease, Access::Write)
            }
            Command::TimeLeft { lease, with_keys: true } => {
                self.forbids_leased(caller, *lease, Access::Read)
            }
            Command::Grant { .. } | Command::TimeLeft { .. } => None,
            _ => self.auth.admin(caller),
        }
    }

    pub(super) fn forbids_query(
        &self,
        caller: Option<&Caller>,
        query: &Query,
    ) -> Option<AuthFailure> {
        if !self.auth.is_on {
            return None;
        }
        if let Query::Look(transaction) = query {
            return self.forbids_transaction(caller, transaction);
        }
        let Some(caller) = caller else {
            return Some(AuthFailure::UserEmpty);
        };
        let reads = |keys: &Keys| self.auth.keys(caller, keys, Access::Read);
        let roles = self.auth.user(caller).into_iter().flat_map(|user| &user.roles);
        match query {
            Query::Get { key } => reads(&Keys::One(key.clone())),
            Query::List { prefix, .. } => reads(&Keys::with_prefix(prefix.clone())),
            Query::Range(range) => reads(&range.keys),
            Query::Watch(keys) => reads(keys),
            Query::Leases => {
                let mut leases: Vec<LeaseId> = self.leases.keys().copied().collect();
                leases.sort_by_key(|lease| lease.to_key());
                let forbids = |lease| self.forbids_leased(caller, lease, Access::Read);
                leases.into_iter().find_map(forbids)
            }
            Query::Alarms => None,
            Query::RolesOf { user } if *user == caller.user => None,
            Query::Permissions { role } if roles.into_iter().any(|its| its == role) => None,
            _ => self.auth.admin(caller),
        }
    }

    fn forbids_leased(
        &self,
        caller: &Caller,
        lease: LeaseId,
        access: Access,
    ) -> Option<AuthFailure> {
        self.auth.admin(caller)?;
        let mut items = self.items.values().filter(|item| item.lease == lease);
        items.find_map(|item| self.auth.keys(caller, &Keys::One(item.key.clone()), access))
    }

    fn forbids_transaction(
        &self,
        caller: Option<&Caller>,
        transaction: &Transaction,
    ) -> Option<AuthFailure> {
        let keys = |keys: &Keys, access| match caller {
            Some(caller) => self.auth.keys(caller, keys, access),
            None => Some(AuthFailure::UserEmpty),
        };
        let forbids = |operation: &Operation| match operation {
            Operation::Range(range) => keys(&range.keys, Access::Read),
            Operation::Put(put) => {
                let one = Keys::One(put.key.clone());
                let leased = || self.forbids_leased(caller?, put.lease, Access::Write);
                let lease = put.lease.is_some().then_some(()).and_then(|()| leased());
                let read = put.previous.then(|| keys(&one, Access::Read)).flatten();
                keys(&one, Access::Write).or(lease).or(read)
            }
            Operation::Delete(delete) => {
                let read = delete.previous.then(|| keys(&delete.keys, Access::Read)).flatten();
                keys(&delete.keys, Access::Write).or(read)
            }
            Operation::Transaction(inner) => self.forbids_transaction(caller, inner),
        };
        let mut compared = transaction.comparisons.iter();
        let operations = transaction.success.iter().chain(&transaction.failure);
        compared
            .find_map(|comparison| keys(&comparison.keys, Access::Read))
            .or_else(|| operations.into_iter().find_map(forbids))
    }
}
