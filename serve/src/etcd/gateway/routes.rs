//! Which path asks for which method.

use hyper::Response;
use tonic::body::Body;

use super::{Services, call::Call, refusal::Refusal};

/// Carries out `call`. `ask` is for one request and one answer, `listen` for one request and a stream of
/// answers, `converse` for streams both ways.
#[rustfmt::skip] // A table.
pub(super) async fn carry_out<S: Services>(
    etcd: &S,
    call: Call,
) -> Result<Response<Body>, Refusal> {
    match call.path() {
        "/v3/kv/range" => call.ask(|q| etcd.range(q)).await,
        "/v3/kv/put" => call.ask(|q| etcd.put(q)).await,
        "/v3/kv/deleterange" => call.ask(|q| etcd.delete_range(q)).await,
        "/v3/kv/txn" => call.ask(|q| etcd.txn(q)).await,
        "/v3/kv/compaction" => call.ask(|q| etcd.compact(q)).await,

        "/v3/watch" => call.converse(|q| etcd.watch(q)).await,

        "/v3/lease/grant" => call.ask(|q| etcd.lease_grant(q)).await,
        "/v3/lease/keepalive" => call.converse(|q| etcd.lease_keep_alive(q)).await,
        "/v3/lease/revoke" | "/v3/kv/lease/revoke" => call.ask(|q| etcd.lease_revoke(q)).await,
        "/v3/lease/timetolive" | "/v3/kv/lease/timetolive" => call.ask(|q| etcd.lease_time_to_live(q)).await,
        "/v3/lease/leases" | "/v3/kv/lease/leases" => call.ask(|q| etcd.lease_leases(q)).await,

        "/v3/cluster/member/add" => call.ask(|q| etcd.member_add(q)).await,
        "/v3/cluster/member/remove" => call.ask(|q| etcd.member_remove(q)).await,
        "/v3/cluster/member/update" => call.ask(|q| etcd.member_update(q)).await,
        "/v3/cluster/member/list" => call.ask(|q| etcd.member_list(q)).await,
        "/v3/cluster/member/promote" => call.ask(|q| etcd.member_promote(q)).await,

        "/v3/maintenance/alarm" => call.ask(|q| etcd.alarm(q)).await,
        "/v3/maintenance/status" => call.ask(|q| etcd.status(q)).await,
        "/v3/maintenance/defragment" => call.ask(|q| etcd.defragment(q)).await,
        "/v3/maintenance/hash" => call.ask(|q| etcd.hash(q)).await,
        "/v3/maintenance/hashkv" => call.ask(|q| etcd.hash_kv(q)).await,
        "/v3/maintenance/snapshot" => call.listen(|q| etcd.snapshot(q)).await,
        "/v3/maintenance/transfer-leadership" => call.ask(|q| etcd.move_leader(q)).await,
        "/v3/maintenance/downgrade" => call.ask(|q| etcd.downgrade(q)).await,

        "/v3/auth/enable" => call.ask(|q| etcd.auth_enable(q)).await,
        "/v3/auth/disable" => call.ask(|q| etcd.auth_disable(q)).await,
        "/v3/auth/status" => call.ask(|q| etcd.auth_status(q)).await,
        "/v3/auth/authenticate" => call.ask(|q| etcd.authenticate(q)).await,
        "/v3/auth/user/add" => call.ask(|q| etcd.user_add(q)).await,
        "/v3/auth/user/get" => call.ask(|q| etcd.user_get(q)).await,
        "/v3/auth/user/list" => call.ask(|q| etcd.user_list(q)).await,
        "/v3/auth/user/delete" => call.ask(|q| etcd.user_delete(q)).await,
        "/v3/auth/user/changepw" => call.ask(|q| etcd.user_change_password(q)).await,
        "/v3/auth/user/grant" => call.ask(|q| etcd.user_grant_role(q)).await,
        "/v3/auth/user/revoke" => call.ask(|q| etcd.user_revoke_role(q)).await,
        "/v3/auth/role/add" => call.ask(|q| etcd.role_add(q)).await,
        "/v3/auth/role/get" => call.ask(|q| etcd.role_get(q)).await,
        "/v3/auth/role/list" => call.ask(|q| etcd.role_list(q)).await,
        "/v3/auth/role/delete" => call.ask(|q| etcd.role_delete(q)).await,
        "/v3/auth/role/grant" => call.ask(|q| etcd.role_grant_permission(q)).await,
        "/v3/auth/role/revoke" => call.ask(|q| etcd.role_revoke_permission(q)).await,

        "/v3/lock/lock" => call.ask(|q| etcd.lock(q)).await,
        "/v3/lock/unlock" => call.ask(|q| etcd.unlock(q)).await,

        "/v3/election/campaign" => call.ask(|q| etcd.campaign(q)).await,
        "/v3/election/proclaim" => call.ask(|q| etcd.proclaim(q)).await,
        "/v3/election/leader" => call.ask(|q| etcd.leader(q)).await,
        "/v3/election/observe" => call.listen(|q| etcd.observe(q)).await,
        "/v3/election/resign" => call.ask(|q| etcd.resign(q)).await,

        _ => Err(Refusal::NoSuchPath),
    }
}
