//! What a host counts.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant as SystemInstant},
};

use hdrhistogram::Histogram;
use kernel::{NodeId, Role};

use crate::mailbox::lock;

/// A number that threads change and anybody reads.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn sub(&self, count: u64) {
        self.0.fetch_sub(count, Ordering::Relaxed);
    }

    pub(crate) fn set(&self, number: u64) {
        self.0.store(number, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A distribution of times, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quantiles {
    /// How many were measured.
    pub count: u64,
    /// Half were at most this.
    pub p50: u64,
    /// Nine of ten were at most this.
    pub p90: u64,
    /// 99 of 100 were at most this.
    pub p99: u64,
    /// 999 of 1000 were at most this.
    pub p999: u64,
    /// The longest.
    pub max: u64,
}

/// What a host has counted since its start, and what is waiting now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostMetrics {
    /// Since the start, milliseconds.
    pub uptime_ms: u64,
    /// Flushes of the log.
    pub fsyncs: u64,
    /// How long they took.
    pub fsync_us: Quantiles,
    /// Bytes written to the log.
    pub log_bytes_written: u64,
    /// Batches written to the log.
    pub log_batches: u64,
    /// Records written to the log.
    pub records_persisted: u64,
    /// Bytes that wait to be written to the log, now.
    pub log_queue_bytes: u64,
    /// Messages received from other nodes.
    pub messages_in: u64,
    /// Messages sent to other nodes.
    pub messages_out: u64,
    /// Bytes of messages received.
    pub message_bytes_in: u64,
    /// Bytes of messages sent.
    pub message_bytes_out: u64,
    /// Messages dropped because their receiver could not be reached or did not keep up.
    pub messages_dropped: u64,
    /// Frames that did not match their checksum or made no sense.
    pub frames_damaged: u64,
    /// Connections refused by this node or by the other one.
    pub peers_refused: u64,
    /// Requests taken from clients of this process.
    pub requests: u64,
    /// Requests refused, by the host or by the node.
    pub requests_refused: u64,
    /// Requests that wait for their outcome, now.
    pub requests_waiting: u64,
    /// Entries given to the state machine.
    pub entries_applied: u64,
    /// Bytes of entries that wait to be applied, now.
    pub apply_queue_bytes: u64,
    /// The last entry applied.
    pub applied_index: u64,
    /// The last entry whose effect on the tables is durable.
    pub durable_index: u64,
    /// Flushes of the tables.
    pub table_flushes: u64,
    /// Times that the tables were read through and found whole.
    pub tables_verified: u64,
    /// How long the last flush of the tables took, milliseconds.
    pub table_flush_ms_last: u64,
    /// How large the file of the tables is since then, bytes.
    pub tables_file_bytes: u64,
    /// Elections that this node began.
    pub elections_started: u64,
    /// Terms in which this node led.
    pub leaderships: u64,
    /// The node's part.
    pub role: Role,
    /// Its term.
    pub term: u64,
    /// Who leads, as far as it knows.
    pub leader: Option<NodeId>,
    /// True while there is no room for another segment of the log.
    pub disk_full: bool,
    /// True while there is no room for a flush of the tables.
    pub tables_lack_room: bool,
    /// Snapshots delivered to other nodes.
    pub snapshots_sent: u64,
    /// Snapshots received whole.
    pub snapshots_received: u64,
}

/// Role, term and leader, which change together.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Part {
    pub(crate) role: Role,
    pub(crate) term: u64,
    pub(crate) leader: Option<NodeId>,
}

/// The numbers behind [`HostMetrics`].
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    start: StartTime,
    log_flushes: Mutex<FlushTimes>,
    pub(crate) part: Mutex<Part>,
    pub(crate) log_bytes_written: Counter,
    pub(crate) log_batches: Counter,
    pub(crate) records_persisted: Counter,
    pub(crate) log_queue_bytes: Counter,
    pub(crate) messages_in: Counter,
    pub(crate) messages_out: Counter,
    pub(crate) message_bytes_in: Counter,
    pub(crate) message_bytes_out: Counter,
    pub(crate) messages_dropped: Counter,
    pub(crate) frames_damaged: Counter,
    pub(crate) peers_refused: Counter,
    pub(crate) requests: Counter,
    pub(crate) requests_refused: Counter,
    pub(crate) requests_waiting: Counter,
    pub(crate) entries_applied: Counter,
    pub(crate) apply_queue_bytes: Counter,
    pub(crate) applied_index: Counter,
    pub(crate) durable_index: Counter,
    pub(crate) table_flushes: Counter,
    pub(crate) tables_verified: Counter,
    pub(crate) table_flush_ms_last: Counter,
    pub(crate) tables_file_bytes: Counter,
    pub(crate) elections_started: Counter,
    pub(crate) leaderships: Counter,
    pub(crate) disk_full: Counter,
    pub(crate) tables_lack_room: Counter,
    pub(crate) snapshots_sent: Counter,
    pub(crate) snapshots_received: Counter,
}

/// When the host started.
#[derive(Debug)]
struct StartTime(SystemInstant);

impl Default for StartTime {
    fn default() -> Self {
        Self(SystemInstant::now())
    }
}

/// How long the flushes of the log took, microseconds.
#[derive(Debug)]
struct FlushTimes(Histogram<u64>);

impl Default for FlushTimes {
    fn default() -> Self {
        let minute_us = 60_000_000;
        let times = Histogram::new_with_bounds(1, minute_us, 2)
            .expect("a histogram from 1 microsecond to 1 minute with 2 digits can be made");
        Self(times)
    }
}

impl Metrics {
    pub(crate) fn flushed_log(&self, took: Duration) {
        lock(&self.log_flushes).0.saturating_record(microseconds(took));
    }

    pub(crate) fn snapshot(&self) -> HostMetrics {
        let part = *lock(&self.part);
        let fsync_us = quantiles(&lock(&self.log_flushes).0);
        HostMetrics {
            uptime_ms: microseconds(self.start.0.elapsed()) / 1000,
            fsyncs: fsync_us.count,
            fsync_us,
            log_bytes_written: self.log_bytes_written.get(),
            log_batches: self.log_batches.get(),
            records_persisted: self.records_persisted.get(),
            log_queue_bytes: self.log_queue_bytes.get(),
            messages_in: self.messages_in.get(),
            messages_out: self.messages_out.get(),
            message_bytes_in: self.message_bytes_in.get(),
            message_bytes_out: self.message_bytes_out.get(),
            messages_dropped: self.messages_dropped.get(),
            frames_damaged: self.frames_damaged.get(),
            peers_refused: self.peers_refused.get(),
            requests: self.requests.get(),
            requests_refused: self.requests_refused.get(),
            requests_waiting: self.requests_waiting.get(),
            entries_applied: self.entries_applied.get(),
            apply_queue_bytes: self.apply_queue_bytes.get(),
            applied_index: self.applied_index.get(),
            durable_index: self.durable_index.get(),
            table_flushes: self.table_flushes.get(),
            tables_verified: self.tables_verified.get(),
            table_flush_ms_last: self.table_flush_ms_last.get(),
            tables_file_bytes: self.tables_file_bytes.get(),
            elections_started: self.elections_started.get(),
            leaderships: self.leaderships.get(),
            role: part.role,
            term: part.term,
            leader: part.leader,
            disk_full: self.disk_full.get() != 0,
            tables_lack_room: self.tables_lack_room.get() != 0,
            snapshots_sent: self.snapshots_sent.get(),
            snapshots_received: self.snapshots_received.get(),
        }
    }
}

fn quantiles(histogram: &Histogram<u64>) -> Quantiles {
    Quantiles {
        count: histogram.len(),
        p50: histogram.value_at_quantile(0.5),
        p90: histogram.value_at_quantile(0.9),
        p99: histogram.value_at_quantile(0.99),
        p999: histogram.value_at_quantile(0.999),
        max: histogram.max(),
    }
}

fn microseconds(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
