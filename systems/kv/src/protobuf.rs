//! A key and its value as etcd writes them into its own store and hashes them: the message `KeyValue` of
//! its protocol, numbers in seven bits a byte, nothing written of what is zero or empty.
//!
//! ```text
//! 1 key | 2 created | 3 modified | 4 version | 5 value | 6 lease
//! ```

use alloc::vec::Vec;

use crate::item::Item;

/// An item.
#[must_use]
pub fn key_value(item: &Item) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(32 + item.key.len() + item.value.len());
    put_bytes(1, &item.key, &mut bytes);
    put_number(2, item.created, &mut bytes);
    put_number(3, item.modified, &mut bytes);
    put_number(4, item.version, &mut bytes);
    put_bytes(5, &item.value, &mut bytes);
    put_number(6, item.lease.0.cast_unsigned(), &mut bytes);
    bytes
}

/// What is left of a key that was deleted.
#[must_use]
pub fn deleted(key: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(4 + key.len());
    put_bytes(1, key, &mut bytes);
    bytes
}

/// Where etcd keeps what a change left: revision and place among the changes of that revision, the largest byte
/// first, with a mark behind if the key was deleted.
#[must_use]
pub fn place(revision: u64, place: u32, is_deletion: bool) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(18);
    bytes.extend_from_slice(&revision.to_be_bytes());
    bytes.push(b'_');
    bytes.extend_from_slice(&u64::from(place).to_be_bytes());
    if is_deletion {
        bytes.push(b't');
    }
    bytes
}

fn put_bytes(field: u8, value: &[u8], bytes: &mut Vec<u8>) {
    const LENGTH_FOLLOWS: u8 = 2;
    if !value.is_empty() {
        bytes.push(field << 3 | LENGTH_FOLLOWS);
        put_varint(value.len() as u64, bytes);
        bytes.extend_from_slice(value);
    }
}

fn put_number(field: u8, number: u64, bytes: &mut Vec<u8>) {
    if number != 0 {
        bytes.push(field << 3);
        put_varint(number, bytes);
    }
}

fn put_varint(mut number: u64, bytes: &mut Vec<u8>) {
    while number > 0x7f {
        bytes.push(0x80 | number.to_le_bytes()[0]);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

#[cfg(test)]
mod tests {
    use super::{deleted, key_value};
    use crate::item::{Item, LeaseId};

    #[test]
    fn what_is_zero_is_not_written() {
        let item = Item {
            key: "k".into(),
            value: "".into(),
            created: 2,
            modified: 300,
            version: 1,
            lease: LeaseId::NONE,
        };
        assert_eq!(key_value(&item), b"\x0a\x01k\x10\x02\x18\xac\x02\x20\x01");
        let leased = Item { value: "v".into(), lease: LeaseId(-1), ..item };
        let lease = b"\x30\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
        let whole = [&b"\x0a\x01k\x10\x02\x18\xac\x02\x20\x01\x2a\x01v"[..], lease].concat();
        assert_eq!(key_value(&leased), whole);
        assert_eq!(deleted(b"k"), b"\x0a\x01k");
    }
}
