//! The service KV.

use ::etcd::etcdserverpb::{
    CompactionRequest, CompactionResponse, DeleteRangeRequest, DeleteRangeResponse, PutRequest,
    PutResponse, RangeRequest, RangeResponse, TxnRequest, TxnResponse, kv_server::Kv,
};
use ::kv::{Answer, Command, Operation, Query, Replies, ReplyKind, Transaction};
use prost::Message;
use tonic::{Request, Response, Status};

use super::{Etcd, MESSAGE_BYTES_MAX, REQUEST_BYTES_MAX, messages, refusal, unexpected};

#[tonic::async_trait]
impl Kv for Etcd {
    async fn range(
        &self,
        request: Request<RangeRequest>,
    ) -> Result<Response<RangeResponse>, Status> {
        let request = request.into_inner();
        let stale = request.serializable;
        let query = Query::Range(messages::range(request)?);
        match self.ask(query, stale).await? {
            Answer::Read { revision, found } => {
                Ok(Response::new(messages::range_response(found, self.header(revision))))
            }
            answer => Err(unexpected(&answer)),
        }
    }

    async fn put(&self, request: Request<PutRequest>) -> Result<Response<PutResponse>, Status> {
        let request = bounded(request)?;
        let put = Operation::Put(messages::put(request)?);
        match self.do_one(put).await? {
            (revision, ReplyKind::Put(previous)) => Ok(Response::new(PutResponse {
                header: self.header(revision),
                prev_kv: previous.map(messages::key_value),
            })),
            (_, reply) => Err(refusal::broken(&format!("no reply to a put: {reply:?}"))),
        }
    }

    async fn delete_range(
        &self,
        request: Request<DeleteRangeRequest>,
    ) -> Result<Response<DeleteRangeResponse>, Status> {
        let delete = Operation::Delete(messages::delete(bounded(request)?)?);
        match self.do_one(delete).await? {
            (revision, ReplyKind::Deleted { count, previous }) => {
                Ok(Response::new(DeleteRangeResponse {
                    header: self.header(revision),
                    deleted: count.cast_signed(),
                    prev_kvs: previous.into_iter().map(messages::key_value).collect(),
                }))
            }
            (_, reply) => Err(refusal::broken(&format!("no reply to a deletion: {reply:?}"))),
        }
    }

    async fn txn(&self, request: Request<TxnRequest>) -> Result<Response<TxnResponse>, Status> {
        let request = bounded(request)?;
        let stale = is_stale(&request);
        let transaction = messages::transaction(request)?;
        transaction.check().map_err(refusal::of)?;
        let (revision, replies) = if transaction.writes() {
            self.do_all(transaction).await?
        } else {
            done(self.ask(Query::Look(transaction), stale).await?)?
        };
        Ok(Response::new(messages::txn_response(replies, self.header(revision))))
    }

    async fn compact(
        &self,
        request: Request<CompactionRequest>,
    ) -> Result<Response<CompactionResponse>, Status> {
        let CompactionRequest { revision, physical } = request.into_inner();
        let Ok(revision) = u64::try_from(revision) else {
            return Err(Status::out_of_range(refusal::COMPACTED));
        };
        // Without a caller the store would take it for the member's own.
        self.allow(&self.reading(false).await?, Query::Admin)?;
        match self.carry_out(Command::Compact { revision }).await? {
            Answer::Revision(present) => {
                if physical {
                    self.wait_until_scrubbed().await?;
                }
                Ok(Response::new(CompactionResponse { header: self.header(present) }))
            }
            answer => Err(unexpected(&answer)),
        }
    }
}

impl Etcd {
    /// Does one operation, on its own. Gives the store's revision and what it came to.
    pub(super) async fn do_one(&self, operation: Operation) -> Result<(u64, ReplyKind), Status> {
        let (revision, replies) = self.do_all(operation.alone()).await?;
        let reply = replies.replies.into_iter().next();
        let reply = reply.ok_or_else(|| refusal::broken("no reply to an operation"))?;
        Ok((revision, reply.kind))
    }

    pub(super) async fn do_all(&self, transaction: Transaction) -> Result<(u64, Replies), Status> {
        done(self.carry_out(Command::Do(transaction)).await?)
    }

    /// Waits until this node has taken away what a compaction has given up.
    async fn wait_until_scrubbed(&self) -> Result<(), Status> {
        let mut applied = self.front.node.applied();
        while ::kv::is_compacting(&self.reading(true).await?)
            .map_err(|fault| refusal::damaged(&fault))?
        {
            applied
                .changed()
                .await
                .map_err(|_| Status::unavailable("etcdserver: server stopped"))?;
        }
        Ok(())
    }
}

fn done(answer: Answer) -> Result<(u64, Replies), Status> {
    match answer {
        Answer::Done { revision, replies } => Ok((revision, replies)),
        answer => Err(unexpected(&answer)),
    }
}

/// A request that is not beyond the limit.
fn bounded<M: Message>(request: Request<M>) -> Result<M, Status> {
    let request = request.into_inner();
    let bytes = request.encoded_len();
    if bytes > MESSAGE_BYTES_MAX {
        return Err(refusal::too_long_a_message(bytes, MESSAGE_BYTES_MAX));
    }
    if bytes > REQUEST_BYTES_MAX {
        return Err(refusal::too_large());
    }
    Ok(request)
}

/// True if all that a transaction reads may be stale.
fn is_stale(request: &TxnRequest) -> bool {
    use ::etcd::etcdserverpb::request_op::Request;
    request.success.iter().chain(&request.failure).all(|operation| {
        matches!(&operation.request, Some(Request::RequestRange(range)) if range.serializable)
    })
}
