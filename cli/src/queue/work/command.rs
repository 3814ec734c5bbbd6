//! The command that does a task.

use std::{os::unix::process::ExitStatusExt, process::ExitStatus, process::Stdio};

use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::{Child, Command},
};

use super::queue::Task;
use crate::{
    exit::{Failure, Outcome},
    queue::shown::plain,
};

/// The most of what a command writes that is kept, in bytes: as much as a result may have, less its quotes.
const RESULT_BYTES_MAX: usize = 1 << 19;

/// The most of what it says of a failure that is kept, in bytes.
const ERROR_BYTES_MAX: usize = 8 << 10;

/// How a command ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// Well, with this result.
    Well(Value),
    /// Not well, and why.
    Badly(String),
}

/// A command that runs.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
    payload: Vec<u8>,
}

impl Running {
    /// Starts `command` for a task.
    pub(super) fn start(command: &str, task: &Task) -> Outcome<Self> {
        let text = |name: &str| plain(&task.body[name]);
        let child = Command::new("sh")
            .args(["-c", command])
            .env("ARCHIPEL_TASK_ID", &task.id)
            .env("ARCHIPEL_TASK_TYPE", text("type"))
            .env("ARCHIPEL_TASK_QUEUE", text("queue"))
            .env("ARCHIPEL_TASK_RETRIES", text("retries"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C is for the worker, which lets its commands come to an end.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| Failure::usage(format!("sh cannot be started: {error}.")))?;
        Ok(Self { child, payload: plain(&task.body["payload"]).into_bytes() })
    }

    /// Gives it the payload and waits for its end.
    pub(super) async fn end(&mut self) -> Ended {
        let mut stdin = self.child.stdin.take();
        let (payload, stdout, stderr) =
            (std::mem::take(&mut self.payload), self.child.stdout.take(), self.child.stderr.take());
        let feed = async move {
            if let Some(stdin) = &mut stdin {
                // A command need not read what it is given.
                let _ = stdin.write_all(&payload).await;
            }
            drop(stdin);
        };
        let ((), written, said, status) = tokio::join!(
            feed,
            collect(stdout, RESULT_BYTES_MAX + 1),
            collect(stderr, usize::MAX),
            self.child.wait(),
        );
        match status {
            Ok(status) if status.success() && written.len() > RESULT_BYTES_MAX => Ended::Badly(
                format!("It wrote more than {RESULT_BYTES_MAX} bytes, which is no result."),
            ),
            Ok(status) if status.success() => Ended::Well(result(&written)),
            Ok(status) => Ended::Badly(why(status, &said)),
            Err(error) => Ended::Badly(format!("Its end was not seen: {error}.")),
        }
    }

    /// Ends it now.
    pub(super) async fn kill(&mut self) {
        let _ = self.child.kill().await;
    }
}

/// What it wrote, as far as it is kept; the rest is read and dropped, so that it does not block.
async fn collect(pipe: Option<impl AsyncRead + Unpin>, bytes_max: usize) -> Vec<u8> {
    let (mut kept, mut piece) = (Vec::new(), vec![0; 16 << 10]);
    let Some(mut pipe) = pipe else {
        return kept;
    };
    while let Ok(count @ 1..) = pipe.read(&mut piece).await {
        kept.extend_from_slice(&piece[..count.min(bytes_max - kept.len())]);
        // Of a long complaint the end says why.
        if bytes_max == usize::MAX && kept.len() > 2 * ERROR_BYTES_MAX {
            kept.drain(..kept.len() - ERROR_BYTES_MAX);
        }
    }
    kept
}

/// JSON if it reads as JSON, and else a text without its last line end; null for nothing.
fn result(written: &[u8]) -> Value {
    let text = String::from_utf8_lossy(written);
    let text = text.trim_end();
    if text.is_empty() {
        return Value::Null;
    }
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}

fn why(status: ExitStatus, said: &[u8]) -> String {
    let how = match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "no reason known".to_owned(),
    };
    let said = String::from_utf8_lossy(&said[said.len().saturating_sub(ERROR_BYTES_MAX)..]);
    match said.trim_end() {
        "" => how,
        said => format!("{how}: {said}"),
    }
}

#[cfg(test)]
mod tests {
    use super::result;
    use serde_json::json;

    #[test]
    fn a_result_is_json_or_a_text() {
        assert_eq!(result(b"{\"sent\": true}\n"), json!({ "sent": true }));
        assert_eq!(result(b"hello world\n"), json!("hello world"));
        assert_eq!(result(b"\n"), json!(null));
        assert_eq!(result(b"7"), json!(7));
    }
}
