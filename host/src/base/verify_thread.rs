//! Reads the tables through, at the start and once a day: what has rotted unread would be served some
//! day.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use kernel::{Fault, Node};

use super::GenerationFile;
use crate::{inbox::Event, running::yield_to_others, shared::Shared};

/// How long it rests between two times.
const EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// What the thread works with.
pub(crate) struct VerifyThread<N: Node> {
    pub(crate) shared: Arc<Shared<N>>,
}

impl<N: Node> VerifyThread<N> {
    pub(crate) fn run(&self) {
        yield_to_others();
        loop {
            if let Err(fault) = self.verify() {
                self.shared.inbox.push(Event::Fail(fault));
                return;
            }
            if self.shared.mail.verify.closes_within(EVERY) {
                return;
            }
        }
    }

    fn verify(&self) -> Result<(), Fault> {
        let Some(file) = self.shared.generations.in_force() else {
            return Ok(());
        };
        let goes_on = || !self.shared.mail.verify.is_closed();
        // The engine may panic over a page that makes no sense.
        let outcome = catch_unwind(AssertUnwindSafe(|| file.verify(goes_on)));
        let senseless = |_| Err(Fault::Corrupt(format!("{:?} makes no sense", file.place())));
        match outcome.unwrap_or_else(senseless) {
            Ok(is_whole) => {
                self.shared.metrics.tables_verified.add(u64::from(is_whole));
                Ok(())
            }
            Err(Fault::Corrupt(what)) => Err(Fault::Corrupt(set_aside(&file, &what))),
            Err(fault) => Err(fault),
        }
    }
}

/// The next start must not use the file and serve what it holds; a sentence that says so.
fn set_aside(file: &GenerationFile, what: &str) -> String {
    match file.place().set_aside() {
        Ok(aside) => format!("{what}; it was set aside as {}", aside.display()),
        Err(error) => format!("{what}, and it cannot be set aside: {error}"),
    }
}
