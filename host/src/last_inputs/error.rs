//! Why a file of last inputs is of no use.

use std::{fmt, io};

use kernel::Malformed;

/// Why a file of last inputs is of no use, and what to do.
#[derive(Debug)]
pub enum LastInputsError {
    /// It cannot be read.
    Reading(io::Error),
    /// It is some other file.
    OtherFile,
    /// Another version of the program wrote it.
    OtherVersion {
        /// The one that wrote it.
        wrote: String,
        /// This one.
        reads: &'static str,
    },
    /// It is not as it was written.
    Damaged,
    /// A build whose node has other fields wrote it.
    OtherBuild(Malformed),
}

impl fmt::Display for LastInputsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reading(error) => write!(formatter, "it cannot be read: {error}"),
            Self::OtherFile => formatter.write_str(
                "it does not hold the last inputs of a node; such files are named \
                 last-inputs-<number>.replay and stand in the node's data folder",
            ),
            Self::OtherVersion { wrote, reads } => write!(
                formatter,
                "archipel {wrote} wrote it and this is archipel {reads}; run it again with the \
                 program that wrote it"
            ),
            Self::Damaged => formatter.write_str(
                "it is damaged: its checksum does not match, or its end is missing; copy it again \
                 from the node's data folder",
            ),
            Self::OtherBuild(malformed) => write!(
                formatter,
                "another build of this version wrote it, whose node has other fields ({malformed}); \
                 run it again with the build that wrote it"
            ),
        }
    }
}

impl std::error::Error for LastInputsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Reading(error) => Some(error),
            Self::OtherBuild(malformed) => Some(malformed),
            Self::OtherFile | Self::OtherVersion { .. } | Self::Damaged => None,
        }
    }
}
