//! Clients that want a leader: at a member that is cut off, requests are refused and streams end.

use archipel_tests::is_installed;
use std::time::Duration;

use bytes::Bytes;
use etcd::etcdserverpb::{
    LeaseKeepAliveRequest, RangeRequest, WatchCreateRequest, WatchRequest, WatchResponse,
    kv_client::KvClient, lease_client::LeaseClient, watch_client::WatchClient,
    watch_request::RequestUnion,
};
use tokio::{runtime::Builder, sync::mpsc, time::timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Status, Streaming, transport::Channel};

use super::with_leader;
use crate::servers::{Cluster, Program};

/// An election must have failed, then a stream is ended some seconds later.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a stream that can wait must still be there afterwards.
const LONGER: Duration = Duration::from_secs(2);

/// Watches a key; the requests' sender keeps the stream open.
async fn watch(
    channel: &Channel,
    wants_leader: bool,
) -> (mpsc::Sender<WatchRequest>, Streaming<WatchResponse>) {
    let (sender, requests) = mpsc::channel(1);
    let create = WatchCreateRequest { key: Bytes::from_static(b"k"), ..Default::default() };
    let create = WatchRequest { request_union: Some(RequestUnion::CreateRequest(create)) };
    sender.send(create).await.unwrap();
    let requests = ReceiverStream::new(requests);
    let request = if wants_leader { with_leader(requests) } else { Request::new(requests) };
    let mut events = WatchClient::new(channel.clone()).watch(request).await.unwrap().into_inner();
    assert!(events.message().await.unwrap().unwrap().created);
    (sender, events)
}

fn assert_no_leader(status: &Status) {
    assert_eq!((status.code(), status.message()), (Code::Unavailable, "etcdserver: no leader"));
}

#[test]
fn without_a_leader_who_wants_one_is_told() {
    let program = Program::under_test();
    if program == Program::Etcd && !is_installed("etcd") {
        println!("skipped: etcd is not installed");
        return;
    }
    let mut cluster = Cluster::start_and_elect(program, 3);
    let address = cluster.members[0].address();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let channel = Channel::from_shared(address).unwrap().connect().await.unwrap();
        let (_requests, mut wanting) = watch(&channel, true).await;
        let (_others, mut patient) = watch(&channel, false).await;
        let (_keep, requests) = mpsc::channel::<LeaseKeepAliveRequest>(1);
        let request = with_leader(ReceiverStream::new(requests));
        let mut lease = LeaseClient::new(channel.clone());
        let mut kept = lease.lease_keep_alive(request).await.unwrap().into_inner();

        cluster.members[1].kill();
        cluster.members[2].kill();
        let ended = timeout(PATIENCE, wanting.message()).await.expect("the watch ends");
        assert_no_leader(&ended.unwrap_err());
        let ended = timeout(PATIENCE, kept.message()).await.expect("so do the lease's answers");
        assert_no_leader(&ended.unwrap_err());
        let range = RangeRequest { key: Bytes::from_static(b"k"), ..Default::default() };
        let refused = KvClient::new(channel.clone()).range(with_leader(range)).await;
        assert_no_leader(&refused.unwrap_err());
        assert!(timeout(LONGER, patient.message()).await.is_err(), "who can wait still waits");
    });
}
