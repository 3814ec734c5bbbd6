//! One node's process: started, ended, started again after a moment.

use std::{
    env, fs,
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom},
    os::unix::process::{CommandExt, ExitStatusExt},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

/// How long to wait before the first new start; each further one waits twice as long.
const PAUSE_MIN: Duration = Duration::from_millis(500);
/// The longest wait before a new start.
const PAUSE_MAX: Duration = Duration::from_secs(8);
/// A node that ran this long was well: the waits begin anew.
const WELL: Duration = Duration::from_secs(10);
/// A log file above this size is put aside at a start.
const LOG_BYTES_MAX: u64 = 16 << 20;
/// How much of a log file to look through for the last words.
const LAST_WORDS_BYTES: u64 = 4096;
/// Variables of the environment that are meant for a node started by hand.
const NOT_FOR_CHILDREN: [&str; 5] =
    ["NODE_ID", "PORT", "PEER_IDS", "CLUSTER_TOKEN", "ARCHIPEL_CONFIG"];

/// One node's process.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) name: String,
    log_file: PathBuf,
    child: Option<Child>,
    started: Instant,
    pause: Duration,
    /// When to start it next, while it does not run.
    start_at: Instant,
}

/// How a process ended.
#[derive(Debug)]
pub(super) struct End {
    pub(super) process_id: u32,
    pub(super) code: Option<i32>,
    /// In words: "exit code 2", "signal 9".
    pub(super) how: String,
    /// The last words that it wrote for people.
    pub(super) words: Option<String>,
    /// In how long it will be started again.
    pub(super) pause: Duration,
}

impl Process {
    /// A process to be started at once.
    pub(super) fn new(name: String, log_file: PathBuf) -> Self {
        let now = Instant::now();
        Self { name, log_file, child: None, started: now, pause: PAUSE_MIN, start_at: now }
    }

    /// The id of the running process.
    pub(super) fn process_id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// The node's log file.
    pub(super) fn log_file(&self) -> &Path {
        &self.log_file
    }

    /// True if it does not run and its time to start has come.
    pub(super) fn is_due(&self) -> bool {
        self.child.is_none() && Instant::now() >= self.start_at
    }

    /// Starts it with these words of `archipel node`.
    pub(super) fn start(&mut self, words: &[String]) -> io::Result<()> {
        let log = self.open_log()?;
        let mut command = Command::new(env::current_exe()?);
        for variable in NOT_FOR_CHILDREN {
            command.env_remove(variable);
        }
        // The pipe on standard input closes with this process, whatever ends it: then the node stops.
        // A process group of its own: Ctrl-C is for this process, which then stops the nodes.
        command
            .arg("node")
            .args(words)
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0);
        self.child = Some(command.spawn()?);
        self.started = Instant::now();
        Ok(())
    }

    /// How it ended, if it just has.
    pub(super) fn ended(&mut self) -> Option<End> {
        let child = self.child.as_mut()?;
        let process_id = child.id();
        let status = child.try_wait().ok().flatten()?;
        self.child = None;
        if self.started.elapsed() >= WELL {
            self.pause = PAUSE_MIN;
        }
        let pause = self.pause;
        self.start_at = Instant::now() + pause;
        self.pause = (pause * 2).min(PAUSE_MAX);
        let words = self.last_words();
        Some(End { process_id, code: status.code(), how: describe(status), words, pause })
    }

    /// Asks it to stop.
    pub(super) fn ask_to_stop(&mut self) {
        if let Some(child) = &mut self.child {
            drop(child.stdin.take());
        }
    }

    /// Ends it now.
    pub(super) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    fn open_log(&self) -> io::Result<File> {
        let is_long = fs::metadata(&self.log_file).is_ok_and(|file| file.len() > LOG_BYTES_MAX);
        if is_long {
            fs::rename(&self.log_file, self.log_file.with_extension("log.old"))?;
        }
        OpenOptions::new().create(true).append(true).open(&self.log_file)
    }

    fn last_words(&self) -> Option<String> {
        let mut file = File::open(&self.log_file).ok()?;
        let length = file.metadata().ok()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(LAST_WORDS_BYTES))).ok()?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        let last = text.lines().rfind(|line| !line.trim().is_empty())?;
        last.strip_prefix("archipel: ").map(str::to_owned)
    }
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "no reason known".to_owned(),
    }
}
