//! The backends that are asked about a login.

use backends::http::HttpHandler;
use backends::oauth::Providers;
use store::Account;

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
    /// The OAuth providers, if this backend is those.
    pub(crate) fn providers(&self) -> Option<&Providers> {
        match self {
            Backend::OAuth(providers) => Some(providers),
            Backend::Accounts | Backend::Http(_) => None,
        }
    }
}

/// Whether the account, having no password, may be that of somebody whom another backend knows.
pub(super) fn may_be_of_another(account: &Account) -> bool {
    !account.disabled && account.password_hash.is_none()
}
