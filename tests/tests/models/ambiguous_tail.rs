//! What may a replica still do whose last batch is damaged and may have been acknowledged?
//!
//! Three nodes, and a disk each that holds a log of batches. A batch carries entries, terms and votes
//! together; its flush makes them durable and only then are votes, vote requests and acknowledgements
//! said. Its head tells term, vote and last entry as they are after it. Only the last batch can be in
//! question: whatever stands before it, a later head proves to have been durable.
//!
//! ```text
//! disk      ... | before | after |   unflushed: now
//! crash     the unflushed batch is kept, torn (cut), or garbled;
//!           or the last flushed one is garbled: acknowledged data is damaged
//! ```
//! Bounds: terms up to 2 or 3, logs of one or two entries, the first leader of term 1 in office at the
//! start, one power cut of the whole site, and up to one crash of a single node besides, at any moment.
//! One disk at most is faulty, that of the first leader or that of a follower, and garbles once or
//! twice. Messages take any time, get lost, come again and outlive whoever sent them: what was ever
//! said may arrive at any moment. An append carries the leader's log as it was at some moment.
//!
//! Three things make the model small and none makes it weaker:
//! 1. What a node does is flushed at once, but for what a leader appends, which travels before. Whatever
//!    else a node had done and not flushed when it crashed, it could as well not have done: nobody had
//!    heard of it. Only the rule that fears torn batches needs them, and has them.
//! 2. On the faulty disk, what is flushed is a batch of its own or more of the last one. So the last
//!    batch may be long, though what it says was said early: more may happen here than can.
//! 3. Elections and acknowledgements count as soon as a quorum has said its part: nobody need be there
//!    to hear it. Messages that can make no difference any more are forgotten.
//!
//! Broken is a state with two leaders in a term, with a leader that lacks an entry that a quorum has
//! acknowledged in an earlier term, or in which no majority may ever vote again.

use std::fmt;

use crate::{
    explorer::{Model, Outcome, members, report},
    messages::{Body, EntryId, Log, MESSAGES, Message, TERM_MAX, bit},
};

const NODES: usize = 3;
const QUORUM: u32 = 2;
const STATES_MAX: usize = 20_000_000;

/// What recovery makes of a last batch that is not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// It is cut, and the replica goes on.
    CutAnyBadTail,
    /// Torn or garbled, who knows: the replica never votes again until it is repaired by hand.
    CannotTellTorn,
    /// No votes until the log is as long as it may have been. Term and vote of the batch are lost.
    AsFirstWritten,
    /// Term and vote come from the head, but the end of the doubt is an index without a term.
    ByIndexAlone,
    /// As the code does, but the batch that opens the next life is alone in knowing of the doubt.
    ForgetfulStart,
    /// As the code does.
    Ours,
}

/// When a replica in doubt may vote again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Doubt {
    #[default]
    None,
    UntilIndex(u8),
    Until(EntryId),
    ForEver,
}

/// What a log amounts to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Image {
    term: u8,
    vote: Option<u8>,
    log: Log,
    doubt: Doubt,
}

impl Image {
    const fn may_vote(&self) -> bool {
        matches!(self.doubt, Doubt::None)
    }

    fn enter(&mut self, term: u8) {
        if term > self.term {
            self.term = term;
            self.vote = None;
        }
    }

    /// A doubt ends when the log has come as far as it may have been.
    fn eased(mut self) -> Self {
        let has_ended = match self.doubt {
            Doubt::None | Doubt::ForEver => false,
            Doubt::UntilIndex(index) => self.log.len() >= index,
            Doubt::Until(id) => self.log.last() >= id,
        };
        if has_ended {
            self.doubt = Doubt::None;
        }
        self
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Part {
    Follower,
    Candidate,
    Leader,
    /// Damaged beyond use: gone until it is replaced.
    Out,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Node {
    part: Part,
    now: Image,
    /// What the disk holds.
    after: Image,
    /// And held before the last batch; kept only for the faulty disk.
    before: Image,
    /// The last batch opened a life in doubt.
    opens_doubt: bool,
    /// What is said once all is flushed.
    says: u128,
}

/// The leader of a term, and its log when it was elected.
type Elected = Option<(u8, Log)>;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    nodes: [Node; NODES],
    /// All that was ever said.
    said: u128,
    elected: [Elected; TERM_MAX as usize],
    two_leaders: bool,
    faulty: Option<u8>,
    site_cuts_left: u8,
    crashes_left: u8,
    garbles_left: u8,
}

/// What a crash leaves of a node's last batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    /// All that was written, flushed or not.
    Kept,
    /// What was flushed.
    Torn,
    /// Garbage where the unflushed batch was, or the flushed one; its head is intact or not.
    Unflushed {
        head: bool,
    },
    Flushed {
        head: bool,
    },
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Flush(usize),
    Propose(usize),
    Campaign(usize),
    Win(usize),
    Deliver(usize, Message),
    Crash(usize, Left),
    SiteCut([Left; NODES]),
}

#[derive(Clone, Copy, Debug)]
struct AmbiguousTail {
    rule: Rule,
    terms: u8,
    entries: u8,
    garbles: u8,
    crashes: u8,
}

impl Model for AmbiguousTail {
    type State = State;
    type Step = Step;

    fn initial(&self) -> Vec<State> {
        let image = Image { term: 1, vote: Some(0), ..Image::default() };
        let node = |part| Node {
            part,
            now: image,
            after: image,
            before: Image::default(),
            opens_doubt: false,
            says: 0,
        };
        let healthy = State {
            nodes: [node(Part::Leader), node(Part::Follower), node(Part::Follower)],
            said: 0,
            elected: [Some((0, Log::default())), None, None],
            two_leaders: false,
            faulty: None,
            site_cuts_left: 1,
            crashes_left: self.crashes,
            garbles_left: self.garbles,
        };
        let with_faulty = |node: u8| {
            let mut state = State { faulty: Some(node), ..healthy.clone() };
            state.nodes[usize::from(node)].before = image;
            state
        };
        // The two followers are alike.
        if self.garbles == 0 { vec![healthy] } else { vec![with_faulty(0), with_faulty(1)] }
    }

    fn steps(&self, state: &State) -> Vec<(Step, State)> {
        let mut steps = Vec::new();
        let mut may = |step, next: Option<State>| {
            for next in next.into_iter().flat_map(|next| self.saved(next)) {
                steps.extend((next != *state).then_some((step, next)));
            }
        };
        for place in 0..NODES {
            if state.nodes[place].part == Part::Out {
                continue;
            }
            may(Step::Flush(place), flush(state, place, false));
            may(Step::Flush(place), flush(state, place, true).filter(|_| joins(state, place)));
            may(Step::Propose(place), self.propose(state, place));
            may(Step::Campaign(place), self.campaign(state, place));
            may(Step::Win(place), self.win(state, place));
            for number in members(state.said) {
                let message = MESSAGES[number];
                may(Step::Deliver(place, message), deliver(state, place, message));
            }
            for left in self.may_be_left(state, place) {
                may(Step::Crash(place, left), self.crash(state, place, left));
            }
        }
        for all in self.may_be_left_of_all(state) {
            may(Step::SiteCut(all), self.site_cut(state, all));
        }
        steps
    }

    fn broken(&self, state: &State) -> Option<String> {
        if state.two_leaders {
            return Some("a term has two leaders".into());
        }
        let may_vote =
            |node: &&Node| node.part != Part::Out && node.now.may_vote() && node.after.may_vote();
        if (state.nodes.iter().filter(may_vote).count() as u32) < QUORUM {
            return Some("no majority may ever vote again".into());
        }
        lost(state)
    }
}

/// An entry that a quorum acknowledged and a later leader does not have.
fn lost(state: &State) -> Option<String> {
    for term in 1..TERM_MAX {
        for index in 1..=2 {
            let Some((_, log)) = state.elected[usize::from(term) - 1] else { continue };
            // Only an entry of the leader's own term is acknowledged to the client; others with it.
            if index <= log.len() || !is_acknowledged(state.said, term, index) {
                continue;
            }
            for later in term + 1..=TERM_MAX {
                let Some((_, elected)) = state.elected[usize::from(later) - 1] else { continue };
                if elected.terms().get(usize::from(index) - 1) != Some(&term) {
                    return Some(format!(
                        "the leader of term {later} lacks entry {index} of term {term}, which was acknowledged"
                    ));
                }
            }
        }
    }
    None
}

/// Flushes all that a node has not flushed, as a batch of its own or as more of the last one.
fn flush(state: &State, place: usize, joins: bool) -> Option<State> {
    let mut next = state.clone();
    let node = &mut next.nodes[place];
    if !node.is_unflushed() {
        return None;
    }
    node.now = node.now.eased();
    if state.faulty == Some(place as u8) && !joins {
        node.before = node.after;
    }
    node.after = node.now;
    node.opens_doubt = false;
    next.said |= core::mem::take(&mut node.says);
    Some(next)
}

impl Node {
    fn is_unflushed(&self) -> bool {
        self.now != self.after || self.says != 0
    }

    /// What a leader appends travels before it is flushed.
    fn is_ahead_of_disk(&self) -> bool {
        self.part == Part::Leader && self.now.log != self.after.log
    }
}

impl State {
    /// Says something once all is flushed, unless it has been said.
    fn say(&mut self, place: usize, term: u8, body: Body) {
        self.nodes[place].says |= bit(term, body) & !self.said;
    }

    fn append_as_leader(&mut self, place: usize, entries_max: u8) {
        let node = &mut self.nodes[place];
        let term = node.now.term;
        let Some(log) = node.now.log.push(term).filter(|log| log.len() <= entries_max) else {
            return;
        };
        node.now.log = log;
        // A leader's entries travel while its own disk writes.
        self.said |= bit(term, Body::Append { log });
        self.say(place, term, Body::Appended { node: place as u8, upto: log.len() });
    }
}

fn deliver(state: &State, place: usize, message: Message) -> Option<State> {
    let Message { term, body } = message;
    let me = place as u8;
    let mut next = state.clone();
    let node = &mut next.nodes[place];
    if term < node.now.term || matches!(body, Body::Grant { .. } | Body::Appended { .. }) {
        return None;
    }
    if term > node.now.term {
        node.now.enter(term);
        node.part = Part::Follower;
    }
    match body {
        Body::Vote { candidate, log } => {
            let is_free = node.now.vote.is_none_or(|vote| vote == candidate);
            let is_up_to_date = log.last() >= node.now.log.last();
            if is_free && is_up_to_date && node.now.may_vote() && candidate != me {
                node.now.vote = Some(candidate);
                next.say(place, term, Body::Grant { voter: me, candidate });
            }
        }
        Body::Append { log } if node.part != Part::Leader => {
            node.part = Part::Follower;
            node.now.log = node.now.log.take(log);
            next.say(place, term, Body::Appended { node: me, upto: log.len() });
        }
        _ => {}
    }
    Some(next)
}

/// True if what is flushed next may have been part of the last batch, for all that can be seen.
fn joins(state: &State, place: usize) -> bool {
    state.faulty == Some(place as u8) && !state.nodes[place].opens_doubt
}

/// Drops the messages that make no difference any more: those of a term that all nodes have left for
/// good, and votes for a candidate that is none.
fn forget(mut state: State) -> State {
    let has_left = |term: u8, node: &Node, is_faulty: bool| {
        let back_to =
            if is_faulty { node.before.term.min(node.after.term) } else { node.after.term };
        term < back_to || node.part == Part::Out
    };
    let is_faulty = |place: usize| state.faulty == Some(place as u8);
    let is_over = |Message { term, body }: Message| match body {
        Body::Vote { .. } | Body::Append { .. } => {
            (0..NODES).all(|place| has_left(term, &state.nodes[place], is_faulty(place)))
        }
        Body::Grant { candidate, .. } => {
            let Node { part, now, .. } = state.nodes[usize::from(candidate)];
            let stands = part == Part::Candidate && now.term == term;
            !stands && !is_faulty(usize::from(candidate))
        }
        // Once a quorum has said so, it does not matter who; else it matters while others still may.
        Body::Appended { upto, .. } => {
            !is_acknowledged(state.said, term, upto)
                && (0..NODES).all(|place| has_left(term, &state.nodes[place], is_faulty(place)))
        }
    };
    let over = members(state.said).filter(|number| is_over(MESSAGES[*number]));
    let over = over.fold(0, |set, number| set | 1 << number);
    state.said &= !over;
    for (term, index) in (1..=TERM_MAX).flat_map(|term| [(term, 1), (term, 2)]) {
        if is_acknowledged(state.said, term, index) {
            let all = (0..NODES as u8).flat_map(|node| (1..=index).map(move |upto| (node, upto)));
            for (node, upto) in all {
                state.said |= bit(term, Body::Appended { node, upto });
            }
        }
    }
    state
}

/// True if a quorum has the entry at `index` on its disks, in the leader's term.
fn is_acknowledged(said: u128, term: u8, index: u8) -> bool {
    let has = |node: &u8| {
        (index..=2).any(|upto| said & bit(term, Body::Appended { node: *node, upto }) != 0)
    };
    (0..NODES as u8).filter(has).count() as u32 >= QUORUM
}

impl AmbiguousTail {
    fn propose(&self, state: &State, place: usize) -> Option<State> {
        let mut next = state.clone();
        if state.nodes[place].part != Part::Leader {
            return None;
        }
        next.append_as_leader(place, self.entries);
        Some(next)
    }

    fn campaign(&self, state: &State, place: usize) -> Option<State> {
        let mut next = state.clone();
        let node = &mut next.nodes[place];
        if node.part == Part::Leader || node.now.term == self.terms || !node.now.may_vote() {
            return None;
        }
        node.part = Part::Candidate;
        node.now.enter(node.now.term + 1);
        let me = place as u8;
        node.now.vote = Some(me);
        let Image { term, log, .. } = node.now;
        next.say(place, term, Body::Vote { candidate: me, log });
        next.say(place, term, Body::Grant { voter: me, candidate: me });
        Some(next)
    }

    fn win(&self, state: &State, place: usize) -> Option<State> {
        let Node { part, now, .. } = state.nodes[place];
        let me = place as u8;
        let has_voted = |voter: &u8| {
            state.said & bit(now.term, Body::Grant { voter: *voter, candidate: me }) != 0
        };
        if part != Part::Candidate || ((0..NODES as u8).filter(has_voted).count() as u32) < QUORUM {
            return None;
        }
        let mut next = state.clone();
        next.nodes[place].part = Part::Leader;
        let elected = &mut next.elected[usize::from(now.term) - 1];
        next.two_leaders |= elected.is_some_and(|(leader, _)| leader != me);
        *elected = Some((me, now.log));
        if now.log.len() > 0 {
            next.said |= bit(now.term, Body::Append { log: now.log });
        }
        next.append_as_leader(place, self.entries);
        Some(next)
    }

    /// What follows once all but what a leader appends is flushed; see above why that is enough.
    fn saved(&self, mut state: State) -> Vec<State> {
        if self.rule == Rule::CannotTellTorn {
            return vec![state];
        }
        let mut both = None;
        for place in 0..NODES {
            if !state.nodes[place].is_unflushed() || state.nodes[place].is_ahead_of_disk() {
                continue;
            }
            if joins(&state, place) {
                both = flush(&state, place, true);
            }
            state = flush(&state, place, false).expect("it has something to flush");
        }
        both.into_iter().chain([state]).map(forget).collect()
    }

    /// What a crash may leave of a node.
    fn may_be_left(&self, state: &State, place: usize) -> Vec<Left> {
        if state.crashes_left == 0 { Vec::new() } else { Self::lefts(state, place) }
    }

    fn lefts(state: &State, place: usize) -> Vec<Left> {
        let node = &state.nodes[place];
        let is_unflushed = node.is_unflushed();
        let mut lefts = vec![Left::Torn];
        if is_unflushed {
            lefts.push(Left::Kept);
        }
        if state.faulty == Some(place as u8) && state.garbles_left > 0 && node.part != Part::Out {
            for head in [true, false] {
                lefts.push(Left::Flushed { head });
                if is_unflushed {
                    lefts.push(Left::Unflushed { head });
                }
            }
        }
        lefts
    }

    fn may_be_left_of_all(&self, state: &State) -> Vec<[Left; NODES]> {
        if state.site_cuts_left == 0 {
            return Vec::new();
        }
        let [first, second, third] = [0, 1, 2].map(|place| Self::lefts(state, place));
        let mut all = Vec::new();
        for a in &first {
            for b in &second {
                all.extend(third.iter().map(|c| [*a, *b, *c]));
            }
        }
        all
    }

    fn crash(&self, state: &State, place: usize, left: Left) -> Option<State> {
        let mut next = state.clone();
        next.crashes_left -= 1;
        self.restart(&mut next, place, left);
        Some(next)
    }

    fn site_cut(&self, state: &State, all: [Left; NODES]) -> Option<State> {
        let mut next = state.clone();
        next.site_cuts_left -= 1;
        for (place, left) in all.into_iter().enumerate() {
            if next.nodes[place].part != Part::Out {
                self.restart(&mut next, place, left);
            }
        }
        Some(next)
    }

    fn restart(&self, state: &mut State, place: usize, left: Left) {
        let Node { now, after, before, opens_doubt, says, .. } = state.nodes[place];
        let is_unflushed = now != after || says != 0;
        let (whole, found) = match left {
            Left::Kept => (now, Some(now.eased())),
            Left::Torn if self.rule == Rule::CannotTellTorn && is_unflushed => {
                (after, Some(Image { doubt: Doubt::ForEver, ..after }))
            }
            Left::Torn => (after, Some(after)),
            Left::Unflushed { head } => (after, self.judge(after, now, head, false)),
            Left::Flushed { head } => (before, self.judge(before, after, head, opens_doubt)),
        };
        let is_garbled = matches!(left, Left::Unflushed { .. } | Left::Flushed { .. });
        state.garbles_left -= u8::from(is_garbled);
        let is_faulty = state.faulty == Some(place as u8);
        let node = &mut state.nodes[place];
        let part = if found.is_some() { Part::Follower } else { Part::Out };
        let found = found.unwrap_or_default();
        let opens_doubt = is_faulty && found.doubt != whole.doubt;
        // The new life begins with a batch that says where the log stands.
        let before = if opens_doubt {
            whole
        } else if is_faulty {
            found
        } else {
            Image::default()
        };
        *node = Node { part, now: found, after: found, before, opens_doubt, says: 0 };
    }

    /// What is left when the batch from `whole` to `lost` is garbled; nothing if the disk cannot be used.
    fn judge(&self, whole: Image, lost: Image, head: bool, opens_doubt: bool) -> Option<Image> {
        let uncertain = |doubt| Image { term: lost.term, vote: lost.vote, log: whole.log, doubt };
        let until = Doubt::Until(lost.log.last());
        let found = match self.rule {
            Rule::CutAnyBadTail => whole,
            Rule::CannotTellTorn => Image { doubt: Doubt::ForEver, ..whole },
            Rule::AsFirstWritten if head => {
                Image { doubt: Doubt::UntilIndex(lost.log.len()), ..whole }
            }
            Rule::ByIndexAlone if head => uncertain(Doubt::UntilIndex(lost.log.len())),
            Rule::ForgetfulStart if head => uncertain(whole.doubt.max(until)),
            Rule::Ours if head && !opens_doubt => uncertain(whole.doubt.max(until)),
            _ => return None,
        };
        Some(found.eased())
    }
}

impl fmt::Display for Left {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = |head: bool| if head { "but for its head" } else { "with its head" };
        match *self {
            Self::Kept => write!(formatter, "all kept"),
            Self::Torn => write!(formatter, "what was flushed"),
            Self::Unflushed { head: is } => {
                write!(formatter, "unflushed batch garbled {}", head(is))
            }
            Self::Flushed { head: is } => write!(formatter, "flushed batch garbled {}", head(is)),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |place: usize| format!("node{}", place + 1);
        match *self {
            Self::Flush(place) => write!(formatter, "{} flushes", name(place)),
            Self::Propose(place) => write!(formatter, "{} appends an entry as leader", name(place)),
            Self::Campaign(place) => write!(formatter, "{} stands in the next term", name(place)),
            Self::Win(place) => write!(formatter, "{} leads", name(place)),
            Self::Crash(place, left) => write!(formatter, "{} crashes: {left}", name(place)),
            Self::SiteCut([a, b, c]) => {
                write!(formatter, "power cut: node1 {a}; node2 {b}; node3 {c}")
            }
            Self::Deliver(place, Message { term, body }) => match body {
                Body::Vote { candidate, log } => write!(
                    formatter,
                    "{} is asked by {} for its vote in term {term}, {log}",
                    name(place),
                    name(usize::from(candidate))
                ),
                Body::Append { log } => {
                    write!(formatter, "{} gets from the leader of term {term}: {log}", name(place))
                }
                other => write!(formatter, "{} hears {other:?} in term {term}", name(place)),
            },
        }
    }
}

/// Within the bounds: terms, entries, times that the faulty disk garbles, crashes of a single node.
fn run(name: &str, rule: Rule, [terms, entries, garbles, crashes]: [u8; 4]) -> Outcome {
    report(name, &AmbiguousTail { rule, terms, entries, garbles, crashes }, STATES_MAX)
}

/// What is wrong.
fn broken(outcome: Outcome) -> String {
    match outcome {
        Outcome::Broken { what, .. } => what,
        Outcome::Safe { .. } => panic!("this rule is wrong"),
    }
}

#[test]
fn to_cut_any_bad_tail_breaks_promises() {
    let what = broken(run("cut any bad tail", Rule::CutAnyBadTail, [2, 1, 1, 0]));
    assert!(what.contains("acknowledged") || what.contains("two leaders"), "{what}");
}

#[test]
fn not_to_tell_torn_from_garbled_costs_the_majority_on_healthy_disks() {
    let what = broken(run("cannot tell torn", Rule::CannotTellTorn, [2, 1, 0, 0]));
    assert!(what.contains("no majority"), "{what}");
}

#[test]
fn the_rule_as_first_written_forgets_a_vote() {
    let what = broken(run("as first written", Rule::AsFirstWritten, [2, 1, 1, 0]));
    assert!(what.contains("acknowledged") || what.contains("two leaders"), "{what}");
}

#[test]
fn an_index_without_a_term_does_not_end_a_doubt() {
    let what = broken(run("by index alone", Rule::ByIndexAlone, [3, 1, 1, 0]));
    assert!(what.contains("acknowledged"), "{what}");
}

#[test]
fn a_doubt_that_only_the_next_batch_knows_is_forgotten() {
    let what = broken(run("forgetful start", Rule::ForgetfulStart, [2, 1, 2, 1]));
    assert!(what.contains("acknowledged"), "{what}");
}

#[test]
fn our_rule_is_safe_on_healthy_disks() {
    for bounds in [[2, 2, 0, 1], [3, 1, 0, 1]] {
        assert!(run(&format!("ours, healthy disks, {bounds:?}"), Rule::Ours, bounds).is_safe());
    }
}

#[test]
fn our_rule_is_safe_with_a_faulty_disk() {
    for bounds in [[2, 1, 2, 1], [2, 2, 1, 0], [3, 1, 1, 0]] {
        assert!(run(&format!("ours, a faulty disk, {bounds:?}"), Rule::Ours, bounds).is_safe());
    }
}

/// Minutes, and some GiB of memory: `cargo test -p archipel-tests --test models -- --ignored`.
#[test]
#[ignore = "takes minutes"]
fn our_rule_is_safe_within_wider_bounds() {
    for bounds in [[2, 2, 2, 1], [3, 1, 2, 1]] {
        assert!(run(&format!("ours, a faulty disk, {bounds:?}"), Rule::Ours, bounds).is_safe());
    }
}
