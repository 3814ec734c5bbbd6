//! `archipel node`: one node, from its configuration to its end.
//!
//! ```text
//!   options ─▶ config_file ─▶ plan ─▶ run ─▶ narrate, stop
//!                               ├ join
//!                               └ import ◀─ restore
//! ```

pub(crate) mod config_file;
pub(crate) mod import;
mod join;
mod log_lines;
mod narrate;
mod options;
mod peer;
mod plan;
pub(crate) mod restore;
mod run;
mod stop;

use clap::ArgMatches;

use options::CLUSTER_TOKEN;
pub(crate) use options::{NodeOptions, PEER_PORT_OFFSET};

use crate::{
    arguments::node_command,
    exit::{Exit, Failure, Outcome},
};

/// Runs a node, or only checks or prints its configuration.
pub(crate) fn run(options: &NodeOptions, matches: &ArgMatches) -> Outcome {
    let addresses = plan::addresses(options)?;
    plan::check(options)?;
    if options.print_config {
        let matches = matches.subcommand_matches("node").expect("the command is node");
        print!("{}", config_file::print(&node_command(), matches));
        return Ok(Exit::Done);
    }
    let folder = plan::folder(options);
    let lives = host::peek(&folder).map_err(|error| run::not_started(&error))?;
    if options.check {
        if options.join.is_empty() {
            plan::first_member(options, &addresses, lives.as_ref())?;
        }
        let shown = folder.display();
        match lives {
            None => println!("The configuration is right. The folder {shown} is empty so far."),
            Some(who) => println!("The configuration is right. {} lives in {shown}.", who.name),
        }
        return Ok(Exit::Done);
    }
    log_lines::start(options.log, options.log_level);
    let threads = usize::try_from(options.client_threads).expect("checked to be at most 256");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Broken, format!("There are no threads: {error}.")))?;
    let ended = runtime.block_on(run::run(options, addresses, lives));
    runtime.shutdown_background();
    ended
}
