//! Everything that a node can be told, once: this struct is the flags, the environment variables, the
//! configuration file, `--help` and `--print-config`.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use clap::{Args, ValueEnum};

use serve::System;

use super::peer::Peer;
use crate::system;

/// How far a node's port for other nodes is from its port for clients.
pub(crate) const PEER_PORT_OFFSET: u16 = 1000;
/// The token of a cluster that was given none.
pub(super) const CLUSTER_TOKEN: &str = "archipel";

/// Runs one node until it is stopped by Ctrl-C or a signal.
///
/// A new cluster: start every first member with the names and addresses of the others, as in the
/// course (NODE_ID, PEER_IDS, PORT). A node that comes later: start it with --join and the address of
/// any member. Once its data folder exists, a node knows who it is and goes on from there.
///
/// What is set on the command line wins over the environment, which wins over the file.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct NodeOptions {
    /// A TOML file with these same options, named as here without the dashes in front.
    #[arg(long, value_name = "FILE", env = "ARCHIPEL_CONFIG")]
    pub(crate) config: Option<PathBuf>,

    /// Print the configuration that would be used, as a commented file, and exit.
    #[arg(long)]
    pub(crate) print_config: bool,

    /// Check the configuration and the data folder, start nothing, and exit.
    #[arg(long)]
    pub(crate) check: bool,

    /// What the node runs: the key/value store, or the work queue. All members of a cluster run the same; the data
    /// folder remembers it.
    #[arg(
        long,
        value_name = "SYSTEM",
        default_value_t = System::Kv,
        value_parser = system::parser(),
        help_heading = "Identity"
    )]
    pub(crate) system: System,

    /// The node's name, which no other member has.
    #[arg(
        long,
        env = "NODE_ID",
        value_name = "NAME",
        default_value = "node1",
        help_heading = "Identity"
    )]
    pub(crate) name: String,

    /// The other first members of a new cluster: name:port if the name is also the host, as in the
    /// course; otherwise name=host:port. The ports are the clients' ports; a member whose port for
    /// other nodes is not 1000 above is written name=host:port/peer-port. The node itself may be among
    /// them, so that all first members can be given the same list.
    #[arg(
        long,
        env = "PEER_IDS",
        value_name = "NAME=HOST:PORT,...",
        value_delimiter = ',',
        help_heading = "Identity"
    )]
    pub(crate) peers: Vec<Peer>,

    /// A text that the first members of one cluster share: it tells clusters apart whose members have
    /// the same names. It is no password.
    #[arg(
        long,
        env = "CLUSTER_TOKEN",
        value_name = "TEXT",
        default_value = CLUSTER_TOKEN,
        help_heading = "Identity"
    )]
    pub(crate) cluster_token: String,

    /// Join a running cluster: the client address of a member, or of several. The node gets a new
    /// identity, receives the data as a learner, and votes once it has caught up. It takes the place
    /// of a member of the same name.
    #[arg(long, value_name = "HOST:PORT,...", value_delimiter = ',', help_heading = "Identity")]
    pub(crate) join: Vec<String>,

    /// With --join: take the place of this member, which goes, by name or id.
    #[arg(long, value_name = "MEMBER", requires = "join", help_heading = "Identity")]
    pub(crate) replace: Option<String>,

    /// With --join: stay a learner, which has all the data and no vote.
    #[arg(long, requires = "join", help_heading = "Identity")]
    pub(crate) learner: bool,

    /// A new cluster: begin with the keys, leases, users and roles of a snapshot of etcd, as `etcdctl snapshot save`
    /// makes it. All first members are given the same file. Where there is data already, or with --join, it is not
    /// looked at.
    #[arg(long, value_name = "FILE", help_heading = "Identity")]
    pub(crate) import: Option<PathBuf>,

    /// The port for clients (HTTP).
    #[arg(
        long,
        env = "PORT",
        value_name = "PORT",
        default_value_t = 3000,
        value_parser = clap::value_parser!(u16).range(1..),
        help_heading = "Addresses"
    )]
    pub(crate) port: u16,

    /// With --system queue: the address to listen on for clients of beanstalkd. They see the same tasks as clients
    /// over HTTP. Default: none.
    #[arg(long, value_name = "ADDRESS:PORT", help_heading = "Addresses")]
    pub(crate) beanstalkd_address: Option<SocketAddr>,

    /// The port for other nodes. Default: the port for clients plus 1000.
    #[arg(
        long,
        value_name = "PORT",
        value_parser = clap::value_parser!(u16).range(1..),
        help_heading = "Addresses"
    )]
    pub(crate) peer_port: Option<u16>,

    /// The host name or address at which clients and other nodes reach this node. Default: the node's
    /// name if its peers are given as name:port, otherwise 127.0.0.1.
    #[arg(long, value_name = "HOST", help_heading = "Addresses")]
    pub(crate) host: Option<String>,

    /// The address to listen on. Default: 127.0.0.1 if the host is this machine, otherwise all
    /// (0.0.0.0). Unless authentication is on (`etcdctl auth enable`) whoever reaches the ports can read and
    /// write; members are added and removed at /members without a password in any case.
    #[arg(long, value_name = "ADDRESS", help_heading = "Addresses")]
    pub(crate) listen: Option<IpAddr>,

    /// The data folder. Default: archipel- and the node's name, in the current folder.
    #[arg(long, value_name = "FOLDER", help_heading = "Data")]
    pub(crate) dir: Option<PathBuf>,

    /// The size of a file of the log, in MiB. The largest write takes up to a quarter of a file, so 8 is
    /// the least.
    #[arg(
        long,
        value_name = "MIB",
        default_value_t = 16,
        value_parser = clap::value_parser!(u64).range(8..=1024),
        help_heading = "Data"
    )]
    pub(crate) segment_mib: u64,

    /// Memory for pages of the tables, in MiB.
    #[arg(
        long,
        value_name = "MIB",
        default_value_t = 64,
        value_parser = clap::value_parser!(u64).range(1..=1 << 20),
        help_heading = "Data"
    )]
    pub(crate) cache_mib: u64,

    /// How many MiB of the log to keep for members that are behind; one that is further behind gets a
    /// snapshot.
    #[arg(
        long,
        value_name = "MIB",
        default_value_t = 64,
        value_parser = clap::value_parser!(u64).range(1..=1 << 20),
        help_heading = "Data"
    )]
    pub(crate) retain_mib: u64,

    /// How large the file of the tables may become, in MiB. Beyond it an alarm is raised, and until it is
    /// disarmed (`etcdctl alarm disarm`) only what takes no room is done. The file grows with its flushes,
    /// and does not shrink when pairs are deleted: disarm the alarm once the quota is larger. Default: no
    /// limit but the disk.
    #[arg(
        long,
        value_name = "MIB",
        value_parser = clap::value_parser!(u64).range(1..=1 << 30),
        help_heading = "Data"
    )]
    pub(crate) quota_mib: Option<u64>,

    /// How long earlier revisions of the keys can be read and watched at least, in seconds. After that the leader
    /// compacts them, which makes room. 0: they stay until a client compacts them, as in etcd.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 3600,
        value_parser = clap::value_parser!(u64).range(0..=1 << 32),
        help_heading = "Data"
    )]
    pub(crate) history: u64,

    /// How often a leader says that it is there, in milliseconds.
    #[arg(
        long,
        value_name = "MS",
        default_value_t = 50,
        value_parser = clap::value_parser!(u64).range(1..=60_000),
        help_heading = "Timing"
    )]
    pub(crate) heartbeat_ms: u64,

    /// How long a follower waits for a leader at least before it calls an election, in milliseconds.
    #[arg(
        long,
        value_name = "MS",
        default_value_t = 150,
        value_parser = clap::value_parser!(u64).range(2..=600_000),
        help_heading = "Timing"
    )]
    pub(crate) election_min_ms: u64,

    /// How long a follower waits for a leader at most, in milliseconds. Each wait is drawn between the
    /// two, so that elections seldom collide.
    #[arg(
        long,
        value_name = "MS",
        default_value_t = 300,
        value_parser = clap::value_parser!(u64).range(2..=600_000),
        help_heading = "Timing"
    )]
    pub(crate) election_max_ms: u64,

    /// How long a request may take before it is refused or its outcome called unknown, in
    /// milliseconds.
    #[arg(
        long,
        value_name = "MS",
        default_value_t = 3000,
        value_parser = clap::value_parser!(u64).range(10..=600_000),
        help_heading = "Timing"
    )]
    pub(crate) request_timeout_ms: u64,

    /// How long a client's connection may be silent, and how long its request may take to arrive, in
    /// milliseconds.
    #[arg(
        long,
        value_name = "MS",
        default_value_t = 30_000,
        value_parser = clap::value_parser!(u64).range(10..=3_600_000),
        help_heading = "Clients"
    )]
    pub(crate) client_timeout_ms: u64,

    /// How many clients may be connected at once. The limit of open files is raised if needed.
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = 16_384,
        value_parser = clap::value_parser!(u32).range(16..=1_000_000),
        help_heading = "Clients"
    )]
    pub(crate) connections_max: u32,

    /// How many threads serve clients. One is the fastest where nodes share processors; more help where
    /// processors are idle.
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = 1,
        value_parser = clap::value_parser!(u64).range(1..=256),
        help_heading = "Clients"
    )]
    pub(crate) client_threads: u64,

    /// How the node's log lines look; they go to standard error.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = LogFormat::Human, help_heading = "Log lines")]
    pub(crate) log: LogFormat,

    /// Which log lines to write: those of this level and above.
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t = LogLevel::Info, help_heading = "Log lines")]
    pub(crate) log_level: LogLevel,

    /// Stop when standard input ends: so that a node does not outlive the process that started it.
    #[arg(long, hide = true)]
    pub(crate) stop_with_stdin: bool,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// A line for people.
    Human,
    /// A line of JSON.
    Json,
}

/// Which log lines to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogLevel {
    /// Something is broken.
    Error,
    /// Something needs attention.
    Warn,
    /// What a person wants to know.
    Info,
    /// What a developer wants to know.
    Debug,
}

const EXAMPLES: &str = "\
Examples:
  One of three nodes of a new cluster, all on this machine:
    archipel node --name node1 --port 3001 --peers node2=127.0.0.1:3002,node3=127.0.0.1:3003

  The same as in the course, one container each:
    NODE_ID=node1 PORT=3000 PEER_IDS=node2:3000,node3:3000 archipel node

  A node of a work queue, for clients over HTTP and of beanstalkd:
    archipel node --system queue --beanstalkd-address 127.0.0.1:11300

  A fourth node joins:
    archipel node --name node4 --port 3004 --join 127.0.0.1:3001

  A configuration file to start from:
    archipel node --print-config > node1.toml";
