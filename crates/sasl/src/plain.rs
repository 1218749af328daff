//! PLAIN (RFC 4616): `message = [authzid] UTF8NUL authcid UTF8NUL passwd`.

use types::{Mechanism, Secret};

use crate::claim::{Claim, PasswordClaim};
use crate::exchange_error::ExchangeError;
use crate::name::{check_password, read_name, read_username};

/// Waits for the one message of the mechanism.
#[derive(Debug)]
pub(crate) struct AwaitingMessage;

impl AwaitingMessage {
    pub(crate) fn take(self, message: &Secret) -> Result<Claim, ExchangeError> {
        let [authzid, authcid, password] = split(message.declassify()).ok_or(ExchangeError::Malformed)?;
        check_password(password)?;
        Ok(Claim::Password(PasswordClaim {
            mechanism: Mechanism::Plain,
            authzid: read_name(authzid)?,
            username: read_username(authcid)?,
            password: Secret::new(password),
        }))
    }
}

/// The three parts of a message with exactly two NULs.
fn split(message: &[u8]) -> Option<[&[u8]; 3]> {
    let mut parts = message.split(|octet| *octet == 0);
    let three = [parts.next()?, parts.next()?, parts.next()?];
    parts.next().is_none().then_some(three)
}
