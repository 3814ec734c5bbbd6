//! Users and roles.
//!
//! ```text
//! user's name ─▶ no password u8 | hash of the password | names of its roles
//! role's name ─▶ permissions: keys, access u8
//! ```

use alloc::{string::String, vec::Vec};

use kernel::{Fault, Malformed, TableId, Tables, Wire, Writer};

use super::{View, corrupt, each_row};
use crate::auth::{Permission, User};

/// The users, by their names.
pub(crate) const USERS: TableId = TableId(24);
/// The roles, by their names.
pub(crate) const ROLES: TableId = TableId(25);

/// The user of that name.
pub(crate) fn user(view: &impl View, name: &str) -> Result<Option<User>, Fault> {
    let row = view.get(USERS, name.as_bytes())?;
    row.map(|row| User::from_bytes(row).map_err(corrupt)).transpose()
}

pub(crate) fn set_user(tables: &mut Tables, name: &str, user: &User) -> Result<(), Fault> {
    tables.put(USERS, name.as_bytes(), &user.to_bytes())
}

/// What the role of that name may do.
pub(crate) fn role(view: &impl View, name: &str) -> Result<Option<Vec<Permission>>, Fault> {
    let row = view.get(ROLES, name.as_bytes())?;
    row.map(|row| kernel::Reader::new(row).take_list().map_err(corrupt)).transpose()
}

pub(crate) fn set_role(
    tables: &mut Tables,
    name: &str,
    permissions: &[Permission],
) -> Result<(), Fault> {
    let mut writer = Writer::default();
    writer.put_list(permissions);
    tables.put(ROLES, name.as_bytes(), &writer.into_bytes())
}

/// All names in a table of users or roles, ascending.
pub(crate) fn names(view: &impl View, table: TableId) -> Result<Vec<String>, Fault> {
    let mut names = Vec::new();
    each_row(view, table, (&[], None), |key, _| {
        let name = String::from_utf8(key.to_vec());
        names.push(name.map_err(|_| corrupt(Malformed("a name in UTF-8")))?);
        Ok(())
    })?;
    Ok(names)
}
