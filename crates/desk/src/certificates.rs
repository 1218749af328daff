//! Certificates that clients log in with, whoever has signed them.

use jiff::Timestamp;
use store::{Account, Act, Certificate, CertificatePlace, Certificates as _, Page};
use types::Fingerprint;

use crate::{Desk, Listed, Missing, Taken, Trouble, view};

impl Desk {
    /// Lets an account log in with the certificate that has this fingerprint, until it expires, if that is known.
    ///
    /// # Errors
    /// [`Taken::Certificate`].
    pub async fn trust_certificate(
        &self,
        act: &Act,
        account: &Account,
        label: String,
        (fingerprint, expires_at): (Fingerprint, Option<Timestamp>),
    ) -> Result<view::Certificate, Trouble> {
        let certificate = Certificate {
            fingerprint,
            account: account.id,
            label,
            created_at: act.at,
            expires_at,
            last_used: None,
        };
        match self.accounts.add_certificate(&certificate, act).await {
            Err(store::Error::AlreadyExists) => {
                let found = self.accounts.by_fingerprint(&fingerprint).await?;
                let owner = found.map(|(_, account)| account.address);
                Err(Taken::Certificate { owner, fingerprint }.into())
            }
            added => Ok(added.map(|()| view::Certificate::of(&certificate))?),
        }
    }

    /// A page of the certificates of an account, oldest first.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn certificates(
        &self,
        account: &Account,
        page: Page<CertificatePlace>,
    ) -> Result<Listed<view::Certificate, CertificatePlace>, Trouble> {
        let certificates = self.accounts.certificates(account.id, page).await?;
        let last = certificates.last().map(Certificate::place);
        Ok(Listed { items: certificates.iter().map(view::Certificate::of).collect(), last })
    }

    /// No longer lets an account log in with this certificate.
    ///
    /// # Errors
    /// [`Missing::Certificate`].
    pub async fn distrust_certificate(
        &self,
        act: &Act,
        account: &Account,
        fingerprint: Fingerprint,
    ) -> Result<(), Trouble> {
        match self.accounts.remove_certificate(account.id, &fingerprint, act).await? {
            true => Ok(()),
            false => Err(Missing::Certificate { account: account.address.clone(), fingerprint }.into()),
        }
    }
}
