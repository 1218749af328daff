//! Who is asked about a login.

use backends::http::HttpHandler;
use backends::oauth::Providers;

/// One of the backends, which are asked in their order. The first that knows the user decides; if one fails, later ones are not
/// asked and the login is deferred (454), for nobody can tell what it would have said.
#[derive(Debug)]
pub enum Backend {
    /// The accounts of the store, with their passwords, app passwords and certificates.
    Accounts,
    /// OAuth providers, for access tokens alone.
    OAuth(Providers),
    /// A program of the operator's own.
    Http(HttpHandler),
}

impl Backend {
    pub(crate) fn providers(&self) -> Option<&Providers> {
        match self {
            Backend::OAuth(providers) => Some(providers),
            Backend::Accounts | Backend::Http(_) => None,
        }
    }
}
