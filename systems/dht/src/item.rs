//! What is stored by id (BEP 44): a value under its own hash, or under a key by whoever holds the key.

use alloc::vec::Vec;

use bytes::Bytes;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use crate::{
    bencode::{self, Raw},
    id::Id,
};

/// The longest value, as bencode, in bytes (BEP 44).
pub const VALUE_BYTES_MAX: usize = 1000;

/// The longest salt, in bytes (BEP 44).
pub const SALT_BYTES_MAX: usize = 64;

/// A value that anybody may store and nobody may change, or one that only the holder of a key may change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The value, one piece of bencode.
    pub value: Bytes,
    /// Who vouches for it; nobody needs to if the id is the value's own hash.
    pub seal: Option<Seal>,
}

/// What makes an item that of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// The public key (Ed25519).
    pub key: [u8; 32],
    /// Tells the values of one key apart; may be empty.
    pub salt: Bytes,
    /// Which of its values this is: a higher number takes the place of a lower one.
    pub sequence: i64,
    /// The signature of [`signed_bytes`].
    pub signature: [u8; 64],
}

impl Item {
    /// A value under its own hash.
    #[must_use]
    pub const fn immutable(value: Bytes) -> Self {
        Self { value, seal: None }
    }

    /// A value under the key that belongs to `secret`, signed.
    #[must_use]
    pub fn signed(secret: &[u8; 32], salt: Bytes, sequence: i64, value: Bytes) -> Self {
        let signer = SigningKey::from_bytes(secret);
        let signature = signer.sign(&signed_bytes(&salt, sequence, &value)).to_bytes();
        let key = signer.verifying_key().to_bytes();
        Self { value, seal: Some(Seal { key, salt, sequence, signature }) }
    }

    /// The id that it is stored under.
    #[must_use]
    pub fn target(&self) -> Id {
        match &self.seal {
            None => Id::hash(&[&self.value]),
            Some(seal) => mutable_target(&seal.key, &seal.salt),
        }
    }

    /// True if value and salt are within their limits, the value is bencode, and the signature, if there has to
    /// be one, is that of the key.
    #[must_use]
    pub fn is_genuine(&self) -> bool {
        self.is_well_formed() && self.seal.as_ref().is_none_or(|seal| seal.vouches_for(&self.value))
    }

    fn is_well_formed(&self) -> bool {
        self.value.len() <= VALUE_BYTES_MAX
            && Raw::parse(&self.value).is_ok()
            && self
                .seal
                .as_ref()
                .is_none_or(|seal| seal.salt.len() <= SALT_BYTES_MAX && seal.sequence >= 0)
    }
}

impl Seal {
    /// True if the signature is that of the key under this value.
    #[must_use]
    pub fn vouches_for(&self, value: &[u8]) -> bool {
        let bytes = signed_bytes(&self.salt, self.sequence, value);
        let signature = Signature::from_bytes(&self.signature);
        // Strict: a weak key, under which one signature fits many values, vouches for nothing.
        VerifyingKey::from_bytes(&self.key)
            .is_ok_and(|key| key.verify_strict(&bytes, &signature).is_ok())
    }
}

/// The public key of a secret one.
#[must_use]
pub fn public_key(secret: &[u8; 32]) -> [u8; 32] {
    SigningKey::from_bytes(secret).verifying_key().to_bytes()
}

/// The id under which a key's value with this salt is stored.
#[must_use]
pub fn mutable_target(key: &[u8; 32], salt: &[u8]) -> Id {
    Id::hash(&[key, salt])
}

/// What is signed: salt if there is one, sequence number and value, as they would stand in a dictionary, without
/// the dictionary (BEP 44).
#[must_use]
pub fn signed_bytes(salt: &[u8], sequence: i64, value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(value.len() + salt.len() + 40);
    if !salt.is_empty() {
        bencode::string(&mut bytes, b"salt");
        bencode::string(&mut bytes, salt);
    }
    bencode::string(&mut bytes, b"seq");
    bencode::integer(&mut bytes, sequence);
    bencode::string(&mut bytes, b"v");
    bytes.extend_from_slice(value);
    bytes
}

#[cfg(test)]
mod tests {
    use alloc::{string::ToString, vec::Vec};

    use bytes::Bytes;

    use super::{Item, Seal, signed_bytes};

    const VALUE: &[u8] = b"12:Hello World!";

    fn hex<const BYTES: usize>(text: &str) -> [u8; BYTES] {
        let byte = |place| u8::from_str_radix(&text[place * 2..place * 2 + 2], 16).unwrap();
        (0..BYTES).map(byte).collect::<Vec<u8>>().try_into().unwrap()
    }

    /// The key of all vectors of BEP 44.
    fn key() -> [u8; 32] {
        hex("77ff84905a91936367c01360803104f92432fcd904a43511876df5cdf3e7e548")
    }

    fn vector(salt: &'static [u8], signature: &str) -> Item {
        let (salt, signature) = (Bytes::from_static(salt), hex(signature));
        let seal = Seal { key: key(), salt, sequence: 1, signature };
        Item { value: Bytes::from_static(VALUE), seal: Some(seal) }
    }

    const PLAIN: &str = "305ac8aeb6c9c151fa120f120ea2cfb923564e11552d06a5d856091e5e853cff\
                         1260d3f39e4999684aa92eb73ffd136e6f4f3ecbfda0ce53a1608ecd7ae21f01";
    const SALTED: &str = "6834284b6b24c3204eb2fea824d82f88883a3d95e8b4a21b8c0ded553d17d17d\
                          df9a8a7104b1258f30bed3787e6cb896fca78c58f8e03b5f18f14951a87d9a08";

    #[test]
    fn the_vectors_of_bep_44_are_genuine_and_have_their_targets() {
        assert_eq!(signed_bytes(b"", 1, VALUE), b"3:seqi1e1:v12:Hello World!");
        assert_eq!(signed_bytes(b"foobar", 1, VALUE), b"4:salt6:foobar3:seqi1e1:v12:Hello World!");
        let (plain, salted) = (vector(b"", PLAIN), vector(b"foobar", SALTED));
        assert!(plain.is_genuine() && salted.is_genuine());
        assert_eq!(plain.target().to_string(), "4a533d47ec9c7d95b1ad75f576cffc641853b750");
        assert_eq!(salted.target().to_string(), "411eba73b6f087ca51a3795d9c8c938d365e32c1");
        let immutable = Item::immutable(Bytes::from_static(VALUE));
        assert_eq!(immutable.target().to_string(), "e5f96f6f38320f0f33959cb4d3d656452117aadb");
    }

    #[test]
    fn a_signature_holds_for_its_salt_its_sequence_and_its_value_only() {
        assert!(!vector(b"foobar", PLAIN).is_genuine());
        let secret = [3; 32];
        let item = Item::signed(&secret, Bytes::new(), 5, Bytes::from_static(b"i1e"));
        assert!(item.is_genuine());
        let mut other = item.clone();
        other.value = Bytes::from_static(b"i2e");
        assert!(!other.is_genuine());
        let mut other = item;
        other.seal.as_mut().unwrap().sequence = 6;
        assert!(!other.is_genuine());
    }
}
