//! The base works over any storage; `host` and `worlds` test it over theirs.

use std::{
    io::{Error, ErrorKind},
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use kernel::{EntryId, Fault, Index, TableId, Tables, TablesMeta, Term};

use crate::{Base, Place, StorageBackend, fault};

const CACHE_BYTES: usize = 1 << 20;
const TABLE: TableId = TableId(16);

/// A storage in memory that outlives the base over it.
#[derive(Clone, Debug, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

fn place(number: u64) -> usize {
    usize::try_from(number).unwrap()
}

impl StorageBackend for Memory {
    fn len(&self) -> Result<u64, Error> {
        Ok(self.0.lock().unwrap().len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), Error> {
        let bytes = self.0.lock().unwrap();
        let range = place(offset)..place(offset) + out.len();
        out.copy_from_slice(bytes.get(range).ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), Error> {
        self.0.lock().unwrap().resize(place(len), 0);
        Ok(())
    }

    fn sync_data(&self) -> Result<(), Error> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), Error> {
        self.0.lock().unwrap()[place(offset)..place(offset) + data.len()].copy_from_slice(data);
        Ok(())
    }
}

impl Place for Memory {
    type Backend = Self;

    fn create(&self) -> Result<Self, Fault> {
        Ok(self.clone())
    }

    fn open(&self) -> Result<Self, Fault> {
        Ok(self.clone())
    }

    fn committed(&self) -> Result<(), Fault> {
        Ok(())
    }
}

#[test]
fn what_was_flushed_is_there_when_the_storage_is_opened_again() {
    let memory = Memory::default();
    let base = Base::create(memory.clone(), CACHE_BYTES, &TablesMeta::default()).unwrap();
    let mut tables = Tables::new(base.moment().unwrap(), TablesMeta::default());
    tables.put(TABLE, b"a", b"1").unwrap();
    tables.put(TABLE, b"b", b"2").unwrap();
    tables.advance(EntryId::new(Term(1), Index(1)), kernel::Stamp(1));
    base.commit(&tables.freeze()).unwrap();
    tables.flushed(base.moment().unwrap());
    let meta = tables.meta().clone();
    drop((base, tables));

    let base = Base::open(memory, CACHE_BYTES).unwrap();
    assert_eq!(base.meta().unwrap(), meta);
    let tables = Tables::new(base.moment().unwrap(), meta);
    assert_eq!(tables.get(TABLE, b"b").unwrap(), Some(Bytes::from_static(b"2")));
}

/// A storage with some hundred pairs over several pages, closed.
fn filled() -> Memory {
    let memory = Memory::default();
    let base = Base::create(memory.clone(), CACHE_BYTES, &TablesMeta::default()).unwrap();
    let mut tables = Tables::new(base.moment().unwrap(), TablesMeta::default());
    for number in 0..400_u32 {
        tables.put(TABLE, &number.to_be_bytes(), &[7; 50]).unwrap();
    }
    tables.advance(EntryId::new(Term(1), Index(1)), kernel::Stamp(1));
    base.commit(&tables.freeze()).unwrap();
    memory
}

fn all_pairs(base: &Arc<Base<Memory>>) -> Result<Vec<(Bytes, Bytes)>, Fault> {
    base.moment()?.scan(&[], &[255], usize::MAX)
}

#[test]
fn no_flipped_bit_is_served_once_the_generation_was_read_through() {
    let whole = filled();
    let expected = all_pairs(&Base::open(whole.clone(), CACHE_BYTES).unwrap()).unwrap();
    let bits = whole.0.lock().unwrap().len() * 8;
    let mut found = 0;
    for number in 0..1_500 {
        let bit = number * 7_919 * 13 % bits;
        let mut bytes = whole.0.lock().unwrap().clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let flipped = Memory(Arc::new(Mutex::new(bytes)));
        // The engine may panic over a page that makes no sense; on a host the node then stops.
        let outcome = std::panic::catch_unwind(|| {
            let base = Base::open(flipped, CACHE_BYTES)?;
            base.verify(|| true)?;
            all_pairs(&base)
        });
        match outcome {
            Ok(Ok(pairs)) => assert_eq!(pairs, expected, "bit {bit} is served"),
            Ok(Err(Fault::Corrupt(_))) | Err(_) => found += 1,
            Ok(Err(other)) => panic!("bit {bit}: {other}"),
        }
    }
    assert!(found > 100, "only {found} bits were found");
}

#[test]
fn reading_through_can_be_ended() {
    let base = Base::open(filled(), CACHE_BYTES).unwrap();
    let mut asked = 0;
    let was_read_to_the_end = base.verify(|| {
        asked += 1;
        false
    });
    assert_eq!((was_read_to_the_end.unwrap(), asked), (false, 1));
}

#[test]
fn a_filling_that_was_not_committed_leaves_nothing() {
    let memory = Memory::default();
    let base = Base::create(memory.clone(), CACHE_BYTES, &TablesMeta::default()).unwrap();
    let filling = base.fill().unwrap();
    filling.store(&[(Bytes::from_static(b"a"), Bytes::from_static(b"1"))]).unwrap();
    drop((filling, base));
    let base = Base::open(memory, CACHE_BYTES).unwrap();
    assert_eq!(base.moment().unwrap().get(b"a").unwrap(), None);
}

#[test]
fn an_empty_storage_and_a_foreign_one_are_damaged() {
    let empty = Base::open(Memory::default(), CACHE_BYTES);
    assert!(matches!(empty, Err(Fault::Corrupt(_))), "{empty:?}");
    let foreign = Memory(Arc::new(Mutex::new(vec![1; 100_000])));
    let foreign = Base::open(foreign, CACHE_BYTES);
    assert!(matches!(foreign, Err(Fault::Corrupt(_))), "{foreign:?}");
}

#[test]
fn what_cannot_be_read_is_told_from_what_makes_no_sense() {
    let io = |kind: ErrorKind| fault(redb::Error::Io(Error::from(kind)));
    assert!(matches!(io(ErrorKind::UnexpectedEof), Fault::Corrupt(_)));
    assert!(matches!(io(ErrorKind::InvalidData), Fault::Corrupt(_)));
    assert!(matches!(io(ErrorKind::StorageFull), Fault::Storage(_)));
    assert!(matches!(fault(redb::Error::PreviousIo), Fault::Storage(_)));
}
