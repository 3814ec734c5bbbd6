//! Keeps of a run what its page shows.

use std::{
    borrow::Cow,
    collections::{BTreeMap, VecDeque},
};

use kernel::{NodeId, Role, Term};
use sim::{Fate, Happening, Told, Witness};

use crate::trace::{Lane, Line, Lines};

/// How many bytes of trace a page carries; of a longer run it carries the end.
const TRACE_BYTES_MAX: usize = 3_000_000;

/// What an event or a message takes on the page besides its text, in bytes, roughly.
const ITEM_BYTES: usize = 40;

/// Sees a run and makes a page of it.
///
/// Parts, faults and operations are kept for the whole run; messages and the lines of the trace for
/// its end, as far as a page of about four megabytes can hold them.
#[derive(Debug, Default)]
pub struct Recorder {
    /// Messages and lines after this moment are not kept.
    pub(super) until_ns: Option<u64>,
    lines: Lines,
    pub(super) seed: u64,
    pub(super) nodes: Vec<NodeId>,
    pub(super) clients: usize,
    pub(super) parts: BTreeMap<NodeId, Vec<Part>>,
    pub(super) faults: Vec<Fault>,
    pub(super) operations: Vec<Operation>,
    /// The operation under way of each client.
    open: BTreeMap<usize, usize>,
    pub(super) events: VecDeque<Event>,
    /// How many events are no longer kept.
    pub(super) events_gone: usize,
    pub(super) messages: VecDeque<Message>,
    /// Second arrivals.
    pub(super) copies: VecDeque<Message>,
    bytes: usize,
    pub(super) healed_ns: Option<u64>,
    /// What was found, and when.
    pub(super) found: Option<(u64, String)>,
    /// The last moment at which something happened.
    pub(super) end_ns: u64,
}

/// What a node is, from a moment on.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) at_ns: u64,
    pub(super) state: State,
    pub(super) term: Term,
    pub(super) leader: Option<NodeId>,
}

/// What a lane's colour shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Down,
    Starting,
    Runs(Role),
}

#[derive(Debug)]
pub(super) struct Fault {
    pub(super) number: u64,
    pub(super) begin_ns: u64,
    pub(super) end_ns: Option<u64>,
    pub(super) kind: &'static str,
    pub(super) nodes: Vec<NodeId>,
    pub(super) text: String,
}

#[derive(Debug)]
pub(super) struct Operation {
    pub(super) client: usize,
    pub(super) begin_ns: u64,
    pub(super) text: String,
    /// When it asked whom.
    pub(super) asked: Vec<(u64, Option<NodeId>)>,
    /// When and how it ended.
    pub(super) end: Option<(u64, Told, String)>,
}

/// A line of the trace with those under it.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) at_ns: u64,
    pub(super) lane: Lane,
    pub(super) text: String,
}

/// An event as the page shows it.
#[derive(Clone, Debug)]
pub(super) struct Shown<'a> {
    pub(super) at_ns: u64,
    pub(super) lane: Lane,
    pub(super) text: Cow<'a, str>,
}

impl<'a> Shown<'a> {
    fn of(event: &'a Event) -> Self {
        Self { at_ns: event.at_ns, lane: event.lane, text: Cow::Borrowed(&event.text) }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) number: u64,
    pub(super) left_ns: u64,
    pub(super) from: NodeId,
    pub(super) to: NodeId,
    pub(super) kind: &'static str,
    pub(super) fate: Fate,
    pub(super) text: String,
    /// The event in which it was said; nothing if the disk let it go later.
    pub(super) said_in: Option<usize>,
    pub(super) arrival: Option<Arrival>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub(super) at_ns: u64,
    /// The event that it is.
    pub(super) event: usize,
    pub(super) is_received: bool,
}

impl Recorder {
    /// One that has seen nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One that keeps messages and lines of the trace only until the moment `at_ns`, in nanoseconds.
    #[must_use]
    pub fn until(at_ns: u64) -> Self {
        Self { until_ns: Some(at_ns), ..Self::default() }
    }

    /// The moment, in nanoseconds, until which another run of the same seed has to be recorded because
    /// what led to the finding is not kept; nothing if it is. Some findings are judged only at the end
    /// of a run, long after what they are about.
    #[must_use]
    pub fn missed(&self) -> Option<u64> {
        const AROUND_NS: u64 = 500_000_000;
        let (was_ns, _) = self.found.as_ref()?;
        let is_missed = self.events_gone > 0 && was_ns.saturating_sub(AROUND_NS) < self.since_ns();
        (is_missed && self.until_ns.is_none()).then_some(was_ns + AROUND_NS)
    }

    /// The page: `title` says what ran, `finding` what was found (what the run itself found if nothing
    /// is given; a panic is known only to whoever caught it), `command` how to run it again.
    #[must_use]
    pub fn page(&self, title: &str, finding: Option<&str>, command: &str) -> String {
        let found = finding.or_else(|| self.found.as_ref().map(|(_, what)| what.as_str()));
        super::document::draw(self, title, found, command)
    }

    /// From when on messages and lines are kept, in nanoseconds.
    pub(super) fn since_ns(&self) -> u64 {
        if self.events_gone == 0 { 0 } else { self.events.front().map_or(0, |event| event.at_ns) }
    }

    /// The events that are kept, with what a panic cut short.
    pub(super) fn shown(&self) -> Vec<Shown<'_>> {
        let mut shown: Vec<Shown<'_>> = self.events.iter().map(Shown::of).collect();
        for Line { at_ns, is_under, lane, text } in self.lines.rest() {
            match shown.last_mut() {
                Some(last) if is_under => last.text = Cow::Owned(format!("{}\n{text}", last.text)),
                _ => shown.push(Shown { at_ns, lane, text: Cow::Owned(text) }),
            }
        }
        shown
    }

    fn keep_line(&mut self, line: Line) {
        self.bytes += line.text.len() + 1;
        match self.events.back_mut() {
            Some(event) if line.is_under => {
                event.text.push('\n');
                event.text.push_str(&line.text);
            }
            _ => {
                self.bytes += ITEM_BYTES;
                let Line { at_ns, lane, text, .. } = line;
                self.events.push_back(Event { at_ns, lane, text });
            }
        }
    }

    /// Lets go of the oldest events while there are too many.
    fn trim(&mut self) {
        while self.bytes > TRACE_BYTES_MAX {
            let Some(event) = self.events.pop_front() else {
                return;
            };
            self.events_gone += 1;
            self.bytes -= event.text.len() + 1 + ITEM_BYTES;
            let since_ns = self.since_ns();
            while self.messages.front().is_some_and(|message| message.left_ns < since_ns) {
                let gone = self.messages.pop_front();
                self.bytes -= ITEM_BYTES + gone.map_or(0, |message| message.text.len());
            }
            while self.copies.front().is_some_and(|message| message.left_ns < since_ns) {
                self.copies.pop_front();
                self.bytes -= ITEM_BYTES;
            }
        }
    }

    fn last_event(&self) -> Option<usize> {
        (self.events_gone + self.events.len()).checked_sub(1)
    }

    fn life(&mut self, at_ns: u64, node: NodeId, state: State) {
        let parts = self.parts.entry(node).or_default();
        let (term, leader) = match (state, parts.last()) {
            (State::Runs(_), Some(last)) => (last.term, None),
            _ => (Term(0), None),
        };
        parts.push(Part { at_ns, state, term, leader });
    }

    fn part(&mut self, at_ns: u64, happening: &Happening) {
        let Happening::Part { node, role, term, leader } = happening else {
            return;
        };
        let part = Part { at_ns, state: State::Runs(*role), term: *term, leader: *leader };
        let parts = self.parts.entry(node.node).or_default();
        let is_same = |last: &&mut Part| {
            (last.state, last.term, last.leader) == (part.state, part.term, part.leader)
        };
        match parts.last_mut() {
            Some(last) if is_same(&last) => {}
            // What a node says in its first moment is what it starts as.
            Some(last) if last.at_ns == at_ns && last.state == part.state => *last = part,
            _ => parts.push(part),
        }
    }

    fn left(&mut self, at_ns: u64, happening: &Happening) {
        let Happening::Left { message, from, to, kind, text, fate, .. } = happening else {
            return;
        };
        // Its line has just been told, unless the disk let it go.
        let said = format!("→ {to} {text}");
        let is_said = |event: &&Event| event.at_ns == at_ns && event.text.contains(&said);
        let said_in = self.events.back().filter(is_said).and_then(|_| self.last_event());
        // A message that arrives is told by its arrival.
        let text = if *fate == Fate::OnItsWay { String::new() } else { text.clone() };
        self.bytes += ITEM_BYTES + text.len();
        self.messages.push_back(Message {
            number: *message,
            left_ns: at_ns,
            from: from.node,
            to: *to,
            kind,
            fate: *fate,
            text,
            said_in,
            arrival: None,
        });
    }

    fn arrived(&mut self, at_ns: u64, message: u64, is_received: bool) {
        let Some(event) = self.last_event() else {
            return;
        };
        let place = self.messages.binary_search_by_key(&message, |known| known.number);
        let Some(known) = place.ok().and_then(|place| self.messages.get_mut(place)) else {
            return;
        };
        let arrival = Some(Arrival { at_ns, event, is_received });
        if known.arrival.is_none() {
            known.arrival = arrival;
            return;
        }
        let copy = Message { arrival, ..known.clone() };
        self.copies.push_back(copy);
        self.bytes += ITEM_BYTES;
    }

    fn fault(&mut self, at_ns: u64, happening: &Happening) {
        match happening {
            Happening::FaultBegins { fault, kind, nodes, text } => self.faults.push(Fault {
                number: *fault,
                begin_ns: at_ns,
                end_ns: None,
                kind,
                nodes: nodes.clone(),
                text: text.clone(),
            }),
            Happening::FaultEnds { fault } => {
                let known = self.faults.iter_mut().rev().find(|known| known.number == *fault);
                if let Some(known) = known {
                    known.end_ns = Some(at_ns);
                }
            }
            _ => {}
        }
    }

    fn client(&mut self, at_ns: u64, happening: &Happening) {
        match happening {
            Happening::Invoked { client, text } => {
                self.open.insert(*client, self.operations.len());
                self.operations.push(Operation {
                    client: *client,
                    begin_ns: at_ns,
                    text: crate::trace::without_padding(text),
                    asked: Vec::new(),
                    end: None,
                });
            }
            Happening::Asked { client, node } => {
                if let Some(place) = self.open.get(client) {
                    self.operations[*place].asked.push((at_ns, *node));
                }
            }
            Happening::Told { client, outcome, text } => {
                if let Some(place) = self.open.remove(client) {
                    let text = crate::trace::without_padding(text);
                    self.operations[place].end = Some((at_ns, *outcome, text));
                }
            }
            _ => {}
        }
    }
}

impl Witness for Recorder {
    fn see(&mut self, at_ns: u64, happening: &Happening) {
        self.end_ns = at_ns;
        let is_kept = self.until_ns.is_none_or(|until_ns| at_ns <= until_ns);
        if is_kept {
            for line in self.lines.see(at_ns, happening) {
                self.keep_line(line);
            }
            self.trim();
        }
        match happening {
            Happening::Begins { seed, founders, spares, clients } => {
                self.seed = *seed;
                self.nodes = founders.iter().chain(spares).copied().collect();
                self.clients = *clients;
            }
            Happening::Left { .. } if is_kept => self.left(at_ns, happening),
            Happening::Arrived { message, is_received, .. } if is_kept => {
                self.arrived(at_ns, *message, *is_received);
            }
            Happening::Part { .. } => self.part(at_ns, happening),
            Happening::Recovered { node, .. } => self.life(at_ns, node.node, State::Starting),
            Happening::Started { node } => {
                self.life(at_ns, node.node, State::Runs(Role::Follower));
            }
            Happening::Crashed { node } | Happening::Gone { node, .. } => {
                self.life(at_ns, *node, State::Down);
            }
            Happening::FaultBegins { .. } | Happening::FaultEnds { .. } => {
                self.fault(at_ns, happening);
            }
            Happening::Invoked { .. } | Happening::Asked { .. } | Happening::Told { .. } => {
                self.client(at_ns, happening);
            }
            Happening::Healed => self.healed_ns = Some(at_ns),
            Happening::Found { finding, was_ns } => {
                self.found = Some((*was_ns, finding.to_string()));
            }
            Happening::Left { .. }
            | Happening::Arrived { .. }
            | Happening::Took { .. }
            | Happening::Said { .. }
            | Happening::Applied { .. }
            | Happening::WillAskAgain { .. } => {}
        }
    }
}
