//! Calls and returns of the known operations in order of time, from which done ones can be lifted out
//! and put back in the reverse order.

use alloc::{vec, vec::Vec};

use super::Span;

/// A place in the list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark(usize);

/// A doubly linked list in arrays. Place 0 is before the first call. Known operations are ranked by
/// their calls.
pub(super) struct List {
    next: Vec<usize>,
    previous: Vec<usize>,
    entries: Vec<Entry>,
    ranks: Vec<Rank>,
}

#[derive(Clone, Copy)]
enum Entry {
    Head,
    Call(usize),
    Return(usize),
}

/// What is known of one operation.
struct Rank {
    operation: usize,
    return_place: usize,
    returned: usize,
    /// How many known operations were invoked before this one returned.
    invoked_before_return: usize,
}

impl List {
    pub(super) fn new(spans: &[Span]) -> Self {
        let mut known: Vec<(usize, usize, usize)> = spans
            .iter()
            .enumerate()
            .filter_map(|(operation, span)| Some((span.invoked, span.returned?, operation)))
            .collect();
        known.sort_unstable();
        let mut moments: Vec<(usize, Entry)> = Vec::with_capacity(known.len() * 2);
        for (rank, (invoked, returned, _)) in known.iter().enumerate() {
            assert!(invoked < returned, "an operation returns after it was invoked");
            moments.push((*invoked, Entry::Call(rank)));
            moments.push((*returned, Entry::Return(rank)));
        }
        moments.sort_by_key(|(position, _)| *position);
        let mut ranks: Vec<Rank> = known
            .iter()
            .map(|(_, returned, operation)| Rank {
                operation: *operation,
                return_place: 0,
                returned: *returned,
                invoked_before_return: 0,
            })
            .collect();
        let mut entries = vec![Entry::Head];
        let mut invoked = 0;
        for (_, entry) in moments {
            match entry {
                Entry::Call(_) => invoked += 1,
                Entry::Return(rank) => {
                    ranks[rank].return_place = entries.len();
                    ranks[rank].invoked_before_return = invoked;
                }
                Entry::Head => {}
            }
            entries.push(entry);
        }
        let length = entries.len();
        Self {
            next: (1..=length).map(|place| place % length).collect(),
            previous: (0..length).map(|place| (place + length - 1) % length).collect(),
            entries,
            ranks,
        }
    }

    pub(super) fn known_len(&self) -> usize {
        self.ranks.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.next[0] == 0
    }

    pub(super) fn first(&self) -> Mark {
        Mark(self.next[0])
    }

    pub(super) fn after(&self, mark: Mark) -> Mark {
        Mark(self.next[mark.0])
    }

    /// The rank of the operation whose call stands at `mark`; nothing if a return stands there.
    pub(super) fn call_at(&self, mark: Mark) -> Option<usize> {
        match self.entries[mark.0] {
            Entry::Call(rank) => Some(rank),
            Entry::Head | Entry::Return(_) => None,
        }
    }

    pub(super) fn operation(&self, rank: usize) -> usize {
        self.ranks[rank].operation
    }

    /// The rank of the first operation that is not done.
    pub(super) fn first_rank(&self) -> usize {
        self.call_at(self.first()).expect("a list begins with a call")
    }

    /// The position of the first return that is not done.
    pub(super) fn first_return(&self) -> usize {
        self.ranks[self.first_return_rank()].returned
    }

    /// The last rank that may be done: it was invoked before the first return.
    pub(super) fn last_rank_before_first_return(&self) -> usize {
        self.ranks[self.first_return_rank()].invoked_before_return - 1
    }

    /// Takes the call at `mark` and its return out.
    pub(super) fn lift(&mut self, mark: Mark) {
        let rank = self.call_at(mark).expect("only calls are lifted");
        for place in [mark.0, self.ranks[rank].return_place] {
            let (previous, next) = (self.previous[place], self.next[place]);
            self.next[previous] = next;
            self.previous[next] = previous;
        }
    }

    /// Puts back what was lifted last.
    pub(super) fn unlift(&mut self, mark: Mark) {
        let rank = self.call_at(mark).expect("only calls are lifted");
        for place in [self.ranks[rank].return_place, mark.0] {
            let (previous, next) = (self.previous[place], self.next[place]);
            self.next[previous] = place;
            self.previous[next] = place;
        }
    }

    fn first_return_rank(&self) -> usize {
        let mut place = self.next[0];
        loop {
            match self.entries[place] {
                Entry::Return(rank) => return rank,
                Entry::Call(_) => place = self.next[place],
                Entry::Head => unreachable!("every call has a return after it"),
            }
        }
    }
}
