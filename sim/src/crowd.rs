//! Clients: what they ask, of whom, and what they are told. All of it is recorded.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use check::{HistoryError, Process};
use kernel::{Bytes, ClientId, NodeId, Rng, Session};

use crate::{
    chances::wait_ns,
    composition::Composition,
    event::Event,
    finding::Finding,
    happening::{Happening, Told},
    life::Waiting,
    settings::Settings,
    workload::{Counted, Ended, Who, Workload},
    world::World,
};

/// How often an operation is repeated under its session before its outcome is called unknown.
const ATTEMPTS_MAX: u32 = 6;

/// No client thinks for longer, in nanoseconds: at the end everybody is needed.
const THINK_NS_MAX: u64 = 2_000_000_000;

/// How an attempt ended.
#[derive(Debug)]
pub(crate) enum End {
    Answered(Bytes),
    Refused,
    Unknown,
}

/// All clients, and what they saw.
#[derive(Debug)]
pub(crate) struct Crowd<W: Workload> {
    clients: Vec<Client<W>>,
    pub(crate) workload: W,
    processes: u64,
    /// At the end: what must still be carried out. When nothing is left, nobody asks.
    pub(crate) agenda: Option<Vec<Errand<W>>>,
}

/// Something that must be carried out by one node.
pub(crate) type Errand<W> = (NodeId, <W as Workload>::Errand);

#[derive(Debug)]
struct Client<W: Workload> {
    process: u64,
    has_session: bool,
    /// Whom it asks as long as that one lives.
    home: Option<NodeId>,
    serial: u64,
    doing: Option<Doing<W>>,
    /// It is about to ask.
    is_planned: bool,
}

/// An operation under way.
#[derive(Debug)]
struct Doing<W: Workload> {
    call: W::Call,
    session: Option<Session>,
    attempts: u32,
    /// An earlier attempt may have taken effect.
    may_be_done: bool,
    /// What it carries out, and whom it must be asked of.
    errand: Option<Errand<W>>,
}

impl<W: Workload> Crowd<W> {
    pub(crate) fn new(workload: W, settings: &Settings, rng: &mut Rng) -> Self {
        let nodes = settings.nodes;
        let settings = &settings.clients;
        let home = |rng: &mut Rng| {
            rng.chance(settings.homed_percent, 100).then(|| NodeId(rng.between(1, nodes)))
        };
        let clients = (0..settings.count)
            .map(|process| Client {
                process,
                has_session: rng.chance(settings.sessions_percent, 100),
                home: home(rng),
                serial: 0,
                doing: None,
                is_planned: false,
            })
            .collect();
        Self { clients, workload, processes: settings.count, agenda: None }
    }

    pub(crate) const fn len(&self) -> usize {
        self.clients.len()
    }

    /// True if nothing is under way, and nothing is left to do.
    pub(crate) fn is_finished(&self) -> bool {
        self.agenda.as_ref().is_some_and(Vec::is_empty)
            && self.clients.iter().all(|client| client.doing.is_none())
    }

    /// True if the client does nothing.
    pub(crate) fn is_free(&self, client: usize) -> bool {
        self.clients[client].doing.is_none()
    }

    /// What is under way, for people.
    pub(crate) fn doing(&self) -> impl Iterator<Item = String> {
        self.clients.iter().filter_map(|client| {
            let doing = client.doing.as_ref()?;
            let at = doing.errand.as_ref().map(|(node, _)| *node);
            let (process, call) = (client.process, self.workload.say(&doing.call));
            Some(format!("client {process} wants {call}, asking {at:?}"))
        })
    }

    /// What a client is at, for people.
    fn say_operation(&self, client: usize) -> String {
        let Some(doing) = &self.clients[client].doing else {
            return "nothing".into();
        };
        let session = doing.session.map_or_else(Default::default, |session| {
            format!(" (client {} serial {})", session.client, session.serial)
        });
        format!("{}{session}", self.workload.say(&doing.call))
    }

    fn who(&self, client: usize, now_ns: u64) -> Who {
        Who { client, process: Process(self.clients[client].process), now_ns }
    }

    fn begin(&mut self, client: usize, call: W::Call, errand: Option<Errand<W>>) {
        let doer = &mut self.clients[client];
        doer.serial += 1;
        let session = doer.has_session && W::fits_session(&call);
        let session = session
            .then_some(Session { client: ClientId(1 + client as u128), serial: doer.serial });
        let doing = Doing { call, session, attempts: 0, may_be_done: false, errand };
        doer.doing = Some(doing);
    }
}

fn nonsense(error: HistoryError) -> Finding {
    Finding::Simulator(format!("the recorded history makes no sense: {error}"))
}

impl<C: Composition> World<C> {
    /// A client asks what it is about to, or something new.
    pub(crate) fn ask(&mut self, client: usize) -> Result<(), Finding> {
        self.crowd.clients[client].is_planned = false;
        self.ask_aside()?;
        if self.crowd.clients[client].doing.is_none() && !self.choose(client)? {
            return Ok(());
        }
        let doing = self.crowd.clients[client].doing.as_mut().expect("just chosen");
        doing.attempts += 1;
        let asked = self.composition.ask(&doing.call, doing.session);
        let at = doing.errand.as_ref().map(|(node, _)| *node);
        // At the end only members are asked: others cannot be expected to know anything.
        let alive = if self.crowd.agenda.is_some() { self.members() } else { self.alive() };
        let home = self.crowd.clients[client].home;
        let node = at
            .or(home)
            .filter(|node| alive.contains(node))
            .or_else(|| self.chances.clients.pick(&alive).copied());
        let committed = self.oracle.committed_len();
        let waiting = Waiting::Client { client, query: asked.query, committed };
        self.tell(|_| Happening::Asked { client, node });
        match node {
            Some(node) => self.request(node, asked.request, waiting),
            None => self.client_told(client, End::Refused),
        }
    }

    /// Somebody asks something beside what is recorded, if the system has such.
    fn ask_aside(&mut self) -> Result<(), Finding> {
        if self.crowd.agenda.is_some() {
            return Ok(());
        }
        let Some(request) = self.composition.aside(&mut self.chances.clients) else {
            return Ok(());
        };
        match self.chances.clients.pick(&self.alive()).copied() {
            Some(node) => self.request(node, request, Waiting::Aside),
            None => Ok(()),
        }
    }

    /// Chooses what to do next; false if there is nothing.
    fn choose(&mut self, client: usize) -> Result<bool, Finding> {
        let rng = &mut self.chances.clients;
        let crowd = &mut self.crowd;
        match &mut crowd.agenda {
            None => {
                let call = crowd.workload.draw(client, &self.settings.clients, rng);
                crowd.begin(client, call, None);
            }
            Some(agenda) => {
                let Some(errand) = agenda.pop() else {
                    return Ok(false);
                };
                let call = crowd.workload.carry_out(client, &errand.1, rng);
                crowd.begin(client, call, Some(errand));
            }
        }
        let who = crowd.who(client, self.now_ns);
        let doing = crowd.clients[client].doing.as_ref().expect("just begun");
        crowd.workload.begin(who, &doing.call).map_err(nonsense)?;
        let text = self.watch.is_some().then(|| self.crowd.say_operation(client));
        self.tell(|_| Happening::Invoked { client, text: text.unwrap_or_default() });
        Ok(true)
    }

    /// The node that was asked has died: nobody can say what became of it.
    pub(crate) fn client_lost(&mut self, client: usize) {
        // A client is told in its own time, and by then it has something under way.
        self.client_told(client, End::Unknown).expect("an unknown outcome fits every call");
    }

    /// An attempt of a client has ended.
    pub(crate) fn client_told(&mut self, client: usize, end: End) -> Result<(), Finding> {
        let doing = self.crowd.clients[client].doing.as_mut().expect("who is told has asked");
        let is_read = C::Workload::is_read(&doing.call);
        doing.may_be_done |= matches!(end, End::Unknown) && !is_read;
        let is_refused = matches!(end, End::Refused);
        if let End::Answered(answer) = end {
            return self.client_answered(client, answer);
        }
        // In the second phase everything on the agenda is to be carried out.
        let persists = self.crowd.agenda.is_some();
        let repeats = if doing.may_be_done { doing.session.is_some() } else { persists };
        if repeats && (persists || doing.attempts < ATTEMPTS_MAX) {
            self.counters.repeats += u64::from(doing.session.is_some());
            self.tell(|_| Happening::WillAskAgain { client });
            self.plan_ask(client);
            return Ok(());
        }
        let is_done = !doing.may_be_done;
        self.counters.refused += u64::from(is_refused);
        self.counters.unknown += u64::from(!is_done);
        self.tell(|_| {
            let (outcome, text) =
                if is_done { (Told::Refused, "refused") } else { (Told::Unknown, "unknown") };
            Happening::Told { client, outcome, text: text.into() }
        });
        let who = self.crowd.who(client, self.now_ns);
        let doing = self.crowd.clients[client].doing.take().expect("still there");
        let ended = if is_done { Ended::Refused } else { Ended::Unknown };
        self.crowd.workload.end(who, &doing.call, ended).map_err(nonsense)?;
        if !is_done {
            self.crowd.clients[client].process = self.crowd.processes;
            self.crowd.processes += 1;
        }
        if let (Some(agenda), Some(errand)) = (&mut self.crowd.agenda, doing.errand) {
            // Without a session it cannot be repeated; another such operation takes its place.
            agenda.push(errand);
        }
        self.plan_ask(client);
        Ok(())
    }

    fn client_answered(&mut self, client: usize, answer: Bytes) -> Result<(), Finding> {
        self.hash.mix_bytes(&answer);
        let who = self.crowd.who(client, self.now_ns);
        let doing = self.crowd.clients[client].doing.take().expect("who is told has asked");
        let answer = self.composition.answer(&doing.call, answer).map_err(|what| {
            Finding::Safety(format!("the answer to {:?} makes no sense: {what}", doing.call))
        })?;
        match C::Workload::counted(&doing.call, &answer) {
            Counted::Read => self.counters.reads += 1,
            Counted::Written => self.counters.writes += 1,
            Counted::Mismatch => self.counters.mismatches += 1,
        }
        self.tell(|_| Happening::Told { client, outcome: Told::Done, text: answer.to_string() });
        let workload = &mut self.crowd.workload;
        if let (Some(agenda), Some((node, errand))) = (&mut self.crowd.agenda, &doing.errand) {
            let more = workload.follow_up(errand, &answer);
            agenda.extend(more.into_iter().map(|errand| (*node, errand)));
        }
        workload.end(who, &doing.call, Ended::Answered(answer)).map_err(nonsense)?;
        self.plan_ask(client);
        Ok(())
    }

    /// The client asks after a while, unless it is about to or waits for an answer.
    pub(crate) fn plan_ask(&mut self, client: usize) {
        if core::mem::replace(&mut self.crowd.clients[client].is_planned, true) {
            return;
        }
        let is_ending = self.crowd.agenda.is_some();
        let mean_ns = if is_ending { 1_000_000 } else { self.settings.clients.think_ns };
        let wait = wait_ns(&mut self.chances.clients, 1_000_000, mean_ns).min(THINK_NS_MAX);
        self.queue.plan(self.now_ns + wait, Event::Ask { client });
    }
}
