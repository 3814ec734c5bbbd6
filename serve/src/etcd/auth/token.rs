//! Tokens: what a client carries to be known by.
//!
//! ```text
//! user, percent-encoded . auth revision . seconds of the time of day when it ends . HMAC-SHA-256, hexadecimal
//! ```
//! Nobody remembers a token. Every member can tell a true one, by the key that lies in the tables since
//! authentication was turned on. It ends with its time, and when users or roles change: the client then
//! says again who it is. A request or a stream that was begun in time may take longer.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use ::kv::{Caller, auth::Standing};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::percent;

/// How long a token is good for, as etcd's simple ones are.
const LIFE: Duration = Duration::from_secs(300);

/// What came with a request as a token, and when.
#[derive(Clone, Debug)]
pub(in crate::etcd) struct Token {
    text: Arc<str>,
    came: u64,
}

impl Token {
    /// Of a request that comes now.
    pub(super) fn come(text: &str) -> Self {
        Self { text: Arc::from(text), came: seconds_of_day() }
    }

    /// Whom it makes known; nothing if it is not, or no longer, a true one.
    pub(super) fn caller(&self, standing: &Standing) -> Option<Caller> {
        read(&self.text, standing, self.came)
    }
}

/// A new key that makes tokens.
pub(super) fn draw_key() -> Bytes {
    let parts = [(); 4].map(|()| host::draw_u64().to_le_bytes());
    Bytes::from(parts.concat())
}

/// A token for somebody who has just been made sure of.
pub(super) fn make(caller: &Caller, key: &[u8]) -> String {
    let ends = seconds_of_day() + LIFE.as_secs();
    let claim = format!("{}.{}.{ends}", percent::encode(&caller.user), caller.auth_revision);
    let mut token = claim.clone();
    token.push('.');
    for byte in authenticator(&claim, key).finalize().into_bytes() {
        token.push_str(&format!("{byte:02x}"));
    }
    token
}

fn read(token: &str, standing: &Standing, now: u64) -> Option<Caller> {
    let (claim, proof) = token.rsplit_once('.')?;
    authenticator(claim, &standing.key).verify_slice(&bytes_of(proof)?).ok()?;
    let mut parts = claim.rsplitn(3, '.');
    let ends: u64 = parts.next()?.parse().ok()?;
    let auth_revision: u64 = parts.next()?.parse().ok()?;
    let user = percent::decode(parts.next()?)?.into_owned();
    let is_good = now < ends && auth_revision >= standing.revision;
    is_good.then_some(Caller { auth_revision, user })
}

fn authenticator(claim: &str, key: &[u8]) -> Hmac<Sha256> {
    let mut hmac = Hmac::<Sha256>::new_from_slice(key).expect("a key may have any length");
    hmac.update(claim.as_bytes());
    hmac
}

fn bytes_of(hexadecimal: &str) -> Option<Vec<u8>> {
    let digits = hexadecimal.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// Members' clocks need to agree only within the life of a token.
fn seconds_of_day() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::{Bytes, Caller, LIFE, Standing, Token, make, seconds_of_day};

    fn read(token: &str, standing: &Standing) -> Option<Caller> {
        Token::come(token).caller(standing)
    }

    fn standing(revision: u64) -> Standing {
        Standing { is_on: true, revision, key: Bytes::from("a key") }
    }

    #[test]
    fn a_token_makes_its_user_known_until_users_change() {
        let caller = Caller { auth_revision: 7, user: "ann.a ü%".to_owned() };
        let token = make(&caller, b"a key");
        assert!(token.bytes().all(|byte| byte.is_ascii_graphic()), "{token}");
        assert_eq!(read(&token, &standing(7)), Some(caller.clone()));
        // This member has not yet seen what the one that made the token has.
        assert_eq!(read(&token, &standing(6)), Some(caller));
        assert_eq!(read(&token, &standing(8)), None);
    }

    #[test]
    fn a_token_must_be_good_when_the_request_comes() {
        let caller = Caller { auth_revision: 7, user: "anna".to_owned() };
        let token = make(&caller, b"a key");
        let now = seconds_of_day();
        assert_eq!(super::read(&token, &standing(7), now + LIFE.as_secs() - 2), Some(caller));
        assert_eq!(super::read(&token, &standing(7), now + LIFE.as_secs() + 2), None);
    }

    #[test]
    fn what_was_not_made_with_the_key_is_no_token() {
        let caller = Caller { auth_revision: 7, user: "anna".to_owned() };
        assert_eq!(read(&make(&caller, b"another key"), &standing(7)), None);
        let token = make(&caller, b"a key");
        assert_eq!(read(&token.replace("anna", "root"), &standing(7)), None);
        for length in 0..token.len() {
            assert_eq!(read(&token[..length], &standing(7)), None, "cut at {length}");
        }
        assert_eq!(read("anna.7.9999999999.", &standing(7)), None);
    }
}
