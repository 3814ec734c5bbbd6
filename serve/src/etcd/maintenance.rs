//! The service Maintenance. Each node answers for itself.

use std::pin::Pin;

use ::etcd::etcdserverpb::{
    AlarmMember, AlarmRequest, AlarmResponse, AlarmType, DefragmentRequest, DefragmentResponse,
    DowngradeRequest, DowngradeResponse, HashKvRequest, HashKvResponse, HashRequest, HashResponse,
    MoveLeaderRequest, MoveLeaderResponse, SnapshotRequest, SnapshotResponse, StatusRequest,
    StatusResponse, alarm_request::AlarmAction, maintenance_server::Maintenance,
};
use ::kv::{Alarm, AlarmKind, Answer, Command, Hash, Query, events::revision, hash::hash};
use kernel::{NodeId, Reading, Role};
use tokio::{
    sync::mpsc,
    time::{Duration, Instant, sleep},
};
use tokio_stream::{Stream, wrappers::ReceiverStream};
use tonic::{Request, Response, Status};

use super::{Etcd, VERSION, messages::positive, refusal, snapshot, unexpected};

/// How long whoever is handed leadership may take to lead.
const HANDOVER: Duration = Duration::from_secs(5);

/// How many pieces of a snapshot wait for a client that is slow to take them.
const PIECES_WAITING_MAX: usize = 8;

#[tonic::async_trait]
impl Maintenance for Etcd {
    async fn alarm(
        &self,
        request: Request<AlarmRequest>,
    ) -> Result<Response<AlarmResponse>, Status> {
        let request = request.into_inner();
        let (revision, alarms) = match (request.action(), alarm(&request)) {
            (AlarmAction::Get, _) => self.alarms(request.alarm()).await?,
            (AlarmAction::Activate, Some(alarm)) => {
                self.change_alarm(Command::Raise(alarm)).await?
            }
            (AlarmAction::Deactivate, Some(alarm)) => {
                self.change_alarm(Command::Disarm(alarm)).await?
            }
            // No alarm is none to raise or to disarm.
            (AlarmAction::Activate | AlarmAction::Deactivate, None) => {
                self.require_admin().await?;
                (self.alarms(AlarmType::None).await?.0, vec![])
            }
        };
        let alarms = alarms.into_iter().map(shown).collect();
        Ok(Response::new(AlarmResponse { header: self.header(revision), alarms }))
    }

    async fn status(&self, _: Request<StatusRequest>) -> Result<Response<StatusResponse>, Status> {
        let reading = self.reading(true).await?;
        let (present, alarms) = self.alarms_at(&reading)?;
        let status = self.front.node.status();
        let metrics = self.front.node.metrics();
        let no_leader = status.leader.is_none().then(|| "etcdserver: no leader".to_owned());
        let alarms = alarms.into_iter().map(as_text);
        Ok(Response::new(StatusResponse {
            header: self.header(present),
            version: VERSION.to_owned(),
            db_size: metrics.tables_file_bytes.cast_signed(),
            leader: status.leader.map_or(0, |leader| leader.0),
            raft_index: status.commit.0,
            raft_term: status.term.0,
            raft_applied_index: reading.meta().applied.index.0,
            errors: no_leader.into_iter().chain(alarms).collect(),
            db_size_in_use: metrics.tables_file_bytes.cast_signed(),
            is_learner: status.membership.learners.contains(&status.me.node),
            ..StatusResponse::default()
        }))
    }

    /// The tables give room back on their own.
    async fn defragment(
        &self,
        _: Request<DefragmentRequest>,
    ) -> Result<Response<DefragmentResponse>, Status> {
        self.require_admin().await?;
        Ok(Response::new(DefragmentResponse { header: None }))
    }

    async fn hash(&self, _: Request<HashRequest>) -> Result<Response<HashResponse>, Status> {
        self.require_admin().await?;
        let hash = self.hash_at(0).await?;
        let header = self.header(hash.present);
        Ok(Response::new(HashResponse { header, hash: hash.hash }))
    }

    async fn hash_kv(
        &self,
        request: Request<HashKvRequest>,
    ) -> Result<Response<HashKvResponse>, Status> {
        self.require_admin().await?;
        let hash = self.hash_at(positive(request.into_inner().revision)).await?;
        Ok(Response::new(HashKvResponse {
            header: self.header(hash.present),
            hash: hash.hash,
            compact_revision: hash.compacted.map_or(-1, u64::cast_signed),
            hash_revision: hash.revision.cast_signed(),
        }))
    }

    type SnapshotStream = Pin<Box<dyn Stream<Item = Result<SnapshotResponse, Status>> + Send>>;

    async fn snapshot(
        &self,
        _: Request<SnapshotRequest>,
    ) -> Result<Response<Self::SnapshotStream>, Status> {
        self.require_admin().await?;
        let reading = self.reading(true).await?;
        let present = revision(&reading).map_err(|fault| refusal::damaged(&fault))?;
        let header = self.header(present);
        let (pieces, outgoing) = mpsc::channel(PIECES_WAITING_MAX);
        tokio::task::spawn_blocking(move || snapshot::send(&reading, header, &pieces));
        Ok(Response::new(Box::pin(ReceiverStream::new(outgoing))))
    }

    async fn move_leader(
        &self,
        request: Request<MoveLeaderRequest>,
    ) -> Result<Response<MoveLeaderResponse>, Status> {
        self.require_admin().await?;
        let to = NodeId(request.into_inner().target_id);
        let node = &self.front.node;
        let status = node.status();
        if status.role != Role::Leader {
            return Err(Status::failed_precondition("etcdserver: not leader"));
        }
        if !status.membership.is_voter(to) {
            return Err(Status::failed_precondition("etcdserver: bad leader transferee"));
        }
        if status.leader != Some(to) {
            let request = raft::Request::Transfer { to: Some(to) };
            node.request(request).await.map_err(refusal::of_write)?;
        }
        let late = Instant::now() + HANDOVER;
        while node.status().leader != Some(to) {
            if Instant::now() > late {
                return Err(Status::unavailable("etcdserver: request timed out"));
            }
            sleep(Duration::from_millis(5)).await;
        }
        Ok(Response::new(MoveLeaderResponse { header: None }))
    }

    async fn downgrade(
        &self,
        _: Request<DowngradeRequest>,
    ) -> Result<Response<DowngradeResponse>, Status> {
        self.require_admin().await?;
        Err(Status::invalid_argument("etcdserver: invalid downgrade target version"))
    }
}

impl Etcd {
    /// Raises or disarms an alarm on behalf of whoever asks. Without a caller the store would take it for
    /// the member's own.
    async fn change_alarm(&self, command: Command) -> Result<(u64, Vec<Alarm>), Status> {
        self.allow(&self.reading(false).await?, Query::Admin)?;
        told_of(self.carry_out(command).await?)
    }

    /// The store's revision, and all alarms of a kind.
    async fn alarms(&self, kind: AlarmType) -> Result<(u64, Vec<Alarm>), Status> {
        let (revision, mut alarms) = self.alarms_at(&self.reading(false).await?)?;
        alarms.retain(|alarm| kind == AlarmType::None || kind == shown_kind(alarm.kind));
        Ok((revision, alarms))
    }

    /// The store's revision, and all alarms. A full disk may be too full to tell the others.
    fn alarms_at(&self, reading: &Reading) -> Result<(u64, Vec<Alarm>), Status> {
        let answer = self.ask_at(reading, Query::Alarms)?;
        let (revision, mut alarms) = told_of(answer)?;
        let status = self.front.node.status();
        let own = Alarm { kind: AlarmKind::NoSpace, member: status.me.node.0 };
        if status.disk_full && !alarms.contains(&own) {
            alarms.push(own);
        }
        Ok((revision, alarms))
    }

    async fn hash_at(&self, at: u64) -> Result<Hash, Status> {
        let reading = self.reading(true).await?;
        let hashed = tokio::task::spawn_blocking(move || hash(&reading, at)).await;
        let hashed = hashed.expect("a read does not panic");
        hashed.map_err(|fault| refusal::damaged(&fault))?.map_err(refusal::of)
    }
}

fn told_of(answer: Answer) -> Result<(u64, Vec<Alarm>), Status> {
    match answer {
        Answer::Alarms { revision, alarms } => Ok((revision, alarms)),
        answer => Err(unexpected(&answer)),
    }
}

/// The alarm that a request is about, if it is about one.
fn alarm(request: &AlarmRequest) -> Option<Alarm> {
    let kind = match request.alarm() {
        AlarmType::None => return None,
        AlarmType::Nospace => AlarmKind::NoSpace,
        AlarmType::Corrupt => AlarmKind::Corrupt,
    };
    Some(Alarm { kind, member: request.member_id })
}

fn shown(alarm: Alarm) -> AlarmMember {
    AlarmMember { member_id: alarm.member, alarm: shown_kind(alarm.kind).into() }
}

const fn shown_kind(kind: AlarmKind) -> AlarmType {
    match kind {
        AlarmKind::NoSpace => AlarmType::Nospace,
        AlarmKind::Corrupt => AlarmType::Corrupt,
    }
}

/// As etcd writes it: the message as a text, with a space after each field.
fn as_text(alarm: Alarm) -> String {
    format!("memberID:{} alarm:{} ", alarm.member, shown_kind(alarm.kind).as_str_name())
}
