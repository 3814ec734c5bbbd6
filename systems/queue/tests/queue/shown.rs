//! Answers as the scripts show them.

use std::fmt::Write as _;

use kernel::Stamp;
use queue::{Answer, AttemptEnd, Counts, Details, Report, Sleepers, State, Taken};

/// An answer, in a line or a few.
pub(crate) fn show(answer: &Answer) -> String {
    match answer {
        Answer::Put { task, is_duplicate: false } => format!("task {task}"),
        Answer::Put { task, is_duplicate: true } => format!("task {task} was there"),
        Answer::Taken { tasks, .. } if tasks.is_empty() => "nothing".to_owned(),
        Answer::Taken { tasks, .. } => tasks.iter().map(show_taken).collect::<Vec<_>>().join("\n"),
        Answer::Now(state) => show_state(*state),
        Answer::Done => "done".to_owned(),
        Answer::Kicked { sleepers, count } => match sleepers {
            Sleepers::Delayed => format!("kicked {count} delayed"),
            _ => format!("kicked {count} buried"),
        },
        Answer::Count { count, more } => format!("{count}{}", and_more(*more)),
        Answer::Invalid(invalid) => format!("invalid: {invalid}"),
        Answer::Failed(failure) => format!("failed: {failure}"),
        Answer::Found(details) => show_details(details),
        Answer::Missing => "missing".to_owned(),
        Answer::Page { tasks, more } => {
            let tasks: Vec<String> = tasks.iter().map(show_details).collect();
            format!("{} on the page{}{}", tasks.len(), and_more(*more), lines(&tasks))
        }
        Answer::Queue(report) => show_report(report),
        Answer::Names { names, more } => {
            let names: Vec<_> = names.iter().map(|name| String::from_utf8_lossy(name)).collect();
            format!("queues: {}{}", names.join(" "), and_more(*more))
        }
        Answer::Totals { counts, .. } => show_counts(counts),
        Answer::Held { tasks, .. } if tasks.is_empty() => "holds nothing".to_owned(),
        Answer::Held { tasks, .. } => {
            let held = tasks.iter().map(|held| format!("task {} until {}", held.task, held.due));
            format!("holds {}", held.collect::<Vec<_>>().join(", "))
        }
        Answer::Ready(is_ready) => if *is_ready { "ready" } else { "not ready" }.to_owned(),
    }
}

fn show_taken(taken: &Taken) -> String {
    let payload = String::from_utf8_lossy(&taken.payload);
    let mut shown = format!("task {} token {}", taken.task, taken.token);
    let _ = write!(shown, " of {}", String::from_utf8_lossy(&taken.queue));
    if !taken.kind.is_empty() {
        let _ = write!(shown, " kind {}", String::from_utf8_lossy(&taken.kind));
    }
    if taken.failures > 0 {
        let _ = write!(shown, ", failed {} times", taken.failures);
    }
    let _ = write!(shown, ", until {}: {payload}", taken.due);
    shown
}

fn show_state(state: State) -> String {
    match state {
        State::Ready => "ready".to_owned(),
        State::Delayed { until } => format!("delayed until {until}"),
        State::Reserved { due, holder: None, .. } => format!("reserved until {due}"),
        State::Reserved { due, holder: Some(holder), .. } => {
            format!("reserved until {due} by connection {}", holder.connection)
        }
        State::Buried { place } => format!("buried at place {place}"),
        State::Completed { gone, .. } => format!("completed, gone at {gone}"),
        State::Expired { gone, .. } => format!("expired, gone at {gone}"),
    }
}

fn show_details(details: &Details) -> String {
    let task = &details.task;
    let mut shown = format!("task {}: {}", details.id, show_state(task.state));
    let _ = write!(shown, ", priority {}, failures {}", task.priority, task.failures);
    for (count, what) in
        [(task.timeouts, "timeouts"), (task.releases, "releases"), (task.kicks, "kicks")]
    {
        if count > 0 {
            let _ = write!(shown, ", {what} {count}");
        }
    }
    if !details.result.is_empty() {
        let _ = write!(shown, ", result {}", String::from_utf8_lossy(&details.result));
    }
    for attempt in &details.attempts {
        let how = match attempt.how {
            AttemptEnd::Failed => "failed",
            AttemptEnd::TimedOut => "timed out",
            AttemptEnd::Lost => "lost",
            AttemptEnd::Released => "released",
            AttemptEnd::Buried => "buried",
        };
        let _ = write!(shown, "\n  {}: {} to {}", attempt.delivery, attempt.since, attempt.ended);
        let _ = write!(shown, " {how} {}", String::from_utf8_lossy(&attempt.error));
    }
    shown.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

fn show_report(report: &Report) -> String {
    let pause = match report.paused_until {
        None => String::new(),
        Some(Stamp(u64::MAX)) => "\n  paused until it is resumed".to_owned(),
        Some(until) => format!("\n  paused until {until}"),
    };
    let settings = &report.settings;
    let shown = show_counts(&report.counts);
    format!(
        "{shown}\n  length {}, lease {} ms, attempts {}, retention {} ms{pause}",
        settings.length_max, settings.lease_ms, settings.retry.attempts_max, settings.retention_ms
    )
}

/// Only what is not 0.
fn show_counts(counts: &Counts) -> String {
    let fields = [
        ("ready", counts.ready),
        ("urgent", counts.urgent),
        ("delayed", counts.delayed),
        ("reserved", counts.reserved),
        ("buried", counts.buried),
        ("completed", counts.completed),
        ("expired", counts.expired),
        ("puts", counts.puts),
        ("deliveries", counts.deliveries),
        ("completions", counts.completions),
        ("failures", counts.failures),
        ("timeouts", counts.timeouts),
        ("expirations", counts.expirations),
        ("deletions", counts.deletions),
        ("pauses", counts.pauses),
    ];
    let shown = fields.iter().filter(|(_, count)| *count > 0);
    let shown: Vec<String> = shown.map(|(name, count)| format!("{name} {count}")).collect();
    if shown.is_empty() { "nothing counted".to_owned() } else { shown.join(", ") }
}

fn lines(parts: &[String]) -> String {
    parts.iter().map(|part| format!("\n  {}", part.replace('\n', "\n  "))).collect()
}

const fn and_more(more: bool) -> &'static str {
    if more { ", and more" } else { "" }
}
