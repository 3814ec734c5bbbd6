//! Many keys, and how long a cluster that has them takes to serve again.

use std::time::{Duration, Instant};

use bytes::Bytes;
use etcd::etcdserverpb::{
    PutRequest, RangeRequest, RequestOp, TxnRequest, kv_client::KvClient, request_op::Request,
};
use tokio::{task::JoinSet, time::sleep};
use tonic::transport::{Channel, Endpoint};

use super::{VALUE_BYTES, connect, rates::key};

/// Puts of a transaction; etcd takes 128.
const TXN_PUTS: u64 = 100;
/// Clients that fill at the same time.
const FILLERS: u64 = 8;
/// How long a cluster may take until it serves again.
const RESTART_MAX: Duration = Duration::from_secs(600);

/// Writes `keys` keys, a hundred a transaction.
///
/// # Errors
/// If a transaction fails.
pub(crate) async fn fill(addresses: &[String], keys: u64) -> Result<(), String> {
    let channels = connect(addresses, usize::try_from(FILLERS).expect("it is small")).await?;
    let mut fillers = JoinSet::new();
    for (number, channel) in (0..FILLERS).zip(channels) {
        fillers.spawn(fill_part(KvClient::new(channel), number * TXN_PUTS, keys));
    }
    while let Some(filled) = fillers.join_next().await {
        filled.map_err(|error| format!("a client ended: {error}"))??;
    }
    Ok(())
}

/// Every eighth transaction, from the key `first` on.
async fn fill_part(mut kv: KvClient<Channel>, first: u64, keys: u64) -> Result<(), String> {
    let value = Bytes::from(vec![b'v'; VALUE_BYTES]);
    let put = |number| {
        let put = PutRequest { key: key(number), value: value.clone(), ..PutRequest::default() };
        RequestOp { request: Some(Request::RequestPut(put)) }
    };
    let mut first = first;
    while first < keys {
        let success = (first..keys.min(first + TXN_PUTS)).map(put).collect();
        let txn = TxnRequest { success, ..TxnRequest::default() };
        kv.txn(txn).await.map_err(|status| format!("a transaction: {status}"))?;
        first += FILLERS * TXN_PUTS;
    }
    Ok(())
}

/// Waits until each member answers a linearizable read of a key that was written.
///
/// # Errors
/// If one does not, or does not have the key.
pub(crate) async fn wait_until_served(addresses: &[String]) -> Result<(), String> {
    let deadline = Instant::now() + RESTART_MAX;
    for address in addresses {
        let endpoint = Endpoint::from_shared(address.clone()).map_err(|error| error.to_string())?;
        loop {
            match read(&endpoint).await {
                Ok(1) => break,
                Ok(_) => return Err(format!("{address} has lost a key")),
                Err(message) if Instant::now() > deadline => return Err(message),
                Err(_) => sleep(Duration::from_millis(5)).await,
            }
        }
    }
    Ok(())
}

async fn read(endpoint: &Endpoint) -> Result<i64, String> {
    let channel = endpoint.connect().await.map_err(|error| error.to_string())?;
    let range = RangeRequest { key: key(0), ..RangeRequest::default() };
    let mut kv = KvClient::new(channel);
    let answer = tokio::time::timeout(Duration::from_secs(5), kv.range(range)).await;
    let answer = answer.map_err(|_| String::from("no answer within five seconds"))?;
    answer.map(|answer| answer.into_inner().count).map_err(|status| status.to_string())
}
