//! What the claims of a token must say (RFC 7519 section 4.1, RFC 9068 section 4, RFC 8725), once it is known that the
//! provider says it.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::flaw::TokenFlaw;
use super::json::Object;

/// By how much clocks may differ.
pub const SKEW: SignedDuration = SignedDuration::from_secs(60);

/// A claim of the provider's own choice may hold anything; an account's address is not longer (RFC 5321 section
/// 4.5.3.1.3, with room).
const MAX_ACCOUNT: usize = 320;

/// Whose token it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identified {
    /// The provider's name in the configuration.
    pub provider: String,
    /// What the claim says: the address of an account, if all is well.
    pub account: String,
    /// When it ends, with the time that clocks may differ by.
    pub until: Timestamp,
}

/// What the configuration asks of a provider's tokens.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) issuer: String,
    /// One of these must be the audience; empty only where the provider is asked about tokens.
    pub(crate) audience: Vec<String>,
    /// Each of these is needed.
    pub(crate) scope: Vec<String>,
    /// Where the account stands.
    pub(crate) claim: String,
}

/// Whose a token is, and when it ends, if it says so.
type Found = (String, Option<Timestamp>);

impl Rules {
    /// The claims of a signed token, which must say when it ends. It was found by its issuer.
    pub(crate) fn of_signed(
        &self,
        claims: &Object,
        now: Timestamp,
    ) -> Result<(String, Timestamp), TokenFlaw> {
        let (account, ends) = self.judge(claims, now)?;
        Ok((account, ends.ok_or(TokenFlaw::Times)?))
    }

    /// Of what a provider answers, the issuer and the end may be missing (RFC 7662 section 2.2): it has been asked.
    pub(crate) fn of_answer(&self, answer: &Object, now: Timestamp) -> Result<Found, TokenFlaw> {
        self.judge(answer, now)
    }

    fn judge(&self, claims: &Object, now: Timestamp) -> Result<Found, TokenFlaw> {
        if claims.get("iss").is_some_and(|issuer| issuer.as_str() != Some(&self.issuer)) {
            return Err(TokenFlaw::Issuer);
        }
        self.is_for_us(claims)?;
        is_for_access(claims)?;
        let ends = in_time(claims, now)?;
        let granted = scopes(claims);
        if !self.scope.iter().all(|wanted| granted.contains(&wanted.as_str())) {
            return Err(TokenFlaw::Scope);
        }
        Ok((self.account(claims)?, ends))
    }

    /// RFC 7519 section 4.1.3: a string, or several.
    fn is_for_us(&self, claims: &Object) -> Result<(), TokenFlaw> {
        if self.audience.is_empty() {
            return Ok(());
        }
        let named = claims.get("aud").and_then(strings).ok_or(TokenFlaw::Audience)?;
        match named.iter().any(|name| self.audience.iter().any(|ours| ours == name)) {
            true => Ok(()),
            false => Err(TokenFlaw::Audience),
        }
    }

    /// An address that nobody has verified is what its owner has typed, which may be anybody's.
    fn account(&self, claims: &Object) -> Result<String, TokenFlaw> {
        let account = claims.text(&self.claim).filter(|account| {
            !account.is_empty() && account.len() <= MAX_ACCOUNT && !account.contains(char::is_control)
        });
        let account = account.ok_or(TokenFlaw::NoAccount)?;
        if self.claim == "email" && claims.get("email_verified") != Some(&Value::Bool(true)) {
            return Err(TokenFlaw::UnverifiedEmail);
        }
        Ok(account.to_owned())
    }
}

/// Other tokens of the same issuer, with the same keys, that give no access: those that tell a client who has logged in
/// (OpenID Connect Core 1.0 sections 2 and 3.1.3.6), that somebody has logged out (`events`), and refresh tokens. Their
/// audience should be another, but need not be.
fn is_for_access(claims: &Object) -> Result<(), TokenFlaw> {
    let has = |name| claims.get(name).is_some();
    let of_login = has("at_hash") || has("c_hash") || has("nonce") && !has("scope") && !has("scp");
    // Keycloak's `typ`, and `token_use` of Cognito and Hydra.
    let says_other = |name, other: &[&str]| {
        claims.text(name).is_some_and(|kind| other.iter().any(|other| kind.eq_ignore_ascii_case(other)))
    };
    let other = says_other("typ", &["ID", "Refresh", "Offline", "Logout"])
        || says_other("token_use", &["id", "id_token", "refresh", "refresh_token"]);
    match of_login || other || has("events") {
        true => Err(TokenFlaw::NotForAccess),
        false => Ok(()),
    }
}

/// The end, where there is one.
fn in_time(claims: &Object, now: Timestamp) -> Result<Option<Timestamp>, TokenFlaw> {
    let ends = time(claims, "exp")?.map(|ends| ends.saturating_add(SKEW).unwrap_or(Timestamp::MAX));
    if ends.is_some_and(|ends| ends <= now) {
        return Err(TokenFlaw::Expired);
    }
    let soon = now.saturating_add(SKEW).unwrap_or(Timestamp::MAX);
    for begin in ["nbf", "iat"] {
        if time(claims, begin)?.is_some_and(|begins| begins > soon) {
            return Err(TokenFlaw::NotYetValid);
        }
    }
    Ok(ends)
}

/// RFC 7519 section 2: a number of seconds since 1970, in whole or in part. What is there and is none is not taken for
/// absent.
fn time(claims: &Object, name: &str) -> Result<Option<Timestamp>, TokenFlaw> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let seconds = value.as_i64().map(SignedDuration::from_secs);
    let seconds = seconds.or_else(|| SignedDuration::try_from_secs_f64(value.as_f64()?).ok());
    let time = seconds
        .filter(|seconds| !seconds.is_negative())
        .and_then(|seconds| Timestamp::from_duration(seconds).ok());
    time.map(Some).ok_or(TokenFlaw::Times)
}

/// `scope` (RFC 9068 section 2.2.3) and `scp`, as Microsoft and Okta have it.
fn scopes(claims: &Object) -> Vec<&str> {
    let listed = ["scope", "scp"].into_iter().filter_map(|name| claims.get(name)).filter_map(strings);
    listed.flatten().flat_map(|scopes| scopes.split(' ')).collect()
}

/// A string, or an array of nothing else.
fn strings(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::String(one) => Some(vec![one]),
        Value::Array(several) => several.iter().map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}
