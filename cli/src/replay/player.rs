//! Gives a node what it was given before, one input at a time.

use std::{
    mem,
    panic::{self, AssertUnwindSafe},
    sync::{Arc, Mutex, PoisonError},
    vec::IntoIter,
};

use host::LastInputs;
use kernel::{Effect, Fault, Input, Instant, Node, Peer, PersistNumber};
use raft::{Message, Raft, Request};
use worlds::PRINTER;

/// A node and what it has yet to be given.
pub(super) struct Player {
    pub(super) me: Peer,
    /// What the file says that the node broke.
    pub(super) recorded: String,
    /// The number of the first input.
    pub(super) first: u64,
    /// The number of the last input given.
    pub(super) number: u64,
    node: Raft,
    rest: IntoIter<(Instant, Input<Message, Request>)>,
    /// The last write that is durable.
    finished: PersistNumber,
    broken: Option<Broken>,
}

/// One input and what came of it.
pub(super) struct Step {
    pub(super) number: u64,
    pub(super) now: Instant,
    pub(super) input: String,
    pub(super) effects: Vec<String>,
}

/// What broke.
#[derive(Clone, Debug)]
pub(super) struct Broken {
    /// The rule.
    pub(super) message: String,
    /// Where in the source it is asserted, if it is an assertion.
    pub(super) place: Option<String>,
    /// The input was handled; what it left behind does not pass the node's own checks.
    pub(super) is_found_by_check: bool,
}

impl Player {
    pub(super) fn new(kept: LastInputs<Raft>) -> Self {
        let LastInputs { me, broken, before, node, inputs } = kept;
        Self {
            me,
            recorded: broken,
            first: before + 1,
            number: before,
            node,
            rest: inputs.into_iter(),
            finished: PersistNumber::NONE,
            broken: None,
        }
    }

    /// What broke, if something has.
    pub(super) const fn broken(&self) -> Option<&Broken> {
        self.broken.as_ref()
    }

    /// True if that is what the file tells of.
    pub(super) fn is_as_recorded(&self) -> bool {
        self.broken.as_ref().is_some_and(|broken| self.recorded.ends_with(&broken.message))
    }

    /// Gives the next input; nothing if there is none, or if something is broken.
    pub(super) fn step(&mut self) -> Option<Step> {
        if self.broken.is_some() {
            return None;
        }
        let (now, input) = self.rest.next()?;
        self.number += 1;
        if let Input::Durable { through } = input {
            self.finished = through;
        }
        let said = PRINTER.input(self.me.node, &input);
        let mut effects = Vec::new();
        let node = &mut self.node;
        self.broken = guarded(|| node.handle(now, input, &mut effects))
            .or_else(|| effects.iter().find_map(stopped))
            .or_else(|| {
                guarded(|| node.check()).map(|broken| Broken { is_found_by_check: true, ..broken })
            });
        let say = |effect| PRINTER.effect(effect, self.finished);
        let effects = effects.iter().map(say).collect();
        Some(Step { number: self.number, now, input: said, effects })
    }
}

/// A node that says itself that it cannot go on; a disk that fails breaks nothing.
fn stopped(effect: &Effect<Message>) -> Option<Broken> {
    match effect {
        Effect::Fault(Fault::Storage(_)) => None,
        Effect::Fault(fault) => {
            Some(Broken { message: fault.to_string(), place: None, is_found_by_check: false })
        }
        _ => None,
    }
}

/// What broke while `body` ran. Nothing is printed meanwhile.
fn guarded(body: impl FnOnce()) -> Option<Broken> {
    let found = Arc::new(Mutex::new(None));
    let noted = Arc::clone(&found);
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let broken = Broken {
            message: info.payload_as_str().unwrap_or("a panic without words").to_owned(),
            place: info.location().map(|place| format!("{}:{}", place.file(), place.line())),
            is_found_by_check: false,
        };
        *noted.lock().unwrap_or_else(PoisonError::into_inner) = Some(broken);
    }));
    let ended = panic::catch_unwind(AssertUnwindSafe(body));
    panic::set_hook(before);
    let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
    ended.err().and_then(|_| mem::take(&mut *found))
}
