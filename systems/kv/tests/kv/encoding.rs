//! The bytes of every kind, as they stand in logs that exist. A line here may be added, never changed.

use std::fmt::{Debug, Write as _};

use bytes::Bytes;
use kernel::Wire;
use kv::{Answer, Command, Expect, Invalid, Item, Query};

fn holds<T: Wire + PartialEq + Debug>(value: &T, golden: &str) {
    let bytes = value.to_bytes();
    let mut shown = String::new();
    for byte in &bytes {
        let _ = write!(shown, "{byte:02x}");
    }
    assert_eq!(shown, golden, "{value:?}");
    assert_eq!(T::from_bytes(bytes.clone()).as_ref(), Ok(value));
    for length in 0..bytes.len() {
        assert!(T::from_bytes(bytes.slice(..length)).is_err(), "{value:?} cut at {length}");
    }
}

const KEY: Bytes = Bytes::from_static(b"k");
const VALUE: Bytes = Bytes::from_static(b"vw");

fn item() -> Item {
    Item { key: KEY, value: VALUE, created: 1, modified: 3, version: 2 }
}

#[test]
fn commands_keep_their_bytes() {
    let put = |expect| Command::Put { key: KEY, value: VALUE, expect };
    holds(&put(Expect::Any), "01010000006b02000000767700");
    holds(&put(Expect::Absent), "01010000006b02000000767701");
    holds(&put(Expect::Value(VALUE)), "01010000006b02000000767702020000007677");
    holds(&put(Expect::Revision(258)), "01010000006b020000007677030201000000000000");
    let delete = |expect| Command::Delete { key: KEY, expect };
    holds(&delete(Expect::Any), "02010000006b00");
    holds(&delete(Expect::Absent), "02010000006b01");
    holds(&delete(Expect::Value(KEY)), "02010000006b02010000006b");
    holds(&delete(Expect::Revision(1)), "02010000006b030100000000000000");
}

#[test]
fn queries_keep_their_bytes() {
    holds(&Query::Get { key: KEY }, "01010000006b");
    let list = |after| Query::List { prefix: VALUE, after, limit: 7 };
    holds(&list(None), "020200000076770007000000");
    holds(&list(Some(KEY)), "0202000000767701010000006b07000000");
}

#[test]
fn answers_keep_their_bytes() {
    let put = |previous_revision| Answer::Put { revision: 5, version: 2, previous_revision };
    holds(&put(None), "010500000000000000020000000000000000");
    holds(&put(Some(4)), "0105000000000000000200000000000000010400000000000000");
    holds(&Answer::Deleted { was_there: true, revision: 6 }, "02010600000000000000");
    holds(&Answer::Deleted { was_there: false, revision: 6 }, "02000600000000000000");
    holds(&Answer::Mismatch { current: None }, "0300");
    holds(&Answer::Mismatch { current: Some(9) }, "03010900000000000000");
    let row = "010000006b020000007677010000000000000003000000000000000200000000000000";
    holds(&Answer::Found(item()), &format!("04{row}"));
    holds(&Answer::Missing, "05");
    let page = Answer::Page { items: vec![item()], more: true };
    holds(&page, &format!("060101000000{row}"));
    holds(&Answer::Invalid(Invalid::KeyEmpty), "0701");
    holds(&Answer::Invalid(Invalid::KeyTooLong), "0702");
    holds(&Answer::Invalid(Invalid::ValueTooLong), "0703");
    holds(&Answer::Invalid(Invalid::Malformed), "0704");
}
