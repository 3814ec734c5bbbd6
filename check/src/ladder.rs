//! Judges a history by every model, from the strongest down.
//!
//! ```text
//!   linearizable ─▶ sequential ─▶ causal ─▶ read your writes
//!        │                           └────▶ monotonic reads
//!        └─────────────────────────────────▶ eventual
//! ```
//! What keeps a promise keeps those that it leads to; what breaks one breaks those that lead to it.
//! The weaker models are cheap to judge, so they are judged first, and a broken one spares the search.
//!
//! Models between linearizable and eventual are judged by the values that were seen: by reads, by
//! compare-and-sets that were done, and by deletes that found nothing. A mismatch names no value and is
//! taken as it is. The causal and the session models need to know who made what was seen: where several
//! could have, they may answer that they do not know, but if they say broken, it is.

use alloc::vec::Vec;
use core::fmt;

use crate::{
    causal, eventual,
    facts::{Facts, Part},
    history::{End, History, Operation},
    linearizability::{Found, Limit, Limits},
    register::Scope,
    sequential::{self, SEQUENTIAL_OPERATIONS_MAX},
    sessions,
    shrink::{self, Test},
    verdict::{self, Witness},
};

/// What a store may promise its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Consistency {
    /// Every operation takes effect at one moment between its invocation and its answer.
    Linearizable,
    /// One order explains everything and keeps the order of each process.
    Sequential,
    /// Each process has an order that explains what it saw and keeps causes before effects.
    Causal,
    /// A process sees its own changes.
    ReadYourWrites,
    /// What a process has seen replaced does not come back.
    MonotonicReads,
    /// When nobody writes any more, all come to see the same.
    Eventual,
}

impl Consistency {
    /// All, the stronger before the weaker.
    pub const ALL: [Self; 6] = [
        Self::Linearizable,
        Self::Sequential,
        Self::Causal,
        Self::ReadYourWrites,
        Self::MonotonicReads,
        Self::Eventual,
    ];

    /// As people write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Linearizable => "linearizable",
            Self::Sequential => "sequential",
            Self::Causal => "causal",
            Self::ReadYourWrites => "read-your-writes",
            Self::MonotonicReads => "monotonic-reads",
            Self::Eventual => "eventual",
        }
    }

    /// True if every history that keeps `self` keeps `other`.
    #[must_use]
    pub const fn implies(self, other: Self) -> bool {
        match self {
            Self::Linearizable => true,
            Self::Sequential => !matches!(other, Self::Linearizable | Self::Eventual),
            Self::Causal => {
                matches!(other, Self::Causal | Self::ReadYourWrites | Self::MonotonicReads)
            }
            Self::ReadYourWrites => matches!(other, Self::ReadYourWrites),
            Self::MonotonicReads => matches!(other, Self::MonotonicReads),
            Self::Eventual => matches!(other, Self::Eventual),
        }
    }
}

/// What was found out about one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The history keeps it.
    Holds,
    /// The history breaks it.
    Broken(Evidence),
    /// It could not be decided.
    Unknown(Reason),
}

/// Operations that break a model on their own: a history of them alone breaks it too, where those in
/// `written_only` are plain writes or deletes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Their places among the operations of the history, in order.
    pub places: Vec<usize>,
    /// Those of which only the change counts, and not what they found.
    pub written_only: Vec<usize>,
    /// True if it is proven that no fewer operations of this history break the model on their own.
    pub is_shortest: bool,
}

/// Why something could not be decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A limit was reached.
    Limit(Limit),
    /// More operations than are searched for a sequential order.
    TooLong {
        /// How many there are.
        operations: usize,
    },
    /// Several operations could have made what this one, by its place, saw.
    Ambiguous {
        /// Its place among the operations of the history.
        place: usize,
    },
}

/// The findings about every model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder {
    findings: Vec<(Consistency, Finding)>,
    /// Why the history is not linearizable, if it is not.
    pub witness: Option<Witness>,
}

impl Ladder {
    /// Judges `history` by every model. Each has `limits` for itself.
    #[must_use]
    pub fn judge(history: &History, limits: Limits) -> Self {
        Judge::new(history.operations(), limits).run()
    }

    /// What was found out about `model`.
    ///
    /// # Panics
    /// Never: all models are judged.
    #[must_use]
    pub fn finding(&self, model: Consistency) -> &Finding {
        let found = self.findings.iter().find(|(other, _)| *other == model);
        &found.expect("all models are judged").1
    }

    /// The models that hold, without those that another one that holds implies.
    #[must_use]
    pub fn strongest(&self) -> Vec<Consistency> {
        let holding: Vec<Consistency> = Consistency::ALL
            .into_iter()
            .filter(|model| *self.finding(*model) == Finding::Holds)
            .collect();
        let is_implied = |model: Consistency| {
            holding.iter().any(|other| *other != model && other.implies(model))
        };
        holding.iter().copied().filter(|model| !is_implied(*model)).collect()
    }
}

struct Judge<'a> {
    operations: &'a [Operation],
    facts: Facts,
    limits: Limits,
    ladder: Ladder,
}

impl<'a> Judge<'a> {
    fn new(operations: &'a [Operation], limits: Limits) -> Self {
        let ladder = Ladder { findings: Vec::new(), witness: None };
        Self { operations, facts: Facts::new(operations), limits, ladder }
    }

    fn run(mut self) -> Ladder {
        match verdict::judge_keys(self.operations, self.limits) {
            Ok(None) => {
                let holds = |model| (model, Finding::Holds);
                self.ladder.findings = Consistency::ALL.into_iter().map(holds).collect();
                return self.ladder;
            }
            Ok(Some(witness)) => {
                let evidence = self.not_linearizable(&witness);
                self.add(Consistency::Linearizable, Finding::Broken(evidence));
                self.ladder.witness = Some(witness);
            }
            Err(limit) => {
                self.add(Consistency::Linearizable, Finding::Unknown(Reason::Limit(limit)));
            }
        }
        let eventual = self.eventual();
        self.add(Consistency::Eventual, eventual);
        for model in [Consistency::ReadYourWrites, Consistency::MonotonicReads] {
            let finding = self.session(model);
            self.add(model, finding);
        }
        let causal = self.causal();
        self.add(Consistency::Causal, causal);
        let sequential = self.sequential();
        self.add(Consistency::Sequential, sequential);
        self.ladder.findings.sort_unstable_by_key(|(model, _)| *model);
        self.settle()
    }

    fn add(&mut self, model: Consistency, finding: Finding) {
        self.ladder.findings.push((model, finding));
    }

    /// What keeps the sequential model keeps the weaker ones, even if it is not known who made what.
    /// What breaks a weaker model breaks linearizability, even if the search for it gave up.
    fn settle(mut self) -> Ladder {
        if *self.ladder.finding(Consistency::Sequential) == Finding::Holds {
            for (model, finding) in &mut self.ladder.findings {
                if Consistency::Sequential.implies(*model) {
                    *finding = Finding::Holds;
                }
            }
        }
        if let Finding::Unknown(_) = self.ladder.finding(Consistency::Linearizable)
            && let Some(evidence) = self.weaker_evidence(Consistency::Linearizable)
        {
            let evidence = Evidence { is_shortest: false, ..evidence };
            self.ladder.findings[0].1 = Finding::Broken(evidence);
        }
        self.ladder
    }

    /// The shortest evidence against a model that `model` implies.
    fn weaker_evidence(&self, model: Consistency) -> Option<Evidence> {
        let broken = self.ladder.findings.iter().filter_map(|(other, finding)| match finding {
            Finding::Broken(evidence) if *other != model && model.implies(*other) => Some(evidence),
            _ => None,
        });
        broken.min_by_key(|evidence| evidence.places.len()).cloned()
    }

    fn not_linearizable(&self, witness: &Witness) -> Evidence {
        let End::Ok(until, _) = witness.stuck.end else {
            unreachable!("what fits nowhere has ended");
        };
        let key =
            |number: &usize| self.operations[self.facts.get(*number).place].key == witness.key;
        let whole: Vec<usize> = (0..self.facts.len()).filter(key).collect();
        let before = |number: &usize| self.facts.get(*number).invoked < until;
        let beginning: Vec<usize> = whole.iter().copied().filter(before).collect();
        let beginning = self.facts.part(&beginning);
        let mut limits = self.limits;
        let mut test = |part: &Part<'_>| {
            let blind = part.blind_places();
            let scope = Scope { blind: Some(&blind), ..Scope::default() };
            match verdict::linearize(self.operations, &part.places(), scope, &mut limits) {
                Found::Linearization(_) => Some(false),
                Found::Nothing => Some(true),
                Found::GaveUp(_) => None,
            }
        };
        let is_enough = test(&beginning) == Some(true);
        let start = if is_enough { beginning.numbers().to_vec() } else { whole };
        self.evidence(start, &self.facts.by_key(), &mut test)
    }

    fn eventual(&self) -> Finding {
        match eventual::never_agreed(&self.facts) {
            Some((broken, is_shortest)) => {
                let places = self.facts.part(&broken).places();
                Finding::Broken(Evidence { places, written_only: Vec::new(), is_shortest })
            }
            None => Finding::Holds,
        }
    }

    fn session(&self, model: Consistency) -> Finding {
        let judge = match model {
            Consistency::ReadYourWrites => sessions::own_write_unseen,
            _ => sessions::went_back,
        };
        let Some(broken) = judge(&self.facts.whole()) else {
            return self.holds_if_clear();
        };
        let mut test = |part: &Part<'_>| Some(judge(part).is_some());
        if !self.facts.have_swaps() {
            // Then what breaks it has one of few shapes, and the smallest was found.
            return Finding::Broken(self.named(&broken, true));
        }
        Finding::Broken(self.evidence(broken, &self.facts.by_key(), &mut test))
    }

    fn causal(&self) -> Finding {
        let mut limits = self.limits;
        let mut test =
            |part: &Part<'_>| causal::is_causal(part, &mut limits).ok().map(|holds| !holds);
        let all: Vec<usize> = (0..self.facts.len()).collect();
        let start = match self.weaker_evidence(Consistency::Causal) {
            Some(evidence) => self.facts.at_places(&evidence.places),
            None => match causal::is_causal(&self.facts.whole(), &mut { self.limits }) {
                Ok(true) => return self.holds_if_clear(),
                Ok(false) => all.clone(),
                Err(limit) => return Finding::Unknown(Reason::Limit(limit)),
            },
        };
        Finding::Broken(self.evidence(start, &[all], &mut test))
    }

    fn sequential(&self) -> Finding {
        let mut limits = self.limits;
        let mut test = |part: &Part<'_>| {
            sequential::is_sequential(self.operations, part, &mut limits).ok().map(|holds| !holds)
        };
        let all: Vec<usize> = (0..self.facts.len()).collect();
        let start = match self.weaker_evidence(Consistency::Sequential) {
            Some(evidence) => self.facts.at_places(&evidence.places),
            None if all.len() > SEQUENTIAL_OPERATIONS_MAX => {
                return Finding::Unknown(Reason::TooLong { operations: all.len() });
            }
            None => {
                let whole = self.facts.whole();
                match sequential::is_sequential(self.operations, &whole, &mut { self.limits }) {
                    Ok(true) => return Finding::Holds,
                    Ok(false) => all.clone(),
                    Err(limit) => return Finding::Unknown(Reason::Limit(limit)),
                }
            }
        };
        Finding::Broken(self.evidence(start, &[all], &mut test))
    }

    /// Nothing was found broken by what can be told; whether all could be told decides.
    fn holds_if_clear(&self) -> Finding {
        match self.facts.ambiguous() {
            None => Finding::Holds,
            Some(fact) => Finding::Unknown(Reason::Ambiguous { place: fact.place }),
        }
    }

    fn evidence(&self, start: Vec<usize>, pools: &[Vec<usize>], test: &mut Test<'_>) -> Evidence {
        let small = shrink::shrink(&self.facts, start, test);
        let (shortest, is_shortest) = shrink::shortest(&self.facts, pools, small, test);
        self.named(&shortest, is_shortest)
    }

    fn named(&self, numbers: &[usize], is_shortest: bool) -> Evidence {
        let part = self.facts.part(numbers);
        let written_only = part.blind_places().into_iter().collect();
        Evidence { places: part.places(), written_only, is_shortest }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit(Limit::Steps) => {
                formatter.write_str("as many steps were tried as are allowed")
            }
            Self::Limit(Limit::Memory) => {
                formatter.write_str("the memory that is allowed was full")
            }
            Self::TooLong { operations } => write!(
                formatter,
                "there are {operations} operations, and at most {SEQUENTIAL_OPERATIONS_MAX} are \
                 searched"
            ),
            Self::Ambiguous { .. } => {
                formatter.write_str("several operations could have made what one of them saw")
            }
        }
    }
}
