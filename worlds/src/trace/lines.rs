//! What happens, as lines: most stand alone, and what follows from them stands under them.

use std::{collections::BTreeMap, fmt, mem};

use kernel::{NodeId, Peer};
use sim::{Fate, Happening, Layer};

/// Whose doing a line tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// A node's.
    Node(NodeId),
    /// A client's.
    Client(usize),
    /// The world's.
    World,
}

/// One line of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When, in nanoseconds of virtual time.
    pub at_ns: u64,
    /// It follows from the last line that is not under another.
    pub is_under: bool,
    /// Whose doing it tells.
    pub lane: Lane,
    /// What it says.
    pub text: String,
}

impl fmt::Display for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_under {
            return write!(formatter, "{:>16}{}", "", self.text);
        }
        let microseconds = self.at_ns / 1_000;
        let (whole, part) = (microseconds / 1_000, microseconds % 1_000);
        write!(formatter, "{whole:>8}.{part:03}  {}", self.text)
    }
}

/// Turns happenings into lines.
#[derive(Debug, Default)]
pub struct Lines {
    /// A routine input, until it is known whether anything follows from it.
    quiet: Option<Line>,
    /// What a node has just said to another, until it is known whether it gets there.
    said: Option<Line>,
    /// What each client is at.
    operations: BTreeMap<usize, String>,
    faults: BTreeMap<u64, Fault>,
    ready: Vec<Line>,
}

/// A fault that has begun.
#[derive(Debug)]
struct Fault {
    since_ns: u64,
    lane: Lane,
    words: String,
}

impl Lines {
    /// The lines that are ready once this has happened. A line may be ready only when the next thing
    /// happens.
    #[must_use]
    pub fn see(&mut self, at_ns: u64, happening: &Happening) -> Vec<Line> {
        match happening {
            Happening::Left { .. } => self.left(at_ns, happening),
            _ => {
                self.ready.extend(self.said.take());
                self.tell(at_ns, happening);
            }
        }
        mem::take(&mut self.ready)
    }

    /// The lines that wait for what happens next: what a node was given or said last, if the run ends
    /// there.
    #[must_use]
    pub fn rest(&self) -> Vec<Line> {
        self.quiet.iter().chain(&self.said).cloned().collect()
    }

    fn tell(&mut self, at_ns: u64, happening: &Happening) {
        match happening {
            Happening::Took { node, text, is_routine } => {
                let lane = Lane::Node(node.node);
                if *is_routine {
                    self.quiet = Some(Line { at_ns, is_under: false, lane, text: text.clone() });
                } else {
                    self.stand(at_ns, lane, text.clone());
                }
            }
            Happening::Said { node, to, text } => {
                self.follow(at_ns, Lane::Node(node.node), text.clone(), to.is_some());
            }
            Happening::Arrived { from, to, text, is_received, .. } => {
                let down = if *is_received { "" } else { " (down)" };
                self.stand(at_ns, Lane::Node(*to), format!("{to} ← {} {text}{down}", from.node));
            }
            Happening::Begins { seed, founders, spares, clients } => {
                let (founders, spares) = (names(founders), names(spares));
                let spares =
                    if spares.is_empty() { spares } else { format!(", {spares} may join") };
                self.stand(
                    at_ns,
                    Lane::World,
                    format!("seed {seed}: nodes {founders}{spares}, {clients} clients"),
                );
            }
            Happening::Healed => self.stand(at_ns, Lane::World, "everything is healed".into()),
            Happening::Found { finding, .. } => {
                self.ready.extend(self.quiet.take());
                self.stand(at_ns, Lane::World, finding.to_string());
            }
            Happening::Recovered { .. }
            | Happening::Started { .. }
            | Happening::Crashed { .. }
            | Happening::Gone { .. } => self.life(at_ns, happening),
            Happening::FaultBegins { .. } | Happening::FaultEnds { .. } => {
                self.fault(at_ns, happening);
            }
            Happening::Invoked { .. }
            | Happening::Asked { .. }
            | Happening::WillAskAgain { .. }
            | Happening::Told { .. } => self.client(at_ns, happening),
            // The effects have said it.
            Happening::Left { .. } | Happening::Part { .. } | Happening::Applied { .. } => {}
        }
    }

    /// A message leaves: said just now, or let go by the disk, or a piece of a snapshot.
    fn left(&mut self, at_ns: u64, happening: &Happening) {
        let Happening::Left { from: Peer { node: from, .. }, to, layer, text, fate, .. } =
            happening
        else {
            return;
        };
        let lost = match fate {
            Fate::OnItsWay => "",
            Fate::Lost => " (lost)",
            Fate::Cut => " (cut)",
        };
        let said = format!("→ {to} {text}");
        match self.said.take() {
            Some(line) if line.text == said => {
                self.ready.push(Line { text: format!("{said}{lost}"), ..line });
            }
            other => {
                self.ready.extend(other);
                // What a node said before is news only if it gets nowhere.
                if *layer == Layer::Snapshot || *fate != Fate::OnItsWay {
                    self.stand(at_ns, Lane::Node(*from), format!("{from} {said}{lost}"));
                }
            }
        }
    }

    fn life(&mut self, at_ns: u64, happening: &Happening) {
        let (node, text) = match happening {
            Happening::Recovered { node, text } => {
                (node.node, format!("{} recovers as life {}: {text}", node.node, node.incarnation))
            }
            Happening::Started { node } => (node.node, format!("{} starts", node.node)),
            Happening::Crashed { node } => (*node, format!("{node} crashes")),
            Happening::Gone { node, text } => (*node, format!("{node} is gone: {text}")),
            _ => return,
        };
        self.stand(at_ns, Lane::Node(node), text);
    }

    fn fault(&mut self, at_ns: u64, happening: &Happening) {
        match happening {
            Happening::FaultBegins { fault, kind, nodes, text } => {
                let lane = if let [node] = nodes[..] { Lane::Node(node) } else { Lane::World };
                let words = format!("fault {fault}: {kind} of {}", names(nodes));
                let more = if text.is_empty() { String::new() } else { format!(" ({text})") };
                self.stand(at_ns, lane, format!("{words}{more}"));
                self.faults.insert(*fault, Fault { since_ns: at_ns, lane, words });
            }
            Happening::FaultEnds { fault } => {
                let begun = self.faults.remove(fault).filter(|begun| begun.since_ns < at_ns);
                if let Some(begun) = begun {
                    self.stand(at_ns, begun.lane, format!("{} is over", begun.words));
                }
            }
            _ => {}
        }
    }

    fn client(&mut self, at_ns: u64, happening: &Happening) {
        match happening {
            Happening::Invoked { client, text } => {
                self.operations.insert(*client, without_padding(text));
            }
            Happening::Asked { client, node } => {
                let whom = node.map_or_else(|| "nobody".into(), |node| node.to_string());
                let operation = self.operations.get(client).map_or("", String::as_str);
                self.stand(
                    at_ns,
                    Lane::Client(*client),
                    format!("client {client} asks {whom}: {operation}"),
                );
            }
            Happening::WillAskAgain { client } => {
                self.follow(
                    at_ns,
                    Lane::Client(*client),
                    format!("client {client} will ask again"),
                    false,
                );
            }
            Happening::Told { client, text, .. } => {
                let operation = self.operations.remove(client).unwrap_or_default();
                self.follow(
                    at_ns,
                    Lane::Client(*client),
                    format!("client {client}: {operation}: {}", without_padding(text)),
                    false,
                );
            }
            _ => {}
        }
    }

    /// A line of its own.
    fn stand(&mut self, at_ns: u64, lane: Lane, text: String) {
        self.quiet = None;
        self.ready.push(Line { at_ns, is_under: false, lane, text });
    }

    /// A line under the last one, which is then of interest. `waits` if it may still get a word more.
    fn follow(&mut self, at_ns: u64, lane: Lane, text: String, waits: bool) {
        self.ready.extend(self.quiet.take());
        let line = Line { at_ns, is_under: true, lane, text };
        if waits {
            self.said = Some(line);
        } else {
            self.ready.push(line);
        }
    }
}

/// The text without the letters that simulated clients append to their values to make them heavy:
/// `17.` for `17.xxxxxxxx`.
pub(crate) fn without_padding(text: &str) -> String {
    let mut parts = text.split(".x");
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches('x');
        kept.push('.');
        kept.push_str(rest.strip_prefix('…').unwrap_or(rest));
    }
    kept
}

fn names(nodes: &[NodeId]) -> String {
    nodes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}
