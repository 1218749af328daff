//! Whose API token was shown. What is none, or none any more, is counted as a failure of its network: whoever tries many is after something. A
//! token that is good is never kept waiting for what others tried.

use std::net::IpAddr;

use jiff::Timestamp;
use store::{Account, ApiTokens, Throttles, network_of};
use types::Secret;

use crate::api_token::BearerToken;
use crate::guard::gate::Gate;
use crate::keys::keyring::Keyring;
use crate::policy::Policy;

/// What came of a token that a program has shown.
#[derive(Debug, PartialEq, Eq)]
pub enum TokenCheck {
    /// It is good, for this account.
    Good(Box<(store::ApiToken, Account)>),
    /// It is not: there is none such, it has ended or was revoked, it is not to be used from there, or its account is disabled. Which of these,
    /// nobody is told.
    Refused,
    /// It is not, and too many from there were not before.
    Throttled {
        /// Until when none is judged that is not good.
        until: Timestamp,
    },
}

/// Finds out whose token was shown, from this address; what is not good counts as a failure of its network.
///
/// # Errors
/// When the store can't tell.
pub async fn check_token<S: ApiTokens + Throttles>(
    store: &S,
    keyring: &Keyring,
    policy: &Policy,
    (shown, ip): (&Secret, IpAddr),
    now: fn() -> Timestamp,
) -> Result<TokenCheck, store::Error> {
    if let Some(found) = good(store, keyring, shown, ip, now()).await? {
        return Ok(TokenCheck::Good(Box::new(found)));
    }
    let mark = keyring.blind_digests().of_attempt("", shown);
    let gate = Gate::before(store, None, network_of(ip), mark, policy, now).await?;
    if let Some(throttled) = gate.look().await? {
        return Ok(TokenCheck::Throttled { until: throttled.until });
    }
    gate.wrong().await?;
    Ok(TokenCheck::Refused)
}

/// The token that was shown and its account, if it is good now, there.
async fn good(
    store: &impl ApiTokens,
    keyring: &Keyring,
    shown: &Secret,
    ip: IpAddr,
    now: Timestamp,
) -> Result<Option<(store::ApiToken, Account)>, store::Error> {
    let Some(token) = shown.declassify_str().and_then(BearerToken::parse) else { return Ok(None) };
    let digest = keyring.api_tokens().digest(&token);
    let Some((token, account)) = store.token_by_digest(&digest).await? else { return Ok(None) };
    let ip = ip.to_canonical();
    let is_there = token.networks.is_empty() || token.networks.iter().any(|network| network.contains(&ip));
    let is_good = now < token.expires_at && is_there && !account.disabled;
    Ok(is_good.then_some((token, account)))
}
