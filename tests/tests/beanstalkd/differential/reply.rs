//! Replies, and what of them can be compared.

use std::io::{self, BufRead};

/// What no two servers have in common, by the beginnings of lines.
const MASKED: [&str; 25] = [
    "age:",
    // Looking counts, and how often one has to look is chance.
    "cmd-stats:",
    // beanstalkd counts some that are malformed.
    "cmd-put:",
    "time-left:",
    // Ours is that of the next attempt once one has failed, which a lost connection is.
    "delay:",
    "pause:",
    "pause-time-left:",
    "total-jobs:",
    "total-connections:",
    "pid:",
    "version:",
    "rusage-utime:",
    "rusage-stime:",
    "uptime:",
    "binlog-oldest-index:",
    "binlog-current-index:",
    "binlog-records-migrated:",
    "binlog-records-written:",
    "binlog-max-size:",
    "draining:",
    "id: ",
    "hostname:",
    "os:",
    "platform:",
    "file:",
];

/// A reply: its line, and its body if it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) line: String,
    pub(super) body: Option<Vec<u8>>,
}

impl Reply {
    /// Reads one.
    pub(super) fn read(stream: &mut impl BufRead) -> io::Result<Self> {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end_matches("\r\n").to_owned();
        let has_body = ["RESERVED ", "FOUND ", "OK "].iter().any(|word| line.starts_with(word));
        let length = line.rsplit(' ').next().and_then(|length| length.parse::<usize>().ok());
        let Some(length) = length.filter(|_| has_body) else {
            return Ok(Self { line, body: None });
        };
        let mut body = vec![0; length + 2];
        stream.read_exact(&mut body)?;
        assert_eq!(body.split_off(length), b"\r\n", "a body ends with the end of a line");
        Ok(Self { line, body: Some(body) })
    }

    /// The number of the job that it names, if it does.
    pub(super) fn job(&self) -> Option<u64> {
        let mut words = self.line.split(' ');
        let word = words.next()?;
        let names_job = ["INSERTED", "RESERVED", "FOUND"].contains(&word);
        words.next().filter(|_| names_job)?.parse().ok()
    }

    /// What two servers must have in common, with the job by its name in the script.
    pub(super) fn comparable(&self, job: Option<String>) -> String {
        let word = self.line.split(' ').next().unwrap_or_default();
        if let Some(job) = job {
            return format!("{word} {job} {:?}", self.body.as_deref().map(String::from_utf8_lossy));
        }
        match &self.body {
            Some(page) => format!("{word} {}", page_of(&String::from_utf8_lossy(page))),
            None => self.line.clone(),
        }
    }
}

/// A page without what differs anyway. The order of tubes is nobody's promise.
fn page_of(page: &str) -> String {
    let is_common = |line: &&str| !MASKED.iter().any(|masked| line.starts_with(masked));
    let mut lines: Vec<&str> = page.lines().filter(is_common).collect();
    lines.sort_unstable();
    lines.join(" | ")
}
