//! Services that note what they are asked and say what they are told to.

use std::{
    pin::Pin,
    sync::{Mutex, PoisonError},
};

use etcd::{
    etcdserverpb::{
        auth_server::Auth, cluster_server::Cluster, kv_server::Kv, lease_server::Lease,
        maintenance_server::Maintenance, watch_server::Watch, *,
    },
    v3electionpb::{election_server::Election, *},
    v3lockpb::{lock_server::Lock, *},
};
use prost::Message;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming, metadata::MetadataMap};

type Messages<M> = Pin<Box<dyn Stream<Item = Result<M, Status>> + Send>>;

/// All services.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// What they say: one message, or all of a stream, as bytes. Without anything, each method says its name.
    says: Vec<Result<Vec<u8>, Status>>,
    /// What they were asked.
    asked: Mutex<Asked>,
}

/// What the services were asked.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    /// The method.
    pub(super) method: &'static str,
    /// The requests, as bytes.
    pub(super) requests: Vec<Result<Vec<u8>, Status>>,
    /// The metadata.
    pub(super) metadata: MetadataMap,
}

impl Told {
    /// Services that say `message`.
    pub(super) fn saying(message: &impl Message) -> Self {
        Self::default().and(message)
    }

    /// Services that refuse.
    pub(super) fn refusing(status: Status) -> Self {
        Self::default().and_break(status)
    }

    /// Then say `message`.
    pub(super) fn and(mut self, message: &impl Message) -> Self {
        self.says.push(Ok(message.encode_to_vec()));
        self
    }

    /// Then break.
    pub(super) fn and_break(mut self, status: Status) -> Self {
        self.says.push(Err(status));
        self
    }

    /// What was asked last.
    pub(super) fn asked(&self) -> Asked {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The one request of what was asked last.
    pub(super) fn request<M: Message + Default>(&self) -> M {
        let requests = self.asked().requests;
        M::decode(requests[0].clone().unwrap().as_slice()).unwrap()
    }

    fn note(&self, asked: Asked) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = asked;
    }

    fn answers<A: Message + Default>(&self, method: &str) -> Vec<Result<A, Status>> {
        if self.says.is_empty() {
            return vec![Err(Status::unimplemented(method))];
        }
        let decoded = |bytes: Vec<u8>| A::decode(bytes.as_slice()).unwrap();
        self.says.iter().cloned().map(|said| said.map(decoded)).collect()
    }

    fn ask<Q: Message, A: Message + Default>(
        &self,
        method: &'static str,
        request: Request<Q>,
    ) -> Result<Response<A>, Status> {
        let (metadata, _, message) = request.into_parts();
        self.note(Asked { method, requests: vec![Ok(message.encode_to_vec())], metadata });
        self.answers(method).remove(0).map(Response::new)
    }

    fn listen<Q: Message, A: Message + Default + 'static>(
        &self,
        method: &'static str,
        request: Request<Q>,
    ) -> Result<Response<Messages<A>>, Status> {
        let (metadata, _, message) = request.into_parts();
        self.note(Asked { method, requests: vec![Ok(message.encode_to_vec())], metadata });
        Ok(Response::new(Box::pin(tokio_stream::iter(self.answers(method)))))
    }

    async fn converse<Q: Message, A: Message + Default + 'static>(
        &self,
        method: &'static str,
        request: Request<Streaming<Q>>,
    ) -> Result<Response<Messages<A>>, Status> {
        let (metadata, _, messages) = request.into_parts();
        let messages = messages.map(|message| message.map(|message| message.encode_to_vec()));
        self.note(Asked { method, requests: messages.collect().await, metadata });
        Ok(Response::new(Box::pin(tokio_stream::iter(self.answers(method)))))
    }
}

/// A service: its methods with one request and one answer, and then those with streams.
macro_rules! service {
    (
        $service:ident { $($method:ident $request:ident $response:ident,)* }
        $($with_streams:tt)*
    ) => {
        #[tonic::async_trait]
        impl $service for Told {
            $(async fn $method(
                &self,
                request: Request<$request>,
            ) -> Result<Response<$response>, Status> {
                self.ask(stringify!($method), request)
            })*

            $($with_streams)*
        }
    };
}

service! {
    Kv {
        range RangeRequest RangeResponse,
        put PutRequest PutResponse,
        delete_range DeleteRangeRequest DeleteRangeResponse,
        txn TxnRequest TxnResponse,
        compact CompactionRequest CompactionResponse,
    }
}

service! {
    Watch {}

    type WatchStream = Messages<WatchResponse>;

    async fn watch(
        &self,
        request: Request<Streaming<WatchRequest>>,
    ) -> Result<Response<Messages<WatchResponse>>, Status> {
        self.converse("watch", request).await
    }
}

service! {
    Lease {
        lease_grant LeaseGrantRequest LeaseGrantResponse,
        lease_revoke LeaseRevokeRequest LeaseRevokeResponse,
        lease_time_to_live LeaseTimeToLiveRequest LeaseTimeToLiveResponse,
        lease_leases LeaseLeasesRequest LeaseLeasesResponse,
    }

    type LeaseKeepAliveStream = Messages<LeaseKeepAliveResponse>;

    async fn lease_keep_alive(
        &self,
        request: Request<Streaming<LeaseKeepAliveRequest>>,
    ) -> Result<Response<Messages<LeaseKeepAliveResponse>>, Status> {
        self.converse("lease_keep_alive", request).await
    }
}

service! {
    Cluster {
        member_add MemberAddRequest MemberAddResponse,
        member_remove MemberRemoveRequest MemberRemoveResponse,
        member_update MemberUpdateRequest MemberUpdateResponse,
        member_list MemberListRequest MemberListResponse,
        member_promote MemberPromoteRequest MemberPromoteResponse,
    }
}

service! {
    Maintenance {
        alarm AlarmRequest AlarmResponse,
        status StatusRequest StatusResponse,
        defragment DefragmentRequest DefragmentResponse,
        hash HashRequest HashResponse,
        hash_kv HashKvRequest HashKvResponse,
        move_leader MoveLeaderRequest MoveLeaderResponse,
        downgrade DowngradeRequest DowngradeResponse,
    }

    type SnapshotStream = Messages<SnapshotResponse>;

    async fn snapshot(
        &self,
        request: Request<SnapshotRequest>,
    ) -> Result<Response<Messages<SnapshotResponse>>, Status> {
        self.listen("snapshot", request)
    }
}

service! {
    Auth {
        auth_enable AuthEnableRequest AuthEnableResponse,
        auth_disable AuthDisableRequest AuthDisableResponse,
        auth_status AuthStatusRequest AuthStatusResponse,
        authenticate AuthenticateRequest AuthenticateResponse,
        user_add AuthUserAddRequest AuthUserAddResponse,
        user_get AuthUserGetRequest AuthUserGetResponse,
        user_list AuthUserListRequest AuthUserListResponse,
        user_delete AuthUserDeleteRequest AuthUserDeleteResponse,
        user_change_password AuthUserChangePasswordRequest AuthUserChangePasswordResponse,
        user_grant_role AuthUserGrantRoleRequest AuthUserGrantRoleResponse,
        user_revoke_role AuthUserRevokeRoleRequest AuthUserRevokeRoleResponse,
        role_add AuthRoleAddRequest AuthRoleAddResponse,
        role_get AuthRoleGetRequest AuthRoleGetResponse,
        role_list AuthRoleListRequest AuthRoleListResponse,
        role_delete AuthRoleDeleteRequest AuthRoleDeleteResponse,
        role_grant_permission AuthRoleGrantPermissionRequest AuthRoleGrantPermissionResponse,
        role_revoke_permission AuthRoleRevokePermissionRequest AuthRoleRevokePermissionResponse,
    }
}

service! {
    Lock {
        lock LockRequest LockResponse,
        unlock UnlockRequest UnlockResponse,
    }
}

service! {
    Election {
        campaign CampaignRequest CampaignResponse,
        proclaim ProclaimRequest ProclaimResponse,
        leader LeaderRequest LeaderResponse,
        resign ResignRequest ResignResponse,
    }

    type ObserveStream = Messages<LeaderResponse>;

    async fn observe(
        &self,
        request: Request<LeaderRequest>,
    ) -> Result<Response<Messages<LeaderResponse>>, Status> {
        self.listen("observe", request)
    }
}
