//! What a cluster holds goes to a file and comes back.

use std::{fs, path::Path};

use crate::{
    cluster::{Folder, Running, Up, archipel, free_ports, run, turn, until},
    http::{get, post},
};

fn put(port: u16, key: &str, value: &str) {
    let answer = post(port, "/kv", &format!(r#"{{"key":"{key}","value":"{value}"}}"#));
    assert_eq!(answer.status, 200, "{}", answer.text);
}

fn done(words: &[&str]) -> String {
    let output = run(words);
    let said =
        String::from_utf8(if output.status.success() { output.stdout } else { output.stderr });
    let said = said.expect("all output is text");
    assert!(output.status.success(), "{words:?}: {said}");
    said
}

fn refused(words: &[&str]) -> (i32, String) {
    let output = run(words);
    let code = output.status.code().expect("no signal ended it");
    (code, String::from_utf8(output.stderr).expect("all output is text"))
}

#[test]
fn what_was_acknowledged_before_a_backup_is_in_the_cluster_that_is_restored_from_it() {
    let _turn = turn();
    let (folder, port) = (Folder::new("backup"), free_ports());
    let mut up = Up::start(&folder.path().join("old"), port, 3, &[]);
    for number in 0..300 {
        put(port, &format!("key{number}"), &format!("value{number}"));
    }
    put(port, "key7", "another");
    let file = folder.path().join("store.backup").display().to_string();
    // On each node, whoever leads: what was acknowledged a moment ago is there.
    for own in up.ports() {
        put(own, "last", &own.to_string());
        let one = format!("{file}.{own}");
        let said = done(&["backup", &one, "--cluster", &own.to_string()]);
        assert!(said.contains("is written and whole: revision "), "{said}");
        assert_eq!(done(&["restore", &one, "--check"]), {
            let revision = 303 + u64::from(own - port);
            let changes = 302 + u64::from(own - port);
            format!(
                "The backup is whole: revision {revision}, with {changes} changes, 0 leases and 0 users.\n"
            )
        });
    }
    done(&["backup", &file, "--cluster", &up.cluster()]);
    put(port, "later", "1");
    up.running.stop();

    let (_nodes, port) = restored(folder.path(), &file);
    for own in port..port + 3 {
        assert_eq!(get(own, "/kv/key7").body["value"], "another");
        assert_eq!(get(own, "/kv/key299").body["value"], "value299");
        assert_eq!(get(own, "/kv/later").status, 404, "it came after the backup");
    }
    put(port, "after", "1");
    assert_eq!(get(port + 2, "/kv/after").body["value"], "1");
}

/// Three nodes that begin with a backup, and the first one's port.
fn restored(folder: &Path, file: &str) -> ([Running; 3], u16) {
    let port = free_ports();
    let list: Vec<String> =
        (0..3).map(|own| format!("node{}=127.0.0.1:{}", own + 1, port + own)).collect();
    let list = list.join(",");
    let nodes = [1, 2, 3].map(|own: u16| {
        let (name, own_port) = (format!("node{own}"), (port + own - 1).to_string());
        let dir = folder.join("new").join(&name).display().to_string();
        let options = ["--name", &name, "--port", &own_port, "--peers", &list, "--dir", &dir];
        let said = done(&[&["restore", file, "--"], &options[..]].concat());
        let token = said.split("--cluster-token ").nth(1).expect("it names the token");
        let token = token.split(',').next().expect("a comma follows");
        let mut command = archipel();
        command.arg("node").args(options).args(["--cluster-token", token]);
        // Without the token it is the old cluster that is meant, and that is not there.
        let (code, message) = refused(&[&["node", "--check"], &options[..]].concat());
        assert_eq!((code, message.contains("belongs to another cluster")), (2, true), "{message}");
        Running::start(&mut command)
    });
    until("the restored cluster takes writes", || {
        (post(port, "/kv", r#"{"key":"ready","value":"1"}"#).status == 200).then_some(())
    });
    (nodes, port)
}

#[test]
fn what_is_no_backup_is_said_to_be_none() {
    let folder = Folder::new("no-backup");
    let file = folder.path().join("a.backup");
    let words = |file: &Path| file.display().to_string();
    fs::write(&file, "x".repeat(512 + 32)).unwrap();
    let (code, message) = refused(&["restore", &words(&file), "--check"]);
    assert_eq!((code, message.contains("is damaged")), (2, true), "{message}");
    let (code, message) = refused(&["backup", &words(&file)]);
    assert_eq!((code, message.contains("exists already")), (2, true), "{message}");
    let (code, message) = refused(&["import", &words(&file), "--", "--system", "queue"]);
    assert_eq!((code, message.contains("leave --system out")), (2, true), "{message}");
    let port = free_ports().to_string();
    let other = words(&folder.path().join("b.backup"));
    let (code, message) = refused(&["backup", &other, "--cluster", &port, "--timeout", "1"]);
    assert_eq!((code, message.contains("cannot be reached")), (3, true), "{message}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing half is left");
}

#[test]
fn where_there_are_passwords_a_backup_needs_one() {
    let _turn = turn();
    let (folder, port) = (Folder::new("backup-auth"), free_ports());
    let _up = Up::start(&folder.path().join("cluster"), port, 1, &[]);
    put(port, "secret", "1");
    for (path, body) in [
        ("/v3/auth/user/add", r#"{"name":"root","password":"pass"}"#),
        ("/v3/auth/role/add", r#"{"name":"root"}"#),
        ("/v3/auth/user/grant", r#"{"user":"root","role":"root"}"#),
        ("/v3/auth/enable", "{}"),
    ] {
        let answer = post(port, path, body);
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let file = folder.path().join("store.backup").display().to_string();
    let port = port.to_string();
    let (code, message) = refused(&["backup", &file, "--cluster", &port]);
    assert_eq!((code, message.contains("--user root:PASSWORD")), (5, true), "{message}");
    done(&["backup", &file, "--cluster", &port, "--user", "root:pass"]);
    let dir = folder.path().join("new").display().to_string();
    let said = done(&["restore", &file, "--", "--dir", &dir]);
    assert!(said.contains("Authentication was on and is off now"), "{said}");
}
