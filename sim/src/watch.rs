//! The seam between a world and its witness. While nobody watches, nothing is made for it.

use alloc::{
    boxed::Box,
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use kernel::{Effect, Input, NodeId, Peer, Wire};
use replica::{Envelope, SnapshotMessage};

use crate::{
    composition::Composition,
    computer::{MessageOf, RequestOf},
    event::Parcel,
    happening::{Happening, Layer, Witness},
    network::Link,
    world::World,
};

/// Who watches, and the faults that it knows to last.
pub(crate) struct Watch {
    witness: Box<dyn Witness>,
    faults_begun: u64,
    lasting: Vec<Lasting>,
}

/// A fault that is not over.
struct Lasting {
    fault: u64,
    kind: &'static str,
    node: Option<NodeId>,
    ends: Ends,
}

/// When a fault is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ends {
    /// As soon as it has begun.
    AtOnce,
    /// At this moment in nanoseconds, or once [`World::fault_over`] says so.
    At(u64),
    /// Once [`World::fault_over`] says so.
    WhenSaid,
}

impl Watch {
    pub(crate) fn new(witness: Box<dyn Witness>) -> Self {
        Self { witness, faults_begun: 0, lasting: Vec::new() }
    }

    fn see(&mut self, at_ns: u64, happening: &Happening) {
        self.witness.see(at_ns, happening);
    }

    /// Ends the faults that are over, those that were over first first.
    fn end(&mut self, is_over: impl Fn(&Lasting) -> Option<u64>) {
        let mut over = Vec::new();
        self.lasting.retain(|lasting| {
            let at_ns = is_over(lasting);
            over.extend(at_ns.map(|at_ns| (at_ns, lasting.fault)));
            at_ns.is_none()
        });
        over.sort_unstable();
        for (at_ns, fault) in over {
            self.see(at_ns, &Happening::FaultEnds { fault });
        }
    }
}

impl<C: Composition> World<C> {
    /// Tells the witness, if there is one, what `make` makes.
    pub(crate) fn tell(&mut self, make: impl FnOnce(&C) -> Happening) {
        if let Some(watch) = &mut self.watch {
            watch.see(self.now_ns, &make(&self.composition));
        }
    }

    pub(crate) fn tell_arrival(
        &mut self,
        message: u64,
        from: Peer,
        to: NodeId,
        parcel: &Parcel<MessageOf<C>>,
    ) {
        let is_received = self.life(to).is_some();
        self.tell(|composition| {
            let say = |envelope: &Envelope<_>| say_envelope(composition, envelope).2;
            let text = match parcel {
                Parcel::Value(envelope) => say(envelope),
                Parcel::Bytes(bytes) => Envelope::from_bytes(bytes.clone())
                    .map_or_else(|malformed| malformed.to_string(), |envelope| say(&envelope)),
            };
            Happening::Arrived { message, from, to, text, is_received }
        });
    }

    pub(crate) fn tell_input(&mut self, node: Peer, input: &Input<MessageOf<C>, RequestOf<C>>) {
        // What arrives has been told already.
        if matches!(input, Input::Message { .. }) {
            return;
        }
        let is_routine =
            matches!(input, Input::Timeout | Input::Durable { .. } | Input::Applied { .. });
        self.tell(|composition| Happening::Took {
            node,
            text: composition.say_input(node.node, input),
            is_routine,
        });
    }

    pub(crate) fn tell_effect(&mut self, node: Peer, effect: &Effect<MessageOf<C>>) {
        if self.watch.is_none() || matches!(effect, Effect::MayFlush { .. }) {
            return;
        }
        let finished = self.living(node.node).gate.durable();
        let to = match effect {
            Effect::Send { to, .. } => Some(*to),
            _ => None,
        };
        self.tell(|composition| Happening::Said {
            node,
            to,
            text: composition.say_effect(effect, finished),
        });
    }

    /// A fault begins.
    pub(crate) fn fault(
        &mut self,
        kind: &'static str,
        nodes: &[NodeId],
        ends: Ends,
        text: fmt::Arguments<'_>,
    ) {
        let Some(watch) = &mut self.watch else {
            return;
        };
        watch.faults_begun += 1;
        let fault = watch.faults_begun;
        // By its mishap's number a fault can be left out when the world is run again.
        let mishap = self.mishaps;
        let text = format!("{text}");
        let text = if text.is_empty() {
            format!("mishap {mishap}")
        } else {
            format!("{text}; mishap {mishap}")
        };
        let begins = Happening::FaultBegins { fault, kind, nodes: nodes.to_vec(), text };
        watch.see(self.now_ns, &begins);
        if ends == Ends::AtOnce {
            watch.see(self.now_ns, &Happening::FaultEnds { fault });
            return;
        }
        let node = if let [node] = nodes { Some(*node) } else { None };
        watch.lasting.push(Lasting { fault, kind, node, ends });
    }

    /// A fault of this kind at this node, if there is one, is over.
    pub(crate) fn fault_over(&mut self, kind: &'static str, node: NodeId) {
        let now_ns = self.now_ns;
        if let Some(watch) = &mut self.watch {
            watch.end(|lasting| {
                (lasting.kind == kind && lasting.node == Some(node)).then_some(now_ns)
            });
        }
    }

    /// Ends the faults that are over at `at_ns`, the next moment at which something happens.
    pub(crate) fn end_faults_by(&mut self, at_ns: u64) {
        if let Some(watch) = &mut self.watch {
            watch.end(|lasting| match lasting.ends {
                Ends::At(end_ns) if end_ns <= at_ns => Some(end_ns),
                _ => None,
            });
        }
    }

    /// Ends all faults.
    pub(crate) fn end_faults(&mut self) {
        let now_ns = self.now_ns;
        if let Some(watch) = &mut self.watch {
            watch.end(|_| Some(now_ns));
        }
    }
}

/// What an envelope says: who says it, the word for its kind, and its line.
pub(crate) fn say_envelope<C: Composition>(
    composition: &C,
    envelope: &Envelope<MessageOf<C>>,
) -> (Layer, &'static str, String) {
    match envelope {
        Envelope::Node(message) => {
            (Layer::Node, composition.message_kind(message), composition.say_message(message))
        }
        Envelope::Snapshot(message) => {
            let (kind, text) = say_snapshot(message);
            (Layer::Snapshot, kind, text)
        }
    }
}

fn say_snapshot(message: &SnapshotMessage) -> (&'static str, String) {
    match message {
        SnapshotMessage::Chunk { stream, sequence, body, .. } => (
            "SnapshotChunk",
            format!("SnapshotChunk {sequence} of stream {stream} ({} bytes)", body.len()),
        ),
        SnapshotMessage::Accepted { stream, next } => {
            ("SnapshotAccepted", format!("SnapshotAccepted up to {next} of stream {stream}"))
        }
        SnapshotMessage::Refused { stream } => {
            ("SnapshotRefused", format!("SnapshotRefused stream {stream}"))
        }
    }
}

/// Links as people read them: `1 ↛ 2 3, 2 ↛ 1`.
pub(crate) struct Links<'a>(pub(crate) &'a [Link]);

impl Links<'_> {
    /// The nodes that they concern: the one at an end of every link if there is just one, or else all.
    pub(crate) fn nodes(&self) -> Vec<NodeId> {
        let touches = |node: NodeId| move |link: &Link| link.0 == node || link.1 == node;
        let ends = self.0.first().map_or_else(Vec::new, |(from, to)| [*from, *to].into());
        let common = |node: &NodeId| self.0.iter().all(touches(*node));
        let mut centers = ends.into_iter().filter(common);
        if let (Some(center), None) = (centers.next(), centers.next()) {
            return [center].into();
        }
        let mut nodes: Vec<NodeId> = self.0.iter().flat_map(|(from, to)| [*from, *to]).collect();
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    }
}

impl fmt::Display for Links<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut by_sender = BTreeMap::<NodeId, Vec<NodeId>>::new();
        for (from, to) in self.0 {
            by_sender.entry(*from).or_default().push(*to);
        }
        for (place, (from, mut receivers)) in by_sender.into_iter().enumerate() {
            receivers.sort_unstable();
            let comma = if place == 0 { "" } else { ", " };
            write!(formatter, "{comma}{from} ↛")?;
            receivers.iter().try_for_each(|to| write!(formatter, " {to}"))?;
        }
        Ok(())
    }
}
