//! Who is asked about logins: the accounts, OAuth providers, the operator's own program.

use anyhow::Context as _;
use auth::Backend;
use backends::http::{HttpHandler, HttpSettings};
use config::Config;

use super::{files, providers};

/// Who is asked about logins.
///
/// # Errors
/// When what one of them needs cannot be read.
pub(crate) fn backends(config: &Config) -> anyhow::Result<Vec<Backend>> {
    let backend = |backend: &config::Backend| match backend {
        config::Backend::Accounts => Ok(Backend::Accounts),
        config::Backend::OAuth => providers::providers(&config.oauth).map(Backend::OAuth),
        config::Backend::Http => {
            let settings = config.auth.http.as_ref().context("auth.http is missing")?;
            http(settings).map(Backend::Http)
        }
    };
    config.auth.backends.iter().map(backend).collect()
}

/// The program that judges logins.
///
/// # Errors
/// When its secret, or the CA, cannot be read or is of no use.
fn http(http: &config::Http) -> anyhow::Result<HttpHandler> {
    let settings = HttpSettings {
        endpoint: http.url.clone(),
        secret: files::first_line(&http.secret_file, "auth.http.secret_file", "the secret")?,
        timeout: http.timeout,
        concurrency: usize::try_from(http.concurrency).unwrap_or(usize::MAX),
        authorities: files::trust(http.tls_ca.as_deref(), "auth.http.tls_ca")?,
    };
    HttpHandler::new(settings).context("auth.http")
}
