//! Access tokens that an identity provider has issued: whether they are good, and whose they are.
//!
//! A provider proves its tokens in one of two ways. It signs them (RFC 7519, RFC 9068), and publishes its keys, which
//! are found by way of its issuer; or it is asked about each (RFC 7662). Which provider a token is from stands in the
//! token, as a claim that decides nothing but who is to prove it: everything that judges a token, the algorithm first,
//! comes from the configuration.
//!
//! A token that is refused tells the audit trail why ([`TokenFlaw`]). A provider that does not answer is not a refusal
//! but a [`ProviderFault`]: the login is deferred, and nobody is told that the token is bad.
//!
//! What it does not do: compare the account with the name that a client gives, or look it up. Why things are refused
//! is told in docs/decisions/0010-tokens-are-judged-by-the-configuration.md.

use futures_util::future::join_all;
use jiff::Timestamp;
use types::Secret;

mod provider;
pub use provider::{Provider, ProviderSettings, TokenProof};

mod token;
use token::Shape;

mod algorithm;

mod rules;
pub use rules::{Identified, SKEW};

mod flaw;
pub use flaw::TokenFlaw;

mod keys;

mod key_set;

mod discovery;

mod introspection;

mod fault;
pub use fault::{ProviderFault, ProviderTrouble};

mod json;

/// The providers whose tokens are taken.
#[derive(Debug, Default)]
pub struct Providers {
    providers: Vec<Provider>,
}

/// How a token was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judged {
    /// None of the providers has issued it.
    Unknown,
    /// The token is no good.
    Bad(TokenFlaw),
    /// The token is good.
    Good(Identified),
}

impl Providers {
    /// Takes the tokens of these providers.
    #[must_use]
    pub fn new(providers: Vec<Provider>) -> Self {
        Self { providers }
    }

    /// Judges a token.
    ///
    /// # Errors
    /// When it can't be judged, since the provider does not answer as it should.
    pub async fn judge(&self, token: &Secret, now: Timestamp) -> Result<Judged, ProviderFault> {
        if token.declassify().len() > sasl::MAX_TOKEN {
            return Ok(Judged::Bad(TokenFlaw::TooLong));
        }
        // RFC 6750 section 2.1: a token is ASCII.
        let Some(text) = token.declassify_str().filter(|text| text.is_ascii()) else {
            return Ok(Judged::Unknown);
        };
        let shape = Shape::of(text);
        let judged = match self.issuer_of(&shape) {
            Ok(Some(provider)) => provider.judge(token, &shape, now).await?,
            Ok(None) => return Ok(Judged::Unknown),
            Err(flaw) => Err(flaw),
        };
        Ok(judged.map_or_else(Judged::Bad, Judged::Good))
    }

    /// The provider that has issued the token. A token that names no issuer belongs to the provider that is asked about its tokens;
    /// one that names another issuer is not shown to it.
    fn issuer_of(&self, shape: &Shape<'_>) -> Result<Option<&Provider>, TokenFlaw> {
        Ok(match shape {
            Shape::Signed(jwt) => {
                let issuer = jwt.issuer();
                self.providers.iter().find(|provider| issuer == Some(provider.issuer()))
            }
            Shape::Opaque => self.providers.iter().find(|provider| provider.is_asked()),
            Shape::Broken => return Err(TokenFlaw::Malformed),
        })
    }

    /// The scope that the first provider wants, which a client that is refused is told.
    #[must_use]
    pub fn scope(&self) -> Option<String> {
        self.providers.first().and_then(Provider::scope)
    }

    /// Takes over the keys that `old` knows of the same issuers.
    pub fn inherit(&self, old: &Providers) {
        for provider in &self.providers {
            let same = old.providers.iter().find(|old| old.issuer() == provider.issuer());
            if let Some(old) = same {
                provider.inherit(old);
            }
        }
    }

    /// Tries whether each of them answers, and returns the faults.
    pub async fn reach(&self, now: Timestamp) -> Vec<ProviderFault> {
        let answers = join_all(self.providers.iter().map(|provider| provider.reach(now))).await;
        answers.into_iter().filter_map(Result::err).collect()
    }
}

#[cfg(test)]
mod tests;
