//! Changes of users and roles, and of whether they count.

use alloc::{string::String, vec::Vec};

use bytes::Bytes;
use kernel::{Fault, Tables};

use crate::{
    answer::Answer,
    auth::{Permission, ROOT, User, change::Change, failure::AuthFailure},
    failure::Failure,
    keys::Keys,
    store::{
        self, guards,
        users::{self, ROLES, USERS},
    },
};

/// Done; or why not.
type Done = Result<Result<(), AuthFailure>, Fault>;

/// Makes the change.
pub(super) fn change(change: &Change, tables: &mut Tables) -> Result<Answer, Fault> {
    let done = match change {
        Change::Enable { key } => enable(key, tables)?,
        Change::Disable => disable(tables)?,
        Change::AddUser { name, user } => add_user(name, user, tables)?,
        Change::DeleteUser { name } => delete_user(name, tables)?,
        Change::SetPassword { name, password } => set_password(name, password, tables)?,
        Change::GrantRole { user, role } => grant_role(user, role, tables)?,
        Change::RevokeRole { user, role } => revoke_role(user, role, tables)?,
        Change::AddRole { name } => add_role(name, tables)?,
        Change::DeleteRole { name } => delete_role(name, tables)?,
        Change::Permit { role, permission } => permit(role, permission, tables)?,
        Change::Forbid { role, keys } => forbid(role, keys, tables)?,
    };
    Ok(match done {
        Ok(()) => Answer::Revision(store::revision(tables)?),
        Err(failure) => Answer::Failed(Failure::Auth(failure)),
    })
}

fn is_on(tables: &Tables) -> Result<bool, Fault> {
    Ok(guards::standing(tables)?.has(guards::AUTH))
}

/// As in etcd, this is no change that has an auth revision: nobody has been known before it.
fn enable(key: &Bytes, tables: &mut Tables) -> Done {
    if is_on(tables)? {
        return Ok(Ok(()));
    }
    let Some(root) = users::user(tables, ROOT)? else {
        return Ok(Err(AuthFailure::RootMissing));
    };
    if !root.is_root() {
        return Ok(Err(AuthFailure::RootWithoutRole));
    }
    store::set_token_key(tables, key)?;
    guards::set(tables, guards::AUTH, true)?;
    Ok(Ok(()))
}

fn disable(tables: &mut Tables) -> Done {
    if is_on(tables)? {
        guards::set(tables, guards::AUTH, false)?;
        store::advance_auth_revision(tables)?;
    }
    Ok(Ok(()))
}

fn add_user(name: &str, user: &User, tables: &mut Tables) -> Done {
    if name.is_empty() {
        return Ok(Err(AuthFailure::UserEmpty));
    }
    if users::user(tables, name)?.is_some() {
        return Ok(Err(AuthFailure::UserExists));
    }
    let password = if user.no_password { Bytes::new() } else { user.password.clone() };
    put_user(name, &User { password, roles: Vec::new(), ..user.clone() }, tables)
}

fn put_user(name: &str, user: &User, tables: &mut Tables) -> Done {
    users::set_user(tables, name, user)?;
    store::advance_auth_revision(tables)?;
    Ok(Ok(()))
}

fn delete_user(name: &str, tables: &mut Tables) -> Done {
    if name == ROOT && is_on(tables)? {
        return Ok(Err(AuthFailure::InvalidManagement));
    }
    if !tables.delete(USERS, name.as_bytes())? {
        return Ok(Err(AuthFailure::UserNotFound));
    }
    store::advance_auth_revision(tables)?;
    Ok(Ok(()))
}

fn set_password(name: &str, password: &Bytes, tables: &mut Tables) -> Done {
    let Some(mut user) = users::user(tables, name)? else {
        return Ok(Err(AuthFailure::UserNotFound));
    };
    if !user.no_password {
        user.password = password.clone();
    }
    put_user(name, &user, tables)
}

/// The role root may be granted without having been added.
fn grant_role(name: &str, role: &str, tables: &mut Tables) -> Done {
    let Some(mut user) = users::user(tables, name)? else {
        return Ok(Err(AuthFailure::UserNotFound));
    };
    if role != ROOT && users::role(tables, role)?.is_none() {
        return Ok(Err(AuthFailure::RoleNotFound));
    }
    if user.roles.iter().any(|its| its == role) {
        return Ok(Ok(()));
    }
    user.roles.push(String::from(role));
    user.roles.sort();
    put_user(name, &user, tables)
}

fn revoke_role(name: &str, role: &str, tables: &mut Tables) -> Done {
    if (name, role) == (ROOT, ROOT) && is_on(tables)? {
        return Ok(Err(AuthFailure::InvalidManagement));
    }
    let Some(mut user) = users::user(tables, name)? else {
        return Ok(Err(AuthFailure::UserNotFound));
    };
    if !user.roles.iter().any(|its| its == role) {
        return Ok(Err(AuthFailure::RoleNotGranted));
    }
    user.roles.retain(|its| its != role);
    put_user(name, &user, tables)
}

fn add_role(name: &str, tables: &mut Tables) -> Done {
    if name.is_empty() {
        return Ok(Err(AuthFailure::RoleEmpty));
    }
    if users::role(tables, name)?.is_some() {
        return Ok(Err(AuthFailure::RoleExists));
    }
    put_role(name, &[], tables)
}

fn put_role(name: &str, permissions: &[Permission], tables: &mut Tables) -> Done {
    users::set_role(tables, name, permissions)?;
    store::advance_auth_revision(tables)?;
    Ok(Ok(()))
}

fn delete_role(name: &str, tables: &mut Tables) -> Done {
    if name == ROOT && is_on(tables)? {
        return Ok(Err(AuthFailure::InvalidManagement));
    }
    if !tables.delete(ROLES, name.as_bytes())? {
        return Ok(Err(AuthFailure::RoleNotFound));
    }
    for holder in users::names(tables, USERS)? {
        let user = users::user(tables, &holder)?;
        let mut user = user.expect("a user whose name was found a moment ago");
        if user.roles.iter().any(|role| role == name) {
            user.roles.retain(|role| role != name);
            users::set_user(tables, &holder, &user)?;
        }
    }
    store::advance_auth_revision(tables)?;
    Ok(Ok(()))
}

/// Permissions lie in the order of their first keys, and in that in which they came.
fn permit(role: &str, permission: &Permission, tables: &mut Tables) -> Done {
    if !is_range(&permission.keys) {
        return Ok(Err(AuthFailure::InvalidManagement));
    }
    let Some(mut permissions) = users::role(tables, role)? else {
        return Ok(Err(AuthFailure::RoleNotFound));
    };
    match permissions.iter_mut().find(|its| its.keys == permission.keys) {
        Some(its) => its.access = permission.access,
        None => permissions.push(permission.clone()),
    }
    permissions.sort_by(|a, b| a.keys.first().cmp(b.keys.first()));
    put_role(role, &permissions, tables)
}

fn is_range(keys: &Keys) -> bool {
    !keys.first().is_empty() && keys.end().is_none_or(|end| *keys.first() < end)
}

fn forbid(role: &str, keys: &Keys, tables: &mut Tables) -> Done {
    let Some(mut permissions) = users::role(tables, role)? else {
        return Ok(Err(AuthFailure::RoleNotFound));
    };
    let before = permissions.len();
    permissions.retain(|its| its.keys != *keys);
    if permissions.len() == before {
        return Ok(Err(AuthFailure::PermissionNotGranted));
    }
    put_role(role, &permissions, tables)
}
