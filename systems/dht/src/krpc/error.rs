//! Why a query is refused: the codes of BEP 5 and BEP 44.

use core::fmt;

/// A refusal, with what to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KrpcError {
    /// A field is missing, or not what it should be.
    Invalid(&'static str),
    /// The token was not given to this address lately.
    BadToken,
    /// There is no such method.
    UnknownMethod,
    /// The value is longer than BEP 44 allows.
    ValueTooBig,
    /// The signature is not that of the key.
    BadSignature,
    /// The salt is longer than BEP 44 allows.
    SaltTooBig,
    /// The stored value has another sequence number than the one to be replaced.
    NotAsExpected,
    /// The stored value is newer, or another with the same number.
    SequenceTooLow,
}

impl KrpcError {
    /// The code on the network.
    #[must_use]
    pub const fn code(self) -> i64 {
        match self {
            Self::Invalid(_) | Self::BadToken => 203,
            Self::UnknownMethod => 204,
            Self::ValueTooBig => 205,
            Self::BadSignature => 206,
            Self::SaltTooBig => 207,
            Self::NotAsExpected => 301,
            Self::SequenceTooLow => 302,
        }
    }
}

impl fmt::Display for KrpcError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(field) => write!(formatter, "missing or invalid '{field}'"),
            Self::BadToken => formatter.write_str("invalid token: ask for a new one"),
            Self::UnknownMethod => formatter.write_str("unknown method"),
            Self::ValueTooBig => formatter.write_str("value longer than 1000 bytes"),
            Self::BadSignature => formatter.write_str("invalid signature"),
            Self::SaltTooBig => formatter.write_str("salt longer than 64 bytes"),
            Self::NotAsExpected => formatter.write_str("the stored sequence number is not 'cas'"),
            Self::SequenceTooLow => {
                formatter.write_str("a value with this or a higher 'seq' is stored")
            }
        }
    }
}
