//! From the options to who the node is, where it listens and how it begins.

use std::{collections::BTreeMap, net::IpAddr, path::PathBuf};

use host::Begin;
use kernel::{ClusterId, DiskId, Member, Membership, NodeId};
use serve::System;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use super::{
    options::{CLUSTER_TOKEN, NodeOptions, PEER_PORT_OFFSET},
    peer::Peer,
};
use crate::{
    exit::{Failure, Outcome},
    system,
};

/// Where a node listens and where others reach it.
#[derive(Clone, Debug)]
pub(crate) struct Addresses {
    /// `host:port` to listen on for clients.
    pub(crate) client_listen: String,
    /// `host:port` at which clients reach it.
    pub(crate) client: String,
    /// `host:port` to listen on for other nodes.
    pub(crate) peer_listen: String,
    /// `host:port` at which other nodes reach it.
    pub(crate) peer: String,
}

/// Who a node is and how it begins.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Its id.
    pub(crate) node: NodeId,
    /// What to do with its folder.
    pub(crate) begin: Begin,
}

/// The data folder.
pub(crate) fn folder(options: &NodeOptions) -> PathBuf {
    options.dir.clone().unwrap_or_else(|| PathBuf::from(format!("archipel-{}", options.name)))
}

/// Where the node listens and is reached.
pub(crate) fn addresses(options: &NodeOptions) -> Outcome<Addresses> {
    let peer_port = match options.peer_port {
        Some(port) => port,
        None => options.port.checked_add(PEER_PORT_OFFSET).ok_or_else(|| {
            Failure::usage(format!(
                "The port for other nodes would be {} + {PEER_PORT_OFFSET}, over 65535; choose one \
                 with --peer-port.",
                options.port
            ))
        })?,
    };
    let is_course_style = options.peers.iter().any(|peer| peer.is_short);
    let default_host = match own_entry(options) {
        Some(own) => own.host.as_str(),
        None if is_course_style => options.name.as_str(),
        None => "127.0.0.1",
    };
    let host = options.host.as_deref().unwrap_or(default_host);
    let listen = options.listen.unwrap_or_else(|| listen_for(host));
    let listen = if listen.is_ipv6() { format!("[{listen}]") } else { listen.to_string() };
    Ok(Addresses {
        client_listen: format!("{listen}:{}", options.port),
        client: format!("{host}:{}", options.port),
        peer_listen: format!("{listen}:{peer_port}"),
        peer: format!("{host}:{peer_port}"),
    })
}

/// What the list of first members says of the node itself: one list may serve all of them.
fn own_entry(options: &NodeOptions) -> Option<&Peer> {
    options.peers.iter().find(|peer| peer.name == options.name)
}

/// The first members besides the node itself.
fn others(options: &NodeOptions) -> impl Iterator<Item = &Peer> {
    options.peers.iter().filter(|peer| peer.name != options.name)
}

fn listen_for(host: &str) -> IpAddr {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    match address {
        Ok(address) if address.is_loopback() => address,
        _ if host == "localhost" => IpAddr::from([127, 0, 0, 1]),
        Ok(address) if address.is_ipv6() => IpAddr::from([0u16; 8]),
        _ => IpAddr::from([0, 0, 0, 0]),
    }
}

/// Checks what clap cannot: how options fit together.
pub(crate) fn check(options: &NodeOptions) -> Outcome<()> {
    if options.election_min_ms > options.election_max_ms {
        return Err(Failure::usage("--election-min-ms is above --election-max-ms."));
    }
    if options.heartbeat_ms >= options.election_min_ms {
        return Err(Failure::usage(
            "--heartbeat-ms must be below --election-min-ms, best by a factor of three or more: \
             otherwise followers call elections although the leader is well.",
        ));
    }
    check_names(options)?;
    check_system(options)?;
    if options.name.is_empty() {
        return Err(Failure::usage("The node's name is empty; give it one with --name."));
    }
    Ok(())
}

/// A list that names the node itself must mean it: another port is another node.
fn check_names(options: &NodeOptions) -> Outcome<()> {
    let mut names: Vec<&str> = options.peers.iter().map(|peer| peer.name.as_str()).collect();
    names.sort_unstable();
    let twice = names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0]);
    let stranger = own_entry(options).filter(|own| own.client_port != options.port);
    if let Some(name) = twice.or_else(|| stranger.map(|own| own.name.as_str())) {
        return Err(Failure::usage(format!(
            "Two members are called {name:?}. Give each a name of its own, name=host:port. If the list of \
             --peers names the node itself, it must be with the node's own port."
        )));
    }
    let peer_port =
        options.peer_port.unwrap_or_else(|| options.port.saturating_add(PEER_PORT_OFFSET));
    if own_entry(options).is_some_and(|own| own.peer_port != peer_port) {
        return Err(Failure::usage(format!(
            "The list of --peers names the node itself with another port for other nodes than {peer_port}: \
             write /{peer_port} behind its port, or choose the port with --peer-port."
        )));
    }
    Ok(())
}

/// Some options are of one system only.
fn check_system(options: &NodeOptions) -> Outcome<()> {
    let stranger = match options.system {
        System::Kv if options.beanstalkd_address.is_some() => "--beanstalkd-address",
        System::Queue if options.import.is_some() => "--import",
        System::Queue if options.quota_mib.is_some() => "--quota-mib",
        System::Kv | System::Queue => return Ok(()),
    };
    let system = options.system;
    Err(Failure::usage(format!(
        "A node of {system} knows no {stranger}; leave it out, or choose --system."
    )))
}

/// How a node goes on if `lives` is who lives in its folder, or else begins as a first member.
pub(crate) fn first_member(
    options: &NodeOptions,
    addresses: &Addresses,
    lives: Option<&host::FolderIdentity>,
) -> Outcome<Plan> {
    let cluster = cluster_id(options);
    if let Some(lives) = lives {
        return going_on(options, lives, cluster);
    }
    let mut members = BTreeMap::new();
    let own = member(&options.name, &addresses.peer, &addresses.client);
    members.insert(node_id(cluster, &options.name), own);
    for peer in others(options) {
        let peer_address = format!("{}:{}", peer.host, peer.peer_port);
        let client_address = format!("{}:{}", peer.host, peer.client_port);
        let id = node_id(cluster, &peer.name);
        members.insert(id, member(&peer.name, &peer_address, &client_address));
    }
    let membership = Membership::of_voters(members);
    let begin = Begin::Bootstrap { cluster, membership };
    Ok(Plan { node: node_id(cluster, &options.name), begin })
}

/// A folder knows who lives in it; what the options say of that must not contradict it.
fn going_on(
    options: &NodeOptions,
    lives: &host::FolderIdentity,
    cluster: ClusterId,
) -> Outcome<Plan> {
    let folder = folder(options);
    if lives.name != options.name {
        return Err(Failure::usage(format!(
            "The data folder {} belongs to {}, not to {}. Choose another folder with --dir, or start \
             the node with --name {}.",
            folder.display(),
            lives.name,
            options.name,
            lives.name
        )));
    }
    let has = system::of_folder(lives)?;
    if has != options.system {
        return Err(Failure::usage(format!(
            "The data folder {} holds a node of {has}, not of {}. Start it with --system {has}, or choose another \
             folder with --dir.",
            folder.display(),
            options.system
        )));
    }
    let says_which = !options.peers.is_empty() || options.cluster_token != CLUSTER_TOKEN;
    if says_which && options.join.is_empty() && lives.cluster != cluster {
        return Err(Failure::usage(format!(
            "The data folder {} belongs to another cluster than these options describe. Choose \
             another folder with --dir. If it is the right one, start the node with the --peers and \
             the --cluster-token of its first start, or with neither: members that come and go \
             later are changed with `archipel member`.",
            folder.display()
        )));
    }
    Ok(Plan { node: lives.node, begin: Begin::Resume })
}

/// How a node without data that joins the running cluster `cluster` begins.
pub(crate) fn joiner(cluster: ClusterId) -> Plan {
    // Chance, not the name: a node that comes back without its data is another one.
    Plan { node: NodeId(host::draw_u64().max(1)), begin: Begin::Join { cluster } }
}

/// The cluster's id: the same on all first members, since it comes from what they all are told.
fn cluster_id(options: &NodeOptions) -> ClusterId {
    let mut names: Vec<&str> = others(options).map(|peer| peer.name.as_str()).collect();
    names.push(&options.name);
    names.sort_unstable();
    // Nodes of different systems are strangers to each other, whatever they are called.
    let kind = match options.system {
        System::Kv => "cluster",
        System::Queue => "cluster of queue",
    };
    let text = format!("{kind}\0{}\0{}", options.cluster_token, names.join("\0"));
    ClusterId(xxh3_128(text.as_bytes()))
}

/// The id of a first member.
fn node_id(cluster: ClusterId, name: &str) -> NodeId {
    NodeId(xxh3_64(format!("node\0{cluster}\0{name}").as_bytes()).max(1))
}

fn member(name: &str, peer_address: &str, client_address: &str) -> Member {
    Member {
        name: name.to_owned(),
        peer_address: peer_address.to_owned(),
        client_address: client_address.to_owned(),
        disk: DiskId(0),
    }
}

#[cfg(test)]
mod tests {
    use super::{addresses, check, first_member};
    use crate::{arguments::Arguments, arguments::Command, node::NodeOptions};
    use clap::Parser;
    use host::Begin;

    fn options(words: &str) -> NodeOptions {
        let words = ["archipel", "node"].into_iter().chain(words.split_whitespace());
        match Arguments::parse_from(words).command {
            Command::Node(options) => *options,
            _ => panic!("the command is node"),
        }
    }

    fn bootstrap(words: &str) -> Begin {
        let options = options(words);
        first_member(&options, &addresses(&options).unwrap(), None).unwrap().begin
    }

    #[test]
    fn all_first_members_agree_on_the_cluster_and_on_each_other() {
        let one = bootstrap("--name node1 --port 3000 --peers node2:3000,node3:3000");
        let two = bootstrap("--name node2 --port 3000 --peers node3:3000,node1:3000");
        let (
            Begin::Bootstrap { cluster, membership },
            Begin::Bootstrap { cluster: c, membership: m },
        ) = (one, two)
        else {
            panic!("both bootstrap");
        };
        assert_eq!((cluster, membership), (c, m));
    }

    #[test]
    fn another_token_or_other_members_are_another_cluster() {
        let cluster = |words| bootstrap(words).cluster();
        let usual = cluster("--name a --peers b:1");
        assert_ne!(usual, cluster("--name a --peers b:1 --cluster-token mine"));
        assert_ne!(usual, cluster("--name a --peers b:1,c:1"));
        assert_ne!(usual, cluster("--name a --peers b:1 --system queue"));
    }

    #[test]
    fn the_port_for_other_nodes_is_a_thousand_above() {
        let addresses = addresses(&options("--port 3001")).unwrap();
        assert_eq!(addresses.client_listen, "127.0.0.1:3001");
        assert_eq!(addresses.peer, "127.0.0.1:4001");
    }

    #[test]
    fn a_host_with_a_name_is_listened_for_everywhere() {
        let addresses = addresses(&options("--name node1 --peers node2:3000")).unwrap();
        assert_eq!(addresses.client_listen, "0.0.0.0:3000");
        assert_eq!(addresses.client, "node1:3000");
    }

    #[test]
    fn one_list_serves_all_first_members() {
        let list = "--peers a=one:3000,b=two:3000,c=three:3000";
        let of = |name: &str| bootstrap(&format!("--name {name} {list}"));
        let (Begin::Bootstrap { membership: a, .. }, Begin::Bootstrap { membership: b, .. }) =
            (of("a"), of("b"))
        else {
            panic!("both bootstrap");
        };
        assert_eq!((&a, a.members.len()), (&b, 3));
        let own = bootstrap("--name a --host one --peers b=two:3000,c=three:3000");
        assert_eq!(own.cluster(), of("a").cluster());
        assert_eq!(addresses(&options(&format!("--name b {list}"))).unwrap().peer, "two:4000");
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        for wrong in [
            "--heartbeat-ms 200",
            "--election-min-ms 400",
            "--name a --peers a:1",
            "--peers localhost:3002,localhost:3003",
            "--name a --peers a:3000/9,b:3000",
            "--beanstalkd-address 127.0.0.1:11300",
            "--system queue --import backup.db",
            "--system queue --quota-mib 8",
        ] {
            assert!(check(&options(wrong)).is_err(), "{wrong}");
        }
    }
}
