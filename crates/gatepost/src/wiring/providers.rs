//! From `[[oauth.provider]]` to those who are asked about access tokens.

use anyhow::Context as _;
use backends::fetch::Fetcher;
use backends::oauth::{Provider, ProviderSettings, Providers, TokenProof};
use config::{OAuthProof, OAuthProvider};

use super::files;

/// Everybody whose tokens are taken. Nobody is asked yet.
///
/// # Errors
/// When a secret or a CA can't be read.
pub(crate) fn providers(providers: &[OAuthProvider]) -> anyhow::Result<Providers> {
    let providers: anyhow::Result<_> = providers.iter().map(provider).collect();
    Ok(Providers::new(providers?))
}

fn provider(provider: &OAuthProvider) -> anyhow::Result<Provider> {
    let OAuthProvider { name, issuer, audience, scope, claim, .. } = provider.clone();
    let trust = files::trust(provider.tls_ca.as_deref(), "oauth.provider.tls_ca")?;
    let fetcher = Fetcher::new(provider.timeout, &trust)?;
    let proof = proof(&provider.proof)?;
    let settings = ProviderSettings { name, issuer, audience, scope, claim, proof };
    Provider::new(settings, fetcher).context("oauth.provider.issuer")
}

fn proof(proof: &OAuthProof) -> anyhow::Result<TokenProof> {
    Ok(match proof {
        OAuthProof::Signature { algorithms, types, jwks_uri } => TokenProof::Signature {
            algorithms: algorithms.clone(),
            types: types.clone(),
            jwks_uri: jwks_uri.clone(),
        },
        OAuthProof::Introspection { endpoint, client_id, client_secret_file } => TokenProof::Introspection {
            endpoint: endpoint.clone(),
            client_id: client_id.clone(),
            client_secret: files::first_line(
                client_secret_file,
                "oauth.provider.client_secret_file",
                "the client's secret",
            )?,
        },
    })
}
