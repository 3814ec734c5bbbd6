//! What is in the work queue.

use queue::{Answer, Query};

use super::Page;
use crate::front::Front;

/// Writes how many tasks stand where, as this node has them, and who waits here.
pub(super) async fn write(front: &Front, page: &mut Page) {
    let waiting = u64::try_from(front.desk().waiting()).unwrap_or(u64::MAX);
    page.gauge("queue_consumers_waiting", "Consumers that wait at this node.", waiting);
    let Ok(reading) = front.desk().own_reading().await else {
        return;
    };
    let asked = tokio::task::spawn_blocking(move || Query::Totals.answer(&reading));
    let Ok(Ok(Answer::Totals { counts, .. })) = asked.await else {
        return;
    };
    page.head("queue_tasks", "Tasks by where they stand.", "gauge");
    let states = [
        ("ready", counts.ready),
        ("delayed", counts.delayed),
        ("reserved", counts.reserved),
        ("buried", counts.buried),
        ("completed", counts.completed),
        ("expired", counts.expired),
    ];
    for (state, count) in states {
        page.line("queue_tasks", &[("state", state)], count);
    }
    page.counter("queue_puts_total", "Tasks put.", counts.puts);
    page.counter("queue_deliveries_total", "Tasks handed out.", counts.deliveries);
    page.counter("queue_completions_total", "Tasks completed.", counts.completions);
    page.counter("queue_failures_total", "Attempts that failed.", counts.failures);
    page.counter("queue_timeouts_total", "Leases that ran out.", counts.timeouts);
    page.counter("queue_expirations_total", "Tasks that expired.", counts.expirations);
    page.counter("queue_deletions_total", "Tasks deleted.", counts.deletions);
}
