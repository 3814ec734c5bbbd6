//! The service Lock: whoever's key under the name was created first holds the lock.

use ::etcd::v3lockpb::{
    LockRequest, LockResponse, UnlockRequest, UnlockResponse, lock_server::Lock,
};
use ::kv::{Delete, Keys, LeaseId, Operation};
use tonic::{Request, Response, Status};

use super::{
    Etcd,
    election::{Standing, prefix},
    lease::draw_lease,
};

/// How long a lease lasts that is granted for a lock, in seconds.
const LEASE_SECONDS: i64 = 60;

#[tonic::async_trait]
impl Lock for Etcd {
    async fn lock(&self, request: Request<LockRequest>) -> Result<Response<LockResponse>, Status> {
        let LockRequest { name, lease } = request.into_inner();
        let lease = match lease {
            0 => self.grant(draw_lease(), LEASE_SECONDS).await?.0,
            lease => LeaseId(lease),
        };
        let name = prefix(&name);
        let standing = Standing::stand(self, &name, lease, bytes::Bytes::new()).await?;
        let revision = standing.wait(self, &name).await?;
        let key = standing.keep().key;
        Ok(Response::new(LockResponse { header: self.header(revision), key }))
    }

    async fn unlock(
        &self,
        request: Request<UnlockRequest>,
    ) -> Result<Response<UnlockResponse>, Status> {
        let keys = Keys::One(request.into_inner().key);
        let delete = Operation::Delete(Delete { keys, previous: false });
        let (revision, _) = self.do_one(delete).await?;
        Ok(Response::new(UnlockResponse { header: self.header(revision) }))
    }
}
