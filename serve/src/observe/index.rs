//! `GET /`: what there is, for whoever opens the address in a browser.

use serde_json::json;

use crate::answer::Answer;

/// The routes, one line each.
pub(crate) fn index() -> Answer {
    Answer::ok(&json!({
        "archipel": env!("CARGO_PKG_VERSION"),
        "routes": [
            "POST /kv  {key, value, expect?}  write a pair; expect: null, a text or {revision}",
            "GET /kv/{key}  read a pair; ?consistency=stale for this node's own copy",
            "DELETE /kv/{key}  remove a pair",
            "GET /kv?prefix=&limit=&after=  list pairs in the order of their keys",
            "GET /debug  the course's view of this node",
            "GET /status  all that this node knows of its group",
            "GET /health  the process is alive",
            "GET /ready  a leader is known and reads work",
            "GET /metrics  numbers for Prometheus",
            "GET /version  which version of etcd's interface is spoken, by gRPC on this port",
            "GET /members  who belongs to the group",
            "POST /members  {name, peerAddress, clientAddress, id?}  add a learner",
            "POST /members/{id or name}/promote  {replacing?}  give a learner a vote",
            "DELETE /members/{id or name}  let a member go",
            "POST /leader/transfer  {to?}  hand leadership over",
        ],
    }))
}
