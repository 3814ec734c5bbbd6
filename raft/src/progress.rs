//! What a leader knows of one other member, and how it sends to it.
//!
//! ```text
//!             accepted                     rejected, lost, new life
//!   Probe ─────────────────▶ Replicate ─────────────────────────────▶ Probe
//!     │  one append at a time   a window of bytes in flight             ▲
//!     │ entry no longer in the log                                      │
//!     └─────────────────▶ Snapshot ─────────────────────────────────────┘  delivered, or broken
//! ```

use alloc::collections::VecDeque;

use kernel::{FetchId, Incarnation, Index, Instant};

use crate::image::image;

/// One member, as its leader sees it.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    /// The last entry known to be on the member's disk. Goes back only if the member says
    /// that it has lost it.
    pub(crate) matched: Index,
    /// The next entry to send.
    pub(crate) next: Index,
    /// How to send.
    pub(crate) state: State,
    /// When the member last answered.
    pub(crate) heard: Instant,
    /// The last heartbeat that it has answered.
    pub(crate) round: u64,
    /// The last heartbeat sent to it, and the next entry at that moment.
    pub(crate) asked: (u64, Index),
    /// Its life, once it has answered.
    pub(crate) incarnation: Option<Incarnation>,
    /// Entries for it that are being read back from the log.
    pub(crate) fetching: Option<FetchId>,
    /// After this entry the log is kept for the member: a snapshot that reaches to it is under way, or
    /// has arrived and the member has not caught up since.
    pub(crate) keeps_after: Option<Index>,
    /// The last commit index sent to it.
    pub(crate) commit_told: Index,
}

/// How to send to a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Where the logs agree is not known: one append at a time.
    Probe {
        /// One is under way.
        paused: bool,
        /// The last entry of the one under way.
        sent: Index,
    },
    /// The logs agree up to what was sent: many at a time.
    Replicate {
        /// The appends under way: their last entry and size.
        in_flight: VecDeque<(Index, u64)>,
        /// The bytes under way.
        bytes: u64,
    },
    /// What comes next is no longer in the log: a snapshot is under way.
    Snapshot,
}

impl State {
    /// Looking for where the logs agree; `paused` until the member's next sign of life.
    pub(crate) const fn probe(paused: bool) -> Self {
        Self::Probe { paused, sent: Index(0) }
    }
}

impl Progress {
    /// A member of which nothing is known, in a log that ends before `next`.
    pub(crate) const fn new(next: Index, now: Instant) -> Self {
        Self {
            matched: Index(0),
            next,
            state: State::probe(false),
            heard: now,
            round: 0,
            asked: (0, Index(0)),
            incarnation: None,
            fetching: None,
            keeps_after: None,
            commit_told: Index(0),
        }
    }

    /// Begins to look for where the logs agree, from `next` downwards.
    pub(crate) fn probe_from(&mut self, next: Index) {
        self.next = next.max(self.matched.next());
        self.state = State::probe(false);
        self.fetching = None;
    }

    /// The member no longer has what it acknowledged: nothing of it is counted from now on.
    pub(crate) const fn forget(&mut self) {
        self.matched = Index(0);
    }

    /// A snapshot is under way that reaches to `applied` at least.
    pub(crate) fn wait_for_snapshot(&mut self, applied: Index) {
        self.state = State::Snapshot;
        self.fetching = None;
        self.keeps_after = Some(applied);
    }

    /// The stream of the snapshot broke: nothing that follows it needs to be kept.
    pub(crate) fn lose_snapshot(&mut self) {
        self.probe_from(self.matched.next());
        // The next sign of life begins another stream.
        self.state = State::probe(true);
        self.keeps_after = None;
    }

    /// What follows `matched` is still kept for the member, until it has everything up to `commit`.
    pub(crate) fn keep_after(&mut self, commit: Index) {
        let still = self.keeps_after.filter(|_| self.matched < commit);
        self.keeps_after = still.map(|after| after.max(self.matched));
    }

    /// The member has everything up to `matched` on its disk. True if that is news.
    pub(crate) fn accept(&mut self, matched: Index) -> bool {
        let is_news = matched > self.matched;
        self.matched = self.matched.max(matched);
        self.next = self.next.max(self.matched.next());
        match &mut self.state {
            // Who has taken less than was sent has no room: it is asked again at its next sign of life.
            State::Probe { sent, .. } if matched < *sent => {}
            State::Probe { .. } => {
                self.state = State::Replicate { in_flight: VecDeque::new(), bytes: 0 }
            }
            State::Replicate { in_flight, bytes } => {
                while let Some((_, size)) = in_flight.pop_front_if(|(last, _)| *last <= matched) {
                    *bytes -= size;
                }
            }
            // The snapshot's own end decides.
            State::Snapshot => {}
        }
        is_news
    }

    /// Entries up to `last` have been sent.
    pub(crate) fn sent(&mut self, last: Index, size: u64) {
        match &mut self.state {
            State::Probe { paused, sent } => (*paused, *sent) = (true, last),
            State::Replicate { in_flight, bytes } => {
                assert!(last >= self.next, "a pipelined append has entries");
                in_flight.push_back((last, size));
                *bytes += size;
                self.next = last.next();
            }
            State::Snapshot => panic!("nothing is sent beside a snapshot"),
        }
    }

    /// True if an append may be sent now; `window` bytes may be under way.
    pub(crate) fn is_ready(&self, window: u64) -> bool {
        match &self.state {
            _ if self.fetching.is_some() => false,
            State::Probe { paused, .. } => !paused,
            State::Replicate { bytes, .. } => *bytes < window,
            State::Snapshot => false,
        }
    }

    /// True if entries are sent as they come.
    pub(crate) const fn is_replicating(&self) -> bool {
        matches!(self.state, State::Replicate { .. })
    }

    /// The word for how entries are sent.
    pub(crate) const fn state_name(&self) -> &'static str {
        match self.state {
            State::Probe { .. } => "probe",
            State::Replicate { .. } => "replicate",
            State::Snapshot => "snapshot",
        }
    }
}

image!(struct Progress {
    matched, next, state, heard, round, asked, incarnation, fetching, keeps_after,
    commit_told,
});

image!(enum State {
    0 => Probe { paused, sent },
    1 => Replicate { in_flight, bytes },
    2 => Snapshot,
});
