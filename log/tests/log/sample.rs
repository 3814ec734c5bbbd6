//! A small cluster's worth of values to write.

use std::collections::BTreeMap;

use kernel::{
    ClusterId, DiskId, Entry, EntryHead, EntryId, EntryKind, GroupId, HardState, Incarnation,
    Index, Member, Membership, NodeId, Origin, Peer, Record, Stamp, Term, Ticket,
};
use log::{DiskOperation, Identity, Limits, Log};

use crate::disk::Disk;

pub const GROUP: GroupId = GroupId(1);
pub const LIMITS: Limits = Limits { segment_bytes: 32 << 10, batch_bytes_max: 8 << 10 };
pub const IDENTITY: Identity =
    Identity { cluster: ClusterId(0xc1), node: NodeId(2), disk: DiskId(0xd3) };

pub fn membership(nodes: u64) -> Membership {
    let member = |node: u64| Member {
        name: format!("node{node}"),
        peer_address: format!("127.0.0.1:400{node}"),
        client_address: format!("127.0.0.1:300{node}"),
        disk: DiskId(u128::from(node)),
    };
    let members: BTreeMap<_, _> = (1..=nodes).map(|node| (NodeId(node), member(node))).collect();
    Membership::of_voters(members)
}

pub fn id(term: u64, index: u64) -> EntryId {
    EntryId::new(Term(term), Index(index))
}

pub fn entry(id: EntryId, data: &[u8]) -> Entry {
    let origin = Origin {
        peer: Peer { node: NodeId(2), incarnation: Incarnation(1) },
        ticket: Ticket(id.index.0),
    };
    let head = EntryHead {
        id,
        kind: EntryKind::Command,
        stamp: Stamp(id.index.0),
        wall_ms: 0,
        origin: Some(origin),
        session: None,
    };
    Entry::new(head, data)
}

/// Entries of one term, from one index to another, each of `bytes` bytes.
pub fn entries(term: u64, indexes: core::ops::RangeInclusive<u64>, bytes: usize) -> Record {
    Record::Entries(
        indexes.map(|index| entry(id(term, index), &vec![index as u8; bytes])).collect(),
    )
}

pub fn hard(term: u64, vote: Option<u64>) -> Record {
    Record::Hard(HardState { term: Term(term), vote: vote.map(NodeId), commit: Index(0) })
}

pub fn compact(through: EntryId) -> Record {
    Record::Compact { through, stamp: Stamp(through.index.0), membership: membership(3) }
}

/// A log on a disk.
pub struct Machine {
    pub disk: Disk,
    pub log: Log,
}

impl Machine {
    pub fn new() -> Self {
        let (log, operations) = Log::create(IDENTITY, LIMITS, GROUP, membership(3));
        let mut disk = Disk::default();
        disk.carry_out(&operations);
        Self { disk, log }
    }

    /// What it takes to make `records` durable.
    pub fn begin(&mut self, records: &[Record]) -> Vec<DiskOperation> {
        let records: Vec<_> = records.iter().map(|record| (GROUP, record.clone())).collect();
        self.log.append(&records).unwrap_or_else(|_| {
            self.make_segment();
            self.log.append(&records).expect("the segment is ready")
        })
    }

    pub fn write(&mut self, records: &[Record]) {
        let operations = self.begin(records);
        self.disk.carry_out(&operations);
        self.log.appended();
    }

    pub fn make_segment(&mut self) {
        let create = self.log.segment_wanted().expect("none is ready");
        self.disk.carry_out(std::slice::from_ref(&create));
        self.log.segment_ready(create.segment());
    }

    pub fn remove_segments(&mut self) {
        while let Some(remove) = self.log.removable() {
            self.disk.carry_out(std::slice::from_ref(&remove));
            self.log.removed(remove.segment());
        }
    }
}
