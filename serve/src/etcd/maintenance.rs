//! The service Maintenance. Each node answers for itself.

use std::pin::Pin;

use ::etcd::etcdserverpb::{
    AlarmMember, AlarmRequest, AlarmResponse, AlarmType, DefragmentRequest, DefragmentResponse,
    DowngradeRequest, DowngradeResponse, HashKvRequest, HashKvResponse, HashRequest, HashResponse,
    MoveLeaderRequest, MoveLeaderResponse, SnapshotRequest, SnapshotResponse, StatusRequest,
    StatusResponse, alarm_request::AlarmAction, maintenance_server::Maintenance,
};
use ::kv::{Hash, events::revision, hash::hash};
use kernel::{NodeId, Role};
use tokio::time::{Duration, Instant, sleep};
use tokio_stream::Stream;
use tonic::{Request, Response, Status};

use super::{Etcd, VERSION, messages::positive, refusal};

/// How long whoever is handed leadership may take to lead.
const HANDOVER: Duration = Duration::from_secs(5);

#[tonic::async_trait]
impl Maintenance for Etcd {
    async fn alarm(
        &self,
        request: Request<AlarmRequest>,
    ) -> Result<Response<AlarmResponse>, Status> {
        let request = request.into_inner();
        let reading = self.reading(false).await?;
        let present = revision(&reading).map_err(|fault| refusal::damaged(&fault))?;
        let status = self.front.node.status();
        let alarms = match AlarmAction::try_from(request.action) {
            Ok(AlarmAction::Get) if status.disk_full => {
                vec![AlarmMember { member_id: status.me.node.0, alarm: AlarmType::Nospace.into() }]
            }
            _ => vec![],
        };
        Ok(Response::new(AlarmResponse { header: self.header(present), alarms }))
    }

    async fn status(&self, _: Request<StatusRequest>) -> Result<Response<StatusResponse>, Status> {
        let reading = self.reading(true).await?;
        let present = revision(&reading).map_err(|fault| refusal::damaged(&fault))?;
        let status = self.front.node.status();
        let metrics = self.front.node.metrics();
        let no_leader = status.leader.is_none().then(|| "etcdserver: no leader".to_owned());
        Ok(Response::new(StatusResponse {
            header: self.header(present),
            version: VERSION.to_owned(),
            db_size: metrics.tables_file_bytes.cast_signed(),
            leader: status.leader.map_or(0, |leader| leader.0),
            raft_index: status.commit.0,
            raft_term: status.term.0,
            raft_applied_index: reading.meta().applied.index.0,
            errors: no_leader.into_iter().collect(),
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
        Ok(Response::new(DefragmentResponse { header: None }))
    }

    async fn hash(&self, _: Request<HashRequest>) -> Result<Response<HashResponse>, Status> {
        let hash = self.hash_at(0).await?;
        let header = self.header(hash.present);
        Ok(Response::new(HashResponse { header, hash: hash.hash }))
    }

    async fn hash_kv(
        &self,
        request: Request<HashKvRequest>,
    ) -> Result<Response<HashKvResponse>, Status> {
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
        Err(Status::unimplemented("etcdserver: snapshots cannot be saved yet"))
    }

    async fn move_leader(
        &self,
        request: Request<MoveLeaderRequest>,
    ) -> Result<Response<MoveLeaderResponse>, Status> {
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
        Err(Status::invalid_argument("etcdserver: invalid downgrade target version"))
    }
}

impl Etcd {
    async fn hash_at(&self, at: u64) -> Result<Hash, Status> {
        let reading = self.reading(true).await?;
        let hashed = tokio::task::spawn_blocking(move || hash(&reading, at)).await;
        let hashed = hashed.expect("a read does not panic");
        hashed.map_err(|fault| refusal::damaged(&fault))?.map_err(refusal::of)
    }
}
