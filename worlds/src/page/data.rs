//! What a page carries, as JSON: columns of numbers, times in microseconds.
//!
//! ```text
//! parts        of each node: [at, state, term, leader or 0] ...
//! faults       [begin, end or -1, kind, [node ...], text, number] ...
//! operations   [client, begin, end or -1, outcome, text, told, [[at, node or 0] ...]] ...
//! events       times: the time since the event before · lanes · texts: lines, the first one stands
//! messages     eight numbers each: time of leaving since the one before, time on its way or -1,
//!              from, to, kind, fate, event in which it was said or -1, event of its arrival or -1
//! texts        what a message without an arrival says, by its place
//! ```
//! Nodes are places in `nodes`; lanes are nodes, then clients; -1 is the world.

use kernel::{NodeId, Role};
use serde_json::{Map, Value, json};
use sim::{Fate, Told};

use super::recorder::{Message, Operation, Part, Recorder, State};
use crate::trace::Lane;

/// The states of a lane, in the order of their numbers.
const STATES: [&str; 6] = ["down", "starting", "follower", "pre-candidate", "candidate", "leader"];

/// The JSON of a recorded run. `found` is what was found.
pub(super) fn of(recorder: &Recorder, found: Option<&str>) -> Value {
    let found = found.map(|text| {
        let at_ns = recorder.found.as_ref().map_or(recorder.end_ns, |(at_ns, _)| *at_ns);
        json!({ "at": us(at_ns), "text": text })
    });
    let events = recorder.shown();
    let times = events.iter().map(|event| us(event.at_ns));
    let lanes = events.iter().map(|event| lane(recorder, event.lane));
    json!({
        "seed": recorder.seed,
        "since": us(recorder.since_ns()),
        "until": us(recorder.until_ns.map_or(recorder.end_ns, |at_ns| at_ns.min(recorder.end_ns))),
        "end": us(recorder.end_ns),
        "healed": recorder.healed_ns.map(us),
        "found": found,
        "nodes": recorder.nodes.iter().map(|node| node.0).collect::<Vec<_>>(),
        "clients": recorder.clients,
        "states": STATES,
        "parts": recorder.nodes.iter().map(|node| parts(recorder, *node)).collect::<Vec<_>>(),
        "faults": faults(recorder),
        "operations": recorder.operations.iter().map(operation).collect::<Vec<_>>(),
        "events": {
            "times": steps(times),
            "lanes": lanes.collect::<Vec<_>>(),
            "texts": events.iter().map(|event| event.text.as_ref()).collect::<Vec<_>>(),
        },
        "messages": messages(recorder),
    })
}

const fn us(ns: u64) -> u64 {
    ns / 1_000
}

/// Each number less the one before.
fn steps(numbers: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut before = 0;
    numbers.map(|number| number - std::mem::replace(&mut before, number)).collect()
}

fn place(recorder: &Recorder, node: NodeId) -> i64 {
    let place = recorder.nodes.iter().position(|known| *known == node);
    place.map_or(-1, signed)
}

fn lane(recorder: &Recorder, lane: Lane) -> i64 {
    match lane {
        Lane::Node(node) => place(recorder, node),
        Lane::Client(client) => signed(recorder.nodes.len() + client),
        Lane::World => -1,
    }
}

fn signed(number: usize) -> i64 {
    i64::try_from(number).expect("what is counted in memory is far below 2^63")
}

fn parts(recorder: &Recorder, node: NodeId) -> Vec<[u64; 4]> {
    let number = |part: &Part| {
        let state = match part.state {
            State::Down => 0,
            State::Starting => 1,
            State::Runs(Role::Follower) => 2,
            State::Runs(Role::PreCandidate) => 3,
            State::Runs(Role::Candidate) => 4,
            State::Runs(Role::Leader) => 5,
        };
        [us(part.at_ns), state, part.term.0, part.leader.map_or(0, |leader| leader.0)]
    };
    recorder.parts.get(&node).map_or_else(Vec::new, |parts| parts.iter().map(number).collect())
}

fn faults(recorder: &Recorder) -> Vec<Value> {
    let faults = recorder.faults.iter();
    let value = faults.map(|fault| {
        let nodes: Vec<i64> = fault.nodes.iter().map(|node| place(recorder, *node)).collect();
        let begin = us(fault.begin_ns);
        json!([begin, moment(fault.end_ns), fault.kind, nodes, fault.text, fault.number])
    });
    value.collect()
}

fn moment(at_ns: Option<u64>) -> Value {
    at_ns.map_or_else(|| json!(-1), |at_ns| json!(us(at_ns)))
}

fn operation(operation: &Operation) -> Value {
    let (end, outcome, told) = match &operation.end {
        None => (None, 3, ""),
        Some((at_ns, Told::Done, told)) => (Some(*at_ns), 0, told.as_str()),
        Some((at_ns, Told::Refused, _)) => (Some(*at_ns), 1, ""),
        Some((at_ns, Told::Unknown, _)) => (Some(*at_ns), 2, ""),
    };
    let asked = operation.asked.iter();
    let asked = asked.map(|(at_ns, node)| [us(*at_ns), node.map_or(0, |node| node.0)]);
    let asked: Vec<_> = asked.collect();
    let begin = us(operation.begin_ns);
    json!([operation.client, begin, moment(end), outcome, operation.text, told, asked])
}

fn messages(recorder: &Recorder) -> Value {
    let mut messages: Vec<&Message> = recorder.messages.iter().chain(&recorder.copies).collect();
    messages.sort_by_key(|message| message.number);
    let mut kinds: Vec<&str> = messages.iter().map(|message| message.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let mut numbers: Vec<i64> = Vec::with_capacity(messages.len() * 8);
    let mut texts = Map::new();
    let mut before_us = 0;
    for (index, message) in messages.iter().enumerate() {
        let left_us = us(message.left_ns);
        let kind = kinds.binary_search(&message.kind).expect("the list is of their kinds");
        let event = |event: usize| event.checked_sub(recorder.events_gone).map_or(-1, signed);
        let way = |at_ns: u64| time(us(at_ns) - left_us);
        numbers.extend([
            time(left_us - before_us),
            message.arrival.map_or(-1, |arrival| way(arrival.at_ns)),
            place(recorder, message.from),
            place(recorder, message.to),
            signed(kind),
            fate(message),
            message.said_in.map_or(-1, event),
            message.arrival.map_or(-1, |arrival| event(arrival.event)),
        ]);
        before_us = left_us;
        if message.arrival.is_none() && !message.text.is_empty() {
            texts.insert(index.to_string(), message.text.as_str().into());
        }
    }
    json!({ "kinds": kinds, "numbers": numbers, "texts": texts })
}

fn time(us: u64) -> i64 {
    i64::try_from(us).expect("a run does not last 292,000 years")
}

/// 0 arrives · 1 lost · 2 cut · 3 arrives where nobody is · 4 is still on its way at the end.
const fn fate(message: &Message) -> i64 {
    match (message.fate, message.arrival) {
        (Fate::Lost, _) => 1,
        (Fate::Cut, _) => 2,
        (Fate::OnItsWay, None) => 4,
        (Fate::OnItsWay, Some(arrival)) => {
            if arrival.is_received {
                0
            } else {
                3
            }
        }
    }
}
