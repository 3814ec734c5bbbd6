//! Histories that a correct store made, and the same with one wrong answer.

use archipel_check::{Answer, Call, End, EventKind, History};

use super::{Chance, perform, push};

/// What a history looks like.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) clients: usize,
    pub(crate) keys: usize,
    pub(crate) operations: usize,
    /// One in so many operations has an unknown outcome.
    pub(crate) unknown_one_in: usize,
    /// How many values there are; 0 writes every value once.
    pub(crate) values: usize,
}

/// What a simulated client is doing.
enum Doing {
    Nothing,
    Asked(Call),
    Done(Answer),
}

struct Client {
    process: u64,
    key: usize,
    doing: Doing,
}

struct Store {
    chance: Chance,
    shape: Shape,
    state: Vec<Option<Vec<u8>>>,
    /// Changes of unknown outcome that have not taken effect yet.
    late: Vec<(usize, Call)>,
    written: usize,
}

impl Store {
    fn value(&mut self) -> Vec<u8> {
        self.written += 1;
        let number = match self.shape.values {
            0 => self.written,
            values => self.chance.below(values),
        };
        number.to_string().into_bytes()
    }

    /// Two reads, two writes, one compare-and-set and one delete in six.
    fn call(&mut self, key: usize) -> Call {
        match self.chance.below(6) {
            0 | 1 => Call::Read,
            2 | 3 => Call::Write(self.value()),
            4 => Call::CompareAndSet { expected: self.state[key].clone(), new: self.value() },
            _ => Call::Delete,
        }
    }

    /// Something of unknown outcome takes effect, perhaps long after everybody forgot it.
    fn catch_up(&mut self) {
        if !self.late.is_empty() && self.chance.one_in(20) {
            let (key, call) = self.late.swap_remove(self.chance.below(self.late.len()));
            perform(&mut self.state[key], &call);
        }
    }

    /// What happens to the client, if anything that it notices.
    fn move_on(&mut self, client: &mut Client) -> Option<EventKind> {
        match core::mem::replace(&mut client.doing, Doing::Nothing) {
            Doing::Nothing => {
                client.key = self.chance.below(self.shape.keys);
                let call = self.call(client.key);
                client.doing = Doing::Asked(call.clone());
                Some(EventKind::Invoke { key: client.key.to_string().into_bytes(), call })
            }
            Doing::Asked(call) if self.chance.one_in(self.shape.unknown_one_in) => {
                // One in three never takes effect.
                if !self.chance.one_in(3) {
                    self.late.push((client.key, call));
                }
                Some(EventKind::Info)
            }
            Doing::Asked(_) if self.chance.one_in(50) => Some(EventKind::Fail),
            Doing::Asked(call) => {
                client.doing = Doing::Done(perform(&mut self.state[client.key], &call));
                None
            }
            Doing::Done(answer) => Some(EventKind::Ok(answer)),
        }
    }
}

/// A history that a correct store made: each operation takes effect between its two events, or, if
/// its outcome is unknown, perhaps much later.
pub(crate) fn valid(seed: u64, shape: &Shape) -> History {
    let mut store = Store {
        chance: Chance(seed),
        shape: *shape,
        state: vec![None; shape.keys],
        late: Vec::new(),
        written: 0,
    };
    let client = |process| Client { process, key: 0, doing: Doing::Nothing };
    let mut clients: Vec<Client> = (0..shape.clients as u64).map(client).collect();
    let mut processes = shape.clients as u64;
    let mut history = History::default();
    while history.operations().len() < shape.operations {
        store.catch_up();
        let client = &mut clients[store.chance.below(shape.clients)];
        if let Some(kind) = store.move_on(client) {
            let is_over = kind == EventKind::Info;
            push(&mut history, client.process, kind);
            if is_over {
                client.process = processes;
                processes += 1;
            }
        }
    }
    history
}

/// The same history with one answer changed.
pub(crate) fn mutated(history: &History, chance: &mut Chance) -> History {
    let answered: Vec<usize> = history
        .operations()
        .iter()
        .filter_map(|operation| match &operation.end {
            End::Ok(at, Answer::Found(_) | Answer::Mismatch | Answer::Deleted(_)) => Some(*at),
            _ => None,
        })
        .collect();
    let target = answered[chance.below(answered.len())];
    let stale = some_value(history, chance);
    let wrong = |answer: &Answer| match answer {
        Answer::Found(found) if *found != stale => Answer::Found(stale.clone()),
        Answer::Found(_) => Answer::Found(Some(b"never written".to_vec())),
        Answer::Mismatch => Answer::Written,
        Answer::Deleted(was_there) => Answer::Deleted(!was_there),
        Answer::Written => Answer::Mismatch,
    };
    let mut mutant = History::default();
    for (at, event) in history.events().iter().enumerate() {
        let mut event = event.clone();
        if let (true, EventKind::Ok(answer)) = (at == target, &event.kind) {
            event.kind = EventKind::Ok(wrong(answer));
        }
        mutant.push(event).expect("a mutant is as well formed as its original");
    }
    mutant
}

/// What some read of the history found: a mutant's wrong answer is mostly one that was right once.
fn some_value(history: &History, chance: &mut Chance) -> Option<Vec<u8>> {
    let start = chance.below(history.operations().len());
    history.operations()[start..].iter().find_map(|operation| match &operation.end {
        End::Ok(_, Answer::Found(value)) => Some(value.clone()),
        _ => None,
    })?
}
