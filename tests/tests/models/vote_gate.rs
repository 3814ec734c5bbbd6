//! May a vote request leave before the candidate's own term, vote and log are durable (B8)?
//!
//! Three nodes. Node 1 leads term 1 and has sent entry X, which it has on its disk; all have the entry
//! before X. Bounds: one crash, two election timeouts, terms up to 3. A message may take any time, also
//! across the crash and restart of whoever sent it, may get lost, and may come again. A disk is a queue
//! of writes, flushed one by one; of those under way a crash keeps the first few.
//!
//! Broken is a state where X has been acknowledged and a later leader does not have it.
//!
//! With each message arriving at most once, and a crash that keeps nothing, the model is the one that B8
//! was first found with, and has as many states.

use std::{fmt, sync::LazyLock};

use crate::explorer::{Model, Outcome, members, report};

const NODES: usize = 3;
const QUORUM: u32 = 2;
const TERM_MAX: u8 = 3;

/// Which messages are dropped because they are meant for an earlier life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lives {
    Ignored,
    /// Answers name the life that asked.
    InAnswers,
    InAll,
}

/// What the world does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum World {
    /// Each message arrives at most once, and a crash keeps only what was flushed.
    First,
    /// Messages may come again, and a crash keeps any of the writes under way, in order.
    Harsher,
}

#[derive(Clone, Copy, Debug)]
struct VoteGate {
    /// Requests wait for the candidate's disk.
    gated: bool,
    lives: Lives,
    world: World,
}

/// What a disk holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Saved {
    term: u8,
    vote: Option<usize>,
    has_x: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Part {
    Follower,
    Candidate,
    Leader,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Body {
    Vote { has_x: bool, life: u8 },
    Grant,
    Append,
    Appended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Message {
    term: u8,
    from: usize,
    to: usize,
    /// The life of the receiver that is meant.
    to_life: u8,
    body: Body,
}

/// All messages, by number: a set of messages is a set of bits.
static MESSAGES: LazyLock<Vec<Message>> = LazyLock::new(|| {
    let mut bodies = vec![Body::Grant, Body::Append, Body::Appended];
    for (has_x, life) in [(false, 0), (false, 1), (true, 0), (true, 1)] {
        bodies.push(Body::Vote { has_x, life });
    }
    let mut all = Vec::new();
    for (from, to, to_life, term) in (0..NODES).flat_map(|from| {
        (0..NODES).flat_map(move |to| {
            (0..2)
                .flat_map(move |to_life| (1..=TERM_MAX).map(move |term| (from, to, to_life, term)))
        })
    }) {
        let of_body = |body: &Body| Message { term, from, to, to_life, body: *body };
        all.extend(bodies.iter().map(of_body).filter(Message::can_be));
    }
    all.sort_by_key(Message::number);
    assert!(all.iter().enumerate().all(|(place, message)| place == message.number()));
    all
});

impl Message {
    /// True if it can ever be said: X and its acknowledgement in term 1, votes later.
    fn can_be(&self) -> bool {
        let is_between_two = self.from != self.to;
        is_between_two
            && match self.body {
                Body::Append => self.from == 0 && self.to_life == 0 && self.term == 1,
                Body::Appended => self.to == 0 && self.term == 1,
                Body::Vote { .. } | Body::Grant => self.term > 1,
            }
    }

    /// Below 128.
    fn number(&self) -> usize {
        let Self { term, from, to, to_life, body } = *self;
        let (term, to_life) = (usize::from(term), usize::from(to_life));
        let kind = match body {
            Body::Append => return to - 1,
            Body::Appended => return 2 + (from - 1) * 2 + to_life,
            Body::Grant => 0,
            Body::Vote { has_x, life } => 1 + usize::from(has_x) * 2 + usize::from(life),
        };
        let pair = from * 2 + if to > from { to - 1 } else { to };
        6 + ((pair * 2 + term - 2) * 2 + to_life) * 5 + kind
    }

    fn bit(&self) -> u128 {
        assert!(self.can_be(), "only what can be said has a number");
        1 << self.number()
    }
}

/// A write, and what may be said once it is flushed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Write {
    saved: Saved,
    own_vote: bool,
    says: u128,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Node {
    life: u8,
    durable: Saved,
    now: Saved,
    part: Part,
    /// Who has voted for it, each a bit.
    votes: u8,
    writes: Vec<Write>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    nodes: [Node; NODES],
    /// The messages under way.
    net: u128,
    /// Who is known to node 1 to have X, and whether X has been acknowledged to the client.
    has_x: u8,
    acknowledged: bool,
    timeouts_left: u8,
    crashes_left: u8,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Flush(usize),
    Timeout(usize, Saved),
    Crash(usize, usize, Saved),
    Deliver(Message),
}

impl Model for VoteGate {
    type State = State;
    type Step = Step;

    fn initial(&self) -> Vec<State> {
        let node = |part, has_x| {
            let saved = Saved { term: 1, vote: None, has_x };
            Node { life: 0, durable: saved, now: saved, part, votes: 0, writes: Vec::new() }
        };
        let append = |to| Message { term: 1, from: 0, to, to_life: 0, body: Body::Append };
        vec![State {
            nodes: [
                node(Part::Leader, true),
                node(Part::Follower, false),
                node(Part::Follower, false),
            ],
            net: append(1).bit() | append(2).bit(),
            has_x: 1,
            acknowledged: false,
            timeouts_left: 2,
            crashes_left: 1,
        }]
    }

    fn steps(&self, state: &State) -> Vec<(Step, State)> {
        let mut steps = Vec::new();
        for (place, node) in state.nodes.iter().enumerate() {
            if !node.writes.is_empty() {
                steps.push((Step::Flush(place), flush(state, place)));
            }
            if state.timeouts_left > 0 && node.part != Part::Leader && node.now.term < TERM_MAX {
                steps.push((Step::Timeout(place, node.now), self.campaign(state, place)));
            }
            if state.crashes_left > 0 {
                let kept_max = if self.world == World::First { 0 } else { node.writes.len() };
                for kept in 0..=kept_max {
                    let next = crash(state, place, kept);
                    steps.push((Step::Crash(place, kept, next.nodes[place].now), next));
                }
            }
        }
        for number in members(state.net) {
            let message = MESSAGES[number];
            steps.push((Step::Deliver(message), self.deliver(state, message)));
        }
        steps
    }

    fn broken(&self, state: &State) -> Option<String> {
        let leads = |node: &Node| node.part == Part::Leader && node.now.term > 1;
        let place = state.nodes.iter().position(|node| leads(node) && !node.now.has_x)?;
        let term = state.nodes[place].now.term;
        state
            .acknowledged
            .then(|| format!("{} leads term {term} without X, which was acknowledged", Name(place)))
    }
}

fn win_if_quorum(node: &mut Node) {
    if node.part == Part::Candidate && node.votes.count_ones() >= QUORUM {
        node.part = Part::Leader;
    }
}

fn flush(state: &State, place: usize) -> State {
    let mut next = state.clone();
    let node = &mut next.nodes[place];
    let write = node.writes.remove(0);
    node.durable = write.saved;
    if write.own_vote && node.part == Part::Candidate && node.now.term == write.saved.term {
        node.votes |= 1 << place;
    }
    win_if_quorum(node);
    next.net |= write.says;
    next
}

fn crash(state: &State, place: usize, kept: usize) -> State {
    let mut next = state.clone();
    next.crashes_left -= 1;
    let node = &mut next.nodes[place];
    if let Some(last) = kept.checked_sub(1) {
        node.durable = node.writes[last].saved;
    }
    let saved = node.durable;
    *node = Node {
        life: node.life + 1,
        durable: saved,
        now: saved,
        part: Part::Follower,
        votes: 0,
        writes: Vec::new(),
    };
    next
}

impl VoteGate {
    fn campaign(&self, state: &State, place: usize) -> State {
        let mut next = state.clone();
        next.timeouts_left -= 1;
        let node = &mut next.nodes[place];
        let Saved { term, has_x, .. } = node.now;
        node.now = Saved { term: term + 1, vote: Some(place), has_x };
        node.part = Part::Candidate;
        node.votes = 0;
        let body = Body::Vote { has_x, life: node.life };
        let term = node.now.term;
        let asked = (0..NODES)
            .filter(|to| *to != place)
            .map(|to| Message { term, from: place, to, to_life: state.nodes[to].life, body }.bit())
            .fold(0, |set, bit| set | bit);
        let says = if self.gated { asked } else { 0 };
        node.writes.push(Write { saved: node.now, own_vote: true, says });
        if !self.gated {
            next.net |= asked;
        }
        next
    }

    fn deliver(&self, state: &State, message: Message) -> State {
        let mut next = state.clone();
        if self.world == World::First {
            next.net &= !message.bit();
        }
        let Message { term, to, to_life, body, .. } = message;
        let is_checked = match self.lives {
            Lives::Ignored => false,
            Lives::InAnswers => matches!(body, Body::Grant | Body::Appended),
            Lives::InAll => true,
        };
        let node = &mut next.nodes[to];
        if (is_checked && to_life != node.life) || term < node.now.term {
            return next;
        }
        if term > node.now.term {
            node.now = Saved { term, vote: None, ..node.now };
            node.part = Part::Follower;
            node.votes = 0;
        }
        self.take(state, &mut next, message);
        next
    }

    /// A message of the receiver's own term.
    fn take(&self, state: &State, next: &mut State, message: Message) {
        let Message { term, from, to, body, .. } = message;
        let life = state.nodes[from].life;
        let answer = |to_life, body| Message { term, from: to, to: from, to_life, body }.bit();
        let node = &mut next.nodes[to];
        match body {
            Body::Vote { has_x, life: asked_by } => {
                let is_free = node.now.vote.is_none_or(|vote| vote == from);
                if is_free && has_x >= node.now.has_x && node.part == Part::Follower {
                    node.now.vote = Some(from);
                    let asked_by = if self.lives == Lives::Ignored { life } else { asked_by };
                    node.save(answer(asked_by, Body::Grant), next.net);
                } else {
                    node.save(0, next.net);
                }
            }
            Body::Grant => {
                if node.part == Part::Candidate {
                    node.votes |= 1 << from;
                    win_if_quorum(node);
                }
            }
            Body::Append => {
                node.now.has_x = true;
                node.part = Part::Follower;
                node.votes = 0;
                node.save(answer(life, Body::Appended), next.net);
            }
            Body::Appended => {
                if node.part == Part::Leader && term == 1 {
                    next.has_x |= 1 << from;
                    next.acknowledged |= next.has_x.count_ones() >= QUORUM;
                }
            }
        }
    }
}

impl Node {
    /// Writes down what it is now, unless that changes nothing and all that it would say has been said
    /// or will be: messages that come again do not fill the queue.
    fn save(&mut self, says: u128, net: u128) {
        let before = self.writes.last().map_or(self.durable, |write| write.saved);
        let said = self.writes.iter().fold(net, |said, write| said | write.says);
        if self.now != before || says & !said != 0 {
            self.writes.push(Write { saved: self.now, own_vote: false, says });
        }
    }
}

struct Name(usize);

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "node{}", self.0 + 1)
    }
}

const fn with_x(has_x: bool) -> &'static str {
    if has_x { "with X" } else { "without X" }
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Flush(place) => write!(formatter, "{}: its oldest write is durable", Name(place)),
            Self::Timeout(place, Saved { term, has_x, .. }) => {
                let log = with_x(has_x);
                write!(formatter, "{} stands in term {}, {log}", Name(place), term + 1)
            }
            Self::Crash(place, kept, Saved { term, has_x, .. }) => write!(
                formatter,
                "{} crashes, keeps {kept} writes, and is back in term {term}, {}",
                Name(place),
                with_x(has_x)
            ),
            Self::Deliver(Message { term, from, to, body, .. }) => {
                write!(formatter, "{} gets from {}, term {term}: ", Name(to), Name(from))?;
                match body {
                    Body::Vote { has_x, life } => {
                        let log = with_x(has_x);
                        write!(formatter, "vote for me, asked in life {life}, {log}")
                    }
                    Body::Grant => write!(formatter, "you have my vote"),
                    Body::Append => write!(formatter, "append X"),
                    Body::Appended => write!(formatter, "X is on my disk"),
                }
            }
        }
    }
}

fn run(name: &str, gated: bool, lives: Lives, world: World) -> Outcome {
    report(name, &VoteGate { gated, lives, world }, 8_000_000)
}

#[test]
fn a_request_that_does_not_wait_for_the_disk_loses_what_was_acknowledged() {
    for world in [World::First, World::Harsher] {
        let outcome = run("neither gate nor lives", false, Lives::Ignored, world);
        let Outcome::Broken { trace, .. } = outcome else { panic!("B8 is not found") };
        assert!(trace.len() <= 15, "{} steps", trace.len());
    }
}

#[test]
fn as_it_was_first_found_each_remedy_alone_is_enough() {
    let gated = run("gate, first model", true, Lives::Ignored, World::First);
    let lives = run("lives, first model", false, Lives::InAll, World::First);
    let both = run("both, first model", true, Lives::InAll, World::First);
    assert!(gated.is_safe() && lives.is_safe() && both.is_safe());
}

#[test]
fn the_gate_alone_is_enough() {
    assert!(run("gate", true, Lives::Ignored, World::Harsher).is_safe());
}

#[test]
fn the_life_in_the_answer_alone_is_enough() {
    assert!(run("lives", false, Lives::InAnswers, World::Harsher).is_safe());
}

#[test]
fn both_together_as_the_code_does_are_safe() {
    assert!(run("gate and lives", true, Lives::InAnswers, World::Harsher).is_safe());
}
