//! What many nodes promise together.

use std::collections::BTreeSet;

use bytes::Bytes;
use dht::{Id, Item, Outcome, Request, bencode, item::mutable_target};
use kernel::Node as _;

use crate::network::{Network, SECOND, endpoint};

const MINUTE: u64 = 60 * SECOND;

fn text(text: &str) -> Bytes {
    let mut value = Vec::new();
    bencode::string(&mut value, text.as_bytes());
    Bytes::from(value)
}

fn put(item: Item) -> Request {
    Request::Put { item, compare: None, is_kept: false }
}

fn get(target: Id) -> Request {
    Request::Get { target, salt: Bytes::new() }
}

fn copies(outcome: Outcome) -> u32 {
    match outcome {
        Outcome::Stored { copies, .. } => copies,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_value_lies_on_the_eight_nearest_and_is_found_from_everywhere() {
    for seed in 0..3 {
        let mut network = Network::of(seed, 60);
        let item = Item::immutable(text("hello"));
        let at = network.any();
        assert_eq!(copies(network.ask(at, put(item.clone()))), 8);
        assert_eq!(
            network.holders(item.target()),
            network.nearest(item.target(), 8),
            "seed {seed}"
        );
        for at in network.nodes.keys().copied().collect::<Vec<_>>() {
            assert_eq!(
                network.ask(at, get(item.target())),
                Outcome::Found(Some(item.clone())),
                "seed {seed}"
            );
        }
    }
}

#[test]
fn what_was_never_put_is_not_found() {
    let mut network = Network::of(4, 20);
    let at = network.any();
    assert_eq!(network.ask(at, get(Id::hash(&[b"nothing"]))), Outcome::Found(None));
}

#[test]
fn with_losses_and_the_death_of_half_of_its_holders_a_value_is_still_found() {
    for seed in 10..13 {
        let mut network = Network::of(seed, 50);
        network.loss = 5;
        let item = Item::immutable(text("hello"));
        let at = network.any();
        network.ask(at, put(item.clone()));
        let holders: Vec<Id> = network.holders(item.target()).into_iter().take(4).collect();
        let nodes = network.nodes.iter();
        let dead = nodes.filter(|(_, node)| holders.contains(&node.status().id));
        for at in dead.map(|(at, _)| *at).collect::<Vec<_>>() {
            network.kill(at);
        }
        for _ in 0..10 {
            let at = network.any();
            assert_eq!(
                network.ask(at, get(item.target())),
                Outcome::Found(Some(item.clone())),
                "seed {seed}"
            );
        }
    }
}

#[test]
fn the_newest_value_of_a_key_is_found_and_an_old_one_is_refused() {
    let mut network = Network::of(20, 30);
    let signed = |sequence, value| Item::signed(&[9; 32], Bytes::new(), sequence, text(value));
    let at = network.any();
    assert_eq!(copies(network.ask(at, put(signed(1, "one")))), 8);
    assert_eq!(copies(network.ask(at, put(signed(2, "two")))), 8);
    let Outcome::Stored { copies, refusals, .. } = network.ask(at, put(signed(1, "one"))) else {
        panic!("a put is answered as one");
    };
    assert_eq!(copies, 0);
    assert!(refusals.len() == 8 && refusals.iter().all(|refused| refused.code == 302));
    let compare = Request::Put { item: signed(3, "three"), compare: Some(1), is_kept: false };
    let Outcome::Stored { copies, refusals, .. } = network.ask(at, compare) else {
        panic!("a put is answered as one");
    };
    assert!(copies == 0 && refusals.iter().all(|refused| refused.code == 301));
    let at = network.any();
    let target = mutable_target(&dht::item::public_key(&[9; 32]), b"");
    assert_eq!(network.ask(at, get(target)), Outcome::Found(Some(signed(2, "two"))));
}

#[test]
fn peers_of_a_torrent_find_each_other_and_are_forgotten() {
    let mut network = Network::of(30, 40);
    let info_hash = Id::hash(&[b"torrent"]);
    for number in 0..5 {
        network.ask(endpoint(number), Request::Announce { info_hash, port: None });
    }
    let wanted = Outcome::Peers((0..5).map(endpoint).collect());
    let at = network.any();
    assert_eq!(network.ask(at, Request::Peers { info_hash }), wanted);
    network.run(46 * MINUTE);
    assert_eq!(network.ask(at, Request::Peers { info_hash }), Outcome::Peers(Vec::new()));
}

#[test]
fn a_value_is_forgotten_after_two_hours_unless_it_is_kept() {
    let mut network = Network::of(40, 20);
    let (left, kept) = (Item::immutable(text("left")), Item::immutable(text("kept")));
    let at = network.any();
    network.ask(at, put(left.clone()));
    network.ask(at, Request::Put { item: kept.clone(), compare: None, is_kept: true });
    network.run(125 * MINUTE);
    assert_eq!(network.ask(at, get(left.target())), Outcome::Found(None));
    assert_eq!(network.ask(at, get(kept.target())), Outcome::Found(Some(kept)));
}

#[test]
fn who_leaves_in_peace_leaves_his_values_to_others() {
    let mut network = Network::of(50, 30);
    let item = Item::immutable(text("heirloom"));
    let at = network.any();
    network.ask(at, put(item.clone()));
    // One after the other, all who have it leave, and those who had it from them.
    for _ in 0..20 {
        let holders = network.holders(item.target());
        let leaver = network.nodes.iter().find(|(_, node)| holders.contains(&node.status().id));
        let at = leaver.map(|(at, _)| *at).expect("somebody has it");
        assert!(matches!(network.ask(at, Request::Leave), Outcome::Left { items: 1.. }));
        network.kill(at);
    }
    let at = network.any();
    assert_eq!(network.ask(at, get(item.target())), Outcome::Found(Some(item)));
}

#[test]
fn a_newcomer_is_given_what_is_nearest_to_him() {
    let mut network = Network::of(60, 12);
    let items: Vec<Item> =
        (0..40).map(|number| Item::immutable(text(&number.to_string()))).collect();
    for item in &items {
        let at = network.any();
        network.ask(at, put(item.clone()));
    }
    network.join(99);
    network.run(30 * SECOND);
    let newcomer = network.nodes[&endpoint(99)].status().id;
    let nearest_to_him: BTreeSet<Id> = items
        .iter()
        .map(Item::target)
        .filter(|target| network.nearest(*target, 1).contains(&newcomer))
        .collect();
    assert!(!nearest_to_him.is_empty());
    for target in nearest_to_him {
        assert!(network.holders(target).contains(&newcomer), "{target}");
    }
}
