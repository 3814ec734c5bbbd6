//! What `archipel up` shows: a live table on a terminal, a line per change elsewhere.

use std::{
    collections::VecDeque,
    env,
    io::{IsTerminal, Write, stdout},
    path::Path,
};

use serve::System;

use super::{folder::ClusterFolder, health::Health, ports};
use crate::table::{Table, cut, height, width};

/// How many of the last events the table shows.
const EVENTS_SHOWN: usize = 6;

/// One node in the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) address: String,
    pub(super) process_id: Option<u32>,
    pub(super) health: Option<Health>,
}

/// What is shown, and what was shown last.
#[derive(Debug)]
pub(super) struct View {
    is_terminal: bool,
    title: String,
    system: System,
    program: String,
    first_address: String,
    /// The first node's port for clients of beanstalkd.
    beanstalkd_port: Option<u16>,
    events: VecDeque<String>,
    shown: Vec<String>,
    is_ready: bool,
}

impl View {
    /// A view of the cluster in `folder`.
    pub(super) fn new(folder: &ClusterFolder) -> Self {
        let count = match folder.nodes() {
            1 => "one node".to_owned(),
            nodes => format!("{nodes} nodes"),
        };
        let (system, path) = (folder.system(), folder.path().display());
        Self {
            is_terminal: stdout().is_terminal(),
            title: format!("archipel: a cluster of {count} that run {system}, its data in {path}"),
            system,
            program: program(),
            first_address: format!("127.0.0.1:{}", folder.port()),
            beanstalkd_port: ports::beanstalkd(system, folder.port()),
            events: VecDeque::new(),
            shown: Vec::new(),
            is_ready: false,
        }
    }

    /// Something has changed.
    pub(super) fn event(&mut self, sentence: &str) {
        if !self.is_terminal {
            say(sentence);
            return;
        }
        if self.events.len() == EVENTS_SHOWN {
            self.events.pop_front();
        }
        self.events.push_back(sentence.to_owned());
    }

    /// Shows how the nodes do.
    pub(super) fn show(&mut self, rows: &[Row]) {
        if !self.is_terminal {
            return self.say_when_ready(rows);
        }
        let width = width();
        let mut lines: Vec<String> =
            self.lines(rows, width).iter().map(|line| cut(line, width)).collect();
        // What has scrolled out of the terminal cannot be rewritten.
        lines.truncate(height().saturating_sub(1));
        if lines == self.shown {
            return;
        }
        let mut page = String::new();
        if !self.shown.is_empty() {
            page.push_str(&format!("\u{1b}[{}A", self.shown.len()));
        }
        for line in &lines {
            page.push_str(&format!("\u{1b}[2K{line}\n"));
        }
        page.push_str("\u{1b}[J");
        say_raw(&page);
        self.shown = lines;
    }

    fn say_when_ready(&mut self, rows: &[Row]) {
        let is_ready = leader(rows).is_some() && rows.iter().all(|row| row.health.is_some());
        if is_ready && !self.is_ready {
            let addresses: Vec<String> =
                rows.iter().map(|row| format!("http://{}", row.address)).collect();
            say(&format!("All nodes are up. Clients may use {}.", addresses.join(", ")));
        }
        self.is_ready = is_ready;
    }

    fn lines(&self, rows: &[Row], width: usize) -> Vec<String> {
        let mut table =
            Table::new(&["node", "role", "term", "commit", "applied", "address", "process"]);
        for row in rows {
            table.row(cells(row));
        }
        let mut lines = vec![self.title.clone(), String::new()];
        lines.extend(table.lines(width));
        lines.push(String::new());
        lines.extend(self.advice(rows));
        lines.push(String::new());
        lines.extend(self.events.iter().cloned());
        lines
    }

    fn advice(&self, rows: &[Row]) -> Vec<String> {
        let Some(leader) = leader(rows) else {
            return vec!["The nodes are looking for a leader.".to_owned()];
        };
        let addresses: Vec<&str> = rows.iter().map(|row| row.address.as_str()).collect();
        let cluster = if self.first_address == "127.0.0.1:3001" && rows.len() == 3 {
            String::new()
        } else {
            format!(" --cluster {}", addresses.join(","))
        };
        let last = rows.last().unwrap_or(leader).address.as_str();
        let tries = match self.system {
            System::Kv => self.try_kv(last, &cluster),
            System::Queue => self.try_queue(last, &cluster),
        };
        let mut lines = vec!["Try this in another terminal:".to_owned()];
        lines.extend(tries.into_iter().map(|line| format!("  {line}")));
        lines.push(format!(
            "  kill -9 {}    the leader: another one takes over, and nothing is lost",
            leader.process_id.unwrap_or_default()
        ));
        lines.push("Ctrl-C stops the nodes; the data stays.".to_owned());
        lines
    }

    fn try_kv(&self, last: &str, cluster: &str) -> Vec<String> {
        let (first, program) = (&self.first_address, &self.program);
        vec![
            format!("curl -X POST {first}/kv -d '{{\"key\":\"foo\",\"value\":\"bar\"}}'"),
            format!("curl {last}/kv/foo"),
            format!("{program} kv list{cluster}"),
        ]
    }

    fn try_queue(&self, last: &str, cluster: &str) -> Vec<String> {
        let (first, program) = (&self.first_address, &self.program);
        let mut lines = vec![
            format!("curl {first}/task -d '{{\"type\":\"email\",\"payload\":{{\"to\":\"ada\"}}}}'"),
            format!("curl {last}/dequeue?wait=10"),
            format!("{program} queue work --exec cat{cluster}"),
        ];
        if let Some(port) = self.beanstalkd_port {
            let put = r"put 0 0 60 5\r\nhello\r\n";
            lines.push(format!("printf '{put}' | nc -q 1 127.0.0.1 {port}    as with beanstalkd"));
        }
        lines
    }
}

fn leader(rows: &[Row]) -> Option<&Row> {
    rows.iter().find(|row| row.health.as_ref().is_some_and(|health| health.role == "leader"))
}

fn cells(row: &Row) -> Vec<String> {
    let dash = || "-".to_owned();
    let process = row.process_id.map_or_else(dash, |id| id.to_string());
    let Some(health) = &row.health else {
        let role = if row.process_id.is_some() { "starting" } else { "down" };
        let (name, address) = (row.name.clone(), row.address.clone());
        return vec![name, role.to_owned(), dash(), dash(), dash(), address, process];
    };
    vec![
        row.name.clone(),
        health.role.clone(),
        health.term.to_string(),
        health.commit.to_string(),
        health.applied.to_string(),
        row.address.clone(),
        process,
    ]
}

/// How the user can call this program: relative to the current folder if it is below it.
fn program() -> String {
    let path = env::current_exe().unwrap_or_else(|_| "archipel".into());
    let here = env::current_dir().unwrap_or_default();
    let below = path.strip_prefix(&here).ok().map(|below| Path::new(".").join(below));
    below.unwrap_or(path).display().to_string()
}

fn say(sentence: &str) {
    say_raw(&format!("{sentence}\n"));
}

/// A reader that has gone away is no reason to stop a cluster.
fn say_raw(text: &str) {
    let mut out = stdout().lock();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}
