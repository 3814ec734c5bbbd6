//! What a new log begins with.

use kernel::{EntryId, Generation, GroupId, HardState, Membership, Stamp};

use crate::batch::State;

/// What stands before the first entry of a new log. The default is an empty replica of an empty
/// configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Founding {
    /// Term and vote.
    pub hard: HardState,
    /// The entry that the log begins after.
    pub base: EntryId,
    /// Its stamp.
    pub base_stamp: Stamp,
    /// The configuration as of that entry.
    pub membership: Membership,
    /// Which generation of the tables goes with it.
    pub generation: Generation,
}

impl Founding {
    pub(crate) fn state(self, group: GroupId) -> State {
        let Self { hard, base, base_stamp, membership, generation } = self;
        let last = base;
        State { group, hard, base, base_stamp, membership, generation, last, doubt: None }
    }
}
