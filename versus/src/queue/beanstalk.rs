//! A client of the protocol of beanstalkd.

use std::fmt::Write;

use super::worker::{TASK_BYTES, Wire};

#[derive(Debug)]
pub(crate) struct Client {
    wire: Wire,
}

impl Client {
    pub(crate) const fn new(wire: Wire) -> Self {
        Self { wire }
    }

    pub(crate) async fn put_many(&mut self, tasks: usize) -> Result<(), String> {
        let put = format!("put 65536 0 120 {TASK_BYTES}\r\n{}\r\n", "t".repeat(TASK_BYTES));
        self.wire.send(put.repeat(tasks).as_bytes()).await?;
        for _ in 0..tasks {
            expect("INSERTED ", &self.wire.line().await?)?;
        }
        Ok(())
    }

    /// Takes a job; gives its number.
    pub(crate) async fn take(&mut self) -> Result<String, String> {
        self.wire.send(b"reserve\r\n").await?;
        let line = self.wire.line().await?;
        let mut words = expect("RESERVED ", &line)?.split(' ');
        let (job, bytes) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        self.wire.body(bytes.parse().map_err(|_| line.clone())?).await?;
        Ok(job.to_owned())
    }

    pub(crate) async fn complete(&mut self, job: &str) -> Result<(), String> {
        let mut delete = String::with_capacity(32);
        write!(delete, "delete {job}\r\n").expect("writing to a string never fails");
        self.wire.send(delete.as_bytes()).await?;
        expect("DELETED", &self.wire.line().await?).map(drop)
    }
}

/// What follows the words that were expected.
fn expect<'a>(words: &str, line: &'a str) -> Result<&'a str, String> {
    line.strip_prefix(words).ok_or_else(|| format!("{words:?} was expected, not {line:?}"))
}
