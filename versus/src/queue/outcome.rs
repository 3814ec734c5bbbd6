//! What was measured, as a table that fits a terminal and as JSON.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use super::{engine::Kind, plan::Plan};

/// How many connections work, over what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) connections: usize,
    pub(crate) backlog: u64,
}

impl Load {
    /// The loads on a queue that has no tasks but those under way.
    pub(crate) fn without_backlog() -> impl Iterator<Item = Self> {
        [1, 16, 64].into_iter().map(|connections| Self { connections, backlog: 0 })
    }

    pub(crate) const fn with_backlog(backlog: u64) -> Self {
        Self { connections: 16, backlog }
    }

    fn name(self) -> String {
        match (self.connections, self.backlog) {
            (1, 0) => "1 connection".to_owned(),
            (connections, 0) => format!("{connections} connections"),
            (connections, backlog) => format!("{connections}, backlog {backlog}"),
        }
    }
}

/// One load on one queue, of all rounds together.
#[derive(Clone, Debug)]
struct Measured {
    load: Load,
    took_us: Histogram<u64>,
    duration: Duration,
}

impl Measured {
    fn rate(&self) -> f64 {
        self.took_us.len() as f64 / self.duration.as_secs_f64()
    }

    fn latency_ms(&self, part: f64) -> f64 {
        self.took_us.value_at_quantile(part) as f64 / 1000.0
    }
}

/// What was measured of all queues.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    kinds: Vec<Kind>,
    measured: Vec<Vec<Measured>>,
}

impl Outcome {
    pub(crate) fn new(plan: &Plan) -> Self {
        let measured = vec![Vec::new(); plan.contestants.len()];
        Self { kinds: plan.contestants.clone(), measured }
    }

    /// Adds what a queue did in a while: how long each task took, in microseconds.
    pub(crate) fn add(
        &mut self,
        place: usize,
        load: Load,
        took_us: &Histogram<u64>,
        duration: Duration,
    ) {
        let all = &mut self.measured[place];
        match all.iter_mut().find(|one| one.load == load) {
            Some(one) => {
                one.took_us.add(took_us).expect("a histogram that grows takes every value");
                one.duration += duration;
            }
            None => all.push(Measured { load, took_us: took_us.clone(), duration }),
        }
    }

    /// A line for each measure, a column for each queue.
    pub(crate) fn table(&self) -> String {
        let mut text = String::from(
            "tasks put, taken and completed, one after the other on each connection\n",
        );
        text.push_str(&format!("{:<26}", ""));
        for kind in &self.kinds {
            text.push_str(&format!("{:>12}", kind.name()));
        }
        text.push('\n');
        let loads = self.measured.first().map_or(0, Vec::len);
        for place in 0..loads {
            let name = self.measured[0][place].load.name();
            self.line(&mut text, &format!("{name} /s"), place, Measured::rate);
            self.line(&mut text, "    p50, ms", place, |one| one.latency_ms(0.5));
            self.line(&mut text, "    p99, ms", place, |one| one.latency_ms(0.99));
        }
        for kind in &self.kinds {
            text.push_str(&format!("{}: {}\n", kind.name(), kind.settings()));
        }
        text
    }

    fn line(&self, text: &mut String, name: &str, place: usize, value: impl Fn(&Measured) -> f64) {
        text.push_str(&format!("{name:<26}"));
        for all in &self.measured {
            text.push_str(&format!("{:>12.2}", value(&all[place])));
        }
        text.push('\n');
    }

    pub(crate) fn json(&self) -> Value {
        let measure = |one: &Measured| {
            json!({
                "connections": one.load.connections, "backlog": one.load.backlog, "tasks_per_second": one.rate(),
                "p50_ms": one.latency_ms(0.5), "p99_ms": one.latency_ms(0.99),
            })
        };
        let engines = self.kinds.iter().zip(&self.measured).map(|(kind, all)| {
            json!({
                "engine": kind.name(), "settings": kind.settings(),
                "loads": all.iter().map(measure).collect::<Vec<_>>(),
            })
        });
        Value::Array(engines.collect())
    }
}
