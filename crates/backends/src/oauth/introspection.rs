//! Asking a provider about its tokens (RFC 7662).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;
use types::{Endpoint, Secret};

use super::discovery::good;
use super::fault::ProviderTrouble;
use super::flaw::TokenFlaw;
use super::json::Object;
use super::rules::Rules;
use crate::fetch::{self, Fetcher, Header};

/// How long an answer is kept, so that a token that is revoked does not work for long (RFC 7662 section 4). An answer without an end
/// is kept no longer, either.
const COUNTS: SignedDuration = SignedDuration::from_secs(60);

/// Answers kept at most.
const CAPACITY: usize = 10_000;

/// Requests at a time, so that many logins do not flood the provider.
const AT_A_TIME: usize = 32;

/// How long a login may wait to ask.
const PATIENCE: Duration = fetch::DEADLINE;

/// The way to ask one provider.
#[derive(Debug)]
pub(crate) struct Introspection {
    endpoint: Endpoint,
    login: Header,
    fetcher: Fetcher,
    turns: Semaphore,
    good: Mutex<HashMap<[u8; 32], ActiveToken>>,
}

/// What was answered about an active token. Answers about others are not kept: strangers could fill the memory with those.
#[derive(Clone, Debug)]
struct ActiveToken {
    account: String,
    until: Timestamp,
    /// Until when it is not asked again.
    counts: Timestamp,
}

impl Introspection {
    pub(crate) fn new(endpoint: Endpoint, login: Header, fetcher: Fetcher) -> Self {
        Self { endpoint, login, fetcher, turns: Semaphore::new(AT_A_TIME), good: Mutex::default() }
    }

    /// The account that the token is for, and when the token ends.
    pub(crate) async fn judge(
        &self,
        token: &Secret,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<Result<(String, Timestamp), TokenFlaw>, ProviderTrouble> {
        let digest = Sha256::digest(token.declassify()).into();
        if let Some(answer) = self.remembered(&digest, now) {
            return Ok(Ok((answer.account, answer.until)));
        }
        let answer = self.ask(token).await?;
        // RFC 7662 section 2.2: a boolean, and what is not true is false.
        if answer.get("active") != Some(&Value::Bool(true)) {
            return Ok(Err(TokenFlaw::Inactive));
        }
        Ok(rules.of_answer(&answer, now).map(|(account, ends)| {
            let soon = now.saturating_add(COUNTS).unwrap_or(now);
            let until = ends.unwrap_or(soon);
            self.remember(
                digest,
                ActiveToken { account: account.clone(), until, counts: until.min(soon) },
                now,
            );
            (account, until)
        }))
    }

    /// Asks about a made-up token, to see whether the provider answers.
    pub(crate) async fn reach(&self) -> Result<(), ProviderTrouble> {
        self.ask(&Secret::new("none")).await.map(drop)
    }

    async fn ask(&self, token: &Secret) -> Result<Object, ProviderTrouble> {
        let turn = tokio::time::timeout(PATIENCE, self.turns.acquire()).await;
        let _turn = turn.ok().and_then(Result::ok).ok_or(ProviderTrouble::Busy)?;
        let form =
            [("token", token.declassify_str().unwrap_or_default()), ("token_type_hint", "access_token")];
        let login = std::slice::from_ref(&self.login);
        let answer = good(&self.endpoint, self.fetcher.post_form(&self.endpoint, login, &form).await?)?;
        let object = Object::parse(&answer.body).filter(|object| object.get("active").is_some());
        let wrong = "does not say whether the token is active";
        let endpoint = self.endpoint.clone();
        object.map(Object::without_nulls).ok_or(ProviderTrouble::Answer { endpoint, wrong })
    }

    fn remembered(&self, digest: &[u8; 32], now: Timestamp) -> Option<ActiveToken> {
        let good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        good.get(digest).filter(|answer| now < answer.counts).cloned()
    }

    /// Remembers an answer. If there are too many, those that have expired are forgotten, or else all: they are short-lived.
    fn remember(&self, digest: [u8; 32], answer: ActiveToken, now: Timestamp) {
        let mut good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        if good.len() >= CAPACITY {
            good.retain(|_, answer| now < answer.counts);
        }
        if good.len() >= CAPACITY {
            good.clear();
        }
        good.insert(digest, answer);
    }
}
