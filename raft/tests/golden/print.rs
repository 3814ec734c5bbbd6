//! The lines of the output: those of [`archipel_raft::print`], with commands by their labels.

use archipel_raft::{
    Message,
    print::{Printer, label},
};
use kernel::{Effect, Entry, FetchOutcome, PersistNumber};

pub(crate) use archipel_raft::print::{kind, label as command, list};

const PRINTER: Printer = Printer { command: label };

pub(crate) fn entries(entries: &[Entry]) -> String {
    PRINTER.entries(entries)
}

pub(crate) fn message(message: &Message) -> String {
    PRINTER.message(message)
}

pub(crate) fn effect(effect: &Effect<Message>, finished: PersistNumber) -> String {
    PRINTER.effect(effect, finished)
}

pub(crate) fn fetch_outcome(outcome: &FetchOutcome) -> String {
    PRINTER.fetch_outcome(outcome)
}
