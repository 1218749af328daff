//! Account passwords: what one must be, and setting one.

use auth::SessionToken;
use auth::challenge_key::Password;
use auth::new_password::{LEAST_CHARACTERS, see_strong};
use store::{Account, Accounts as _, Act};
use types::{Mailbox, Secret};

use crate::scram::ScramLack;
use crate::{Desk, SignedIn, Trouble, Unfit};

/// A password that somebody has chosen, or that was made for them.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// The password.
    pub secret: Secret,
    /// How good it has to be.
    pub strength: Strength,
}

/// How good a password has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strength {
    /// Long enough, and hard to guess.
    Good,
    /// Hard to guess, and as long as one has to be that somebody chooses for themselves on the pages.
    Own,
    /// Whatever can be typed.
    Any,
}

/// Characters that a password has at least which somebody chooses for themselves on the pages.
pub const OWN_PASSWORD_CHARACTERS: usize = 12;

/// Refuses what no mail program could send (RFC 4616 section 2: UTF-8 without NUL), or nobody could type.
///
/// # Errors
/// When it is such a password.
pub fn fit(octets: &[u8]) -> Result<(), Unfit> {
    if octets.is_empty() {
        return Err(Unfit::Empty);
    }
    if octets.len() > auth::PASSWORD_OCTETS {
        return Err(Unfit::TooLong);
    }
    if octets.iter().any(|octet| matches!(octet, 0 | b'\n' | b'\r')) {
        return Err(Unfit::NotOneLine);
    }
    std::str::from_utf8(octets).map(drop).map_err(|_| Unfit::NotUtf8)
}

impl Chosen {
    /// Sees that this can be the password of the account with this address and name, on the server with this name.
    ///
    /// # Errors
    /// [`Trouble::Unfit`], [`Trouble::Weak`].
    pub fn judge(&self, address: &Mailbox, name: Option<&str>, host: &str) -> Result<(), Trouble> {
        fit(self.secret.declassify())?;
        let least = match self.strength {
            Strength::Good => LEAST_CHARACTERS,
            Strength::Own => OWN_PASSWORD_CHARACTERS,
            Strength::Any => return Ok(()),
        };
        Ok(see_strong(&self.secret, least, address, name, host)?)
    }
}

impl Desk {
    /// Gives an account another password. App passwords stay as they are. Says what SCRAM lacks for it, if anything.
    ///
    /// # Errors
    /// [`Trouble::Unfit`], [`Trouble::Weak`]; [`Trouble::Overtaken`] when somebody else has set one since.
    pub async fn change_password(
        &self,
        act: &Act,
        account: &Account,
        password: &Chosen,
    ) -> Result<Option<ScramLack>, Trouble> {
        password.judge(&account.address, account.name.as_deref(), &self.settings.hostname)?;
        let hash = self.hasher().await?.hash(password.secret.clone()).await?;
        self.accounts.set_password(account.id, &hash, act).await?;
        // The password is another: from here on nothing may hide that.
        let now = match self.accounts.by_id(account.id).await {
            Ok(now) => now,
            Err(error) => return Ok(self.scram_is_wanted().then(|| ScramLack::NotNow(Box::new(error)))),
        };
        let ours = now.filter(|now| now.password_hash.as_deref() == Some(&*hash));
        let account = ours.ok_or_else(|| Trouble::Overtaken(account.address.clone()))?;
        Ok(self.scram_of(act, &account, &Password::Account(password.secret.clone())).await)
    }

    /// Gives the account of somebody who is signed in another password, by their own wish: all its sessions end but the one with this token, which
    /// gets another. `None` in its place if somebody else has changed the account, too. That they know the password before, the judge has seen.
    ///
    /// # Errors
    /// As [`change_password`](Self::change_password).
    pub async fn change_own_password(
        &self,
        act: &Act,
        (token, signed_in): (&SessionToken, &SignedIn),
        new: Secret,
    ) -> Result<Option<SessionToken>, Trouble> {
        let chosen = Chosen { secret: new, strength: Strength::Own };
        self.change_password(act, &signed_in.account, &chosen).await?;
        self.keep_session(token, signed_in).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_client_could_send_is_refused() {
        for (octets, expected) in [
            (&b""[..], Unfit::Empty),
            (b"two\nlines", Unfit::NotOneLine),
            (b"nul\0", Unfit::NotOneLine),
            (b"caf\xe9", Unfit::NotUtf8),
            (&[b'x'; auth::PASSWORD_OCTETS + 1], Unfit::TooLong),
        ] {
            assert_eq!(fit(octets), Err(expected), "{octets:?}");
        }
        for octets in [&b"x"[..], b" spaces count ", &[b'x'; auth::PASSWORD_OCTETS]] {
            assert_eq!(fit(octets), Ok(()), "{octets:?}");
        }
    }
}
