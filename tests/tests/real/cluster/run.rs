//! Commands that end by themselves, and what they said.

use std::{
    io::Read,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::program;

/// No command that should end takes longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code; nothing after a signal.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs `archipel` with these words to its end.
pub(crate) fn archipel(words: &[&str]) -> Ended {
    let mut command = Command::new(program());
    command.args(words);
    run_to_end(command)
}

/// Runs a command that should end by itself.
pub(crate) fn run_to_end(mut command: Command) -> Ended {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary can be started");
    let stdout = collect(child.stdout.take().expect("it is piped"));
    let stderr = collect(child.stderr.take().expect("it is piped"));
    let deadline = Instant::now() + PATIENCE;
    let is_running = |child: &mut Child| child.try_wait().is_ok_and(|status| status.is_none());
    while is_running(&mut child) && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(5));
    }
    let is_late = is_running(&mut child);
    let _ = child.kill();
    let status = child.wait().expect("a child can be waited for");
    let text = |thread: thread::JoinHandle<String>| thread.join().expect("reading does not panic");
    let (stdout, stderr) = (text(stdout), text(stderr));
    assert!(!is_late, "{command:?} should have ended by itself; it said\n{stdout}\n{stderr}");
    Ended { code: status.code(), stdout, stderr }
}

fn collect(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

impl Ended {
    /// Checks the exit code, and that the last line is a sentence that has these words.
    #[track_caller]
    pub(crate) fn expect(&self, code: i32, words: &str) {
        assert_eq!(self.code, Some(code), "{self:?}");
        let sentence = self.stderr.lines().rfind(|line| !line.is_empty()).unwrap_or_default();
        let whole = self.stderr.replace('\n', " ");
        assert!(whole.contains(words), "{words:?} is not in {:?}", self.stderr);
        assert!(sentence.ends_with(['.', ';', ')']), "{sentence:?} is no sentence");
    }
}
