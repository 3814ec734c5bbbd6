//! Who asks: the user whom the request's token makes known.

use ::kv::{Answer, Caller, Query, auth};
use http::HeaderMap;
use kernel::Reading;
use tonic::Status;

use super::{super::Etcd, token::Token};
use crate::etcd::{leader, refusal, told};

/// Where a token may stand: as clients of gRPC send it, as those of HTTP do, and as gRPC's metadata
/// comes through the gateway.
const NAMES: [&str; 3] = ["token", "authorization", "grpc-metadata-token"];

impl Etcd {
    /// The services for a request with these headers.
    pub(crate) fn for_request(self, headers: &HeaderMap) -> Self {
        let token = NAMES.iter().find_map(|name| headers.get(*name)?.to_str().ok());
        let token = token.map(|token| Token::come(token.trim_start_matches("Bearer ")));
        Self { token, wants_leader: leader::is_wanted(headers), ..self }
    }

    /// Who asks, as of now; nobody if no token says so, or if it does not matter.
    pub(in crate::etcd) async fn caller(&self) -> Result<Option<Caller>, Status> {
        if self.token.is_none() {
            return Ok(None);
        }
        self.caller_at(&self.reading(true).await?)
    }

    /// Who asks, at a moment of the tables.
    pub(in crate::etcd) fn caller_at(&self, reading: &Reading) -> Result<Option<Caller>, Status> {
        let Some(token) = &self.token else {
            return Ok(None);
        };
        let standing = auth::standing(reading).map_err(|fault| refusal::damaged(&fault))?;
        if !standing.is_on {
            return Ok(None);
        }
        token.caller(&standing).map(Some).ok_or_else(refusal::invalid_token)
    }

    /// Makes sure, at a moment of the tables, that whoever asks may ask that.
    pub(in crate::etcd) fn allow(&self, reading: &Reading, query: Query) -> Result<(), Status> {
        self.ask_at(reading, query).map(|_| ())
    }

    /// Asks at a moment of the tables, on behalf of whoever asks.
    pub(in crate::etcd) fn ask_at(
        &self,
        reading: &Reading,
        query: Query,
    ) -> Result<Answer, Status> {
        let answer = query.by(self.caller_at(reading)?).answer(reading);
        told(answer.map_err(|fault| refusal::damaged(&fault))?)
    }

    /// Makes sure that whoever asks may do everything; as far as this node knows.
    pub(in crate::etcd) async fn require_admin(&self) -> Result<(), Status> {
        self.allow(&self.reading(true).await?, Query::Admin)
    }
}
