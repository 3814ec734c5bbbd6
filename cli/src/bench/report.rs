//! What was measured, as a table and as JSON.

use std::thread;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use super::{client::Measured, kv::Operation, processor::Spent};
use crate::table::Table;

/// All steps.
#[derive(Debug)]
pub(super) struct Report {
    disk: Histogram<u32>,
    value_bytes: u32,
    keys: u32,
    lines: Vec<Line>,
}

/// One step.
#[derive(Debug)]
struct Line {
    operation: Operation,
    clients: u32,
    measured: Measured,
    spent: Spent,
}

impl Report {
    pub(super) const fn new(disk: Histogram<u32>, value_bytes: u32, keys: u32) -> Self {
        Self { disk, value_bytes, keys, lines: Vec::new() }
    }

    pub(super) fn add(
        &mut self,
        operation: Operation,
        clients: u32,
        measured: Measured,
        spent: Spent,
    ) {
        self.lines.push(Line { operation, clients, measured, spent });
    }

    pub(super) const fn steps(&self) -> usize {
        self.lines.len()
    }

    /// Prints the table.
    pub(super) fn print(&self) {
        println!(
            "{} processors, {} keys, values of {} bytes, times in microseconds",
            processors(),
            self.keys,
            self.value_bytes
        );
        println!(
            "fdatasync of this disk: p50 {}, p99 {}, p99.9 {}",
            self.disk.value_at_quantile(0.5),
            self.disk.value_at_quantile(0.99),
            self.disk.value_at_quantile(0.999)
        );
        println!();
        let mut table = Table::new(&[
            "operation",
            "clients",
            "per second",
            "p50",
            "p99",
            "p99.9",
            "max",
            "failed",
            "processor per request",
        ]);
        for line in &self.lines {
            table.row(line.cells());
        }
        table.print();
        if let Some(ratio) = self.put_to_disk() {
            println!();
            println!(
                "A put of one client takes {ratio:.1} times the fdatasync of this disk (p50)."
            );
        }
    }

    /// All of it for programs.
    pub(super) fn json(&self) -> Value {
        json!({
            "processors": processors(),
            "keys": self.keys,
            "valueBytes": self.value_bytes,
            "fdatasync": quantiles(&self.disk),
            "putToFdatasync": self.put_to_disk(),
            "steps": self.lines.iter().map(Line::json).collect::<Vec<Value>>(),
        })
    }

    /// How many times the disk's own time a put of one client takes.
    fn put_to_disk(&self) -> Option<f64> {
        let line =
            self.lines.iter().find(|it| it.clients == 1 && it.operation == Operation::Put)?;
        let disk = self.disk.value_at_quantile(0.5).max(1);
        Some(line.measured.times.value_at_quantile(0.5) as f64 / disk as f64)
    }
}

impl Line {
    fn per_second(&self) -> f64 {
        self.measured.times.len() as f64 / self.measured.elapsed.as_secs_f64()
    }

    /// Processor time of each node per answered request, in microseconds; the warm-up counts as part of
    /// the step here, so it is a tenth too high at most.
    fn processor(&self) -> Vec<(&str, f64)> {
        let answered = self.measured.times.len().max(1) as f64;
        let each = |spent: u64| spent as f64 / answered * 10.0 / 11.0;
        self.spent.iter().map(|(name, spent)| (name.as_str(), each(*spent))).collect()
    }

    fn cells(&self) -> Vec<String> {
        let at = |quantile| self.measured.times.value_at_quantile(quantile).to_string();
        let processor: Vec<String> =
            self.processor().iter().map(|(name, spent)| format!("{name} {spent:.0}")).collect();
        vec![
            self.operation.name().to_owned(),
            self.clients.to_string(),
            format!("{:.0}", self.per_second()),
            at(0.5),
            at(0.99),
            at(0.999),
            self.measured.times.max().to_string(),
            self.measured.failed.to_string(),
            processor.join(", "),
        ]
    }

    fn json(&self) -> Value {
        let processor: Value =
            self.processor().iter().map(|(name, spent)| (*name, Value::from(*spent))).collect();
        json!({
            "operation": self.operation.name(),
            "clients": self.clients,
            "perSecond": self.per_second(),
            "microseconds": quantiles(&self.measured.times),
            "failed": self.measured.failed,
            "processorMicrosecondsPerRequest": processor,
        })
    }
}

fn quantiles(times: &Histogram<u32>) -> Value {
    json!({
        "count": times.len(),
        "mean": times.mean(),
        "p50": times.value_at_quantile(0.5),
        "p99": times.value_at_quantile(0.99),
        "p999": times.value_at_quantile(0.999),
        "max": times.max(),
    })
}

fn processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}
