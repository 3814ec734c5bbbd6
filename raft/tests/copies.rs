//! What a copy of a replica costs on the thread that runs it, and what keeping an input costs.
//!
//! ```text
//! cargo test --release -p archipel-raft --test copies -- --nocapture        prints the figures
//! ```

use std::{
    collections::BTreeMap,
    hint::black_box,
    time::{Duration, Instant as SystemInstant},
};

use archipel_raft::{Boot, Config, Raft, Request};
use kernel::{
    Bytes, Effect, EntryId, HardState, Image, Incarnation, Index, Input, Instant, Member,
    Membership, Node, NodeId, Peer, Stamp, Ticket, Wire, Writer,
};

/// As a small command of the store.
const COMMAND_BYTES: usize = 48;

/// The only member of its group, leading, and whoever carries out what it wants, at once.
struct Leader {
    raft: Raft,
    now: Instant,
    tickets: u64,
}

impl Leader {
    fn elected() -> Self {
        let me = Peer { node: NodeId(1), incarnation: Incarnation(1) };
        let membership = Membership::of_voters(BTreeMap::from([(me.node, Member::default())]));
        let boot = Boot {
            me,
            seed: 1,
            hard: HardState::default(),
            base: EntryId::default(),
            base_stamp: Stamp(0),
            membership,
            entries: Vec::new(),
            applied: Index(0),
            uncertain_until: None,
        };
        let raft = Raft::new(Config::default(), boot, Instant(0));
        let mut leader = Self { raft, now: Instant(0), tickets: 0 };
        leader.now = Instant(1_000_000_000);
        leader.give(Input::Timeout);
        leader
    }

    fn write(&mut self) -> Input<archipel_raft::Message, Request> {
        self.tickets += 1;
        let data = Bytes::from(vec![7; COMMAND_BYTES]);
        let request = Request::Command { data, session: None };
        Input::Request { ticket: Ticket(self.tickets), request, wall_ms: 0 }
    }

    /// Gives an input, and then what comes of its effects, until nothing does.
    fn give(&mut self, input: Input<archipel_raft::Message, Request>) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let mut effects = Vec::new();
            self.raft.handle(self.now, input, &mut effects);
            for effect in effects {
                match effect {
                    Effect::Persist { number, .. } => {
                        inputs.push(Input::Durable { through: number });
                    }
                    Effect::Apply { entries } => {
                        let index = entries.last().expect("something is applied").index();
                        let durable = Index(0);
                        inputs.push(Input::Applied { index, durable, next_deadline: None });
                    }
                    _ => {}
                }
            }
            if inputs.is_empty() && self.raft.deadline().is_some_and(|at| at <= self.now) {
                inputs.push(Input::Timeout);
            }
        }
    }
}

/// The shortest of many times: what it costs when nothing else wants the processor.
fn shortest(mut body: impl FnMut()) -> Duration {
    let times = (0..50).map(|_| {
        let start = SystemInstant::now();
        body();
        start.elapsed()
    });
    times.min().expect("there are some")
}

#[test]
fn a_copy_of_a_replica_with_a_full_cache_takes_less_than_a_millisecond() {
    let mut leader = Leader::elected();
    let config = Config::default();
    let entries = config.cache_bytes / (COMMAND_BYTES as u64 + 60);
    for _ in 0..entries {
        // As many a second as a busy leader takes: the tickets of three seconds wait for their end.
        leader.now = leader.now.after(Duration::from_micros(50));
        let input = leader.write();
        leader.give(input);
    }
    let status = leader.raft.status();
    assert!(status.last.0 > entries && status.applied == status.last, "{status:?}");
    let raft = &leader.raft;
    let image = raft.image();
    assert!(image.len() as u64 > config.cache_bytes, "the cache is full");
    let copy = shortest(|| drop(black_box(raft.clone())));
    println!("a copy with {} entries, {} bytes: {copy:?}", status.last, image.len());
    println!("its image as bytes: {:?}", shortest(|| drop(black_box(raft.image()))));
    assert!(copy < Duration::from_millis(1), "{copy:?}");
}

#[test]
fn an_input_is_kept_in_less_than_ten_microseconds() {
    let mut leader = Leader::elected();
    let input = leader.write();
    let mut writer = Writer::with_capacity(1 << 20);
    let thousand = shortest(|| {
        writer.clear();
        (0..1000).for_each(|_| black_box(&input).encode(&mut writer));
    });
    println!("a small write: {} bytes, {:?}", writer.len() / 1000, thousand / 1000);
    assert!(thousand < Duration::from_millis(10), "{thousand:?}");
}
