//! The base: what was committed is there, what was not is not, however the file was left.

use std::{fs, sync::Arc};

use bytes::Bytes;
use kernel::{BaseReading, EntryId, Index, TableId, Tables, TablesMeta, Term};

use super::{GenerationFile, create, open};
use crate::scratch::scratch;

const CACHE_BYTES: usize = 1 << 20;
const TABLE: TableId = TableId(16);

fn key(number: u64) -> [u8; 8] {
    number.to_be_bytes()
}

/// Tables over a new file in the scratch folder `name`.
fn new(name: &str) -> (Arc<GenerationFile>, Tables, std::path::PathBuf) {
    let path = scratch(name).join("0.redb");
    let file = create(&path, CACHE_BYTES, &TablesMeta::default()).unwrap();
    let tables = Tables::new(file.moment().unwrap(), TablesMeta::default());
    (file, tables, path)
}

fn put(tables: &mut Tables, numbers: std::ops::Range<u64>) {
    for number in numbers {
        tables.put(TABLE, &key(number), &[7; 100]).unwrap();
    }
    let applied = tables.meta().applied.index.next();
    tables.advance(EntryId::new(Term(1), applied), kernel::Stamp(applied.0));
}

fn flush(file: &Arc<GenerationFile>, tables: &mut Tables) {
    file.commit(&tables.freeze()).unwrap();
    tables.flushed(file.moment().unwrap());
}

fn count(base: &Arc<dyn BaseReading>) -> usize {
    base.scan(&[0], &[255], usize::MAX).unwrap().len()
}

#[test]
fn what_was_flushed_is_there_when_the_file_is_opened_again() {
    let (file, mut tables, path) = new("base-reopen");
    put(&mut tables, 0..500);
    flush(&file, &mut tables);
    put(&mut tables, 300..1000);
    tables.delete(TABLE, &key(0)).unwrap();
    flush(&file, &mut tables);
    let meta = tables.meta().clone();
    drop((file, tables));

    let file = open(&path, CACHE_BYTES).unwrap();
    assert_eq!(file.meta().unwrap(), meta);
    let base = file.moment().unwrap();
    assert_eq!(count(&base), 999);
    let tables = Tables::new(base, meta);
    assert_eq!(tables.get(TABLE, &key(0)).unwrap(), None);
    assert_eq!(tables.get(TABLE, &key(999)).unwrap(), Some(Bytes::from(vec![7; 100])));
}

#[test]
fn a_crash_goes_back_to_the_last_finished_flush() {
    let (file, mut tables, path) = new("base-crash");
    put(&mut tables, 0..1000);
    flush(&file, &mut tables);
    // Far more than the cache holds, so that much of it is in the file already, uncommitted.
    let filling = file.fill().unwrap();
    for number in 0..40 {
        let pairs: Vec<_> = (0..1000u64)
            .map(|place| {
                (Bytes::from(key(number * 1000 + place).to_vec()), Bytes::from(vec![9; 100]))
            })
            .collect();
        filling.store(&pairs).unwrap();
    }
    let copy = path.with_file_name("copy.redb");
    fs::copy(&path, &copy).unwrap();
    drop(filling);

    let survivor = open(&copy, CACHE_BYTES).unwrap();
    assert_eq!(survivor.meta().unwrap().applied.index, Index(1));
    assert_eq!(count(&survivor.moment().unwrap()), 1000);
}

#[test]
fn a_moment_stays_what_it_was() {
    let (file, mut tables, _) = new("base-moment");
    put(&mut tables, 0..10);
    flush(&file, &mut tables);
    let before = file.moment().unwrap();
    put(&mut tables, 10..20);
    flush(&file, &mut tables);
    assert_eq!(count(&before), 10);
    assert_eq!(count(&file.moment().unwrap()), 20);
}

#[test]
fn a_retired_generation_goes_with_its_last_reader() {
    let (file, tables, path) = new("base-retired");
    let reading = tables.reading();
    file.place().retire();
    drop((file, tables));
    assert!(path.exists(), "somebody still reads it");
    assert_eq!(reading.get(TABLE, &key(0)).unwrap(), None);
    drop(reading);
    assert!(!path.exists());
}

#[test]
fn a_scan_gives_no_more_than_it_was_asked_for() {
    let (file, mut tables, _) = new("base-scan");
    put(&mut tables, 0..100);
    flush(&file, &mut tables);
    let base = file.moment().unwrap();
    let from = kernel::tables::full_key(TABLE, &key(10));
    let to = kernel::tables::full_key(TABLE, &key(50));
    assert_eq!(base.scan(&from, &to, 7).unwrap().len(), 7);
    assert_eq!(base.scan(&from, &to, 1000).unwrap().len(), 40);
    assert!(base.scan(&to, &from, 1000).unwrap().is_empty());
}

#[test]
fn a_file_that_is_none_of_ours_is_a_fault() {
    let path = scratch("base-foreign").join("0.redb");
    fs::write(&path, vec![1; 100_000]).unwrap();
    assert!(open(&path, CACHE_BYTES).is_err());
}
