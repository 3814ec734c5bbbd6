//! The service Election: whoever's key under the name was created first is elected.

use std::pin::Pin;

use ::etcd::v3electionpb::{
    CampaignRequest, CampaignResponse, LeaderKey, LeaderRequest, LeaderResponse, ProclaimRequest,
    ProclaimResponse, ResignRequest, ResignResponse, election_server::Election,
};
use ::kv::{
    Answer, Bounds, Command, Comparison, Delete, Item, Keys, LeaseId, Operation, Order, Put, Query,
    Range, Relation, ReplyKind, SortBy, Target, Transaction,
};
use bytes::Bytes;
use tokio::{
    sync::mpsc,
    time::{Duration, timeout},
};
use tokio_stream::{Stream, wrappers::ReceiverStream};
use tonic::{Request, Response, Status};

use super::{Etcd, lease, messages, refusal, unexpected};

/// How often the lease of whoever waits is kept alive.
const KEEP_ALIVE_EVERY: Duration = Duration::from_millis(700);

#[tonic::async_trait]
impl Election for Etcd {
    async fn campaign(
        &self,
        request: Request<CampaignRequest>,
    ) -> Result<Response<CampaignResponse>, Status> {
        let CampaignRequest { name, lease, value } = request.into_inner();
        let prefix = prefix(&name);
        let standing = Standing::stand(self, &prefix, LeaseId(lease), value).await?;
        let revision = standing.wait(self, &prefix).await?;
        let Place { key, created, lease } = standing.keep();
        let leader = LeaderKey { name, key, rev: created.cast_signed(), lease: lease.0 };
        let header = self.header(revision);
        Ok(Response::new(CampaignResponse { header, leader: Some(leader) }))
    }

    async fn proclaim(
        &self,
        request: Request<ProclaimRequest>,
    ) -> Result<Response<ProclaimResponse>, Status> {
        let ProclaimRequest { leader, value } = request.into_inner();
        let leader = leader.ok_or_else(no_key)?;
        let put = put(leader.key.clone(), value, LeaseId(leader.lease));
        let revision = self.as_elected(&leader, Operation::Put(put)).await?;
        Ok(Response::new(ProclaimResponse { header: self.header(revision) }))
    }

    async fn leader(
        &self,
        request: Request<LeaderRequest>,
    ) -> Result<Response<LeaderResponse>, Status> {
        let (revision, elected) = self.elected(&prefix(&request.into_inner().name)).await?;
        let elected = elected.ok_or_else(|| Status::unknown("election: no leader"))?;
        let (header, kv) = (self.header(revision), Some(messages::key_value(elected)));
        Ok(Response::new(LeaderResponse { header, kv }))
    }

    type ObserveStream = Pin<Box<dyn Stream<Item = Result<LeaderResponse, Status>> + Send>>;

    async fn observe(
        &self,
        request: Request<LeaderRequest>,
    ) -> Result<Response<Self::ObserveStream>, Status> {
        let (say, said) = mpsc::channel(16);
        let (etcd, prefix) = (self.clone(), prefix(&request.into_inner().name));
        tokio::spawn(async move {
            if let Err(status) = etcd.tell_elected(&prefix, &say).await {
                let _ = say.send(Err(status)).await;
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(said))))
    }

    async fn resign(
        &self,
        request: Request<ResignRequest>,
    ) -> Result<Response<ResignResponse>, Status> {
        let leader = request.into_inner().leader.ok_or_else(no_key)?;
        let keys = Keys::One(leader.key.clone());
        let delete = Operation::Delete(Delete { keys, previous: false });
        let transaction = if_created(&leader.key, leader.rev, delete);
        let (revision, _) = self.do_all(transaction).await?;
        Ok(Response::new(ResignResponse { header: self.header(revision) }))
    }
}

impl Etcd {
    /// Does something as the elected one.
    async fn as_elected(&self, leader: &LeaderKey, what: Operation) -> Result<u64, Status> {
        let (revision, replies) = self.do_all(if_created(&leader.key, leader.rev, what)).await?;
        if replies.succeeded { Ok(revision) } else { Err(Status::unknown("election: not leader")) }
    }

    /// Who is elected, and the store's revision.
    async fn elected(&self, prefix: &Bytes) -> Result<(u64, Option<Item>), Status> {
        let first = Range {
            limit: 1,
            order: Order::Ascending,
            sort_by: SortBy::Created,
            ..Range::of(Keys::with_prefix(prefix.clone()))
        };
        self.first_of(first).await
    }

    /// Tells who is elected, each time that is somebody else or says something else.
    async fn tell_elected(
        &self,
        prefix: &Bytes,
        say: &mpsc::Sender<Result<LeaderResponse, Status>>,
    ) -> Result<(), Status> {
        let mut applied = self.front.node.applied();
        let mut told = 0;
        loop {
            applied.mark_unchanged();
            let (revision, elected) = self.elected(prefix).await?;
            if let Some(elected) = elected.filter(|elected| elected.modified > told) {
                told = elected.modified;
                let (header, kv) = (self.header(revision), Some(messages::key_value(elected)));
                if say.send(Ok(LeaderResponse { header, kv })).await.is_err() {
                    return Ok(());
                }
            }
            tokio::select! {
                changed = applied.changed() => changed.map_err(|_| stopped())?,
                () = say.closed() => return Ok(()),
            }
        }
    }
}

/// A key by which somebody stands, and since when.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) key: Bytes,
    pub(super) created: u64,
    pub(super) lease: LeaseId,
}

/// Somebody stands. If nobody waits for the end of it, the key goes.
pub(super) struct Standing {
    etcd: Etcd,
    place: Option<Place>,
}

impl Standing {
    /// Stands by a key that goes with the lease; again, if it is there already.
    pub(super) async fn stand(
        etcd: &Etcd,
        prefix: &Bytes,
        lease: LeaseId,
        value: Bytes,
    ) -> Result<Self, Status> {
        let key = Bytes::from([prefix, format!("{:x}", lease.0).as_bytes()].concat());
        let get = Operation::Range(Range::of(Keys::One(key.clone())));
        let mut transaction =
            if_created(&key, 0, Operation::Put(put(key.clone(), value.clone(), lease)));
        transaction.failure = vec![get];
        let (revision, replies) = etcd.do_all(transaction).await?;
        let mut created = revision;
        if let Some(ReplyKind::Range(found)) =
            replies.replies.into_iter().next().map(|reply| reply.kind)
            && let Some(item) = found.items.into_iter().next()
        {
            created = item.created;
            if item.value != value {
                let again = Operation::Put(put(key.clone(), value, lease));
                etcd.do_all(if_created(&key, created.cast_signed(), again)).await?;
            }
        }
        Ok(Self { etcd: etcd.clone(), place: Some(Place { key, created, lease }) })
    }

    /// Waits until nobody stands who stood before. Gives the store's revision then.
    pub(super) async fn wait(&self, etcd: &Etcd, prefix: &Bytes) -> Result<u64, Status> {
        let place = self.place.as_ref().expect("whoever waits stands");
        let mut applied = etcd.front.node.applied();
        let earlier = Range {
            limit: 1,
            order: Order::Descending,
            sort_by: SortBy::Created,
            created: Bounds { least: 0, greatest: place.created - 1 },
            ..Range::of(Keys::with_prefix(prefix.clone()))
        };
        loop {
            let (_, before) = etcd.first_of(earlier.clone()).await?;
            let Some(before) = before else {
                let own = Range::of(Keys::One(place.key.clone()));
                let (revision, own) = etcd.first_of(own).await?;
                return own.map(|_| revision).ok_or_else(lease::ended);
            };
            etcd.wait_until_gone(&before, place.lease, &mut applied).await?;
        }
    }

    /// The place stays.
    pub(super) fn keep(mut self) -> Place {
        self.place.take().expect("a place is kept once")
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        if let Some(place) = self.place.take() {
            let etcd = self.etcd.clone();
            let keys = Keys::One(place.key.clone());
            let delete = Operation::Delete(Delete { keys, previous: false });
            let leave = if_created(&place.key, place.created.cast_signed(), delete);
            tokio::spawn(async move { etcd.do_all(leave).await });
        }
    }
}

impl Etcd {
    async fn first_of(&self, range: Range) -> Result<(u64, Option<Item>), Status> {
        match self.ask(Query::Range(range), false).await? {
            Answer::Read { revision, found } => Ok((revision, found.items.into_iter().next())),
            answer => Err(unexpected(&answer)),
        }
    }

    /// Waits until an item is gone, and keeps the lease of whoever waits alive.
    async fn wait_until_gone(
        &self,
        item: &Item,
        lease: LeaseId,
        applied: &mut tokio::sync::watch::Receiver<kernel::Index>,
    ) -> Result<(), Status> {
        loop {
            applied.mark_unchanged();
            let query = Query::Get { key: item.key.clone() };
            match self.ask(query, true).await? {
                Answer::Found(present) if present.created == item.created => {}
                _ => return Ok(()),
            }
            match timeout(KEEP_ALIVE_EVERY, applied.changed()).await {
                Ok(changed) => changed.map_err(|_| stopped())?,
                Err(_) => {
                    self.carry_out(Command::KeepAlive { lease }).await?;
                }
            }
        }
    }
}

/// What all keys of a name begin with.
pub(super) fn prefix(name: &Bytes) -> Bytes {
    [name, &b"/"[..]].concat().into()
}

/// Does something if a key was created at a revision; at 0, if it is not there.
fn if_created(key: &Bytes, created: i64, what: Operation) -> Transaction {
    let keys = Keys::One(key.clone());
    let target = Target::Created(created);
    let comparisons = vec![Comparison { keys, relation: Relation::Equal, target }];
    Transaction { comparisons, success: vec![what], failure: vec![] }
}

const fn put(key: Bytes, value: Bytes, lease: LeaseId) -> Put {
    Put { key, value, lease, previous: false, keep_value: false, keep_lease: false }
}

fn no_key() -> Status {
    Status::invalid_argument("\"leader\" field must be provided")
}

fn stopped() -> Status {
    refusal::of_read(host::RequestError::Stopped)
}
