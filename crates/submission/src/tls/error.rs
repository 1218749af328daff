//! Why TLS cannot be offered, for whoever starts the server or reloads its certificate.

use std::io;

use super::pem::PemError;

/// A certificate or key that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file is missing or is not PEM.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// The private key belongs to another certificate, or either is of a kind that TLS cannot use.
    #[error("the certificate and the private key cannot be used together")]
    Pair(#[source] rustls::Error),
    /// The certificate is not one of RFC 5280.
    #[error("the certificate cannot be understood: {0}")]
    Certificate(String),
    /// The TLS library refused what it was asked to do.
    #[error("TLS cannot be set up")]
    Setup(#[source] rustls::Error),
    /// The handshake in memory failed.
    #[error("TLS cannot be tried out")]
    Memory(#[source] io::Error),
}
