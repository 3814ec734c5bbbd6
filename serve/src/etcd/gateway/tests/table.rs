//! The table of routes, once more: every path that etcd 3.5 has, and the method that it asks.

use super::{post, services::Told};

const ROUTES: &[(&str, &str)] = &[
    ("/v3/kv/range", "range"),
    ("/v3/kv/put", "put"),
    ("/v3/kv/deleterange", "delete_range"),
    ("/v3/kv/txn", "txn"),
    ("/v3/kv/compaction", "compact"),
    ("/v3/watch", "watch"),
    ("/v3/lease/grant", "lease_grant"),
    ("/v3/lease/keepalive", "lease_keep_alive"),
    ("/v3/lease/revoke", "lease_revoke"),
    ("/v3/kv/lease/revoke", "lease_revoke"),
    ("/v3/lease/timetolive", "lease_time_to_live"),
    ("/v3/kv/lease/timetolive", "lease_time_to_live"),
    ("/v3/lease/leases", "lease_leases"),
    ("/v3/kv/lease/leases", "lease_leases"),
    ("/v3/cluster/member/add", "member_add"),
    ("/v3/cluster/member/remove", "member_remove"),
    ("/v3/cluster/member/update", "member_update"),
    ("/v3/cluster/member/list", "member_list"),
    ("/v3/cluster/member/promote", "member_promote"),
    ("/v3/maintenance/alarm", "alarm"),
    ("/v3/maintenance/status", "status"),
    ("/v3/maintenance/defragment", "defragment"),
    ("/v3/maintenance/hash", "hash"),
    ("/v3/maintenance/hashkv", "hash_kv"),
    ("/v3/maintenance/snapshot", "snapshot"),
    ("/v3/maintenance/transfer-leadership", "move_leader"),
    ("/v3/maintenance/downgrade", "downgrade"),
    ("/v3/auth/enable", "auth_enable"),
    ("/v3/auth/disable", "auth_disable"),
    ("/v3/auth/status", "auth_status"),
    ("/v3/auth/authenticate", "authenticate"),
    ("/v3/auth/user/add", "user_add"),
    ("/v3/auth/user/get", "user_get"),
    ("/v3/auth/user/list", "user_list"),
    ("/v3/auth/user/delete", "user_delete"),
    ("/v3/auth/user/changepw", "user_change_password"),
    ("/v3/auth/user/grant", "user_grant_role"),
    ("/v3/auth/user/revoke", "user_revoke_role"),
    ("/v3/auth/role/add", "role_add"),
    ("/v3/auth/role/get", "role_get"),
    ("/v3/auth/role/list", "role_list"),
    ("/v3/auth/role/delete", "role_delete"),
    ("/v3/auth/role/grant", "role_grant_permission"),
    ("/v3/auth/role/revoke", "role_revoke_permission"),
    ("/v3/lock/lock", "lock"),
    ("/v3/lock/unlock", "unlock"),
    ("/v3/election/campaign", "campaign"),
    ("/v3/election/proclaim", "proclaim"),
    ("/v3/election/leader", "leader"),
    ("/v3/election/observe", "observe"),
    ("/v3/election/resign", "resign"),
];

#[tokio::test]
async fn every_path_asks_its_method() {
    for (path, method) in ROUTES {
        let services = Told::default();
        let answer = post(&services, path, "").await;
        assert_eq!(services.asked().method, *method, "{path}");
        // A stream without a request has its first message, or none, like any other.
        assert!(answer.body.contains(&format!(r#""message":"{method}""#)), "{}", answer.body);
        assert_eq!(answer.status, hyper::StatusCode::NOT_IMPLEMENTED);
    }
}
