//! Requests of programs that may be repeated without doing something twice.

use jiff::SignedDuration;
use store::{KnownRequest, RequestName, StoredAnswer, StoredIdempotency as _};

use crate::{Desk, Trouble};

/// How long a request without an answer may still be running: longer than any may take.
const RUNNING: SignedDuration = SignedDuration::from_mins(2);

/// How long a request is known.
pub const REQUESTS_KNOWN: SignedDuration = SignedDuration::from_hours(24);

impl Desk {
    /// Begins a request that has a name, unless it was begun before; `digest` tells everything of it but the name. If it is
    /// [`KnownRequest::New`], it is to be done, and then [answered](Desk::finish_request) or [forgotten](Desk::forget_request).
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn begin_request(
        &self,
        name: &RequestName,
        digest: &[u8; 32],
    ) -> Result<KnownRequest, Trouble> {
        let now = (self.now)();
        let abandoned = now.saturating_sub(RUNNING).unwrap_or(jiff::Timestamp::MIN);
        Ok(self.accounts.begin_request(name, digest, now, abandoned).await?)
    }

    /// Keeps what a request was answered, without secrets.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn finish_request(&self, name: &RequestName, answer: &StoredAnswer) -> Result<(), Trouble> {
        Ok(self.accounts.finish_request(name, answer).await?)
    }

    /// Forgets a request that nothing came of: it may be made anew.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn forget_request(&self, name: &RequestName) -> Result<(), Trouble> {
        Ok(self.accounts.forget_request(name).await?)
    }
}
