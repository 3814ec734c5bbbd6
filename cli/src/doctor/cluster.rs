//! What is wrong with the nodes together: who is missing, who leads, who belongs to it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{finding::Finding, visit::Visit};
use crate::exit::Exit;

/// Looks at all of them.
pub(super) fn look(visits: &[Visit]) -> Vec<Finding> {
    let Some(best) = best(visits) else {
        return vec![nobody(visits)];
    };
    let mut findings = missing(visits, best);
    findings.extend(leadership(visits, best));
    findings.extend(strangers(visits, best));
    findings.extend(membership(best));
    findings.extend(versions(visits));
    findings
}

/// Whose view counts: a leader's, of the latest term; else that of whoever knows the most.
fn best(visits: &[Visit]) -> Option<&Visit> {
    let answering = visits.iter().filter(|visit| visit.answers());
    answering.max_by_key(|it| (leads(it), it.number("/term"), it.number("/commit")))
}

fn leads(visit: &Visit) -> bool {
    visit.status["role"] == "leader"
}

fn nobody(visits: &[Visit]) -> Finding {
    let addresses: Vec<&str> = visits.iter().map(|visit| visit.address.as_str()).collect();
    Finding::ailing(
        "no-answer",
        format!("No node answers at {}.", addresses.join(", ")),
        "Start the nodes, or say with --cluster where they are. If they run, their addresses are not reached from \
         here.",
    )
    .with(Exit::Unavailable)
}

/// Members of `best`'s view that do not answer here.
fn silent<'a>(visits: &[Visit], best: &'a Visit) -> Vec<&'a Value> {
    let heard: BTreeSet<&str> =
        visits.iter().filter_map(|visit| visit.status["node"]["id"].as_str()).collect();
    let is_silent = |member: &&Value| member["id"].as_str().is_some_and(|id| !heard.contains(id));
    best.members().iter().filter(is_silent).collect()
}

fn missing(visits: &[Visit], best: &Visit) -> Vec<Finding> {
    silent(visits, best).into_iter().map(one_missing).collect()
}

fn one_missing(member: &Value) -> Finding {
    let (name, address) = (text(member, "name"), text(member, "clientAddress"));
    if member["active"] == true {
        return Finding::ailing(
            "unreachable-from-here",
            format!("{name} does not answer at {address}, but the leader hears from it."),
            "Its address for clients is not reached from here: look at names, firewalls and published ports.",
        )
        .with(Exit::Done);
    }
    Finding::ailing(
        "unreachable",
        format!("{name} does not answer at {address}."),
        "Start its process, and look at its log if it does not stay. If its machine is gone for good, put another \
         node in its place: docs/deploy/replace-node.md.",
    )
}

/// Whether somebody leads, and whether those who answer are enough.
fn leadership(visits: &[Visit], best: &Visit) -> Vec<Finding> {
    let leaders: Vec<&Visit> = visits.iter().filter(|visit| leads(visit)).collect();
    if leaders.is_empty() {
        return vec![nobody_leads(visits, best)];
    }
    let others = leaders.iter().filter(|other| other.name() != best.name());
    let cut_off = |other: &&Visit| {
        Finding::ailing(
            "old-leader",
            format!(
                "{} takes itself for the leader of term {}, and {} leads in term {}.",
                other.name(),
                other.number("/term"),
                best.name(),
                best.number("/term")
            ),
            "It is cut off from the others: look at the network between their ports for other nodes. No write is \
             lost; what it is asked, it refuses or calls unknown.",
        )
    };
    let deaf = |member: &&Value| member["active"] == false && !is(member, best);
    let deaf = best.members().iter().filter(deaf).filter_map(|member| {
        let is_here = visits.iter().any(|visit| visit.status["node"]["id"] == member["id"]);
        is_here.then(|| unheard(member, best.name()))
    });
    others.map(cut_off).chain(deaf).collect()
}

fn is(member: &Value, visit: &Visit) -> bool {
    member["id"] == visit.status["node"]["id"]
}

fn unheard(member: &Value, leader: &str) -> Finding {
    Finding::ailing(
        "cut-off",
        format!(
            "{} answers here, but {leader}, which leads, does not hear from it.",
            text(member, "name")
        ),
        format!(
            "Look at the network between the two: other nodes reach it at {}.",
            text(member, "peerAddress")
        ),
    )
}

fn nobody_leads(visits: &[Visit], best: &Visit) -> Finding {
    let voters = best.members().iter().filter(|member| member["part"] == "voter").count();
    let silent = silent(visits, best).into_iter().filter(|it| it["part"] == "voter").count();
    let majority = voters / 2 + 1;
    if voters - silent >= majority {
        return Finding::ailing(
            "no-leader",
            format!("{} of {voters} voters answer, and none of them leads.", voters - silent),
            "If that lasts longer than a few seconds, they do not reach each other: look at the network between \
             their ports for other nodes, and at their logs.",
        )
        .with(Exit::Unavailable);
    }
    Finding::ailing(
        "no-majority",
        format!(
            "Only {} of {voters} voters answer, and {majority} are the majority: nothing is written, and nothing \
             but stale copies is read.",
            voters - silent
        ),
        "Bring the others back; what was acknowledged is on their disks. If they are gone for good: \
         docs/deploy/disaster.md.",
    )
    .with(Exit::Unavailable)
}

/// Nodes of another cluster at the addresses that were named.
fn strangers(visits: &[Visit], best: &Visit) -> Vec<Finding> {
    let own = &best.status["cluster"];
    let others = visits.iter().filter(|it| it.answers() && it.status["cluster"] != *own);
    others
        .map(|other| {
            Finding::ailing(
                "another-cluster",
                format!(
                    "{} at {} belongs to another cluster than {}.",
                    other.name(),
                    other.address,
                    best.name()
                ),
                "Either --cluster names nodes of two clusters, or a node was started with other --peers or another \
                 --cluster-token than the others: stop it and compare.",
            )
        })
        .collect()
}

/// Changes that were begun and not finished, and numbers that promise less than they seem to.
fn membership(best: &Visit) -> Vec<Finding> {
    let mut findings = Vec::new();
    let part = |part: &str| best.members().iter().filter(|it| it["part"] == part).count();
    if best.says("/joint") {
        findings.push(Finding::ailing(
            "members-change",
            "A change of the voters is under way.",
            "It ends by itself once a majority of the old and of the new voters can be reached.",
        ));
    }
    if part("learner") > 0 {
        let says =
            format!("{} members are learners: they have the data and no vote.", part("learner"));
        let advice = "If that is not meant, give them one once they have caught up: `archipel member promote`.";
        findings.push(Finding::ailing("learners", says, advice).with(Exit::Done));
    }
    let voters = part("voter");
    if voters > 1 && voters.is_multiple_of(2) {
        let says = format!("{voters} voters survive no more failures than {} would.", voters - 1);
        let advice = "Add one or let one go: docs/deploy/grow.md.";
        findings.push(Finding::ailing("even", says, advice).with(Exit::Done));
    }
    findings
}

fn versions(visits: &[Visit]) -> Vec<Finding> {
    let version = |visit: &Visit| visit.status["node"]["version"].as_str().map(str::to_owned);
    let versions: BTreeSet<String> = visits.iter().filter_map(version).collect();
    if versions.len() < 2 {
        return vec![];
    }
    let versions: Vec<String> = versions.into_iter().collect();
    let says = format!("The nodes run different versions: {}.", versions.join(", "));
    let advice = "Finish the rolling restart: docs/deploy/rolling-restart.md.";
    vec![Finding::ailing("versions", says, advice)]
}

fn text(of: &Value, name: &str) -> String {
    of[name].as_str().unwrap_or("a member").to_owned()
}

#[cfg(test)]
mod tests {
    use super::look;
    use crate::{
        doctor::visit::Visit,
        exit::Exit::{self, Ailing, Done, Unavailable},
    };
    use serde_json::{Value, json};

    fn member(id: &str, active: Option<bool>) -> Value {
        let mut member = json!({
            "id": id, "name": format!("node{id}"), "part": "voter",
            "clientAddress": format!("host{id}:3000"), "peerAddress": format!("host{id}:4000"),
        });
        if let Some(active) = active {
            member["active"] = active.into();
        }
        member
    }

    /// A node as it tells of itself; `active` is what it, as the leader, thinks of the others.
    fn node(id: &str, role: &str, active: Option<[bool; 3]>) -> Visit {
        let members: Vec<Value> = (0..3)
            .map(|place| {
                let own = (place + 1).to_string();
                member(&own, active.filter(|_| own != id).map(|active| active[place]))
            })
            .collect();
        let status = json!({
            "node": { "id": id, "name": format!("node{id}"), "version": "1" }, "cluster": "c",
            "role": role, "term": 3, "commit": 9, "joint": false, "members": members,
        });
        Visit { address: format!("host{id}:3000"), status, ahead_ms: 0 }
    }

    fn nobody(id: &str) -> Visit {
        Visit { address: format!("host{id}:3000"), ..Visit::default() }
    }

    fn codes(visits: &[Visit]) -> Vec<(&'static str, Exit)> {
        look(visits).into_iter().map(|finding| (finding.code, finding.exit)).collect()
    }

    #[test]
    fn of_a_healthy_cluster_there_is_nothing_to_say() {
        let all = [
            node("1", "leader", Some([true; 3])),
            node("2", "follower", None),
            node("3", "follower", None),
        ];
        assert_eq!(codes(&all), []);
    }

    #[test]
    fn a_missing_member_is_told_from_one_that_only_we_do_not_reach() {
        let leader = |third| node("1", "leader", Some([true, true, third]));
        let with = |third| [leader(third), node("2", "follower", None), nobody("3")];
        assert_eq!(codes(&with(false)), [("unreachable", Ailing)]);
        assert_eq!(codes(&with(true)), [("unreachable-from-here", Done)]);
    }

    #[test]
    fn without_a_majority_that_is_said_and_not_only_that_nobody_leads() {
        let alone = [node("1", "candidate", None), nobody("2"), nobody("3")];
        let expected =
            [("unreachable", Ailing), ("unreachable", Ailing), ("no-majority", Unavailable)];
        assert_eq!(codes(&alone), expected);
        let two = [node("1", "candidate", None), node("2", "follower", None), nobody("3")];
        assert_eq!(codes(&two), [("unreachable", Ailing), ("no-leader", Unavailable)]);
        assert_eq!(codes(&[nobody("1")]), [("no-answer", Unavailable)]);
    }

    #[test]
    fn who_is_cut_off_from_the_leader_is_named() {
        let mut old = node("3", "leader", Some([false; 3]));
        old.status["term"] = 2.into();
        let all =
            [node("1", "leader", Some([true, true, false])), node("2", "follower", None), old];
        assert_eq!(codes(&all), [("old-leader", Ailing), ("cut-off", Ailing)]);
    }

    #[test]
    fn strangers_and_other_versions_are_named() {
        let mut other = node("3", "follower", None);
        other.status["node"]["version"] = "2".into();
        let mut stranger = node("4", "follower", None);
        stranger.status["cluster"] = "d".into();
        let all =
            [node("1", "leader", Some([true; 3])), node("2", "follower", None), other, stranger];
        assert_eq!(codes(&all), [("another-cluster", Ailing), ("versions", Ailing)]);
    }
}
