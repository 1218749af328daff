//! Links that give a device an app password of its own, which is made there when the link is used.

use store::{Account, Act, EnrolmentPurpose, Enrolments as _, PlannedAppPassword, Scope};
use types::EnrolmentId;

use crate::app_passwords::AppPasswordLacks;
use crate::{AppPasswordWish, Desk, FoundLink, LinkBrowser, Missing, Trouble, view};

/// Links of an account that wait at a time: the devices on one's desk.
const WAITING: u32 = 5;

impl Desk {
    /// Makes a link with which a device gets this app password. It is shown this once.
    ///
    /// # Errors
    /// [`Trouble::NotCovered`], [`Trouble::TooManyLinks`], [`Trouble::NoPages`]; [`Trouble::LinkOvertaken`].
    pub async fn make_device_link(
        &self,
        act: &Act,
        account: &Account,
        planned: PlannedAppPassword,
    ) -> Result<view::NewDeviceLink, Trouble> {
        self.see_covered(account, &planned.senders).await?;
        let (purpose, good_for) = (EnrolmentPurpose::Device(planned), self.settings.device_link);
        let (enrolment, link) = self.make_link(act, account, purpose, (good_for, WAITING)).await?;
        let device_link = view::DeviceLink::of(&enrolment, account, act.at);
        let device_link = device_link.ok_or_else(|| none_such(account, &enrolment.id.to_string()))?;
        Ok(view::NewDeviceLink { device_link, link })
    }

    /// The links of an account that wait for a device, newest first.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn waiting_device_links(&self, account: &Account) -> Result<Vec<view::DeviceLink>, Trouble> {
        let (waiting, now) = (self.waiting_links(account).await?, (self.now)());
        Ok(waiting.iter().filter_map(|one| view::DeviceLink::of(one, account, now)).collect())
    }

    /// A link of an account for a device, however it stands.
    ///
    /// # Errors
    /// [`Missing::Link`].
    pub async fn device_link(&self, account: &Account, id: EnrolmentId) -> Result<view::DeviceLink, Trouble> {
        let found = self.accounts.enrolment(account.id, id).await?;
        let view = found.and_then(|one| view::DeviceLink::of(&one, account, (self.now)()));
        view.ok_or_else(|| none_such(account, &id.to_string()))
    }

    /// Withdraws a link that nobody has used.
    ///
    /// # Errors
    /// [`Missing::Link`].
    pub async fn withdraw_link(&self, act: &Act, account: &Account, id: EnrolmentId) -> Result<(), Trouble> {
        match self.accounts.withdraw_enrolment(account.id, id, act).await? {
            true => Ok(()),
            false => Err(none_such(account, &id.to_string())),
        }
    }

    /// Uses up a link, and makes the app password of the device: all of it or nothing. Once it is kept, nothing makes this fail; what it lacks is
    /// told beside it.
    ///
    /// # Errors
    /// [`Missing::Link`] if it is not waiting any more, [`Trouble::TooMany`]; [`Trouble::NotCovered`], [`Trouble::Changed`] when the account is
    /// another by now.
    pub async fn use_device_link(
        &self,
        act: &Act,
        link: &FoundLink,
        browser: LinkBrowser<'_>,
    ) -> Result<(view::NewAppPassword, AppPasswordLacks), Trouble> {
        let (account, id) = (&link.account, link.enrolment.id);
        let gone = || none_such(account, &id.to_string());
        let planned = link.device().ok_or_else(gone)?;
        let made = self.make_app_password(act, account, &wish(planned)).await?;
        let used = self.use_of(act, browser, Some(made.new.app_password.id)).await?;
        let limit = self.settings.app_passwords_per_account;
        let is_used = self.accounts.use_device_link(id, &used, &made.new, limit, act).await;
        if !is_used.map_err(|error| self.not_made(error, account))? {
            return Err(gone());
        }
        let sealing = self.settle_app_password(&made.new).await;
        Ok(made.shown(sealing))
    }
}

fn wish(planned: &PlannedAppPassword) -> AppPasswordWish {
    let PlannedAppPassword { label, expires_at, networks, senders } = planned.clone();
    AppPasswordWish { label, scopes: vec![Scope::Smtp], networks, senders, expires_at, cram_md5: false }
}

fn none_such(account: &Account, which: &str) -> Trouble {
    Missing::Link { account: account.address.clone(), which: which.to_owned() }.into()
}
