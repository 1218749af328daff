//! Client certificates: known by their fingerprint, whoever signed them.

use std::time::SystemTime;

use store::{Account, Certificate};
use types::ClientCertificate;

use super::{Authenticator, Claimed, CredentialStore, Denial, refused, user};
use crate::Backend;
use crate::login::attempt::Origin;
use crate::login::outcome::{Credential, Reason, Refusal, User};
use crate::session_rights::has_passed;
use backends::http::Evidence;

impl<S: CredentialStore> Authenticator<S> {
    pub(super) async fn by_certificate(&self, claimed: &Claimed, origin: &Origin) -> Result<User, Denial> {
        let shown = origin.session.as_ref().and_then(|session| session.client_certificate.as_deref());
        let shown = shown.ok_or(refused(Reason::NoCertificate))?;
        for backend in self.row.load_full().iter() {
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
    ) -> Result<Option<User>, Denial> {
        let Some((certificate, account)) = self.store.by_fingerprint(&shown.fingerprint).await? else {
            return Ok(None);
        };
        let credential = Credential::Certificate(certificate.fingerprint);
        match self.fault_of(shown, &certificate, &account, claimed) {
            None => Ok(Some(user(&account, credential))),
            Some(reason) => Err(Denial::Refused(Refusal { reason, matched: Some(credential) })),
        }
    }

    /// Why the certificate is not good for this attempt.
    fn fault_of(
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
