//! Libraries of other people, each in a process of its own. `cargo xtask foreign` prepares them in `target/foreign`
//! and names the folder in `ARCHIPEL_FOREIGN`.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use crate::servers::Server;

/// The Python that has the libraries; says what is left out if it is not there.
fn python() -> Option<PathBuf> {
    let folder = env::var_os("ARCHIPEL_FOREIGN").map(PathBuf::from);
    let path = folder.map(|folder| folder.join("python-beanstalkd/bin/python"));
    let path = path.filter(|path| path.exists());
    if path.is_none() {
        eprintln!("Left out: the library is not prepared; `cargo xtask foreign` does it.");
    }
    path
}

/// Runs a script of calls against a cluster of three; it is given the ports of all nodes.
fn run(name: &str) {
    let Some(python) = python() else { return };
    let server = Server::archipel(3);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("foreign/python").join(name);
    let mut command = Command::new(python);
    command.arg(script).args(server.ports.iter().map(u16::to_string));
    let output = command.output().unwrap();
    let said = [output.stdout.as_slice(), &output.stderr].concat();
    assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&said));
}

#[test]
fn the_python_package_greenstalk() {
    run("greenstalk_calls.py");
}

#[test]
fn the_python_package_pystalkd() {
    run("pystalkd_calls.py");
}
