//! App passwords: made, listed, revoked.

use std::collections::HashSet;

use auth::challenge_key::{self, Password};
use auth::{Names, SessionRights, app_password};
use ipnet::IpNet;
use jiff::Timestamp;
use rand::RngExt as _;
use store::{
    Account, Accounts as _, Act, AppPassword, AppPasswordPlace, AppPasswords as _, ChallengeKey,
    ChallengeKeys as _, ChallengeKind, Login, NewAppPassword, Page, Scope,
};
use types::{CredentialId, SenderPattern};

use crate::accounts::unix_ms;
use crate::scram::ScramLack;
use crate::{Desk, Listed, Missing, OldKey, Trouble, view};

/// How many app passwords are read at a time.
const PAGE: u32 = 500;

/// An app password that is to be made.
#[derive(Debug, Clone)]
pub struct AppPasswordWish {
    /// Where it will be used, in its owner's words.
    pub label: String,
    /// What it is good for.
    pub scopes: Vec<Scope>,
    /// Where it may be used from; everywhere, if empty.
    pub networks: Vec<IpNet>,
    /// Whom it may send as; everybody that the account may, if empty.
    pub senders: Vec<SenderPattern>,
    /// When it stops working, if ever.
    pub expires_at: Option<Timestamp>,
    /// Whether it can be used with CRAM-MD5, too; for that the password itself is kept, sealed.
    pub cram_md5: bool,
}

/// What an app password lacks that was made.
#[derive(Debug, Default)]
pub struct AppPasswordLacks {
    /// Why SCRAM does not take it.
    pub scram: Option<ScramLack>,
    /// Why its keys for challenges are sealed under an old master key.
    pub sealing: Option<OldKey>,
}

/// An app password that was made and is not kept yet.
pub(crate) struct MadeAppPassword {
    pub(crate) new: NewAppPassword,
    letters: app_password::AppPassword,
    cram_md5: bool,
    scram: Option<ScramLack>,
}

impl MadeAppPassword {
    /// What is shown of it this once, now that it is kept; and what it lacks.
    pub(crate) fn shown(self, sealing: Option<OldKey>) -> (view::NewAppPassword, AppPasswordLacks) {
        let Self { new, letters, cram_md5, scram } = self;
        let view = view::NewAppPassword {
            app_password: view::AppPassword::of(&new.app_password, cram_md5),
            password: letters.declassify(),
            grouped: letters.grouped(),
        };
        (view, AppPasswordLacks { scram, sealing })
    }
}

impl Desk {
    /// Makes an app password with all that answers to challenges are checked with: all of it or nothing. Once it is kept, nothing makes
    /// this fail; what it lacks is told beside it.
    ///
    /// # Errors
    /// [`Trouble::NotCovered`], [`Trouble::TooMany`]; [`Trouble::Changed`] when the account was changed while it was made.
    pub async fn create_app_password(
        &self,
        act: &Act,
        account: &Account,
        wish: &AppPasswordWish,
    ) -> Result<(view::NewAppPassword, AppPasswordLacks), Trouble> {
        let made = self.make_app_password(act, account, wish).await?;
        let sealing = self.keep_app_password(act, account, &made.new).await?;
        Ok(made.shown(sealing))
    }

    /// Makes an app password, which is not kept yet.
    pub(crate) async fn make_app_password(
        &self,
        act: &Act,
        account: &Account,
        wish: &AppPasswordWish,
    ) -> Result<MadeAppPassword, Trouble> {
        let keyring = self.keyring().await?;
        self.see_covered(account, &wish.senders).await?;
        let (letters, app_password) = (app_password::generate(), wish.made(account, act.at));
        let (scram_key, scram) =
            self.scram_key_of(act, account, &Password::App(app_password.id, letters.clone())).await;
        let cram_md5 = match wish.cram_md5 {
            true => Some(self.cram_md5_key_of(act, account, (app_password.id, &letters)).await?),
            false => None,
        };
        let new = NewAppPassword {
            digest: keyring.app_passwords().digest(&letters),
            challenge_keys: cram_md5.into_iter().chain(scram_key).collect(),
            version: account.version,
            app_password,
        };
        Ok(MadeAppPassword { new, letters, cram_md5: wish.cram_md5, scram })
    }

    /// Keeps an app password. Says why its keys are sealed under an old master key, if they are.
    pub(crate) async fn keep_app_password(
        &self,
        act: &Act,
        account: &Account,
        new: &NewAppPassword,
    ) -> Result<Option<OldKey>, Trouble> {
        let limit = self.settings.app_passwords_per_account;
        self.accounts.create(new, limit, act).await.map_err(|error| self.not_made(error, account))?;
        Ok(self.settle_app_password(new).await)
    }

    /// Why an app password was not made.
    pub(crate) fn not_made(&self, error: store::Error, account: &Account) -> Trouble {
        let limit = self.settings.app_passwords_per_account;
        match error {
            store::Error::TooMany => Trouble::TooMany { account: account.address.clone(), limit },
            store::Error::Changed => Trouble::Changed(account.address.clone()),
            error => error.into(),
        }
    }

    /// Sees that the keys of an app password that is kept are sealed under the newest master key. It is made: nothing may hide that.
    pub(crate) async fn settle_app_password(&self, new: &NewAppPassword) -> Option<OldKey> {
        let (keyring, mut unsettled) = (self.keyring().await.ok()?, None);
        for key in &new.challenge_keys {
            unsettled = keyring.settle(&self.accounts, key.place(), &key.sealed).await.err().or(unsettled);
        }
        unsettled.map(OldKey)
    }

    /// The key of an app password for CRAM-MD5.
    async fn cram_md5_key_of(
        &self,
        act: &Act,
        account: &Account,
        made_of: (CredentialId, &app_password::AppPassword),
    ) -> Result<ChallengeKey, Trouble> {
        let sealer = self.keyring().await?.sealer(&self.accounts).await?;
        Ok(challenge_key::cram_md5_key(&sealer, account.id, made_of, act.at))
    }

    /// The SCRAM key of an app password, if anybody may want it and it can be made now.
    async fn scram_key_of(
        &self,
        act: &Act,
        account: &Account,
        password: &Password,
    ) -> (Option<ChallengeKey>, Option<ScramLack>) {
        if !self.scram_is_wanted() {
            return (None, None);
        }
        let made = async {
            let (keyring, hasher) =
                self.scram_means().await.map_err(|trouble| ScramLack::NotNow(Box::new(trouble)))?;
            Ok(challenge_key::scram_key(&self.accounts, keyring, hasher, account, password, act.at).await?)
        };
        match made.await {
            Ok(Some(key)) => (Some(key), None),
            Ok(None) => (None, Some(ScramLack::Forbidden)),
            Err(lack) => (None, Some(lack)),
        }
    }

    /// Sees that the account may use all these senders: an app password may allow less, never more.
    pub(crate) async fn see_covered(
        &self,
        account: &Account,
        senders: &[SenderPattern],
    ) -> Result<(), Trouble> {
        let rights = self.accounts.session_rights(&Login { account: account.id, with: None }).await?;
        let identities = rights.map(|rights| rights.identities).unwrap_or_default();
        let all = SessionRights {
            address: account.address.clone(),
            identities,
            senders: Vec::new(),
            until: None,
            undo: None,
            admin: account.admin,
        };
        let names = Names::of(&all);
        let Some(foreign) = senders.iter().find(|sender| !names.cover(sender)) else { return Ok(()) };
        let identities = all.identities.iter().map(ToString::to_string);
        Err(Trouble::NotCovered {
            account: account.address.clone(),
            sender: Box::new(foreign.clone()),
            own: std::iter::once(all.address.to_string()).chain(identities).collect(),
        })
    }

    /// Whether app passwords can be used with CRAM-MD5 anywhere.
    #[must_use]
    pub fn offers_cram_md5(&self) -> bool {
        self.settings.cram_md5
    }

    /// A page of the app passwords of an account, oldest first.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn app_passwords(
        &self,
        account: &Account,
        page: Page<AppPasswordPlace>,
    ) -> Result<Listed<view::AppPassword, AppPasswordPlace>, Trouble> {
        let passwords = self.accounts.of_account(account.id, page).await?;
        let ids: Vec<_> = passwords.iter().map(|password| password.id).collect();
        let for_cram_md5 = self.accounts.with_challenge_key(ChallengeKind::CramMd5, &ids).await?;
        let view =
            |password: &AppPassword| view::AppPassword::of(password, for_cram_md5.contains(&password.id));
        let last = passwords.last().map(AppPassword::place);
        Ok(Listed { items: passwords.iter().map(view).collect(), last })
    }

    /// All app passwords of an account: as many as an account may have.
    pub(crate) async fn every_app_password(&self, account: &Account) -> Result<Vec<AppPassword>, Trouble> {
        let (mut all, mut page) = (Vec::new(), Page::first(PAGE));
        loop {
            let some = self.accounts.of_account(account.id, page).await?;
            let Some(last) = some.last() else { return Ok(all) };
            page = Page { after: Some(last.place()), limit: PAGE };
            all.extend(some);
        }
    }

    /// An app password of an account.
    ///
    /// # Errors
    /// [`Missing::AppPassword`].
    pub async fn show_app_password(
        &self,
        account: &Account,
        id: CredentialId,
    ) -> Result<view::AppPassword, Trouble> {
        let found = self.every_app_password(account).await?.into_iter().find(|one| one.id == id);
        let password = found.ok_or_else(|| none_such(account, &id.to_string()))?;
        let for_cram_md5 = self.accounts.with_challenge_key(ChallengeKind::CramMd5, &[id]).await?;
        Ok(view::AppPassword::of(&password, for_cram_md5.contains(&id)))
    }

    /// Which app password of this account has these letters, if one does.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn own_app_password(
        &self,
        account: &Account,
        letters: &app_password::AppPassword,
    ) -> Result<Option<CredentialId>, Trouble> {
        let digest = self.keyring().await?.app_passwords().digest(letters);
        let found = self.accounts.by_digest(&digest).await?;
        Ok(found.filter(|(_, owner)| owner.id == account.id).map(|(app_password, _)| app_password.id))
    }

    /// Gives an app password another label.
    ///
    /// # Errors
    /// [`Missing::AppPassword`].
    pub async fn relabel_app_password(
        &self,
        act: &Act,
        account: &Account,
        id: CredentialId,
        label: &str,
    ) -> Result<(), Trouble> {
        match self.accounts.relabel(account.id, id, label, act).await? {
            true => Ok(()),
            false => Err(none_such(account, &id.to_string())),
        }
    }

    /// Revokes an app password, named by its label, its identifier or the beginning of that; says which one it was. A
    /// session that uses it ends at its next command.
    ///
    /// # Errors
    /// [`Missing::AppPassword`], [`Trouble::SeveralAppPasswords`].
    pub async fn revoke_app_password(
        &self,
        act: &Act,
        account: &Account,
        which: &str,
    ) -> Result<AppPassword, Trouble> {
        let app_password = pick(self.every_app_password(account).await?, which, account)?;
        match self.accounts.revoke(account.id, app_password.id, act).await? {
            true => Ok(app_password),
            false => Err(none_such(account, which)),
        }
    }
}

impl AppPasswordWish {
    fn made(&self, account: &Account, now: Timestamp) -> AppPassword {
        let mut scopes = self.scopes.clone();
        scopes.dedup();
        AppPassword {
            id: CredentialId::new(unix_ms(now), rand::rng().random()),
            account: account.id,
            label: self.label.clone(),
            scopes,
            networks: self.networks.clone(),
            senders: distinct(&self.senders),
            created_at: now,
            expires_at: self.expires_at,
            last_used: None,
        }
    }
}

/// Each once, as it was written first.
fn distinct(senders: &[SenderPattern]) -> Vec<SenderPattern> {
    let mut seen = HashSet::new();
    senders.iter().filter(|sender| seen.insert(sender.normal())).cloned().collect()
}

/// The one that is meant: by its whole identifier, else by its label, else by the beginning of its identifier.
fn pick(passwords: Vec<AppPassword>, which: &str, account: &Account) -> Result<AppPassword, Trouble> {
    let range = CredentialId::beginning_with(which).ok();
    let whole = range.as_ref().filter(|range| range.start() == range.end()).map(|range| *range.start());
    let begins = |id: &CredentialId| range.as_ref().is_some_and(|range| range.contains(id));
    let ways: [&dyn Fn(&AppPassword) -> bool; 3] =
        [&|password| Some(password.id) == whole, &|password| password.label == which, &|password| {
            begins(&password.id)
        }];
    let Some(is_meant) = ways.into_iter().find(|way| passwords.iter().any(way)) else {
        return Err(none_such(account, which));
    };
    let mut meant: Vec<AppPassword> = passwords.into_iter().filter(is_meant).collect();
    match (meant.pop(), meant.as_slice()) {
        (Some(only), []) => Ok(only),
        (last, others) => Err(Trouble::SeveralAppPasswords {
            account: account.address.clone(),
            which: which.to_owned(),
            ids: others.iter().chain(&last).map(|password| password.id).collect(),
        }),
    }
}

fn none_such(account: &Account, which: &str) -> Trouble {
    Missing::AppPassword { account: account.address.clone(), which: which.to_owned() }.into()
}

#[cfg(test)]
mod tests {
    use types::{AccountId, Mailbox};

    use super::*;

    fn named(n: u8, label: &str) -> AppPassword {
        AppPassword {
            id: CredentialId::from_bytes([n; 16]),
            account: AccountId::from_bytes([1; 16]),
            label: label.to_owned(),
            scopes: vec![Scope::Smtp],
            networks: Vec::new(),
            senders: Vec::new(),
            created_at: "2026-11-21T12:00:00Z".parse().unwrap(),
            expires_at: None,
            last_used: None,
        }
    }

    #[test]
    fn an_app_password_is_named_by_its_label_or_its_identifier() {
        let passwords = vec![named(1, "phone"), named(2, "laptop"), named(3, "laptop"), named(4, "0")];
        let (address, at) = (Mailbox::parse("alice@example.org"), passwords[0].created_at);
        let account = Account::new(AccountId::from_bytes([1; 16]), address.unwrap(), at);
        let picked = |which: &str| pick(passwords.clone(), which, &account).map(|one| one.id.as_bytes()[0]);
        assert_eq!(picked("phone").unwrap(), 1);
        assert_eq!(picked("0").unwrap(), 4, "a label before the beginning of an identifier");
        let id = passwords[2].id.to_string();
        assert_eq!(picked(&id).unwrap(), 3);
        assert_eq!(picked(id.get(..20).unwrap()).unwrap(), 3);
        let said = picked("laptop").unwrap_err().to_string();
        let ids = format!("{}, {id};", passwords[1].id);
        assert!(said.contains("has 2 app passwords") && said.contains(&ids), "{said}");
        assert_eq!(picked("tablet").unwrap_err().code(), "no-app-password");
    }
}
