//! The demo's account, and an app password for it that the next start revokes.

use auth::challenge_key::Password;
use auth::{Keyring, app_password};
use config::Config;
use jiff::Timestamp;
use rand::RngExt as _;
use store::{Account, Accounts, AppPassword, AppPasswords, Scope};
use store_sqlite::SqliteAccounts;
use types::{AccountId, CredentialId, Mailbox};
use zeroize::Zeroizing;

use crate::{actor, clock, scram};

/// By which the app password of the last start is known again.
const LABEL: &str = "demo";

/// Makes the account if it is not there, and a fresh app password in place of that of the last start: it is shown once,
/// so the old one is of no use to anybody.
pub(super) async fn fresh_password(
    config: &Config,
    store: &SqliteAccounts,
    keyring: &Keyring,
    address: &str,
    now: Timestamp,
) -> anyhow::Result<Zeroizing<String>> {
    let account = account(store, &Mailbox::parse(address)?, now).await?;
    revoke_last(store, account.id).await?;
    let letters = app_password::generate();
    let digest = keyring.app_passwords().digest(&letters);
    let at_most = config::Auth::default().app_passwords_per_account;
    let made = password(account.id, now);
    store.create(&made, &digest, at_most, &actor::act()).await?;
    scram::keep(config, store, &account, &Password::App(made.id, letters.clone())).await;
    Ok(letters.declassify())
}

async fn account(store: &impl Accounts, address: &Mailbox, now: Timestamp) -> anyhow::Result<Account> {
    if let Some(account) = store.by_address(address).await? {
        return Ok(account);
    }
    let id = AccountId::new(clock::unix_ms(now), rand::rng().random());
    let account = Account { name: Some("Demo".to_owned()), ..Account::new(id, address.clone(), now) };
    store.add(&account, &actor::act()).await?;
    Ok(account)
}

async fn revoke_last(store: &impl AppPasswords, account: AccountId) -> anyhow::Result<()> {
    for password in store.of_account(account).await?.iter().filter(|password| password.label == LABEL) {
        store.revoke(account, password.id, &actor::act()).await?;
    }
    Ok(())
}

fn password(account: AccountId, now: Timestamp) -> AppPassword {
    AppPassword {
        id: CredentialId::new(clock::unix_ms(now), rand::rng().random()),
        account,
        label: LABEL.to_owned(),
        scopes: vec![Scope::Smtp],
        networks: Vec::new(),
        senders: Vec::new(),
        created_at: now,
        expires_at: None,
        last_used: None,
    }
}
