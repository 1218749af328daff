//! The demo's accounts, and passwords for them that the next start replaces.

use auth::new_password;
use desk::{AppPasswordWish, Chosen, Desk, Missing, NewAccount, Strength, Trouble};
use store::{Account, Act, Page, Scope};
use types::{Mailbox, Secret};
use zeroize::Zeroizing;

use crate::{actor, scram, sealed};

/// By which the app password of the last start is known again.
const LABEL: &str = "demo";

/// How many app passwords of it are looked through: there is one, and those that somebody has made by hand.
const FEW: u32 = 500;

/// Makes the account if it is not there, and a fresh app password in place of that of the last start: it is shown once,
/// so the old one is of no use to anybody.
pub(super) async fn fresh_app_password(desk: &Desk, address: &str) -> anyhow::Result<Zeroizing<String>> {
    let act = actor::act();
    let account = account(desk, &act, &Mailbox::parse(address)?, false).await?;
    for password in desk
        .app_passwords(&account, Page::first(FEW))
        .await?
        .items
        .iter()
        .filter(|password| password.label == LABEL)
    {
        desk.revoke_app_password(&act, &account, &password.id).await?;
    }
    let wish = AppPasswordWish {
        label: LABEL.to_owned(),
        scopes: vec![Scope::Smtp],
        networks: Vec::new(),
        senders: Vec::new(),
        expires_at: None,
        cram_md5: false,
    };
    let (created, lacks) = desk.create_app_password(&act, &account, &wish).await?;
    scram::tell(&account.address, lacks.scram);
    sealed::tell_old_key(lacks.sealing);
    Ok(created.password)
}

/// Makes the account if it is not there, and gives it a fresh password of its own, which opens the pages.
pub(super) async fn fresh_password(desk: &Desk, address: &str, admin: bool) -> anyhow::Result<Secret> {
    let act = actor::act();
    let account = account(desk, &act, &Mailbox::parse(address)?, admin).await?;
    let chosen = Chosen { secret: new_password::generate(), strength: Strength::Any };
    scram::tell(&account.address, desk.change_password(&act, &account, &chosen).await?);
    Ok(chosen.secret)
}

async fn account(desk: &Desk, act: &Act, address: &Mailbox, admin: bool) -> Result<Account, Trouble> {
    match desk.find(address).await {
        Err(Trouble::Missing(Missing::Account(_))) => {}
        found => return found,
    }
    let (address, name) = (address.clone(), Some(if admin { "Administrator" } else { "Demo" }.to_owned()));
    desk.add_account(act, NewAccount { address: address.clone(), name, admin, password: None }).await?;
    desk.find(&address).await
}
