//! `archipel member list`.

use clap::Args;

use crate::{
    client::{ClusterOptions, Request},
    exit::{Exit, Outcome},
    table::Table,
};

/// Shows the members: voters, learners, and those who are leaving.
#[derive(Args, Debug)]
pub(crate) struct ListOptions {
    #[command(flatten)]
    cluster: ClusterOptions,
}

pub(super) async fn run(options: &ListOptions) -> Outcome {
    let reply = options.cluster.cluster()?.ask(&Request::get("/members")).await?.done()?;
    if options.cluster.json {
        println!("{}", reply.body);
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&["member", "part", "leads", "clients", "other nodes", "id"]);
    for member in reply.body["members"].as_array().into_iter().flatten() {
        let text = |name: &str| member[name].as_str().unwrap_or("-").to_owned();
        let leads = if member["name"] == reply.body["leader"] { "leader" } else { "" };
        table.row(vec![
            text("name"),
            text("part"),
            leads.to_owned(),
            text("clientAddress"),
            text("peerAddress"),
            text("id"),
        ]);
    }
    table.print();
    Ok(Exit::Done)
}
