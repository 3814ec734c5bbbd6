//! From the proto files to Rust: messages, services, and their JSON. Needs no `protoc`.

use std::{env, error::Error, fs, path::Path};

use prost::Message;

/// Everything else is imported by these.
const SERVICES: &[&str] = &[
    "kv.proto",
    "watch.proto",
    "lease.proto",
    "cluster.proto",
    "maintenance.proto",
    "auth.proto",
    "lock.proto",
    "election.proto",
    "health.proto",
];
/// The packages whose messages have JSON. Health is asked by gRPC alone.
const WITH_JSON: &[&str] = &[".etcdserverpb", ".mvccpb", ".authpb", ".v3lockpb", ".v3electionpb"];
/// What the generators make of `peerURLs` and `clientURLs`, and what a person would.
const RENAMED: &[(&str, &str)] = &[("peer_ur_ls", "peer_urls"), ("client_ur_ls", "client_urls")];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let files = protox::compile(SERVICES, ["proto"])?;
    pbjson_build::Builder::new()
        .register_descriptors(&files.encode_to_vec())?
        .preserve_proto_field_names()
        .ignore_unknown_fields()
        .build(WITH_JSON)?;
    tonic_prost_build::configure().build_transport(false).bytes(".").compile_fds(files)?;
    rename(Path::new(&env::var("OUT_DIR")?))?;
    Ok(())
}

/// Gives fields their names in Rust. The names in JSON are strings of their own and stay.
fn rename(folder: &Path) -> Result<(), Box<dyn Error>> {
    for name in ["etcdserverpb.rs", "etcdserverpb.serde.rs"] {
        let path = folder.join(name);
        let text = fs::read_to_string(&path)?;
        let renamed = RENAMED.iter().fold(text, |text, (from, to)| text.replace(from, to));
        fs::write(&path, renamed)?;
    }
    Ok(())
}
