//! Files of many shapes are read as they were written, and bbolt could go on with each.

use crate::{
    audit::audit,
    model::{Dice, Model, Pairs, one_bucket, read, write},
};

fn holds(model: &Model) -> Vec<u8> {
    let file = write(model);
    audit(&file);
    assert!(read(&file[..]).unwrap() == *model, "a file holds what was written");
    file
}

fn pages(file: &[u8]) -> usize {
    file.len() / 4096
}

#[test]
fn a_file_without_buckets_has_an_empty_root() {
    assert_eq!(pages(&holds(&Model::new())), 4);
}

#[test]
fn empty_buckets_are_kept() {
    let names = [&b"alarm"[..], b"auth", b"key"];
    holds(&names.map(|name| (name.to_vec(), Pairs::new())).into());
}

#[test]
fn a_page_may_be_filled_to_its_last_byte() {
    // Behind a header and an element, 16 bytes each, and a key of one byte.
    let full = 4096 - 16 - 16 - 1;
    let of = |value: usize| one_bucket([(b"k".to_vec(), vec![7; value])]);
    assert_eq!(pages(&holds(&of(full))), 5);
    assert_eq!(pages(&holds(&of(full + 1))), 6);

    // Four pairs to a page, and then one byte more.
    let quarter = (4096 - 16) / 4 - 16 - 1;
    let pairs = |count: u8, last: usize| {
        let value = move |key| if key + 1 == count { last } else { quarter };
        one_bucket((0..count).map(|key| (vec![key], vec![7; value(key)])))
    };
    assert_eq!(pages(&holds(&pairs(4, quarter))), 5);
    assert_eq!(pages(&holds(&pairs(4, quarter + 1))), 7);
    assert_eq!(pages(&holds(&pairs(8, quarter))), 7);
}

#[test]
fn a_branch_may_be_filled_to_its_last_byte_and_is_never_left_with_one_child() {
    // Each value fills a leaf, so a branch has a child for each pair; four keys fill the branch.
    let key_bytes = (4096 - 16) / 4 - 16;
    for count in 1..40_u8 {
        for extra in [0, 1] {
            let key = |number: u8| {
                let length = key_bytes + if number == count / 2 { extra } else { 0 };
                [vec![number], vec![0; length - 1]].concat()
            };
            holds(&one_bucket((0..count).map(|number| (key(number), vec![7; 3000]))));
        }
    }
}

#[test]
fn pairs_by_the_thousand_make_a_deep_tree() {
    let key = |number: u32| format!("{number:08}").into_bytes();
    let file = holds(&one_bucket((0..40_000).map(|number| (key(number), vec![7; 20]))));
    assert!(pages(&file) > 400);
}

#[test]
fn keys_may_be_longer_than_a_page_and_values_megabytes() {
    let mut dice = Dice(1);
    for _ in 0..20 {
        let count = dice.of(1..40);
        let pairs = (0..count).map(|_| (dice.bytes(1..32_769), dice.bytes(0..9000)));
        holds(&one_bucket(pairs.collect::<Vec<_>>()));
    }
    let mut pair = |value| (dice.bytes(1..50), dice.bytes(value..value + 1));
    let values = [0, 3 << 20, 10, 1 << 20, 4096, 2 << 20];
    let pairs: Vec<_> = values.into_iter().map(&mut pair).collect();
    holds(&one_bucket(pairs));
}

#[test]
fn buckets_by_the_hundred_make_a_tree_of_their_own() {
    let mut dice = Dice(2);
    let mut model = Model::new();
    for _ in 0..300 {
        let pairs = (0..dice.of(0..5)).map(|_| (dice.bytes(1..9), dice.bytes(0..9)));
        let pairs = pairs.collect();
        model.insert(dice.bytes(1..60), pairs);
    }
    holds(&model);
}

#[test]
fn files_of_any_shape_are_read_as_they_were_written() {
    let mut dice = Dice(3);
    for _ in 0..300 {
        let mut model = Model::new();
        for _ in 0..dice.of(0..6) {
            let (keys, values) = (dice.of(2..600), dice.pick(&[1, 20, 300, 4100]));
            let few = dice.pick(&[2, 20, 400]);
            let count = dice.of(0..few);
            let pairs = (0..count).map(|_| (dice.bytes(1..keys), dice.bytes(0..values)));
            let pairs = pairs.collect();
            model.insert(dice.bytes(1..20), pairs);
        }
        holds(&model);
    }
}
