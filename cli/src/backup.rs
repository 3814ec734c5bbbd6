//! `archipel backup`: all that the store of a running cluster holds, in one file.
//!
//! ```text
//! a linearizable read on a node ─▶ its snapshot, at least as new ─▶ FILE.part ─▶ checked ─▶ FILE
//! ```
//! The file is a snapshot of etcd: `etcdctl` and etcd itself can read it too.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use etcd::etcdserverpb::{
    AuthenticateRequest, RangeRequest, SnapshotRequest, auth_client::AuthClient,
    kv_client::KvClient, maintenance_client::MaintenanceClient,
};
use serde_json::json;
use serve::{EtcdSnapshot, Holds};
use tokio::time::timeout;
use tonic::{
    Code, Request, Status,
    metadata::{Ascii, MetadataValue},
    transport::{Channel, Endpoint},
};

use crate::{
    client::{Cluster, ClusterOptions},
    exit::{Exit, Failure, Outcome},
};

/// Writes all keys with their revisions and history, leases, users and roles to a file: the state of one moment, in
/// which everything is that was acknowledged before. The file is checked before it gets its name.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  archipel backup monday.backup
  archipel backup monday.backup --cluster 10.0.0.1:3000,10.0.0.2:3000 --user root:secret
  archipel restore monday.backup --check")]
pub(crate) struct BackupOptions {
    /// The file to write; it must not exist yet.
    file: PathBuf,
    /// Take what the node itself has, without a majority: it may lack the last writes that were acknowledged.
    #[arg(long)]
    stale: bool,
    /// Where authentication is on: a user with the role root, and the password.
    #[arg(long, value_name = "NAME:PASSWORD", env = "ARCHIPEL_USER", hide_env_values = true)]
    user: Option<String>,
    #[command(flatten)]
    cluster: ClusterOptions,
}

/// Writes the backup.
pub(crate) async fn run(options: &BackupOptions) -> Outcome {
    let file = &options.file;
    if file.exists() {
        return Err(Failure::usage(format!(
            "{} exists already. Choose another name: a backup takes the place of none.",
            file.display()
        )));
    }
    let cluster = options.cluster.cluster()?;
    let (address, holds) = of_cluster(&cluster, options).await?;
    if options.cluster.json {
        let said = json!({
            "file": file.display().to_string(), "from": address, "revision": holds.revision,
            "changes": holds.changes, "leases": holds.leases, "users": holds.users,
        });
        println!("{said}");
    } else {
        println!("{} is written and whole: {holds}. It comes from {address}.", file.display());
    }
    Ok(Exit::Done)
}

/// Asks one node after the other until one gives a whole backup.
async fn of_cluster(cluster: &Cluster, options: &BackupOptions) -> Outcome<(String, Holds)> {
    let mut last = None;
    for address in &cluster.addresses {
        match of_node(address, cluster.patience, options).await {
            Ok(holds) => return Ok((address.clone(), holds)),
            Err(failure) if failure.exit == Exit::Unavailable => last = Some(failure),
            Err(failure) => return Err(failure),
        }
    }
    Err(last.expect("a cluster has an address at least"))
}

/// The backup of one node.
async fn of_node(address: &str, patience: Duration, options: &BackupOptions) -> Outcome<Holds> {
    let refused = |status: Status| refusal(address, &status);
    let endpoint = Endpoint::from_shared(format!("http://{address}"));
    let endpoint = endpoint.map_err(|error| Failure::usage(format!("{address}: {error}.")))?;
    let channel = endpoint.connect_timeout(patience).connect().await.map_err(|error| {
        let message = format!("{address} cannot be reached ({error}). Is the cluster running?");
        Failure::new(Exit::Unavailable, message)
    })?;
    let token = match &options.user {
        Some(user) => Some(token(&channel, user).await.map_err(refused)?),
        None => None,
    };
    if !options.stale {
        let mut kv = KvClient::new(channel.clone());
        let latest = timeout(patience, kv.range(with(&token, anything()))).await;
        latest.map_err(|_| refused(Status::unavailable("it took too long")))?.map_err(refused)?;
    }
    let file = &options.file;
    let part = file.with_added_extension("part");
    let written = receive(&channel, &token, patience, &part).await;
    let checked = written.and_then(|()| check(&part));
    match checked {
        Ok(holds) => in_place(&part, file).map(|()| holds).map_err(|error| unwritten(file, &error)),
        Err(broken) => {
            // What is not whole is of no use to anybody.
            let _ = fs::remove_file(&part);
            Err(match broken {
                Broken::Refused(status) => refused(status),
                Broken::Unwritten(error) => unwritten(&part, &error),
                Broken::NotWhole(what) => Failure::new(Exit::Unavailable, what),
            })
        }
    }
}

/// Why there is no whole file.
enum Broken {
    Refused(Status),
    Unwritten(io::Error),
    NotWhole(String),
}

async fn receive(
    channel: &Channel,
    token: &Option<Token>,
    patience: Duration,
    part: &Path,
) -> Result<(), Broken> {
    let mut maintenance = MaintenanceClient::new(channel.clone());
    let answer = maintenance.snapshot(with(token, SnapshotRequest::default())).await;
    let mut pieces = answer.map_err(Broken::Refused)?.into_inner();
    let mut file = File::create(part).map_err(Broken::Unwritten)?;
    let late = || Broken::Refused(Status::unavailable("its snapshot came to a halt"));
    while let Some(piece) =
        timeout(patience, pieces.message()).await.map_err(|_| late())?.map_err(Broken::Refused)?
    {
        file.write_all(&piece.blob).map_err(Broken::Unwritten)?;
    }
    file.sync_all().map_err(Broken::Unwritten)
}

/// Reads the file through, as a restore will.
fn check(part: &Path) -> Result<Holds, Broken> {
    EtcdSnapshot::open(part).and_then(|snapshot| snapshot.holds()).map_err(Broken::NotWhole)
}

/// Gives the file its name, durably.
fn in_place(part: &Path, file: &Path) -> io::Result<()> {
    fs::rename(part, file)?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

type Token = MetadataValue<Ascii>;

async fn token(channel: &Channel, user: &str) -> Result<Token, Status> {
    let (name, password) = user
        .split_once(':')
        .ok_or_else(|| Status::invalid_argument("the user is written NAME:PASSWORD"))?;
    let request = AuthenticateRequest { name: name.to_owned(), password: password.to_owned() };
    let answer = AuthClient::new(channel.clone()).authenticate(request).await?;
    answer.into_inner().token.parse().map_err(|_| Status::internal("its token is no text"))
}

fn with<T>(token: &Option<Token>, message: T) -> Request<T> {
    let mut request = Request::new(message);
    if let Some(token) = token {
        request.metadata_mut().insert("authorization", token.clone());
    }
    request
}

/// A linearizable read of next to nothing: after it, the node has all that was acknowledged before.
fn anything() -> RangeRequest {
    RangeRequest { key: vec![0].into(), count_only: true, ..RangeRequest::default() }
}

fn refusal(address: &str, status: &Status) -> Failure {
    let said = status.message();
    match status.code() {
        Code::Unavailable | Code::DeadlineExceeded => {
            let message = format!("{address} gives no backup now: {said}. Try again.");
            Failure::new(Exit::Unavailable, message)
        }
        Code::PermissionDenied | Code::InvalidArgument | Code::Unauthenticated => {
            let message = format!(
                "{address} refuses: {said}. Where authentication is on, name a user with the role root: --user \
                 root:PASSWORD."
            );
            Failure::new(Exit::Refused, message)
        }
        Code::Unimplemented => {
            Failure::usage(format!("What answers at {address} is no node of the key/value store."))
        }
        _ => Failure::new(Exit::Broken, format!("{address} cannot give a backup: {said}.")),
    }
}

fn unwritten(file: &Path, error: &io::Error) -> Failure {
    Failure::usage(format!("{} cannot be written: {error}.", file.display()))
}
