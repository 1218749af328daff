//! LOGIN (draft-murchison-sasl-login): the name, then the password, each asked for.

use types::{Mechanism, Secret};

use crate::claim::{Claim, PasswordClaim};
use crate::exchange_error::ExchangeError;
use crate::name::{check_password, read_username};

/// Waits for the name. It may come with the AUTH command itself, as clients do though the draft has it otherwise.
#[derive(Debug)]
pub(crate) struct AwaitingUsername;

impl AwaitingUsername {
    /// What Outlook and its kin compare with, so that nothing else will do.
    pub(crate) const CHALLENGE: &str = "Username:";

    pub(crate) fn take(self, response: &Secret) -> Result<AwaitingPassword, ExchangeError> {
        read_username(response.declassify()).map(|username| AwaitingPassword { username })
    }
}

/// Knows the name and waits for the password.
#[derive(Debug)]
pub(crate) struct AwaitingPassword {
    username: String,
}

impl AwaitingPassword {
    pub(crate) const CHALLENGE: &str = "Password:";

    pub(crate) fn take(self, response: Secret) -> Result<Claim, ExchangeError> {
        check_password(response.declassify())?;
        Ok(Claim::Password(PasswordClaim {
            mechanism: Mechanism::Login,
            authzid: None,
            username: self.username,
            password: response,
        }))
    }
}
