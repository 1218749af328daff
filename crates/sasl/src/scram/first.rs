//! `client-first-message = gs2-header "n=" saslname ",r=" c-nonce ["," extensions]` (RFC 5802 section 7).

use types::Secret;

use super::attributes::{Attributes, is_nonce};
use super::prepare;
use crate::exchange_error::ExchangeError;
use crate::gs2::{BindingFlag, Gs2Header, read_saslname};

/// The most octets of a client's nonce. We say it after the client, and our lines have a limit too.
pub(super) const MAX_NONCE: usize = 1024;

/// What the client says first.
#[derive(Debug)]
pub(super) struct ClientFirst<'a> {
    pub(super) flag: BindingFlag<'a>,
    /// As it stands there, since the client has to repeat it.
    pub(super) gs2_header: &'a str,
    pub(super) authzid: Option<String>,
    pub(super) username: String,
    pub(super) nonce: &'a str,
    /// Everything behind the header.
    pub(super) bare: &'a str,
}

impl<'a> ClientFirst<'a> {
    pub(super) fn parse(message: &'a Secret) -> Result<Self, ExchangeError> {
        let text = message.declassify_str().ok_or(ExchangeError::Malformed)?;
        let (Gs2Header { flag, authzid }, bare) = Gs2Header::split(text)?;
        let mut attributes = Attributes::of(bare);
        let username = read_saslname(attributes.next('n')?)?;
        let nonce = attributes.next('r')?;
        attributes.end()?;
        if !prepare::allows_name(&username) || !is_nonce(nonce) || nonce.len() > MAX_NONCE {
            return Err(ExchangeError::Malformed);
        }
        let gs2_header = text.strip_suffix(bare).unwrap_or_default();
        Ok(Self { flag, gs2_header, authzid, username, nonce, bare })
    }
}
