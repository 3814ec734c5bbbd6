//! [`AuthFailure`]: why somebody may not do something, or why users and roles stay as they are.

use core::fmt;

/// Why somebody may not do something, or why users and roles stay as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthFailure {
    /// Nobody is named, where somebody must be.
    UserEmpty,
    /// There is no such user.
    UserNotFound,
    /// There is such a user.
    UserExists,
    /// A role has a name.
    RoleEmpty,
    /// There is no such role.
    RoleNotFound,
    /// There is such a role.
    RoleExists,
    /// The user does not have the role.
    RoleNotGranted,
    /// The role is not permitted anything with just these keys.
    PermissionNotGranted,
    /// The caller may not do that.
    PermissionDenied,
    /// There is no user root, without whom nobody could turn authentication off again.
    RootMissing,
    /// The user root does not have the role root.
    RootWithoutRole,
    /// That would take from root what root needs, or is no range of keys.
    InvalidManagement,
    /// Users or roles have changed since the caller was last known.
    OldRevision,
}

pub(crate) const ALL: [AuthFailure; 13] = [
    AuthFailure::UserEmpty,
    AuthFailure::UserNotFound,
    AuthFailure::UserExists,
    AuthFailure::RoleEmpty,
    AuthFailure::RoleNotFound,
    AuthFailure::RoleExists,
    AuthFailure::RoleNotGranted,
    AuthFailure::PermissionNotGranted,
    AuthFailure::PermissionDenied,
    AuthFailure::RootMissing,
    AuthFailure::RootWithoutRole,
    AuthFailure::InvalidManagement,
    AuthFailure::OldRevision,
];

impl AuthFailure {
    /// Its number among all failures.
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::UserEmpty => 12,
            Self::UserNotFound => 13,
            Self::UserExists => 14,
            Self::RoleEmpty => 15,
            Self::RoleNotFound => 16,
            Self::RoleExists => 17,
            Self::RoleNotGranted => 18,
            Self::PermissionNotGranted => 19,
            Self::PermissionDenied => 20,
            Self::RootMissing => 21,
            Self::RootWithoutRole => 22,
            Self::InvalidManagement => 23,
            Self::OldRevision => 24,
        }
    }
}

impl fmt::Display for AuthFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::UserEmpty => "no user is named",
            Self::UserNotFound => "there is no such user",
            Self::UserExists => "there is such a user already",
            Self::RoleEmpty => "a role must have a name",
            Self::RoleNotFound => "there is no such role",
            Self::RoleExists => "there is such a role already",
            Self::RoleNotGranted => "the user does not have the role",
            Self::PermissionNotGranted => "the role is not permitted anything with just these keys",
            Self::PermissionDenied => "the user may not do that",
            Self::RootMissing => "there is no user root",
            Self::RootWithoutRole => "the user root does not have the role root",
            Self::InvalidManagement => "root needs that, or it is no range of keys",
            Self::OldRevision => "users or roles have changed since the user was last known",
        })
    }
}
