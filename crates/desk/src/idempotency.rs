//! Requests of programs that may be repeated without doing something twice.

use jiff::{SignedDuration, Timestamp};
use store::{KnownRequest, RequestName, StoredAnswer, StoredIdempotency as _};

use crate::{Desk, Trouble};

/// How long a request without an answer may still be running: longer than any may take, which its face sees to.
const RUNNING: SignedDuration = SignedDuration::from_mins(2);

/// How long a request is known.
pub const REQUESTS_KNOWN: SignedDuration = SignedDuration::from_hours(24);

impl Desk {
    /// Begins a request that has a name, unless it was begun before; `digest` tells everything of it but the name. If it is
    /// [`KnownRequest::New`], it is to be done, and then [answered](Desk::finish_request) or [forgotten](Desk::forget_request), with the same
    /// `begun_at`: one that took so long that it was begun anew has no say in what comes of that.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn begin_request(
        &self,
        name: &RequestName,
        digest: &[u8; 32],
        begun_at: Timestamp,
    ) -> Result<KnownRequest, Trouble> {
        let abandoned = begun_at.checked_sub(RUNNING).unwrap_or(Timestamp::MIN);
        Ok(self.accounts.begin_request(name, digest, begun_at, abandoned).await?)
    }

    /// Keeps what a request was answered, without secrets.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn finish_request(
        &self,
        name: &RequestName,
        begun_at: Timestamp,
        answer: &StoredAnswer,
    ) -> Result<(), Trouble> {
        Ok(self.accounts.finish_request(name, begun_at, answer).await?)
    }

    /// Forgets a request that nothing came of: it may be made anew.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn forget_request(&self, name: &RequestName, begun_at: Timestamp) -> Result<(), Trouble> {
        Ok(self.accounts.forget_request(name, begun_at).await?)
    }
}
