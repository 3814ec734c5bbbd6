//! The service Lease.

use std::pin::Pin;

use ::etcd::etcdserverpb::{
    LeaseGrantRequest, LeaseGrantResponse, LeaseKeepAliveRequest, LeaseKeepAliveResponse,
    LeaseLeasesRequest, LeaseLeasesResponse, LeaseRevokeRequest, LeaseRevokeResponse, LeaseStatus,
    LeaseTimeToLiveRequest, LeaseTimeToLiveResponse, lease_server::Lease,
};
use ::kv::{Answer, Command, LeaseId, Query};
use tokio::sync::mpsc;
use tokio_stream::{Stream, wrappers::ReceiverStream};
use tonic::{Request, Response, Status, Streaming};

use super::{Etcd, refusal, unexpected};

/// How many answers wait for a client.
const ANSWERS_WAITING_MAX: usize = 16;

#[tonic::async_trait]
impl Lease for Etcd {
    async fn lease_grant(
        &self,
        request: Request<LeaseGrantRequest>,
    ) -> Result<Response<LeaseGrantResponse>, Status> {
        let LeaseGrantRequest { ttl, id } = request.into_inner();
        let lease = if id == 0 { draw_lease() } else { LeaseId(id) };
        let (lease, seconds, revision) = self.grant(lease, ttl).await?;
        Ok(Response::new(LeaseGrantResponse {
            header: self.header(revision),
            id: lease.0,
            ttl: seconds,
            error: String::new(),
        }))
    }

    async fn lease_revoke(
        &self,
        request: Request<LeaseRevokeRequest>,
    ) -> Result<Response<LeaseRevokeResponse>, Status> {
        let lease = LeaseId(request.into_inner().id);
        match self.carry_out(Command::Revoke { lease }).await? {
            Answer::Revision(revision) => {
                Ok(Response::new(LeaseRevokeResponse { header: self.header(revision) }))
            }
            answer => Err(unexpected(&answer)),
        }
    }

    type LeaseKeepAliveStream =
        Pin<Box<dyn Stream<Item = Result<LeaseKeepAliveResponse, Status>> + Send>>;

    async fn lease_keep_alive(
        &self,
        request: Request<Streaming<LeaseKeepAliveRequest>>,
    ) -> Result<Response<Self::LeaseKeepAliveStream>, Status> {
        let (answers, outgoing) = mpsc::channel(ANSWERS_WAITING_MAX);
        tokio::spawn(self.clone().keep_alive_all(request.into_inner(), answers));
        Ok(Response::new(Box::pin(ReceiverStream::new(outgoing))))
    }

    async fn lease_time_to_live(
        &self,
        request: Request<LeaseTimeToLiveRequest>,
    ) -> Result<Response<LeaseTimeToLiveResponse>, Status> {
        let LeaseTimeToLiveRequest { id, keys: with_keys } = request.into_inner();
        let command = Command::TimeLeft { lease: LeaseId(id), with_keys };
        match self.carry_out(command).await? {
            Answer::Left { seconds, granted, keys, revision } => {
                Ok(Response::new(LeaseTimeToLiveResponse {
                    header: self.header(revision),
                    id,
                    ttl: seconds,
                    granted_ttl: granted.cast_signed(),
                    keys,
                }))
            }
            answer => Err(unexpected(&answer)),
        }
    }

    async fn lease_leases(
        &self,
        _: Request<LeaseLeasesRequest>,
    ) -> Result<Response<LeaseLeasesResponse>, Status> {
        match self.ask(Query::Leases, false).await? {
            Answer::Leases { revision, leases } => Ok(Response::new(LeaseLeasesResponse {
                header: self.header(revision),
                leases: leases.into_iter().map(|lease| LeaseStatus { id: lease.0 }).collect(),
            })),
            answer => Err(unexpected(&answer)),
        }
    }
}

impl Etcd {
    /// Grants a lease; gives it, its seconds and the store's revision.
    pub(super) async fn grant(
        &self,
        lease: LeaseId,
        ttl: i64,
    ) -> Result<(LeaseId, i64, u64), Status> {
        let command = Command::Grant { lease, seconds: u64::try_from(ttl).unwrap_or(0) };
        match self.carry_out(command).await? {
            Answer::Granted { lease, seconds, revision } => {
                Ok((lease, seconds.cast_signed(), revision))
            }
            answer => Err(unexpected(&answer)),
        }
    }

    /// Answers each request of a stream, until the client leaves, something goes wrong, or the leader that the client
    /// wants is lost.
    async fn keep_alive_all(
        self,
        mut requests: Streaming<LeaseKeepAliveRequest>,
        answers: mpsc::Sender<Result<LeaseKeepAliveResponse, Status>>,
    ) {
        let leader_lost = self.leader_lost();
        tokio::pin!(leader_lost);
        loop {
            let answer = tokio::select! {
                request = requests.message() => match request {
                    Ok(Some(request)) => self.keep_alive(LeaseId(request.id)).await,
                    Ok(None) => return,
                    Err(status) => Err(status),
                },
                status = leader_lost.as_mut() => Err(status),
                () = answers.closed() => return,
            };
            let is_last = answer.is_err();
            if answers.send(answer).await.is_err() || is_last {
                return;
            }
        }
    }

    async fn keep_alive(&self, lease: LeaseId) -> Result<LeaseKeepAliveResponse, Status> {
        match self.carry_out(Command::KeepAlive { lease }).await? {
            Answer::Granted { lease, seconds, revision } => Ok(LeaseKeepAliveResponse {
                header: self.header(revision),
                id: lease.0,
                ttl: seconds.cast_signed(),
            }),
            answer => Err(unexpected(&answer)),
        }
    }
}

/// A number that no other lease has: of 63 bits two that are alone in a store share one never.
pub(super) fn draw_lease() -> LeaseId {
    let drawn = host::draw_u64() >> 1;
    LeaseId(drawn.max(1).cast_signed())
}

/// The lease has ended while somebody relied on it.
pub(super) fn ended() -> Status {
    refusal::of(::kv::Failure::LeaseNotFound)
}
