//! The file `identity`: who lives in a data folder. A few lines of text with a checksum.
//!
//! ```text
//! archipel identity 2    1: as it was before there were several systems, without the line that names one
//! system queue           what its state machine is
//! cluster 5f0c...        32 hexadecimal digits
//! node 1
//! disk 9ab3...           32 hexadecimal digits
//! name node1
//! incarnation 4          the last life that began
//! complete yes           no: the folder was being made; nothing was ever said in its name
//! checksum 1a2b3c4d      CRC-32C of all lines above
//! ```

use std::{fmt::Write, str::FromStr};

use kernel::{ClusterId, DiskId, Incarnation, NodeId, checksum::crc32c};

/// Who lives in a data folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderIdentity {
    /// The cluster that it belongs to.
    pub cluster: ClusterId,
    /// The node.
    pub node: NodeId,
    /// The folder's own id.
    pub disk: DiskId,
    /// What people call the node.
    pub name: String,
    /// The system that its tables are of, as whoever made the folder calls it; empty in a folder from before
    /// there were several.
    pub system: String,
    /// The last life that began.
    pub incarnation: Incarnation,
}

/// An identity as it stands in its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IdentityFile {
    pub(crate) identity: FolderIdentity,
    /// False while the folder is being made.
    pub(crate) is_complete: bool,
}

const TITLE: &str = "archipel identity 2";
/// The first line before there were several systems.
const TITLE_WITHOUT_SYSTEM: &str = "archipel identity 1";

impl IdentityFile {
    pub(crate) fn encode(&self) -> String {
        let FolderIdentity { cluster, node, disk, name, system, incarnation } = &self.identity;
        let complete = if self.is_complete { "yes" } else { "no" };
        let head = match system.as_str() {
            "" => String::from(TITLE_WITHOUT_SYSTEM),
            system => format!("{TITLE}\nsystem {}", system.replace('\n', " ")),
        };
        let lines = format!(
            "{head}\ncluster {:032x}\nnode {node}\ndisk {:032x}\nname {}\n\
             incarnation {incarnation}\ncomplete {complete}\n",
            cluster.0,
            disk.0,
            name.replace('\n', " "),
        );
        with_checksum(lines)
    }

    /// The identity that `text` is, or what is wrong with it.
    pub(crate) fn decode(text: &str) -> Result<Self, &'static str> {
        let lines = check_checksum(text)?;
        let mut lines = lines.lines();
        let names_system = match lines.next() {
            Some(TITLE) => true,
            Some(TITLE_WITHOUT_SYSTEM) => false,
            _ => {
                return Err(
                    "it does not begin with a line \"archipel identity\" of a version known here",
                );
            }
        };
        let mut field = |name: &str| {
            let line = lines.next().ok_or("a line is missing")?;
            let (found, value) = line.split_once(' ').ok_or("a line has no value")?;
            if found == name { Ok(value) } else { Err("a line has the wrong name") }
        };
        let system = if names_system { field("system")? } else { "" };
        let identity = FolderIdentity {
            system: String::from(system),
            cluster: ClusterId(hexadecimal(field("cluster")?)?),
            node: NodeId(number(field("node")?)?),
            disk: DiskId(hexadecimal(field("disk")?)?),
            name: String::from(field("name")?),
            incarnation: Incarnation(number(field("incarnation")?)?),
        };
        let is_complete = field("complete")? == "yes";
        Ok(Self { identity, is_complete })
    }
}

/// `lines` with a last line that has their checksum.
pub(crate) fn with_checksum(mut lines: String) -> String {
    let checksum = crc32c(lines.as_bytes());
    writeln!(lines, "checksum {checksum:08x}").expect("a string takes all text");
    lines
}

/// The lines above the checksum of `text`, if it matches.
pub(crate) fn check_checksum(text: &str) -> Result<&str, &'static str> {
    let place = text.rfind("checksum ").ok_or("it has no checksum")?;
    let (lines, last) = text.split_at(place);
    let expected = format!("checksum {:08x}\n", crc32c(lines.as_bytes()));
    if last == expected { Ok(lines) } else { Err("its checksum does not match") }
}

pub(crate) fn hexadecimal(text: &str) -> Result<u128, &'static str> {
    u128::from_str_radix(text, 16).map_err(|_| "an id is not hexadecimal")
}

pub(crate) fn number(text: &str) -> Result<u64, &'static str> {
    u64::from_str(text).map_err(|_| "a number is not a number")
}

#[cfg(test)]
mod tests {
    use kernel::{ClusterId, DiskId, Incarnation, NodeId};

    use super::{FolderIdentity, IdentityFile};

    fn file() -> IdentityFile {
        let identity = FolderIdentity {
            cluster: ClusterId(1 << 100),
            node: NodeId(2),
            disk: DiskId(3),
            name: String::from("node two"),
            system: String::from("queue"),
            incarnation: Incarnation(4),
        };
        IdentityFile { identity, is_complete: true }
    }

    #[test]
    fn an_identity_is_read_back() {
        assert_eq!(IdentityFile::decode(&file().encode()), Ok(file()));
    }

    #[test]
    fn a_folder_from_before_there_were_several_systems_is_read_and_stays_as_it_is() {
        let mut old = file();
        old.identity.system = String::new();
        let text = old.encode();
        assert!(text.starts_with("archipel identity 1\ncluster "), "{text}");
        assert_eq!(IdentityFile::decode(&text), Ok(old));
    }

    #[test]
    fn every_changed_byte_is_found() {
        let text = file().encode();
        for place in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[place] ^= 1;
            let damaged = String::from_utf8(bytes).unwrap();
            assert!(IdentityFile::decode(&damaged).is_err(), "byte {place}");
        }
    }
}
