//! The generations of the tables that are open or being made.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use kernel::Generation;

use crate::{base::GenerationFile, mailbox::lock};

/// Open generations by number.
#[derive(Debug, Default)]
pub(crate) struct Generations {
    files: Mutex<BTreeMap<Generation, Arc<GenerationFile>>>,
}

impl Generations {
    pub(crate) fn insert(&self, generation: Generation, file: Arc<GenerationFile>) {
        lock(&self.files).insert(generation, file);
    }

    /// The generation that a snapshot was received into.
    pub(crate) fn get(&self, generation: Generation) -> Arc<GenerationFile> {
        let files = lock(&self.files);
        let file = files.get(&generation);
        Arc::clone(file.expect("only what was received whole is installed"))
    }

    /// The generation that the tables are of; one that was received whole may wait behind it.
    pub(crate) fn in_force(&self) -> Option<Arc<GenerationFile>> {
        lock(&self.files).first_key_value().map(|(_, file)| Arc::clone(file))
    }

    /// Lets all files go.
    pub(crate) fn clear(&self) {
        lock(&self.files).clear();
    }

    /// The log says durably that the tables are those of `current`: older ones go with their last
    /// readers.
    pub(crate) fn retire_before(&self, current: Generation) {
        let mut files = lock(&self.files);
        let kept = files.split_off(&current);
        for file in std::mem::replace(&mut *files, kept).into_values() {
            file.place().retire();
        }
    }
}
