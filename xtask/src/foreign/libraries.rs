//! The libraries of others, each where the tests look for it, below `target/foreign`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::debian;

/// python-etcd3 is from 2020: these are the versions that it and its tests still work with.
const ETCD3: &[&str] = &[
    "etcd3==0.12.0",
    "protobuf<3.21",
    "tenacity<7",
    "pytest<8",
    "hypothesis<5.40",
    "mock<5",
    "setuptools<70",
];
const ETCD3_SOURCES: &str = "etcd3==0.12.0";
const OTHERS: &[&str] = &["aetcd==1.0.0", "etcd3gw==2.7.0"];
/// Clients of beanstalkd; pystalkd reads pages with PyYAML and does not say so.
const BEANSTALKD: &[&str] = &["greenstalk==2.1.1", "pystalkd==1.3.0", "pyyaml==6.0.4"];

/// Prepares what is not there yet; gives the folder.
///
/// # Errors
/// If a library cannot be had.
pub(super) fn prepare(root: &Path) -> Result<PathBuf, String> {
    let folder = crate::target_folder(root).join("foreign");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    python(&folder.join("python-etcd3"), ETCD3)?;
    python(&folder.join("python-others"), OTHERS)?;
    python(&folder.join("python-beanstalkd"), BEANSTALKD)?;
    sources_of_etcd3(&folder)?;
    rust(root, &folder)?;
    folder.canonicalize().map_err(|error| format!("{}: {error}", folder.display()))
}

/// Debian keeps the module that makes environments apart from Python.
fn require_venv() -> Result<(), String> {
    let mut command = Command::new("python3");
    command.args(["-c", "import ensurepip, venv"]).stdout(Stdio::null()).stderr(Stdio::null());
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        _ => debian::install(&["python3-venv"]),
    }
}

/// An environment with these packages. It is made anew if a try before was cut short.
///
/// # Errors
/// If a package cannot be had.
pub(crate) fn python(folder: &Path, packages: &[&str]) -> Result<(), String> {
    let done = folder.join("complete");
    let wanted = packages.join("\n");
    if fs::read_to_string(&done).is_ok_and(|complete| complete == wanted) {
        return Ok(());
    }
    require_venv()?;
    println!("The Python packages {} are now installed below target.", packages.join(", "));
    succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder))?;
    let mut pip = Command::new(folder.join("bin/pip"));
    succeed(pip.args(["install", "--quiet", "--disable-pip-version-check"]).args(packages))?;
    fs::write(&done, wanted).map_err(|error| format!("{}: {error}", done.display()))
}

/// The source distribution has the package's tests.
fn sources_of_etcd3(folder: &Path) -> Result<(), String> {
    if folder.join("etcd3-0.12.0/tests/test_etcd3.py").exists() {
        return Ok(());
    }
    let mut pip = Command::new(folder.join("python-etcd3/bin/pip"));
    pip.args(["download", "--quiet", "--disable-pip-version-check", "--no-deps"]);
    succeed(pip.args(["--no-binary", ":all:", "--dest"]).arg(folder).arg(ETCD3_SOURCES))?;
    let mut tar = Command::new("python3");
    tar.args(["-m", "tarfile", "--extract", "etcd3-0.12.0.tar.gz"]).current_dir(folder);
    succeed(&mut tar)
}

/// The calls of the crate etcd-client: a package apart from the workspace, since it needs protoc.
fn rust(root: &Path, folder: &Path) -> Result<(), String> {
    let mut cargo = Command::new(crate::cargo_program());
    cargo.args(["build", "--release", "--quiet", "--manifest-path"]);
    cargo.arg(root.join("tests/foreign/rust/Cargo.toml")).arg("--target-dir");
    succeed(cargo.arg(folder.join("rust")))
}

fn succeed(command: &mut Command) -> Result<(), String> {
    let shown = format!("{command:?}");
    let status = command.status().map_err(|error| format!("{shown} did not start: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{shown} ended with {status}")) }
}
