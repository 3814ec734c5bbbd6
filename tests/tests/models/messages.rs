//! The logs and messages of the model in [`ambiguous_tail`](crate::ambiguous_tail): few enough to have
//! numbers, so that a log is a byte and a set of messages a word.

use std::{fmt, sync::LazyLock};

const NODES: usize = 3;
pub const TERM_MAX: u8 = 3;

/// The logs that can be, by number: the term of each entry.
const LOGS: [&[u8]; 10] =
    [&[], &[1], &[2], &[3], &[1, 1], &[1, 2], &[1, 3], &[2, 2], &[2, 3], &[3, 3]];

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Log(pub u8);

/// An entry's name, in the order by which logs are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryId {
    pub term: u8,
    pub index: u8,
}

impl Log {
    pub fn terms(self) -> &'static [u8] {
        LOGS[usize::from(self.0)]
    }

    pub fn len(self) -> u8 {
        self.terms().len() as u8
    }

    pub fn last(self) -> EntryId {
        EntryId { term: self.terms().last().copied().unwrap_or(0), index: self.len() }
    }

    /// Nothing if there is no room.
    pub fn push(self, term: u8) -> Option<Self> {
        let longer = [self.terms(), &[term]].concat();
        LOGS.iter().position(|log| *log == longer).map(|number| Self(number as u8))
    }

    /// What a follower with this log has after an append of the whole of `leader`.
    pub fn take(self, leader: Self) -> Self {
        if self.terms().starts_with(leader.terms()) { self } else { leader }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Body {
    Vote { candidate: u8, log: Log },
    Grant { voter: u8, candidate: u8 },
    Append { log: Log },
    Appended { node: u8, upto: u8 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Message {
    pub term: u8,
    pub body: Body,
}

/// All messages, by number: a set of messages is a set of bits.
pub static MESSAGES: LazyLock<Vec<Message>> = LazyLock::new(|| {
    let nodes = || 0..NODES as u8;
    let logs = || (0..LOGS.len() as u8).map(Log);
    let mut all = Vec::new();
    for term in 1..=TERM_MAX {
        let mut add = |body| all.push(Message { term, body });
        logs().for_each(|log| add(Body::Append { log }));
        for node in nodes() {
            (1..=2).for_each(|upto| add(Body::Appended { node, upto }));
            if term > 1 {
                logs().for_each(|log| add(Body::Vote { candidate: node, log }));
                nodes().for_each(|candidate| add(Body::Grant { voter: node, candidate }));
            }
        }
    }
    assert!(all.len() <= 128, "a set of messages fits in a word");
    assert!(all.iter().enumerate().all(|(place, message)| place == number(*message)));
    all
});

/// The place of a message among [`MESSAGES`].
const fn number(Message { term, body }: Message) -> usize {
    let (first, of_a_node) = if term == 1 { (0, 2) } else { (16 + (term as usize - 2) * 55, 15) };
    let (node, kind) = match body {
        Body::Append { log } => return first + log.0 as usize,
        Body::Appended { node, upto } => (node, upto - 1),
        Body::Vote { candidate, log } => (candidate, 2 + log.0),
        Body::Grant { voter, candidate } => (voter, 2 + LOGS.len() as u8 + candidate),
    };
    first + LOGS.len() + node as usize * of_a_node + kind as usize
}

pub const fn bit(term: u8, body: Body) -> u128 {
    1 << number(Message { term, body })
}

impl fmt::Display for Log {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "log {:?}", self.terms())
    }
}
