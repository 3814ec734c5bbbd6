//! [`Rule`]: what a work queue must not do, and [`Breach`]: where it did.

use alloc::{string::String, vec::Vec};
use core::fmt;

/// What a work queue must not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// Deliver what nobody had asked to put by then.
    FromNowhere,
    /// Deliver the same delivery twice, or a later one with an earlier stamp.
    TokenReused,
    /// Deliver a task while somebody's lease on it held: before the end that was told, and before its holder
    /// asked for anything that ends it.
    TwoHolders,
    /// Do what somebody asked for a delivery when a later one had been answered before, or when the delivery had
    /// been ended before.
    StaleAccepted,
    /// Do what somebody asked for a delivery whose lease had run out.
    LateAccepted,
    /// Deliver a task that had been completed or deleted: taken after the answer, or at a later stamp.
    AfterDone,
    /// Deliver a task more often than allowed, or promise to.
    TooManyAttempts,
    /// Make a task a dead letter before its attempts were used up.
    GaveUpEarly,
    /// Count what did not fail as a failed attempt, or not count what failed.
    FailuresMiscounted,
    /// Let a task wait for its next attempt shorter or longer than its retries say.
    WrongWait,
    /// Deliver a task before its delay had passed.
    ReadyEarly,
    /// Deliver a task whose time to live had run out.
    DeliveredExpired,
    /// Deliver a task while another waited that comes before it by priority and age.
    OutOfOrder,
    /// Hand out fewer tasks than were asked for while one waited.
    Overlooked,
    /// Deliver a task of a queue that was paused.
    PauseIgnored,
    /// Put a task although another one was known under its key.
    KeyForgotten,
    /// Say that a task was there under a key under which nobody had put it.
    KeyMixed,
    /// Forget a dead letter that nobody had kicked or deleted.
    DeadLetterLost,
    /// Lose a task: at the end of a drained run, one that was accepted was never delivered to anybody.
    Lost,
    /// Forget a task: at the end of a drained run, one that was accepted is neither done nor dead.
    Unfinished,
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 20] = [
        Self::FromNowhere,
        Self::TokenReused,
        Self::TwoHolders,
        Self::StaleAccepted,
        Self::LateAccepted,
        Self::AfterDone,
        Self::TooManyAttempts,
        Self::GaveUpEarly,
        Self::FailuresMiscounted,
        Self::WrongWait,
        Self::ReadyEarly,
        Self::DeliveredExpired,
        Self::OutOfOrder,
        Self::Overlooked,
        Self::PauseIgnored,
        Self::KeyForgotten,
        Self::KeyMixed,
        Self::DeadLetterLost,
        Self::Lost,
        Self::Unfinished,
    ];
}

/// A rule that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// Which.
    pub rule: Rule,
    /// For which task.
    pub task: Vec<u8>,
    /// By which operations of the history, ascending: their places among all operations.
    pub operations: Vec<usize>,
}

/// What was found about one task: the rule, and the places of the operations that show it.
pub(super) type Found = Option<(Rule, Vec<usize>)>;

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::FromNowhere => "it was delivered before anybody had asked to put it",
            Self::TokenReused => "two deliveries had one token, or tokens and stamps disagree",
            Self::TwoHolders => "it was delivered while another lease on it held",
            Self::StaleAccepted => "what a former holder asked was done",
            Self::LateAccepted => "what a holder asked was done after its lease had run out",
            Self::AfterDone => "it was delivered after it had been completed or deleted",
            Self::TooManyAttempts => "it was delivered more often than allowed",
            Self::GaveUpEarly => "it is a dead letter before its attempts were used up",
            Self::FailuresMiscounted => "its failed attempts are not counted right",
            Self::WrongWait => "it does not wait for its next attempt as its retries say",
            Self::ReadyEarly => "it was delivered before its delay had passed",
            Self::DeliveredExpired => "it was delivered after its time to live",
            Self::OutOfOrder => "it waited while a task was delivered that comes after it",
            Self::Overlooked => "it waited while somebody was given less than was asked for",
            Self::PauseIgnored => "it was delivered while its queue was paused",
            Self::KeyForgotten => "it was put although another task was known under its key",
            Self::KeyMixed => "its put was answered with a task of another key",
            Self::DeadLetterLost => "it was a dead letter and is none any more",
            Self::Lost => "it was accepted and never delivered",
            Self::Unfinished => "it was accepted, and is neither done nor dead",
        })
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let task = String::from_utf8_lossy(&self.task);
        write!(formatter, "task {task}: {} (operations {:?})", self.rule, self.operations)
    }
}
