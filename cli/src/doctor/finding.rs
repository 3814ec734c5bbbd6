//! One thing that is wrong.

use std::fmt;

use serde_json::{Value, json};

use crate::exit::Exit;

/// What is wrong, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// A name for programs, which stays.
    pub(super) code: &'static str,
    /// How the command ends for it; [`Exit::Done`] if it is only worth knowing.
    pub(super) exit: Exit,
    /// What is so: sentences.
    pub(super) says: String,
    /// What to do: sentences.
    pub(super) advice: String,
}

impl Finding {
    /// Something to do, while the cluster serves.
    pub(super) fn ailing(
        code: &'static str,
        says: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { code, exit: Exit::Ailing, says: says.into(), advice: advice.into() }
    }

    /// Something that ends the command in another way.
    pub(super) fn with(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        json!({
            "code": self.code,
            "isWrong": self.exit != Exit::Done,
            "says": self.says,
            "advice": self.advice,
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}\n  {}", self.code, self.says, self.advice)
    }
}
