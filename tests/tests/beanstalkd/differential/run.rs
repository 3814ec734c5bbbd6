//! A script on two servers side by side, until its end or the first difference.

use std::{fmt, thread, time::Duration};

use super::{Step, endpoint::Endpoint};
use crate::servers::{Server, members};

/// Where two servers differ.
#[derive(Debug)]
pub(super) struct Difference {
    /// The steps up to and with the one that shows it.
    pub(super) script: Vec<Step>,
    first: Vec<String>,
    second: Vec<String>,
}

/// Runs a script on a fresh beanstalkd and on a fresh cluster of ours, all over the node in place `node`.
pub(super) fn run(script: &[Step], node: usize) -> Option<Difference> {
    let (theirs, ours) = (Server::beanstalkd(), Server::archipel(members()));
    compare(script, theirs.ports[0], ours.ports[node % ours.ports.len()])
}

/// Runs a script on two servers.
pub(super) fn compare(script: &[Step], first: u16, second: u16) -> Option<Difference> {
    let (mut theirs, mut ours) = (Endpoint::new(first), Endpoint::new(second));
    for (place, step) in script.iter().enumerate() {
        if let Step::Wait(ms) = step {
            thread::sleep(Duration::from_millis(*ms));
        }
        let (first, second) = (theirs.perform(step), ours.perform(step));
        if first != second {
            return Some(Difference { script: script[..=place].to_vec(), first, second });
        }
    }
    None
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.script {
            writeln!(formatter, "  {step:?}")?;
        }
        writeln!(formatter, "beanstalkd  {:?}", self.first)?;
        write!(formatter, "archipel    {:?}", self.second)
    }
}
