//! What was measured, as a table and as JSON.

use std::thread;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use super::{client::Measured, disk, kv::Operation, processor::Spent};
use crate::table::Table;

/// All steps.
#[derive(Debug)]
pub(super) struct Report {
    disk: Histogram<u32>,
    /// The median of each measurement of the disk.
    disk_medians: Vec<u64>,
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
    pub(super) fn new(value_bytes: u32, keys: u32) -> Self {
        let (disk, disk_medians, lines) = (disk::no_times(), Vec::new(), Vec::new());
        Self { disk, disk_medians, value_bytes, keys, lines }
    }

    /// Adds a measurement of the disk itself.
    pub(super) fn add_disk(&mut self, times: &Histogram<u32>) {
        self.disk.add(times).expect("all measurements of the disk have the same bounds");
        self.disk_medians.push(times.value_at_quantile(0.5));
    }

    /// True once the disk itself has been measured.
    pub(super) fn has_disk(&self) -> bool {
        !self.disk.is_empty()
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
            if !is_steady(&self.disk_medians) {
                println!(
                    "But the disk was not steady (p50 before and after: {:?}): measure again while \
                     nothing else uses it.",
                    self.disk_medians
                );
            }
        }
    }

    /// All of it for programs.
    pub(super) fn json(&self) -> Value {
        json!({
            "processors": processors(),
            "keys": self.keys,
            "valueBytes": self.value_bytes,
            "fdatasync": quantiles(&self.disk),
            "fdatasyncMedians": self.disk_medians,
            "fdatasyncWasSteady": is_steady(&self.disk_medians),
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

/// True if the measurements are near each other: a comparison with them then means something.
fn is_steady(medians: &[u64]) -> bool {
    let (least, most) = (medians.iter().min(), medians.iter().max());
    least.zip(most).is_none_or(|(least, most)| *most <= 2 * (*least).max(1))
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

#[cfg(test)]
mod tests {
    use super::is_steady;

    #[test]
    fn a_disk_whose_time_doubles_within_a_step_is_not_steady() {
        assert!(is_steady(&[]) && is_steady(&[30]) && is_steady(&[30, 60]) && is_steady(&[0, 2]));
        assert!(!is_steady(&[30, 61]) && !is_steady(&[900, 40]));
    }
}
