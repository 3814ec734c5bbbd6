//! What a leader sends: entries, heartbeats, the commit index (§5.3).

use alloc::vec::Vec;

use kernel::{Entry, EntryId, Fault, Index, Instant, Peer};

use crate::{
    image::image,
    message::{AppendOutcome, Body},
    node::{Part, Raft},
};

/// Whom a follower follows, and how far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Following {
    /// The leader of the term, once it is known.
    pub(crate) leader: Option<Peer>,
    /// When it was last heard from.
    pub(crate) heard: Option<Instant>,
    /// How far the log in memory is known to be the leader's.
    received: Index,
}

impl Following {
    pub(crate) fn of(leader: Option<Peer>) -> Self {
        Self { leader, ..Self::default() }
    }
}

impl Raft {
    /// The leader of this term has been heard from.
    fn follow(&mut self, from: Peer) {
        assert!(!matches!(self.part, Part::Leader(_)), "two leaders in term {}", self.hard.term);
        if let Some(leader) = self.leader() {
            assert_eq!(leader, from.node, "two leaders in term {}", self.hard.term);
        }
        if self.leader().is_none() {
            self.become_follower(Some(from));
        }
        self.push_election_back();
        let now = self.now;
        self.following_mut().heard = Some(now);
    }

    fn following_mut(&mut self) -> &mut Following {
        match &mut self.part {
            Part::Follower(following) => following,
            _ => unreachable!("a replica that hears from its leader follows it"),
        }
    }

    fn received_up_to(&mut self, index: Index) {
        let following = self.following_mut();
        following.received = following.received.max(index);
    }

    pub(crate) fn on_append(
        &mut self,
        from: Peer,
        mut previous: EntryId,
        mut entries: Vec<Entry>,
        commit: Index,
    ) {
        self.follow(from);
        if !follows(previous, &entries)
            || entries.last().is_some_and(|last| last.term() > self.hard.term)
        {
            return;
        }
        if previous.index < self.hard.commit {
            let known = self.skip_committed(previous, &mut entries);
            previous = known;
        }
        if !self.log.contains(previous) {
            self.reject_append(from, previous);
            return;
        }
        // What room is left on a full disk is for votes and terms.
        if self.is_swamped() || self.disk_full {
            entries.clear();
        }
        let matched = entries.last().map_or(previous.index, Entry::index);
        self.take_new(entries);
        self.received_up_to(matched);
        let outcome = AppendOutcome::Accepted { matched };
        let body = Body::AppendReply { asked_by: from.incarnation, outcome };
        self.send_when_saved(from.node, body);
        // Not beyond what this very append has shown to agree (K-10).
        self.learn_commit(commit.min(matched));
    }

    /// Whoever leads has all that is committed: an append that begins before the commit index is read
    /// from there on.
    fn skip_committed(&self, previous: EntryId, entries: &mut Vec<Entry>) -> EntryId {
        let commit = self.hard.commit;
        let term = self.log.term_at(commit).expect("the log reaches to the commit index");
        let known = entries.iter().take_while(|entry| entry.index() <= commit).count();
        if let Some(entry) = entries[..known].last().filter(|entry| entry.index() == commit) {
            assert_eq!(entry.term(), term, "a leader lacks the committed entry {commit}");
        }
        entries.drain(..known);
        assert!(previous.index < commit, "only called for what begins before the commit index");
        EntryId { term, index: commit }
    }

    /// Appends what is not there yet. What conflicts goes; what agrees stays, even beyond the last entry
    /// sent: the append may be an old one (B18).
    fn take_new(&mut self, mut entries: Vec<Entry>) {
        let known = entries.iter().take_while(|entry| self.log.contains(entry.id())).count();
        entries.drain(..known);
        let Some(first) = entries.first().map(Entry::index) else {
            return;
        };
        let truncate_from = (first <= self.log.last().index).then_some(first);
        self.append(truncate_from, entries);
    }

    pub(crate) fn reject_append(&mut self, from: Peer, previous: EntryId) {
        let hint = self.log.last_not_beyond(previous.index, previous.term);
        let outcome =
            AppendOutcome::Rejected { previous: previous.index, hint, last: self.log.last().index };
        let body = Body::AppendReply { asked_by: from.incarnation, outcome };
        self.send_when_saved(from.node, body);
    }

    pub(crate) fn on_heartbeat(&mut self, from: Peer, commit: Index, round: u64) {
        self.follow(from);
        let received = self.following_mut().received;
        let matched =
            if self.is_all_saved() { received.min(self.durability.durable()) } else { Index(0) };
        let body = Body::HeartbeatReply { asked_by: from.incarnation, round, received, matched };
        self.send(from.node, body);
        self.learn_commit(commit.min(received));
    }

    pub(crate) fn on_commit(&mut self, from: Peer, commit: Index) {
        if self.leader() == Some(from.node) && matches!(self.part, Part::Follower(_)) {
            let received = self.following_mut().received;
            self.learn_commit(commit.min(received));
        }
    }

    /// Entries up to `commit` are committed.
    pub(crate) fn learn_commit(&mut self, commit: Index) {
        if commit <= self.hard.commit {
            return;
        }
        assert!(
            commit <= self.log.last().index,
            "only what is in the log is known to be committed"
        );
        self.hard.commit = commit;
        self.apply_committed();
        self.let_tables_flush();
        if !self.reads.is_empty() {
            self.note_work();
        }
    }

    /// The leader remembers acknowledgements of entries that are not here: this disk has lost them. A
    /// replica that knew the end of its log to be in doubt now knows how far; any other cannot go on.
    pub(crate) fn on_lost(&mut self, acknowledged: Index) {
        let has = self.log.last().index;
        if has >= acknowledged {
            return;
        }
        if let Some(until) = self.uncertain_until {
            self.uncertain_until =
                Some(until.max(EntryId { term: self.hard.term, index: acknowledged }));
        } else {
            self.fail(Fault::LostAcknowledged { node: self.me.node, has, acknowledged });
        }
    }
}

/// True if the entries stand right after `previous` and after each other, in order of terms.
fn follows(previous: EntryId, entries: &[Entry]) -> bool {
    let mut last = previous;
    entries.iter().all(|entry| {
        let is_next = entry.index() == last.index.next() && entry.term() >= last.term;
        last = entry.id();
        is_next
    })
}

image!(struct Following { leader, heard, received });
