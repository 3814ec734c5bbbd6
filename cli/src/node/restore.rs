//! `archipel restore`: the data folder of a first member, made of a backup.
//!
//! The cluster is a new one with the old one's content. Members of the old one that are alive somewhere must not be
//! taken for members of the new one: its token comes from the backup, and so do its id and those of its members.

use std::path::PathBuf;

use clap::Args;
use serve::{EtcdSnapshot, Holds};

use super::{NodeOptions, import};
use crate::exit::{Exit, Failure, Outcome};

/// Makes the data folder of a node of a new cluster that begins with what a backup holds.
///
/// Keys keep their revisions and their history, leases their time, users their passwords. Do it for every first
/// member, with the same file and the options with which the node will be started. The old cluster must be gone, or
/// at least be reached by no client.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  archipel restore monday.backup -- --config /etc/archipel/node.toml --dir /var/lib/archipel/node
  archipel restore monday.backup -- --name node1 --port 3001 --peers node2=127.0.0.1:3002,node3=127.0.0.1:3003")]
pub(crate) struct RestoreOptions {
    /// The backup, as `archipel backup` makes it.
    file: PathBuf,

    /// Only say what the backup holds, and whether it is whole.
    #[arg(long)]
    check: bool,

    /// The node's options, after two dashes; see `archipel node --help`.
    #[arg(last = true, value_name = "NODE OPTIONS")]
    node_options: Vec<String>,
}

/// Makes the folder.
pub(crate) fn run(options: &RestoreOptions) -> Outcome {
    let snapshot = EtcdSnapshot::open(&options.file).map_err(Failure::usage)?;
    let holds = snapshot.holds().map_err(Failure::usage)?;
    println!("The backup is whole: {holds}.");
    if options.check {
        return Ok(Exit::Done);
    }
    let mut node = import::node_options(&options.node_options)?;
    set_apart(&mut node, snapshot.hash());
    let folder = import::first_folder(&node, &options.file)?;
    say(&node, &folder.display().to_string(), &holds);
    Ok(Exit::Done)
}

/// Makes the new cluster another one than the old, unless somebody has chosen its token already.
fn set_apart(node: &mut NodeOptions, hash: &[u8]) {
    if node.cluster_token == super::CLUSTER_TOKEN {
        let short: String = hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        node.cluster_token = format!("restored-{short}");
    }
}

fn say(node: &NodeOptions, folder: &str, holds: &Holds) {
    println!(
        "The data of {} is in {folder}. Restore the other first members from the same file, then start all with \
         the same options and --cluster-token {}, which tells the new cluster from the old one.",
        node.name, node.cluster_token
    );
    if holds.authentication {
        println!(
            "Authentication was on and is off now: whoever reaches the nodes can read and write. Turn it on with \
             `etcdctl auth enable` before clients come."
        );
    }
}

#[cfg(test)]
mod tests {
    use super::{import, set_apart};

    #[test]
    fn a_restored_cluster_is_never_taken_for_the_old_one() {
        let token = |words: &[&str], hash: &[u8]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            let mut node = import::node_options(&words).unwrap();
            set_apart(&mut node, hash);
            node.cluster_token
        };
        assert_eq!(token(&[], &[0xab, 1, 2, 3, 4]), "restored-ab010203");
        assert_ne!(token(&[], &[1; 32]), token(&[], &[2; 32]));
        assert_eq!(token(&["--cluster-token", "mine"], &[1; 32]), "mine");
    }
}
