//! Who has which torrent, by what peers say of themselves.

use alloc::{collections::BTreeMap, vec::Vec};
use core::time::Duration;

use kernel::{Endpoint, Instant, Rng};

use crate::id::Id;

/// The most torrents. Beyond that the farthest from us goes first.
const TORRENTS_MAX: usize = 2048;
/// The most peers of one torrent. Beyond that the one that has announced longest ago goes first.
const PEERS_MAX: usize = 256;
/// The most peers in a reply, so that it stays below a kilobyte.
const REPLY_PEERS_MAX: usize = 50;
/// How long a peer is believed; clients announce again every half hour at most.
const LIFE: Duration = Duration::from_secs(45 * 60);

/// The peers of each torrent.
#[derive(Debug, Default)]
pub struct Peers {
    torrents: BTreeMap<Id, BTreeMap<Endpoint, Instant>>,
}

impl Peers {
    /// A peer has the torrent.
    pub fn announce(&mut self, now: Instant, own: Id, info_hash: Id, peer: Endpoint) {
        if !self.torrents.contains_key(&info_hash) && self.torrents.len() >= TORRENTS_MAX {
            self.make_room(own);
        }
        let peers = self.torrents.entry(info_hash).or_default();
        if !peers.contains_key(&peer) && peers.len() >= PEERS_MAX {
            let oldest = peers.iter().min_by_key(|(_, end)| **end).map(|(peer, _)| *peer);
            oldest.map(|oldest| peers.remove(&oldest));
        }
        peers.insert(peer, now.after(LIFE));
    }

    /// Peers of a torrent, as many as a reply holds, drawn by chance if there are more.
    #[must_use]
    pub fn get(&self, info_hash: Id, chance: u64) -> Vec<Endpoint> {
        let Some(all) = self.torrents.get(&info_hash) else {
            return Vec::new();
        };
        let mut peers: Vec<Endpoint> = all.keys().copied().collect();
        let mut rng = Rng::new(chance);
        while peers.len() > REPLY_PEERS_MAX {
            let place = rng.below(peers.len() as u64);
            peers.swap_remove(usize::try_from(place).expect("a place in a list"));
        }
        peers
    }

    /// Forgets whom nobody has heard of for long.
    pub fn expire(&mut self, now: Instant) {
        self.torrents.retain(|_, peers| {
            peers.retain(|_, end| *end > now);
            !peers.is_empty()
        });
    }

    /// How many torrents are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.torrents.len()
    }

    /// True if no torrent is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.torrents.is_empty()
    }

    fn make_room(&mut self, own: Id) {
        let farthest = self.torrents.keys().copied().max_by_key(|torrent| torrent.distance(own));
        farthest.map(|farthest| self.torrents.remove(&farthest));
    }
}
