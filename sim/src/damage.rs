//! What is lost or altered without anybody having written it: bits that flip at rest or in memory,
//! files that vanish, disks that are replaced by empty ones.
//!
//! A budget keeps every run repairable: at any moment at most one replica of a world, its victim, has
//! lost what it once acknowledged, and it is damaged again only once it has everything back.

use alloc::vec::Vec;

use kernel::{Entry, NodeId};

use crate::{
    composition::Composition, happening::Happening, log_disk::LogDisk, watch::Ends, world::World,
};

impl<C: Composition> World<C> {
    /// The victim, if it may lose something now.
    fn victim_at_risk(&self) -> Option<NodeId> {
        let victim = self.victim?;
        let computer = self.computers.get(victim)?;
        let leader = self.latest_leader().and_then(|leader| self.life(leader))?;
        let membership = &leader.membership;
        let may_go = membership.voters.len() >= 3 && membership.voters.contains(&victim);
        let is_whole = computer.is_in_use
            && !computer.is_lost
            && !computer.is_rotten
            && self.oracle.is_repaired(victim);
        (may_go && is_whole && !membership.is_joint() && self.has_spare()).then_some(victim)
    }

    /// A bit of the victim's log flips where it was durable, or a file of it is gone.
    pub(crate) fn rot(&mut self) {
        let Some(victim) = self.victim_at_risk() else {
            return;
        };
        let rng = &mut self.chances.mishaps;
        let (vanishes, crashes) = (rng.chance(1, 8), rng.chance(2, 3));
        if vanishes || crashes {
            self.crash(victim);
            self.plan_start(victim);
        }
        let rng = &mut self.chances.mishaps;
        let computer = &mut self.computers[victim];
        let disk = &mut computer.log_disk;
        let Some(what) = (if vanishes { disk.lose_file(rng) } else { disk.flip_bit(rng) }) else {
            return;
        };
        computer.is_rotten = true;
        self.counters.rotten_disks += 1;
        self.fault("rot", &[victim], Ends::AtOnce, format_args!("{what}"));
    }

    /// The victim's disk is replaced by an empty one: the replica is gone for good.
    pub(crate) fn wipe(&mut self) {
        let Some(victim) = self.victim_at_risk() else {
            return;
        };
        self.fault("disk replaced by an empty one", &[victim], Ends::AtOnce, format_args!(""));
        self.counters.replaced_disks += 1;
        self.crash(victim);
        let computer = self.computer(victim);
        computer.log_disk = LogDisk::default();
        computer.is_lost = true;
        self.tell(|_| Happening::Gone { node: victim, text: "its disk is empty".into() });
    }

    /// What the applier finds in memory of what the node wanted applied: once in a while a bit of an
    /// entry has flipped.
    pub(crate) fn through_memory(&mut self, node: NodeId, entries: Vec<Entry>) -> Vec<Entry> {
        let Some(one_in) = self.settings.memory_flips_one_in.filter(|_| !self.is_healed) else {
            return entries;
        };
        let rng = &mut self.chances.threads;
        if !rng.chance(1, one_in) {
            return entries;
        }
        let mut entries = entries;
        let place = usize::try_from(rng.below(entries.len() as u64)).expect("few entries");
        let bits = entries[place].frame().len() as u64 * 8;
        entries[place] = entries[place].with_flipped_bit(rng.below(bits));
        self.counters.memory_flips += 1;
        let text = format_args!("entry {}", entries[place].id());
        self.fault("bit flips in memory", &[node], Ends::AtOnce, text);
        self.living(node).has_flipped = true;
        entries
    }
}
