//! Why a token could not be judged. That is for the operator; the client has done nothing wrong.

use types::Endpoint;

use crate::fetch::FetchError;

/// A provider that does not answer as it should.
#[derive(Debug, thiserror::Error)]
#[error("provider {provider} cannot be asked about tokens")]
pub struct ProviderFault {
    /// The provider's name in the configuration.
    pub provider: String,
    /// What is wrong.
    #[source]
    pub trouble: ProviderTrouble,
}

/// What is wrong with an answer, or with getting one.
#[derive(Debug, thiserror::Error)]
pub enum ProviderTrouble {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("{endpoint} answers with status {status}; {}", advice(*status))]
    Status { endpoint: Endpoint, status: u16 },
    #[error("the answer of {endpoint} {wrong}")]
    Answer { endpoint: Endpoint, wrong: &'static str },
    /// The provider is not asked again so soon after a failure.
    #[error("it did not answer a moment ago, and is not asked again so soon")]
    Lately,
    #[error("too many logins are waiting for its answer already")]
    Busy,
}

fn advice(status: u16) -> &'static str {
    match status {
        300..=399 => "redirects are not followed, so write where they lead",
        401 | 403 => "are client_id and client_secret_file right?",
        404 | 405 => "are issuer, jwks_uri and introspection_endpoint right?",
        _ => "the provider's own log may say why",
    }
}
