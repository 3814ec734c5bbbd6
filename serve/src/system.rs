//! [`System`]: what a node runs, and a front therefore serves.

use std::{fmt, str::FromStr};

/// What a node runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum System {
    /// The key/value store.
    #[default]
    Kv,
    /// The work queue.
    Queue,
}

impl System {
    /// All there are.
    pub const ALL: [Self; 2] = [Self::Kv, Self::Queue];

    /// Its name, as data folders have it: never used for another one.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kv => "kv",
            Self::Queue => "queue",
        }
    }
}

impl fmt::Display for System {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for System {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|system| system.name() == name);
        found.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("there is no system {name:?} in this build; there are {names}")
        })
    }
}
