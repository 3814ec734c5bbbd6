//! One server, and operations done to it.

use std::time::Duration;

use etcd::etcdserverpb::{
    CompactionRequest, HashKvRequest, LeaseGrantRequest, LeaseGrantResponse, LeaseKeepAliveRequest,
    LeaseLeasesRequest, LeaseRevokeRequest, LeaseTimeToLiveRequest, PutRequest, RangeRequest,
    kv_client::KvClient, lease_client::LeaseClient, maintenance_client::MaintenanceClient,
    watch_client::WatchClient,
};
use tokio::time::{sleep, timeout};
use tonic::{Response, Status, transport::Channel};

use super::{
    answer::{self, Answer},
    operation::Operation,
    stream::{PATIENCE, STREAMS, Stream},
};

/// What is written to see whether all watches have what was before it.
const MARK: &[u8] = b"~mark";

/// A server and the streams to it.
#[derive(Debug)]
pub(crate) struct Endpoint {
    kv: KvClient<Channel>,
    lease: LeaseClient<Channel>,
    maintenance: MaintenanceClient<Channel>,
    pub(crate) streams: Vec<Stream>,
    /// The newest revision that was said to be compacted.
    compacted: i64,
}

impl Endpoint {
    /// Connects to a server, as in `http://127.0.0.1:2379`.
    pub(crate) async fn connect(address: &str) -> Self {
        let channel = Channel::from_shared(address.to_owned()).expect("an address is well formed");
        let channel = channel.connect_lazy();
        let mut streams = Vec::new();
        for _ in 0..STREAMS {
            streams.push(Stream::open(WatchClient::new(channel.clone())).await);
        }
        Self {
            kv: KvClient::new(channel.clone()),
            lease: LeaseClient::new(channel.clone()),
            maintenance: MaintenanceClient::new(channel),
            streams,
            compacted: 0,
        }
    }

    /// Does an operation whose revisions are resolved.
    pub(crate) async fn perform(&mut self, operation: Operation) -> Answer {
        match timeout(3 * PATIENCE, self.perform_patiently(operation)).await {
            Ok(answer) => answer,
            Err(_) => Answer::of_text(format!("no answer in {:?}", 3 * PATIENCE)),
        }
    }

    async fn perform_patiently(&mut self, operation: Operation) -> Answer {
        match operation {
            Operation::Put(put) => Answer::of(self.kv.put(put).await, |said| said.header.as_mut()),
            Operation::Range(range) => {
                Answer::of(self.kv.range(range).await, |said| said.header.as_mut())
            }
            Operation::DeleteRange(delete) => {
                Answer::of(self.kv.delete_range(delete).await, |said| said.header.as_mut())
            }
            Operation::Txn(txn) => Answer::of(self.kv.txn(txn).await, |said| said.header.as_mut()),
            Operation::Compact { revision, physical } => self.compact(revision, physical).await,
            Operation::Watch { stream, create } => {
                Answer::of_text(self.streams[stream].create(create, self.compacted).await)
            }
            Operation::CancelWatch { stream, watch } => {
                // Both tell a watch of the past within a moment, which may be before or after the end.
                self.sync().await;
                Answer::of_text(self.streams[stream].cancel(watch).await)
            }
            Operation::Progress { stream } => {
                self.sync().await;
                Answer::of_text(self.streams[stream].progress().await)
            }
            Operation::Sleep { seconds } => {
                sleep(Duration::from_secs(seconds)).await;
                Answer::of_text(String::from("it is later"))
            }
            Operation::Checkpoint => self.checkpoint().await,
            lease => self.perform_on_lease(lease).await,
        }
    }

    async fn perform_on_lease(&mut self, operation: Operation) -> Answer {
        match operation {
            Operation::Grant { lease, ttl_s } => {
                Answer::of(self.grant(lease, ttl_s).await, |said| said.header.as_mut())
            }
            Operation::GrantAndRevoke { lease, ttl_s } => self.grant_and_revoke(lease, ttl_s).await,
            Operation::Revoke { lease } => {
                let revoked = self.lease.lease_revoke(LeaseRevokeRequest { id: lease }).await;
                Answer::of(revoked, |said| said.header.as_mut())
            }
            Operation::KeepAlive { lease } => self.keep_alive(lease).await,
            Operation::TimeToLive { lease, keys } => {
                let asked = LeaseTimeToLiveRequest { id: lease, keys };
                let answer = self.lease.lease_time_to_live(asked).await;
                Answer::of(answer.map(|said| said.map(answer::without_time)), |said| {
                    said.header.as_mut()
                })
            }
            Operation::Leases => {
                let answer = self.lease.lease_leases(LeaseLeasesRequest {}).await;
                Answer::of(answer.map(|said| said.map(answer::without_order)), |said| {
                    said.header.as_mut()
                })
            }
            other => unreachable!("{other:?} is done elsewhere"),
        }
    }

    /// What is compacted must have been delivered: an event's previous value is read when it is sent.
    async fn compact(&mut self, revision: i64, physical: bool) -> Answer {
        self.sync().await;
        let compacted = self.kv.compact(CompactionRequest { revision, physical }).await;
        if compacted.is_ok() {
            self.compacted = revision;
        }
        Answer::of(compacted, |said| said.header.as_mut())
    }

    async fn grant(
        &mut self,
        lease: i64,
        ttl_s: i64,
    ) -> Result<Response<LeaseGrantResponse>, Status> {
        self.lease.lease_grant(LeaseGrantRequest { ttl: ttl_s, id: lease }).await
    }

    async fn grant_and_revoke(&mut self, lease: i64, ttl_s: i64) -> Answer {
        let mut granted = self.grant(lease, ttl_s).await;
        if let Ok(answer) = &mut granted {
            let given = answer.get_mut();
            let revoke = LeaseRevokeRequest { id: given.id };
            if lease == 0 && given.id > 0 {
                given.id = 0;
            }
            if let Err(status) = self.lease.lease_revoke(revoke).await {
                return Answer::of_text(format!("revoke: {}", answer::of_status(&status)));
            }
        }
        Answer::of(granted, |said| said.header.as_mut())
    }

    async fn keep_alive(&mut self, lease: i64) -> Answer {
        let asked = tokio_stream::once(LeaseKeepAliveRequest { id: lease });
        let mut answers = match self.lease.lease_keep_alive(asked).await {
            Ok(answers) => answers.into_inner(),
            Err(status) => return Answer::of_text(answer::of_status(&status)),
        };
        match answers.message().await.transpose() {
            Some(first) => Answer::of(first.map(Response::new), |said| said.header.as_mut()),
            None => Answer::of_text(String::from("the stream ended without an answer")),
        }
    }

    async fn checkpoint(&mut self) -> Answer {
        let revision = self.sync().await;
        // A member that lags behind the others catches up with what it has itself been told.
        let caught_up = RangeRequest { key: MARK.into(), ..RangeRequest::default() };
        if let Err(status) = self.kv.range(caught_up).await {
            return Answer::of_text(answer::of_status(&status));
        }
        let mut hash = self.maintenance.hash_kv(HashKvRequest { revision }).await;
        if let Ok(said) = &mut hash {
            // A field of 3.6, which an older server does not know.
            said.get_mut().hash_revision = 0;
        }
        Answer::of(hash, |said| said.header.as_mut())
    }

    /// Waits until all watches have delivered all that has happened; gives the newest revision.
    async fn sync(&mut self) -> i64 {
        let mark = PutRequest { key: MARK.into(), ..PutRequest::default() };
        let Ok(answer) = self.kv.put(mark).await else { return 0 };
        let revision = answer.into_inner().header.map_or(0, |header| header.revision);
        for stream in &mut self.streams {
            stream.wait_until_synced(revision).await;
        }
        revision
    }
}
