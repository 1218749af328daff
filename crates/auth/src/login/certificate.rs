//! Client certificates: known by their fingerprint, whoever signed them.

use std::time::SystemTime;

use backends::http::Evidence;
use store::{Account, Certificate, Certificates as _};
use types::ClientCertificate;

use super::attempt::Origin;
use super::authenticator::Authenticator;
use super::backend::Backend;
use super::claimed::Claimed;
use super::judgement::{Denial, Judgement, refused};
use super::outcome::{Credential, Reason, User};
use crate::session_rights::has_passed;

impl Authenticator {
    pub(super) async fn by_certificate(&self, claimed: &Claimed, origin: &Origin) -> Judgement<User> {
        let shown = origin.session.as_ref().and_then(|session| session.client_certificate.as_deref());
        let shown = shown.ok_or(refused(Reason::NoCertificate))?;
        for backend in self.backends.load_full().iter() {
            let known = match backend {
                Backend::Accounts => self.certificate_in_accounts(shown, claimed).await?,
                Backend::OAuth(_) => None,
                Backend::Http(handler) => {
                    let proven = self.by_handler(handler, claimed, Evidence::Certificate, origin).await?;
                    proven.map(|proven| proven.user)
                }
            };
            if let Some(user) = known {
                return Ok(user);
            }
        }
        Err(refused(Reason::UnknownCertificate))
    }

    async fn certificate_in_accounts(
        &self,
        shown: &ClientCertificate,
        claimed: &Claimed,
    ) -> Judgement<Option<User>> {
        let Some((certificate, account)) = self.store.by_fingerprint(&shown.fingerprint).await? else {
            return Ok(None);
        };
        let credential = Credential::Certificate(certificate.fingerprint);
        match self.flaw_of(shown, &certificate, &account, claimed) {
            None => Ok(Some(User::of(&account, credential))),
            Some(reason) => Err(Denial::of(credential, reason)),
        }
    }

    /// Why the certificate is not good for this attempt.
    fn flaw_of(
        &self,
        shown: &ClientCertificate,
        certificate: &Certificate,
        account: &Account,
        claimed: &Claimed,
    ) -> Option<Reason> {
        let now = (self.now)();
        let valid = (shown.not_before..=shown.not_after).contains(&SystemTime::from(now));
        [
            (!claimed.may_be(&account.address), Reason::CertificateOfAnother),
            (account.disabled, Reason::Disabled),
            (!valid || has_passed(certificate.expires_at, now), Reason::Expired),
        ]
        .into_iter()
        .find_map(|(wrong, reason)| wrong.then_some(reason))
    }
}
