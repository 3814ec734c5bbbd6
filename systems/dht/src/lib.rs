//! A distributed hash table: values and peers found by id, with nobody in charge. It is Kademlia, as
//! BitTorrent's nodes speak it, and real ones take part.
//!
//! ```text
//!   datagram ─▶ bencode ─▶ krpc ─▶ node ─┬─▶ table     whom we know
//!                                        ├─▶ storage   what others keep here
//!                                        └─▶ lookup    who is nearest to an id
//!   ring        the other way to place keys: on a circle, by the first node clockwise
//! ```
//! What it promises:
//!
//! 1. A value is stored on the eight nodes nearest to its id of those that answer, and found from any node.
//! 2. A value under its own hash is that value. A value under a key was signed by whoever has the key, and of two
//!    the one with the higher number stays. What is not so is neither stored nor believed.
//! 3. Who stores something here could be reached where it says it is, within the last ten minutes.
//! 4. A node gets into the table when it has answered, and goes when it has not and somebody waits for its place.
//! 5. Whatever comes, memory is bounded: nodes, values, peers, queries and lookups each have their most.
//! 6. What is malformed is not answered. What is understood and refused is answered with the code of its BEP.
//!
//! A value lives two hours from when it was last put. Who wants it to stay puts it again; a node that leaves in
//! peace hands over what it has, and a newcomer is given what it should have.
#![no_std]

extern crate alloc;

pub mod bencode;
pub mod contact;
pub mod id;
pub mod item;
pub mod krpc;
pub mod lookup;
pub mod node;
pub mod request;
pub mod ring;
pub mod secret;
pub mod storage;
pub mod table;

pub use id::Id;
pub use item::{Item, Seal};
pub use node::{Dht, Scope, Settings, Status};
pub use request::{Outcome, Refused, Request};
