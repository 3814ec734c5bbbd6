//! `user`, `role` and `auth`.

use super::{Etcdctl, Said};

impl Etcdctl {
    /// What a command said that was given by a user, as in `anna:secret`.
    fn said_by(&self, user: &str, words: &[&str]) -> Said {
        self.said(&[&["--user", user], words].concat())
    }

    /// Makes a user, with a role that may read and write what begins with the user's name.
    fn make_user(&self, name: &str, password: &str) {
        let created = self.said_after(&["user", "add", name, "--interactive=false"], password).ok();
        assert_eq!(created, format!("User {name} created\n"));
        assert_eq!(self.ok(&["role", "add", name]), format!("Role {name} created\n"));
        let grant = ["role", "grant-permission", name, "readwrite", name, "--prefix"];
        assert_eq!(self.ok(&grant), format!("Role {name} updated\n"));
        let granted = self.ok(&["user", "grant-role", name, name]);
        assert_eq!(granted, format!("Role {name} is granted to user {name}\n"));
    }
}

#[test]
fn users_and_roles_are_made_shown_and_removed() {
    let Some(etcdctl) = Etcdctl::start() else { return };
    etcdctl.make_user("anna", "secret");
    assert_eq!(etcdctl.ok(&["user", "list"]), "anna\n");
    assert_eq!(etcdctl.ok(&["role", "list"]), "anna\n");
    assert_eq!(etcdctl.ok(&["user", "get", "anna"]), "User: anna\nRoles: anna\n");
    let role = etcdctl.ok(&["role", "get", "anna"]);
    assert!(role.contains("KV Read:\n\t[anna, annb) (prefix anna)"), "{role}");
    let error = etcdctl.fails(&["role", "get", "bert"]);
    assert!(error.contains("etcdserver: role name not found"), "{error}");
    let error = etcdctl.fails(&["role", "add", "anna"]);
    assert!(error.contains("etcdserver: role name already exists"), "{error}");
    let error = etcdctl.fails(&["user", "get", "bert"]);
    assert!(error.contains("etcdserver: user name not found"), "{error}");
    etcdctl.ok(&["role", "revoke-permission", "anna", "anna", "--prefix"]);
    assert_eq!(
        etcdctl.ok(&["user", "revoke-role", "anna", "anna"]),
        "Role anna is revoked from user anna\n"
    );
    assert_eq!(etcdctl.ok(&["role", "delete", "anna"]), "Role anna deleted\n");
    assert_eq!(etcdctl.ok(&["user", "delete", "anna"]), "User anna deleted\n");
    let error = etcdctl.fails(&["auth", "enable"]);
    assert!(error.contains("etcdserver: root user does not exist"), "{error}");
}

#[test]
fn with_auth_everybody_has_their_own_keys() {
    let Some(etcdctl) = Etcdctl::start() else { return };
    etcdctl.make_user("anna", "secret");
    etcdctl.said_after(&["user", "add", "root", "--interactive=false"], "crown").ok();
    let granted = etcdctl.ok(&["user", "grant-role", "root", "root"]);
    assert_eq!(granted, "Role root is granted to user root\n");
    assert_eq!(etcdctl.ok(&["auth", "enable"]), "Authentication Enabled\n");
    let error = etcdctl.fails(&["get", "anna"]);
    assert!(error.contains("etcdserver: user name is empty"), "{error}");
    let error = etcdctl.said_by("anna:wrong", &["get", "anna"]).fails();
    assert!(
        error.contains("etcdserver: authentication failed, invalid user ID or password"),
        "{error}"
    );
    assert_eq!(etcdctl.said_by("anna:secret", &["put", "anna/1", "a"]).ok(), "OK\n");
    let error = etcdctl.said_by("anna:secret", &["put", "other", "a"]).fails();
    assert!(error.contains("etcdserver: permission denied"), "{error}");
    let error = etcdctl.said_by("anna:secret", &["get", "", "--from-key"]).fails();
    assert!(error.contains("etcdserver: permission denied"), "{error}");
    assert_eq!(etcdctl.said_by("root:crown", &["get", "", "--from-key"]).ok(), "anna/1\na\n");
    let changed = ["user", "passwd", "anna", "--interactive=false", "--user", "root:crown"];
    assert_eq!(etcdctl.said_after(&changed, "better").ok(), "Password updated\n");
    assert_eq!(etcdctl.said_by("anna:better", &["get", "anna/1"]).ok(), "anna/1\na\n");
    assert_eq!(
        etcdctl.said_by("root:crown", &["auth", "disable"]).ok(),
        "Authentication Disabled\n"
    );
    assert_eq!(etcdctl.ok(&["get", "anna/1"]), "anna/1\na\n");
}
