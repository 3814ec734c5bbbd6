//! What must never be: watched from outside, apart from what nodes assert of themselves.
//!
//! 1. One leader a term (figure 3 of the paper: Election Safety), with the votes of a majority on their
//!    disks.
//! 2. Equal ids mean equal entries and equal logs before them (Log Matching).
//! 3. A new leader holds all that was applied anywhere (Leader Completeness).
//! 4. Entries are applied in the same order everywhere (State Machine Safety), with the same result.
//! 5. What a leader applies is durable on a majority of those who vote in its configuration.
//! 6. A log recovers to what was written: all that is durable, and of the rest a beginning; term and
//!    vote may be later ones.
//! 7. Terms do not go back, and a durable vote is not changed.
//! 8. A request ends at most once; one that was refused is never carried out.
//! 9. A read is answered at an index that covers all that was committed when it was asked for.
//! 10. Nobody is given a vote who has nothing of the log.
//! 11. Whoever makes a configuration has made sure of the one before, and of an entry of its own term:
//!     they are durable on a majority (thesis §4.1, and the correction of July 2015 to it). Else two
//!     majorities need not meet.

use alloc::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    format,
    vec::Vec,
};

use core::iter;

use kernel::{
    Entry, EntryId, EntryKind, HardState, Index, Membership, NodeId, Origin, Peer, PersistNumber,
    Record, Refusal, Stamp, Term, Ticket, Wire as _,
};
use log::{Recovered, Trust};

use crate::{
    finding::Finding,
    shadow::{Note, Shadow},
};

#[derive(Debug)]
pub(crate) struct Oracle {
    leaders: BTreeMap<Term, Peer>,
    /// Whom each replica has voted for, durably.
    votes: BTreeMap<(Term, NodeId), NodeId>,
    /// Of each entry: the one before it, and its checksum.
    entries: BTreeMap<EntryId, (EntryId, u32)>,
    /// The configurations among them.
    configurations: BTreeMap<EntryId, Membership>,
    /// By index from 1: the entries that somebody has applied, and a term in which they were known to
    /// be committed.
    committed: Vec<(EntryId, Term)>,
    committed_origins: BTreeSet<Origin>,
    /// When terms began, as the stamps of their first entries say.
    terms: Vec<Stamp>,
    digests: BTreeMap<Index, u128>,
    replicas: BTreeMap<NodeId, Replica>,
    ends: BTreeMap<Origin, Ends>,
}

/// What is known of one replica's log.
#[derive(Debug, Default)]
struct Replica {
    /// All that the node has written.
    issued: Shadow,
    /// What is durable.
    durable: Shadow,
    /// What lies between.
    pending: VecDeque<(PersistNumber, Vec<Note>)>,
    /// What was durable before the disk was damaged: acknowledged then, and perhaps gone since.
    acknowledged: Option<Shadow>,
}

/// How a request has ended.
#[derive(Clone, Copy, Debug, Default)]
struct Ends {
    by_node: bool,
    by_applier: bool,
    refused: bool,
}

fn broken<T>(what: alloc::string::String) -> Result<T, Finding> {
    Err(Finding::Safety(what))
}

impl Oracle {
    /// Knows nothing but the configuration in which all begins.
    pub(crate) fn new(founders: Membership) -> Self {
        Self {
            leaders: BTreeMap::new(),
            votes: BTreeMap::new(),
            entries: BTreeMap::new(),
            configurations: BTreeMap::from([(EntryId::default(), founders)]),
            committed: Vec::new(),
            committed_origins: BTreeSet::new(),
            terms: Vec::new(),
            digests: BTreeMap::new(),
            replicas: BTreeMap::new(),
            ends: BTreeMap::new(),
        }
    }

    /// The last index that somebody has applied.
    pub(crate) const fn committed_len(&self) -> u64 {
        self.committed.len() as u64
    }

    /// When terms began that have committed anything, in cluster time.
    pub(crate) fn terms(&self) -> &[Stamp] {
        &self.terms
    }

    /// True if the node has led a term after `term`.
    pub(crate) fn has_led_after(&self, node: NodeId, term: Term) -> bool {
        self.leaders.range(term.next()..).any(|(_, leader)| leader.node == node)
    }

    /// A node has come to lead.
    pub(crate) fn leads(
        &mut self,
        peer: Peer,
        term: Term,
        membership: &Membership,
    ) -> Result<(), Finding> {
        let first = *self.leaders.entry(term).or_insert(peer);
        if first != peer {
            return broken(format!("both {first} and {peer} lead term {term}"));
        }
        let has_voted = |voter: &&NodeId| self.votes.get(&(term, **voter)) == Some(&peer.node);
        for voters in [&membership.voters, &membership.outgoing] {
            let votes = voters.iter().filter(has_voted).count();
            if !voters.is_empty() && votes * 2 <= voters.len() {
                return broken(format!(
                    "{peer} leads term {term} with {votes} of {} votes on disks",
                    voters.len()
                ));
            }
        }
        let log = &self.replicas.entry(peer.node).or_default().issued;
        // A leader of an earlier term, elected late, need not know what later ones have committed.
        match self.committed.iter().rev().find(|(_, known_in)| *known_in < term) {
            Some((last, known_in)) if !log.covers(*last) => broken(format!(
                "{peer} leads term {term} without {last}, which was committed in term {known_in}"
            )),
            _ => Ok(()),
        }
    }

    /// A node writes records.
    pub(crate) fn persisted(
        &mut self,
        node: NodeId,
        number: PersistNumber,
        records: &[Record],
    ) -> Result<(), Finding> {
        let replica = self.replicas.entry(node).or_default();
        let mut made = Vec::new();
        let mut notes = Vec::with_capacity(records.len());
        for record in records {
            if let Record::Entries(entries) = record {
                let mut before = replica.issued.last();
                for entry in entries {
                    let what = (before, checksum(entry));
                    let known = *self.entries.entry(entry.id()).or_insert_with(|| {
                        if entry.kind() == EntryKind::Configuration {
                            made.push((before, entry));
                        }
                        what
                    });
                    if known != what {
                        return broken(format!(
                            "{node} writes {} after {before}; elsewhere it follows {} or differs",
                            entry.id(),
                            known.0
                        ));
                    }
                    before = entry.id();
                }
            }
            let note = Note::of(record);
            if let Err(what) = replica.issued.take(&note) {
                return broken(format!("{node}: {what}: {note:?}"));
            }
            notes.push(note);
        }
        replica.pending.push_back((number, notes));
        // Whoever writes a configuration first has made it.
        made.into_iter().try_for_each(|(before, entry)| self.configuration(node, before, entry))
    }

    /// A node makes a configuration, right after entry `before`.
    fn configuration(
        &mut self,
        node: NodeId,
        before: EntryId,
        entry: &Entry,
    ) -> Result<(), Finding> {
        let id = entry.id();
        let Ok(membership) = Membership::from_bytes(entry.data().clone()) else {
            return broken(format!("{node} makes {id}, a configuration that is malformed"));
        };
        let log =
            iter::successors(Some(before), |id| self.entries.get(id).map(|(before, _)| *before));
        let Some(first) = log.clone().take_while(|one| one.term == id.term).last() else {
            return broken(format!("{node} makes configuration {id} the first entry of its term"));
        };
        let earlier = log.filter_map(|one| Some((one, self.configurations.get(&one)?))).next();
        if let Some((earlier, decides)) = earlier {
            self.check_quorum(node, earlier, decides)?;
            self.check_quorum(node, first, decides)?;
        }
        self.configurations.insert(id, membership);
        Ok(())
    }

    /// All writes of a node up to a number are durable.
    pub(crate) fn durable(&mut self, node: NodeId, through: PersistNumber) -> Result<(), Finding> {
        let replica = self.replicas.entry(node).or_default();
        while replica.pending.front().is_some_and(|(number, _)| *number <= through) {
            let (_, notes) = replica.pending.pop_front().expect("just seen");
            for note in &notes {
                if let Note::Hard(HardState { term, vote: Some(vote), .. }) = note {
                    self.votes.insert((*term, node), *vote);
                }
                if let Err(what) = replica.durable.take(note) {
                    return broken(format!("{node}: {what}: {note:?}"));
                }
            }
        }
        Ok(())
    }

    /// A log was recovered.
    pub(crate) fn recovered(&mut self, node: NodeId, found: &Recovered) -> Result<(), Finding> {
        let replica = self.replicas.entry(node).or_default();
        let shadow = Shadow::of(found);
        if let Some(vote) = found.hard.vote {
            self.votes.insert((found.hard.term, node), vote);
        }
        let pending = core::mem::take(&mut replica.pending);
        if matches!(found.trust, Trust::Uncertain { .. }) {
            replica.acknowledged = Some(replica.durable.clone());
        } else {
            let notes = pending.iter().flat_map(|(_, notes)| notes);
            if !replica.durable.leads_to(&shadow, notes) {
                return broken(format!(
                    "{node} recovers a log that ends at {} and was never written so; durable was {}",
                    shadow.last(),
                    replica.durable.last()
                ));
            }
        }
        replica.issued = shadow.clone();
        replica.durable = shadow;
        Ok(())
    }

    /// A node says in `term` that entries are committed; how many nobody knew of. A leader says by whose
    /// votes.
    pub(crate) fn committed(
        &mut self,
        node: NodeId,
        term: Term,
        decides: Option<&Membership>,
        entries: &[Entry],
    ) -> Result<u64, Finding> {
        let before = self.committed_len();
        for entry in entries {
            let id = entry.id();
            let place = usize::try_from(id.index.0 - 1).expect("a short log");
            if let Some((known, _)) = self.committed.get(place) {
                if *known != id {
                    return broken(format!("{node} applies {id} where {known} was applied"));
                }
                continue;
            }
            if place > self.committed.len() {
                return broken(format!("{node} applies {id}, and nobody what is before it"));
            }
            self.committed.push((id, term));
            if entry.kind() == EntryKind::Noop {
                self.terms.push(entry.stamp());
            }
            if let Some(membership) = decides {
                self.check_quorum(node, id, membership)?;
            }
            let Some(origin) = entry.origin() else {
                continue;
            };
            if self.ends.get(&origin).is_some_and(|ends| ends.refused) {
                return broken(format!("{id} is committed; its origin {origin:?} was told no"));
            }
            if !self.committed_origins.insert(origin) {
                return broken(format!("{id} is the second entry of {origin:?}"));
            }
        }
        Ok(self.committed_len() - before)
    }

    fn check_quorum(
        &self,
        node: NodeId,
        id: EntryId,
        membership: &Membership,
    ) -> Result<(), Finding> {
        for voters in [&membership.voters, &membership.outgoing] {
            let holders = voters.iter().filter(|voter| self.has_held(**voter, id)).count();
            if !voters.is_empty() && holders * 2 <= voters.len() {
                return broken(format!(
                    "{node} relies on {id}, which only {holders} of {} have on their disks",
                    voters.len()
                ));
            }
        }
        Ok(())
    }

    /// True if the entry is durable there, or was before that disk was damaged.
    fn has_held(&self, node: NodeId, id: EntryId) -> bool {
        self.replicas.get(&node).is_some_and(|replica| {
            let before = replica.acknowledged.as_ref();
            replica.durable.covers(id) || before.is_some_and(|before| before.covers(id))
        })
    }

    /// True if one has later entries on its disk than the other.
    pub(crate) fn has_more(&self, one: NodeId, other: NodeId) -> bool {
        let last = |node| self.replicas.get(&node).map(|replica| replica.durable.last());
        last(one) > last(other)
    }

    /// A damaged replica has on its disk again, or something later, all that it ever acknowledged.
    pub(crate) fn is_repaired(&self, node: NodeId) -> bool {
        self.replicas.get(&node).is_none_or(|replica| {
            let before = replica.acknowledged.as_ref().map(Shadow::last);
            before.is_none_or(|before| before <= replica.durable.last())
        })
    }

    /// A node, which leads, makes `membership` the configuration after `before`.
    pub(crate) fn reconfigured(
        &self,
        node: NodeId,
        before: &Membership,
        membership: &Membership,
    ) -> Result<(), Finding> {
        let has_nothing = |voter: &&NodeId| {
            let log = self.replicas.get(voter).map(|replica| &replica.durable);
            !before.is_voter(**voter) && log.is_none_or(|log| log.last() == EntryId::default())
        };
        match membership.voters.iter().find(has_nothing) {
            Some(voter) => {
                broken(format!("{node} gives a vote to {voter}, which has nothing of the log"))
            }
            None => Ok(()),
        }
    }

    /// A replica has applied everything through `index`.
    pub(crate) fn applied(
        &mut self,
        node: NodeId,
        index: Index,
        digest: u128,
    ) -> Result<(), Finding> {
        let first = *self.digests.entry(index).or_insert(digest);
        if first == digest {
            return Ok(());
        }
        broken(format!("the tables of {node} at {index} differ from those of another replica"))
    }

    /// The node has ended a request, perhaps with a refusal.
    pub(crate) fn node_ended(
        &mut self,
        peer: Peer,
        ticket: Ticket,
        refusal: Option<&Refusal>,
    ) -> Result<(), Finding> {
        let origin = Origin { peer, ticket };
        let ends = self.ends.entry(origin).or_default();
        if ends.by_node {
            return broken(format!("the node ends {origin:?} a second time"));
        }
        ends.by_node = true;
        ends.refused = refusal.is_some();
        let is_done = ends.by_applier || self.committed_origins.contains(&origin);
        match refusal {
            Some(refusal) if is_done => {
                broken(format!("{origin:?} was carried out and then refused: {refusal}"))
            }
            _ => Ok(()),
        }
    }

    /// The applier has answered a request.
    pub(crate) fn applier_ended(&mut self, peer: Peer, ticket: Ticket) -> Result<(), Finding> {
        let origin = Origin { peer, ticket };
        let ends = self.ends.entry(origin).or_default();
        if ends.by_applier || ends.refused {
            return broken(format!("the applier answers {origin:?}, which had ended: {ends:?}"));
        }
        ends.by_applier = true;
        Ok(())
    }
}

fn checksum(entry: &Entry) -> u32 {
    let bytes = entry.frame()[..4].try_into().expect("a frame begins with four bytes");
    u32::from_le_bytes(bytes)
}
