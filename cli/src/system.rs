//! Which system: the option that nodes and clusters share.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use serve::System;

use crate::exit::{Failure, Outcome};

/// Reads `kv` or `queue`.
pub(crate) fn parser() -> impl TypedValueParser<Value = System> {
    PossibleValuesParser::new(System::ALL.map(System::name))
        .map(|name| name.parse().expect("only names of systems are possible"))
}

/// The system that a data folder is of by its own words.
pub(crate) fn of_folder(lives: &host::FolderIdentity) -> Outcome<System> {
    named(&lives.system).map_err(|what| {
        Failure::usage(format!(
            "The data folder of {} cannot be used: {what}. Use the build that made it.",
            lives.name
        ))
    })
}

/// The system of this name; a folder without one is from when there was only the key/value store.
pub(crate) fn named(name: &str) -> Result<System, String> {
    if name.is_empty() { Ok(System::Kv) } else { name.parse() }
}

#[cfg(test)]
mod tests {
    use super::{System, named};

    #[test]
    fn a_folder_without_a_name_is_of_the_store() {
        assert_eq!(named(""), Ok(System::Kv));
        assert_eq!(named("queue"), Ok(System::Queue));
        assert!(named("chat").is_err());
    }
}
