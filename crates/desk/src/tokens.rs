//! API tokens: made, listed, revoked, and found again when a program shows one.
//!
//! A token never opens more than its owner may at that moment, and less if its scopes are fewer.

use std::net::IpAddr;

use auth::{BearerToken, TokenCheck};
use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp};
use rand::RngExt as _;
use store::{Account, Act, ApiToken, ApiTokens as _};
use types::{ApiTokenId, Mailbox, Scope, Secret};

use crate::accounts::unix_ms;
use crate::{Desk, Missing, Trouble, view};

/// Tokens of an account at most: the programs of an organisation, each with its own.
const OF_ACCOUNT: u32 = 50;

/// How long a token lasts, if nothing else is said and nothing shorter is the most.
const USUAL_LIFE: SignedDuration = SignedDuration::from_hours(90 * 24);

/// How exact it is told when a token was last used: so often it is written down.
const USED_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// A token that is to be made.
#[derive(Debug, Clone)]
pub struct TokenWish {
    /// Where it will be used, in its owner's words.
    pub label: String,
    /// What it is good for.
    pub scopes: Vec<Scope>,
    /// Where it may be used from; everywhere, if empty.
    pub networks: Vec<IpNet>,
    /// When it stops working; `None`: after the usual time.
    pub expires_at: Option<Timestamp>,
}

/// Whose token a program has shown, and what it may do with it.
#[derive(Debug, Clone)]
pub struct TokenOwner {
    /// The account, as it is now.
    pub account: Account,
    /// What there is to show of the token.
    pub token: view::ApiToken,
    /// What the token is known by.
    pub id: ApiTokenId,
    /// What it is good for at this moment: its scopes, as far as its owner may.
    pub scopes: Vec<Scope>,
}

impl TokenOwner {
    /// Whether one of its scopes includes this one.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.iter().any(|own| own.includes(scope))
    }

    /// What the program does now, from there.
    #[must_use]
    pub fn act(&self, ip: IpAddr, at: Timestamp) -> Act {
        Act::api(&self.account.address, ip, self.id, at)
    }
}

/// What came of a token that a program has shown.
#[derive(Debug, Clone)]
pub enum ShownToken {
    /// It is good.
    Good(Box<TokenOwner>),
    /// It is not, for whatever reason: nobody is told which.
    Refused,
    /// It is not, and too many from there were not before.
    Throttled {
        /// Until when none is judged that is not good.
        until: Timestamp,
    },
}

impl Desk {
    /// Makes a token. What opens the API is given out this once.
    ///
    /// # Errors
    /// [`Trouble::NotTheirScope`], [`Trouble::TokenTooLong`], [`Trouble::TooManyTokens`].
    pub async fn create_token(
        &self,
        act: &Act,
        account: &Account,
        wish: &TokenWish,
    ) -> Result<view::NewApiToken, Trouble> {
        if let Some(scope) = wish.scopes.iter().find(|scope| !self.may_have(account, **scope)) {
            return Err(Trouble::NotTheirScope { account: account.address.clone(), scope: *scope });
        }
        let (bearer, token) = (BearerToken::generate(), self.made(act, account, wish)?);
        let digest = self.keyring().await?.api_tokens().digest(&bearer);
        match self.accounts.add_token(&token, &digest, OF_ACCOUNT, act).await {
            Err(store::Error::TooMany) => {
                Err(Trouble::TooManyTokens { account: account.address.clone(), limit: OF_ACCOUNT })
            }
            added => Ok(added.map(|()| view::NewApiToken::of(&token, bearer.declassify()))?),
        }
    }

    fn made(&self, act: &Act, account: &Account, wish: &TokenWish) -> Result<ApiToken, Trouble> {
        let most = self.settings.token_max;
        let latest = act.at.saturating_add(most).unwrap_or(Timestamp::MAX);
        let usual = act.at.saturating_add(USUAL_LIFE).unwrap_or(Timestamp::MAX);
        let expires_at = wish.expires_at.unwrap_or_else(|| usual.min(latest));
        if expires_at > latest {
            return Err(Trouble::TokenTooLong { most });
        }
        let mut scopes = wish.scopes.clone();
        scopes.sort_unstable();
        scopes.dedup();
        Ok(ApiToken {
            id: ApiTokenId::new(unix_ms(act.at), rand::rng().random()),
            account: account.id,
            label: wish.label.clone(),
            scopes,
            networks: wish.networks.clone(),
            created_at: act.at,
            expires_at,
            last_used: None,
        })
    }

    /// Whether a token of this account may have this scope, as the account is now.
    #[must_use]
    pub fn may_have(&self, account: &Account, scope: Scope) -> bool {
        !scope.needs_administrator() || self.may_administer(account)
    }

    /// Whether this account may administer others, as it is now: it is marked as an administrator's, and has a second factor if it needs one.
    #[must_use]
    pub fn may_administer(&self, account: &Account) -> bool {
        account.admin && (account.totp || !self.settings.admin_needs_second_factor)
    }

    /// How many days a token lasts at most; 0 if that is less than one.
    #[must_use]
    pub fn token_days(&self) -> i64 {
        self.settings.token_max.as_hours() / 24
    }

    /// The tokens of an account, oldest first. Those that have ended are among them.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn tokens(&self, account: &Account) -> Result<Vec<view::ApiToken>, Trouble> {
        Ok(self.accounts.tokens(account.id).await?.iter().map(view::ApiToken::of).collect())
    }

    /// A token of an account, named by its whole identifier.
    ///
    /// # Errors
    /// [`Missing::Token`].
    pub async fn show_token(&self, account: &Account, which: &str) -> Result<view::ApiToken, Trouble> {
        let tokens = self.accounts.tokens(account.id).await?;
        let found = tokens.iter().find(|token| token.id.to_string() == which);
        found.map(view::ApiToken::of).ok_or_else(|| none_such(account, which))
    }

    /// Revokes a token of an account, named by its label, its identifier or the beginning of that; says which one it was. It is no good from the
    /// next request on.
    ///
    /// # Errors
    /// [`Missing::Token`], [`Trouble::SeveralTokens`].
    pub async fn revoke_token(
        &self,
        act: &Act,
        account: &Account,
        which: &str,
    ) -> Result<view::ApiToken, Trouble> {
        let token = pick(self.accounts.tokens(account.id).await?, which, &account.address)?;
        match self.accounts.revoke_token(account.id, token.id, act).await? {
            true => Ok(view::ApiToken::of(&token)),
            false => Err(none_such(account, which)),
        }
    }

    /// Whose token a program has shown, from there, and what it may do with it. What is not good counts as a failure of its network; that one is
    /// used is noted, at most once a minute.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn token_owner(&self, shown: &Secret, ip: IpAddr) -> Result<ShownToken, Trouble> {
        let (keyring, policy) = (self.keyring().await?, &self.settings.policy);
        match auth::check_token(&self.accounts, keyring, policy, (shown, ip), self.now).await? {
            TokenCheck::Good(found) => Ok(ShownToken::Good(Box::new(self.used(&found.0, found.1, ip)))),
            TokenCheck::Refused => Ok(ShownToken::Refused),
            TokenCheck::Throttled { until } => Ok(ShownToken::Throttled { until }),
        }
    }

    fn used(&self, token: &ApiToken, account: Account, ip: IpAddr) -> TokenOwner {
        let now = (self.now)();
        let is_news = |(at, _): (Timestamp, IpAddr)| now.duration_since(at).abs() >= USED_EVERY;
        if token.last_used.is_none_or(is_news) {
            self.accounts.token_used(token.id, now, ip.to_canonical());
        }
        let scopes = token.scopes.iter().copied().filter(|scope| self.may_have(&account, *scope)).collect();
        TokenOwner { token: view::ApiToken::of(token), id: token.id, scopes, account }
    }
}

/// The one that is meant: by its whole identifier, else by its label, else by the beginning of its identifier.
fn pick(tokens: Vec<ApiToken>, which: &str, account: &Mailbox) -> Result<ApiToken, Trouble> {
    let range = ApiTokenId::beginning_with(which).ok();
    let whole = |token: &ApiToken| token.id.to_string() == which;
    let begins = |token: &ApiToken| range.as_ref().is_some_and(|range| range.contains(&token.id));
    let ways: [&dyn Fn(&ApiToken) -> bool; 3] = [&whole, &|token| token.label == which, &begins];
    let missing = || Missing::Token { account: account.clone(), which: which.to_owned() };
    let is_meant = ways.into_iter().find(|way| tokens.iter().any(way)).ok_or_else(missing)?;
    let mut meant: Vec<ApiToken> = tokens.into_iter().filter(is_meant).collect();
    match (meant.pop(), meant.as_slice()) {
        (Some(only), []) => Ok(only),
        (last, others) => Err(Trouble::SeveralTokens {
            account: account.clone(),
            which: which.to_owned(),
            ids: others.iter().chain(&last).map(|token| token.id).collect(),
        }),
    }
}

fn none_such(account: &Account, which: &str) -> Trouble {
    Missing::Token { account: account.address.clone(), which: which.to_owned() }.into()
}

#[cfg(test)]
mod tests;
