//! [`Registers`]: clients of a store of keys and values, whose history must be linearizable.

use alloc::{
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};

use check::{Answer, Call, End, Event, EventKind, History, HistoryError, Limits, Verdict, judge};
use kernel::{NodeId, Rng, Stamp};

use crate::{
    settings::{ClientSettings, Settings},
    workload::{Counted, Ended, Judgement, Stage, Who, Workload},
};

/// What is asked of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterCall {
    /// The key, from 0.
    pub key: usize,
    /// What is asked of it.
    pub call: Call,
}

impl RegisterCall {
    /// The name of its key.
    #[must_use]
    pub fn key_name(&self) -> Vec<u8> {
        format!("key{}", self.key).into_bytes()
    }
}

/// A key to be written or read once more.
#[derive(Clone, Copy, Debug)]
pub struct RegisterErrand {
    key: usize,
    is_write: bool,
}

/// Clients of keys and values.
#[derive(Debug)]
pub struct Registers {
    history: History,
    values: u64,
    /// The value of each key that some client saw last.
    seen: Vec<Option<Vec<u8>>>,
}

impl Registers {
    /// Clients that have asked nothing yet.
    ///
    /// # Panics
    /// If there are more keys than memory could hold.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let keys = usize::try_from(settings.clients.keys).expect("few keys");
        Self { history: History::default(), values: 0, seen: vec![None; keys] }
    }

    fn new_value(&mut self, bytes_max: u64, rng: &mut Rng) -> Vec<u8> {
        self.values += 1;
        let mut value = self.values.to_string().into_bytes();
        let length = usize::try_from(rng.between(0, bytes_max)).expect("a small value");
        // Unique by its number; the rest is there to have some weight.
        value.push(b'.');
        value.resize(value.len().max(length), b'x');
        value
    }

    fn tell(&mut self, who: Who, kind: EventKind) -> Result<(), HistoryError> {
        self.history.push(Event { time_ns: who.now_ns, process: who.process, kind })
    }
}

impl Workload for Registers {
    type Call = RegisterCall;
    type Answer = Answer;
    type Errand = RegisterErrand;
    type History = History;

    fn draw(&mut self, _: usize, settings: &ClientSettings, rng: &mut Rng) -> RegisterCall {
        let key = usize::try_from(rng.below(self.seen.len() as u64)).expect("few keys");
        if rng.chance(settings.reads_percent, 100) {
            return RegisterCall { key, call: Call::Read };
        }
        let call = match rng.below(10) {
            0..=5 => Call::Write(self.new_value(settings.value_bytes_max, rng)),
            6..=8 => Call::CompareAndSet {
                expected: self.seen[key].clone(),
                new: self.new_value(settings.value_bytes_max, rng),
            },
            _ => Call::Delete,
        };
        RegisterCall { key, call }
    }

    /// Each member has to write and read every key once more. Nothing is left to be done then.
    fn agenda(&self, members: &[NodeId], stage: Stage) -> Vec<(NodeId, RegisterErrand)> {
        let mut agenda = Vec::new();
        if stage == Stage::Drain {
            return agenda;
        }
        for is_write in [false, true] {
            for node in members {
                for key in 0..self.seen.len() {
                    agenda.push((*node, RegisterErrand { key, is_write }));
                }
            }
        }
        agenda
    }

    fn carry_out(&mut self, _: usize, errand: &RegisterErrand, rng: &mut Rng) -> RegisterCall {
        let call = if errand.is_write { Call::Write(self.new_value(0, rng)) } else { Call::Read };
        RegisterCall { key: errand.key, call }
    }

    fn is_read(call: &RegisterCall) -> bool {
        call.call == Call::Read
    }

    fn counted(_: &RegisterCall, answer: &Answer) -> Counted {
        match answer {
            Answer::Found(_) => Counted::Read,
            Answer::Mismatch => Counted::Mismatch,
            Answer::Written | Answer::Deleted(_) => Counted::Written,
        }
    }

    fn begin(&mut self, who: Who, call: &RegisterCall) -> Result<(), HistoryError> {
        self.tell(who, EventKind::Invoke { key: call.key_name(), call: call.call.clone() })
    }

    fn end(
        &mut self,
        who: Who,
        call: &RegisterCall,
        ended: Ended<Answer>,
    ) -> Result<(), HistoryError> {
        if let Ended::Answered(Answer::Found(value)) = &ended {
            self.seen[call.key].clone_from(value);
        }
        let kind = match ended {
            Ended::Answered(answer) => EventKind::Ok(answer),
            Ended::Refused => EventKind::Fail,
            Ended::Unknown => EventKind::Info,
        };
        self.tell(who, kind)
    }

    fn history(&self) -> &History {
        &self.history
    }

    fn events(&self) -> u64 {
        self.history.events().len() as u64
    }

    fn judge(&self, _: &[Stamp], _: bool) -> Judgement {
        match judge(&self.history, Limits::default()) {
            Verdict::Broken(witness) => {
                let key = String::from_utf8_lossy(&witness.key);
                let at_ns = match witness.stuck.end {
                    End::Ok(place, _) => self.history.events().get(place).map(|told| told.time_ns),
                    _ => None,
                };
                let what = format!("what clients saw of {key} is not linearizable:\n{witness}");
                Judgement::Broken { what, at_ns }
            }
            Verdict::Unknown => Judgement::Undecided,
            _ => Judgement::Sound,
        }
    }

    fn say(&self, call: &RegisterCall) -> String {
        format!("key{} {}", call.key, call.call)
    }
}
