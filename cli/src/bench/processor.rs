//! Processor time of the nodes, if they run on this machine (Linux tells it in /proc).

use std::{fs, net::SocketAddr};

use rustix::param::clock_ticks_per_second;
use serde_json::Value;

/// The nodes' processes on this machine.
#[derive(Debug, Default)]
pub(super) struct Processes {
    all: Vec<Process>,
}

#[derive(Debug)]
struct Process {
    name: String,
    id: u64,
}

/// A node and the processor time that it has spent, in microseconds.
pub(super) type Spent = Vec<(String, u64)>;

impl Processes {
    /// Notes the node at `address` if it runs here.
    pub(super) fn add(&mut self, address: &str, status: &Value) {
        let is_here = address.parse::<SocketAddr>().is_ok_and(|it| it.ip().is_loopback());
        let id = status["node"]["processId"].as_u64();
        if let Some(id) = id.filter(|_| is_here) {
            let name = status["node"]["name"].as_str().unwrap_or_default().to_owned();
            self.all.push(Process { name, id });
        }
    }

    /// What they have spent so far.
    pub(super) fn spent(&self) -> Spent {
        let spent = |process: &Process| Some((process.name.clone(), spent_by(process.id)?));
        self.all.iter().filter_map(spent).collect()
    }

    /// What they have spent since `before`.
    pub(super) fn spent_since(&self, before: &Spent) -> Spent {
        let mut spent = self.spent();
        for (name, microseconds) in &mut spent {
            let earlier = before.iter().find(|(other, _)| other == name);
            *microseconds -= earlier.map_or(0, |(_, earlier)| *earlier).min(*microseconds);
        }
        spent
    }
}

fn spent_by(id: u64) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name in parentheses may hold spaces; user and system time are the 12th and 13th word after.
    let (_, words) = text.rsplit_once(')')?;
    let mut words = words.split_whitespace().skip(11);
    let mut ticks = || words.next()?.parse::<u64>().ok();
    let ticks = ticks()? + ticks()?;
    Some(ticks * 1_000_000 / clock_ticks_per_second())
}
