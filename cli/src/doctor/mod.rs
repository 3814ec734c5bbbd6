//! `archipel doctor`: what is wrong with a cluster, in sentences, and what to do.
//!
//! ```text
//! visit: the status of each node, and its clock ─▶ cluster: who is there, who leads ─┬▶ findings ─▶ exit code
//!                                                  node: each on its own             │
//!                                      folder: the data of a node on this machine ───┘
//! ```

mod cluster;
mod finding;
mod folder;
mod node;
mod visit;

use std::{path::PathBuf, time::Duration};

use clap::Args;
use serde_json::json;
use tokio::time::sleep;

use crate::{
    client::{Cluster, ClusterOptions},
    exit::{Exit, Outcome},
};
use finding::Finding;
use visit::Visit;

/// Longer than an election takes.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);
/// A cluster in which it changes all the time is told of as it was seen last.
const LOOKS_MAX: u32 = 5;

/// Asks all nodes how they are, and says in sentences what is wrong and what to do.
///
/// It looks for nodes that do not answer, a lost majority, a missing leader, members that are behind, full and slow
/// disks, clocks that differ, versions that differ, and changes of members that were not finished.
#[derive(Args, Debug)]
#[command(after_help = "\
Exit codes:
  0  nothing is wrong
  3  the cluster serves nobody: no node answers, no majority, or no leader
  6  the data in --dir is damaged
  7  there is something to do, while the cluster serves

Examples:
  archipel doctor
  archipel doctor --cluster 10.0.0.1:3000 --json
  archipel doctor --dir /var/lib/archipel/node")]
pub(crate) struct DoctorOptions {
    /// Look at the data folder of a node on this machine too, and measure its disk.
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
    #[command(flatten)]
    cluster: ClusterOptions,
}

/// Looks, and says what was found.
pub(crate) async fn run(options: &DoctorOptions) -> Outcome {
    let (visits, mut findings) = look_twice(&options.cluster.cluster()?).await;
    if let Some(dir) = &options.dir {
        findings.extend(folder::look(dir)?);
    }
    findings.sort_by_key(|finding| finding.exit == Exit::Done);
    let exit = exit(&findings);
    if options.cluster.json {
        let shown: Vec<_> = findings.iter().map(Finding::json).collect();
        println!("{}", json!({ "healthy": exit == Exit::Done, "findings": shown }));
    } else {
        say(&findings, visits.iter().filter(|visit| visit.answers()).count(), exit);
    }
    Ok(exit)
}

/// Looks until twice the same is found: an election, or a node that is busy for a moment, is no ailment.
async fn look_twice(cluster: &Cluster) -> (Vec<Visit>, Vec<Finding>) {
    let (mut visits, mut findings) = look(cluster).await;
    for _ in 1..LOOKS_MAX {
        if findings.is_empty() {
            break;
        }
        sleep(BETWEEN_LOOKS).await;
        let before: Vec<&str> = findings.iter().map(|finding| finding.code).collect();
        let (visits_now, now) = look(cluster).await;
        let is_same = now.iter().map(|finding| finding.code).eq(before);
        (visits, findings) = (visits_now, now);
        if is_same {
            break;
        }
    }
    (visits, findings)
}

async fn look(cluster: &Cluster) -> (Vec<Visit>, Vec<Finding>) {
    let visits = visit::all(cluster).await;
    let mut findings = cluster::look(&visits);
    findings.extend(node::look(&visits));
    (visits, findings)
}

fn say(findings: &[Finding], answering: usize, exit: Exit) {
    for finding in findings {
        println!("{finding}\n");
    }
    if exit == Exit::Done {
        println!("Nothing is wrong; {answering} nodes answer.");
    }
}

/// The gravest: a cluster that serves nobody, then damaged data, then the rest.
fn exit(findings: &[Finding]) -> Exit {
    let has = |exit| findings.iter().any(|finding| finding.exit == exit);
    let gravest = [Exit::Unavailable, Exit::Damaged, Exit::Ailing].into_iter().find(|it| has(*it));
    gravest.unwrap_or(Exit::Done)
}
