//! `GET /`: what there is, for whoever opens the address in a browser.

use serde_json::json;

use crate::{answer::Answer, kv, queue, system::System};

/// What every node has, one line each.
const ROUTES: [&str; 9] = [
    "GET /status  all that this node knows of its group",
    "GET /health  the process is alive",
    "GET /ready  a leader is known and reads work",
    "GET /metrics  numbers for Prometheus",
    "GET /members  who belongs to the group",
    "POST /members  {name, peerAddress, clientAddress, id?}  add a learner",
    "POST /members/{id or name}/promote  {replacing?}  give a learner a vote",
    "DELETE /members/{id or name}  let a member go",
    "POST /leader/transfer  {to?}  hand leadership over",
];

/// The routes of a node that runs `system`.
pub(crate) fn index(system: System) -> Answer {
    let own: &[&str] = match system {
        System::Kv => &kv::ROUTES,
        System::Queue => &queue::ROUTES,
    };
    let routes: Vec<&str> = own.iter().chain(&ROUTES).copied().collect();
    Answer::ok(&json!({
        "archipel": env!("CARGO_PKG_VERSION"),
        "system": system.name(),
        "routes": routes,
    }))
}
