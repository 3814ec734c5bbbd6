//! Malformed files: an error says what is wrong and where; nothing panics, and every walk ends.

use std::{cell::Cell, collections::BTreeSet};

use archipel_bbolt::{ElementFlaw, MetaFlaw, PageFlaw, PageId, ReadError, Source};

use crate::{
    image::{BRANCH, Image, LEAF, bucket, header, inline_bucket},
    model::{Dice, Model, is_refused, one_bucket, read, write},
};

/// Two small buckets, and one with a branch and an overflow.
fn small() -> Model {
    let mut model = one_bucket((0..8).map(|key| (vec![b'k', key], vec![7; 1500])));
    let large = (b"large".to_vec(), vec![7; 5000]);
    let pairs = model.get_mut(&b"bucket"[..]).unwrap();
    pairs.insert(large.0, large.1);
    model.insert(b"meta".to_vec(), pairs_of(3));
    model.insert(b"members".to_vec(), pairs_of(5));
    model
}

fn pairs_of(count: u8) -> crate::model::Pairs {
    (0..count).map(|key| (vec![b'a' + key], vec![key; 9])).collect()
}

/// No file can hold more pairs than it has elements.
fn is_bounded(model: &Model, file: &[u8]) -> bool {
    model.values().map(|pairs| pairs.len()).sum::<usize>() <= file.len() / 17
}

#[test]
fn a_flipped_bit_anywhere_gives_an_error_or_a_bounded_file() {
    let model = small();
    let mut file = write(&model);
    let mut refused = 0;
    for place in 0..file.len() {
        let bit = 1 << (place % 8);
        file[place] ^= bit;
        let found = read(&file[..]);
        file[place] ^= bit;
        match &found {
            Ok(found) => assert!(is_bounded(found, &file)),
            Err(_) => refused += 1,
        }
        let (page, offset) = (place / 4096, place % 4096);
        if page < 3 {
            assert_eq!(found.as_ref(), Ok(&model), "the other meta tells; byte {place}");
        } else if offset < 16 && is_header(&file, page) {
            assert!(found.is_err() || found.as_ref() == Ok(&model), "byte {place}");
        }
    }
    assert!(refused > 200, "only {refused} flips were seen");
}

/// False for the pages that another one overflows into.
fn is_header(file: &[u8], page: usize) -> bool {
    file[page * 4096..].starts_with(&(page as u64).to_le_bytes())
}

#[test]
fn every_change_of_a_byte_of_a_header_is_an_error_or_without_effect() {
    let model = small();
    let mut file = write(&model);
    for page in (3..file.len() / 4096).filter(|page| is_header(&write(&small()), *page)) {
        for place in page * 4096..page * 4096 + 16 {
            let was = file[place];
            for byte in (0..=255).filter(|byte| *byte != was) {
                file[place] = byte;
                let found = read(&file[..]);
                // A page at the top that counts no elements is an empty bucket.
                let is_count = (10..12).contains(&(place % 4096));
                let is_harmless = found.as_ref() == Ok(&model) || is_count && byte == 0;
                assert!(is_refused(&found) || is_harmless, "byte {place} as {byte}");
            }
            file[place] = was;
        }
    }
}

#[test]
fn random_damage_never_panics() {
    let good = write(&small());
    let mut dice = Dice(4);
    let mut flaws = BTreeSet::new();
    for _ in 0..4000 {
        let mut file = good.clone();
        for _ in 0..dice.of(1..6) {
            // Most of a page is values: half of the damage goes to headers and elements.
            let page = dice.of(3..file.len() / 4096);
            let behind = dice.pick(&[200, 4096]);
            let place = page * 4096 + dice.of(0..behind);
            let length = dice.of(1..9).min(file.len() - place);
            let bytes = [dice.bytes(8..9), vec![0; 8], vec![255; 8], vec![3, 0, 0, 0, 0, 0, 0, 0]];
            let bytes = &bytes[dice.of(0..bytes.len())];
            file[place..place + length].copy_from_slice(&bytes[..length]);
        }
        match read(&file[..]) {
            Ok(found) => assert!(is_bounded(&found, &file)),
            Err(error) => {
                let sentence = error.to_string();
                let words = sentence.split(|c: char| c.is_ascii_digit()).collect::<String>();
                flaws.insert(words);
            }
        }
    }
    assert!(flaws.len() > 10, "only {flaws:?}");
}

#[test]
fn a_file_that_is_cut_off_is_refused_wherever_it_ends() {
    let file = write(&small());
    for length in (0..file.len()).step_by(61) {
        assert!(is_refused(&read(&file[..length])), "cut at {length}");
    }
}

#[test]
fn what_is_no_file_of_bbolt_says_so() {
    for length in [0, 1, 100, 10_000] {
        let error = read(&vec![b'x'; length][..]).unwrap_err();
        assert!(error.to_string().contains("no file of bbolt"), "{error}");
    }
    let mut file = write(&small());
    file[16 + 4] = 3;
    file[4096 + 16 + 60] ^= 1;
    let (first, second) = (MetaFlaw::Version { found: 3 }, MetaFlaw::Checksum);
    assert_eq!(read(&file[..]), Err(ReadError::Metas { first, second }));
}

/// What is wrong with a file of eight pages whose root names a tree at page 4.
fn page_flaw(make: impl FnOnce(&mut Image)) -> (u64, PageFlaw) {
    let mut image = Image::new(1024, 8);
    image.one_bucket(4);
    make(&mut image);
    match read(&image.bytes[..]) {
        Err(ReadError::Page { page, flaw }) => (page.0, flaw),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_page_that_cannot_be_there_is_named() {
    let out = PageFlaw::OutOfBounds { end: PageId(8) };
    for page in [1, 8, u64::MAX] {
        assert_eq!(page_flaw(|image| image.one_bucket(page)), (page, out));
    }
    let flaws = [
        (header(4, LEAF, 0, 4), out),
        (header(4, LEAF, 0, u32::MAX), out),
        (header(5, LEAF, 0, 0), PageFlaw::Id { found: PageId(5) }),
        (header(4, 4, 0, 0), PageFlaw::Kind { flags: 4 }),
        (header(4, 3, 0, 0), PageFlaw::Kind { flags: 3 }),
        (header(4, LEAF, 64, 0), PageFlaw::Count { count: 64 }),
        (header(4, BRANCH, 0, 0), PageFlaw::Empty),
    ];
    for (bytes, flaw) in flaws {
        assert_eq!(page_flaw(|image| image.put(4, &bytes)), (4, flaw));
    }
    let empty_leaf_below = |image: &mut Image| {
        image.branch(4, &[(b"a", 5), (b"b", 6)]);
        image.leaf(5, &[]);
    };
    assert_eq!(page_flaw(empty_leaf_below), (5, PageFlaw::Empty));
}

#[test]
fn a_page_is_no_larger_than_is_believed_even_if_the_file_is() {
    let mut image = Image::new(1024, 200_000);
    image.one_bucket(4);
    image.put(4, &header(4, LEAF, 0, 150_000));
    let flaw = PageFlaw::Size { bytes: 150_001 * 1024 };
    assert_eq!(read(&image.bytes[..]), Err(ReadError::Page { page: PageId(4), flaw }));
}

#[test]
fn pages_that_name_each_other_in_circles_end_a_walk() {
    // To itself; a branch's first key may be repeated below, so only the depth ends this.
    let itself = |image: &mut Image| image.branch(4, &[(b"a", 4), (b"b", 4)]);
    assert_eq!(page_flaw(itself), (4, PageFlaw::Depth));
    let each_other = |image: &mut Image| {
        image.branch(4, &[(b"a", 5), (b"b", 5)]);
        image.branch(5, &[(b"a", 4), (b"b", 4)]);
    };
    assert_eq!(page_flaw(each_other), (4, PageFlaw::Depth));
}

#[test]
fn a_page_below_that_is_shared_is_walked_once() {
    // Thirty levels of two ways each: a walk that took all would not end in a lifetime.
    let mut image = Image::new(1024, 40);
    image.one_bucket(4);
    for page in 4..34 {
        image.branch(page, &[(b"a", page + 1), (b"b", page + 1)]);
    }
    image.leaf(34, &[(0, b"a", b"1")]);
    let flaw = ElementFlaw::OutOfOrder;
    assert_eq!(
        read(&image.bytes[..]),
        Err(ReadError::Element { page: PageId(34), number: 0, flaw })
    );
}

/// What is wrong with the second of two elements of a leaf, whose bytes `change` sets.
fn element_flaw(change: impl FnOnce(&mut [u8])) -> ElementFlaw {
    let mut image = Image::new(1024, 8);
    image.one_bucket(4);
    image.leaf(4, &[(0, b"a", b"1"), (0, b"b", b"2")]);
    let second = 4 * 1024 + 16 + 16;
    change(&mut image.bytes[second..second + 20]);
    match read(&image.bytes[..]) {
        Err(ReadError::Element { page: PageId(4), number: 1, flaw }) => flaw,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_element_that_cannot_be_is_named() {
    assert_eq!(element_flaw(|bytes| bytes[4] = 17), ElementFlaw::Position { found: 17 });
    assert_eq!(element_flaw(|bytes| bytes[4] = 0), ElementFlaw::Position { found: 0 });
    assert_eq!(element_flaw(|bytes| bytes[9] = 4), ElementFlaw::CutOff);
    assert_eq!(element_flaw(|bytes| bytes[12..16].fill(255)), ElementFlaw::CutOff);
    assert_eq!(element_flaw(|bytes| bytes[8] = 0), ElementFlaw::EmptyKey);
    assert_eq!(element_flaw(|bytes| bytes[18] = b'a'), ElementFlaw::OutOfOrder);
    assert_eq!(element_flaw(|bytes| bytes[0] = 2), ElementFlaw::Flags { found: 2 });
    assert_eq!(element_flaw(|bytes| bytes[0] = 1), ElementFlaw::NestedBucket);
}

#[test]
fn what_stands_in_the_root_must_be_buckets() {
    let flaw_of = |flags, value: &[u8]| {
        let mut image = Image::new(1024, 8);
        image.leaf(3, &[(flags, b"bucket", value)]);
        match read(&image.bytes[..]) {
            Err(ReadError::Element { page: PageId(3), number: 0, flaw }) => flaw,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(flaw_of(0, b"1"), ElementFlaw::NoBucket);
    assert_eq!(flaw_of(8, b"1"), ElementFlaw::Flags { found: 8 });
    assert_eq!(flaw_of(1, &bucket(4)[1..]), ElementFlaw::ShortBucket);
    assert_eq!(flaw_of(1, &inline_bucket(&[])[1..]), ElementFlaw::ShortBucket);
}

#[test]
fn the_page_of_an_inline_bucket_is_a_leaf_and_is_as_long_as_its_value() {
    let found = |value: Vec<u8>| {
        let mut image = Image::new(1024, 8);
        image.leaf(3, &[(1, b"bucket", &value)]);
        read(&image.bytes[..])
    };
    let branch = [bucket(0), header(0, BRANCH, 1, 0), vec![0; 100]].concat();
    let flaw = PageFlaw::Kind { flags: BRANCH };
    assert_eq!(found(branch), Err(ReadError::Page { page: PageId(3), flaw }));
    let mut long = inline_bucket(&[(0, b"a", b"1")]);
    assert!(found(long.clone()).is_ok());
    long.pop();
    let flaw = ElementFlaw::CutOff;
    assert_eq!(found(long), Err(ReadError::Element { page: PageId(3), number: 0, flaw }));
}

/// Fails after some reads.
struct Failing<'file> {
    file: &'file [u8],
    reads_left: Cell<u32>,
}

impl Source for Failing<'_> {
    type Error = &'static str;

    fn bytes(&self) -> u64 {
        self.file.len() as u64
    }

    fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), Self::Error> {
        let left = self.reads_left.get().checked_sub(1).ok_or("the disk is gone")?;
        self.reads_left.set(left);
        let Ok(()) = self.file.read(offset, into);
        Ok(())
    }
}

#[test]
fn an_error_of_the_source_passes_through_wherever_it_comes() {
    let file = write(&small());
    let with_reads = |reads| read(Failing { file: &file, reads_left: Cell::new(reads) });
    let needed = (0..).find(|reads| with_reads(*reads).is_ok()).unwrap();
    assert!(needed > 6, "{needed} reads");
    for reads in 0..needed {
        assert_eq!(with_reads(reads), Err(ReadError::Source("the disk is gone")));
    }
}
