//! Snapshots on their way: senders, the receiver, and what it writes.

use alloc::{collections::VecDeque, format, vec::Vec};

use kernel::{Fault, Input, NodeId, Peer};
use replica::{
    Envelope, ReceiverEffect, SenderEffect, SnapshotMessage, SnapshotReceiver, SnapshotSender,
};

use crate::{
    composition::Composition,
    event::{Event, Wake},
    finding::Finding,
    life::Receiving,
    mishap::DISK_FAILURE,
    watch::Ends,
    world::World,
};

impl<C: Composition> World<C> {
    pub(crate) fn send_snapshot(&mut self, node: NodeId, to: NodeId) -> Result<(), Finding> {
        let reading = self.living(node).applier.reading();
        let Some(reading) = self.survives(node, reading)? else {
            return Ok(());
        };
        let life = self.living(node);
        life.streams_begun += 1;
        let mut sender = SnapshotSender::new(to, life.streams_begun, reading);
        sender.set_chunk_bytes_max(self.settings.snapshot_chunk_bytes);
        let life = self.living(node);
        // A stream that is under way for the same receiver is given up for the new one.
        life.senders.insert(to, sender);
        self.sender_turn(node, to)
    }

    /// A sender's deadline may have come.
    pub(crate) fn sender_turn(&mut self, node: NodeId, to: NodeId) -> Result<(), Finding> {
        let now = self.local_now(node);
        let mut effects = Vec::new();
        if let Some(sender) = self.living(node).senders.get_mut(&to) {
            let done = sender.poll(now, &mut effects);
            self.survives(node, done)?;
        }
        self.sender_effects(node, effects)
    }

    pub(crate) fn snapshot_message(
        &mut self,
        node: NodeId,
        from: Peer,
        message: SnapshotMessage,
    ) -> Result<(), Finding> {
        if matches!(message, SnapshotMessage::Chunk { .. }) {
            self.living(node).receiver_inbox.push_back((from, message));
            return self.receiver_turn(node);
        }
        let now = self.local_now(node);
        let mut effects = Vec::new();
        if let Some(sender) = self.living(node).senders.get_mut(&from.node) {
            let done = sender.handle(now, from, &message, &mut effects);
            self.survives(node, done)?;
        }
        self.sender_effects(node, effects)
    }

    fn sender_effects(&mut self, node: NodeId, effects: Vec<SenderEffect>) -> Result<(), Finding> {
        let me = self.living(node).me;
        for effect in effects {
            match effect {
                SenderEffect::Send { to, message } => {
                    self.post(me, to, Envelope::Snapshot(message));
                    let clock = self.computer(node).clock;
                    let sender = self.living(node).senders.get(&to);
                    let deadline = sender.and_then(SnapshotSender::deadline);
                    if let Some(deadline) = deadline {
                        let at_ns = clock.world_ns(deadline);
                        self.queue.plan(at_ns, Event::Wake { peer: me, wake: Wake::Sender(to) });
                    }
                }
                SenderEffect::Done { to, delivered } => {
                    self.living(node).senders.remove(&to);
                    self.give(node, Input::SnapshotSent { to, delivered })?;
                }
            }
        }
        Ok(())
    }

    /// The receiver takes what arrived, unless it waits for its disk.
    fn receiver_turn(&mut self, node: NodeId) -> Result<(), Finding> {
        loop {
            let life = self.living(node);
            if life.receiving.is_some() {
                return Ok(());
            }
            let Some((from, message)) = life.receiver_inbox.pop_front() else {
                return Ok(());
            };
            let SnapshotMessage::Chunk { stream, .. } = message else {
                unreachable!("only chunks wait for the receiver");
            };
            let mut effects = Vec::new();
            life.receiver.handle(from, &message, &mut effects);
            self.receiver_effects(node, (from, stream), effects.into())?;
        }
    }

    fn receiver_effects(
        &mut self,
        node: NodeId,
        source: (Peer, u64),
        mut effects: VecDeque<ReceiverEffect>,
    ) -> Result<(), Finding> {
        let me = self.living(node).me;
        while let Some(effect) = effects.pop_front() {
            let (life, base_disk) = self.computer(node).life_and_base();
            let done = match effect {
                ReceiverEffect::Begin { generation } => {
                    life.storing = generation;
                    base_disk.begin(generation)
                }
                ReceiverEffect::Store { pairs } => base_disk.store(life.storing, pairs),
                ReceiverEffect::Finish { meta, generation } => {
                    life.receiving = Some(Receiving { meta, generation, source, then: effects });
                    let wait = self.disk_wait_ns(node);
                    let wake = Wake::Received;
                    self.queue.plan(self.now_ns + wait, Event::Wake { peer: me, wake });
                    return Ok(());
                }
                ReceiverEffect::Reply { to, message } => {
                    self.post(me, to, Envelope::Snapshot(message));
                    Ok(())
                }
            };
            if let Err(fault) = done {
                return self.give_up_receiving(node, source, &fault);
            }
        }
        Ok(())
    }

    /// The received snapshot is durable.
    pub(crate) fn snapshot_durable(&mut self, node: NodeId) -> Result<(), Finding> {
        let (life, base_disk) = self.computer(node).life_and_base();
        let received = life.receiving.take().expect("a snapshot was being made durable");
        let Receiving { meta, generation, source, then } = received;
        if let Err(fault) = base_disk.finish(generation, &meta) {
            self.give_up_receiving(node, source, &fault)?;
            return self.receiver_turn(node);
        }
        self.receiver_effects(node, source, then)?;
        self.give(node, Input::SnapshotReady { meta, generation })?;
        if self.life(node).is_some() { self.receiver_turn(node) } else { Ok(()) }
    }

    /// As on a host, a snapshot that cannot be stored is no fault: the tables are as they were. With a
    /// fresh receiver nothing of the stream is acknowledged, and its sender begins anew.
    fn give_up_receiving(
        &mut self,
        node: NodeId,
        (from, stream): (Peer, u64),
        fault: &Fault,
    ) -> Result<(), Finding> {
        let (life, base_disk) = self.computer(node).life_and_base();
        if !base_disk.take_failure() {
            return Err(Finding::Safety(format!("{node} cannot store a snapshot: {fault}")));
        }
        base_disk.drop_unfinished();
        life.receiver = SnapshotReceiver::new(life.storing);
        let me = life.me;
        self.counters.real_base_failures += 1;
        self.fault(DISK_FAILURE, &[node], Ends::AtOnce, format_args!("{fault}"));
        self.post(me, from.node, Envelope::Snapshot(SnapshotMessage::Refused { stream }));
        Ok(())
    }
}
