//! Names and passwords: tried as an app password first, then as the account password. All go one way, so that every refusal
//! costs the same.

use backends::http::{Evidence, HttpHandler};
use store::{Account, Accounts as _};
use types::Secret;

use super::attempt::Origin;
use super::authenticator::Authenticator;
use super::backend::{Backend, may_be_of_another};
use super::claimed::Claimed;
use super::guess::Guess;
use super::judgement::{Denial, Judgement};
use super::outcome::{Credential, LoginFault, Reason, User};
use crate::challenge_key::Password;
use crate::password_hash::hasher::Checked;

impl Authenticator {
    pub(super) async fn by_password(
        &self,
        claimed: &Claimed,
        password: &Secret,
        code: Option<Secret>,
        origin: &Origin,
    ) -> Judgement<User> {
        let attempt = self.guarded(claimed, origin, password);
        let nobody = claimed.nobody();
        let mut guess = Guess { claimed, password, code, origin, attempt, flaw: None, nobody };
        for backend in self.backends.load_full().iter() {
            let known = match backend {
                Backend::Accounts => self.in_accounts(&mut guess).await?,
                Backend::OAuth(_) => None,
                Backend::Http(handler) => self.in_handler(handler, &mut guess).await?,
            };
            if let Some(user) = known {
                return guess.attempt.end(user).await;
            }
        }
        self.nobodys(guess).await
    }

    /// The user that the store knows by this name, if the password is right. An account without one may be that of
    /// somebody whom another backend knows.
    async fn in_accounts(&self, guess: &mut Guess<'_>) -> Judgement<Option<User>> {
        let Ok(name) = &guess.claimed.name else { return Ok(None) };
        match self.by_app_password(name, guess).await? {
            Ok(user) => return Ok(Some(user)),
            Err(flaw) => guess.flaw = flaw,
        }
        guess.attempt.look().await?;
        match self.store.by_address(name).await? {
            Some(account) if may_be_of_another(&account) => self.by_last_app_password(&account, guess).await,
            Some(account) => self.by_account_password(account, guess).await.map(Some),
            None => Ok(None),
        }
    }

    async fn in_handler(&self, handler: &HttpHandler, guess: &mut Guess<'_>) -> Judgement<Option<User>> {
        let Guess { claimed, password, code, origin, attempt, .. } = guess;
        let evidence = Evidence::Password(password);
        match (self.by_guarded_handler(handler, claimed, evidence, origin, attempt).await, code.take()) {
            (Err(Denial::NeedsCode(user)), Some(code)) => {
                let account = self.still_proved(&user).await?;
                let account =
                    account.ok_or_else(|| Denial::of(user.credential.clone(), Reason::NeedsCode))?;
                self.by_code(*user, &account, &code, origin).await.map(Some)
            }
            (judged, _) => Ok(judged?.map(|proven| proven.user)),
        }
    }

    /// Refuses a user whom no backend knows, at the cost of a wrong password.
    async fn nobodys(&self, mut guess: Guess<'_>) -> Judgement<User> {
        guess.attempt.enter().await?;
        let checked = self.check(Err(guess.nobody), &guess).await;
        let account = guess.attempt.settle(checked).await?;
        Ok(User::of(&account, Credential::AccountPassword))
    }

    /// Tries an account without a password: it may have an app password that was imported and never used here.
    async fn by_last_app_password(
        &self,
        account: &Account,
        guess: &mut Guess<'_>,
    ) -> Judgement<Option<User>> {
        guess.attempt.enter().await?;
        match self.by_adoption(account, guess).await? {
            Ok(user) => Ok(Some(user)),
            Err(flaw) => {
                (guess.flaw, guess.nobody) = (flaw, Reason::NoPassword);
                Ok(None)
            }
        }
    }

    /// Judges the account password, unless the gate refuses that.
    async fn by_account_password(&self, account: Account, guess: &mut Guess<'_>) -> Judgement<User> {
        if !account.disabled && self.recent_checks.knows(&account, guess.password, (self.now)()) {
            return self.let_in(&account, guess).await;
        }
        guess.attempt.enter().await?;
        let open = if account.disabled { Err(Reason::Disabled) } else { Ok(account) };
        if let Ok(account) = &open {
            match self.by_adoption(account, guess).await? {
                Ok(user) => return Ok(user),
                Err(flaw) => guess.flaw = flaw,
            }
        }
        let checked = self.check(open, guess).await;
        let recognised = checked.and_then(|account| self.recognise(account, guess));
        let account = guess.attempt.settle(recognised).await?;
        self.let_in(&account, guess).await
    }

    async fn let_in(&self, account: &Account, guess: &mut Guess<'_>) -> Judgement<User> {
        let user = self.admit(account, guess.claimed.door, guess.code.take(), guess.origin).await?;
        self.see_to_keys(guess.claimed, account, || Password::Account(guess.password.clone())).await?;
        Ok(user)
    }

    /// Checks the password, at the cost of one run of Argon2 if it is wrong, whatever is wrong with it. A password that was
    /// wrong a moment ago is not checked again as long as the account has not changed.
    async fn check(&self, account: Result<Account, Reason>, guess: &Guess<'_>) -> Judgement<Account> {
        let found = account.and_then(|mut account| match account.password_hash.take() {
            Some(hash) => Ok((account, hash)),
            None => Err(Reason::NoPassword),
        });
        let stored = found.as_ref().ok().map(|(_, hash)| hash.as_str());
        let tried = guess.at(found.as_ref().ok().map(|(account, _)| account));
        let checked = match self.recent_checks.found(&tried, (self.now)()) {
            Some(known) => known,
            None => self.hasher.verify(guess.password.clone(), stored).await?,
        };
        if checked == Checked::No {
            self.recent_checks.remember_wrong(tried, (self.now)());
        }
        let refused = |reason: Reason| Denial::Refused(guess.flaw.clone().unwrap_or(reason.into()));
        let (account, hash) = found.map_err(refused)?;
        match checked {
            Checked::No => return Err(refused(Reason::BadPassword)),
            Checked::Yes => {}
            Checked::YesButOutdated => self.hash_anew(&account, &hash, guess).await,
        }
        Ok(account)
    }

    /// Remembers that the password was right. Where the client must not learn that, it is refused like a wrong one.
    fn recognise(&self, account: Account, guess: &Guess<'_>) -> Judgement<Account> {
        if let Err(denial) = self.may_be_told(&account, guess.claimed.door) {
            self.recent_checks.remember_untold(guess.at(Some(&account)), (self.now)());
            return Err(denial);
        }
        self.recent_checks.remember(&account, guess.password, (self.now)());
        Ok(account)
    }

    /// Replaces a hash that was imported, or is weaker than ours, by one of ours. If that fails, the login goes on, and the next
    /// one tries again.
    async fn hash_anew(&self, account: &Account, old: &str, guess: &Guess<'_>) {
        let done: Result<(), LoginFault> = async {
            let new = self.hasher.hash(guess.password.clone()).await?;
            self.store.rehash(account.id, old, &new, &guess.origin.act((self.now)())).await?;
            Ok(())
        }
        .await;
        if let Err(fault) = done {
            let error: &dyn std::error::Error = &fault;
            tracing::warn!(event = "auth.not-rehashed", account.address = %account.address, error, "an old password hash stays for now");
        }
    }
}
