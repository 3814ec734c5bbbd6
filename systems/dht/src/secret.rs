//! What an outsider must not guess: tokens, and the names of queries under way.
//!
//! All of it is drawn from twenty secret bytes that the node is given at its start, so that a node is still a
//! function of its inputs.

use core::time::Duration;

use kernel::{Endpoint, Instant};

use crate::id::Id;

/// A token's secret changes this often; tokens of the secret before are still taken (BEP 5).
const TURN: Duration = Duration::from_secs(300);

/// The secret of one node.
#[derive(Clone, Debug)]
pub struct Secret {
    root: [u8; 20],
    drawn: u64,
}

/// What proves that a sender could lately be reached where it says it is.
pub type Token = [u8; 8];

impl Secret {
    /// The secret of a node.
    #[must_use]
    pub const fn new(root: [u8; 20]) -> Self {
        Self { root, drawn: 0 }
    }

    /// 160 bits that nobody can foretell.
    pub fn draw(&mut self) -> Id {
        self.drawn += 1;
        Id::hash(&[b"draw", &self.root, &self.drawn.to_be_bytes()])
    }

    /// The token for whoever asks from there now.
    #[must_use]
    pub fn token(&self, now: Instant, asker: Endpoint) -> Token {
        self.token_of_turn(turn(now), asker)
    }

    /// True if the token was given to that address within the last five minutes, or up to ten.
    #[must_use]
    pub fn is_valid(&self, now: Instant, asker: Endpoint, token: &[u8]) -> bool {
        let present = turn(now);
        let turns = [Some(present), present.checked_sub(1)];
        turns.into_iter().flatten().any(|turn| self.token_of_turn(turn, asker) == token)
    }

    fn token_of_turn(&self, turn: u64, asker: Endpoint) -> Token {
        // The address alone: another program of the same host may announce with the token (BEP 5).
        let hash = Id::hash(&[b"token", &self.root, &turn.to_be_bytes(), &asker.ip]);
        *hash.0.first_chunk().expect("a hash is longer than a token")
    }
}

fn turn(now: Instant) -> u64 {
    now.since(Instant(0)).as_secs() / TURN.as_secs()
}

#[cfg(test)]
mod tests {
    use super::{Endpoint, Instant, Secret};

    const MINUTE: u64 = 60_000_000_000;

    #[test]
    fn a_token_is_of_an_address_and_of_ten_minutes() {
        let secret = Secret::new([7; 20]);
        let asker = Endpoint { ip: [127, 0, 0, 1], port: 1 };
        let token = secret.token(Instant(0), asker);
        let elsewhere = Endpoint { ip: [127, 0, 0, 2], port: 1 };
        assert!(secret.is_valid(Instant(9 * MINUTE), asker, &token));
        assert!(!secret.is_valid(Instant(10 * MINUTE), asker, &token));
        assert!(!secret.is_valid(Instant(0), elsewhere, &token));
        assert!(!Secret::new([8; 20]).is_valid(Instant(0), asker, &token));
    }
}
