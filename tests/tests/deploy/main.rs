//! The pages in `docs/deploy`, done: each command as it stands, on hosts that are addresses of this machine.
//!
//! ```text
//! page: its blocks, each with the hosts that it is for ─▶ hosts: bash, folders, a unit's process ─▶ it ends well
//! ```

mod hosts;
mod page;

use hosts::Hosts;
use page::{Step, steps};

/// Does what a page says, after what the page says that it begins with.
fn follow(pages: &[&str]) {
    let mut hosts = Hosts::new(pages[pages.len() - 1]);
    for page in pages {
        for step in steps(page) {
            match step {
                Step::Commands { host, text } => hosts.run(&host, &text),
                Step::Death { host } => hosts.kill(&host),
            }
        }
    }
}

#[test]
fn three_hosts() {
    follow(&["hosts.md"]);
}

#[test]
fn a_dead_node_is_replaced() {
    follow(&["hosts.md", "replace-node.md"]);
}

#[test]
fn a_disk_is_replaced() {
    follow(&["hosts.md", "replace-disk.md"]);
}

#[test]
fn a_cluster_grows_and_shrinks() {
    follow(&["grow.md"]);
}

#[test]
fn nodes_are_restarted_one_after_the_other() {
    follow(&["hosts.md", "rolling-restart.md"]);
}

#[test]
fn a_lost_majority_is_restored() {
    follow(&["hosts.md", "disaster.md"]);
}

#[test]
fn every_page_with_commands_is_followed() {
    let followed = include_str!("main.rs");
    for (name, text) in page::all() {
        let mention = format!("\"{name}\"]);");
        assert!(!text.contains("```sh host") || followed.contains(&mention), "{name}");
    }
}
