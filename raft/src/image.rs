//! The image of a replica: all its fields as bytes, from which it goes on as if nothing had happened.
//!
//! A host keeps an image and the inputs that came since, so that they can be run again if an invariant
//! breaks. An image is read by the build that made it and by no other, so its bytes are not a format
//! that has to be kept: they follow from the fields, which `image!` lists once for each type. A
//! field that is not listed does not compile. Each type puts a number before its fields that is made
//! of their names, so that a build with other fields says so and does not guess.

use alloc::{
    collections::{BTreeMap, VecDeque},
    vec::Vec,
};
use core::time::Duration;

use kernel::{
    Bytes, Entry, EntryId, FetchId, Generation, HardState, Image, Incarnation, Index, Instant,
    Malformed, Membership, NodeId, Origin, Peer, PersistNumber, Reader, Rng, Role, SnapshotMeta,
    Stamp, Term, Ticket, Wire, Writer,
};

use crate::{message::Proposal, node::Raft};

/// A part of an image.
pub(crate) trait Field: Sized {
    fn put(&self, writer: &mut Writer);
    fn take(reader: &mut Reader) -> Result<Self, Malformed>;
}

/// Makes a type a [`Field`], from its name and the names of its fields. Fields after `without` are
/// empty between two inputs, and are not part of the image.
macro_rules! image {
    (struct $name:ident { $($field:ident),* $(,)? } $(without { $($empty:ident),* })?) => {
        impl $crate::image::Field for $name {
            fn put(&self, writer: &mut kernel::Writer) {
                let Self { $($field,)* $($($empty,)*)? } = self;
                $($(assert!($empty.is_empty(), "an image is taken between two inputs");)*)?
                writer.put_u32($crate::image::layout(stringify!($name $($field)*)));
                $($crate::image::Field::put($field, writer);)*
            }

            fn take(reader: &mut kernel::Reader) -> Result<Self, kernel::Malformed> {
                const EXPECTED: &str = concat!("the fields of ", stringify!($name), " in this build");
                if reader.take_u32()? != $crate::image::layout(stringify!($name $($field)*)) {
                    return Err(kernel::Malformed(EXPECTED));
                }
                Ok(Self {
                    $($field: $crate::image::Field::take(reader)?,)*
                    $($($empty: Default::default(),)*)?
                })
            }
        }
    };
    (enum $name:ident {
        $($number:literal => $variant:ident $(($item:ident))? $({ $($field:ident),* })?,)*
    }) => {
        impl $crate::image::Field for $name {
            fn put(&self, writer: &mut kernel::Writer) {
                match self {
                    $(Self::$variant $(($item))? $({ $($field),* })? => {
                        writer.put_u8($number);
                        $($crate::image::Field::put($item, writer);)?
                        $($($crate::image::Field::put($field, writer);)*)?
                    })*
                }
            }

            fn take(reader: &mut kernel::Reader) -> Result<Self, kernel::Malformed> {
                const EXPECTED: &str = concat!("a ", stringify!($name), " of this build");
                Ok(match reader.take_u8()? {
                    $($number => Self::$variant
                        $(({ let $item = $crate::image::Field::take(reader)?; $item }))?
                        $({ $($field: $crate::image::Field::take(reader)?),* })?,)*
                    _ => return Err(kernel::Malformed(EXPECTED)),
                })
            }
        }
    };
}

pub(crate) use image;

/// A number made of names (FNV-1a, 32 bits): other fields, or another order, give another one.
pub(crate) const fn layout(names: &str) -> u32 {
    let bytes = names.as_bytes();
    let (mut hash, mut place) = (0x811c_9dc5_u32, 0);
    while place < bytes.len() {
        hash = (hash ^ bytes[place] as u32).wrapping_mul(0x0100_0193);
        place += 1;
    }
    hash
}

impl Image for Raft {
    fn image(&self) -> Bytes {
        let mut writer = Writer::default();
        self.put(&mut writer);
        writer.into_bytes()
    }

    fn from_image(image: Bytes) -> Result<Self, Malformed> {
        let mut reader = Reader::new(image);
        let raft = Self::take(&mut reader)?;
        reader.finish()?;
        Ok(raft)
    }
}

macro_rules! as_on_the_wire {
    ($($name:ty),* $(,)?) => {
        $(impl Field for $name {
            fn put(&self, writer: &mut Writer) {
                self.encode(writer);
            }

            fn take(reader: &mut Reader) -> Result<Self, Malformed> {
                Self::decode(reader)
            }
        })*
    };
}

as_on_the_wire!(
    Entry,
    EntryId,
    FetchId,
    Generation,
    HardState,
    Incarnation,
    Index,
    Membership,
    NodeId,
    Peer,
    PersistNumber,
    Proposal,
    SnapshotMeta,
    Stamp,
    Term,
    Ticket,
);

impl Field for u64 {
    fn put(&self, writer: &mut Writer) {
        writer.put_u64(*self);
    }

    fn take(reader: &mut Reader) -> Result<Self, Malformed> {
        reader.take_u64()
    }
}

impl Field for bool {
    fn put(&self, writer: &mut Writer) {
        writer.put_u8(u8::from(*self));
    }

    fn take(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(reader.take_u8()? != 0)
    }
}

impl Field for Instant {
    fn put(&self, writer: &mut Writer) {
        writer.put_u64(self.0);
    }

    fn take(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self(reader.take_u64()?))
    }
}

impl Field for Duration {
    fn put(&self, writer: &mut Writer) {
        writer.put_u128(self.as_nanos());
    }

    fn take(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self::from_nanos_u128(reader.take_u128()?))
    }
}

impl Field for Rng {
    fn put(&self, writer: &mut Writer) {
        writer.put_u64(self.state());
    }

    fn take(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self::new(reader.take_u64()?))
    }
}

impl<T: Field> Field for Option<T> {
    fn put(&self, writer: &mut Writer) {
        self.is_some().put(writer);
        if let Some(value) = self {
            value.put(writer);
        }
    }

    fn take(reader: &mut Reader) -> Result<Self, Malformed> {
        if bool::take(reader)? { T::take(reader).map(Some) } else { Ok(None) }
    }
}

impl<T: Field> Field for Vec<T> {
    fn put(&self, writer: &mut Writer) {
        put_all(self.iter(), writer);
    }

    fn take(reader: &mut Reader) -> Result<Self, Malformed> {
        (0..reader.take_u64()?).map(|_| T::take(reader)).collect()
    }
}

impl<T: Field> Field for VecDeque<T> {
    fn put(&self, writer: &mut Writer) {
        put_all(self.iter(), writer);
    }

    fn take(reader: &mut Reader) -> Result<Self, Malformed> {
        Vec::take(reader).map(Self::from)
    }
}

impl<K: Field + Ord, V: Field> Field for BTreeMap<K, V> {
    fn put(&self, writer: &mut Writer) {
        writer.put_u64(self.len() as u64);
        for (key, value) in self {
            key.put(writer);
            value.put(writer);
        }
    }

    fn take(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Vec::<(K, V)>::take(reader)?.into_iter().collect())
    }
}

impl<A: Field, B: Field> Field for (A, B) {
    fn put(&self, writer: &mut Writer) {
        self.0.put(writer);
        self.1.put(writer);
    }

    fn take(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok((A::take(reader)?, B::take(reader)?))
    }
}

impl<A: Field, B: Field, C: Field> Field for (A, B, C) {
    fn put(&self, writer: &mut Writer) {
        self.0.put(writer);
        self.1.put(writer);
        self.2.put(writer);
    }

    fn take(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok((A::take(reader)?, B::take(reader)?, C::take(reader)?))
    }
}

fn put_all<'a, T: Field + 'a>(items: impl ExactSizeIterator<Item = &'a T>, writer: &mut Writer) {
    writer.put_u64(items.len() as u64);
    for item in items {
        item.put(writer);
    }
}

image!(struct Origin { peer, ticket });

image!(enum Role {
    0 => Follower,
    1 => PreCandidate,
    2 => Candidate,
    3 => Leader,
});

#[cfg(test)]
mod tests {
    use super::{Field, layout};
    use kernel::{Malformed, Reader, Writer};

    #[derive(Debug, PartialEq, Eq)]
    struct Before {
        first: u64,
        second: u64,
    }

    #[derive(Debug, PartialEq, Eq)]
    struct After {
        second: u64,
        first: u64,
    }

    image!(struct Before { first, second });
    image!(struct After { second, first });

    #[test]
    fn a_build_with_other_fields_refuses_the_image() {
        let mut writer = Writer::default();
        Before { first: 1, second: 2 }.put(&mut writer);
        let bytes = writer.into_bytes();
        let read = Before::take(&mut Reader::new(bytes.clone()));
        assert_eq!(read, Ok(Before { first: 1, second: 2 }));
        let refused = After::take(&mut Reader::new(bytes));
        assert_eq!(refused, Err(Malformed("the fields of After in this build")));
    }

    #[test]
    fn the_order_of_names_counts() {
        assert_ne!(layout("a b"), layout("b a"));
    }
}
