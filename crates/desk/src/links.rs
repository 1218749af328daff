//! Links that set up a device or an account: made of the address of the pages, and found again when somebody comes with one.

use std::fmt;
use std::net::IpAddr;

use auth::EnrolmentLink;
use jiff::{SignedDuration, Timestamp};
use rand::RngExt as _;
use store::{
    Account, Act, Enrolment, EnrolmentPurpose, EnrolmentState, EnrolmentUse, Enrolments as _,
    PlannedAppPassword,
};
use types::{CredentialId, EnrolmentId};
use zeroize::Zeroizing;

use crate::accounts::unix_ms;
use crate::{Desk, Trouble};

/// Links of an account that are read at a time: far more than wait, also where many are of a password of before.
const OPEN: u32 = 1_000;

/// Characters of what a browser calls itself that are kept.
const AGENT: usize = 300;

/// A link that somebody has come with, and its account.
#[derive(Debug, Clone)]
pub struct FoundLink {
    /// Whose it is.
    pub account: Account,
    pub(crate) enrolment: Enrolment,
}

/// The browser that somebody has come with.
#[derive(Clone, Copy)]
pub struct LinkBrowser<'a> {
    /// Where it is.
    pub ip: IpAddr,
    /// What it calls itself.
    pub agent: &'a str,
    /// What it has kept, and nobody else knows.
    pub cookie: &'a str,
}

impl fmt::Debug for LinkBrowser<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkBrowser")
            .field("ip", &self.ip)
            .field("agent", &self.agent)
            .finish_non_exhaustive()
    }
}

impl FoundLink {
    /// What it is withdrawn by, and what the audit trail knows it by.
    #[must_use]
    pub fn id(&self) -> EnrolmentId {
        self.enrolment.id
    }

    /// How it stands now.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> EnrolmentState {
        self.enrolment.state(&self.account, now)
    }

    /// When it ends.
    #[must_use]
    pub fn ends_at(&self) -> Timestamp {
        self.enrolment.ends_at
    }

    /// The app password that a device is to get, if it is for one.
    #[must_use]
    pub fn device(&self) -> Option<&PlannedAppPassword> {
        match &self.enrolment.purpose {
            EnrolmentPurpose::Device(planned) => Some(planned),
            EnrolmentPurpose::Invitation { .. } => None,
        }
    }

    /// Whether the second factor is lost and goes, of an invitation; `None` if it is none.
    #[must_use]
    pub fn invitation(&self) -> Option<bool> {
        match &self.enrolment.purpose {
            EnrolmentPurpose::Device(_) => None,
            EnrolmentPurpose::Invitation { .. } => Some(self.enrolment.takes_second_factor(&self.account)),
        }
    }

    /// What came of it.
    #[must_use]
    pub fn used(&self) -> Option<&EnrolmentUse> {
        self.enrolment.used.as_ref()
    }
}

impl Desk {
    /// The link that somebody has come with, however it stands; `None` if nobody has made it, or it was forgotten.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn find_link(&self, link: &EnrolmentLink) -> Result<Option<FoundLink>, Trouble> {
        let digest = self.keyring().await?.enrolment_links().digest(link);
        let found = self.accounts.enrolment_by_digest(&digest).await?;
        Ok(found.map(|(enrolment, account)| FoundLink { account, enrolment }))
    }

    /// Notes that somebody has looked at the page of a link.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn link_opened(&self, link: &FoundLink) -> Result<(), Trouble> {
        match link.enrolment.opened_at {
            None => Ok(self.accounts.enrolment_opened(link.enrolment.id, (self.now)()).await?),
            Some(_) => Ok(()),
        }
    }

    /// Whether it was the browser with this cookie that has used a link.
    ///
    /// # Errors
    /// When the keys of the store can't be had.
    pub async fn link_was_used_by(&self, link: &FoundLink, cookie: &str) -> Result<bool, Trouble> {
        let browser = self.keyring().await?.enrolment_links().browser(cookie);
        Ok(link.enrolment.used.as_ref().is_some_and(|used| used.browser == browser))
    }

    /// The links of an account that wait, newest first.
    pub(crate) async fn waiting_links(&self, account: &Account) -> Result<Vec<Enrolment>, Trouble> {
        let now = (self.now)();
        let open = self.accounts.open_enrolments(account.id, now, OPEN).await?;
        Ok(open.into_iter().filter(|one| one.state(account, now) == EnrolmentState::Waiting).collect())
    }

    /// Keeps a new link that is good for so long from now; what opens it is given out this once.
    pub(crate) async fn make_link(
        &self,
        act: &Act,
        account: &Account,
        purpose: EnrolmentPurpose,
        (good_for, at_most): (SignedDuration, u32),
    ) -> Result<(Enrolment, Zeroizing<String>), Trouble> {
        let (link, path) = (EnrolmentLink::generate(), path_of(&purpose));
        let base = self.settings.base_url.as_ref().ok_or(Trouble::NoPages)?;
        let url =
            Zeroizing::new(format!("{}/{path}/{}", base.as_str().trim_end_matches('/'), *link.declassify()));
        let enrolment = Enrolment {
            id: EnrolmentId::new(unix_ms(act.at), rand::rng().random()),
            account: account.id,
            version: account.version,
            made_at: act.at,
            made_by: act.by.to_string(),
            ends_at: end(&purpose, act.at.saturating_add(good_for).unwrap_or(Timestamp::MAX)),
            purpose,
            opened_at: None,
            withdrawn_at: None,
            used: None,
        };
        let digest = self.keyring().await?.enrolment_links().digest(&link);
        match self.accounts.keep_enrolment(&enrolment, &digest, at_most, act).await {
            Ok(()) => Ok((enrolment, url)),
            Err(store::Error::TooMany) => {
                Err(Trouble::TooManyLinks { account: account.address.clone(), limit: at_most })
            }
            Err(store::Error::Changed | store::Error::NotFound) => {
                Err(Trouble::LinkOvertaken(account.address.clone()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What is kept of the use of a link.
    pub(crate) async fn use_of(
        &self,
        act: &Act,
        browser: LinkBrowser<'_>,
        credential: Option<CredentialId>,
    ) -> Result<EnrolmentUse, Trouble> {
        let agent = browser.agent.chars().take(AGENT);
        Ok(EnrolmentUse {
            at: act.at,
            ip: browser.ip,
            agent: agent.map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect(),
            browser: self.keyring().await?.enrolment_links().browser(browser.cookie),
            credential,
        })
    }
}

/// When a link ends that is good until then: not after the app password that it would make.
fn end(purpose: &EnrolmentPurpose, until: Timestamp) -> Timestamp {
    match purpose {
        EnrolmentPurpose::Device(planned) => planned.expires_at.map_or(until, |end| end.min(until)),
        EnrolmentPurpose::Invitation { .. } => until,
    }
}

/// Where the page of such a link is.
fn path_of(purpose: &EnrolmentPurpose) -> &'static str {
    match purpose {
        EnrolmentPurpose::Device(_) => "enrol",
        EnrolmentPurpose::Invitation { .. } => "invited",
    }
}

#[cfg(test)]
mod tests;
