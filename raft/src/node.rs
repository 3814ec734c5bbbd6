//! The replica: what comes in, who handles it, and when it next wants to be woken.
//!
//! Work that is better done once for many inputs (appending requests, sending entries, confirming
//! reads) is only noted when an input asks for it. The deadline is then at once: whoever runs the node
//! gives all that has already arrived, and then the timeout, which does the noted work for all of it.

use alloc::{collections::BTreeMap, vec::Vec};

use kernel::{
    Effect, Effects, Entry, EntryId, Fault, FetchId, FetchOutcome, HardState, Index, Input,
    Instant, Membership, Node, NodeId, Peer, PersistNumber, Record, Rng, Role, Stamp, StorageFault,
    Term,
};

use crate::{
    commitment::Pipeline,
    config::{Boot, Config},
    durability::{Durability, LogChange},
    election::Poll,
    entries::Entries,
    follower::Following,
    image::image,
    leader::Leadership,
    message::{Body, Message},
    proposal::Desk,
    read::Reads,
    reconfigure::History,
    request::Request,
    snapshot::Installing,
    status::Status,
    tickets::Tickets,
};

/// One replica of a group.
#[derive(Clone, Debug)]
pub struct Raft {
    pub(crate) me: Peer,
    pub(crate) config: Config,
    pub(crate) rng: Rng,
    pub(crate) now: Instant,
    pub(crate) part: Part,
    pub(crate) hard: HardState,
    /// The term and vote that have been handed to the disk.
    pub(crate) saved: HardState,
    pub(crate) log: Entries,
    pub(crate) history: History,
    pub(crate) durability: Durability,
    /// Entries on their way through the state machine.
    pub(crate) pipeline: Pipeline,
    /// The last entry that the state machine has applied.
    pub(crate) applied: Index,
    /// The last entry whose effect is in the durable tables.
    pub(crate) flushed: Index,
    /// How far the tables have been told that they may be flushed.
    pub(crate) may_flush: Index,
    /// When the state machine next has something to expire.
    pub(crate) next_tick: Option<Stamp>,
    pub(crate) installing: Option<Installing>,
    pub(crate) tickets: Tickets,
    pub(crate) desk: Desk,
    pub(crate) reads: Reads,
    pub(crate) fetches: BTreeMap<FetchId, Purpose>,
    pub(crate) fetches_started: u64,
    pub(crate) uncertain_until: Option<EntryId>,
    pub(crate) disk_full: bool,
    /// When the replica stands for election unless it hears from a leader.
    pub(crate) election_at: Instant,
    /// There is noted work.
    pub(crate) is_work_noted: bool,
    stopped: bool,
    /// The configuration in force at the start has been told.
    has_begun: bool,
    told: Option<(Role, Term, Option<NodeId>)>,
    effects: Effects<Message>,
}

/// The replica's part in its group, with what belongs to it.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    Follower(Following),
    PreCandidate(Poll),
    Candidate(Poll),
    Leader(Leadership),
}

/// What entries are read back for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To send them to a member.
    Send {
        /// The member.
        to: NodeId,
        /// The first of them.
        first: Index,
    },
    /// To apply them.
    Apply {
        /// The first of them.
        first: Index,
    },
}

impl Raft {
    /// A replica that starts, or starts again, with what its disk holds.
    ///
    /// # Panics
    /// If the configuration does not fit together, or if `boot` contradicts itself: tables that are
    /// ahead of the log (B40), a log that does not follow its base.
    #[must_use]
    pub fn new(config: Config, boot: Boot, now: Instant) -> Self {
        config.check();
        let mut history = History::new(boot.base.index, boot.membership);
        for entry in &boot.entries {
            history.appended(entry);
        }
        // The configuration in force is told with the first input, once.
        history.take_news();
        // Fine enough for what is to be kept, coarse enough to cost nothing.
        let mark_bytes = (config.retain_bytes / 64).clamp(2048, 1024 * 1024);
        let log = Entries::new(boot.base, boot.base_stamp, boot.entries, mark_bytes);
        assert!(boot.applied >= boot.base.index, "the tables hold what the log no longer has");
        assert!(boot.applied <= log.last().index, "the tables are never ahead of the log");
        let mut hard = boot.hard;
        hard.commit = hard.commit.max(boot.applied).min(log.last().index);
        assert!(log.last().term <= hard.term, "the log has no entry of a later term");
        let mut raft = Self {
            me: boot.me,
            rng: Rng::new(boot.seed),
            now,
            part: Part::Follower(Following::default()),
            saved: hard,
            hard,
            durability: Durability::new(log.last().index),
            log,
            history,
            pipeline: Pipeline::new(boot.applied),
            applied: boot.applied,
            flushed: boot.applied,
            may_flush: boot.applied,
            next_tick: None,
            installing: None,
            tickets: Tickets::default(),
            desk: Desk::default(),
            reads: Reads::default(),
            fetches: BTreeMap::new(),
            fetches_started: 0,
            uncertain_until: boot.uncertain_until,
            disk_full: false,
            election_at: now,
            is_work_noted: true,
            stopped: false,
            has_begun: false,
            told: None,
            effects: Vec::new(),
            config,
        };
        raft.push_election_back();
        raft.evict();
        raft
    }

    /// The configuration in force: the last one in the log, committed or not.
    #[must_use]
    pub fn membership(&self) -> &Membership {
        self.history.current()
    }

    /// The replica's part.
    #[must_use]
    pub const fn role(&self) -> Role {
        match self.part {
            Part::Follower(_) => Role::Follower,
            Part::PreCandidate(_) => Role::PreCandidate,
            Part::Candidate(_) => Role::Candidate,
            Part::Leader(_) => Role::Leader,
        }
    }

    /// Who leads, as far as the replica knows.
    #[must_use]
    pub const fn leader(&self) -> Option<NodeId> {
        match &self.part {
            Part::Follower(following) => match following.leader {
                Some(leader) => Some(leader.node),
                None => None,
            },
            Part::PreCandidate(_) | Part::Candidate(_) => None,
            Part::Leader(_) => Some(self.me.node),
        }
    }

    pub(crate) const fn leadership(&self) -> Option<&Leadership> {
        match &self.part {
            Part::Leader(leadership) => Some(leadership),
            _ => None,
        }
    }

    pub(crate) const fn leadership_mut(&mut self) -> Option<&mut Leadership> {
        match &mut self.part {
            Part::Leader(leadership) => Some(leadership),
            _ => None,
        }
    }

    pub(crate) fn emit(&mut self, effect: Effect<Message>) {
        self.effects.push(effect);
    }

    /// Says something that waits for nothing.
    pub(crate) fn send(&mut self, to: NodeId, body: Body) {
        self.send_after(to, body, PersistNumber::NONE);
    }

    /// Says something once all that the replica has decided so far is on its disk (O2).
    pub(crate) fn send_when_saved(&mut self, to: NodeId, body: Body) {
        let after = self.save();
        self.send_after(to, body, after);
    }

    fn send_after(&mut self, to: NodeId, body: Body, after: PersistNumber) {
        debug_assert!(to != self.me.node, "nobody sends to itself");
        let message = Message { term: self.hard.term, body };
        self.effects.push(Effect::Send { to, message, after });
    }

    /// Hands term and vote to the disk if they are new; the number of the last write.
    pub(crate) fn save(&mut self) -> PersistNumber {
        if (self.saved.term, self.saved.vote) != (self.hard.term, self.hard.vote) {
            self.persist(LogChange::default(), Vec::new());
        }
        self.durability.issued()
    }

    /// True if all that the replica has decided is on its disk.
    pub(crate) fn is_all_saved(&self) -> bool {
        (self.saved.term, self.saved.vote) == (self.hard.term, self.hard.vote)
            && self.durability.issued() == self.durability.finished()
    }

    /// Writes a change of the log, and with it the hard state if that is new in any way.
    pub(crate) fn persist(&mut self, change: LogChange, mut records: Vec<Record>) -> PersistNumber {
        if self.saved != self.hard {
            self.saved = self.hard;
            // First: work that is spread over several batches must not leave entries of a term that the
            // disk does not know yet (B29).
            records.insert(0, Record::Hard(self.hard));
        }
        let number = self.durability.issue(change, self.now);
        self.effects.push(Effect::Persist { number, records });
        number
    }

    /// Appends entries after those in the log from `truncate_from` on have gone, and writes that down.
    pub(crate) fn append(&mut self, truncate_from: Option<Index>, entries: Vec<Entry>) {
        let mut records = Vec::with_capacity(3);
        if let Some(from) = truncate_from {
            assert!(from > self.hard.commit, "what is committed stays");
            self.log.truncate(from);
            self.history.truncated(from);
            records.push(Record::Truncate(from));
        }
        for entry in &entries {
            self.history.appended(entry);
            self.log.append(entry.clone());
        }
        if !entries.is_empty() {
            records.push(Record::Entries(entries));
        }
        let ends_at = Some(self.log.last().index);
        self.persist(LogChange { truncate_from, ends_at }, records);
    }

    /// Stops for good: nothing more is said.
    pub(crate) fn fail(&mut self, fault: Fault) {
        self.stopped = true;
        self.effects.push(Effect::Fault(fault));
    }

    pub(crate) const fn note_work(&mut self) {
        self.is_work_noted = true;
    }

    /// Starts to read entries back from the log.
    pub(crate) fn fetch(
        &mut self,
        purpose: Purpose,
        first: Index,
        last: Index,
        bytes_max: u64,
    ) -> FetchId {
        self.fetches_started += 1;
        let id = FetchId(self.fetches_started);
        self.fetches.insert(id, purpose);
        self.emit(Effect::Fetch { id, first, last, bytes_max });
        id
    }

    fn fetched(&mut self, id: FetchId, outcome: FetchOutcome) {
        match self.fetches.remove(&id) {
            Some(Purpose::Send { to, first }) => self.fetched_to_send(id, to, first, outcome),
            Some(Purpose::Apply { first }) => self.fetched_to_apply(first, outcome),
            None => {}
        }
    }

    fn on_timeout(&mut self) {
        self.expire_tickets();
        match &self.part {
            Part::Leader(_) => self.lead_on(),
            _ if self.now >= self.election_at => self.stand(),
            _ => {}
        }
        self.ask_again_for_reads();
        if core::mem::take(&mut self.is_work_noted) {
            self.do_noted_work();
        }
    }

    fn do_noted_work(&mut self) {
        self.hand_requests_on();
        self.confirm_reads();
        self.replicate();
        self.apply_committed();
    }

    fn on_storage(&mut self, fault: StorageFault) {
        match fault {
            StorageFault::Poisoned => {
                self.fail(Fault::Storage("a write or a flush of the log failed".into()));
            }
            StorageFault::Full => self.disk_full = true,
            StorageFault::Roomy => self.disk_full = false,
        }
    }

    /// A log whose end was in doubt is whole again once it is on disk up to where it may have been.
    fn end_doubt(&mut self) {
        let index = self.durability.durable();
        let end = self.log.term_at(index).map(|term| EntryId { term, index });
        if end.is_some_and(|end| self.uncertain_until.is_some_and(|until| until <= end)) {
            self.uncertain_until = None;
        }
    }

    fn on_durable(&mut self, through: PersistNumber) {
        self.durability.finish(through);
        self.end_doubt();
        self.count_own_vote();
        self.install_if_durable();
        self.advance_commit();
        self.let_tables_flush();
    }

    /// Tells of a change of part, and of the configuration, when the input has been handled.
    fn tell(&mut self) {
        self.save();
        let told = (self.role(), self.hard.term, self.leader());
        if self.told != Some(told) {
            self.told = Some(told);
            let (role, term, leader) = told;
            self.emit(Effect::Role { role, term, leader });
        }
        while self.history.take_news() {
            let membership = self.membership().clone();
            self.emit(Effect::Members(membership));
            self.follow_membership();
        }
    }
}

impl Node for Raft {
    type Message = Message;
    type Request = Request;
    type Status = Status;

    fn handle(
        &mut self,
        now: Instant,
        input: Input<Message, Request>,
        effects: &mut Effects<Message>,
    ) {
        assert!(now >= self.now, "time never goes back");
        self.now = now;
        if self.stopped {
            return;
        }
        if !core::mem::replace(&mut self.has_begun, true) {
            self.emit(Effect::Members(self.membership().clone()));
        }
        match input {
            Input::Message { from, message } => self.on_message(from, message),
            Input::Request { ticket, request, wall_ms } => {
                self.on_request(ticket, request, wall_ms);
            }
            Input::Timeout => self.on_timeout(),
            Input::Durable { through } => self.on_durable(through),
            Input::Storage(fault) => self.on_storage(fault),
            Input::Applied { index, durable, next_deadline } => {
                self.on_applied(index, durable, next_deadline);
            }
            Input::Fetched { id, outcome } => self.fetched(id, outcome),
            Input::SnapshotReady { meta, generation } => self.on_snapshot_ready(meta, generation),
            Input::SnapshotSent { to, delivered } => self.on_snapshot_sent(to, delivered),
            Input::SnapshotInstalled { index } => self.on_snapshot_installed(index),
            Input::Unreachable { peer } => self.on_unreachable(peer),
        }
        if !self.stopped {
            self.tell();
        }
        effects.append(&mut self.effects);
    }

    fn deadline(&self) -> Option<Instant> {
        if self.stopped {
            return None;
        }
        if self.is_work_noted {
            return Some(self.now);
        }
        let part = match &self.part {
            Part::Leader(leadership) => Some(leadership.next_wake(self.tick_at())),
            _ => Some(self.election_at),
        };
        [part, self.tickets.earliest(), self.reads.retry_at()].into_iter().flatten().min()
    }

    fn status(&self) -> Status {
        self.describe()
    }

    fn check(&self) {
        self.check_invariants();
    }
}

image!(struct Raft {
    me, config, rng, now, part, hard, saved, log, history, durability, pipeline, applied, flushed,
    may_flush, next_tick, installing, tickets, desk, reads, fetches, fetches_started,
    uncertain_until, disk_full, election_at, is_work_noted, stopped, has_begun, told,
} without { effects });

image!(enum Part {
    0 => Follower(following),
    1 => PreCandidate(poll),
    2 => Candidate(poll),
    3 => Leader(leadership),
});

image!(enum Purpose {
    0 => Send { to, first },
    1 => Apply { first },
});
