//! Joining a running cluster: ask who is there, be added as a learner, catch up, get a vote.

use std::time::Duration;

use kernel::{ClusterId, NodeId};
use serde_json::{Value, json};
use serve::System;
use tokio::time::sleep;

use super::{options::NodeOptions, plan::Addresses};
use crate::{
    client::{Cluster, Request},
    exit::{Exit, Failure, Outcome},
    system,
};

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long to wait before the next attempt.
const PAUSE: Duration = Duration::from_millis(500);

/// A node on its way into a cluster.
#[derive(Debug)]
pub(crate) struct Joiner {
    door: Cluster,
    name: String,
    replace: Option<String>,
    stays_learner: bool,
    system: System,
}

impl Joiner {
    /// The joiner that the options describe; nothing if they do not say `--join`.
    pub(crate) fn new(options: &NodeOptions) -> Option<Self> {
        if options.join.is_empty() {
            return None;
        }
        Some(Self {
            door: Cluster { addresses: options.join.clone(), patience: PATIENCE },
            name: options.name.clone(),
            replace: options.replace.clone(),
            stays_learner: options.learner,
            system: options.system,
        })
    }

    /// The id of the running cluster. Waits for one that can be reached.
    pub(crate) async fn find_cluster(&self) -> Outcome<ClusterId> {
        loop {
            match self.members().await {
                Ok(answer) => {
                    self.check_system(&answer)?;
                    let text = answer["cluster"].as_str().unwrap_or_default();
                    return u128::from_str_radix(text, 16).map(ClusterId).map_err(|_| {
                        Failure::usage(
                            "What answers at the address to join is no node of archipel.",
                        )
                    });
                }
                Err(failure) => {
                    tracing::warn!("The cluster to join does not answer yet. {failure}");
                }
            }
            sleep(PAUSE).await;
        }
    }

    /// A node joins those that run what it runs.
    fn check_system(&self, answer: &Value) -> Outcome<()> {
        let name = answer["system"].as_str().unwrap_or_default();
        if system::named(name) == Ok(self.system) {
            return Ok(());
        }
        Err(Failure::usage(format!(
            "The cluster to join runs {name}, and this node would run {}. Start it with --system {name}.",
            self.system
        )))
    }

    /// Sees to it that `node` becomes a member, and a voter unless it shall stay a learner.
    pub(crate) async fn enter(&self, node: NodeId, addresses: &Addresses) -> Outcome<()> {
        let mut waiting_said = false;
        loop {
            match self.step(node, addresses).await {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(failure) if failure.exit == Exit::Usage => return Err(failure),
                Err(failure) if !waiting_said => {
                    tracing::info!("Not a voter yet: {failure} This goes on by itself.");
                    waiting_said = true;
                }
                Err(_) => {}
            }
            sleep(PAUSE).await;
        }
    }

    /// One step on the way; true once there is none left.
    async fn step(&self, node: NodeId, addresses: &Addresses) -> Outcome<bool> {
        let answer = self.members().await?;
        let id = node.to_string();
        let members = answer["members"].as_array().map_or(&[][..], Vec::as_slice);
        let own = members.iter().find(|member| member["id"] == id.as_str());
        match own.and_then(|own| own["part"].as_str()) {
            Some("voter") => Ok(true),
            Some("learner") if self.stays_learner => Ok(true),
            Some("learner") => self.promote(&id, members).await.map(|()| true),
            _ => self.add(&id, addresses).await.map(|()| false),
        }
    }

    async fn add(&self, id: &str, addresses: &Addresses) -> Outcome<()> {
        let body = json!({
            "id": id,
            "name": self.name,
            "peerAddress": addresses.peer,
            "clientAddress": addresses.client,
        });
        self.ask("POST", "/members", &body.to_string()).await?;
        tracing::info!("The cluster has taken this node as a learner; it receives the data now.");
        Ok(())
    }

    async fn promote(&self, id: &str, members: &[Value]) -> Outcome<()> {
        let body = json!({ "replacing": self.replaced(id, members)? });
        self.ask("POST", &format!("/members/{id}/promote"), &body.to_string()).await?;
        tracing::info!("This node has caught up and has a vote now.");
        Ok(())
    }

    /// Whom the node replaces: the member that was named, or the one of its own name.
    fn replaced(&self, id: &str, members: &[Value]) -> Outcome<Option<String>> {
        let wanted = self.replace.as_deref().unwrap_or(&self.name);
        let mut others = members.iter().filter(|member| {
            member["id"] != id && (member["name"] == wanted || member["id"] == wanted)
        });
        let other = others.next().and_then(|member| member["id"].as_str());
        if other.is_none() && self.replace.is_some() {
            return Err(Failure::usage(format!(
                "There is no member {wanted:?} to replace; `archipel member list` shows who there is."
            )));
        }
        Ok(other.map(str::to_owned))
    }

    async fn members(&self) -> Outcome<Value> {
        Ok(self.door.ask(&Request::get("/members")).await?.done()?.body)
    }

    async fn ask(&self, method: &'static str, path: &str, body: &str) -> Outcome<()> {
        let request = Request { method, path, headers: "", body };
        self.door.ask(&request).await?.done()?;
        Ok(())
    }
}
