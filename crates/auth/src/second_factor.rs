//! The second factor of an account: prepared, confirmed by its first code, then asked for whenever the account itself
//! is to be opened.
//!
//! Every code is counted as wrong before it is looked at, and uncounted when it was right, so that many at a time
//! learn no more than many in a row. A code is used up in the store, by the first who comes with it. A seed that
//! does not open is never taken for one that does not match: it is told apart, and enters the audit trail.

pub mod totp;
pub mod recovery_code;

use std::future::Future;

use jiff::Timestamp;
use store::{
    Account, Act, Action, Audit, AuditEvent, Mark, NewSecondFactor, SealedPlace, SealedSecrets, SecondFactor,
    SecondFactors, Throttled, Throttles, Via,
};
use types::{AccountId, Secret};

use self::recovery_code::{CODES, RecoveryCode};
use self::totp::Seed;
use crate::guard::guesses::{CodeFrom, Guesses};
use crate::keys::keyring::{Keyring, KeyringError};
use crate::keys::seal::SealError;
use crate::policy::Policy;

/// What came of a code.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SecondFactorOutcome {
    /// It was right, and is used up.
    Accepted,
    /// It was wrong or used up before, or there is nothing that it could be right for.
    Wrong,
    /// It was not judged: there were too many wrong ones.
    Throttled(Throttled),
    /// It could not be judged: the seed does not open.
    Damaged,
}

/// What came of the first code of a second factor.
#[derive(Debug, PartialEq, Eq)]
pub enum Confirmation {
    /// It was right; the second factor is on, with these recovery codes.
    Confirmed([RecoveryCode; CODES]),
    /// There is no second factor that waits for its first code.
    NotPrepared,
    /// The second factor is on already.
    On,
    /// It was wrong.
    Wrong,
    /// It was not judged: there were too many wrong ones.
    Throttled(Throttled),
    /// It could not be judged: the seed does not open.
    Damaged,
}

/// Prepares a second factor, in place of one that was never confirmed. Once it is kept nothing makes this fail: what kept its seed from
/// being sealed under a key that was activated meanwhile is told beside it.
///
/// # Errors
/// [`store::Error::AlreadyExists`] when one is on, and whatever keeps the store from answering or its secrets from being sealed.
pub async fn enroll(
    store: &(impl SecondFactors + SealedSecrets),
    keyring: &Keyring,
    account: AccountId,
    act: &Act,
) -> Result<(Seed, Option<KeyringError>), KeyringError> {
    let seed = Seed::generate();
    let place = SealedPlace::TotpSeed { account, enrolled_at: act.at };
    let sealed = keyring.sealer(store).await?.seal(place, seed.octets());
    store.enroll(account, &sealed, act).await?;
    let settled = keyring.settle(store, place, &sealed).await;
    Ok((seed, settled.err()))
}

/// Switches on the second factor that was prepared, if this is a code of it.
///
/// # Errors
/// When the store can't tell.
pub async fn confirm<S: SecondFactors + Throttles + Audit>(
    store: &S,
    keyring: &Keyring,
    account: &Account,
    code: &Secret,
    policy: &Policy,
    act: &Act,
) -> Result<Confirmation, store::Error> {
    // Whoever is at the command line has the store, and so no network is in question. Any other face is asked over a network, by
    // somebody who may guess day after day.
    let from = if act.via == Via::Cli { CodeFrom::CommandLine } else { CodeFrom::OtherNetwork };
    let check = Check { store, keyring, account, typed: code, policy, from, act };
    let confirmation = check.confirm().await?;
    match &confirmation {
        Confirmation::Wrong => check.record(Action::TotpConfirm, "bad-code").await?,
        Confirmation::Throttled(_) => check.record(Action::TotpConfirm, "throttled").await?,
        Confirmation::Confirmed(_) | Confirmation::NotPrepared | Confirmation::On | Confirmation::Damaged => {
        }
    }
    Ok(confirmation)
}

/// A second factor of this seed that is on from the start, to be kept together with what goes along; `None` if this is not the code of now. There
/// is nothing to guess: whoever types the code has been shown the seed.
///
/// # Errors
/// When nothing can be sealed for the store.
pub async fn switched_on(
    store: &impl SealedSecrets,
    keyring: &Keyring,
    account: AccountId,
    (seed, code): (&Seed, &Secret),
    at: Timestamp,
) -> Result<Option<(NewSecondFactor, [RecoveryCode; CODES])>, KeyringError> {
    let Some(step) = code.declassify_str().and_then(|code| seed.step_of(code, at)) else { return Ok(None) };
    let codes = recovery_code::generate();
    let place = SealedPlace::TotpSeed { account, enrolled_at: at };
    let sealed = keyring.sealer(store).await?.seal(place, seed.octets());
    let recovery_codes = digests(keyring, account, &codes).to_vec();
    Ok(Some((NewSecondFactor { seed: sealed, enrolled_at: at, step, recovery_codes }, codes)))
}

/// Judges a code of the second factor, or a recovery code, and uses it up. `act` says who typed it, and when.
///
/// # Errors
/// When the store can't tell.
pub(crate) async fn check<S: SecondFactors + Throttles + Audit>(
    store: &S,
    keyring: &Keyring,
    account: &Account,
    typed: &Secret,
    (policy, from): (&Policy, CodeFrom),
    act: &Act,
) -> Result<SecondFactorOutcome, store::Error> {
    Check { store, keyring, account, typed, policy, from, act }.judge().await
}

/// Makes fresh recovery codes in the place of those left; `None` if no second factor is on.
///
/// # Errors
/// When the store can't tell.
pub async fn replace_recovery_codes(
    store: &impl SecondFactors,
    keyring: &Keyring,
    account: AccountId,
    act: &Act,
) -> Result<Option<[RecoveryCode; CODES]>, store::Error> {
    let codes = recovery_code::generate();
    let done = store.replace_recovery_codes(account, &digests(keyring, account, &codes), act).await?;
    Ok(done.then_some(codes))
}

fn digests(keyring: &Keyring, account: AccountId, codes: &[RecoveryCode; CODES]) -> [[u8; 32]; CODES] {
    let key = keyring.recovery_codes();
    codes.each_ref().map(|code| key.digest_of(account, code))
}

/// One code that somebody typed, and all that it is judged by.
struct Check<'a, S> {
    store: &'a S,
    keyring: &'a Keyring,
    account: &'a Account,
    typed: &'a Secret,
    policy: &'a Policy,
    from: CodeFrom,
    /// Who typed it, and when.
    act: &'a Act,
}

impl<S: SecondFactors + Throttles + Audit> Check<'_, S> {
    async fn judge(&self) -> Result<SecondFactorOutcome, store::Error> {
        let found = self.store.second_factor(self.account.id).await?;
        let Some(factor) = found.filter(|factor| factor.confirmed_at.is_some()) else {
            return Ok(SecondFactorOutcome::Wrong);
        };
        match self.open(&factor).await? {
            Some(seed) => self.counted(self.use_up(&seed)).await,
            None => Ok(SecondFactorOutcome::Damaged),
        }
    }

    async fn confirm(&self) -> Result<Confirmation, store::Error> {
        let factor = match self.store.second_factor(self.account.id).await? {
            None => return Ok(Confirmation::NotPrepared),
            Some(SecondFactor { confirmed_at: Some(_), .. }) => return Ok(Confirmation::On),
            Some(factor) => factor,
        };
        let Some(seed) = self.open(&factor).await? else { return Ok(Confirmation::Damaged) };
        let codes = recovery_code::generate();
        Ok(match self.counted(self.switch_on(&factor, &seed, &codes)).await? {
            SecondFactorOutcome::Accepted => Confirmation::Confirmed(codes),
            SecondFactorOutcome::Wrong => Confirmation::Wrong,
            SecondFactorOutcome::Throttled(throttled) => Confirmation::Throttled(throttled),
            SecondFactorOutcome::Damaged => Confirmation::Damaged,
        })
    }

    /// The seed; `None` if it was damaged, moved here from elsewhere, or sealed under a key that is gone.
    async fn open(&self, factor: &SecondFactor) -> Result<Option<Seed>, store::Error> {
        let place = SealedPlace::TotpSeed { account: self.account.id, enrolled_at: factor.enrolled_at };
        let opened = self.keyring.open_sealed(place, &factor.seed);
        let seed = opened.and_then(|octets| Seed::from_octets(octets).ok_or(SealError::Damaged));
        if let Err(error) = &seed {
            self.record(Action::SecretOpen, error.code()).await?;
        }
        Ok(seed.ok())
    }

    /// Counts the code as wrong, unless there were too many, then has it judged.
    async fn counted(
        &self,
        judge: impl Future<Output = Result<bool, store::Error>> + Send,
    ) -> Result<SecondFactorOutcome, store::Error> {
        let account = self.account.address.normal();
        let guesses = Guesses::at_code(account, self.mark(), self.policy, self.from);
        if let Some(throttled) = guesses.enter(self.store, self.act.at).await? {
            return Ok(SecondFactorOutcome::Throttled(throttled));
        }
        if !judge.await? {
            return Ok(SecondFactorOutcome::Wrong);
        }
        if let Err(error) = guesses.right(self.store).await {
            // The code is used up, and what it was for is done: to fail now would only hide that.
            let error: &dyn std::error::Error = &error;
            tracing::warn!(event = "store.failing", error, "a right code still counts as a wrong one");
        }
        Ok(SecondFactorOutcome::Accepted)
    }

    /// The same code is another guess once the step is another.
    fn mark(&self) -> Mark {
        let step = totp::step_at(self.act.at).unwrap_or_default();
        let guess = [&step.to_be_bytes(), self.typed.declassify()].concat();
        self.keyring.blind_digests().of_attempt(&self.account.address.normal(), &Secret::new(guess))
    }

    async fn use_up(&self, seed: &Seed) -> Result<bool, store::Error> {
        if let Some(step) = self.step(seed) {
            return self.store.use_step(self.account.id, step).await;
        }
        match self.keyring.recovery_codes().digest(self.account.id, self.typed) {
            Some(digest) => self.store.use_recovery_code(self.account.id, &digest, self.act).await,
            None => Ok(false),
        }
    }

    async fn switch_on(
        &self,
        factor: &SecondFactor,
        seed: &Seed,
        codes: &[RecoveryCode; CODES],
    ) -> Result<bool, store::Error> {
        let Some(step) = self.step(seed) else { return Ok(false) };
        let (account, digests) = (self.account.id, digests(self.keyring, self.account.id, codes));
        self.store.confirm(account, factor.enrolled_at, step, &digests, self.act).await
    }

    fn step(&self, seed: &Seed) -> Option<u64> {
        self.typed.declassify_str().and_then(|code| seed.step_of(code, self.act.at))
    }

    async fn record(&self, action: Action, reason: &'static str) -> Result<(), store::Error> {
        let account = Some(self.account.address.normal());
        self.store.record(&AuditEvent { account, ..AuditEvent::failure(action, reason, self.act) }).await
    }
}

#[cfg(test)]
mod tests;
