//! Keeps the last inputs, on the thread that gives them.

use std::{
    mem,
    sync::mpsc::{self, Sender},
    thread,
};

use kernel::{Bytes, Image, Input, Instant, Node, Peer, Wire, Writer};

use super::file;

/// How many bytes of inputs make a half. Inputs are kept as bytes, so that they hold on to no buffer
/// they came in, cost a copy of what they carry, and are forgotten at once.
///
/// A node that idles has some 60 inputs a second of 50 bytes each: minutes fit. One that takes 20,000
/// small writes a second begins a new half every second.
const HALF_BYTES: usize = 4 << 20;

/// Room for the input that fills a half, unless it is a large one.
const SLACK_BYTES: usize = 64 << 10;

/// Keeps the last inputs of one node, from its start.
#[derive(Debug)]
pub struct Recorder<N> {
    older: Option<Half<N>>,
    newer: Half<N>,
    /// Inputs since the start.
    count: u64,
    /// Takes copies that are needed no more; nothing until there is one.
    retire: Option<Sender<N>>,
}

/// A copy of the node, and what it was given from then on.
#[derive(Debug)]
struct Half<N> {
    node: N,
    /// How many inputs the copy had been given.
    before: u64,
    /// Each input with its moment, see [`mod@file`].
    inputs: Writer,
}

impl<N: Node<Request: Wire> + Image + Clone + Send + 'static> Recorder<N> {
    /// Nothing has been given to `node` yet.
    #[must_use]
    pub fn new(node: &N) -> Self {
        let newer = Half { node: node.clone(), before: 0, inputs: room() };
        Self { older: None, newer, count: 0, retire: None }
    }

    /// Notes that `node` is now given `input` at the moment `now`. To be called before it is, so that
    /// the input that breaks something is the last one.
    pub fn record(&mut self, node: &N, now: Instant, input: &Input<N::Message, N::Request>) {
        if self.newer.inputs.len() >= HALF_BYTES {
            self.begin_half(node);
        }
        self.count += 1;
        file::put_input(now, input, &mut self.newer.inputs);
    }

    /// What is kept, as the bytes of a file; `broken` says what the node broke.
    #[must_use]
    pub fn to_file(&self, me: Peer, broken: &str) -> Bytes {
        let first = self.older.as_ref().unwrap_or(&self.newer);
        let older = self.older.as_ref().map_or(&[][..], |half| half.inputs.as_slice());
        file::encode(&file::Kept {
            me,
            broken,
            image: first.node.image(),
            before: first.before,
            count: self.count - first.before,
            inputs: [older, self.newer.inputs.as_slice()],
        })
    }

    fn begin_half(&mut self, node: &N) {
        let inputs = match self.older.take() {
            Some(mut half) => {
                self.retire(half.node);
                half.inputs.clear();
                half.inputs
            }
            None => room(),
        };
        let half = Half { node: node.clone(), before: self.count, inputs };
        self.older = Some(mem::replace(&mut self.newer, half));
    }

    /// Lets another thread free what only this copy still holds: that can be megabytes in small pieces.
    fn retire(&mut self, node: N) {
        if self.retire.is_none() {
            let (retire, retired) = mpsc::channel::<N>();
            let body = move || retired.into_iter().for_each(drop);
            // Without a thread it is freed here: only slower.
            let started = thread::Builder::new().name("images".into()).spawn(body).is_ok();
            self.retire = started.then_some(retire);
        }
        if let Some(retire) = &self.retire {
            // If the thread has gone, the copy comes back and is freed here.
            let _ = retire.send(node);
        }
    }
}

fn room() -> Writer {
    Writer::with_capacity(HALF_BYTES + SLACK_BYTES)
}
