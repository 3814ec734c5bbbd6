//! What nobody compacts: after a while the leader does.

use std::time::{Duration, Instant};

use bytes::Bytes;
use etcd::etcdserverpb::{PutRequest, RangeRequest, kv_client::KvClient};
use tokio::{runtime::Builder, time::sleep};
use tonic::{Code, transport::Channel};

use crate::servers::{Cluster, Program};

/// How long the cluster keeps history: as many seconds as it is told below.
const KEPT: Duration = Duration::from_secs(3);

const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn history_is_given_up_when_it_is_old_and_what_is_there_stays() {
    let names = (1..=3).map(|number| format!("member{number}"));
    let cluster = Cluster::start_with(Program::Archipel, names, &["--history", "3"]);
    cluster.wait_until_served();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let address = cluster.members[0].address();
        let channel = Channel::from_shared(address).unwrap().connect().await.unwrap();
        let mut kv = KvClient::new(channel);
        let key = Bytes::from_static(b"k");
        for value in ["old", "new"] {
            let put = PutRequest { key: key.clone(), value: value.into(), ..Default::default() };
            kv.put(put).await.unwrap();
        }
        let written = Instant::now();
        let now = RangeRequest { key: key.clone(), ..Default::default() };
        let then = RangeRequest { revision: 2, ..now.clone() };
        assert_eq!(kv.range(then.clone()).await.unwrap().into_inner().kvs[0].value, "old");
        let refusal = loop {
            match kv.range(then.clone()).await {
                Ok(_) => assert!(written.elapsed() < PATIENCE, "history is never given up"),
                Err(status) => break status,
            }
            sleep(Duration::from_millis(50)).await;
        };
        assert!(written.elapsed() >= KEPT, "history went after {:?}", written.elapsed());
        assert_eq!(refusal.code(), Code::OutOfRange);
        assert_eq!(kv.range(now).await.unwrap().into_inner().kvs[0].value, "new");
    });
}
