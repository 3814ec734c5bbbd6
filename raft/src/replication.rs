//! Entries to the members, and what their answers commit (§5.3, §5.4.2).

use alloc::vec::Vec;

use kernel::{Effect, Entry, EntryId, EntryKind, FetchId, FetchOutcome, Index, NodeId, Peer, Wire};

use crate::{
    message::{AppendOutcome, Body, ForwardOutcome},
    node::{Purpose, Raft},
    progress::{Progress, State},
    quorum,
};

/// What to do next for one member.
enum Step {
    /// Nothing now.
    Wait,
    /// Send these.
    Append { previous: EntryId, entries: Vec<Entry> },
    /// Read them back first.
    Fetch { first: Index },
    /// They are gone: send a snapshot.
    Snapshot,
}

impl Raft {
    /// Sends every member what it lacks, as far as its window goes.
    pub(crate) fn replicate(&mut self) {
        let Some(leadership) = self.leadership() else {
            return;
        };
        let peers: Vec<NodeId> = leadership.peers.keys().copied().collect();
        for peer in peers {
            self.replicate_to(peer);
            self.tell_commit(peer);
        }
    }

    fn replicate_to(&mut self, to: NodeId) {
        loop {
            match self.next_step(to) {
                Step::Wait => return,
                Step::Append { previous, entries } => self.send_append(to, previous, entries),
                Step::Fetch { first } => {
                    let (last, bytes_max) = (self.log.last().index, self.config.batch_bytes_max);
                    let id = self.fetch(Purpose::Send { to, first }, first, last, bytes_max);
                    self.with_progress(to, |progress| progress.fetching = Some(id));
                    return;
                }
                Step::Snapshot => {
                    let applied = self.applied;
                    self.with_progress(to, |progress| progress.wait_for_snapshot(applied));
                    self.emit(Effect::SendSnapshot { to });
                    return;
                }
            }
        }
    }

    fn next_step(&self, to: NodeId) -> Step {
        let Some(progress) = self.leadership().and_then(|leadership| leadership.peers.get(&to))
        else {
            return Step::Wait;
        };
        if !progress.is_ready(self.config.window_bytes) {
            return Step::Wait;
        }
        let previous = progress.next.previous();
        let last = self.log.last().index;
        assert!(previous <= last, "nobody is sent what comes after the log's end");
        let Some(term) = self.log.term_at(previous) else {
            // A member that does not answer would not take a snapshot either.
            let is_there = self.now.since(progress.heard) <= self.config.election_max;
            return if is_there { Step::Snapshot } else { Step::Wait };
        };
        let previous = EntryId { term, index: previous };
        if progress.next > last {
            let is_probe = matches!(progress.state, State::Probe { .. });
            return if is_probe {
                Step::Append { previous, entries: Vec::new() }
            } else {
                Step::Wait
            };
        }
        match self.log.cached(progress.next, last, self.config.batch_bytes_max) {
            Some(entries) => Step::Append { previous, entries },
            None => Step::Fetch { first: progress.next },
        }
    }

    fn send_append(&mut self, to: NodeId, previous: EntryId, entries: Vec<Entry>) {
        let size = entries.iter().map(Entry::size).sum();
        let last = entries.last().map_or(previous.index, Entry::index);
        let commit = self.hard.commit;
        self.with_progress(to, |progress| {
            progress.sent(last, size);
            progress.commit_told = commit;
        });
        self.send(to, Body::Append { previous, entries, commit });
    }

    /// A member is told of the commit index at once, if no append has told it: whoever reads or watches there
    /// does not wait for the next heartbeat.
    fn tell_commit(&mut self, to: NodeId) {
        let (mut is_news, commit) = (false, self.hard.commit);
        self.with_progress(to, |progress| {
            is_news = progress.commit_told < commit && progress.is_replicating();
            if is_news {
                progress.commit_told = commit;
            }
        });
        if is_news {
            self.send(to, Body::Commit { commit });
        }
    }

    pub(crate) fn with_progress(&mut self, node: NodeId, change: impl FnOnce(&mut Progress)) {
        if let Some(progress) =
            self.leadership_mut().and_then(|leadership| leadership.peers.get_mut(&node))
        {
            change(progress);
        }
    }

    /// A member has answered: it is there, and if it has started anew, what was under way is lost.
    fn hear(&mut self, from: Peer) {
        let now = self.now;
        self.with_progress(from.node, |progress| {
            progress.heard = now;
            let before = progress.incarnation.replace(from.incarnation);
            if before.is_some_and(|before| before != from.incarnation) {
                progress.probe_from(progress.matched.next());
            }
        });
    }

    pub(crate) fn on_append_reply(&mut self, from: Peer, outcome: AppendOutcome) {
        if self.leadership().is_none_or(|leadership| !leadership.peers.contains_key(&from.node)) {
            return;
        }
        self.hear(from);
        match outcome {
            AppendOutcome::Accepted { matched } => self.on_accepted(from.node, matched),
            AppendOutcome::Rejected { previous, hint, last } => {
                self.on_rejected(from.node, previous, hint, last);
            }
        }
        self.note_work_for(from.node);
    }

    /// Notes work only if the member can be sent something now: most answers ask for nothing.
    fn note_work_for(&mut self, node: NodeId) {
        let progress = self.leadership().and_then(|leadership| leadership.peers.get(&node));
        let last = self.log.last().index;
        let is_wanted = progress.is_some_and(|progress| {
            progress.is_ready(self.config.window_bytes)
                && (progress.next <= last || matches!(progress.state, State::Probe { .. }))
        });
        if is_wanted {
            self.note_work();
        }
    }

    fn on_accepted(&mut self, from: NodeId, matched: Index) {
        assert!(
            matched <= self.log.last().index,
            "{from} acknowledged what was never sent: {matched}"
        );
        let (mut is_news, commit) = (false, self.hard.commit);
        self.with_progress(from, |progress| {
            is_news = progress.accept(matched);
            progress.keep_after(commit);
        });
        if is_news {
            self.advance_commit();
            self.hand_over_if_ready();
        }
    }

    /// The logs part somewhere before: goes back to where they may agree.
    fn on_rejected(&mut self, from: NodeId, previous: Index, hint: EntryId, last: Index) {
        let agrees = self.log.last_not_beyond(hint.index.min(previous), hint.term);
        let mut lost = None;
        self.with_progress(from, |progress| {
            let is_current = match &progress.state {
                State::Probe { .. } => previous == progress.next.previous(),
                State::Replicate { .. } => previous > progress.matched,
                State::Snapshot => false,
            };
            // Its log is shorter than what it acknowledged, or has another entry there. What was sent
            // before the acknowledgement may well have been rejected: that is only late.
            let lacks_it = last < progress.matched || hint.index < progress.matched;
            if lacks_it && previous >= progress.matched {
                lost = Some(progress.matched);
                progress.forget();
            }
            if is_current || lost.is_some() {
                progress.probe_from(agrees.index.next().min(previous.max(Index(1))));
            }
        });
        if let Some(acknowledged) = lost {
            self.send(from, Body::Lost { acknowledged });
        }
    }

    pub(crate) fn on_heartbeat_reply(
        &mut self,
        from: Peer,
        round: u64,
        received: Index,
        matched: Index,
    ) {
        self.hear(from);
        if self.leadership().is_some_and(|leadership| {
            leadership.peers.get(&from.node).is_some_and(|progress| matched > progress.matched)
        }) {
            self.on_accepted(from.node, matched);
        }
        self.with_progress(from.node, |progress| {
            progress.round = progress.round.max(round);
            let (asked, next_then) = progress.asked;
            match &mut progress.state {
                State::Probe { paused, .. } => *paused = false,
                // What was sent before the heartbeat did not arrive before it.
                State::Replicate { .. } if round == asked && received.next() < next_then => {
                    progress.probe_from(received.next());
                }
                State::Replicate { .. } | State::Snapshot => {}
            }
        });
        self.finish_reads();
        self.note_work_for(from.node);
    }

    pub(crate) fn on_unreachable(&mut self, peer: NodeId) {
        self.with_progress(peer, |progress| {
            if matches!(progress.state, State::Replicate { .. }) {
                progress.probe_from(progress.matched.next());
                progress.state = State::probe(true);
            }
        });
    }

    pub(crate) fn fetched_to_send(
        &mut self,
        id: FetchId,
        to: NodeId,
        first: Index,
        outcome: FetchOutcome,
    ) {
        let mut is_wanted = false;
        self.with_progress(to, |progress| {
            is_wanted = progress.fetching == Some(id) && progress.next == first;
            progress.fetching = progress.fetching.filter(|fetching| *fetching != id);
        });
        let previous = first.previous();
        match (outcome, self.log.term_at(previous)) {
            (FetchOutcome::Entries(entries), Some(term)) if is_wanted => {
                let is_ours = entries.iter().all(|entry| self.log.contains(entry.id()));
                assert!(is_ours, "the log on disk is the log in memory");
                self.send_append(to, EntryId { term, index: previous }, entries);
                self.note_work();
            }
            // What cannot be read this time is tried again at the next sign of life.
            (FetchOutcome::Failed, _) if is_wanted => {
                self.with_progress(to, |progress| progress.state = State::probe(true));
            }
            _ => self.note_work(),
        }
    }

    /// Commits what a quorum has on its disks, if it is of this term (§5.4.2, figure 8).
    pub(crate) fn advance_commit(&mut self) {
        let Some(leadership) = self.leadership() else {
            return;
        };
        let own = self.durability.durable();
        let matched = |node: NodeId| {
            let peer = leadership.peers.get(&node).map(|progress| progress.matched);
            if node == self.me.node { own } else { peer.unwrap_or_default() }
        };
        let commit = quorum::committed(self.membership(), matched);
        if commit <= self.hard.commit || self.log.term_at(commit) != Some(self.hard.term) {
            return;
        }
        let before = self.hard.commit;
        self.learn_commit(commit);
        self.note_work();
        self.tell_strangers(before.next(), commit);
        self.on_committed();
    }

    /// Who asked to leave is no longer sent the log that would tell it so.
    fn tell_strangers(&mut self, first: Index, last: Index) {
        let committed = self.log.in_memory(first, last).into_iter().flatten();
        let changes = committed.filter(|entry| entry.kind() == EntryKind::Configuration);
        let asked = changes.filter_map(|entry| Some((entry.origin()?, entry.id())));
        for (origin, id) in asked.collect::<Vec<_>>() {
            if !self.membership().contains(origin.peer.node) {
                self.end_request(origin, ForwardOutcome::Done(id.to_bytes()));
            }
        }
    }
}
