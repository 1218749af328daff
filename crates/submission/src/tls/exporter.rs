//! `tls-exporter` (RFC 9266): a login is bound to one TLS connection, by octets that its two ends alone can know.
//!
//! rustls does not export keying material through the interface that [`Records`](crate::tls::records::Records) uses, but it
//! tells whoever keeps a log of keys the secret that it would be made of. So here is a log which takes that one secret, has
//! no way out but the binding, and is empty as soon as that is made.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use rustls::crypto::tls13::{HkdfExpander, OkmBlock};
use rustls::{KeyLog, SupportedCipherSuite, Tls13CipherSuite};
use types::Secret;

/// `exporter_master_secret` (RFC 8446 section 7.1), as logs of keys name it. It opens no traffic.
const LABEL: &str = "EXPORTER_SECRET";

/// RFC 9266 section 4.2.
const BINDING: &[u8] = b"EXPORTER-Channel-Binding";
const OCTETS: usize = 32;

/// The secret of one connection, between its first flight and its binding. Wiped when dropped.
#[derive(Default)]
pub(crate) struct Exporter(Mutex<Option<OkmBlock>>);

impl Exporter {
    /// The binding of the connection, which has agreed on `suite`. There is none under TLS 1.2, where it would mean
    /// something only with an extended master secret (RFC 9266 section 3), of which rustls does not tell; nor a
    /// second time.
    pub(crate) fn binding(&self, suite: SupportedCipherSuite) -> Option<Secret> {
        let secret = self.0.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        export(suite.tls13()?, &secret)
    }
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exporter(…)")
    }
}

impl KeyLog for Exporter {
    fn log(&self, label: &str, _: &[u8], secret: &[u8]) {
        // Under TLS 1.2 nobody asks whether it will be logged.
        if self.will_log(label) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(OkmBlock::new(secret));
        }
    }

    fn will_log(&self, label: &str) -> bool {
        label == LABEL
    }
}

/// TLS-Exporter of RFC 8446 section 7.5, with an empty context.
fn export(suite: &Tls13CipherSuite, secret: &OkmBlock) -> Option<Secret> {
    let nothing = suite.common.hash_provider.hash(&[]);
    let expander = suite.hkdf_provider.expander_for_okm(secret);
    let derived = expand(&*expander, BINDING, nothing.as_ref(), expander.hash_len())?;
    let expander = suite.hkdf_provider.expander_for_okm(&OkmBlock::new(derived.declassify()));
    expand(&*expander, b"exporter", nothing.as_ref(), OCTETS)
}

/// HKDF-Expand-Label of RFC 8446 section 7.1.
fn expand(expander: &dyn HkdfExpander, label: &[u8], context: &[u8], octets: usize) -> Option<Secret> {
    const PREFIX: &[u8] = b"tls13 ";
    let length = u16::try_from(octets).ok()?.to_be_bytes();
    let of_label = [u8::try_from(PREFIX.len() + label.len()).ok()?];
    let of_context = [u8::try_from(context.len()).ok()?];
    let mut output = vec![0; octets];
    expander.expand_slice(&[&length, &of_label, PREFIX, label, &of_context, context], &mut output).ok()?;
    Some(Secret::new(output))
}
