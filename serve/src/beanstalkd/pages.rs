//! The pages of statistics, line by line as beanstalkd 1.12 has them.

use kernel::Stamp;
use queue::{
    Counts, Details, Report, State,
    protocol::{Dictionary, Verb},
};

use super::{JOB_BYTES_MAX, Server, census::OfTube};

const MS_PER_S: u64 = 1000;
const NS_PER_S: u64 = 1_000_000_000;

/// The version of beanstalkd whose protocol this is.
const VERSION: &str = "\"1.12\"";

/// `stats-job`.
pub(super) fn of_job(details: &Details, now: Stamp) -> String {
    let task = &details.task;
    let (state, until) = match task.state {
        State::Ready => ("ready", now),
        State::Delayed { until } => ("delayed", until),
        State::Reserved { due, .. } => ("reserved", due),
        State::Buried { .. } => ("buried", now),
        State::Completed { .. } | State::Expired { .. } => unreachable!("what is over is no job"),
    };
    Dictionary::default()
        .line("id", details.id)
        .name_line("tube", &task.queue)
        .line("state", state)
        .line("pri", task.priority)
        .line("age", seconds(now, task.created))
        .line("delay", task.delay_ms / MS_PER_S)
        .line("ttr", task.lease_ms.div_ceil(MS_PER_S))
        .line("time-left", seconds(until, now))
        .line("file", 0)
        .line("reserves", task.deliveries)
        .line("timeouts", task.timeouts)
        .line("releases", task.releases)
        .line("buries", task.buries)
        .line("kicks", task.kicks)
        .into_page()
}

/// `stats-tube`.
pub(super) fn of_tube(report: &Report, clients: OfTube, now: Stamp) -> String {
    let counts = &report.counts;
    let pause_ns = report.paused_until.map_or(0, |until| until.0.saturating_sub(now.0));
    Dictionary::default()
        .name_line("name", &report.queue)
        .line("current-jobs-urgent", counts.urgent)
        .line("current-jobs-ready", counts.ready)
        .line("current-jobs-reserved", counts.reserved)
        .line("current-jobs-delayed", counts.delayed)
        .line("current-jobs-buried", counts.buried)
        .line("total-jobs", counts.puts)
        .line("current-using", clients.using)
        .line("current-watching", clients.watching)
        .line("current-waiting", clients.waiting)
        .line("cmd-delete", counts.deletions)
        .line("cmd-pause-tube", counts.pauses)
        .line("pause", pause_ns.div_ceil(NS_PER_S))
        .line("pause-time-left", pause_ns / NS_PER_S)
        .into_page()
}

/// `stats`: jobs are those of the cluster; clients and commands are those of this node.
pub(super) fn of_server(server: &Server, counts: &Counts, tubes: usize) -> String {
    let totals = server.census.totals().clone();
    let mut page = Dictionary::default()
        .line("current-jobs-urgent", counts.urgent)
        .line("current-jobs-ready", counts.ready)
        .line("current-jobs-reserved", counts.reserved)
        .line("current-jobs-delayed", counts.delayed)
        .line("current-jobs-buried", counts.buried);
    for (name, verb) in COMMANDS {
        page = page.line(name, totals.commands.get(&verb).copied().unwrap_or_default());
    }
    page.line("job-timeouts", counts.timeouts)
        .line("total-jobs", counts.puts)
        .line("max-job-size", JOB_BYTES_MAX)
        .line("current-tubes", tubes)
        .line("current-connections", totals.connections)
        .line("current-producers", totals.producers)
        .line("current-workers", totals.workers)
        .line("current-waiting", totals.waiting)
        .line("total-connections", totals.connections_ever)
        .line("pid", std::process::id())
        .line("version", VERSION)
        // What a process has used of its processor is for others to say.
        .line("rusage-utime", "0.000000")
        .line("rusage-stime", "0.000000")
        .line("uptime", server.started.elapsed().as_secs())
        .line("binlog-oldest-index", 0)
        .line("binlog-current-index", 0)
        .line("binlog-records-migrated", 0)
        .line("binlog-records-written", server.front.node.status().last)
        .line("binlog-max-size", 0)
        .line("draining", false)
        .line("id", format_args!("{:016x}", server.front.node.me().node.0))
        .name_line("hostname", server.front.name.as_bytes())
        .line("os", std::env::consts::OS)
        .line("platform", std::env::consts::ARCH)
        .into_page()
}

/// The commands that are counted, under their names there.
const COMMANDS: [(&str, Verb); 22] = [
    ("cmd-put", Verb::Put),
    ("cmd-peek", Verb::Peek),
    ("cmd-peek-ready", Verb::PeekReady),
    ("cmd-peek-delayed", Verb::PeekDelayed),
    ("cmd-peek-buried", Verb::PeekBuried),
    ("cmd-reserve", Verb::Reserve),
    ("cmd-reserve-with-timeout", Verb::ReserveWithTimeout),
    ("cmd-delete", Verb::Delete),
    ("cmd-release", Verb::Release),
    ("cmd-use", Verb::Use),
    ("cmd-watch", Verb::Watch),
    ("cmd-ignore", Verb::Ignore),
    ("cmd-bury", Verb::Bury),
    ("cmd-kick", Verb::Kick),
    ("cmd-touch", Verb::Touch),
    ("cmd-stats", Verb::Stats),
    ("cmd-stats-job", Verb::StatsJob),
    ("cmd-stats-tube", Verb::StatsTube),
    ("cmd-list-tubes", Verb::ListTubes),
    ("cmd-list-tube-used", Verb::ListTubeUsed),
    ("cmd-list-tubes-watched", Verb::ListTubesWatched),
    ("cmd-pause-tube", Verb::PauseTube),
];

/// Whole seconds from one moment to a later one.
const fn seconds(later: Stamp, earlier: Stamp) -> u64 {
    later.0.saturating_sub(earlier.0) / NS_PER_S
}
