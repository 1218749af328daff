//! The steps of the exchange, from the server's side.

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use types::{Mechanism, Secret};

use super::claim::{ScramClaim, ScramFlaw};
use super::first::ClientFirst;
use super::last::ClientFinal;
use super::parameters::ScramParameters;
use crate::base64;
use crate::binding::ChannelBindings;
use crate::circumstances::Circumstances;
use crate::exchange_error::ExchangeError;
use crate::gs2::BindingFlag;
use crate::nonce::Nonce;

/// Iterations when nobody says how many; a judge that keeps keys has a number of its own. RFC 7677 section 4 asks for 4096 at least; a phone makes these in a blink.
const ITERATIONS: u32 = 20_000;

/// Octets of a salt that is made up.
const SALT: usize = 16;

/// Waits for the client-first-message.
#[derive(Debug)]
pub(crate) struct AwaitingFirst {
    mechanism: Mechanism,
    nonce: Nonce,
    bindings: ChannelBindings,
    offers_plus: bool,
}

impl AwaitingFirst {
    pub(crate) fn new(mechanism: Mechanism, circumstances: &Circumstances<'_>) -> Self {
        let Circumstances { nonce, bindings, offers_plus, .. } = *circumstances;
        Self { mechanism, nonce: nonce.clone(), bindings: bindings.clone(), offers_plus }
    }

    pub(crate) fn take(self, message: &Secret) -> Result<AwaitingSalt, ExchangeError> {
        let first = ClientFirst::parse(message)?;
        Ok(AwaitingSalt {
            binding: self.binding(&first),
            nonces: format!("{}{}", first.nonce, self.nonce),
            first_bare: first.bare.to_owned(),
            authzid: first.authzid,
            username: first.username,
            mechanism: self.mechanism,
            nonce: self.nonce,
        })
    }

    /// What the client must repeat at the end: `cbind-input = gs2-header [cbind-data]`. If there is nothing that would be right,
    /// the exchange goes on all the same: it ends in a claim that is refused, so that the attempt is counted and comes to light.
    fn binding(&self, first: &ClientFirst<'_>) -> Result<Secret, ScramFlaw> {
        let data = match (first.flag, self.mechanism == Mechanism::ScramSha256Plus) {
            (BindingFlag::Bound(name), true) => self.bindings.by_name(name).ok_or(ScramFlaw::NotBound)?,
            (BindingFlag::Bound(_), false) | (BindingFlag::Incapable | BindingFlag::NotOffered, true) => {
                return Err(ScramFlaw::NotBound);
            }
            (BindingFlag::NotOffered, false) if self.offers_plus => return Err(ScramFlaw::Downgraded),
            (BindingFlag::Incapable | BindingFlag::NotOffered, false) => &[],
        };
        Ok(Secret::new([first.gs2_header.as_bytes(), data].concat()))
    }
}

/// Knows who the client says it is, and waits to be told that user's salt.
#[derive(Debug)]
pub(crate) struct AwaitingSalt {
    mechanism: Mechanism,
    authzid: Option<String>,
    username: String,
    nonce: Nonce,
    /// The client's nonce and ours.
    nonces: String,
    first_bare: String,
    binding: Result<Secret, ScramFlaw>,
}

impl AwaitingSalt {
    pub(crate) fn username(&self) -> &str {
        &self.username
    }

    pub(crate) fn with(self, parameters: Option<ScramParameters>) -> AwaitingFinal {
        let parameters = parameters.unwrap_or_else(|| made_up(&self.nonce));
        let ScramParameters { salt, iterations } = &parameters;
        let challenge = format!("r={},s={},i={iterations}", self.nonces, base64::encode(salt));
        AwaitingFinal { begun: self, parameters, challenge }
    }
}

/// For a judge that knows the passwords themselves any salt will do, but a new one each time.
fn made_up(nonce: &Nonce) -> ScramParameters {
    let mut salt = Sha256::digest([b"salt".as_slice(), nonce.as_octets()].concat()).to_vec();
    salt.truncate(SALT);
    ScramParameters { salt, iterations: ITERATIONS }
}

/// Waits for the client-final-message.
#[derive(Debug)]
pub(crate) struct AwaitingFinal {
    begun: AwaitingSalt,
    parameters: ScramParameters,
    /// The server-first-message.
    challenge: String,
}

impl AwaitingFinal {
    pub(crate) fn challenge(&self) -> &str {
        &self.challenge
    }

    pub(crate) fn take(self, message: &Secret) -> Result<ScramClaim, ExchangeError> {
        let last = ClientFinal::parse(message)?;
        let flaw = self.begun.flaw(&last);
        let AwaitingSalt { mechanism, authzid, username, first_bare, .. } = self.begun;
        Ok(ScramClaim {
            mechanism,
            authzid,
            username,
            parameters: self.parameters,
            auth_message: format!("{first_bare},{},{}", self.challenge, last.without_proof),
            proof: last.proof,
            flaw,
        })
    }
}

impl AwaitingSalt {
    /// What in the last message does not go with the first. In constant time.
    fn flaw(&self, last: &ClientFinal<'_>) -> Option<ScramFlaw> {
        if let Err(flaw) = self.binding {
            return Some(flaw);
        }
        let bound = self.binding.as_ref().is_ok_and(|binding| *binding == last.binding);
        let same_nonce = bool::from(self.nonces.as_bytes().ct_eq(last.nonce.as_bytes()));
        match (same_nonce, bound) {
            (false, _) => Some(ScramFlaw::OtherNonce),
            (true, false) => Some(ScramFlaw::NotBound),
            (true, true) => None,
        }
    }
}

#[cfg(test)]
mod tests;
