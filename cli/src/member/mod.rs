//! `archipel member`: who belongs to a cluster.

mod change;
mod list;

use clap::Subcommand;

use crate::exit::Outcome;

/// Show and change who belongs to a cluster.
#[derive(Debug, Subcommand)]
pub(crate) enum MemberCommand {
    /// Show the members.
    List(list::ListOptions),
    /// Add a node as a learner: it gets all the data and no vote.
    Add(change::AddOptions),
    /// Give a learner that has caught up a vote.
    Promote(change::PromoteOptions),
    /// Let a member go.
    Remove(change::RemoveOptions),
}

/// Carries out a command on members.
pub(crate) async fn run(command: &MemberCommand) -> Outcome {
    match command {
        MemberCommand::List(options) => list::run(options).await,
        MemberCommand::Add(options) => change::add(options).await,
        MemberCommand::Promote(options) => change::promote(options).await,
        MemberCommand::Remove(options) => change::remove(options).await,
    }
}
