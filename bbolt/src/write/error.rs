//! Why a file is not written.

use core::fmt;

/// Why a file is not written to its end. The writer is of no further use then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteError<E> {
    /// The sink took no more.
    Sink(E),
    /// A pair came before the first bucket.
    NoBucket,
    /// A key or the name of a bucket has no bytes.
    EmptyKey,
    /// A key or the name of a bucket is longer than [`KEY_BYTES_MAX`](crate::KEY_BYTES_MAX).
    LongKey {
        /// How long it is.
        bytes: usize,
    },
    /// A value is longer than [`VALUE_BYTES_MAX`](crate::VALUE_BYTES_MAX).
    LongValue {
        /// How long it is.
        bytes: usize,
    },
    /// A key, or the name of a bucket, is not greater than the one before it.
    OutOfOrder,
    /// The second walk gave something else than the one that was measured. What is written is no file.
    NotAsMeasured,
}

impl<E: fmt::Display> fmt::Display for WriteError<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sink(error) => error.fmt(formatter),
            Self::NoBucket => write!(formatter, "a pair belongs to a bucket: begin one first"),
            Self::EmptyKey => write!(formatter, "a key has no bytes: bbolt takes no empty keys"),
            Self::LongKey { bytes } => {
                write!(formatter, "a key of {bytes} bytes: bbolt takes at most 32768")
            }
            Self::LongValue { bytes } => {
                write!(formatter, "a value of {bytes} bytes: bbolt takes less than 2 GiB")
            }
            Self::OutOfOrder => {
                write!(formatter, "keys come in ascending order, each once: sort them first")
            }
            Self::NotAsMeasured => write!(
                formatter,
                "the pairs are not those that were measured: walk one moment of the data twice"
            ),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> core::error::Error for WriteError<E> {}
