//! Browser sessions: who is signed in on the pages.

use std::future::Future;
use std::net::IpAddr;

use jiff::Timestamp;
use types::{AccountId, WebSessionId};

use crate::{Account, Act, Error};

/// A browser session, without what opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebSession {
    /// What it is ended by, and what the audit trail knows it by.
    pub id: WebSessionId,
    /// Who is signed in.
    pub account: AccountId,
    /// The version of the account when the session was opened or renewed. With another version it is over.
    pub version: i64,
    /// When it was opened.
    pub made_at: Timestamp,
    /// When it was last used, within a minute.
    pub seen_at: Timestamp,
    /// When its owner last showed the password.
    pub confirmed_at: Timestamp,
    /// When it ends, however much it is used.
    pub ends_at: Timestamp,
    /// Where it was opened from.
    pub ip: IpAddr,
    /// The browser, as it calls itself.
    pub agent: String,
}

/// The browser sessions. A session is found by the keyed digest of its token; the store never sees the token. Sessions are read at each
/// request and remembered by nobody, so what becomes of them does not move the revision.
pub trait WebSessions: Send + Sync + 'static {
    /// Opens a session. Of those that its account has, the ones of another version of it end, and so do the oldest that would make it more than
    /// `at_most`. [`Error::Changed`] if the account has another version by now, [`Error::NotFound`] if there is no such account.
    fn open_session(
        &self,
        session: &WebSession,
        digest: &[u8; 32],
        at_most: u32,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// The session with this digest and its account: one indexed look-up. Whether it is over, or the account has changed since, is for the
    /// caller to see.
    fn session_by_digest(
        &self,
        digest: &[u8; 32],
    ) -> impl Future<Output = Result<Option<(WebSession, Account)>, Error>> + Send;

    /// Puts another digest in the place of that of a session whose owner has just shown the password, for the account in this version. `false`,
    /// and nothing changed, if no session has the old digest, or the account has another version or is disabled.
    fn renew_session(
        &self,
        old: &[u8; 32],
        new: &[u8; 32],
        version: i64,
        at: Timestamp,
    ) -> impl Future<Output = Result<bool, Error>> + Send;

    /// The sessions of an account in the version that it has now, newest first.
    fn sessions(&self, account: AccountId) -> impl Future<Output = Result<Vec<WebSession>, Error>> + Send;

    /// Ends a session of this account; `false` if it has no such session. Audited: as signing out, if it is the session that the act is done in.
    fn end_session(
        &self,
        account: AccountId,
        id: WebSessionId,
        act: &Act,
    ) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Ends all sessions of this account but that one; how many. Each is audited like one that is ended alone.
    fn end_sessions(
        &self,
        account: AccountId,
        but: Option<WebSessionId>,
        act: &Act,
    ) -> impl Future<Output = Result<u64, Error>> + Send;

    /// How many sessions there are, of all accounts: those that are over count until they are forgotten.
    fn count_sessions(&self) -> impl Future<Output = Result<u64, Error>> + Send;

    /// Forgets sessions that are over: that have ended by now, that were last used before `used_since`, or more than a day ahead, by a clock that
    /// was ahead. How many.
    fn prune_sessions(
        &self,
        used_since: Timestamp,
        now: Timestamp,
    ) -> impl Future<Output = Result<u64, Error>> + Send;

    /// Notes that a session was used. Written soon, together with others: no request waits for it.
    fn session_seen(&self, id: WebSessionId, at: Timestamp);
}
