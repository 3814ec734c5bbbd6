//! The known operations that are not done, in the order of their invocations and in that of their
//! returns. What is done is lifted out, and put back in the reverse order (Knuth's dancing links).

use alloc::{vec, vec::Vec};

use super::Span;

/// Known operations by rank: they are numbered in the order of their invocations.
pub(super) struct List {
    ranks: Vec<Rank>,
    by_call: Chain,
    by_return: Chain,
}

/// One known operation.
#[derive(Clone, Copy)]
pub(super) struct Rank {
    pub(super) operation: usize,
    pub(super) invoked: usize,
    pub(super) returned: usize,
}

impl List {
    pub(super) fn new(spans: &[Span]) -> Self {
        let known = spans.iter().enumerate().filter_map(|(operation, span)| {
            Some(Rank { operation, invoked: span.invoked, returned: span.returned? })
        });
        let mut ranks: Vec<Rank> = known.collect();
        ranks.sort_unstable_by_key(|one| one.invoked);
        for one in &ranks {
            assert!(one.invoked < one.returned, "an operation returns after it was invoked");
        }
        let in_order: Vec<usize> = (0..ranks.len()).collect();
        let mut by_return = in_order.clone();
        by_return.sort_by_key(|rank| ranks[*rank].returned);
        Self { by_call: Chain::new(&in_order), by_return: Chain::new(&by_return), ranks }
    }

    pub(super) const fn len(&self) -> usize {
        self.ranks.len()
    }

    pub(super) fn get(&self, rank: usize) -> Rank {
        self.ranks[rank]
    }

    /// The operation that returns first; nothing if all are done.
    pub(super) fn first_to_return(&self) -> Option<usize> {
        self.by_return.first()
    }

    /// Those that are not done, in the order of their returns.
    pub(super) fn by_return(&self) -> impl Iterator<Item = Rank> + '_ {
        self.by_return.iter().map(|rank| self.ranks[rank])
    }

    /// The operation that was invoked first.
    pub(super) fn first_called(&self) -> Option<usize> {
        self.by_call.first()
    }

    /// Those that may come next: they were invoked before the first return.
    pub(super) fn candidates(&self) -> impl Iterator<Item = usize> + '_ {
        let horizon = self.first_to_return().map_or(0, |rank| self.ranks[rank].returned);
        let is_early = move |rank: &usize| self.ranks[*rank].invoked < horizon;
        self.by_call.iter().take_while(is_early)
    }

    /// One more than the last rank that may be done: it was invoked before the first return.
    pub(super) fn candidates_end(&self) -> usize {
        let horizon = self.first_to_return().map_or(0, |rank| self.ranks[rank].returned);
        self.ranks.partition_point(|one| one.invoked < horizon)
    }

    pub(super) fn lift(&mut self, rank: usize) {
        self.by_call.lift(rank);
        self.by_return.lift(rank);
    }

    /// Puts back what was lifted last.
    pub(super) fn unlift(&mut self, rank: usize) {
        self.by_return.unlift(rank);
        self.by_call.unlift(rank);
    }
}

/// Numbers in a fixed order, in a circle through one more than the largest: the end.
struct Chain {
    next: Vec<usize>,
    previous: Vec<usize>,
}

impl Chain {
    fn new(order: &[usize]) -> Self {
        let end = order.len();
        let mut chain = Self { next: vec![end; end + 1], previous: vec![end; end + 1] };
        let mut last = end;
        for number in order.iter().copied().chain([end]) {
            chain.next[last] = number;
            chain.previous[number] = last;
            last = number;
        }
        chain
    }

    fn end(&self) -> usize {
        self.next.len() - 1
    }

    fn first(&self) -> Option<usize> {
        self.after(self.end())
    }

    fn after(&self, number: usize) -> Option<usize> {
        Some(self.next[number]).filter(|next| *next != self.end())
    }

    fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        core::iter::successors(self.first(), |number| self.after(*number))
    }

    fn lift(&mut self, number: usize) {
        let (previous, next) = (self.previous[number], self.next[number]);
        self.next[previous] = next;
        self.previous[next] = previous;
    }

    fn unlift(&mut self, number: usize) {
        let (previous, next) = (self.previous[number], self.next[number]);
        self.next[previous] = number;
        self.previous[next] = number;
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::{List, Span};

    #[test]
    fn what_is_put_back_stands_where_it_stood() {
        let span = |invoked, returned| Span { invoked, returned };
        let mut list =
            List::new(&[span(2, Some(3)), span(0, Some(5)), span(1, None), span(4, Some(6))]);
        let candidates = |list: &List| list.candidates().collect::<Vec<usize>>();
        assert_eq!(candidates(&list), [0, 1], "the first return is at 3");
        list.lift(1);
        assert_eq!(candidates(&list), [0, 2]);
        list.lift(0);
        assert_eq!(candidates(&list), [2]);
        list.unlift(0);
        list.unlift(1);
        assert_eq!(candidates(&list), [0, 1]);
        assert_eq!(list.first_to_return(), Some(1));
    }
}
