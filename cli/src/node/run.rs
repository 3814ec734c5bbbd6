//! A node's life: recover, listen, serve, stop.

use std::{sync::Arc, time::Duration};

use host::{Begin, FolderIdentity, HostConfig, Notify, Running, StartError};
use kernel::{Fault, StateMachine};
use kv::KvMachine;
use queue::QueueMachine;
use raft::Raft;
use serve::{Front, Node, System};
use tokio::{net::TcpListener, sync::watch};

use super::{
    import,
    join::Joiner,
    narrate,
    options::NodeOptions,
    plan::{self, Addresses, Plan},
    stop,
};
use crate::exit::{Exit, Failure, Outcome};

/// Runs the node until it is asked to stop or stops itself.
pub(crate) async fn run(
    options: &NodeOptions,
    addresses: Addresses,
    lives: Option<FolderIdentity>,
) -> Outcome {
    let clients = serve::raise_open_files(options.connections_max);
    let listeners = Listeners::open(options, addresses.client_listen.as_str())?;
    let joiner = Joiner::new(options);
    let plan = match &joiner {
        Some(joiner) if lives.is_none() => {
            tokio::select! {
                cluster = joiner.find_cluster() => plan::joiner(cluster?),
                asked = stop::asked(options.stop_with_stdin) => return asked.map(|_| Exit::Done),
            }
        }
        _ => plan::first_member(options, &addresses, lives.as_ref())?,
    };
    let running = start(options, &addresses, &plan)?;
    let limits = serve::Limits {
        connections_max: clients,
        client_timeout: Duration::from_millis(options.client_timeout_ms),
        tables_bytes_max: options.quota_mib.map(|mib| mib << 20),
        history_kept: Some(Duration::from_secs(options.history)).filter(|kept| !kept.is_zero()),
        answer_timeout: Duration::from_millis(options.request_timeout_ms) + Duration::from_secs(2),
        ..serve::Limits::default()
    };
    let called = (options.name.clone(), options.system);
    let front = Front::new(running.handle(), running.cluster(), called, limits);
    tracing::info!(
        "{}, a node of {}, is ready for clients at http://{} and for other nodes at {}. Its data is in {}.",
        options.name,
        options.system,
        addresses.client,
        addresses.peer,
        plan::folder(options).display()
    );
    until_stopped(options, &addresses, running, (listeners, front), joiner).await
}

/// Where clients come in.
struct Listeners {
    http: TcpListener,
    beanstalkd: Option<TcpListener>,
}

impl Listeners {
    fn open(options: &NodeOptions, http: &str) -> Outcome<Self> {
        let beanstalkd = options.beanstalkd_address.map(|address| address.to_string());
        let beanstalkd = beanstalkd.map(|address| listen(&address, "--beanstalkd-address"));
        Ok(Self { http: listen(http, "--port")?, beanstalkd: beanstalkd.transpose()? })
    }
}

fn listen(address: &str, option: &str) -> Outcome<TcpListener> {
    serve::listen(address).map_err(|error| {
        Failure::usage(format!(
            "Clients cannot be listened for on {address}: {error}. Stop what uses the port, or choose another one \
             with {option}."
        ))
    })
}

async fn until_stopped(
    options: &NodeOptions,
    addresses: &Addresses,
    running: Running<Raft>,
    (listeners, front): (Listeners, Front),
    joiner: Option<Joiner>,
) -> Outcome {
    let node = running.handle();
    let (stop, stopping) = watch::channel(false);
    let front = Arc::new(front);
    let beanstalkd = listeners.beanstalkd.map(|listener| {
        tokio::spawn(serve::serve_beanstalkd(listener, Arc::clone(&front), stopping.clone()))
    });
    let serving = tokio::spawn(serve::serve(listeners.http, front, stopping));
    tokio::spawn(narrate::narrate(node.clone()));
    let entering = enter(joiner, node.clone(), addresses.clone());
    let ended = tokio::select! {
        asked = stop::asked(options.stop_with_stdin) => asked.map(Some),
        _ = node.stopped() => Ok(None),
        failure = entering => Err(failure),
    };
    if let Ok(Some(by)) = &ended {
        tracing::info!("Stopping, asked by {by}.");
    }
    let _ = stop.send(true);
    let _ = serving.await;
    if let Some(beanstalkd) = beanstalkd {
        let _ = beanstalkd.await;
    }
    let fault = tokio::task::spawn_blocking(|| running.stop());
    let fault = fault.await.expect("stopping a node does not panic");
    ended?;
    match fault {
        None => {
            tracing::info!("Stopped; the data is on disk.");
            Ok(Exit::Done)
        }
        Some(fault) => Err(broken(&fault)),
    }
}

/// Sees the node into its cluster; ends only if that cannot be.
async fn enter(joiner: Option<Joiner>, node: Node, addresses: Addresses) -> Failure {
    if let Some(joiner) = joiner
        && let Err(failure) = joiner.enter(node.me().node, &addresses).await
    {
        return failure;
    }
    std::future::pending().await
}

fn start(options: &NodeOptions, addresses: &Addresses, plan: &Plan) -> Outcome<Running<Raft>> {
    let mut config = host_config(options, addresses, plan);
    if let (Some(file), Begin::Bootstrap { .. }) = (&options.import, &plan.begin) {
        import::into_folder(&config, file)?;
        config.begin = Begin::Resume;
    }
    match options.system {
        System::Kv => start_with(options, config, KvMachine),
        System::Queue => start_with(options, config, QueueMachine),
    }
}

fn start_with<S: StateMachine>(
    options: &NodeOptions,
    config: HostConfig,
    machine: S,
) -> Outcome<Running<Raft>> {
    let raft_config = raft_config(options);
    let boot = move |boot: host::Boot| {
        let now = boot.now;
        (Raft::new(raft_config, raft_boot(boot), now), machine)
    };
    host::start(config, boot).map_err(|error| not_started(&error))
}

/// What the host is told.
pub(super) fn host_config(options: &NodeOptions, addresses: &Addresses, plan: &Plan) -> HostConfig {
    const MIB: u64 = 1 << 20;
    let mut config = HostConfig::new(plan::folder(options), plan.node, plan.begin.clone());
    config.name.clone_from(&options.name);
    config.system = options.system.to_string();
    config.peer_listen.clone_from(&addresses.peer_listen);
    config.peer_advertised.clone_from(&addresses.peer);
    config.limits.segment_bytes = options.segment_mib * MIB;
    config.limits.tables_cache_bytes =
        usize::try_from(options.cache_mib * MIB).unwrap_or(usize::MAX);
    config.notify = Notify::new(|sentence| tracing::warn!("{sentence}"));
    config
}

fn raft_config(options: &NodeOptions) -> raft::Config {
    raft::Config {
        heartbeat: Duration::from_millis(options.heartbeat_ms),
        election_min: Duration::from_millis(options.election_min_ms),
        election_max: Duration::from_millis(options.election_max_ms),
        request_timeout: Duration::from_millis(options.request_timeout_ms),
        retain_bytes: options.retain_mib << 20,
        ..raft::Config::default()
    }
}

fn raft_boot(boot: host::Boot) -> raft::Boot {
    raft::Boot {
        me: boot.me,
        seed: boot.seed,
        hard: boot.hard,
        base: boot.base,
        base_stamp: boot.base_stamp,
        membership: boot.membership,
        entries: boot.entries,
        applied: boot.applied,
        uncertain_until: boot.uncertain_until,
    }
}

/// Why a node did not start.
pub(super) fn not_started(error: &StartError) -> Failure {
    let exit = match error {
        StartError::DamagedFolder { .. }
        | StartError::MissingSegment { .. }
        | StartError::ForeignSegment { .. }
        | StartError::DamagedLog { .. }
        | StartError::Tables { .. } => Exit::Damaged,
        _ => Exit::Usage,
    };
    Failure::new(exit, error.to_string())
}

fn broken(fault: &Fault) -> Failure {
    let message = format!(
        "The node stopped itself: {fault}. The other nodes go on without it. Start it again; if its \
         data is damaged, it will say so and what to do."
    );
    Failure::new(Exit::Broken, message)
}
