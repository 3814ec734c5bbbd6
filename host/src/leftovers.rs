//! What a node leaves in its folder when it stops itself: for whoever looks after it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::folder::{LAST_INPUTS_EXTENSION, TABLES};

/// Files that no node uses any more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// Tables that were found to be damaged.
    pub damaged_tables: Vec<PathBuf>,
    /// The last inputs of nodes in which an assertion failed.
    pub last_inputs: Vec<PathBuf>,
}

/// What is left in the data folder at `path`; nothing if there is no such folder. Takes no lock.
///
/// # Errors
/// If the folder cannot be read.
pub fn leftovers(path: &Path) -> io::Result<Leftovers> {
    let damaged = crate::base::aside(Path::new("tables"));
    let damaged = damaged.extension().expect("what is set aside has an extension of its own");
    Ok(Leftovers {
        damaged_tables: with_extension(&path.join(TABLES), damaged)?,
        last_inputs: with_extension(path, LAST_INPUTS_EXTENSION.as_ref())?,
    })
}

fn with_extension(folder: &Path, extension: &std::ffi::OsStr) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let paths: io::Result<Vec<PathBuf>> = entries.map(|entry| Ok(entry?.path())).collect();
    let mut found: Vec<PathBuf> =
        paths?.into_iter().filter(|path| path.extension() == Some(extension)).collect();
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::leftovers;
    use crate::scratch::scratch;
    use std::fs;

    #[test]
    fn only_what_a_node_has_left_is_found() {
        let folder = scratch("leftovers");
        assert_eq!(leftovers(&folder.join("nothing")).unwrap(), super::Leftovers::default());
        fs::create_dir_all(folder.join("tables")).unwrap();
        for name in ["tables/3.redb", "tables/2.damaged", "last-inputs-7.replay", "identity"] {
            fs::write(folder.join(name), "x").unwrap();
        }
        let found = leftovers(&folder).unwrap();
        assert_eq!(found.damaged_tables, [folder.join("tables/2.damaged")]);
        assert_eq!(found.last_inputs, [folder.join("last-inputs-7.replay")]);
    }
}
