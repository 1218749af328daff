//! The second factor of an account: prepared, switched on by its first code, switched off; and its recovery codes.

use auth::KeyringError;
use auth::second_factor::{self, Confirmation};
use store::{Account, Act, SecondFactors as _, Throttled};
use types::Secret;

use crate::{Desk, Missing, OldKey, Taken, Trouble, view};

impl Desk {
    /// Prepares a second factor, in place of one that was never confirmed. It is not on yet. Says why its seed is sealed under an old
    /// master key, if it is.
    ///
    /// # Errors
    /// [`Taken::SecondFactor`].
    pub async fn prepare_second_factor(
        &self,
        act: &Act,
        account: &Account,
    ) -> Result<(view::Enrolled, Option<OldKey>), Trouble> {
        let keyring = self.keyring().await?;
        match second_factor::enroll(&self.accounts, keyring, account.id, act).await {
            Err(KeyringError::Store(store::Error::AlreadyExists)) => {
                Err(Taken::SecondFactor(account.address.clone()).into())
            }
            enrolled => {
                let (seed, unsettled) = enrolled?;
                let view = view::Enrolled::of(&seed, &self.settings.hostname, &account.address);
                Ok((view, unsettled.map(OldKey)))
            }
        }
    }

    /// Switches it on by a code that the app shows. From then on the account password is no good for mail.
    ///
    /// # Errors
    /// [`Missing::PreparedSecondFactor`], [`Taken::SecondFactor`], [`Trouble::WrongCode`], [`Trouble::Throttled`],
    /// [`Trouble::Damaged`].
    pub async fn confirm_second_factor(
        &self,
        act: &Act,
        account: &Account,
        code: &Secret,
    ) -> Result<view::RecoveryCodes, Trouble> {
        let (keyring, policy) = (self.keyring().await?, &self.settings.policy);
        let address = || account.address.clone();
        match second_factor::confirm(&self.accounts, keyring, account, code, policy, act).await? {
            Confirmation::Confirmed(codes) => Ok(view::RecoveryCodes::of(&codes)),
            Confirmation::NotPrepared => Err(Missing::PreparedSecondFactor(address()).into()),
            Confirmation::On => Err(Taken::SecondFactor(address()).into()),
            Confirmation::Wrong => Err(Trouble::WrongCode),
            Confirmation::Throttled(Throttled { until, .. }) => Err(Trouble::Throttled { until }),
            Confirmation::Damaged => Err(Trouble::Damaged(address())),
        }
    }

    /// How it stands.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn second_factor(&self, account: &Account) -> Result<view::SecondFactor, Trouble> {
        let found = self.accounts.second_factor(account.id).await?;
        Ok(view::SecondFactor::of(&account.address, found.as_ref()))
    }

    /// Makes fresh recovery codes in the place of those left.
    ///
    /// # Errors
    /// [`Missing::SecondFactor`].
    pub async fn renew_recovery_codes(
        &self,
        act: &Act,
        account: &Account,
    ) -> Result<view::RecoveryCodes, Trouble> {
        let keyring = self.keyring().await?;
        let codes = second_factor::replace_recovery_codes(&self.accounts, keyring, account.id, act).await?;
        codes.map(|codes| view::RecoveryCodes::of(&codes)).ok_or_else(|| off(account))
    }

    /// Switches it off: the account password alone is enough again, for mail too.
    ///
    /// # Errors
    /// [`Missing::SecondFactor`].
    pub async fn remove_second_factor(&self, act: &Act, account: &Account) -> Result<(), Trouble> {
        match self.accounts.disable_second_factor(account.id, act).await? {
            true => Ok(()),
            false => Err(off(account)),
        }
    }
}

fn off(account: &Account) -> Trouble {
    Missing::SecondFactor(account.address.clone()).into()
}
