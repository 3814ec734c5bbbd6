//! A replica goes on from an image of itself as if nothing had happened: whole worlds in which every
//! node is replaced by what its image says, again and again, are the same worlds, event by event.

use kernel::{Bytes, Effects, Image, Input, Instant, Node, NodeId, Reading, Rng, Session};
use sim::{Asked, Boot, Composition, MembershipChange, RegisterCall, Registers, Settings, run};
use worlds::RaftWithKv;

type Replica = <RaftWithKv as Composition>::Node;
type Message = <Replica as Node>::Message;
type Request = <Replica as Node>::Request;

/// How many seeds are run both ways.
const SEEDS: u64 = 12;

/// The effects of how many inputs after each image are compared letter by letter.
const COMPARED: u64 = 5;

/// Replicas that are replaced by their images.
struct Imaged {
    plain: RaftWithKv,
    /// After how many inputs.
    every: u64,
}

/// A replica, and beside it one that was made from its image a while ago.
struct Twins {
    replica: Replica,
    twin: Replica,
    inputs: u64,
    every: u64,
}

impl Twins {
    fn replace(&mut self) {
        let image = self.replica.image();
        assert!(self.twin.image() == image, "twins that were given the same are the same");
        let read = || Replica::from_image(image.clone()).expect("an image of this build");
        (self.replica, self.twin) = (read(), read());
        assert!(self.replica.image() == image, "an image of an image is the same");
    }
}

impl Node for Twins {
    type Message = Message;
    type Request = Request;
    type Status = <Replica as Node>::Status;

    fn handle(
        &mut self,
        now: Instant,
        input: Input<Message, Request>,
        effects: &mut Effects<Message>,
    ) {
        let since = self.inputs % self.every;
        self.inputs += 1;
        if since == 0 {
            self.replace();
        }
        let mut of_twin = Vec::new();
        self.twin.handle(now, input.clone(), &mut of_twin);
        let first = effects.len();
        self.replica.handle(now, input, effects);
        // Later ones show in the next image, and in the events of the world.
        if since < COMPARED {
            assert_eq!(format!("{:?}", &effects[first..]), format!("{of_twin:?}"));
        }
        assert_eq!(self.replica.deadline(), self.twin.deadline());
    }

    fn deadline(&self) -> Option<Instant> {
        self.replica.deadline()
    }

    fn status(&self) -> Self::Status {
        self.replica.status()
    }

    fn check(&self) {
        self.replica.check();
    }
}

impl Composition for Imaged {
    type Node = Twins;
    type Machine = <RaftWithKv as Composition>::Machine;
    type Workload = Registers;

    fn machine(&self) -> Self::Machine {
        self.plain.machine()
    }

    fn boot(&self, boot: Boot) -> Twins {
        let replica = self.plain.boot(boot);
        let twin = replica.clone();
        Twins { replica, twin, inputs: 0, every: self.every }
    }

    fn workload(&self, settings: &Settings) -> Registers {
        self.plain.workload(settings)
    }

    fn ask(&self, call: &RegisterCall, session: Option<Session>) -> Asked<Request> {
        self.plain.ask(call, session)
    }

    fn answer(&self, call: &RegisterCall, answer: Bytes) -> Result<check::Answer, String> {
        self.plain.answer(call, answer)
    }

    fn aside(&self, rng: &mut Rng) -> Option<Request> {
        self.plain.aside(rng)
    }

    fn watch(&mut self, node: NodeId, reading: &Reading) -> Result<(), String> {
        self.plain.watch(node, reading)
    }

    fn change(&self, change: &MembershipChange) -> Request {
        self.plain.change(change)
    }

    fn transfer(&self, to: Option<NodeId>) -> Request {
        self.plain.transfer(to)
    }
}

#[test]
fn a_world_of_images_is_the_same_world() {
    let mut snapshots = 0;
    for seed in 0..SEEDS {
        let every = [10, 50, 250][usize::try_from(seed % 3).expect("small")];
        let imaged = Imaged { plain: RaftWithKv::draw(seed), every };
        let expected = run(RaftWithKv::draw(seed), Settings::draw(seed), None).expect("no finding");
        let found = run(imaged, Settings::draw(seed), None).expect("no finding");
        assert_eq!(found, expected, "seed {seed}, an image every {every} inputs");
        snapshots += found.counters.snapshots;
    }
    assert!(snapshots > 0, "the seeds go far");
}
