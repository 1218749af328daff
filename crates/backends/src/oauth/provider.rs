//! One identity provider: what it is asked, and what its tokens must be.

use jiff::Timestamp;
use jsonwebtoken::crypto;
use types::{BadEndpoint, Endpoint, Secret, SignatureAlgorithm};

use super::algorithm::in_jwt;
use super::fault::{ProviderFault, ProviderTrouble};
use super::flaw::TokenFlaw;
use super::introspection::Introspection;
use super::keys::Keys;
use super::rules::{Identified, Rules};
use super::token::{Jwt, Shape};
use crate::fetch::{Fetcher, Header};

/// What the operator says about a provider.
#[derive(Debug)]
pub struct ProviderSettings {
    /// For logs and the audit trail.
    pub name: String,
    /// As its tokens have it in `iss`, to the letter.
    pub issuer: String,
    /// One of these must be in `aud`; empty only for a provider that is asked and that names none.
    pub audience: Vec<String>,
    /// Each of these is needed.
    pub scope: Vec<String>,
    /// The claim in which the account's address stands. If it is `email`, `email_verified` must be true.
    pub claim: String,
    /// How tokens are proved.
    pub proof: TokenProof,
}

/// How a provider proves its tokens.
#[derive(Debug)]
pub enum TokenProof {
    /// It signs them.
    Signature {
        /// By one of these.
        algorithms: Vec<SignatureAlgorithm>,
        /// Types that the header may name; an empty one is for a header that names none.
        types: Vec<String>,
        /// Where its keys are, if not where its issuer says.
        jwks_uri: Option<Endpoint>,
    },
    /// It is asked.
    Introspection {
        /// Where.
        endpoint: Endpoint,
        /// Who asks.
        client_id: String,
        /// The password of who asks.
        client_secret: Secret,
    },
}

/// One identity provider.
#[derive(Debug)]
pub struct Provider {
    name: String,
    rules: Rules,
    prover: Prover,
}

#[derive(Debug)]
enum Prover {
    Signature { algorithms: Vec<SignatureAlgorithm>, types: Vec<String>, keys: Keys },
    Introspection(Introspection),
}

impl Provider {
    /// Nobody is asked yet.
    ///
    /// # Errors
    /// If the issuer is not a URL to ask.
    pub fn new(settings: ProviderSettings, fetcher: Fetcher) -> Result<Self, BadEndpoint> {
        let ProviderSettings { name, issuer, audience, scope, claim, proof } = settings;
        let prover = match proof {
            TokenProof::Signature { algorithms, types, jwks_uri } => {
                let keys = Keys::new(issuer.clone(), Endpoint::parse(&issuer)?, jwks_uri, fetcher);
                Prover::Signature { algorithms, types, keys }
            }
            TokenProof::Introspection { endpoint, client_id, client_secret } => {
                let login = Header::basic(&client_id, &client_secret);
                Prover::Introspection(Introspection::new(endpoint, login, fetcher))
            }
        };
        Ok(Self { name, rules: Rules { issuer, audience, scope, claim }, prover })
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.rules.issuer
    }

    pub(crate) fn is_asked(&self) -> bool {
        matches!(self.prover, Prover::Introspection(_))
    }

    pub(crate) fn scope(&self) -> Option<String> {
        (!self.rules.scope.is_empty()).then(|| self.rules.scope.join(" "))
    }

    pub(crate) async fn judge(
        &self,
        token: &Secret,
        shape: &Shape<'_>,
        now: Timestamp,
    ) -> Result<Result<Identified, TokenFlaw>, ProviderFault> {
        let judged = match (&self.prover, shape) {
            (Prover::Introspection(provider), _) => provider.judge(token, &self.rules, now).await,
            (Prover::Signature { algorithms, types, keys }, Shape::Signed(jwt)) => {
                match prove(jwt, algorithms, types, keys, now).await {
                    Ok(proved) => Ok(proved.and_then(|()| self.rules.of_signed(jwt.claims(), now))),
                    Err(trouble) => Err(trouble),
                }
            }
            (Prover::Signature { .. }, Shape::Opaque | Shape::Broken) => Ok(Err(TokenFlaw::Malformed)),
        };
        let identify = |(account, until)| Identified { provider: self.name.clone(), account, until };
        judged.map(|judged| judged.map(identify)).map_err(|trouble| self.fault(trouble))
    }

    pub(crate) fn inherit(&self, old: &Provider) {
        if let (Prover::Signature { keys, .. }, Prover::Signature { keys: old, .. }) =
            (&self.prover, &old.prover)
        {
            keys.inherit(old);
        }
    }

    pub(crate) async fn reach(&self, now: Timestamp) -> Result<(), ProviderFault> {
        let reached = match &self.prover {
            Prover::Signature { keys, .. } => keys.reach(now).await,
            Prover::Introspection(provider) => provider.reach().await,
        };
        reached.map_err(|trouble| self.fault(trouble))
    }

    fn fault(&self, trouble: ProviderTrouble) -> ProviderFault {
        ProviderFault { provider: self.name.clone(), trouble }
    }
}

/// Whether the provider has signed it.
async fn prove(
    jwt: &Jwt<'_>,
    algorithms: &[SignatureAlgorithm],
    types: &[String],
    keys: &Keys,
    now: Timestamp,
) -> Result<Result<(), TokenFlaw>, ProviderTrouble> {
    let read = || {
        let algorithm = jwt.algorithm(algorithms)?;
        jwt.has_type(types)?;
        Ok((algorithm, jwt.key_id()?))
    };
    let (algorithm, id) = match read() {
        Ok(read) => read,
        Err(flaw) => return Ok(Err(flaw)),
    };
    let keys = keys.find(id, algorithm, now).await?;
    if keys.is_empty() {
        return Ok(Err(TokenFlaw::UnknownKey));
    }
    let fits = |key| crypto::verify(jwt.signature, jwt.message.as_bytes(), key, in_jwt(algorithm));
    let proved = keys.iter().any(|key| matches!(fits(key), Ok(true)));
    Ok(if proved { Ok(()) } else { Err(TokenFlaw::Signature) })
}
