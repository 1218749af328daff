//! Certificates that clients log in with, whoever has signed them.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use store::{Account, Act, Certificate, CertificatePlace, Certificates as _, Page};
use types::Fingerprint;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

use crate::{Desk, Listed, Missing, Taken, Trouble, view};

/// A certificate, as somebody shows it.
#[derive(Debug, Clone, Copy)]
pub enum ShownCertificate<'a> {
    /// The whole certificate, in DER (RFC 5280 section 4.1).
    Der(&'a [u8]),
    /// Its fingerprint alone, which does not say when it expires.
    Fingerprint(Fingerprint),
}

impl ShownCertificate<'_> {
    /// What the certificate is known by, and when it expires, if that is known.
    fn read(self, now: Timestamp) -> Result<(Fingerprint, Option<Timestamp>), Trouble> {
        let der = match self {
            ShownCertificate::Der(der) => der,
            ShownCertificate::Fingerprint(fingerprint) => return Ok((fingerprint, None)),
        };
        let (_, certificate) = X509Certificate::from_der(der).map_err(|_| Trouble::NoCertificate)?;
        // RFC 5280 section 4.1.2.5: the end of the year 9999, which lies beyond our calendar, means that it has no end.
        let expires_at = Timestamp::from_second(certificate.validity().not_after.timestamp()).ok();
        match expires_at {
            Some(end) if end <= now => Err(Trouble::Expired(end)),
            end => Ok((Fingerprint::from_octets(Sha256::digest(der).into()), end)),
        }
    }
}

impl Desk {
    /// Lets an account log in with a certificate until that expires, whoever has signed it.
    ///
    /// # Errors
    /// [`Trouble::NoCertificate`], [`Trouble::Expired`], [`Taken::Certificate`].
    pub async fn trust_certificate(
        &self,
        act: &Act,
        account: &Account,
        label: String,
        shown: ShownCertificate<'_>,
    ) -> Result<view::Certificate, Trouble> {
        let (fingerprint, expires_at) = shown.read(act.at)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_taken_at_its_word_and_other_octets_are_no_certificate() {
        let fingerprint = Fingerprint::from_octets([7; 32]);
        let read = |shown: ShownCertificate<'_>| shown.read(Timestamp::UNIX_EPOCH);
        assert_eq!(read(ShownCertificate::Fingerprint(fingerprint)).unwrap(), (fingerprint, None));
        for octets in [&b""[..], b"-----BEGIN CERTIFICATE-----", &[0x30, 0x80]] {
            assert_eq!(read(ShownCertificate::Der(octets)).unwrap_err().code(), "no-certificate-given");
        }
    }
}
