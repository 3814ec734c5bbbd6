//! `archipel import`: the data folder of a first member, made of a snapshot of etcd.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use clap::Args;
use host::{FirstTables, HostConfig};
use kernel::Fault;
use serve::{EtcdSnapshot, System};

use super::{
    NodeOptions, plan,
    run::{host_config, not_started},
};
use crate::{
    arguments::{self, Command},
    exit::{Exit, Failure, Outcome},
};

/// Makes the data folder of a node of a new cluster that begins with what a snapshot of etcd holds.
///
/// Keys keep their revisions and their history, leases their time, users their passwords; authentication is
/// off until `etcdctl auth enable`. Do it for every first member, with the same file and the options with which the
/// node will be started. For a whole cluster on this machine: `archipel up -- --import FILE`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  archipel import backup.db -- --name node1 --port 3001
  archipel import backup.db -- --name node1 --peers node2:3000,node3:3000 --dir /var/lib/archipel
  archipel up -- --import backup.db")]
pub(crate) struct ImportOptions {
    /// The snapshot, as `etcdctl snapshot save` makes it.
    file: PathBuf,

    /// The node's options, after two dashes; see `archipel node --help`.
    #[arg(last = true, value_name = "NODE OPTIONS")]
    node_options: Vec<String>,
}

/// Makes the folder.
pub(crate) fn run(options: &ImportOptions) -> Outcome {
    let node = node_options(&options.node_options)?;
    let folder = first_folder(&node, &options.file)?;
    println!(
        "The data of {} is in {}. Start it with `archipel node` and the same options.",
        node.name,
        folder.display()
    );
    Ok(Exit::Done)
}

/// Makes the data folder of the first member that the options describe, and says where it is.
pub(super) fn first_folder(node: &NodeOptions, file: &Path) -> Outcome<PathBuf> {
    let addresses = plan::addresses(node)?;
    plan::check(node)?;
    if node.system != System::Kv {
        return Err(Failure::usage(format!(
            "The file holds keys and values, and this would be a node of {}; leave --system out.",
            node.system
        )));
    }
    let folder = plan::folder(node);
    if let Some(lives) = host::peek(&folder).map_err(|error| not_started(&error))? {
        return Err(Failure::usage(format!(
            "The data folder {} has the data of {} already. Choose another one with --dir.",
            folder.display(),
            lives.name
        )));
    }
    let plan = plan::first_member(node, &addresses, None)?;
    into_folder(&host_config(node, &addresses, &plan), file)?;
    Ok(folder)
}

/// The options behind two dashes, read as those of `archipel node` are: from a file too, if they name one.
pub(super) fn node_options(words: &[String]) -> Outcome<NodeOptions> {
    let before = ["archipel", "node"].into_iter().map(OsString::from);
    let words = before.chain(words.iter().map(OsString::from)).collect();
    match arguments::parse(words)?.command {
        Command::Node(node) => Ok(*node),
        _ => unreachable!("the command is node"),
    }
}

/// Makes the folder that `config` names of a snapshot.
pub(super) fn into_folder(config: &HostConfig, file: &Path) -> Outcome<()> {
    let snapshot = EtcdSnapshot::open(file).map_err(Failure::usage)?;
    let mut senseless = None;
    let mut fill = |first: &mut FirstTables| {
        snapshot.fill(first).inspect_err(|fault| {
            if let Fault::Corrupt(what) = fault {
                senseless = Some(what.clone());
            }
        })
    };
    let founded = host::found(config, &mut fill);
    if let Some(what) = senseless {
        return Err(Failure::usage(format!(
            "{} cannot be imported: {what}. Nothing was; take another snapshot.",
            file.display()
        )));
    }
    founded.map_err(|error| not_started(&error))
}
