//! Signs a message that streams by.

use std::fmt;

use mail_auth::common::headers::HeaderWriter as _;
use mail_auth::dkim::{Canonicalization, DkimSigner, DkimSigningStream, Done};
use types::DkimKeyName;

use super::blank_end::BlankEnd;
use super::covered::covered;
use super::signing_key::{SharedKey, SigningKey};
use crate::header::HeaderError;

/// What signs one message: the keys of its domain, with its header section.
pub struct Signers<'s> {
    section: &'s [u8],
    signers: Vec<(DkimKeyName, DkimSigner<SharedKey, Done>)>,
}

/// A message under way, whose body comes piece by piece.
pub struct Signing<'a> {
    streams: Vec<(&'a DkimKeyName, DkimSigningStream<'a, SharedKey>)>,
    blank_end: BlankEnd,
}

/// A key did not sign.
#[derive(Debug, thiserror::Error)]
#[error("the DKIM key {key} did not sign the message: {reason}")]
pub struct NotSigned {
    /// The name of its record.
    pub key: DkimKeyName,
    reason: String,
}

impl<'s> Signers<'s> {
    /// What signs the message with this header section, which was accepted before and is given without its blank line.
    ///
    /// # Errors
    /// [`HeaderError`] for a section that was not.
    pub fn new(keys: &[SigningKey], section: &'s [u8]) -> Result<Self, HeaderError> {
        let covered = covered(section)?;
        let signers = keys.iter().map(|key| (key.name.clone(), signer(key, &covered, section))).collect();
        Ok(Self { section, signers })
    }

    /// Begins to sign. The body follows.
    #[must_use]
    pub fn begin(&self) -> Signing<'_> {
        let streams = self.signers.iter().map(|(key, signer)| (key, signer.sign_streaming()));
        let mut streams: Vec<_> = streams.collect();
        for (_, stream) in &mut streams {
            stream.write(self.section);
            stream.write(b"\r\n");
        }
        Signing { streams, blank_end: BlankEnd::default() }
    }
}

/// Relaxed canonicalization of header and body (RFC 6376 sections 3.4.2 and 3.4.4), no `l=` (section 8.2), no `x=`.
///
/// A form feed is white space to mail-auth and to nobody else: a header section with one is signed as it stands (section 3.4.1).
fn signer(key: &SigningKey, covered: &[&'static str], section: &[u8]) -> DkimSigner<SharedKey, Done> {
    let header = match memchr::memchr(b'\x0c', section) {
        None => Canonicalization::Relaxed,
        Some(_) => Canonicalization::Simple,
    };
    DkimSigner::from_key(key.private.clone())
        .domain(key.name.domain())
        .selector(key.name.selector().as_str())
        .headers(covered.iter().copied())
        .header_canonicalization(header)
        .body_canonicalization(Canonicalization::Relaxed)
}

impl Signing<'_> {
    /// Takes the next octets of the body, cut anywhere, whose lines end with CRLF.
    pub fn body(&mut self, octets: &[u8]) {
        let Self { streams, blank_end } = self;
        blank_end.feed(octets, |within| streams.iter_mut().for_each(|(_, stream)| stream.write(within)));
    }

    /// The body has ended: the signatures, as fields to stand before all others.
    ///
    /// # Errors
    /// [`NotSigned`], if one of the keys did not.
    pub fn finish(self) -> Result<String, NotSigned> {
        let Self { mut streams, blank_end } = self;
        blank_end.finish(|end| streams.iter_mut().for_each(|(_, stream)| stream.write(end)));
        let field = |(key, stream): (&DkimKeyName, DkimSigningStream<'_, SharedKey>)| match stream.finish() {
            Ok(signature) => Ok(signature.to_header()),
            Err(error) => Err(NotSigned { key: key.clone(), reason: error.to_string() }),
        };
        streams.into_iter().map(field).collect()
    }
}

impl fmt::Debug for Signers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signers").finish_non_exhaustive()
    }
}

impl fmt::Debug for Signing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signing").finish_non_exhaustive()
    }
}
