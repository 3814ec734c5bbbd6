//! What the Kubernetes API server asks of its store: few calls of exact shapes, from its storage layer
//! (`storage/etcd3`) and from etcd's `client/v3/kubernetes`.

use archipel_tests::is_installed;
use bytes::Bytes;
use etcd::{
    etcdserverpb::{
        CompactionRequest, Compare, LeaseGrantRequest, PutRequest, RangeRequest, RangeResponse,
        RequestOp, StatusRequest, TxnRequest, TxnResponse, WatchCreateRequest,
        WatchProgressRequest, WatchRequest, WatchResponse,
        compare::{CompareResult, CompareTarget, TargetUnion},
        kv_client::KvClient,
        lease_client::LeaseClient,
        maintenance_client::MaintenanceClient,
        request_op::Request,
        response_op::Response,
        watch_client::WatchClient,
        watch_request::RequestUnion,
    },
    mvccpb::event::EventType,
};
use tokio::{runtime::Builder, sync::mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Streaming, transport::Channel};

use super::with_leader;
use crate::servers::{Cluster, Program};

/// A client as the API server's: it wants to be told when there is no leader.
struct Apiserver {
    channel: Channel,
    kv: KvClient<Channel>,
}

fn op(request: Request) -> RequestOp {
    RequestOp { request: Some(request) }
}

fn get(key: &str) -> RangeRequest {
    RangeRequest { key: Bytes::from(key.to_owned()), ..RangeRequest::default() }
}

/// All keys that begin with `prefix`, which ends with a slash.
fn list(prefix: &str) -> RangeRequest {
    let range_end = format!("{}0", prefix.strip_suffix('/').unwrap());
    RangeRequest { range_end: Bytes::from(range_end), ..get(prefix) }
}

fn equals(key: &str, target: CompareTarget, union: TargetUnion) -> Compare {
    Compare {
        result: CompareResult::Equal as i32,
        target: target as i32,
        key: Bytes::from(key.to_owned()),
        target_union: Some(union),
        ..Compare::default()
    }
}

impl Apiserver {
    fn new(cluster: &Cluster) -> Self {
        let address = cluster.addresses()[0].clone();
        let channel = Channel::from_shared(address).unwrap().connect_lazy();
        Self { kv: KvClient::new(channel.clone()), channel }
    }

    /// If the key was last changed at `revision`, does `change`; otherwise reads it.
    async fn guarded(&mut self, key: &str, revision: i64, change: Request) -> TxnResponse {
        let txn = TxnRequest {
            compare: vec![equals(key, CompareTarget::Mod, TargetUnion::ModRevision(revision))],
            success: vec![op(change)],
            failure: vec![op(Request::RequestRange(get(key)))],
        };
        self.kv.txn(with_leader(txn)).await.unwrap().into_inner()
    }

    async fn put(&mut self, key: &str, value: &str, revision: i64, lease: i64) -> TxnResponse {
        let put = PutRequest {
            key: Bytes::from(key.to_owned()),
            value: Bytes::from(value.to_owned()),
            lease,
            ..PutRequest::default()
        };
        self.guarded(key, revision, Request::RequestPut(put)).await
    }

    async fn range(&mut self, range: RangeRequest) -> RangeResponse {
        self.kv.range(with_leader(range)).await.unwrap().into_inner()
    }

    /// A watch of a prefix, as a list is followed by one.
    async fn watch(&self, prefix: &str, start: i64) -> Watch {
        let (requests, receiver) = mpsc::channel(4);
        let RangeRequest { key, range_end, .. } = list(prefix);
        let create = WatchCreateRequest {
            key,
            range_end,
            start_revision: start,
            prev_kv: true,
            progress_notify: true,
            ..WatchCreateRequest::default()
        };
        let request = WatchRequest { request_union: Some(RequestUnion::CreateRequest(create)) };
        requests.send(request).await.unwrap();
        let mut client = WatchClient::new(self.channel.clone());
        let stream = client.watch(with_leader(ReceiverStream::new(receiver))).await.unwrap();
        let mut watch = Watch { requests, responses: stream.into_inner() };
        assert!(watch.next().await.created);
        watch
    }
}

struct Watch {
    requests: mpsc::Sender<WatchRequest>,
    responses: Streaming<WatchResponse>,
}

impl Watch {
    async fn next(&mut self) -> WatchResponse {
        self.responses.message().await.unwrap().expect("the watch goes on")
    }
}

/// The revision of an answer.
fn revision(answer: &TxnResponse) -> i64 {
    answer.header.as_ref().unwrap().revision
}

/// Runs a test against a fresh cluster of three.
fn run<F: Future<Output = ()>>(test: impl FnOnce(Apiserver) -> F) {
    let program = Program::under_test();
    if program == Program::Etcd && !is_installed("etcd") {
        return;
    }
    let cluster = Cluster::start_and_elect(program, 3);
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { test(Apiserver::new(&cluster)).await });
}

#[test]
fn objects_are_created_updated_and_deleted_at_the_revision_that_was_read() {
    run(async |mut store| {
        let key = "/registry/pods/default/web";
        let created = store.put(key, "v1", 0, 0).await;
        assert!(created.succeeded);
        let again = store.put(key, "v1", 0, 0).await;
        assert!(!again.succeeded, "it exists");
        let Some(Response::ResponseRange(found)) = &again.responses[0].response else {
            panic!("the failure branch reads: {again:?}");
        };
        assert_eq!(found.kvs[0].mod_revision, revision(&created));
        let updated = store.put(key, "v2", revision(&created), 0).await;
        assert!(updated.succeeded && revision(&updated) == revision(&created) + 1);
        let delete = || {
            let key = Bytes::from_static(b"/registry/pods/default/web");
            Request::RequestDeleteRange(etcd::etcdserverpb::DeleteRangeRequest {
                key,
                ..Default::default()
            })
        };
        assert!(
            !store.guarded(key, revision(&created), delete()).await.succeeded,
            "it has changed"
        );
        assert!(store.guarded(key, revision(&updated), delete()).await.succeeded);
        assert_eq!(store.range(get(key)).await.count, 0);
    });
}

#[test]
fn lists_go_on_page_by_page_at_one_revision() {
    run(async |mut store| {
        for number in 0..5 {
            store.put(&format!("/registry/pods/{number}"), "v", 0, 0).await;
        }
        let page = RangeRequest { limit: 2, ..list("/registry/pods/") };
        let first = store.range(page.clone()).await;
        assert!((first.kvs.len(), first.more, first.count) == (2, true, 5), "{first:?}");
        let at = first.header.unwrap().revision;
        store.put("/registry/pods/9", "late", 0, 0).await;
        let mut next = page;
        next.key = [first.kvs[1].key.as_ref(), b"\0"].concat().into();
        next.revision = at;
        let second = store.range(next).await;
        assert!((second.kvs.len(), second.more, second.count) == (2, true, 3), "{second:?}");
        let counted =
            store.range(RangeRequest { count_only: true, ..list("/registry/pods/") }).await;
        assert!(counted.count == 6 && counted.kvs.is_empty(), "{counted:?}");
    });
}

#[test]
fn a_watch_follows_a_list_and_tells_its_progress() {
    run(async |mut store| {
        let created = store.put("/registry/pods/a", "v1", 0, 0).await;
        let mut watch = store.watch("/registry/pods/", revision(&created) + 1).await;
        let updated = store.put("/registry/pods/a", "v2", revision(&created), 0).await;
        let event = watch.next().await.events.remove(0);
        assert_eq!(event.r#type, EventType::Put as i32);
        assert_eq!(event.kv.unwrap().mod_revision, revision(&updated));
        assert_eq!(event.prev_kv.unwrap().value, "v1");
        let elsewhere = store.put("/registry/nodes/a", "v1", 0, 0).await;
        let ask = RequestUnion::ProgressRequest(WatchProgressRequest {});
        watch.requests.send(WatchRequest { request_union: Some(ask) }).await.unwrap();
        let progress = watch.next().await;
        assert!(progress.events.is_empty() && progress.watch_id == -1, "{progress:?}");
        assert_eq!(progress.header.unwrap().revision, revision(&elsewhere));
    });
}

#[test]
fn one_of_many_api_servers_compacts() {
    run(async |mut store| {
        let key = "compact_rev_key";
        let txn = |version, value: &str| TxnRequest {
            compare: vec![equals(key, CompareTarget::Version, TargetUnion::Version(version))],
            success: vec![op(Request::RequestPut(PutRequest {
                key: Bytes::from(key.to_owned()),
                value: Bytes::from(value.to_owned()),
                ..PutRequest::default()
            }))],
            failure: vec![op(Request::RequestRange(get(key)))],
        };
        let first = store.kv.txn(with_leader(txn(0, "0"))).await.unwrap().into_inner();
        assert!(first.succeeded);
        let other = store.kv.txn(with_leader(txn(0, "0"))).await.unwrap().into_inner();
        let Some(Response::ResponseRange(found)) = &other.responses[0].response else {
            panic!("the failure branch reads: {other:?}");
        };
        assert!(!other.succeeded && found.kvs[0].version == 1);
        let now = revision(&first);
        let second = store.kv.txn(with_leader(txn(1, &now.to_string()))).await.unwrap();
        assert!(second.into_inner().succeeded);
        let compact = CompactionRequest { revision: now, physical: false };
        store.kv.compact(with_leader(compact)).await.unwrap();
        let old = RangeRequest { revision: now - 1, ..get(key) };
        let status = store.kv.range(with_leader(old)).await.unwrap_err();
        assert_eq!(status.message(), "etcdserver: mvcc: required revision has been compacted");
        assert_eq!(status.code(), tonic::Code::OutOfRange);
    });
}

#[test]
fn events_live_as_long_as_their_lease_and_the_size_is_known() {
    run(async |mut store| {
        let mut lease = LeaseClient::new(store.channel.clone());
        let asked = LeaseGrantRequest { ttl: 3600, id: 0 };
        let granted = lease.lease_grant(with_leader(asked)).await.unwrap().into_inner();
        assert!(granted.id > 0 && granted.ttl == 3600);
        store.put("/registry/events/a", "v", 0, granted.id).await;
        assert_eq!(store.range(get("/registry/events/a")).await.kvs[0].lease, granted.id);
        let mut maintenance = MaintenanceClient::new(store.channel.clone());
        let status = maintenance.status(with_leader(StatusRequest {})).await.unwrap().into_inner();
        assert!(status.db_size > 0 && status.version.split('.').count() == 3, "{status:?}");
    });
}
