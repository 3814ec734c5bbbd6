//! [`Served`]: which system runs in a world.

use std::{fmt, str::FromStr};

use super::Malformed;

/// The systems that there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Served {
    /// The key/value store.
    #[default]
    Kv,
    /// The work queue.
    Queue,
}

impl Served {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Kv, Self::Queue];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kv => "kv",
            Self::Queue => "queue",
        }
    }
}

impl fmt::Display for Served {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Served {
    type Err = Malformed;

    fn from_str(name: &str) -> Result<Self, Malformed> {
        let found = Self::ALL.into_iter().find(|served| served.name() == name);
        found.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            Malformed::new(format!("`{name}` is no system; there are: {names}"))
        })
    }
}
