//! Two transports over real sockets: what arrives, what is refused, what a damaged frame does.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener as SystemListener, TcpStream as SystemStream},
    sync::{Arc, Mutex},
    time::{Duration, Instant as SystemInstant},
};

use kernel::{
    ClusterId, DiskId, GroupId, Incarnation, Index, Instant, Member, Membership, NodeId, Wire,
    Writer,
};
use mio::{Events, Poll, net::TcpListener};

use super::{
    Introduction, KnownPeers, LinkState, Transport, TransportLimits, frame::append, group_payload,
    hello::Greeting,
};
use crate::{clock::Clock, config::Notify, mailbox::lock, metrics::Metrics};

/// A transport with all that drives it.
struct Station {
    transport: Transport,
    poll: Poll,
    clock: Clock,
    address: SocketAddr,
    said: Arc<Mutex<Vec<String>>>,
    received: Vec<(NodeId, Index)>,
    unreachable: Vec<NodeId>,
}

fn introduction(cluster: u128, node: u64, disk: u128) -> Introduction {
    Introduction {
        cluster: ClusterId(cluster),
        node: NodeId(node),
        disk: DiskId(disk),
        incarnation: Incarnation(1),
        address: String::new(),
    }
}

impl Station {
    fn new(mut introduction: Introduction) -> Self {
        let listener = SystemListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        introduction.address = address.to_string();
        let said = Arc::new(Mutex::new(Vec::new()));
        let listening = Arc::clone(&said);
        let notify = Notify::new(move |sentence| lock(&listening).push(String::from(sentence)));
        let poll = Poll::new().unwrap();
        let limits =
            TransportLimits { frame_bytes_max: 1000, queue_bytes_max: 10_000, incoming_max: 4 };
        let transport = Transport::new(
            poll.registry().try_clone().unwrap(),
            TcpListener::from_std(listener),
            introduction,
            KnownPeers::default(),
            limits,
            (Arc::default(), notify, 1),
        )
        .unwrap();
        let clock = Clock::start();
        Self {
            transport,
            poll,
            clock,
            address,
            said,
            received: Vec::new(),
            unreachable: Vec::new(),
        }
    }

    /// Makes `other` a member as node `node`.
    fn meet(&mut self, node: u64, address: SocketAddr) {
        let member = Member { peer_address: address.to_string(), ..Member::default() };
        let membership = Membership::of_voters([(NodeId(node), member)].into());
        self.transport.members(&membership, self.clock.now());
    }

    fn send(&mut self, to: u64, number: u64) {
        self.transport.send(NodeId(to), &Index(number));
    }

    fn step(&mut self) {
        let mut events = Events::with_capacity(16);
        self.poll.poll(&mut events, Some(Duration::from_millis(1))).unwrap();
        let now: Instant = self.clock.now();
        for event in &events {
            self.transport.ready(event, now);
        }
        self.transport.receive(now);
        while let Some(received) = self.transport.next_received() {
            let (group, payload) = group_payload(received.payload).unwrap();
            assert_eq!(group, GroupId(1));
            self.received.push((received.from.node, Index::from_bytes(payload).unwrap()));
        }
        self.unreachable.extend(self.transport.take_unreachable());
        self.transport.flush(now);
        if self.transport.deadline().is_some_and(|deadline| deadline <= now) {
            self.transport.tick(now);
        }
    }

    fn said(&self, words: &str) -> usize {
        lock(&self.said).iter().filter(|sentence| sentence.contains(words)).count()
    }

    fn link(&self) -> LinkState {
        let links = self.transport.links();
        let links = lock(&links);
        links.first().map_or(LinkState::Down, |link| link.state.clone())
    }

    fn metrics(&self) -> &Metrics {
        &self.transport.metrics
    }
}

/// Lets both work until `is_so`.
fn run(one: &mut Station, two: &mut Station, mut is_so: impl FnMut(&Station, &Station) -> bool) {
    let start = SystemInstant::now();
    while !is_so(one, two) {
        assert!(start.elapsed() < Duration::from_secs(10), "in vain; {:?}", lock(&one.said));
        one.step();
        two.step();
    }
}

#[test]
fn messages_arrive_in_order_over_one_connection_for_each_direction() {
    let mut one = Station::new(introduction(1, 1, 11));
    let mut two = Station::new(introduction(1, 2, 22));
    one.meet(2, two.address);
    for number in 0..100 {
        one.send(2, number);
    }
    run(&mut one, &mut two, |_, two| two.received.len() == 100);
    let expected: Vec<_> = (0..100).map(|number| (NodeId(1), Index(number))).collect();
    assert_eq!(two.received, expected);
    // Node 2 knows node 1 from its greeting alone: a node that is being added answers like this.
    two.send(1, 7);
    run(&mut one, &mut two, |one, _| one.received == [(NodeId(2), Index(7))]);
    assert_eq!(one.link(), LinkState::Connected);
}

#[test]
fn another_cluster_is_refused_with_a_reason_on_both_sides_once() {
    let mut one = Station::new(introduction(1, 1, 11));
    let mut two = Station::new(introduction(9, 2, 22));
    one.meet(2, two.address);
    one.send(2, 1);
    run(&mut one, &mut two, |_, two| two.metrics().peers_refused.get() >= 3);
    assert!(matches!(one.link(), LinkState::Refused(reason) if reason.contains("cluster")));
    assert_eq!((one.said("cluster"), two.said("cluster")), (1, 1));
    assert!(two.received.is_empty());
    assert!(one.unreachable.contains(&NodeId(2)));
}

#[test]
fn the_wrong_node_at_an_address_gets_no_messages() {
    let mut one = Station::new(introduction(1, 1, 11));
    let mut two = Station::new(introduction(1, 2, 22));
    one.meet(3, two.address);
    one.send(3, 1);
    run(&mut one, &mut two, |one, _| matches!(one.link(), LinkState::Refused(_)));
    assert!(two.received.is_empty());
}

#[test]
fn a_node_with_another_disk_than_before_is_refused() {
    let mut one = Station::new(introduction(1, 1, 11));
    let mut two = Station::new(introduction(1, 2, 22));
    one.meet(2, two.address);
    one.send(2, 1);
    run(&mut one, &mut two, |_, two| two.received.len() == 1);
    drop(two);
    let mut changed = Station::new(introduction(1, 2, 99));
    one.meet(2, changed.address);
    run(&mut one, &mut changed, |one, _| matches!(one.link(), LinkState::Refused(_)));
    assert_eq!(one.said("another disk"), 1);
}

#[test]
fn a_link_that_broke_is_made_again() {
    let mut one = Station::new(introduction(1, 1, 11));
    let mut two = Station::new(introduction(1, 2, 22));
    one.meet(2, two.address);
    one.send(2, 1);
    run(&mut one, &mut two, |_, two| two.received.len() == 1);
    two.transport.incoming.clear();
    run(&mut one, &mut two, |one, _| one.unreachable.contains(&NodeId(2)));
    run(&mut one, &mut two, |one, _| one.link() == LinkState::Connected);
    one.send(2, 2);
    run(&mut one, &mut two, |_, two| two.received.len() == 2);
}

#[test]
fn what_waits_for_a_silent_peer_is_bounded() {
    let mut one = Station::new(introduction(1, 1, 11));
    let silent = SystemListener::bind("127.0.0.1:0").unwrap();
    one.meet(2, silent.local_addr().unwrap());
    for number in 0..100_000 {
        one.send(2, number);
    }
    assert!(one.metrics().messages_dropped.get() > 99_000);
    assert_eq!(one.transport.take_unreachable().len(), 1);
}

/// Greets `station` as node 5 by hand.
fn greet(station: &mut Station) -> SystemStream {
    let mut stream = SystemStream::connect(station.address).unwrap();
    let greeting =
        Greeting { introduction: introduction(1, 5, 55), to: NodeId(1), refusal: String::new() };
    stream.write_all(&greeting.to_wire()).unwrap();
    for _ in 0..10 {
        station.step();
    }
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut answer = [0; 512];
    let count = stream.read(&mut answer).unwrap();
    let (answer, _) = Greeting::parse(&answer[..count]).unwrap().unwrap();
    assert_eq!((answer.introduction.node, answer.refusal.as_str()), (NodeId(1), ""));
    stream
}

#[test]
fn a_damaged_frame_closes_the_connection_and_counts_for_nothing() {
    let mut one = Station::new(introduction(1, 1, 11));
    let mut stream = greet(&mut one);
    let mut writer = Writer::default();
    append(&mut writer, GroupId(1), &Index(1), 1000);
    append(&mut writer, GroupId(1), &Index(2), 1000);
    let mut frames = writer.into_vec();
    let last = frames.len() - 1;
    frames[last] ^= 1;
    stream.write_all(&frames).unwrap();
    for _ in 0..10 {
        one.step();
    }
    assert_eq!(one.received, [(NodeId(5), Index(1))], "what was whole before it counts");
    assert_eq!(one.metrics().frames_damaged.get(), 1);
    assert_eq!(stream.read(&mut [0; 8]).unwrap_or(0), 0, "the connection is closed");
}

#[test]
fn who_does_not_greet_is_not_heard() {
    let mut one = Station::new(introduction(1, 1, 11));
    let mut stream = SystemStream::connect(one.address).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    for _ in 0..10 {
        one.step();
    }
    assert_eq!(one.said("no greeting"), 1);
    assert!(one.transport.incoming.is_empty());
}
