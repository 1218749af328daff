//! What is noted of a login that succeeded: when and from where the credential was used, which is asked about where that is new, and which network is familiar to the account.

use store::{Accounts as _, AppPasswords as _, Certificates as _, LastUse, NewSignIn, SignIns as _};
use types::SignInId;

use super::attempt::{Door, Origin};
use super::authenticator::Authenticator;
use super::outcome::{Credential, User};

impl Authenticator {
    /// Notes a login; an attempt that was only examined is none. The network becomes familiar by a right account password
    /// alone: each familiar network may guess at it, so nobody with only an app password or a token can make more of them.
    pub(super) fn note_use(&self, user: &User, is_guess: bool, door: Door, origin: &Origin) {
        let (Some(mechanism), Some(_)) = (origin.mechanism, origin.session_id()) else { return };
        let (at, ip) = ((self.now)(), origin.ip);
        let last_use = LastUse { at, ip, mechanism: mechanism.to_owned() };
        match &user.credential {
            Credential::AppPassword(id) => self.store.used(*id, last_use),
            Credential::Certificate(fingerprint) => self.store.certificate_used(*fingerprint, last_use),
            Credential::AccountPassword
            | Credential::Token { .. }
            | Credential::Http { .. }
            | Credential::ProxyLogin => {}
        }
        self.store.note_sign_in(NewSignIn {
            id: SignInId::new(u64::try_from(at.as_millisecond()).unwrap_or_default(), rand::random()),
            account: user.account,
            credential: user.credential.to_string(),
            ip,
            scope: door.name(),
            at,
        });
        let is_account_password = is_account_password(&user.credential, is_guess);
        self.store.logged_in(user.account, at, is_account_password.then(|| origin.network()));
    }
}

/// Whether the login was by what is guarded as the account password: that of the store, or what the HTTP handler takes for one.
fn is_account_password(credential: &Credential, is_guess: bool) -> bool {
    match credential {
        Credential::AccountPassword => true,
        Credential::Http { .. } => is_guess,
        Credential::AppPassword(_)
        | Credential::Certificate(_)
        | Credential::Token { .. }
        | Credential::ProxyLogin => false,
    }
}
