//! Golden bytes, written down by hand from the format, and files of forms that are only read here.

use archipel_bbolt::Reader;

use crate::{
    image::{Image, inline_bucket},
    model::{Model, Pairs, one_bucket, read, write},
};

/// The file of one bucket `b` with one pair `k` = `v`: what stands where; all else is zero.
#[rustfmt::skip]
const TINY: &[(usize, &[u8])] = &[
    // Page 0, a meta: magic, version, size of pages, flags.
    (0x0000, &[0, 0, 0, 0, 0, 0, 0, 0,  4, 0,  0, 0,  0, 0, 0, 0]),
    (0x0010, &[0xed, 0xda, 0x0c, 0xed,  2, 0, 0, 0,  0, 0x10, 0, 0,  0, 0, 0, 0]),
    // The root's page and sequence; the freelist's page, the end; the transaction and the checksum.
    (0x0020, &[4, 0, 0, 0, 0, 0, 0, 0,  0, 0, 0, 0, 0, 0, 0, 0]),
    (0x0030, &[2, 0, 0, 0, 0, 0, 0, 0,  5, 0, 0, 0, 0, 0, 0, 0]),
    (0x0040, &[0, 0, 0, 0, 0, 0, 0, 0,  0x88, 0xb4, 0xe6, 0xc8, 0xa2, 0x42, 0x08, 0xfc]),
    // Page 1, the other meta, of transaction 1.
    (0x1000, &[1, 0, 0, 0, 0, 0, 0, 0,  4, 0,  0, 0,  0, 0, 0, 0]),
    (0x1010, &[0xed, 0xda, 0x0c, 0xed,  2, 0, 0, 0,  0, 0x10, 0, 0,  0, 0, 0, 0]),
    (0x1020, &[4, 0, 0, 0, 0, 0, 0, 0,  0, 0, 0, 0, 0, 0, 0, 0]),
    (0x1030, &[2, 0, 0, 0, 0, 0, 0, 0,  5, 0, 0, 0, 0, 0, 0, 0]),
    (0x1040, &[1, 0, 0, 0, 0, 0, 0, 0,  0xa9, 0xfe, 0xd5, 0xd3, 0xab, 0x09, 0x03, 0x1b]),
    // Page 2, the freelist: nothing is free.
    (0x2000, &[2, 0, 0, 0, 0, 0, 0, 0,  0x10, 0,  0, 0,  0, 0, 0, 0]),
    // Page 3, the leaf of the bucket: one element; its key begins 16 bytes on.
    (0x3000, &[3, 0, 0, 0, 0, 0, 0, 0,  2, 0,  1, 0,  0, 0, 0, 0]),
    (0x3010, &[0, 0, 0, 0,  16, 0, 0, 0,  1, 0, 0, 0,  1, 0, 0, 0]),
    (0x3020, b"kv"),
    // Page 4, the root: one element, a bucket; its value is the bucket's page and sequence.
    (0x4000, &[4, 0, 0, 0, 0, 0, 0, 0,  2, 0,  1, 0,  0, 0, 0, 0]),
    (0x4010, &[1, 0, 0, 0,  16, 0, 0, 0,  1, 0, 0, 0,  16, 0, 0, 0]),
    (0x4020, b"b\x03\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
];

fn tiny() -> Model {
    Model::from([(b"b".to_vec(), Pairs::from([(b"k".to_vec(), b"v".to_vec())]))])
}

#[test]
fn a_tiny_file_has_these_bytes() {
    let mut golden = vec![0; 5 * 4096];
    for (place, bytes) in TINY {
        golden[*place..*place + bytes.len()].copy_from_slice(bytes);
    }
    let written = write(&tiny());
    assert_eq!(written.len(), golden.len());
    let differs = (0..golden.len()).find(|place| written[*place] != golden[*place]);
    assert_eq!(differs, None, "the first byte that differs");
    assert_eq!(read(&golden[..]), Ok(tiny()));
}

#[test]
fn pages_of_other_sizes_branches_overflow_and_inline_buckets_are_read() {
    let value = vec![7; 40_000];
    for page_bytes in [1024, 8192, 65_536] {
        let mut image = Image::new(page_bytes, 48);
        let inline = inline_bucket(&[(0, b"x", b"1"), (0, b"y", b"2")]);
        let elements: [(u32, &[u8], &[u8]); 3] = [
            (1, b"empty", &inline_bucket(&[])),
            (1, b"inline", &inline),
            (1, b"tree", &crate::image::bucket(4)),
        ];
        image.leaf(3, &elements);
        image.branch(4, &[(b"a", 5), (b"c", 6)]);
        image.leaf(5, &[(0, b"a", b"1"), (0, b"b", b"2")]);
        image.leaf(6, &[(0, b"c", &value), (0, b"d", b"4")]);

        let pairs = |pairs: &[(&[u8], &[u8])]| -> Pairs {
            pairs.iter().map(|(key, value)| (key.to_vec(), value.to_vec())).collect()
        };
        let model = Model::from([
            (b"empty".to_vec(), Pairs::new()),
            (b"inline".to_vec(), pairs(&[(b"x", b"1"), (b"y", b"2")])),
            (b"tree".to_vec(), pairs(&[(b"a", b"1"), (b"b", b"2"), (b"c", &value), (b"d", b"4")])),
        ]);
        assert!(read(&image.bytes[..]).unwrap() == model, "pages of {page_bytes} bytes");

        // Where the second meta is must be found without the first.
        image.bytes[20] ^= 1;
        assert!(read(&image.bytes[..]).unwrap() == model, "pages of {page_bytes} bytes");
        let reader = Reader::open(&image.bytes[..]).unwrap();
        assert_eq!(reader.page_bytes() as usize, page_bytes);
    }
}

#[test]
fn the_whole_meta_with_the_higher_transaction_counts() {
    let mut image = Image::new(4096, 6);
    image.leaf(3, &[]);
    image.leaf(4, &[(1, b"bucket", &inline_bucket(&[]))]);
    let empty = one_bucket([]);
    for (first, second, expected) in [(7, 8, Model::new()), (8, 7, empty.clone())] {
        image.meta(0, 4, first);
        image.meta(1, 3, second);
        assert_eq!(read(&image.bytes[..]), Ok(expected));
        assert_eq!(Reader::open(&image.bytes[..]).unwrap().transaction(), 8);
    }
    image.meta(1, 3, 9);
    image.bytes[4096 + 70] ^= 1;
    assert_eq!(read(&image.bytes[..]), Ok(empty));
}
