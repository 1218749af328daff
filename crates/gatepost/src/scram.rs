//! The SCRAM keys that commands make of a password which they set, if the configuration offers SCRAM.
//!
//! Without them SCRAM refuses the password until its next login with PLAIN or LOGIN. That is no reason to take back
//! what was done: it is told, and that is all.

use auth::challenge_key::{Password, Scram, keep_scram};
use auth::{Hasher, Keyring};
use config::Config;
use store::{Account, ChallengeKeys, SealedSecrets};
use store_sqlite::SqliteAccounts;

use crate::{clock, error_line, open, output, wiring};

/// Makes the SCRAM keys of a password of this account, if anybody may want them.
pub(crate) async fn keep(config: &Config, store: &SqliteAccounts, account: &Account, password: &Password) {
    if !config.offers_scram() {
        return;
    }
    match means(config, store).await {
        Ok((keyring, hasher)) => keep_by(store, &keyring, &hasher, account, password).await,
        Err(error) => output::warn(&later(account, &error_line::of(&error))),
    }
}

/// The same, by these keys.
pub(crate) async fn keep_by(
    store: &(impl ChallengeKeys + SealedSecrets),
    keyring: &Keyring,
    hasher: &Hasher,
    account: &Account,
    password: &Password,
) {
    match keep_scram(store, keyring, hasher, account, password, clock::now()).await {
        Ok(Scram::Kept) => {}
        Ok(Scram::Unfit) if account.totp => {}
        Ok(Scram::Unfit) => {
            let who = &account.address;
            output::warn(&format!(
                "SCRAM will not take this password of {who}: RFC 4013 forbids characters of it"
            ));
        }
        Ok(Scram::Changed) => output::warn(&later(account, "the account was changed meanwhile")),
        Err(fault) => output::warn(&later(account, &error_line::of(&fault.into()))),
    }
}

fn later(account: &Account, lack: &str) -> String {
    format!("SCRAM takes this password of {} only after a login with PLAIN: {lack}", account.address)
}

async fn means(config: &Config, store: &SqliteAccounts) -> anyhow::Result<(Keyring, Hasher)> {
    Ok((open::keyring(config, store).await?, wiring::hasher(config)?))
}
