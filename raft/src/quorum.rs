//! The arithmetic of majorities, plain and joint (§6). A majority of N is N/2+1, whoever is down.

use alloc::{collections::BTreeSet, vec::Vec};

use kernel::{Index, Membership, NodeId};

/// How a vote stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tally {
    /// A quorum has said yes.
    Won,
    /// A quorum can no longer say yes.
    Lost,
    /// It may go either way.
    Open,
}

/// The last index that a quorum has, given what each voter has.
#[must_use]
pub fn committed(membership: &Membership, matched: impl Fn(NodeId) -> Index) -> Index {
    let half = |voters: &BTreeSet<NodeId>| {
        let mut indexes: Vec<Index> = voters.iter().map(|voter| matched(*voter)).collect();
        indexes.sort_unstable();
        // Ascending, so that a majority stands at this place or above it.
        indexes[indexes.len() - majority(voters)]
    };
    assert!(!membership.voters.is_empty(), "a group has a voter");
    let incoming = half(&membership.voters);
    if membership.is_joint() { incoming.min(half(&membership.outgoing)) } else { incoming }
}

/// How a vote stands, given what each voter has said so far.
#[must_use]
pub fn tally(membership: &Membership, vote: impl Fn(NodeId) -> Option<bool>) -> Tally {
    let half = |voters: &BTreeSet<NodeId>| {
        let yes = voters.iter().filter(|voter| vote(**voter) == Some(true)).count();
        let open = voters.iter().filter(|voter| vote(**voter).is_none()).count();
        match majority(voters) {
            needed if yes >= needed => Tally::Won,
            needed if yes + open >= needed => Tally::Open,
            _ => Tally::Lost,
        }
    };
    assert!(!membership.voters.is_empty(), "a group has a voter");
    let incoming = half(&membership.voters);
    let outgoing = if membership.is_joint() { half(&membership.outgoing) } else { Tally::Won };
    match (incoming, outgoing) {
        (Tally::Won, Tally::Won) => Tally::Won,
        (Tally::Lost, _) | (_, Tally::Lost) => Tally::Lost,
        _ => Tally::Open,
    }
}

/// True if those for whom `is_in` holds are a quorum.
#[must_use]
pub fn has_quorum(membership: &Membership, is_in: impl Fn(NodeId) -> bool) -> bool {
    tally(membership, |voter| Some(is_in(voter))) == Tally::Won
}

fn majority(voters: &BTreeSet<NodeId>) -> usize {
    voters.len() / 2 + 1
}

#[cfg(test)]
mod tests {
    use super::{Tally, committed, has_quorum, tally};
    use alloc::{collections::BTreeSet, vec::Vec};
    use kernel::{Index, Member, Membership, NodeId, Rng};

    fn membership(voters: &[u64], outgoing: &[u64]) -> Membership {
        let set = |ids: &[u64]| ids.iter().copied().map(NodeId).collect::<BTreeSet<_>>();
        let members =
            set(voters).union(&set(outgoing)).map(|node| (*node, Member::default())).collect();
        Membership {
            members,
            voters: set(voters),
            outgoing: set(outgoing),
            learners: BTreeSet::new(),
        }
    }

    /// The dumb version: an index is committed if a quorum has it, and the largest such counts.
    fn committed_by_trying(membership: &Membership, matched: &[Index]) -> Index {
        let of = |node: NodeId| matched[usize::try_from(node.0).expect("small")];
        let mut candidates: Vec<Index> = matched.to_vec();
        candidates.push(Index(0));
        let is_committed = |index: &Index| has_quorum(membership, |node| of(node) >= *index);
        candidates.into_iter().filter(is_committed).max().unwrap_or_default()
    }

    #[test]
    fn two_of_four_are_no_majority() {
        let four = membership(&[1, 2, 3, 4], &[]);
        assert!(!has_quorum(&four, |node| node.0 <= 2));
        assert!(has_quorum(&four, |node| node.0 <= 3));
        assert!(has_quorum(&membership(&[1], &[]), |_| true));
        assert!(!has_quorum(&membership(&[1, 2], &[]), |node| node.0 == 1));
    }

    #[test]
    fn a_joint_vote_needs_both_halves() {
        let joint = membership(&[1, 2, 3], &[3, 4, 5]);
        let said = |yes: &'static [u64]| move |node: NodeId| yes.contains(&node.0).then_some(true);
        assert_eq!(tally(&joint, said(&[1, 2])), Tally::Open);
        assert_eq!(tally(&joint, said(&[1, 3, 4])), Tally::Won);
        assert_eq!(tally(&joint, |node| Some(node.0 < 3)), Tally::Lost);
    }

    #[test]
    fn sorting_agrees_with_trying() {
        let mut rng = Rng::new(1);
        for _ in 0..20_000 {
            let mut part = |least: u64| -> Vec<u64> {
                let count = rng.between(least, 5);
                (0..count).map(|_| rng.below(7)).collect()
            };
            let membership = membership(&part(1), &part(0));
            let matched: Vec<Index> = (0..7).map(|_| Index(rng.below(10))).collect();
            let sorted =
                committed(&membership, |node| matched[usize::try_from(node.0).expect("small")]);
            assert_eq!(sorted, committed_by_trying(&membership, &matched));
        }
    }
}
