//! Keys for challenges, at logins that show the password in clear: they are made if SCRAM is offered.

use store::{Account, ChallengeKeys as _, ChallengeKind};
use types::CredentialId;

use super::authenticator::Authenticator;
use super::claimed::Claimed;
use super::judgement::{Denial, Judgement};
use super::outcome::{Credential, Reason};
use crate::challenge_key::Password;

impl Authenticator {
    /// Makes SCRAM keys of the password, if SCRAM is offered, so that the client need not show it again. If the attempt asks
    /// whether the password has keys for a challenge, none are made: a client that is challenged would not find them either.
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
            let (store, keyring) = (&self.store, &*self.keyring);
            self.scram.see_to(store, keyring, &self.hasher, account, &password, now).await;
        }
        Ok(())
    }

    /// Whether there are keys of this kind of the app password, or of the account password; a refusal if not.
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
