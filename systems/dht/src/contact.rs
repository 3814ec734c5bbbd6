//! A node somewhere: its id and where it is.

use kernel::Endpoint;

use crate::id::Id;

/// A node's id and address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Contact {
    /// Its id.
    pub id: Id,
    /// Where it is.
    pub endpoint: Endpoint,
}

/// The bytes of a contact: id, address, port, all as on the network (BEP 5).
pub const CONTACT_BYTES: usize = 26;

impl Contact {
    /// The compact node info of BEP 5.
    #[must_use]
    pub fn to_bytes(self) -> [u8; CONTACT_BYTES] {
        let mut bytes = [0; CONTACT_BYTES];
        bytes[..20].copy_from_slice(&self.id.0);
        bytes[20..].copy_from_slice(&endpoint_bytes(self.endpoint));
        bytes
    }

    /// For tests: a contact of its own for each number.
    #[cfg(test)]
    pub(crate) fn of_number(number: u64) -> Self {
        let [.., a, b, c] = number.to_be_bytes();
        Self {
            id: Id::hash(&[&number.to_be_bytes()]),
            endpoint: Endpoint { ip: [127, a, b, c], port: 7 },
        }
    }

    /// All contacts in a compact list; what is left over at the end is nobody.
    pub fn list(bytes: &[u8]) -> impl Iterator<Item = Self> {
        bytes.chunks_exact(CONTACT_BYTES).map(|chunk| {
            let (id, endpoint) = chunk.split_at(20);
            Self {
                id: Id(id.try_into().expect("an id has 20 bytes")),
                endpoint: endpoint_of(endpoint).expect("an address has 6 bytes"),
            }
        })
    }
}

/// The compact peer info of BEP 5.
#[must_use]
pub fn endpoint_bytes(endpoint: Endpoint) -> [u8; 6] {
    let [a, b, c, d] = endpoint.ip;
    let [high, low] = endpoint.port.to_be_bytes();
    [a, b, c, d, high, low]
}

/// The endpoint that six bytes are.
#[must_use]
pub fn endpoint_of(bytes: &[u8]) -> Option<Endpoint> {
    let &[a, b, c, d, high, low] = bytes else {
        return None;
    };
    Some(Endpoint { ip: [a, b, c, d], port: u16::from_be_bytes([high, low]) })
}
