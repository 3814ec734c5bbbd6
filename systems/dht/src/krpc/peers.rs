//! The peers in a reply.

use kernel::Endpoint;

use crate::{bencode::List, contact::endpoint_of};

/// The peers in a list of strings of six bytes; others are passed over.
#[derive(Clone, Copy, Debug)]
pub struct Peers<'a>(pub List<'a>);

impl Iterator for Peers<'_> {
    type Item = Endpoint;

    fn next(&mut self) -> Option<Endpoint> {
        self.0.find_map(|item| item.as_string().and_then(endpoint_of))
    }
}
