//! Reads a generation through. The engine's own checksums are looked at only when it opens what was not
//! closed; a bit that flips later would be served.

use kernel::{Fault, tables::pair_hash};
use redb::{ReadableDatabase, ReadableTable};

use crate::{Base, PAIRS, Place, fault, generation::read_meta};

/// How many pairs are read before it is asked again whether to go on.
const PAIRS_BETWEEN: usize = 1024;

impl<P: Place> Base<P> {
    /// Reads all pairs of this moment and adds them up: that must give the digest that was written with
    /// them. `goes_on` is asked every so many pairs, and may end it early: then the answer is false.
    ///
    /// # Errors
    /// [`Fault::Corrupt`] if it does not, or if a page makes no sense; [`Fault::Storage`] if one cannot
    /// be read.
    pub fn verify(&self, mut goes_on: impl FnMut() -> bool) -> Result<bool, Fault> {
        let transaction = self.database.begin_read().map_err(fault)?;
        let meta = read_meta(&transaction, self.place())?;
        let pairs = transaction.open_table(PAIRS).map_err(fault)?;
        let mut digest = 0_u128;
        for (number, pair) in pairs.iter().map_err(fault)?.enumerate() {
            if number % PAIRS_BETWEEN == 0 && !goes_on() {
                return Ok(false);
            }
            let (key, value) = pair.map_err(fault)?;
            digest = digest.wrapping_add(pair_hash(key.value(), value.value()));
        }
        if digest == meta.digest {
            return Ok(true);
        }
        let what = format!("what stands in {:?} is not what was written there", self.place());
        Err(Fault::Corrupt(what))
    }
}
