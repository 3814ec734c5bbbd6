//! The simulator on the smallest node there is: one that serves alone. Right, it keeps all promises;
//! wrong in one way or another, it is found out.

use std::{cell::RefCell, collections::BTreeSet, rc::Rc};

use archipel_sim::{
    Asked, Boot, Composition, Finding, Happening, MembershipChange, RegisterCall, Registers,
    Report, Settings, Witness, run,
};
use kernel::{
    Bytes, Effect, Effects, Entry, EntryHead, EntryId, EntryKind, Fault, HardState, Index, Input,
    Instant, Malformed, Node, NodeId, Origin, Outcome, Peer, PersistNumber, Reader, Reading,
    Record, Role, Session, Stamp, StateMachine, TableId, Tables, Term, Ticket, Wire, Writer,
};

const TABLE: TableId = TableId(16);

/// How the node is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    Nothing,
    /// It applies before its disk has finished.
    AppliesTooEarly,
    /// It takes a repeat for something new.
    IgnoresSessions,
    /// It ends every request twice.
    AnswersTwice,
    /// It carries out every request twice.
    CommitsTwice,
    /// It refuses what it then carries out.
    RefusesWrongly,
    /// It does nothing at all.
    Sleeps,
}

/// Says nothing: nobody is there to listen.
#[derive(Clone, Debug)]
struct Silence;

impl Wire for Silence {
    fn encode(&self, _writer: &mut Writer) {}

    fn decode(_reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self)
    }
}

#[derive(Clone, Debug)]
enum Request {
    Write(Bytes),
    Read,
    Nothing,
}

/// Leads a cluster of one, from its first moment on.
#[derive(Debug)]
struct Alone {
    wrong: Wrong,
    me: Peer,
    term: Term,
    last: EntryId,
    stamp: Stamp,
    applied: Index,
    persists: u64,
    /// Entries on their way to the disk.
    writing: Vec<(PersistNumber, Entry)>,
    /// Entries recovered, and not yet applied again.
    recovered: Vec<Entry>,
    started: bool,
    leads: bool,
}

impl Alone {
    fn persist(&mut self, records: Vec<Record>, effects: &mut Effects<Silence>) -> PersistNumber {
        self.persists += 1;
        let number = PersistNumber(self.persists);
        effects.push(Effect::Persist { number, records });
        number
    }

    fn start(&mut self, effects: &mut Effects<Silence>) {
        self.started = true;
        let hard = HardState { term: self.term, vote: Some(self.me.node), commit: self.last.index };
        self.persist(vec![Record::Hard(hard)], effects);
        effects.push(Effect::Members(kernel::Membership::of_voters(
            [(self.me.node, kernel::Member::default())].into(),
        )));
        let entries: Vec<Entry> = self.recovered.drain(..).collect();
        if !entries.is_empty() {
            self.applied = entries[entries.len() - 1].index();
            effects.push(Effect::Apply { entries });
        }
    }

    /// Nobody leads in a term that a crash could make it live through again.
    fn lead(&mut self, effects: &mut Effects<Silence>) {
        if !core::mem::replace(&mut self.leads, true) {
            let leader = Some(self.me.node);
            effects.push(Effect::Role { role: Role::Leader, term: self.term, leader });
        }
    }

    fn write(&mut self, now: Instant, ticket: Ticket, data: &[u8], effects: &mut Effects<Silence>) {
        let id = EntryId { term: self.term, index: self.last.index.next() };
        let stamp = Stamp(self.stamp.0.max(now.0));
        let origin = Some(Origin { peer: self.me, ticket });
        let head =
            EntryHead { id, kind: EntryKind::Command, stamp, wall_ms: 0, origin, session: None };
        let entry = Entry::new(head, data);
        self.last = id;
        self.stamp = stamp;
        let number = self.persist(vec![Record::Entries(vec![entry.clone()])], effects);
        if self.wrong == Wrong::AppliesTooEarly {
            self.applied = id.index;
            effects.push(Effect::Apply { entries: vec![entry] });
        } else {
            self.writing.push((number, entry));
        }
    }

    fn request(
        &mut self,
        now: Instant,
        ticket: Ticket,
        request: Request,
        effects: &mut Effects<Silence>,
    ) {
        match request {
            Request::Write(_) if !self.leads => {
                effects.push(Effect::Refused { ticket, refusal: kernel::Refusal::NoLeader });
            }
            Request::Write(data) => {
                self.write(now, ticket, &data, effects);
                if self.wrong == Wrong::CommitsTwice {
                    self.write(now, ticket, &data, effects);
                }
                if self.wrong == Wrong::RefusesWrongly {
                    let refusal = kernel::Refusal::Busy;
                    effects.push(Effect::Refused { ticket, refusal });
                }
            }
            Request::Read => {
                effects.push(Effect::ReadReady { ticket, index: self.applied });
                if self.wrong == Wrong::AnswersTwice {
                    effects.push(Effect::Unknown { ticket });
                }
            }
            Request::Nothing => {
                effects.push(Effect::Refused { ticket, refusal: kernel::Refusal::NoLeader });
            }
        }
    }
}

impl Node for Alone {
    type Message = Silence;
    type Request = Request;
    type Status = ();

    fn handle(
        &mut self,
        now: Instant,
        input: Input<Silence, Request>,
        effects: &mut Effects<Silence>,
    ) {
        if self.wrong == Wrong::Sleeps {
            return;
        }
        if !self.started {
            self.start(effects);
        }
        match input {
            Input::Request { ticket, request, .. } => self.request(now, ticket, request, effects),
            Input::Durable { through } => {
                self.lead(effects);
                let done = self.writing.iter().take_while(|(number, _)| *number <= through).count();
                let entries: Vec<Entry> =
                    self.writing.drain(..done).map(|(_, entry)| entry).collect();
                if let Some(last) = entries.last() {
                    self.applied = last.index();
                    effects.push(Effect::Apply { entries });
                }
                let through = self.applied;
                effects.push(Effect::MayFlush { through });
            }
            Input::Storage(kernel::StorageFault::Poisoned) => {
                effects.push(Effect::Fault(Fault::Storage("a write failed".into())));
            }
            _ => {}
        }
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }

    fn status(&self) {}

    fn check(&self) {
        assert!(self.applied <= self.last.index);
    }
}

/// A register for each key: a command is a value and a key.
#[derive(Default)]
struct Store;

impl StateMachine for Store {
    fn apply(
        &mut self,
        entry: &Entry,
        tables: &mut Tables,
        outcome: &mut Outcome,
    ) -> Result<(), Fault> {
        let mut reader = Reader::new(entry.data().clone());
        let malformed = |_| Fault::StateMachine("no command".into());
        let key = reader.take_bytes().map_err(malformed)?;
        tables.put(TABLE, &key, &reader.take_rest())?;
        if let Some(origin) = entry.origin() {
            outcome.answer(origin, Bytes::new());
        }
        Ok(())
    }

    fn query(reading: &Reading, query: Bytes) -> Result<Bytes, Fault> {
        Ok(reading.get(TABLE, &query)?.unwrap_or_default())
    }
}

struct Lonely(Wrong);

impl Composition for Lonely {
    type Node = Alone;
    type Machine = Store;
    type Workload = Registers;

    fn machine(&self) -> Store {
        Store
    }

    fn workload(&self, settings: &Settings) -> Registers {
        Registers::new(settings)
    }

    fn boot(&self, boot: Boot) -> Alone {
        let last = boot.entries.last().map_or(boot.base, Entry::id);
        let stamp = boot.entries.last().map_or(boot.base_stamp, Entry::stamp);
        let recovered =
            boot.entries.into_iter().filter(|entry| entry.index() > boot.applied).collect();
        Alone {
            wrong: self.0,
            me: boot.me,
            term: boot.hard.term.next(),
            last,
            stamp,
            applied: boot.applied,
            persists: 0,
            writing: Vec::new(),
            recovered,
            started: false,
            leads: false,
        }
    }

    fn ask(&self, call: &RegisterCall, _: Option<Session>) -> Asked<Request> {
        let key = call.key_name();
        let mut writer = Writer::default();
        writer.put_bytes(&key);
        match &call.call {
            check::Call::Write(value) => writer.put_raw(value),
            check::Call::Read => {
                let query = Some(Bytes::from(key));
                return Asked { request: Request::Read, query };
            }
            _ => return Asked { request: Request::Nothing, query: None },
        }
        Asked { request: Request::Write(writer.into_bytes()), query: None }
    }

    fn answer(&self, call: &RegisterCall, answer: Bytes) -> Result<check::Answer, String> {
        Ok(match call.call {
            check::Call::Read => {
                check::Answer::Found((!answer.is_empty()).then(|| answer.to_vec()))
            }
            _ => check::Answer::Written,
        })
    }

    fn change(&self, _: &MembershipChange) -> Request {
        Request::Nothing
    }

    fn transfer(&self, _: Option<NodeId>) -> Request {
        Request::Nothing
    }
}

fn settings(wrong: Wrong, seed: u64) -> Settings {
    let mut settings = Settings::draw(seed);
    settings.nodes = 1;
    settings.spares = 0;
    settings.mishaps.change = 0;
    settings.disk.garbled_one_in = None;
    settings.chaos_ns = 4_000_000_000;
    // This node knows nothing of sessions.
    settings.clients.sessions_percent = if wrong == Wrong::IgnoresSessions { 100 } else { 0 };
    settings
}

fn run_seed(wrong: Wrong, seed: u64) -> Result<Report, Finding> {
    run(Lonely(wrong), settings(wrong, seed), None)
}

/// True if one of the first seeds finds it.
fn is_found(wrong: Wrong) -> bool {
    (0..400).any(|seed| match run_seed(wrong, seed) {
        Ok(_) => false,
        Err(Finding::Safety(_)) => true,
        Err(other) => panic!("seed {seed}: {other}"),
    })
}

#[test]
fn a_right_node_keeps_all_promises() {
    let mut crashes = 0;
    for seed in 0..100 {
        let report = run_seed(Wrong::Nothing, seed);
        let report = report.unwrap_or_else(|finding| panic!("seed {seed}: {finding}"));
        crashes += report.counters.crashes;
        assert!(report.counters.writes > 0 && report.counters.reads > 0, "seed {seed}");
    }
    assert!(crashes > 50, "{crashes} crashes");
}

#[test]
fn a_wrong_node_is_found_out() {
    for wrong in [
        Wrong::AppliesTooEarly,
        Wrong::IgnoresSessions,
        Wrong::AnswersTwice,
        Wrong::CommitsTwice,
        Wrong::RefusesWrongly,
    ] {
        assert!(is_found(wrong), "{wrong:?} was not found by any seed");
    }
}

#[test]
fn a_node_that_sleeps_is_a_matter_of_liveness() {
    assert!(matches!(run_seed(Wrong::Sleeps, 1), Err(Finding::Liveness(_))));
}

#[test]
fn the_same_seed_gives_the_same_world_and_another_seed_another() {
    let hash = |seed| run_seed(Wrong::Nothing, seed).map(|report| report.hash);
    for seed in 0..20 {
        assert_eq!(hash(seed), hash(seed));
        assert_ne!(hash(seed), hash(seed + 1));
    }
}

/// Remembers what would be wrong of a witness's view.
#[derive(Default)]
struct Watcher {
    last_ns: u64,
    lasting: BTreeSet<u64>,
    faults: u64,
    asked: BTreeSet<usize>,
    told: u64,
    is_healed: bool,
    found: Option<Finding>,
}

impl Witness for Watcher {
    fn see(&mut self, at_ns: u64, happening: &Happening) {
        assert!(at_ns >= self.last_ns, "time does not go back");
        assert_eq!(self.found, None, "a finding is the last that is seen");
        self.last_ns = at_ns;
        match happening {
            Happening::FaultBegins { fault, .. } => {
                assert!(self.lasting.insert(*fault), "a fault begins once");
                self.faults += 1;
            }
            Happening::FaultEnds { fault } => {
                assert!(self.lasting.remove(fault), "what ends has begun");
            }
            Happening::Invoked { client, .. } => {
                assert!(self.asked.insert(*client), "a client does one thing at a time");
            }
            Happening::Told { client, .. } => {
                assert!(self.asked.remove(client), "who is told has asked");
                self.told += 1;
            }
            Happening::Healed => {
                assert!(self.lasting.is_empty(), "faults end when everything is healed");
                self.is_healed = true;
            }
            Happening::Found { finding, .. } => self.found = Some(finding.clone()),
            _ => {}
        }
    }
}

fn watch(wrong: Wrong, seed: u64) -> (Result<Report, Finding>, Watcher) {
    let watcher = Rc::new(RefCell::new(Watcher::default()));
    let result = run(Lonely(wrong), settings(wrong, seed), Some(Box::new(Rc::clone(&watcher))));
    (result, watcher.take())
}

#[test]
fn a_witness_sees_all_and_changes_nothing() {
    let mut faults = 0;
    for seed in 0..8 {
        let (report, watcher) = watch(Wrong::Nothing, seed);
        assert_eq!(report, run_seed(Wrong::Nothing, seed), "seed {seed}");
        let counters = report.unwrap().counters;
        let told = counters.reads + counters.writes + counters.mismatches;
        assert!(watcher.is_healed && watcher.told >= told, "seed {seed}");
        faults += watcher.faults;
    }
    assert!(faults > 8, "{faults} faults");
}

#[test]
fn a_witness_sees_what_is_found() {
    let (result, watcher) = watch(Wrong::Sleeps, 1);
    assert_eq!(watcher.found, result.err());
}
