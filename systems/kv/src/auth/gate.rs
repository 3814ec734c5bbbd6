//! What stands before every command and every query: alarms, and who may do what.

use kernel::Fault;

use super::{Caller, User, failure::AuthFailure, grants::Grants, needs, needs::Need};
use crate::{
    alarm::concerns_data,
    command::Command,
    failure::Failure,
    item::LeaseId,
    keys::Keys,
    query::Query,
    store::{View, guards, leases, users},
};

/// Why a command is not to be done.
pub(crate) fn refuse(
    view: &impl View,
    caller: Option<&Caller>,
    command: &Command,
) -> Result<Option<Failure>, Fault> {
    let standing = guards::standing(view)?;
    if standing.has(guards::CORRUPT) && concerns_data(command) {
        return Ok(Some(Failure::Corrupt));
    }
    if standing.has(guards::AUTH) {
        let needs = needs::of_command(command, caller.is_some());
        if let Some(failure) = Rights::of(view, caller)?.lack(&needs)? {
            return Ok(Some(Failure::Auth(failure)));
        }
    }
    let lacks_room = standing.has(guards::NO_SPACE) && command.takes_room();
    Ok(lacks_room.then_some(Failure::NoSpace))
}

/// Why a query is not to be answered.
pub(crate) fn refuse_query(
    view: &impl View,
    caller: Option<&Caller>,
    query: &Query,
) -> Result<Option<Failure>, Fault> {
    if !guards::standing(view)?.has(guards::AUTH) {
        return Ok(None);
    }
    let lacks = Rights::of(view, caller)?.lack(&needs::of_query(query))?;
    Ok(lacks.map(Failure::Auth))
}

type Judged = Result<Option<AuthFailure>, Fault>;

/// What a caller may do.
struct Rights<'a, V> {
    view: &'a V,
    caller: Option<&'a Caller>,
    user: Option<User>,
    /// What the roles allow, or why that does not count.
    grants: Result<Grants, AuthFailure>,
}

impl<'a, V: View> Rights<'a, V> {
    fn of(view: &'a V, caller: Option<&'a Caller>) -> Result<Self, Fault> {
        let user = match caller {
            Some(caller) => users::user(view, &caller.user)?,
            None => None,
        };
        let present = crate::store::auth_revision(view)?;
        let grants = match (caller, &user) {
            (None, _) => Err(AuthFailure::UserEmpty),
            (Some(caller), _) if caller.auth_revision < present => Err(AuthFailure::OldRevision),
            (Some(_), None) => Err(AuthFailure::PermissionDenied),
            (Some(_), Some(user)) => Ok(Grants::of(view, user)?),
        };
        Ok(Self { view, caller, user, grants })
    }

    /// What of these needs is not met.
    fn lack(&self, needs: &[Need<'_>]) -> Judged {
        for need in needs {
            let failure = match need {
                Need::Known => self.known(),
                Need::Admin => self.admin(),
                Need::User(name) if self.caller.is_some_and(|it| it.user == **name) => None,
                Need::Member(role) if self.has_role(role) => None,
                Need::User(_) | Need::Member(_) => self.admin(),
                Need::Read(keys) => self.reading(keys),
                Need::Write(keys) => self.writing(keys),
                Need::WriteLeased(lease) => self.leased(*lease, Self::writing)?,
                Need::ReadLeased(lease) => self.leased(*lease, Self::reading)?,
                Need::ReadAllLeased => self.all_leased()?,
            };
            if failure.is_some() {
                return Ok(failure);
            }
        }
        Ok(None)
    }

    const fn known(&self) -> Option<AuthFailure> {
        if self.caller.is_none() { Some(AuthFailure::UserEmpty) } else { None }
    }

    fn admin(&self) -> Option<AuthFailure> {
        match (self.caller, &self.user) {
            (None, _) => Some(AuthFailure::UserEmpty),
            (Some(_), None) => Some(AuthFailure::UserNotFound),
            (Some(_), Some(user)) => (!user.is_root()).then_some(AuthFailure::PermissionDenied),
        }
    }

    fn has_role(&self, role: &str) -> bool {
        self.user.as_ref().is_some_and(|user| user.roles.iter().any(|its| its == role))
    }

    fn reading(&self, keys: &Keys) -> Option<AuthFailure> {
        self.granted(|grants| grants.allow_reading(keys))
    }

    fn writing(&self, keys: &Keys) -> Option<AuthFailure> {
        self.granted(|grants| grants.allow_writing(keys))
    }

    fn granted(&self, allow: impl Fn(&Grants) -> bool) -> Option<AuthFailure> {
        match &self.grants {
            Ok(grants) => (!allow(grants)).then_some(AuthFailure::PermissionDenied),
            Err(failure) => Some(*failure),
        }
    }

    /// As in etcd, an admin needs nothing of the keys, known at whichever revision.
    fn leased(
        &self,
        lease: LeaseId,
        check: impl Fn(&Self, &Keys) -> Option<AuthFailure>,
    ) -> Judged {
        if self.admin().is_none() {
            return Ok(None);
        }
        let keys = leases::keys_of(self.view, lease)?;
        Ok(keys.into_iter().find_map(|key| check(self, &Keys::One(key))))
    }

    fn all_leased(&self) -> Judged {
        for lease in leases::all(self.view)? {
            let failure = self.leased(lease, Self::reading)?;
            if failure.is_some() {
                return Ok(failure);
            }
        }
        Ok(None)
    }
}
