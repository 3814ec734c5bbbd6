//! A client of Redis that has tasks in a stream: `XADD`, `XREADGROUP`, and `XACK` with `XDEL`, so that what is done is
//! gone.

use super::worker::{TASK_BYTES, Wire};

#[derive(Debug)]
pub(crate) struct Client {
    wire: Wire,
    name: String,
}

impl Client {
    pub(crate) async fn new(wire: Wire, number: usize) -> Result<Self, String> {
        let mut client = Self { wire, name: format!("worker{number}") };
        client
            .wire
            .send(&words(&["XGROUP", "CREATE", "tasks", "workers", "0", "MKSTREAM"]))
            .await?;
        // That it is there already is as good.
        let said = client.wire.line().await?;
        if said == "+OK" || said.starts_with("-BUSYGROUP") { Ok(client) } else { Err(said) }
    }

    pub(crate) async fn put_many(&mut self, tasks: usize) -> Result<(), String> {
        let put = words(&["XADD", "tasks", "*", "task", &"t".repeat(TASK_BYTES)]);
        self.wire.send(&put.repeat(tasks)).await?;
        for _ in 0..tasks {
            self.text().await?;
        }
        Ok(())
    }

    /// Takes a task; gives its number.
    pub(crate) async fn take(&mut self) -> Result<String, String> {
        let group = ["XREADGROUP", "GROUP", "workers", &self.name];
        let rest = ["COUNT", "1", "BLOCK", "0", "STREAMS", "tasks", ">"];
        let take = words(&[&group[..], &rest[..]].concat());
        self.wire.send(&take).await?;
        // One stream of one: its name, then one task: its number, then its one field and value.
        for _ in 0..2 {
            self.wire.line().await?;
        }
        self.text().await?;
        for _ in 0..2 {
            self.wire.line().await?;
        }
        let number = self.text().await?;
        self.wire.line().await?;
        self.text().await?;
        self.text().await?;
        Ok(number)
    }

    pub(crate) async fn complete(&mut self, number: &str) -> Result<(), String> {
        let both =
            [words(&["XACK", "tasks", "workers", number]), words(&["XDEL", "tasks", number])];
        self.wire.send(&both.concat()).await?;
        for _ in 0..2 {
            let said = self.wire.line().await?;
            if said != ":1" {
                return Err(format!("a task could not be completed: {said}"));
            }
        }
        Ok(())
    }

    /// A text with its length before it.
    async fn text(&mut self) -> Result<String, String> {
        let line = self.wire.line().await?;
        let bytes = line.strip_prefix('$').and_then(|bytes| bytes.parse().ok());
        let body = self.wire.body(bytes.ok_or(line)?).await?;
        String::from_utf8(body).map_err(|error| error.to_string())
    }
}

/// A command of these words.
fn words(words: &[&str]) -> Vec<u8> {
    let mut command = format!("*{}\r\n", words.len());
    for word in words {
        command.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    command.into_bytes()
}
