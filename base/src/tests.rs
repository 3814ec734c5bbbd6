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
