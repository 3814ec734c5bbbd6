//! Golden scripts in `scripts/`: what one node says to each datagram, to the byte.

use std::{error::Error, fmt::Write as _};

use bytes::Bytes;
use dht::{Dht, Id, Scope, Settings};
use kernel::{Datagram, Effect, Endpoint, Incarnation, Input, Instant, Node as _, Peer};

const SECOND: u64 = 1_000_000_000;

struct Runner {
    node: Dht,
    now: Instant,
}

#[test]
fn the_scripts_hold() -> Result<(), Box<dyn Error>> {
    let mut scripts: Vec<_> = std::fs::read_dir("scripts")?.collect::<Result<Vec<_>, _>>()?;
    scripts.sort_by_key(std::fs::DirEntry::path);
    assert!(!scripts.is_empty(), "there are scripts");
    for script in scripts {
        let settings = Settings {
            id: Id(*b"abcdefghij0123456789"),
            endpoint: Endpoint { ip: [127, 0, 0, 1], port: 6881 },
            scope: Scope::Loopback,
            bootstrap: Vec::new(),
            is_read_only: false,
        };
        let mut runner = Runner { node: Dht::new(settings, [5; 20]), now: Instant(0) };
        goldenscript::run(&mut runner, script.path())?;
    }
    Ok(())
}

#[derive(Debug, goldenscript::Command)]
enum Verb {
    /// A datagram from the port of that number; ~xx is a byte in hexadecimal digits.
    From { port: u16, datagram: String },
    /// So many seconds pass, and the node is given its timeout.
    Wait(u64),
    /// What the node keeps.
    Status,
}

impl goldenscript::Runner for Runner {
    type Command = Verb;

    fn run(&mut self, verb: &Verb, _: &goldenscript::Context) -> Result<String, Box<dyn Error>> {
        Ok(match verb {
            Verb::From { port, datagram } => {
                self.give(Endpoint { ip: [127, 0, 0, 1], port: *port }, bytes_of(datagram)?)
            }
            Verb::Wait(seconds) => {
                self.now = Instant(self.now.0 + seconds * SECOND);
                let mut effects = Vec::new();
                self.node.handle(self.now, Input::Timeout, &mut effects);
                shown(effects)
            }
            Verb::Status => {
                let status = self.node.status();
                format!(
                    "nodes {} items {} torrents {}\n",
                    status.nodes, status.items, status.torrents
                )
            }
        })
    }
}

impl Runner {
    fn give(&mut self, from: Endpoint, datagram: Vec<u8>) -> String {
        let from = Peer { node: from.node(), incarnation: Incarnation(0) };
        let mut effects = Vec::new();
        let message = Datagram(Bytes::from(datagram));
        self.node.handle(self.now, Input::Message { from, message }, &mut effects);
        self.node.check();
        let text = shown(effects);
        if text.is_empty() { "silence\n".to_owned() } else { text }
    }
}

fn shown(effects: Vec<Effect<Datagram>>) -> String {
    let mut text = String::new();
    for effect in effects {
        let Effect::Send { to, message, .. } = effect else {
            panic!("a script makes no requests");
        };
        let port = Endpoint::of_node(to).expect("an address").port;
        let bytes = message.0.iter().map(|byte| match byte {
            b'~' => "~7e".to_owned(),
            b' '..=b'~' => char::from(*byte).to_string(),
            _ => format!("~{byte:02x}"),
        });
        writeln!(text, "to {port}: {}", bytes.collect::<String>()).expect("a string takes all");
    }
    text
}

fn bytes_of(text: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        if *first == b'~' {
            let digits = std::str::from_utf8(after.get(..2).ok_or("two digits")?)?;
            bytes.push(u8::from_str_radix(digits, 16)?);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    Ok(bytes)
}
