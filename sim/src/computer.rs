//! One computer: what of it survives a crash, and the life that does not.

use alloc::{boxed::Box, vec::Vec};

use kernel::{Membership, Node, NodeId};
use log::{DiskOperation, Identity, Limits, Log, Recovered};

use crate::{
    ambush::Ambush, base_disk::BaseDisk, clock::Clock, composition::Composition, event::Event,
    life::Life, log_disk::LogDisk, tables_disk::TablesDisk,
};

/// A message of a composition's node.
pub(crate) type MessageOf<C> = <<C as Composition>::Node as Node>::Message;

/// A request of a composition's node.
pub(crate) type RequestOf<C> = <<C as Composition>::Node as Node>::Request;

pub(crate) struct Computer<C: Composition> {
    pub(crate) identity: Identity,
    pub(crate) log_disk: LogDisk,
    pub(crate) base_disk: BaseDisk,
    pub(crate) clock: Clock,
    pub(crate) power: Power<C>,
    /// What arrives while the process stands still.
    pub(crate) backlog: Option<Vec<Event<MessageOf<C>>>>,
    /// It was started once.
    pub(crate) is_in_use: bool,
    /// The disk does nothing before this moment.
    pub(crate) stalled_until_ns: u64,
    /// There is no room for new files.
    pub(crate) is_full: bool,
    /// The next batch fails.
    pub(crate) fails_next: bool,
    /// Power fails during the next batch.
    pub(crate) is_doomed: bool,
    /// The log was damaged beyond use: the replica is gone for good.
    pub(crate) is_lost: bool,
    /// Something of the log was altered that had been durable.
    pub(crate) is_rotten: bool,
    /// What lies in wait for it.
    pub(crate) ambush: Option<Ambush>,
}

pub(crate) enum Power<C: Composition> {
    Off,
    /// The log was recovered, and what makes the new incarnation durable is being written.
    Starting(Box<Recovered>),
    On(Box<Life<C>>),
}

impl<C: Composition> Computer<C> {
    /// A computer with an empty disk, onto which a new log is put.
    pub(crate) fn new(
        identity: Identity,
        limits: Limits,
        membership: Membership,
        tables: Box<dyn TablesDisk>,
    ) -> Self {
        let mut log_disk = LogDisk::default();
        let (_, operations) = Log::create(identity, limits, crate::life::GROUP, membership.clone());
        for operation in &operations {
            log_disk.perform(operation);
        }
        Self {
            identity,
            log_disk,
            base_disk: BaseDisk::new(tables, membership),
            clock: Clock::new(0, Clock::EXACT, 0),
            power: Power::Off,
            backlog: None,
            is_in_use: false,
            stalled_until_ns: 0,
            is_full: false,
            fails_next: false,
            is_doomed: false,
            is_lost: false,
            is_rotten: false,
            ambush: None,
        }
    }

    pub(crate) const fn node(&self) -> NodeId {
        self.identity.node
    }

    pub(crate) const fn is_off(&self) -> bool {
        matches!(self.power, Power::Off)
    }

    pub(crate) const fn life(&self) -> Option<&Life<C>> {
        match &self.power {
            Power::On(life) => Some(life),
            _ => None,
        }
    }

    pub(crate) const fn life_mut(&mut self) -> Option<&mut Life<C>> {
        match &mut self.power {
            Power::On(life) => Some(life),
            _ => None,
        }
    }

    /// The life, which must be, and the disk of its tables.
    pub(crate) fn life_and_base(&mut self) -> (&mut Life<C>, &mut BaseDisk) {
        match &mut self.power {
            Power::On(life) => (life, &mut self.base_disk),
            _ => unreachable!("the caller knows that the node lives"),
        }
    }

    /// What the crash interrupts: the disk operations under way.
    pub(crate) fn operations_under_way(&mut self) -> Vec<Vec<DiskOperation>> {
        match &mut self.power {
            Power::Off => Vec::new(),
            Power::Starting(recovered) => [core::mem::take(&mut recovered.start)].into(),
            Power::On(life) => {
                let background = life.background.take().map(|operation| [operation].into());
                [life.batch.take(), background].into_iter().flatten().collect()
            }
        }
    }
}
