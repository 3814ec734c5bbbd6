//! A trivial node for tests: node 1 always leads, the others follow, what a majority has is applied,
//! and the answer is the request. Enough to use every effect and every input of a host.

use std::{collections::BTreeMap, time::Duration};

use archipel_host::Boot;
use kernel::{
    Bytes, Effect, Effects, Entry, EntryHead, EntryId, EntryKind, Fault, Image, Index, Input,
    Instant, Malformed, Membership, Node, NodeId, Origin, Outcome, Peer, PersistNumber, Reader,
    Reading, Record, Refusal, Stamp, StateMachine, TableId, Tables, Term, Ticket, Wire, Writer,
};

const RESEND: Duration = Duration::from_millis(50);
const LEADER: NodeId = NodeId(1);
const TERM: Term = Term(1);
const TABLE: TableId = TableId(16);

#[derive(Clone, Debug)]
pub(crate) enum Message {
    Append { entries: Vec<Entry>, commit: Index },
    Ack { last: Index },
}

impl Wire for Message {
    fn encode(&self, writer: &mut Writer) {
        match self {
            Self::Append { entries, commit } => {
                writer.put_u8(1);
                writer.put_list(entries);
                commit.encode(writer);
            }
            Self::Ack { last } => {
                writer.put_u8(2);
                last.encode(writer);
            }
        }
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(match reader.take_u8()? {
            1 => Self::Append { entries: reader.take_list()?, commit: Index::decode(reader)? },
            _ => Self::Ack { last: Index::decode(reader)? },
        })
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Request {
    Write(Bytes),
    Read,
    /// Streams a snapshot to a node; the answer comes when it is delivered.
    Snapshot(NodeId),
    /// Connects to these members.
    Meet(Membership),
    /// Breaks an invariant.
    Break,
}

impl Wire for Request {
    fn encode(&self, writer: &mut Writer) {
        match self {
            Self::Write(data) => {
                writer.put_u8(1);
                writer.put_bytes(data);
            }
            Self::Read => writer.put_u8(2),
            Self::Snapshot(to) => {
                writer.put_u8(3);
                to.encode(writer);
            }
            Self::Meet(membership) => {
                writer.put_u8(4);
                membership.encode(writer);
            }
            Self::Break => writer.put_u8(5),
        }
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(match reader.take_u8()? {
            1 => Self::Write(reader.take_bytes()?),
            2 => Self::Read,
            3 => Self::Snapshot(NodeId::decode(reader)?),
            4 => Self::Meet(Membership::decode(reader)?),
            _ => Self::Break,
        })
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Status {
    pub(crate) commit: Index,
}

#[derive(Clone, Debug)]
pub(crate) struct Echo {
    me: Peer,
    membership: Membership,
    has_begun: bool,
    /// All entries after the base.
    entries: Vec<Entry>,
    base: Index,
    persist: PersistNumber,
    writing: BTreeMap<PersistNumber, Index>,
    durable: Index,
    acked: BTreeMap<NodeId, Index>,
    commit: Index,
    applied: Index,
    resend_at: Instant,
    snapshots: BTreeMap<NodeId, Ticket>,
}

impl Echo {
    pub(crate) fn new(boot: Boot) -> Self {
        let last = Index(boot.base.index.0 + boot.entries.len() as u64);
        Self {
            me: boot.me,
            membership: boot.membership,
            has_begun: false,
            entries: boot.entries,
            base: boot.base.index,
            persist: PersistNumber::NONE,
            writing: BTreeMap::new(),
            durable: last,
            acked: BTreeMap::new(),
            commit: boot.applied,
            applied: boot.applied,
            resend_at: boot.now,
            snapshots: BTreeMap::new(),
        }
    }

    fn last(&self) -> Index {
        Index(self.base.0 + self.entries.len() as u64)
    }

    fn others(&self) -> Vec<NodeId> {
        self.membership.members.keys().copied().filter(|node| *node != self.me.node).collect()
    }

    fn after(&self, index: Index) -> Vec<Entry> {
        let skip = usize::try_from(index.0.saturating_sub(self.base.0)).unwrap();
        self.entries.get(skip..).unwrap_or_default().to_vec()
    }

    fn persist(&mut self, record: Record, effects: &mut Effects<Message>) {
        self.persist = self.persist.next();
        self.writing.insert(self.persist, self.last());
        effects.push(Effect::Persist { number: self.persist, records: vec![record] });
    }

    fn write(
        &mut self,
        ticket: Ticket,
        data: &Bytes,
        wall_ms: u64,
        effects: &mut Effects<Message>,
    ) {
        let head = EntryHead {
            id: EntryId::new(TERM, self.last().next()),
            kind: EntryKind::Command,
            stamp: Stamp(self.last().0),
            wall_ms,
            origin: Some(Origin { peer: self.me, ticket }),
            session: None,
        };
        let entry = Entry::new(head, data);
        self.entries.push(entry.clone());
        self.persist(Record::Entries(vec![entry.clone()]), effects);
        for to in self.others() {
            let message = Message::Append { entries: vec![entry.clone()], commit: self.commit };
            effects.push(Effect::Send { to, message, after: PersistNumber::NONE });
        }
    }

    fn take(&mut self, from: Peer, message: Message, effects: &mut Effects<Message>) {
        match message {
            Message::Append { entries, commit } => {
                let next = self.last().next();
                let new: Vec<Entry> =
                    entries.into_iter().skip_while(|entry| entry.index() < next).collect();
                let fits = new.first().is_some_and(|entry| entry.index() == next);
                if fits {
                    self.entries.extend(new.clone());
                    self.persist(Record::Entries(new), effects);
                }
                let message = Message::Ack { last: self.last() };
                effects.push(Effect::Send { to: from.node, message, after: self.persist });
                self.commit = self.commit.max(commit.min(self.last()));
            }
            Message::Ack { last } => {
                self.acked.insert(from.node, last);
            }
        }
    }

    fn advance(&mut self, effects: &mut Effects<Message>) {
        if self.me.node == LEADER {
            let has = |node: &NodeId| self.acked.get(node).copied().unwrap_or_default();
            let mut all: Vec<Index> = self.others().iter().map(has).collect();
            all.push(self.durable);
            all.sort_unstable();
            let majority = all[(all.len() - 1) / 2];
            if majority > self.commit {
                self.commit = majority;
                for to in self.others() {
                    let message = Message::Append { entries: Vec::new(), commit: self.commit };
                    effects.push(Effect::Send { to, message, after: PersistNumber::NONE });
                }
            }
        }
        if self.commit > self.applied {
            let mut entries = self.after(self.applied);
            entries.truncate(usize::try_from(self.commit.0 - self.applied.0).unwrap());
            self.applied = self.commit;
            effects.push(Effect::Apply { entries });
        }
        effects.push(Effect::MayFlush { through: self.durable.min(self.commit) });
    }

    fn request(
        &mut self,
        (ticket, request): (Ticket, Request),
        wall_ms: u64,
        effects: &mut Effects<Message>,
    ) {
        match request {
            Request::Write(data) if self.me.node == LEADER => {
                self.write(ticket, &data, wall_ms, effects);
            }
            Request::Write(_) => {
                effects.push(Effect::Refused { ticket, refusal: Refusal::NoLeader });
            }
            Request::Read => {
                let index = if self.me.node == LEADER { self.last() } else { self.commit };
                effects.push(Effect::ReadReady { ticket, index });
            }
            Request::Snapshot(to) => {
                self.snapshots.insert(to, ticket);
                effects.push(Effect::SendSnapshot { to });
            }
            Request::Meet(membership) => {
                self.membership = membership.clone();
                effects.push(Effect::Members(membership));
                effects.push(Effect::Answer { ticket, answer: Bytes::new() });
            }
            Request::Break => panic!("a test asked for this panic"),
        }
    }
}

/// What decides what it says next; what is on its way to the disk or to other nodes is left out.
impl Image for Echo {
    fn image(&self) -> Bytes {
        let mut writer = Writer::default();
        self.me.encode(&mut writer);
        self.membership.encode(&mut writer);
        writer.put_u8(u8::from(self.has_begun));
        writer.put_list(&self.entries);
        for index in [self.base, self.durable, self.commit, self.applied] {
            index.encode(&mut writer);
        }
        self.persist.encode(&mut writer);
        writer.put_u64(self.resend_at.0);
        writer.into_bytes()
    }

    fn from_image(image: Bytes) -> Result<Self, Malformed> {
        let mut reader = Reader::new(image);
        let echo = Self {
            me: Peer::decode(&mut reader)?,
            membership: Membership::decode(&mut reader)?,
            has_begun: reader.take_u8()? == 1,
            entries: reader.take_list()?,
            base: Index::decode(&mut reader)?,
            durable: Index::decode(&mut reader)?,
            commit: Index::decode(&mut reader)?,
            applied: Index::decode(&mut reader)?,
            persist: PersistNumber::decode(&mut reader)?,
            resend_at: Instant(reader.take_u64()?),
            writing: BTreeMap::new(),
            acked: BTreeMap::new(),
            snapshots: BTreeMap::new(),
        };
        reader.finish()?;
        Ok(echo)
    }
}

impl Node for Echo {
    type Message = Message;
    type Request = Request;
    type Status = Status;

    fn handle(
        &mut self,
        now: Instant,
        input: Input<Message, Request>,
        effects: &mut Effects<Message>,
    ) {
        if !self.has_begun {
            self.has_begun = true;
            effects.push(Effect::Members(self.membership.clone()));
        }
        match input {
            Input::Message { from, message } => self.take(from, message, effects),
            Input::Request { ticket, request, wall_ms } => {
                self.request((ticket, request), wall_ms, effects);
            }
            Input::Timeout => {
                self.resend_at = now.after(RESEND);
                for to in self.others().into_iter().filter(|_| self.me.node == LEADER) {
                    let acked = self.acked.get(&to).copied().unwrap_or(self.base);
                    let message =
                        Message::Append { entries: self.after(acked), commit: self.commit };
                    effects.push(Effect::Send { to, message, after: PersistNumber::NONE });
                }
            }
            Input::Durable { through } => {
                let later = self.writing.split_off(&through.next());
                let done = std::mem::replace(&mut self.writing, later);
                if let Some((_, index)) = done.last_key_value() {
                    self.durable = *index;
                }
            }
            Input::SnapshotReady { meta, generation } => {
                self.entries.clear();
                self.base = meta.last.index;
                self.commit = self.base;
                self.applied = self.base;
                self.membership = meta.membership.clone();
                self.persist(Record::Snapshot { meta: meta.clone(), generation }, effects);
                effects.push(Effect::InstallSnapshot { meta, generation });
            }
            Input::SnapshotSent { to, delivered } => {
                if let Some(ticket) = self.snapshots.remove(&to) {
                    let answer = delivered.unwrap_or_default().to_bytes();
                    effects.push(Effect::Answer { ticket, answer });
                }
            }
            _ => {}
        }
        self.advance(effects);
    }

    fn deadline(&self) -> Option<Instant> {
        Some(self.resend_at)
    }

    fn status(&self) -> Status {
        Status { commit: self.commit }
    }

    fn check(&self) {}
}

/// Keeps each write under its index and answers with it.
#[derive(Debug, Default)]
pub(crate) struct EchoMachine;

impl StateMachine for EchoMachine {
    fn apply(
        &mut self,
        entry: &Entry,
        tables: &mut Tables,
        outcome: &mut Outcome,
    ) -> Result<(), Fault> {
        tables.put(TABLE, &entry.index().0.to_be_bytes(), entry.data())?;
        if let Some(origin) = entry.origin() {
            outcome.answer(origin, entry.data().clone());
        }
        Ok(())
    }

    fn query(reading: &Reading, _query: Bytes) -> Result<Bytes, Fault> {
        Ok(Bytes::from(written(reading).join(&b' ')))
    }
}

/// All that was written, in order.
pub(crate) fn written(reading: &Reading) -> Vec<Vec<u8>> {
    let pairs = reading.scan(TABLE, &[], None, usize::MAX).unwrap();
    pairs.into_iter().map(|(_, value)| value.to_vec()).collect()
}
