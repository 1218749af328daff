//! Tokens of a provider on this machine, which behaves well or badly; none of it knows a clock.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use types::{Secret, SignatureAlgorithm};

use super::*;
use crate::fake::{Asked, FakeServer, Reply};
use crate::fetch::Fetcher;

mod asked;
mod hostile;
mod keeping;
mod signer;

use signer::Signer;

const AUDIENCE: &str = "https://mail.example.org";

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn after(seconds: i64) -> Timestamp {
    now().saturating_add(SignedDuration::from_secs(seconds)).unwrap()
}

/// What a provider with these keys says.
fn publishes(keys: &[serde_json::Value]) -> impl Fn(&Asked) -> Reply + Send + use<> {
    let keys = serde_json::json!({ "keys": keys }).to_string();
    move |asked| {
        let host = asked.headers.iter().find_map(|header| header.strip_prefix("host: ")).unwrap();
        match asked.line.as_str() {
            "GET /.well-known/openid-configuration" => {
                let document = serde_json::json!({
                    "issuer": format!("http://{host}"),
                    "jwks_uri": format!("http://{host}/keys"),
                });
                Reply::With(200, document.to_string())
            }
            "GET /keys" => Reply::With(200, keys.clone()),
            _ => Reply::With(404, String::new()),
        }
    }
}

fn settings(issuer: &str) -> ProviderSettings {
    ProviderSettings {
        name: "test".to_owned(),
        issuer: issuer.to_owned(),
        audience: vec![AUDIENCE.to_owned()],
        scope: Vec::new(),
        claim: "email".to_owned(),
        proof: TokenProof::Signature {
            algorithms: vec![SignatureAlgorithm::Es256],
            types: ["at+jwt", "JWT"].map(str::to_owned).to_vec(),
            jwks_uri: None,
        },
    }
}

fn providers(settings: ProviderSettings) -> Providers {
    within(Duration::from_secs(30), settings)
}

/// That are given so long to answer.
fn within(deadline: Duration, settings: ProviderSettings) -> Providers {
    let fetcher = Fetcher::new(deadline, &[]).unwrap();
    Providers::new(vec![Provider::new(settings, fetcher).unwrap()])
}

/// The claims of a good token.
fn claims(issuer: &str) -> serde_json::Value {
    serde_json::json!({
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": "4711",
        "exp": now().as_second() + 300,
        "iat": now().as_second(),
        "email": "alice@example.org",
        "email_verified": true,
    })
}

async fn judge(providers: &Providers, token: &str, now: Timestamp) -> Result<Judged, ProviderFault> {
    providers.judge(&Secret::new(token), now).await
}

/// Alice, until then.
fn alice(until: i64) -> Judged {
    let account = "alice@example.org".to_owned();
    Judged::Good(Identified { provider: "test".to_owned(), account, until: after(until) })
}
