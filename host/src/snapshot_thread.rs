//! Streams snapshots of the tables to other nodes and takes theirs, beside the applier: both read and
//! write much of the disk.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use kernel::{Fault, Generation, Node, NodeId, Peer, Reading, SnapshotMeta, TablesMeta};
use replica::{ReceiverEffect, SenderEffect, SnapshotMessage, SnapshotReceiver, SnapshotSender};

use crate::{
    base::{self, Filling, GenerationFile},
    inbox::Event,
    running::yield_to_others,
    shared::Shared,
};

/// What the snapshot thread is asked to do.
#[derive(Debug)]
pub(crate) enum SnapshotWork {
    /// Stream this moment to a node.
    Send { to: NodeId, reading: Reading },
    /// A message of a stream has come.
    Message { from: Peer, message: SnapshotMessage },
}

/// How long the thread sleeps when no stream needs it sooner.
const IDLE: Duration = Duration::from_secs(3600);

/// What the snapshot thread works with.
pub(crate) struct SnapshotThread<N: Node> {
    pub(crate) shared: Arc<Shared<N>>,
    pub(crate) receiver: SnapshotReceiver,
    pub(crate) streams: Streams,
}

/// The streams under way.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    senders: BTreeMap<NodeId, SnapshotSender>,
    last_stream: u64,
    /// The last generation that was begun.
    last_generation: Generation,
    /// The generation that is being received.
    receiving: Option<(Generation, Arc<GenerationFile>, Option<Filling>)>,
}

impl<N: Node> SnapshotThread<N> {
    pub(crate) fn run(&mut self) {
        yield_to_others();
        let mut work = Vec::new();
        while self.shared.mail.snapshots.take_within(&mut work, self.sleep()) {
            for item in work.drain(..) {
                self.carry_out(item);
            }
            self.poll();
        }
    }

    fn sleep(&self) -> Duration {
        let now = self.shared.clock.now();
        let deadlines = self.streams.senders.values().filter_map(SnapshotSender::deadline);
        deadlines.map(|deadline| deadline.since(now)).min().unwrap_or(IDLE)
    }

    fn carry_out(&mut self, work: SnapshotWork) {
        match work {
            SnapshotWork::Send { to, reading } => {
                self.streams.last_stream += 1;
                let sender = SnapshotSender::new(to, self.streams.last_stream, reading);
                self.streams.senders.insert(to, sender);
            }
            SnapshotWork::Message { from, message } => {
                self.answer(from, &message);
                let mut effects = Vec::new();
                self.receiver.handle(from, &message, &mut effects);
                if let Err(fault) = self.receive(effects) {
                    self.give_up_receiving(&fault);
                    self.refuse(&from, &message);
                }
            }
        }
    }

    /// Gives a sender what its receiver says.
    fn answer(&mut self, from: Peer, message: &SnapshotMessage) {
        let now = self.shared.clock.now();
        let mut effects = Vec::new();
        if let Some(sender) = self.streams.senders.get_mut(&from.node) {
            let result = sender.handle(now, from, message, &mut effects);
            self.send(from.node, result, effects);
        }
    }

    /// Gives each sender whose time has come its turn.
    fn poll(&mut self) {
        let now = self.shared.clock.now();
        let nodes: Vec<NodeId> = self.streams.senders.keys().copied().collect();
        for node in nodes {
            let mut effects = Vec::new();
            if let Some(sender) = self.streams.senders.get_mut(&node) {
                let result = sender.poll(now, &mut effects);
                self.send(node, result, effects);
            }
        }
    }

    fn send(&mut self, node: NodeId, result: Result<(), Fault>, effects: Vec<SenderEffect>) {
        if let Err(fault) = result {
            return self.shared.inbox.push(Event::Fail(fault));
        }
        for effect in effects {
            match effect {
                SenderEffect::Send { to, message } => {
                    self.shared.inbox.push(Event::SendSnapshot { to, message });
                }
                SenderEffect::Done { to, delivered } => {
                    self.streams.senders.remove(&node);
                    self.shared.metrics.snapshots_sent.add(u64::from(delivered.is_some()));
                    self.shared.inbox.push(Event::SnapshotSent { to, delivered });
                }
            }
        }
    }

    fn receive(&mut self, effects: Vec<ReceiverEffect>) -> Result<(), Fault> {
        for effect in effects {
            match effect {
                ReceiverEffect::Begin { generation } => self.begin(generation)?,
                ReceiverEffect::Store { pairs } => self.filling()?.store(&pairs)?,
                ReceiverEffect::Finish { meta, generation } => self.finish(meta, generation)?,
                ReceiverEffect::Reply { to, message } => {
                    self.shared.inbox.push(Event::SendSnapshot { to, message });
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self, generation: Generation) -> Result<(), Fault> {
        self.drop_unfinished();
        self.streams.last_generation = generation;
        let path = self.shared.layout.generation(generation);
        let file =
            base::create(&path, self.shared.limits.tables_cache_bytes, &TablesMeta::default())?;
        let filling = file.fill()?;
        self.streams.receiving = Some((generation, file, Some(filling)));
        Ok(())
    }

    fn filling(&mut self) -> Result<&Filling, Fault> {
        let receiving = self.streams.receiving.as_ref();
        let filling = receiving.and_then(|(_, _, filling)| filling.as_ref());
        filling.ok_or_else(|| Fault::Storage(String::from("the snapshot's file could not be made")))
    }

    fn finish(&mut self, meta: SnapshotMeta, generation: Generation) -> Result<(), Fault> {
        self.filling()?;
        let Some((number, file, Some(filling))) = self.streams.receiving.take() else {
            return Ok(());
        };
        assert_eq!(number, generation, "what was begun last is finished");
        let stored = filling.commit(&TablesMeta {
            applied: meta.last,
            stamp: meta.stamp,
            membership: Arc::new(meta.membership.clone()),
            digest: meta.digest,
        });
        if stored.is_err() {
            // Where there was no room for it, it must not stay and take what there is.
            file.place().retire();
        }
        stored?;
        self.shared.generations.insert(generation, file);
        self.shared.metrics.snapshots_received.add(1);
        self.shared.inbox.push(Event::SnapshotReady { meta, generation });
        Ok(())
    }

    /// A snapshot that cannot be stored is no fault: the tables are as they were, and the sender will
    /// try again.
    fn give_up_receiving(&mut self, fault: &Fault) {
        self.drop_unfinished();
        // It must not acknowledge what was not stored: with a fresh receiver the stream is refused.
        self.receiver = SnapshotReceiver::new(self.streams.last_generation);
        self.shared.notify.say(&format!(
            "A snapshot could not be stored: {fault}. It will be sent again; check the room on the disk of this node."
        ));
    }

    /// Tells the sender of a stream that could not be stored, which would otherwise wait for an answer.
    fn refuse(&self, from: &Peer, message: &SnapshotMessage) {
        if let SnapshotMessage::Chunk { stream, .. } = message {
            let message = SnapshotMessage::Refused { stream: *stream };
            self.shared.inbox.push(Event::SendSnapshot { to: from.node, message });
        }
    }

    fn drop_unfinished(&mut self) {
        if let Some((_, file, filling)) = self.streams.receiving.take() {
            drop(filling);
            file.place().retire();
        }
    }
}
