//! Where a provider publishes its keys (OpenID Connect Discovery 1.0 section 4, RFC 8414 section 3).

use types::Endpoint;

use super::fault::ProviderTrouble;
use super::json::Object;
use crate::fetch::{Fetched, Fetcher};

/// Asks the issuer where its keys are. The issuer in its document must be that of the configuration, to the letter (RFC 8414
/// section 3.3), and the keys must be on the same server: a document that leads elsewhere could lead anywhere.
pub(crate) async fn keys_of(
    issuer: &str,
    at: &Endpoint,
    fetcher: &Fetcher,
) -> Result<Endpoint, ProviderTrouble> {
    let (endpoint, answer) = document(at, fetcher).await?;
    let refuse = |wrong| Err(ProviderTrouble::Answer { endpoint: endpoint.clone(), wrong });
    let Some(document) = Object::parse(&answer.body) else { return refuse("is not an object of JSON") };
    if document.text("issuer") != Some(issuer) {
        return refuse(
            "names another issuer than the configuration; write there what it says, if that is right",
        );
    }
    match document.text("jwks_uri").map(Endpoint::parse) {
        Some(Ok(keys)) if keys.has_origin_of(at) => Ok(keys),
        Some(Ok(_)) => {
            refuse("names keys on another server; write jwks_uri into the configuration, if that is right")
        }
        Some(Err(_)) | None => refuse("names no keys that can be asked for by https"),
    }
}

/// The document of OpenID Connect, else that of OAuth, which stands before the path of the issuer.
async fn document(at: &Endpoint, fetcher: &Fetcher) -> Result<(Endpoint, Fetched), ProviderTrouble> {
    let openid = at.with_path(|path| format!("{path}/.well-known/openid-configuration"));
    let answer = fetcher.get(&openid, &[]).await?;
    match answer.status {
        200 => Ok((openid, answer)),
        404 => {
            let oauth = at.with_path(|path| format!("/.well-known/oauth-authorization-server{path}"));
            let answer = good(&oauth, fetcher.get(&oauth, &[]).await?)?;
            Ok((oauth, answer))
        }
        status => Err(ProviderTrouble::Status { endpoint: openid, status }),
    }
}

/// An answer with status 200; any other has nothing to say.
pub(crate) fn good(endpoint: &Endpoint, answer: Fetched) -> Result<Fetched, ProviderTrouble> {
    match answer.status {
        200 => Ok(answer),
        status => Err(ProviderTrouble::Status { endpoint: endpoint.clone(), status }),
    }
}
