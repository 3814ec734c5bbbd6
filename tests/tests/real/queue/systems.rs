//! A folder and a cluster remember which system they are of.

use super::{SYSTEM, email, put};
use crate::{
    client::Client,
    cluster::{Cluster, Folder, Node, Turn, archipel, free_ports, run_to_end},
};

#[test]
fn a_node_goes_on_only_as_what_it_was() {
    let mut cluster = Cluster::start_with_options("queue-folder", 1, &SYSTEM);
    put(&mut cluster.client(0), &email("x"));
    let node = &mut cluster.nodes[0];
    assert!(node.stop().success());
    let with = node.options.clone();
    node.options.clear();
    run_to_end(node.command()).expect(2, "holds a node of queue, not of kv");
    node.options = with;
    cluster.start_all();
    assert_eq!(cluster.client(0).get("/stats").unwrap().json()["pending"], 1);
}

#[test]
fn a_node_does_not_join_a_cluster_of_another_system() {
    let cluster = Cluster::start_with_options("queue-join", 1, &SYSTEM);
    let mut stranger = Node::new(&cluster.folder.path, "stranger");
    stranger.options = vec!["--join".to_owned(), cluster.nodes[0].address()];
    run_to_end(stranger.command()).expect(2, "The cluster to join runs queue");
}

#[test]
fn up_remembers_its_system_and_gives_each_node_a_port_for_beanstalkd() {
    let folder = Folder::new("queue-up");
    let data = folder.path.join("data").display().to_string();
    let port = free_ports(1, &[0, 1000, 8299]);
    let text = port.to_string();
    let words = ["up", "--nodes", "1", "--dir", &data, "--port", &text];
    let mut command = std::process::Command::new(crate::cluster::program());
    command.args(words).args(["--system", "queue"]).stdout(std::process::Stdio::null());
    let mut up = command.spawn().unwrap();
    let served = crate::cluster::wait_for("a node for clients of beanstalkd", || {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", port + 8299)).ok()?;
        stream.write_all(b"put 0 0 9 1\r\nx\r\n").ok()?;
        let mut reply = [0; 12];
        stream.read_exact(&mut reply).ok()?;
        Some(reply)
    });
    assert_eq!(&served, b"INSERTED 1\r\n");
    assert_eq!(Client::new(port).get("/stats").unwrap().json()["pending"], 1);
    rustix::process::kill_process(
        rustix::process::Pid::from_child(&up),
        rustix::process::Signal::INT,
    )
    .unwrap();
    assert!(up.wait().unwrap().success());
    let words = [&words[..], &["--system", "kv"]].concat();
    archipel(&words).expect(2, "holds a cluster of queue");
    drop(Cluster::new("queue-up-turn", 0, Turn::shared()));
}
