//! TLS: the server's certificate, what a listener offers with it, and the records of a connection.

mod version;
mod error;
mod agreed;
pub mod pem;
mod certificate;
mod end_point;
mod identity;
mod document_signer;
pub mod client_certificate;
mod exporter;
mod bound;
mod client_hello;
pub(crate) mod failure;
pub(crate) mod records;
pub(crate) mod offer;
mod warm_up;

pub use rustls::pki_types::{CertificateDer, PrivateKeyDer};

pub use self::agreed::agreed;
pub use self::certificate::CertificateFacts;
pub use self::document_signer::{DocumentAlgorithm, DocumentSigner};
pub use self::error::TlsError;
pub use self::identity::Identity;
pub use self::offer::for_other_protocol;
pub use self::warm_up::warm_up;
