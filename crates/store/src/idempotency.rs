//! Requests that may be repeated without doing something twice.

use std::future::Future;

use jiff::Timestamp;
use types::ApiTokenId;

use crate::Error;

/// A request by its name: the token that it is made with, and the key that the program has given it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestName {
    /// The token that it is made with. Others' requests with the same key are others.
    pub token: ApiTokenId,
    /// The key, as the program has it.
    pub key: String,
}

/// What a request was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    /// Its status.
    pub status: u16,
    /// Its body, without secrets.
    pub body: Vec<u8>,
}

/// What is known of a request that is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KnownRequest {
    /// Nothing, until now: it is to be done, and then [answered](StoredIdempotency::finish_request) or
    /// [forgotten](StoredIdempotency::forget_request).
    New,
    /// It is being done.
    Running,
    /// It was done.
    Answered(StoredAnswer),
    /// Another request has this name.
    Another,
}

/// The requests that may be repeated, each for as long as it is kept. They do not move the revision.
pub trait StoredIdempotency: Send + Sync + 'static {
    /// Begins a request, of which `digest` tells everything but its name, unless it was begun before. One that was begun before `abandoned`,
    /// or by a clock more than a day ahead, and has no answer is begun anew: whoever did it is gone. Of many at once one is
    /// [`KnownRequest::New`]; that run of it is known by its `now`. [`Error::NotFound`] if there is no such token.
    fn begin_request(
        &self,
        name: &RequestName,
        digest: &[u8; 32],
        now: Timestamp,
        abandoned: Timestamp,
    ) -> impl Future<Output = Result<KnownRequest, Error>> + Send;

    /// Keeps the answer of a request that was begun then. One that was forgotten since stays so, and one that was begun anew is left to
    /// whoever did that.
    fn finish_request(
        &self,
        name: &RequestName,
        begun_at: Timestamp,
        answer: &StoredAnswer,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Forgets a request that was begun then and has no answer: nothing came of it, and it may be made anew.
    fn forget_request(
        &self,
        name: &RequestName,
        begun_at: Timestamp,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Forgets requests that were made before then, or by a clock more than a day ahead of `now`; how many.
    fn prune_requests(
        &self,
        before: Timestamp,
        now: Timestamp,
    ) -> impl Future<Output = Result<u64, Error>> + Send;
}
