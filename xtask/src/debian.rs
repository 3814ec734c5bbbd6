//! Programs of others, from Debian.

use std::process::{Command, Stdio};

/// Packages that start a service, and its name.
const SERVICES: [(&str, &str); 3] =
    [("etcd-server", "etcd"), ("beanstalkd", "beanstalkd"), ("redis-server", "redis-server")];

/// Has packages installed that are missing, and says so.
///
/// # Errors
/// If they are missing and cannot be installed.
pub(crate) fn install(packages: &[&str]) -> Result<(), String> {
    let missing: Vec<&str> = packages.iter().copied().filter(|one| !is_installed(one)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    println!("Debian's {names} is missing and is now installed, which needs root.");
    let by_hand = format!("install {names} by hand, on Debian with `apt-get install {names}`");
    apt(&["update"]).map_err(|error| format!("{error}; {by_hand}"))?;
    let words = [&["install", "--yes", "--no-install-recommends"], missing.as_slice()].concat();
    apt(&words).map_err(|error| format!("{error}; {by_hand}"))?;
    for (package, service) in SERVICES {
        if missing.contains(&package) {
            stop_service(service);
        }
    }
    Ok(())
}

/// A package that starts a server of its own where there is systemd. Tests start theirs.
fn stop_service(service: &str) {
    let mut command = Command::new("systemctl");
    command.args(["disable", "--now", service]).stdout(Stdio::null()).stderr(Stdio::null());
    // Without systemd nothing was started.
    if command.status().is_ok_and(|status| status.success()) {
        println!(
            "The service {service}, which its package starts, is stopped: tests start their own."
        );
    }
}

fn is_installed(package: &str) -> bool {
    let mut command = Command::new("dpkg-query");
    command.args(["--show", "--showformat=${Status}", package]);
    command.output().is_ok_and(|said| said.stdout.ends_with(b"ok installed"))
}

fn apt(words: &[&str]) -> Result<(), String> {
    let shown = format!("apt-get {}", words.join(" "));
    let mut command = Command::new("apt-get");
    command.args(words).env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null());
    let status = command.status().map_err(|error| format!("`{shown}` did not start ({error})"))?;
    if status.success() { Ok(()) } else { Err(format!("`{shown}` ended with {status}")) }
}
