//! `client-final-message = "c=" base64 ",r=" nonce ["," extensions] ",p=" base64` (RFC 5802 section 7).

use types::Secret;

use super::attributes::{Attributes, is_nonce};
use crate::base64;
use crate::exchange_error::ExchangeError;

/// What the client says last.
#[derive(Debug)]
pub(super) struct ClientFinal<'a> {
    /// What it binds its proof to, behind the header it began with.
    pub(super) binding: Secret,
    pub(super) nonce: &'a str,
    pub(super) proof: [u8; 32],
    /// Everything before the proof.
    pub(super) without_proof: &'a str,
}

impl<'a> ClientFinal<'a> {
    pub(super) fn parse(message: &'a Secret) -> Result<Self, ExchangeError> {
        let text = message.declassify_str().ok_or(ExchangeError::Malformed)?;
        let (without_proof, proof) = text.rsplit_once(",p=").ok_or(ExchangeError::Malformed)?;
        let mut attributes = Attributes::of(without_proof);
        let binding = octets(attributes.next('c')?)?;
        let nonce = attributes.next('r')?;
        attributes.end()?;
        if !is_nonce(nonce) {
            return Err(ExchangeError::Malformed);
        }
        let proof = octets(proof)?.declassify().try_into().map_err(|_| ExchangeError::Malformed)?;
        Ok(Self { binding, nonce, proof, without_proof })
    }
}

/// Base64 within a message: what is wrong with it is wrong with the message.
fn octets(text: &str) -> Result<Secret, ExchangeError> {
    base64::decode(text).map_err(|_| ExchangeError::Malformed)
}
