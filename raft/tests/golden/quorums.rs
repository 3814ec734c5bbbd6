//! Why majorities are enough: any two that can decide share a voter (§5.4, §6).

use std::collections::BTreeSet;

use archipel_raft::{Tally, committed, has_quorum, tally};
use kernel::{Index, Member, Membership, NodeId};

const NODES: u64 = 5;

/// The nodes of a set, whose members are the bits of a number.
fn nodes(bits: u64) -> BTreeSet<NodeId> {
    (0..NODES).filter(|node| bits & (1 << node) != 0).map(NodeId).collect()
}

fn all_sets() -> impl Iterator<Item = u64> {
    1..1 << NODES
}

fn configuration(voters: u64, outgoing: u64) -> Membership {
    let members = nodes(voters | outgoing);
    Membership {
        members: members.into_iter().map(|node| (node, Member::default())).collect(),
        voters: nodes(voters),
        outgoing: nodes(outgoing),
        learners: BTreeSet::new(),
    }
}

fn decides(membership: &Membership, yes: u64) -> bool {
    has_quorum(membership, |node| yes & (1 << node.0) != 0)
}

/// Who can decide under each of two configurations, and shares nobody.
fn are_disjoint_decisions_possible(one: &Membership, other: &Membership) -> bool {
    let deciders = all_sets().filter(|yes| decides(one, *yes));
    // The largest set without any of them is the one that matters.
    deciders.into_iter().any(|yes| decides(other, !yes))
}

#[test]
fn two_majorities_share_a_voter() {
    for voters in all_sets() {
        let one = configuration(voters, 0);
        assert!(!are_disjoint_decisions_possible(&one, &one), "{voters:b}");
    }
}

#[test]
fn a_change_of_one_vote_needs_no_joint_configuration() {
    for voters in all_sets() {
        for changed in 0..NODES {
            let next = voters ^ (1 << changed);
            if next != 0 {
                let (before, after) = (configuration(voters, 0), configuration(next, 0));
                assert!(!are_disjoint_decisions_possible(&before, &after), "{voters:b} {next:b}");
            }
        }
    }
}

#[test]
fn a_larger_change_does() {
    let (before, after) = (configuration(0b00111, 0), configuration(0b11100, 0));
    assert!(are_disjoint_decisions_possible(&before, &after), "1 and 2 against 4 and 5");
}

#[test]
fn a_joint_configuration_agrees_with_what_was_and_what_will_be() {
    for before in all_sets() {
        for after in all_sets() {
            let joint = configuration(after, before);
            for side in [configuration(before, 0), configuration(after, 0)] {
                assert!(!are_disjoint_decisions_possible(&joint, &side), "{before:b} {after:b}");
            }
        }
    }
}

#[test]
fn nobody_wins_and_loses() {
    for voters in all_sets() {
        let membership = configuration(voters, 0);
        for yes in all_sets() {
            let said = tally(&membership, |node| Some(yes & (1 << node.0) != 0));
            assert_eq!(said == Tally::Won, decides(&membership, yes));
            assert!(said != Tally::Open, "all have spoken");
            let waiting = tally(&membership, |node| (yes & (1 << node.0) != 0).then_some(false));
            let could_win = decides(&membership, !yes);
            assert_eq!(waiting == Tally::Open, could_win, "{voters:b} {yes:b}");
        }
    }
}

#[test]
fn what_is_committed_is_on_a_majority() {
    for voters in all_sets() {
        let membership = configuration(voters, 0);
        for have in all_sets() {
            let index = |node: NodeId| Index(u64::from(have & (1 << node.0) != 0));
            let is_committed = committed(&membership, index) == Index(1);
            assert_eq!(is_committed, decides(&membership, have), "{voters:b} {have:b}");
        }
    }
}
