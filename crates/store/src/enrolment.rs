//! Links: a device gets an app password by one, and somebody who is invited chooses the password of their account by one.

use std::future::Future;
use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;
use types::{AccountId, CredentialId, EnrolmentId, SenderPattern};

use crate::{Account, Act, Error, NewAppPassword, NewSecondFactor};

/// A link, without what opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// What it is withdrawn by, and what the audit trail knows it by.
    pub id: EnrolmentId,
    /// Whose account it is about.
    pub account: AccountId,
    /// What it is for.
    pub purpose: EnrolmentPurpose,
    /// The version of the account when it was made. The link of a device is over with another.
    pub version: i64,
    /// When it was made.
    pub made_at: Timestamp,
    /// Who made it, as [`Actor`](crate::Actor) is written.
    pub made_by: String,
    /// When it ends, if nobody uses it.
    pub ends_at: Timestamp,
    /// When somebody first looked at it.
    pub opened_at: Option<Timestamp>,
    /// When it was withdrawn, by its owner or because another took its place.
    pub withdrawn_at: Option<Timestamp>,
    /// What came of it.
    pub used: Option<EnrolmentUse>,
}

/// What a link is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnrolmentPurpose {
    /// A device gets this app password.
    Device(PlannedAppPassword),
    /// Somebody chooses the password of their account.
    Invitation {
        /// Whether an administrator has said that the second factor is lost, so that its code is not asked and it goes.
        second_factor_lost: bool,
    },
}

/// What an app password will be that is made when its link is used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlannedAppPassword {
    /// Where it will be used, in its owner's words.
    pub label: String,
    /// When it stops working, if ever.
    pub expires_at: Option<Timestamp>,
    /// Where it may be used from; everywhere, if empty.
    pub networks: Vec<IpNet>,
    /// In whose names it may send; in all that its account may, if empty.
    pub senders: Vec<SenderPattern>,
}

/// When, where from and by what a link was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolmentUse {
    /// When.
    pub at: Timestamp,
    /// From where.
    pub ip: IpAddr,
    /// The browser, as it calls itself.
    pub agent: String,
    /// What this browser is known again by: a keyed digest.
    pub browser: [u8; 32],
    /// The app password that was made.
    pub credential: Option<CredentialId>,
}

/// How a link stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnrolmentState {
    /// It is good, and nobody has used it.
    Waiting,
    /// Somebody has used it.
    Used,
    /// It was withdrawn.
    Withdrawn,
    /// Its time is up, or the account is another than when it was made.
    Over,
}

impl EnrolmentState {
    /// The state as programs read it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            EnrolmentState::Waiting => "waiting",
            EnrolmentState::Used => "used",
            EnrolmentState::Withdrawn => "withdrawn",
            EnrolmentState::Over => "over",
        }
    }
}

impl Enrolment {
    /// Whether it takes the second factor of this account away without its code. That was said of the account as it was then: since any change
    /// of it the code is asked for, of a second factor that was set up later too.
    #[must_use]
    pub fn takes_second_factor(&self, account: &Account) -> bool {
        matches!(self.purpose, EnrolmentPurpose::Invitation { second_factor_lost: true })
            && self.version == account.version
    }

    /// How it stands now, of this account as it is.
    #[must_use]
    pub fn state(&self, account: &Account, now: Timestamp) -> EnrolmentState {
        let is_of_another = match self.purpose {
            EnrolmentPurpose::Device(_) => self.version != account.version,
            EnrolmentPurpose::Invitation { .. } => false,
        };
        if self.used.is_some() {
            EnrolmentState::Used
        } else if self.withdrawn_at.is_some() {
            EnrolmentState::Withdrawn
        } else if self.ends_at <= now || is_of_another || account.disabled {
            EnrolmentState::Over
        } else {
            EnrolmentState::Waiting
        }
    }
}

/// What somebody who was invited has chosen.
#[derive(Debug, Clone)]
pub struct AcceptedInvitation {
    /// The hash of the password.
    pub password_hash: String,
    /// The version of the account that it was chosen for.
    pub version: i64,
    /// A second factor in the place of whichever there is.
    pub second_factor: Option<NewSecondFactor>,
    /// Whether the app passwords of before are revoked, and with them the API tokens and the certificates: whatever else gets in.
    pub revoke_app_passwords: bool,
    /// When, where from and by what.
    pub used: EnrolmentUse,
}

/// The links. A link is found by its keyed digest; the store never sees the link. Looking at one changes nothing but when that was first done.
pub trait Enrolments: Send + Sync + 'static {
    /// Keeps a new link. Of devices an account has `at_most` that are open at the time of the act, else [`Error::TooMany`]; an invitation
    /// withdraws those before. [`Error::Changed`] if the account has another version by now, [`Error::NotFound`] if there is no such account.
    /// Audited.
    fn keep_enrolment(
        &self,
        enrolment: &Enrolment,
        digest: &[u8; 32],
        at_most: u32,
        act: &Act,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// The link with this digest and its account, however it stands: one indexed look-up.
    fn enrolment_by_digest(
        &self,
        digest: &[u8; 32],
    ) -> impl Future<Output = Result<Option<(Enrolment, Account)>, Error>> + Send;

    /// The link of an account with this identifier, however it stands.
    fn enrolment(
        &self,
        account: AccountId,
        id: EnrolmentId,
    ) -> impl Future<Output = Result<Option<Enrolment>, Error>> + Send;

    /// The links of an account that nobody has used or withdrawn and whose time is not up, newest first; so many at most.
    fn open_enrolments(
        &self,
        account: AccountId,
        now: Timestamp,
        at_most: u32,
    ) -> impl Future<Output = Result<Vec<Enrolment>, Error>> + Send;

    /// Notes that somebody has looked at a link, if nobody did before.
    fn enrolment_opened(
        &self,
        id: EnrolmentId,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Withdraws a link of this account that nobody has used; `false` if it has no such link. Audited.
    fn withdraw_enrolment(
        &self,
        account: AccountId,
        id: EnrolmentId,
        act: &Act,
    ) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Uses up the link of a device and makes its app password, in one: of many at once one does. `false`, and nothing changed, if the link is
    /// not waiting any more at the time of the act. Otherwise as [`AppPasswords::create`](crate::AppPasswords::create). Both are audited.
    fn use_device_link(
        &self,
        id: EnrolmentId,
        used: &EnrolmentUse,
        new: &NewAppPassword,
        at_most: u32,
        act: &Act,
    ) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Uses up an invitation, in one with all that it is for: the password, the second factor, the end of all sessions, and of the app
    /// passwords, API tokens and certificates of before if that is wanted. Without a new one the second factor stays as it is, unless the invitation says that it is lost and the account
    /// has the version of then. `false`, and nothing changed, if the invitation is not waiting any more at the time of the act; [`Error::Changed`] if the account has another version by
    /// now. Each change is audited.
    fn accept_invitation(
        &self,
        id: EnrolmentId,
        accepted: &AcceptedInvitation,
        act: &Act,
    ) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Forgets links that ended before then, and those that were made by a clock that was more than a day ahead, which would be good for that
    /// much longer; how many.
    fn prune_enrolments(
        &self,
        before: Timestamp,
        now: Timestamp,
    ) -> impl Future<Output = Result<u64, Error>> + Send;
}
