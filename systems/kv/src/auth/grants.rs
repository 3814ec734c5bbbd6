//! [`Grants`]: what the roles of a user allow.

use alloc::vec::Vec;

use bytes::Bytes;
use kernel::Fault;

use super::{Permission, User};
use crate::{
    keys::Keys,
    store::{View, users},
};

/// What the roles of a user allow.
pub(super) enum Grants {
    /// Everything.
    All,
    /// This, together.
    Some(Vec<Permission>),
}

impl Grants {
    /// What this user's roles allow.
    pub(super) fn of(view: &impl View, user: &User) -> Result<Self, Fault> {
        if user.is_root() {
            return Ok(Self::All);
        }
        let mut permissions = Vec::new();
        for role in &user.roles {
            permissions.extend(users::role(view, role)?.unwrap_or_default());
        }
        permissions.sort_by(|a, b| a.keys.first().cmp(b.keys.first()));
        Ok(Self::Some(permissions))
    }

    pub(super) fn allow_reading(&self, keys: &Keys) -> bool {
        self.allow(keys, |permission| permission.access.reads())
    }

    pub(super) fn allow_writing(&self, keys: &Keys) -> bool {
        self.allow(keys, |permission| permission.access.writes())
    }

    fn allow(&self, keys: &Keys, that: impl Fn(&Permission) -> bool) -> bool {
        match self {
            Self::All => true,
            Self::Some(permissions) => {
                cover(permissions.iter().filter(|it| that(it)).map(|it| &it.keys), keys)
            }
        }
    }
}

/// True if these ranges, in the order of their first keys, have all of `keys` among them. Ranges that
/// touch count as one. As in etcd a range of no keys is covered by whoever has its first.
fn cover<'a>(ranges: impl Iterator<Item = &'a Keys>, keys: &Keys) -> bool {
    let end = keys.end();
    let mut reached: Option<Bytes> = None;
    for range in ranges {
        let next = reached.as_ref().unwrap_or_else(|| keys.first());
        let goes_on = range.first() <= next && range.end().is_none_or(|its| its > *next);
        if !goes_on {
            continue;
        }
        match (range.end(), &end) {
            (None, _) => return true,
            (Some(its), Some(end)) if its >= *end => return true,
            (Some(its), _) => reached = Some(its),
        }
    }
    false
}
