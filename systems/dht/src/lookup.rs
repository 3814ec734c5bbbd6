//! An iterative lookup: asks the nearest nodes it knows of for nearer ones, until there are none (Kademlia §2.3).
//!
//! It goes along several paths that share no node (S/Kademlia, Baumgart and Mies 2007, §4.4): who is heard of on
//! one path is asked on that path only. So a liar spoils the path that it is on, and the others go on.

use alloc::{collections::BTreeMap, collections::BTreeSet, vec::Vec};

use bytes::Bytes;
use kernel::Endpoint;

use crate::{
    contact::Contact,
    id::{Distance, Id},
    table::K,
};

/// Queries under way on each path: Kademlia's alpha.
const ALPHA: usize = 3;
/// Paths that share no node.
const PATHS: usize = 2;
/// The most nodes remembered; who lies about many nodes must not fill the memory.
const CANDIDATES_MAX: usize = 256;
/// The most nodes taken from one reply.
const TAKEN_MAX: usize = 16;

#[derive(Debug)]
enum State {
    Fresh,
    Asked,
    Answered { token: Option<Bytes> },
    Failed,
}

#[derive(Debug)]
struct Candidate {
    contact: Contact,
    path: usize,
    state: State,
}

/// The search for the nodes nearest to an id.
#[derive(Debug)]
pub struct Lookup {
    target: Id,
    /// By distance, so that the nearest come first. There is one id at each distance.
    candidates: BTreeMap<Distance, Candidate>,
    endpoints: BTreeSet<Endpoint>,
}

impl Lookup {
    /// A lookup that begins with these nodes.
    #[must_use]
    pub fn new(target: Id, seeds: &[Contact]) -> Self {
        let mut lookup = Self { target, candidates: BTreeMap::new(), endpoints: BTreeSet::new() };
        for (number, seed) in seeds.iter().enumerate() {
            lookup.hear(*seed, number % PATHS);
        }
        lookup
    }

    /// What is looked for.
    #[must_use]
    pub const fn target(&self) -> Id {
        self.target
    }

    /// The nodes to ask now; they count as asked.
    pub fn ask(&mut self) -> Vec<Contact> {
        (0..PATHS).flat_map(|path| self.ask_on(path)).collect()
    }

    /// A node has answered with nodes nearer to the target, and perhaps with a token.
    pub fn answered(
        &mut self,
        contact: Contact,
        token: Option<Bytes>,
        nodes: impl Iterator<Item = Contact>,
    ) {
        let Some(candidate) = self.find(contact) else {
            return;
        };
        candidate.state = State::Answered { token };
        let path = candidate.path;
        nodes.take(TAKEN_MAX).for_each(|node| self.hear(node, path));
    }

    /// A node has not answered, or not as itself.
    pub fn failed(&mut self, contact: Contact) {
        if let Some(candidate) = self.find(contact) {
            candidate.state = State::Failed;
        }
    }

    /// True when the nearest nodes of every path have all answered.
    #[must_use]
    pub fn is_done(&self) -> bool {
        (0..PATHS).all(|path| {
            self.nearest_on(path).all(|candidate| matches!(candidate.state, State::Answered { .. }))
        })
    }

    /// The nearest nodes that have answered, with their tokens.
    pub fn nearest(&self) -> impl Iterator<Item = (Contact, Option<&Bytes>)> {
        let answered = self.candidates.values().filter_map(|candidate| match &candidate.state {
            State::Answered { token } => Some((candidate.contact, token.as_ref())),
            _ => None,
        });
        answered.take(K)
    }

    fn ask_on(&mut self, path: usize) -> Vec<Contact> {
        let under_way =
            self.nearest_on(path).filter(|candidate| matches!(candidate.state, State::Asked));
        let free = ALPHA.saturating_sub(under_way.count());
        let fresh =
            self.nearest_on(path).filter(|candidate| matches!(candidate.state, State::Fresh));
        let chosen: Vec<Contact> = fresh.take(free).map(|candidate| candidate.contact).collect();
        for contact in &chosen {
            self.find(*contact).expect("it was just found").state = State::Asked;
        }
        chosen
    }

    fn nearest_on(&self, path: usize) -> impl Iterator<Item = &Candidate> {
        let on_path = self.candidates.values().filter(move |candidate| candidate.path == path);
        on_path.filter(|candidate| !matches!(candidate.state, State::Failed)).take(K)
    }

    fn hear(&mut self, contact: Contact, path: usize) {
        let distance = contact.id.distance(self.target);
        if self.candidates.contains_key(&distance) || !self.endpoints.insert(contact.endpoint) {
            return;
        }
        self.candidates.insert(distance, Candidate { contact, path, state: State::Fresh });
        if self.candidates.len() > CANDIDATES_MAX {
            let (_, farthest) = self.candidates.pop_last().expect("there are many");
            self.endpoints.remove(&farthest.contact.endpoint);
        }
    }

    fn find(&mut self, contact: Contact) -> Option<&mut Candidate> {
        let candidate = self.candidates.get_mut(&contact.id.distance(self.target));
        candidate.filter(|candidate| candidate.contact == contact)
    }
}

#[cfg(test)]
mod tests {
    use alloc::{vec, vec::Vec};

    use kernel::Rng;

    use super::{CANDIDATES_MAX, Contact, Id, K, Lookup};

    fn nearest(mut contacts: Vec<Contact>, target: Id, count: usize) -> Vec<Contact> {
        contacts.sort_by_key(|contact| contact.id.distance(target));
        contacts.truncate(count);
        contacts
    }

    /// The dumb version: sort everybody.
    #[test]
    fn it_finds_whom_sorting_everybody_finds() {
        for seed in 0..100 {
            let mut rng = Rng::new(seed);
            let target = Id::hash(&[&seed.to_be_bytes()]);
            let all: Vec<Contact> = (0..500).map(Contact::of_number).collect();
            let seeds: Vec<Contact> = (0..3).map(|_| *rng.pick(&all).unwrap()).collect();
            let mut lookup = Lookup::new(target, &seeds);
            let mut asked = 0;
            while !lookup.is_done() {
                let now = lookup.ask();
                asked += now.len();
                assert!(!now.is_empty(), "a lookup that is not done has somebody to ask");
                for contact in now {
                    // Each knows half of all nodes, others each.
                    let known = all.iter().copied().filter(|_| rng.chance(1, 2)).collect();
                    lookup.answered(contact, None, nearest(known, target, K).into_iter());
                }
            }
            let found: Vec<Contact> = lookup.nearest().map(|(contact, _)| contact).collect();
            assert_eq!(found, nearest(all, target, K));
            assert!(asked < 60, "{asked} of 500 were asked");
        }
    }

    #[test]
    fn a_liar_fills_no_memory_and_spoils_one_path() {
        let target = Id([0; 20]);
        let mut lookup = Lookup::new(target, &[Contact::of_number(1), Contact::of_number(2)]);
        let [liar, honest] = lookup.ask()[..] else {
            panic!("both seeds are asked, one on each path");
        };
        let invented = |number: u64| {
            let mut invented = Contact::of_number(1000 + number);
            invented.id.0[..12].fill(0);
            invented
        };
        lookup.answered(liar, None, (0..1000).map(invented));
        lookup.answered(honest, None, vec![Contact::of_number(3)].into_iter());
        for _ in 0..50 {
            lookup
                .ask()
                .into_iter()
                .filter(|asked| *asked != Contact::of_number(3))
                .for_each(|asked| lookup.failed(asked));
        }
        lookup.answered(Contact::of_number(3), None, core::iter::empty());
        assert!(lookup.is_done() && lookup.candidates.len() <= CANDIDATES_MAX);
        assert!(lookup.nearest().any(|(contact, _)| contact == Contact::of_number(3)));
    }
}
