//! Challenge keys: what stands in for a password that the client proves to know and never shows.
//!
//! - CRAM-MD5 wants the password itself. An app password is kept for it, sealed, only where its owner asked for that.
//! - SCRAM wants StoredKey and ServerKey, for which the store would do without a seal; but who has them can try
//!   passwords on them and pass for the server. They are made wherever the password is at hand: when it is set, and at
//!   the next login that shows it.
//!
//! An app password is used as it is shown, in one word or in four groups; its keys are those of both forms, since a
//! proof of the one is none of the other.
//!
//! SCRAM's salt is an HMAC of the name, so that it is there without a look-up, the same for all passwords of an
//! account, and just as stable for a name that is nobody's. See docs/decisions/0009-challenge-keys.md.

use jiff::Timestamp;
use sasl::ScramKeys;
use store::{
    Account, Act, Action, Audit, AuditEvent, ChallengeKey, ChallengeKeys, ChallengeKind, SealedSecrets,
};
use types::{AccountId, CredentialId, Secret};
use zeroize::Zeroizing;

use crate::app_password::{AppPassword, normalise};
use crate::keys::keyring::Keyring;
use crate::keys::seal::SealError;
use crate::keys::sealer::Sealer;
use crate::login::outcome::LoginFault;
use crate::password_hash::hasher::Hasher;
use crate::revision_cache::RevisionCache;

/// StoredKey and ServerKey, one behind the other.
const PAIR_OCTETS: usize = 64;

/// A password that keys are made of: the account's own, or an app password.
#[derive(Debug, Clone)]
pub enum Password {
    /// The account's own.
    Account(Secret),
    /// An app password.
    App(CredentialId, AppPassword),
}

impl Password {
    /// The app password that it is.
    #[must_use]
    pub fn credential(&self) -> Option<CredentialId> {
        match self {
            Self::Account(_) => None,
            Self::App(id, _) => Some(*id),
        }
    }

    /// The forms in which clients may have it.
    fn forms(&self) -> Vec<Secret> {
        match self {
            Self::Account(password) => vec![password.clone()],
            Self::App(_, letters) => forms(letters).into(),
        }
    }
}

/// In one word, and in four groups.
fn forms(letters: &AppPassword) -> [Secret; 2] {
    [letters.secret(), Secret::new(letters.grouped().as_bytes())]
}

/// What is kept of an app password for CRAM-MD5: the password itself, sealed.
#[must_use]
pub fn cram_md5_key(
    sealer: &Sealer,
    account: AccountId,
    (id, letters): (CredentialId, &AppPassword),
    now: Timestamp,
) -> ChallengeKey {
    sealed(sealer, ChallengeKind::CramMd5, account, Some(id), &letters.secret(), now)
}

/// What the client may have answered a CRAM-MD5 challenge with: the app password in either form.
///
/// # Errors
/// When the key does not open, which enters the audit trail.
pub fn open_cram_md5(
    store: &impl Audit,
    keyring: &Keyring,
    account: &Account,
    key: &ChallengeKey,
    now: Timestamp,
) -> Result<[Secret; 2], SealError> {
    open(store, keyring, account, key, now, |letters| normalise(letters).map(|letters| forms(&letters)))
}

/// What came of making SCRAM keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scram {
    /// They are kept.
    Kept,
    /// The account has changed since, or the app password is gone.
    Changed,
    /// There are to be none of this password: with a second factor the account password is no good for mail; or
    /// SASLprep (RFC 4013) does not allow it.
    Unfit,
}

/// Makes the SCRAM keys of a password and keeps them.
///
/// # Errors
/// When too much is being hashed at once, or the store does not take them.
pub async fn keep_scram(
    store: &(impl ChallengeKeys + SealedSecrets),
    keyring: &Keyring,
    hasher: &Hasher,
    account: &Account,
    password: &Password,
    now: Timestamp,
) -> Result<Scram, LoginFault> {
    let Some(key) = scram_key(store, keyring, hasher, account, password, now).await? else {
        return Ok(Scram::Unfit);
    };
    if !store.keep_challenge_key(&key, account.version).await? {
        return Ok(Scram::Changed);
    }
    keyring.settle(store, key.place(), &key.sealed).await?;
    Ok(Scram::Kept)
}

/// What is kept of a password for SCRAM: its keys, sealed. `None` if there are to be none of it, see [`Scram::Unfit`].
///
/// # Errors
/// When too much is being hashed at once, or nothing can be sealed for the store.
pub async fn scram_key(
    store: &impl SealedSecrets,
    keyring: &Keyring,
    hasher: &Hasher,
    account: &Account,
    password: &Password,
    now: Timestamp,
) -> Result<Option<ChallengeKey>, LoginFault> {
    if account.totp && password.credential().is_none() {
        return Ok(None);
    }
    let parameters = keyring.scram_parameters(&account.address.normal());
    let Some(keys) = hasher.scram_keys(password.forms(), parameters).await? else { return Ok(None) };
    let (kind, credential) = (ChallengeKind::ScramSha256, password.credential());
    let sealer = keyring.sealer(store).await?;
    Ok(Some(sealed(&sealer, kind, account.id, credential, &written(&keys), now)))
}

/// The SCRAM keys of each form of the password.
///
/// # Errors
/// When the key does not open, which enters the audit trail.
pub fn open_scram(
    store: &impl Audit,
    keyring: &Keyring,
    account: &Account,
    key: &ChallengeKey,
    now: Timestamp,
) -> Result<Vec<ScramKeys>, SealError> {
    open(store, keyring, account, key, now, read)
}

/// Makes the SCRAM keys of passwords that have none yet, at the logins that show them.
pub struct ScramAtLogin {
    /// Of which passwords there are keys, or none can be made.
    settled: RevisionCache<(AccountId, Option<CredentialId>), ()>,
}

impl Default for ScramAtLogin {
    fn default() -> Self {
        Self { settled: RevisionCache::new() }
    }
}

impl ScramAtLogin {
    /// Sees to it that there are SCRAM keys of this password, which is the right one. Nobody waits for a core for that,
    /// and no login fails by it: the next one tries again.
    pub async fn see_to<S: store::Accounts + ChallengeKeys + SealedSecrets>(
        &self,
        store: &S,
        keyring: &Keyring,
        hasher: &Hasher,
        account: &Account,
        password: &Password,
        now: Timestamp,
    ) {
        let (revision, of) = (store.revision().await, (account.id, password.credential()));
        if self.settled.at(revision, &of).is_some() {
            return;
        }
        match make_if_missing(store, keyring, hasher, account, password, now).await {
            Ok(true) => self.settled.remember(revision, of, ()),
            Ok(false) => {}
            Err(fault) => {
                let error: &dyn std::error::Error = &fault;
                tracing::warn!(event = "auth.no-scram-keys", account.address = %account.address, error, "SCRAM keys could not be made or kept, or not under the master key that seals now; where there are none, the next login tries again");
            }
        }
    }
}

impl std::fmt::Debug for ScramAtLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ScramAtLogin(…)")
    }
}

/// Whether nothing is left to be done at this revision of the store.
async fn make_if_missing(
    store: &(impl ChallengeKeys + SealedSecrets),
    keyring: &Keyring,
    hasher: &Hasher,
    account: &Account,
    password: &Password,
    now: Timestamp,
) -> Result<bool, LoginFault> {
    if store.has_challenge_key(ChallengeKind::ScramSha256, account.id, password.credential()).await? {
        return Ok(true);
    }
    if !hasher.is_idle() {
        return Ok(false);
    }
    Ok(keep_scram(store, keyring, hasher, account, password, now).await? == Scram::Unfit)
}

fn sealed(
    sealer: &Sealer,
    kind: ChallengeKind,
    account: AccountId,
    credential: Option<CredentialId>,
    secret: &Secret,
    now: Timestamp,
) -> ChallengeKey {
    let mut key = ChallengeKey { kind, account, credential, made_at: now, sealed: Vec::new() };
    key.sealed = sealer.seal(key.place(), secret);
    key
}

/// A key that was damaged, moved here from elsewhere, or sealed under a key that is gone is never taken for one that
/// does not match.
fn open<T>(
    store: &impl Audit,
    keyring: &Keyring,
    account: &Account,
    key: &ChallengeKey,
    now: Timestamp,
    read: impl FnOnce(&Secret) -> Option<T>,
) -> Result<T, SealError> {
    let opened = keyring.open_sealed(key.place(), &key.sealed);
    let opened = opened.and_then(|secret| read(&secret).ok_or(SealError::Damaged));
    opened.inspect_err(|error| {
        let event = AuditEvent::failure(Action::SecretOpen, error.code(), &Act::server(now));
        store.note(AuditEvent { account: Some(account.address.normal()), ..event });
    })
}

fn written(keys: &[ScramKeys]) -> Secret {
    // So much that it never moves: nothing would wipe what it leaves behind.
    let mut octets = Zeroizing::new(Vec::with_capacity(keys.len() * PAIR_OCTETS));
    for key in keys {
        octets.extend_from_slice(key.stored_key());
        octets.extend_from_slice(key.server_key());
    }
    Secret::new(octets.as_slice())
}

fn read(secret: &Secret) -> Option<Vec<ScramKeys>> {
    let (pairs, []) = secret.declassify().as_chunks::<PAIR_OCTETS>() else { return None };
    let keys = pairs.iter().map(|pair| {
        let (stored_key, server_key) = pair.split_first_chunk::<32>()?;
        Some(ScramKeys::new(*stored_key, server_key.try_into().ok()?))
    });
    keys.collect::<Option<Vec<_>>>().filter(|keys| !keys.is_empty())
}

#[cfg(test)]
mod tests;
