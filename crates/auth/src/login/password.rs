//! Names and passwords: an app password first, then the account password; all by one path, so that every refusal costs
//! the same.

use std::sync::Arc;

use store::{Account, Act, AppPassword, ChallengeKind};
use types::{CredentialId, Mailbox, Secret};

use super::guarded_attempt::Passage;
use super::{Authenticator, Claimed, CredentialStore, Denial, Tried, flaw, is_anothers, user};
use crate::Backend;
use crate::app_password::normalise;
use crate::challenge_key::Password;
use crate::guard::gate::is_familiar;
use crate::login::attempt::{Door, Origin};
use crate::login::outcome::{Credential, Fault, Reason, Refusal, User};
use crate::password_hash::hasher::Checked;
use crate::second_factor::{self, SecondFactorOutcome};
use backends::http::{Evidence, HttpHandler};

/// A password that is being judged.
struct Guess<'a, S> {
    claimed: &'a Claimed,
    password: &'a Secret,
    code: Option<Secret>,
    origin: &'a Origin,
    passage: Passage<'a, S>,
    /// What was wrong with it as an app password, if it is one at all.
    flaw: Option<Refusal>,
    /// Why it is refused, if nobody knows the user.
    nobody: Reason,
}

impl<S: CredentialStore> Guess<'_, S> {
    /// The password at this account as it is now, or where there is none to log in to.
    fn at(&self, account: Option<&Account>) -> Tried {
        (self.passage.mark(), account.map(|account| (account.id, account.version)))
    }
}

impl<S: CredentialStore> Authenticator<S> {
    pub(super) async fn by_password(
        &self,
        claimed: &Claimed,
        password: &Secret,
        code: Option<Secret>,
        origin: &Origin,
    ) -> Result<User, Denial> {
        let passage = self.passage(claimed, origin, password);
        let nobody = claimed.nobody();
        let mut guess = Guess { claimed, password, code, origin, passage, flaw: None, nobody };
        for backend in self.row.load_full().iter() {
            let known = match backend {
                Backend::Accounts => self.in_accounts(&mut guess).await?,
                Backend::OAuth(_) => None,
                Backend::Http(handler) => self.in_handler(handler, &mut guess).await?,
            };
            if let Some(user) = known {
                return guess.passage.end(user).await;
            }
        }
        self.nobodys(guess).await
    }

    /// The user that the store knows by this name, if the password is right. An account without one may be that of
    /// somebody whom another backend knows.
    async fn in_accounts(&self, guess: &mut Guess<'_, S>) -> Result<Option<User>, Denial> {
        let Ok(name) = &guess.claimed.name else { return Ok(None) };
        match self.by_app_password(name, guess).await? {
            Ok(user) => return Ok(Some(user)),
            Err(flaw) => guess.flaw = flaw,
        }
        guess.passage.look().await?;
        match self.store.by_address(name).await? {
            Some(account) if is_anothers(&account) => self.by_last_app_password(&account, guess).await,
            Some(account) => self.by_account_password(account, guess).await.map(Some),
            None => Ok(None),
        }
    }

    async fn in_handler(
        &self,
        handler: &HttpHandler,
        guess: &mut Guess<'_, S>,
    ) -> Result<Option<User>, Denial> {
        let Guess { claimed, password, origin, passage, .. } = guess;
        let evidence = Evidence::Password(password);
        let proven = self.by_guarded_handler(handler, claimed, evidence, origin, passage).await?;
        Ok(proven.map(|proven| proven.user))
    }

    /// Refuses what nobody knows, at the price of a wrong password.
    async fn nobodys(&self, mut guess: Guess<'_, S>) -> Result<User, Denial> {
        guess.passage.enter().await?;
        let checked = self.check(Err(guess.nobody), &guess).await;
        let account = guess.passage.settle(checked).await?;
        Ok(user(&account, Credential::AccountPassword))
    }

    /// The user whose app password it is, or else what is wrong with that app password, if it is one at all.
    async fn by_app_password(
        &self,
        name: &Mailbox,
        guess: &Guess<'_, S>,
    ) -> Result<Result<User, Option<Refusal>>, Denial> {
        let Some(letters) = normalise(guess.password) else { return Ok(Err(None)) };
        let digest = self.digests.digest(&letters);
        let Some(found) = self.find(digest).await? else { return Ok(Err(self.revoked(&digest).await?)) };
        let (app_password, account) = &*found;
        let credential = Credential::AppPassword(app_password.id);
        let (door, ip) = (guess.claimed.door, guess.origin.ip);
        if let Some(reason) = flaw(app_password, account, name, door, ip, (self.now)()) {
            return Ok(Err(Some(Refusal { reason, matched: Some(credential) })));
        }
        self.see_to_keys(guess.claimed, account, || Password::App(app_password.id, letters)).await?;
        Ok(Ok(user(account, credential)))
    }

    /// The app password with this digest, and its account.
    async fn find(&self, digest: [u8; 32]) -> Result<Option<Arc<(AppPassword, Account)>>, store::Error> {
        let revision = self.store.revision();
        if let Some(found) = self.found.at(revision, &digest) {
            return Ok(Some(found));
        }
        let found = self.store.by_digest(&digest).await?.map(Arc::new);
        if let Some(found) = &found {
            self.found.remember(revision, digest, Arc::clone(found));
        }
        Ok(found)
    }

    /// What is wrong with an app password that is none any more.
    async fn revoked(&self, digest: &[u8; 32]) -> Result<Option<Refusal>, store::Error> {
        let revoked = self.store.revoked(digest).await?.map(Credential::AppPassword);
        Ok(revoked.map(|matched| Refusal { reason: Reason::Revoked, matched: Some(matched) }))
    }

    /// Where there is no account password, there may be an app password that was brought from elsewhere.
    async fn by_last_app_password(
        &self,
        account: &Account,
        guess: &mut Guess<'_, S>,
    ) -> Result<Option<User>, Denial> {
        guess.passage.enter().await?;
        match self.by_adoption(account, guess).await? {
            Ok(user) => Ok(Some(user)),
            Err(flaw) => {
                (guess.flaw, guess.nobody) = (flaw, Reason::NoPassword);
                Ok(None)
            }
        }
    }

    /// Judges the account password, as far as the gate lets it.
    async fn by_account_password(&self, account: Account, guess: &mut Guess<'_, S>) -> Result<User, Denial> {
        if !account.disabled && self.recent.knows(&account, guess.password, (self.now)()) {
            return self.let_in(&account, guess).await;
        }
        guess.passage.enter().await?;
        let open = if account.disabled { Err(Reason::Disabled) } else { Ok(account) };
        if let Ok(account) = &open {
            match self.by_adoption(account, guess).await? {
                Ok(user) => return Ok(user),
                Err(flaw) => guess.flaw = flaw,
            }
        }
        let checked = self.check(open, guess).await;
        let recognised = checked.and_then(|account| self.recognise(account, guess));
        let account = guess.passage.settle(recognised).await?;
        self.let_in(&account, guess).await
    }

    async fn let_in(&self, account: &Account, guess: &mut Guess<'_, S>) -> Result<User, Denial> {
        let user = self.admit(account, guess.claimed.door, guess.code.take(), guess.origin).await?;
        self.see_to_keys(guess.claimed, account, || Password::Account(guess.password.clone())).await?;
        Ok(user)
    }

    /// What has been shown in clear need not be shown again, if SCRAM is spoken. Where challenges are asked about, no keys are
    /// made: a client that is challenged would not find them either.
    async fn see_to_keys(
        &self,
        claimed: &Claimed,
        account: &Account,
        password: impl FnOnce() -> Password,
    ) -> Result<(), Denial> {
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
    ) -> Result<(), Denial> {
        if self.store.has_challenge_key(kind, account.id, app_password).await? {
            return Ok(());
        }
        let matched = Some(app_password.map_or(Credential::AccountPassword, Credential::AppPassword));
        Err(Denial::Refused(Refusal { reason: Reason::NoKeys, matched }))
    }

    /// The user whose app password it is, of those that were brought from another server and never used here; or else
    /// what is wrong with it. Of several sessions that bring one at once one makes it ours, and the others find it so.
    async fn by_adoption(
        &self,
        account: &Account,
        guess: &Guess<'_, S>,
    ) -> Result<Result<User, Option<Refusal>>, Denial> {
        if !self.wrong.has(&guess.at(Some(account)), (self.now)()) {
            self.adopt(account, guess.password).await?;
        }
        self.by_app_password(&account.address, guess).await
    }

    /// Makes such an app password one of ours, if it is one: the slow check of the other server runs once.
    async fn adopt(&self, account: &Account, password: &Secret) -> Result<(), Denial> {
        let Some(letters) = normalise(password) else { return Ok(()) };
        let selector = self.keyring.selector(account.id, letters.selector_elsewhere().as_bytes());
        for (hash, brought, _) in self.store.imported(&selector).await? {
            if self.hasher.was_made_elsewhere(letters.secret(), &hash).await? {
                self.store
                    .adopt(brought.id, &self.digests.digest(&letters), &Act::server((self.now)()))
                    .await?;
                break;
            }
        }
        Ok(())
    }

    /// Checks the password, at the cost of one run of Argon2 if it is wrong, whatever is wrong with it. What was wrong a
    /// moment ago is wrong still, as long as the account has not changed.
    async fn check(&self, account: Result<Account, Reason>, guess: &Guess<'_, S>) -> Result<Account, Denial> {
        let found = account.and_then(|mut account| match account.password_hash.take() {
            Some(hash) => Ok((account, hash)),
            None => Err(Reason::NoPassword),
        });
        let stored = found.as_ref().ok().map(|(_, hash)| hash.as_str());
        let tried = guess.at(found.as_ref().ok().map(|(account, _)| account));
        let checked = match self.known(&tried) {
            Some(known) => known,
            None => self.hasher.verify(guess.password.clone(), stored).await?,
        };
        if checked == Checked::No {
            self.wrong.add(tried, (self.now)());
        }
        let refused = |reason: Reason| Denial::Refused(guess.flaw.clone().unwrap_or(reason.into()));
        let (account, hash) = found.map_err(refused)?;
        match checked {
            Checked::No => return Err(refused(Reason::BadPassword)),
            Checked::Yes => {}
            Checked::YesButOutdated => self.hash_anew(&account, &hash, guess.password).await,
        }
        Ok(account)
    }

    /// What a check would find, if it was made a moment ago.
    fn known(&self, tried: &Tried) -> Option<Checked> {
        let now = (self.now)();
        let right = || self.right_in_secret.has(tried, now).then_some(Checked::Yes);
        if self.wrong.has(tried, now) { Some(Checked::No) } else { right() }
    }

    /// Remembers that the password was right, where nobody is to learn that apart from others.
    fn recognise(&self, account: Account, guess: &Guess<'_, S>) -> Result<Account, Denial> {
        if let Err(denial) = self.not_in_secret(&account, guess.claimed.door) {
            self.right_in_secret.add(guess.at(Some(&account)), (self.now)());
            return Err(denial);
        }
        self.recent.remember(&account, guess.password, (self.now)());
        Ok(account)
    }

    /// Where nobody is to learn that the account password is right, and it opens nothing, it is refused as if it were
    /// wrong: were the counters cleared by it, that could be seen.
    pub(super) fn not_in_secret(&self, account: &Account, door: Door) -> Result<(), Denial> {
        if account.totp && door == Door::Smtp && !self.policy.load().hint_app_password {
            return Err(not_enough(Reason::NeedsAppPassword));
        }
        Ok(())
    }

    /// Puts a hash as we make them in the place of one that was brought from elsewhere, or is weaker. That
    /// this fails is no reason to refuse a right password; the next login tries again.
    async fn hash_anew(&self, account: &Account, old: &str, password: &Secret) {
        let done: Result<(), Fault> = async {
            let new = self.hasher.hash(password.clone()).await?;
            self.store.rehash(account.id, old, &new, &Act::server((self.now)())).await?;
            Ok(())
        }
        .await;
        if let Err(fault) = done {
            let error: &dyn std::error::Error = &fault;
            tracing::warn!(event = "auth.not-rehashed", account.address = %account.address, error, "an old password hash stays for now");
        }
    }

    /// Lets in who has the account password, as far as that goes.
    pub(super) async fn admit(
        &self,
        account: &Account,
        door: Door,
        code: Option<Secret>,
        origin: &Origin,
    ) -> Result<User, Denial> {
        let user = user(account, Credential::AccountPassword);
        match (account.totp, door, code) {
            (false, Door::Smtp | Door::Master, _) => Ok(user),
            (true, Door::Smtp, _) => Err(not_enough(Reason::NeedsAppPassword)),
            (true, Door::Master, None) => Err(not_enough(Reason::NeedsCode)),
            (true, Door::Master, Some(code)) => match self.check_code(account, &code, origin).await? {
                SecondFactorOutcome::Accepted => Ok(user),
                SecondFactorOutcome::Wrong => Err(not_enough(Reason::BadCode)),
                SecondFactorOutcome::Throttled(throttled) => Err(Denial::Throttled(throttled)),
                SecondFactorOutcome::Damaged => Err(Denial::Unavailable(Fault::Secret)),
            },
        }
    }

    async fn check_code(
        &self,
        account: &Account,
        code: &Secret,
        origin: &Origin,
    ) -> Result<SecondFactorOutcome, store::Error> {
        let (store, now, policy) = (&*self.store, (self.now)(), self.policy.load_full());
        let familiar = is_familiar(store, &account.address, origin.network(), now).await?;
        second_factor::check(store, &self.keyring, account, code, (&policy, familiar), now).await
    }
}

/// The account password is right, and does not suffice.
fn not_enough(reason: Reason) -> Denial {
    Denial::Refused(Refusal { reason, matched: Some(Credential::AccountPassword) })
}
