//! API tokens: what programs ask the API with.

use std::future::Future;
use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;
use types::{AccountId, ApiTokenId, Scope};

use crate::{Account, Act, Error};

/// An API token, without what opens the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// What it is revoked by, and what the audit trail knows it by.
    pub id: ApiTokenId,
    /// Whose it is.
    pub account: AccountId,
    /// Where it is in use, in its owner's words.
    pub label: String,
    /// What it is good for, as far as its owner may.
    pub scopes: Vec<Scope>,
    /// Where it may be used from; everywhere if empty.
    pub networks: Vec<IpNet>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working.
    pub expires_at: Timestamp,
    /// When, within a minute, and where from it was last used.
    pub last_used: Option<(Timestamp, IpAddr)>,
}

/// The API tokens. A token is found by its keyed digest; the store never sees the token. Tokens are read at each request and remembered by
/// nobody, so what becomes of them does not move the revision. Every change goes into the audit trail in the same transaction.
pub trait ApiTokens: Send + Sync + 'static {
    /// Adds a token; [`Error::TooMany`] if its account has `at_most` already that have not ended by the time of the act, [`Error::NotFound`] if there is no such account.
    fn add_token(
        &self,
        token: &ApiToken,
        digest: &[u8; 32],
        at_most: u32,
        act: &Act,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// The token with this digest and its account: one indexed look-up. Whether it has expired, or its account is disabled, is for the caller
    /// to see.
    fn token_by_digest(
        &self,
        digest: &[u8; 32],
    ) -> impl Future<Output = Result<Option<(ApiToken, Account)>, Error>> + Send;

    /// The tokens of an account, oldest first.
    fn tokens(&self, account: AccountId) -> impl Future<Output = Result<Vec<ApiToken>, Error>> + Send;

    /// Revokes a token of this account; `false` if it has no such token.
    fn revoke_token(
        &self,
        account: AccountId,
        id: ApiTokenId,
        act: &Act,
    ) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Forgets tokens that ended before then; how many.
    fn prune_tokens(&self, before: Timestamp) -> impl Future<Output = Result<u64, Error>> + Send;

    /// Notes that a token was used. Written soon, together with others: no request waits for it.
    fn token_used(&self, id: ApiTokenId, at: Timestamp, ip: IpAddr);
}
