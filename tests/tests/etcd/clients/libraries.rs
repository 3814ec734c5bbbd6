//! Libraries of other languages and people, each in a process of its own. `cargo xtask foreign` prepares them
//! in `target/foreign` and names the folder in `ARCHIPEL_FOREIGN`.

use archipel_tests::is_installed;
use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use crate::servers::{Cluster, Program};

/// What a library's own tests may take.
const PATIENCE_S: &str = "300";

/// Where the library's program is; says what is left out if it is not there.
fn prepared(path: &str) -> Option<PathBuf> {
    let folder = env::var_os("ARCHIPEL_FOREIGN").map(PathBuf::from);
    let path = folder.map(|folder| folder.join(path)).filter(|path| path.exists());
    if path.is_none() {
        eprintln!("Left out: the library is not prepared; `cargo xtask foreign` does it.");
    }
    path
}

/// A cluster of the program under test; nothing if that is not installed.
fn start(count: usize) -> Option<Cluster> {
    let program = Program::under_test();
    (program != Program::Etcd || is_installed("etcd"))
        .then(|| Cluster::start_and_elect(program, count))
}

/// The package's tests look for these names, and stop two of the members to see who reads without them.
fn start_for_etcd3() -> Option<Cluster> {
    let program = Program::under_test();
    if program == Program::Etcd && !is_installed("etcd") {
        return None;
    }
    let names = (0..3).map(|number| format!("pifpaf{number}"));
    let cluster = Cluster::start_named(program, names);
    cluster.wait_until_served();
    Some(cluster)
}

/// Runs a program that must end well.
fn run(command: &mut Command) {
    let output = command.output().unwrap();
    let (stdout, stderr) = (&output.stdout, &output.stderr);
    let said = [stdout.as_slice(), stderr].concat();
    assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&said));
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("foreign/python").join(name)
}

#[test]
fn the_rust_crate_etcd_client() {
    let Some(program) = prepared("rust/release/etcd-client-calls") else { return };
    let Some(cluster) = start(3) else { return };
    run(Command::new(program).args(cluster.addresses()));
}

#[test]
fn the_python_package_etcd3gw() {
    let Some(python) = prepared("python-others/bin/python") else { return };
    let Some(cluster) = start(1) else { return };
    let port = cluster.members[0].client_port.to_string();
    run(Command::new(python).arg(script("etcd3gw_calls.py")).args(["127.0.0.1", &port]));
}

#[test]
fn the_python_package_aetcd() {
    let Some(python) = prepared("python-others/bin/python") else { return };
    let Some(cluster) = start(3) else { return };
    let port = cluster.members[0].client_port.to_string();
    run(Command::new(python).arg(script("aetcd_calls.py")).args(["127.0.0.1", &port]));
}

/// The package's own tests, from its source distribution, but for those that expect a server at etcd's usual
/// port or mock what is no longer there.
#[test]
fn the_python_package_etcd3_by_its_own_tests() {
    let Some(python) = prepared("python-etcd3/bin/python") else { return };
    let Some(sources) = prepared("etcd3-0.12.0") else { return };
    let Some(cluster) = start_for_etcd3() else { return };
    let mut command = Command::new("timeout");
    command
        .args([PATIENCE_S.as_ref(), python.as_os_str()])
        .args(["-m", "pytest", "-q", "-x", "tests/test_etcd3.py"])
        .args(["--deselect", "tests/test_etcd3.py::TestAlarms"])
        .args(["--deselect", "tests/test_etcd3.py::TestClient::test_compact"])
        .args(["--deselect", "tests/test_etcd3.py::TestClient::test_user_pwd_auth"])
        .env("PYTHON_ETCD_HTTP_URL", &cluster.addresses()[0])
        .env("ETCDCTL_API", "3")
        .env("TEST_ETCD_VERSION", "v3.5.21")
        .current_dir(sources);
    run(&mut command);
}
