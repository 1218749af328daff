//! Keys for challenges, at the logins that show the password: made if SCRAM is offered, or looked for where that is asked.

use store::{Account, ChallengeKind};
use types::CredentialId;

use super::authenticator::Authenticator;
use super::claimed::Claimed;
use super::credential_store::CredentialStore;
use super::judgement::{Denial, Judgement};
use super::outcome::{Credential, Reason};
use crate::challenge_key::Password;

impl<S: CredentialStore> Authenticator<S> {
    /// What has been shown in clear need not be shown again, if SCRAM is spoken. Where challenges are asked about, no keys are
    /// made: a client that is challenged would not find them either.
    pub(super) async fn see_to_keys(
        &self,
        claimed: &Claimed,
        account: &Account,
        password: impl FnOnce() -> Password,
    ) -> Judgement<()> {
        if let Some(kind) = claimed.answers {
            return self.see_keys(kind, account, password().credential()).await;
        }
        if self.policy.load().scram {
            let (password, now) = (password(), (self.now)());
            let (store, keyring) = (&*self.store, &*self.keyring);
            self.scram.see_to(store, keyring, &self.hasher, account, &password, now).await;
        }
        Ok(())
    }

    /// Sees that such a challenge could be answered with this app password, or with that of the account.
    async fn see_keys(
        &self,
        kind: ChallengeKind,
        account: &Account,
        app_password: Option<CredentialId>,
    ) -> Judgement<()> {
        if self.store.has_challenge_key(kind, account.id, app_password).await? {
            return Ok(());
        }
        let credential = app_password.map_or(Credential::AccountPassword, Credential::AppPassword);
        Err(Denial::of(credential, Reason::NoKeys))
    }
}
