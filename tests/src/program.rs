//! The program under test: the binary `archipel` of the profile that these tests were built with.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// Where the binary is; built first if it is missing or old. `ARCHIPEL_PROGRAM` names another one.
///
/// # Panics
/// If it cannot be built.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let named = env::var_os("ARCHIPEL_PROGRAM").map(PathBuf::from);
        named.unwrap_or_else(build)
    })
}

/// Cargo does nothing if the binary is up to date, which is known only to Cargo.
fn build() -> PathBuf {
    let own = env::current_exe().expect("a test knows where it is");
    let folder = own.parent().and_then(Path::parent).expect("tests are in deps, below the profile");
    let target = folder.parent().expect("a profile's folder is in the target folder");
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        // The folder of both dev and test; what Cargo has built for `cargo test` is of the latter.
        Some("debug") | None => "test",
        Some(other) => other,
    };
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--quiet", "--package", "archipel", "--profile", profile])
        .arg("--target-dir")
        .arg(target)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .status()
        .expect("Cargo runs, since it started these tests");
    assert!(status.success(), "the binary `archipel` could not be built");
    let program = folder.join(format!("archipel{}", env::consts::EXE_SUFFIX));
    assert!(program.exists(), "there is no binary {}", program.display());
    program
}
