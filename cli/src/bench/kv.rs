//! `archipel bench kv`.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};

use super::{
    client::Workload,
    disk,
    processor::Processes,
    report::Report,
    step::{self, Step},
};
use crate::{
    client::{Cluster, ClusterOptions},
    exit::{Exit, Failure, Outcome},
    progress::Progress,
    status,
};

/// Measures a running cluster: requests a second and how long they take, for several numbers of
/// clients, each of which sends its next request when it has the answer to its last.
///
/// Keys of the form bench/000000 are written. Times are from the first byte of a request to the last of
/// its answer, in microseconds. The client takes processor time too: on the machine of the nodes it
/// measures all together.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  archipel bench kv
  archipel bench kv --clients 1,64 --operations put --seconds 10 --json
  archipel bench kv --cluster 10.0.0.1:3000,10.0.0.2:3000 --to any")]
pub(crate) struct KvBenchOptions {
    /// How many clients at once, one step for each number.
    #[arg(long, value_name = "COUNT,...", value_delimiter = ',', default_value = "1,16,64,256",
        value_parser = clap::value_parser!(u32).range(1..=10_000))]
    clients: Vec<u32>,
    /// What the clients do.
    #[arg(
        long,
        value_enum,
        value_name = "OPERATION,...",
        value_delimiter = ',',
        default_value = "put,get,stale,mixed"
    )]
    operations: Vec<Operation>,
    /// How many seconds each step takes.
    #[arg(long, value_name = "SECONDS", default_value_t = 5,
        value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// Which nodes the clients talk to.
    #[arg(long, value_enum, value_name = "NODES", default_value_t = To::Leader)]
    to: To,
    /// How many different keys.
    #[arg(long, value_name = "COUNT", default_value_t = 10_000,
        value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    keys: u32,
    /// The size of each value, in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 256,
        value_parser = clap::value_parser!(u32).range(0..=1 << 20))]
    value_bytes: u32,
    /// Where to measure this machine's own fdatasync: best on the disk of the nodes' data.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    dir: PathBuf,
    #[command(flatten)]
    cluster: ClusterOptions,
}

/// What the clients do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Operation {
    /// Write.
    Put,
    /// Read what is committed now.
    Get,
    /// Read the node's own copy.
    Stale,
    /// Nine reads of what is committed for each write.
    Mixed,
}

/// Which nodes the clients talk to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum To {
    /// The leader; stale reads go to all.
    Leader,
    /// All, each client to one of them.
    Any,
}

/// Measures.
pub(super) async fn run(options: &KvBenchOptions) -> Outcome {
    let cluster = options.cluster.cluster()?;
    let nodes = Nodes::find(&cluster).await?;
    let progress = Progress::new(options.cluster.json);
    let workload = Workload { keys: options.keys, value: "x".repeat(options.value_bytes as usize) };
    progress.say("writing the keys");
    step::fill(&workload, nodes.addresses(To::Leader)).await?;
    let mut report = Report::new(options.value_bytes, options.keys);
    let steps = options.operations.len() * options.clients.len();
    for &operation in &options.operations {
        for &clients in &options.clients {
            let to = if operation == Operation::Stale { To::Any } else { options.to };
            let what = format!("{}, {clients} clients", operation.name());
            progress.step(report.steps(), steps, &what);
            let step = Step {
                operation,
                clients,
                addresses: nodes.addresses(to),
                length: Duration::from_secs(options.seconds),
            };
            // The disk's own time is measured right before and right after what is compared with it.
            let is_compared = operation == Operation::Put && clients == 1;
            if is_compared {
                report.add_disk(&disk::measure(&options.dir)?);
            }
            let before = nodes.processes.spent();
            let measured = step::run(&step, &workload).await;
            report.add(operation, clients, measured, nodes.processes.spent_since(&before));
            if is_compared {
                report.add_disk(&disk::measure(&options.dir)?);
            }
        }
    }
    if !report.has_disk() {
        report.add_disk(&disk::measure(&options.dir)?);
    }
    progress.done();
    if options.cluster.json {
        println!("{}", report.json());
    } else {
        report.print();
    }
    Ok(Exit::Done)
}

impl Operation {
    /// The word for it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Put => "put",
            Self::Get => "get",
            Self::Stale => "stale get",
            Self::Mixed => "mixed",
        }
    }
}

/// The nodes to measure.
struct Nodes {
    all: Vec<String>,
    leader: String,
    processes: Processes,
}

impl Nodes {
    async fn find(cluster: &Cluster) -> Outcome<Self> {
        let mut all = Vec::new();
        let mut leader = None;
        let mut processes = Processes::default();
        for address in &cluster.addresses {
            let status = status::of_node(cluster, address).await;
            if status.is_null() {
                continue;
            }
            if status["role"] == "leader" {
                leader = Some(address.clone());
            }
            processes.add(address, &status);
            all.push(address.clone());
        }
        let leader = leader.ok_or_else(|| {
            Failure::new(
                Exit::Unavailable,
                format!(
                    "None of {} leads. Start a cluster with `archipel up`, or name all its nodes \
                     with --cluster.",
                    cluster.addresses.join(", ")
                ),
            )
        })?;
        Ok(Self { all, leader, processes })
    }

    fn addresses(&self, to: To) -> Vec<String> {
        match to {
            To::Leader => vec![self.leader.clone()],
            To::Any => self.all.clone(),
        }
    }
}
