//! Certificates that clients log in with.

use std::future::Future;

use jiff::Timestamp;
use types::{AccountId, Fingerprint};

use crate::{Account, Act, Error, LastUse, Page};

/// A client's certificate, by its fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// What it is known by.
    pub fingerprint: Fingerprint,
    /// Who logs in with it.
    pub account: AccountId,
    /// Where it is in use, in its owner's words.
    pub label: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it becomes invalid, if that is known.
    pub expires_at: Option<Timestamp>,
    /// When, where from and how it was last used.
    pub last_used: Option<LastUse>,
}

/// The place of a certificate in the list of its account.
pub type CertificatePlace = (Timestamp, Fingerprint);

impl Certificate {
    /// Its place in the list of its account.
    #[must_use]
    pub fn place(&self) -> CertificatePlace {
        (self.created_at, self.fingerprint)
    }
}

/// The certificates. Every change goes into the audit trail in the same transaction.
pub trait Certificates: Send + Sync + 'static {
    /// Adds a certificate; [`Error::AlreadyExists`] if it is somebody's already, [`Error::NotFound`] without such an
    /// account.
    fn add_certificate(
        &self,
        certificate: &Certificate,
        act: &Act,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// The certificate with this fingerprint, and its account.
    fn by_fingerprint(
        &self,
        fingerprint: &Fingerprint,
    ) -> impl Future<Output = Result<Option<(Certificate, Account)>, Error>> + Send;

    /// A page of the certificates of an account, oldest first.
    fn certificates(
        &self,
        account: AccountId,
        page: Page<CertificatePlace>,
    ) -> impl Future<Output = Result<Vec<Certificate>, Error>> + Send;

    /// Removes a certificate of this account; `false` if it has no such certificate.
    fn remove_certificate(
        &self,
        account: AccountId,
        fingerprint: &Fingerprint,
        act: &Act,
    ) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Notes a use. Written soon, together with others: logging in never waits for it.
    fn certificate_used(&self, fingerprint: Fingerprint, last_use: LastUse);
}
