//! The SCRAM keys that commands make of a password which they set, if the configuration offers SCRAM.
//!
//! Without them SCRAM refuses the password until its next login with PLAIN or LOGIN. That is no reason to take back
//! what was done: it is told, and that is all.

use auth::challenge_key::{Password, Scram, keep_scram};
use config::Config;
use store::Account;
use store_sqlite::SqliteAccounts;

use crate::{clock, explain, open, output, wiring};

/// Makes the SCRAM keys of a password of this account, if anybody may want them.
pub(crate) async fn keep(config: &Config, store: &SqliteAccounts, account: &Account, password: &Password) {
    if !config.auth.offers_scram() {
        return;
    }
    let later = |lack: &str| format!("SCRAM takes this password only after a login with PLAIN: {lack}");
    match make(config, store, account, password).await {
        Ok(Scram::Kept) => {}
        Ok(Scram::Unfit) if account.totp => {}
        Ok(Scram::Unfit) => {
            output::warn("SCRAM will not take this password: RFC 4013 forbids characters of it")
        }
        Ok(Scram::Changed) => output::warn(&later("the account was changed meanwhile")),
        Err(error) => output::warn(&later(&explain::one_line(&error))),
    }
}

async fn make(
    config: &Config,
    store: &SqliteAccounts,
    account: &Account,
    password: &Password,
) -> anyhow::Result<Scram> {
    let (keyring, hasher) = (open::keyring(config, store).await?, wiring::hasher(config)?);
    Ok(keep_scram(store, &keyring, &hasher, account, password, clock::now()).await?)
}
