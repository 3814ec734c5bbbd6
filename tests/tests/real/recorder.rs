//! Everything that clients asked and were told, and the judgement over it.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use check::{Answer, Call, Event, EventKind, History, Limits, Process, Verdict};

/// How operations ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) reads: u64,
    pub(crate) writes: u64,
    pub(crate) refused: u64,
    pub(crate) unknown: u64,
}

/// A history in the making, shared by all clients of a test.
#[derive(Debug)]
pub(crate) struct Recorder {
    start: Instant,
    processes: AtomicU64,
    history: Mutex<History>,
}

impl Recorder {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            processes: AtomicU64::new(0),
            history: Mutex::new(History::default()),
        }
    }

    /// A process that nobody else is.
    pub(crate) fn process(&self) -> Process {
        Process(self.processes.fetch_add(1, Ordering::Relaxed))
    }

    /// Notes that `process` is about to ask.
    pub(crate) fn asks(&self, process: Process, key: &str, call: Call) {
        self.push(process, EventKind::Invoke { key: key.as_bytes().to_vec(), call });
    }

    /// Notes what `process` was told. Gives the process to go on as: after an outcome that nobody knows,
    /// it is another one.
    pub(crate) fn told(&self, process: Process, told: EventKind) -> Process {
        let is_over = told == EventKind::Info;
        self.push(process, told);
        if is_over { self.process() } else { process }
    }

    fn push(&self, process: Process, kind: EventKind) {
        let mut history = self.history();
        let since_start = self.start.elapsed().as_nanos();
        let time_ns = u64::try_from(since_start).expect("a test ends within 500 years");
        let pushed = history.push(Event { time_ns, process, kind });
        pushed.expect("a client asks one thing at a time and is told what it asked for");
    }

    fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All keys that anybody asked for.
    pub(crate) fn keys(&self) -> BTreeSet<String> {
        let history = self.history();
        let keys = history.operations().iter().map(|operation| &operation.key);
        keys.map(|key| String::from_utf8_lossy(key).into_owned()).collect()
    }

    /// How many writes were acknowledged so far, whatever they found.
    pub(crate) fn writes(&self) -> u64 {
        self.tally().writes
    }

    /// What there was.
    pub(crate) fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for event in self.history().events() {
            match &event.kind {
                EventKind::Ok(Answer::Found(_)) => tally.reads += 1,
                EventKind::Ok(_) => tally.writes += 1,
                EventKind::Fail => tally.refused += 1,
                EventKind::Info => tally.unknown += 1,
                EventKind::Invoke { .. } => {}
            }
        }
        tally
    }

    /// Judges the history: no acknowledged write is lost, and no read was stale. A history that is not
    /// linearizable is written into `folder`.
    pub(crate) fn judge(&self, folder: &Path) -> Tally {
        let history = self.history();
        match check::judge(&history, Limits::default()) {
            Verdict::Linearizable => {}
            Verdict::Broken(witness) => {
                let file = folder.join("history.txt");
                let lines: Vec<String> =
                    history.operations().iter().map(ToString::to_string).collect();
                fs::write(&file, lines.join("\n")).expect("the folder of the test can be written");
                let key = String::from_utf8_lossy(&witness.key).into_owned();
                panic!(
                    "the history is not linearizable at the key {key}, {witness}\nAll operations: {}",
                    file.display()
                );
            }
            Verdict::Unknown => panic!("the history is too entangled to be judged"),
        }
        drop(history);
        self.tally()
    }
}

#[cfg(test)]
mod tests {
    use std::env;

    use check::{Answer, Call, EventKind};

    use super::Recorder;

    /// What a recorder says of an acknowledged write and a read after it that found `found`.
    fn judge_read(found: Option<&str>) {
        let recorder = Recorder::new();
        let process = recorder.process();
        recorder.asks(process, "a", Call::Write(b"1".to_vec()));
        recorder.told(process, EventKind::Ok(Answer::Written));
        recorder.asks(process, "a", Call::Read);
        let found = found.map(|value| value.as_bytes().to_vec());
        recorder.told(process, EventKind::Ok(Answer::Found(found)));
        let tally = recorder.judge(&env::temp_dir());
        assert_eq!((tally.writes, tally.reads), (1, 1));
    }

    #[test]
    fn a_write_that_is_read_is_fine() {
        judge_read(Some("1"));
    }

    #[test]
    #[should_panic(expected = "not linearizable at the key a")]
    fn a_write_that_was_lost_is_noticed() {
        judge_read(None);
    }
}
