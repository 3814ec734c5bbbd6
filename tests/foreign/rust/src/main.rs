//! What the crate `etcd-client` asks of etcd, each service once, with what must come back.
//!
//! `etcd-client-calls ADDRESS...` ends with 0 if all is as it should be.

use std::time::Duration;

use etcd_client::{
    Client, Compare, CompareOp, Error, EventType, GetOptions, LeaseGrantOptions, PutOptions,
    ResignOptions, Txn, TxnOp, WatchOptions,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let addresses: Vec<String> = std::env::args().skip(1).collect();
    let mut client = Client::connect(addresses, None).await?;
    keys(&mut client).await?;
    transactions(&mut client).await?;
    watches(&mut client).await?;
    leases(&mut client).await?;
    locks(&mut client).await?;
    elections(&mut client).await?;
    cluster(&mut client).await?;
    users(&mut client).await?;
    println!("all as it should be");
    Ok(())
}

async fn keys(client: &mut Client) -> Result<(), Error> {
    for (key, value) in [("k1", "1"), ("k2", "2"), ("k3", "3")] {
        client.put(key, value, None).await?;
    }
    let before = client.put("k1", "4", Some(PutOptions::new().with_prev_key())).await?;
    assert_eq!(before.prev_key().expect("it was there").value(), b"1");
    let all = client.get("k", Some(GetOptions::new().with_prefix().with_limit(2))).await?;
    assert!(all.kvs().len() == 2 && all.more() && all.count() == 3);
    let deleted = client.delete("k3", None).await?;
    assert_eq!(deleted.deleted(), 1);
    let revision = deleted.header().expect("a header comes along").revision();
    client.compact(revision - 1, None).await?;
    let gone = client.get("k1", Some(GetOptions::new().with_revision(2))).await;
    let message = gone.expect_err("it is compacted").to_string();
    assert!(message.contains("required revision has been compacted"), "{message}");
    Ok(())
}

async fn transactions(client: &mut Client) -> Result<(), Error> {
    let txn = Txn::new()
        .when([Compare::value("k1", CompareOp::Equal, "4"), Compare::version("none", CompareOp::Equal, 0)])
        .and_then([TxnOp::put("t", "1", None), TxnOp::txn(Txn::new().and_then([TxnOp::get("t", None)]))])
        .or_else([TxnOp::get("k1", None)]);
    let done = client.txn(txn).await?;
    assert!(done.succeeded() && done.op_responses().len() == 2);
    Ok(())
}

async fn watches(client: &mut Client) -> Result<(), Error> {
    let mut stream = client.watch("w", Some(WatchOptions::new().with_prefix().with_prev_key())).await?;
    client.put("w1", "1", None).await?;
    client.delete("w1", None).await?;
    let mut events = Vec::new();
    while events.len() < 2 {
        let response = stream.message().await?.expect("the watch goes on");
        events.extend(response.events().iter().map(|event| (event.event_type(), event.prev_kv().is_some())));
    }
    assert_eq!(events, [(EventType::Put, false), (EventType::Delete, true)]);
    stream.request_progress().await?;
    assert!(stream.message().await?.expect("the watch goes on").events().is_empty());
    Ok(())
}

async fn leases(client: &mut Client) -> Result<(), Error> {
    let id = client.lease_grant(100, Some(LeaseGrantOptions::new().with_id(77))).await?.id();
    assert_eq!(id, 77);
    client.put("held", "1", Some(PutOptions::new().with_lease(id))).await?;
    let (mut keeper, mut kept) = client.lease_keep_alive(id).await?;
    keeper.keep_alive().await?;
    assert_eq!(kept.message().await?.expect("an answer comes").ttl(), 100);
    let left = client.lease_time_to_live(id, Some(etcd_client::LeaseTimeToLiveOptions::new().with_keys())).await?;
    assert!(left.granted_ttl() == 100 && left.keys() == [b"held"]);
    assert!(client.leases().await?.leases().iter().any(|lease| lease.id() == id));
    client.lease_revoke(id).await?;
    assert_eq!(client.get("held", None).await?.count(), 0);
    Ok(())
}

async fn locks(client: &mut Client) -> Result<(), Error> {
    let held = client.lock("door", None).await?;
    let mut other = client.clone();
    let waiting = tokio::time::timeout(Duration::from_millis(300), other.lock("door", None)).await;
    assert!(waiting.is_err(), "a lock is held by one");
    client.unlock(held.key()).await?;
    let next = client.lock("gate", None).await?;
    assert!(next.key().starts_with(b"gate/"));
    client.unlock(next.key()).await?;
    Ok(())
}

async fn elections(client: &mut Client) -> Result<(), Error> {
    let lease = client.lease_grant(60, None).await?.id();
    let won = client.campaign("chair", "anna", lease).await?;
    let leader = won.leader().expect("somebody has won").clone();
    assert_eq!(client.leader("chair").await?.kv().expect("there is a leader").value(), b"anna");
    let mut seen = client.observe("chair").await?;
    assert_eq!(seen.message().await?.expect("a leader is seen").kv().expect("with a key").value(), b"anna");
    let resign = ResignOptions::new().with_leader(leader);
    client.resign(Some(resign)).await?;
    let message = client.leader("chair").await.expect_err("nobody leads").to_string();
    assert!(message.contains("election: no leader"), "{message}");
    Ok(())
}

async fn cluster(client: &mut Client) -> Result<(), Error> {
    let members = client.member_list().await?;
    assert!(members.members().iter().all(|member| !member.is_learner() && !member.name().is_empty()));
    let status = client.status().await?;
    assert!(status.leader() > 0 && status.db_size() > 0 && status.raft_term() > 0);
    assert!(client.hash_kv(0).await?.hash() != 0);
    client.defragment().await?;
    let mut snapshot = client.snapshot().await?;
    let mut bytes = 0;
    while let Some(part) = snapshot.message().await? {
        bytes += part.blob().len();
        if part.remaining_bytes() == 0 {
            break;
        }
    }
    assert!(bytes > 0);
    Ok(())
}

async fn users(client: &mut Client) -> Result<(), Error> {
    client.role_add("reader").await?;
    client.role_grant_permission("reader", etcd_client::Permission::read("k")).await?;
    assert_eq!(client.role_get("reader").await?.permissions().len(), 1);
    client.user_add("anna", "secret", None).await?;
    client.user_grant_role("anna", "reader").await?;
    assert_eq!(client.user_get("anna").await?.roles(), ["reader"]);
    client.user_delete("anna").await?;
    client.role_delete("reader").await?;
    Ok(())
}
