//! App passwords: found by their digest, without Argon2 and without the guard; those of another server become ours at their first use.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;
use store::{Account, Accounts as _, Act, AppPassword, AppPasswords as _};
use types::{Mailbox, Secret};

use super::attempt::Door;
use super::authenticator::Authenticator;
use super::guess::Guess;
use super::judgement::Judgement;
use super::outcome::{Credential, LoginRefusal, Reason, User};
use crate::app_password::normalise;
use crate::challenge_key::Password;
use crate::session_rights::has_passed;

impl Authenticator {
    /// The user whose app password it is, or else what is wrong with that app password, if it is one at all.
    pub(super) async fn by_app_password(
        &self,
        name: &Mailbox,
        guess: &Guess<'_>,
    ) -> Judgement<Result<User, Option<LoginRefusal>>> {
        let Some(letters) = normalise(guess.password) else { return Ok(Err(None)) };
        let digest = self.digests.digest(&letters);
        let Some(found) = self.find(digest).await? else { return Ok(Err(self.revoked(&digest).await?)) };
        let (app_password, account) = &*found;
        let credential = Credential::AppPassword(app_password.id);
        let (door, ip) = (guess.claimed.door, guess.origin.ip);
        if let Some(reason) = flaw(app_password, account, name, door, ip, (self.now)()) {
            return Ok(Err(Some(LoginRefusal { reason, matched: Some(credential) })));
        }
        self.see_to_keys(guess.claimed, account, || Password::App(app_password.id, letters)).await?;
        Ok(Ok(User::of(account, credential)))
    }

    /// The app password with this digest, and its account.
    async fn find(&self, digest: [u8; 32]) -> Result<Option<Arc<(AppPassword, Account)>>, store::Error> {
        let revision = self.store.revision().await;
        if let Some(found) = self.app_passwords.at(revision, &digest) {
            return Ok(Some(found));
        }
        let found = self.store.by_digest(&digest).await?.map(Arc::new);
        if let Some(found) = &found {
            self.app_passwords.remember(revision, digest, Arc::clone(found));
        }
        Ok(found)
    }

    /// A refusal that says so, if the app password with this digest was revoked.
    async fn revoked(&self, digest: &[u8; 32]) -> Result<Option<LoginRefusal>, store::Error> {
        let revoked = self.store.revoked(digest).await?.map(Credential::AppPassword);
        Ok(revoked.map(|matched| LoginRefusal { reason: Reason::Revoked, matched: Some(matched) }))
    }

    /// The user whose app password it is, of those that were imported and never used here; or else what is wrong with it.
    /// If several sessions show the same one at once, one of them adopts it, and the others find it adopted.
    pub(super) async fn by_adoption(
        &self,
        account: &Account,
        guess: &Guess<'_>,
    ) -> Judgement<Result<User, Option<LoginRefusal>>> {
        if !self.recent_checks.is_wrong(&guess.at(Some(account)), (self.now)()) {
            self.adopt(account, guess.password, &guess.origin.act((self.now)())).await?;
        }
        self.by_app_password(&account.address, guess).await
    }

    /// Adopts the password if it is an imported app password: it gets a digest of ours, so that the slow check of the other
    /// server runs once.
    async fn adopt(&self, account: &Account, password: &Secret, act: &Act) -> Judgement<()> {
        let Some(letters) = normalise(password) else { return Ok(()) };
        let selector = self.keyring.selector(account.id, letters.selector_elsewhere().as_bytes());
        for (hash, brought, _) in self.store.imported(&selector).await? {
            if self.hasher.was_made_elsewhere(letters.secret(), &hash).await? {
                self.store.adopt(brought.id, &self.digests.digest(&letters), act).await?;
                break;
            }
        }
        Ok(())
    }
}

/// Why an app password is not good for this attempt.
pub(super) fn flaw(
    password: &AppPassword,
    account: &Account,
    name: &Mailbox,
    door: Door,
    ip: IpAddr,
    now: Timestamp,
) -> Option<Reason> {
    let elsewhere = !password.networks.is_empty() && !password.networks.iter().any(|net| net.contains(&ip));
    [
        (account.address.normal() != name.normal(), Reason::AppPasswordOfAnother),
        (account.disabled, Reason::Disabled),
        (has_passed(password.expires_at, now), Reason::Expired),
        (!door.scope().is_some_and(|scope| password.scopes.contains(&scope)), Reason::WrongScope),
        (elsewhere, Reason::NetworkNotAllowed),
    ]
    .into_iter()
    .find_map(|(wrong, reason)| wrong.then_some(reason))
}
