//! PEM files: certificates and private keys. The one place that uses rustls-pemfile.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// What stands for the path of text that is in no file.
const IN_MEMORY: &str = "the PEM text";

/// A PEM file that could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PemError {
    /// The file cannot be opened or read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is there, but not in the form of RFC 7468.
    #[error("{} is not valid PEM", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no section of the kind that was looked for.
    #[error("{} holds no {wanted}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// `certificate` or `private key`.
        wanted: &'static str,
    },
}

impl PemError {
    /// The file that is no use.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Unreadable { path, .. } | Self::Malformed { path, .. } | Self::Missing { path, .. } => path,
        }
    }
}

/// Every certificate in a file, in its order: the server's own first, then those that vouch for it.
///
/// # Errors
/// When the file cannot be read, is malformed, or holds no certificate.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, PemError> {
    read_certificates(&read(path)?, path)
}

/// The same of text in memory.
///
/// # Errors
/// When it is malformed, or holds no certificate.
pub fn certificates_in(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, PemError> {
    read_certificates(text, Path::new(IN_MEMORY))
}

fn read_certificates(mut text: &[u8], path: &Path) -> Result<Vec<CertificateDer<'static>>, PemError> {
    let chain = rustls_pemfile::certs(&mut text)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|source| PemError::Malformed { path: path.to_owned(), source })?;
    if chain.is_empty() { Err(missing(path, "certificate")) } else { Ok(chain) }
}

/// The first private key in a file: PKCS#8, PKCS#1 (RSA) or SEC1 (elliptic curves).
///
/// # Errors
/// When the file cannot be read, is malformed, or holds no key that is unencrypted.
pub fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, PemError> {
    read_private_key(&read(path)?, path)
}

/// The same of text in memory.
///
/// # Errors
/// When it is malformed, or holds no key that is unencrypted.
pub fn private_key_in(text: &[u8]) -> Result<PrivateKeyDer<'static>, PemError> {
    read_private_key(text, Path::new(IN_MEMORY))
}

fn read_private_key(mut text: &[u8], path: &Path) -> Result<PrivateKeyDer<'static>, PemError> {
    rustls_pemfile::private_key(&mut text)
        .map_err(|source| PemError::Malformed { path: path.to_owned(), source })?
        .ok_or_else(|| missing(path, "private key"))
}

fn read(path: &Path) -> Result<Vec<u8>, PemError> {
    fs::read(path).map_err(|source| PemError::Unreadable { path: path.to_owned(), source })
}

fn missing(path: &Path, wanted: &'static str) -> PemError {
    PemError::Missing { path: path.to_owned(), wanted }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn a_key_is_not_a_certificate() {
        let pair = rcgen::generate_simple_self_signed(["a.test".to_owned()]).unwrap();
        let key = file(&pair.signing_key.serialize_pem());
        assert!(private_key(key.path()).is_ok());
        let error = certificates(key.path()).unwrap_err();
        assert!(error.to_string().ends_with("holds no certificate"), "{error}");
    }

    #[test]
    fn a_chain_keeps_its_order() {
        let own = rcgen::generate_simple_self_signed(["a.test".to_owned()]).unwrap().cert;
        let next = rcgen::generate_simple_self_signed(["b.test".to_owned()]).unwrap().cert;
        let both = file(&(own.pem() + &next.pem()));
        assert_eq!(certificates(both.path()).unwrap(), [own.der().clone(), next.der().clone()]);
    }

    #[test]
    fn errors_name_the_file() {
        let cut = file("-----BEGIN CERTIFICATE-----\nAAAA\n");
        assert!(matches!(certificates(cut.path()), Err(PemError::Malformed { .. })));
        let error = private_key(Path::new("/nonexistent/key.pem")).unwrap_err();
        assert_eq!(error.to_string(), "cannot read /nonexistent/key.pem");
    }
}
