//! The audit trail: every authentication, and every change of a credential or an account.

mod action;

use std::borrow::Cow;
use std::future::Future;
use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;

use crate::{Act, Error, Page, Via};

pub use action::{Action, UnknownAction};

/// Whether it came to what was wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuditResult {
    /// It did.
    Success,
    /// It did not.
    Failure,
}

impl AuditResult {
    /// Both.
    pub const ALL: [AuditResult; 2] = [AuditResult::Success, AuditResult::Failure];

    /// The result as it is written and stored.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            AuditResult::Success => "success",
            AuditResult::Failure => "failure",
        }
    }

    /// The result that is written so.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        AuditResult::ALL.into_iter().find(|result| result.name() == name)
    }
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AuditEvent {
    /// When.
    pub at: Timestamp,
    /// What.
    pub action: Action,
    /// Whether it was done.
    pub result: AuditResult,
    /// Why not, or `ok`: a code that stays the same.
    pub reason: Cow<'static, str>,
    /// Whose account: an address in its normal form, which need not exist.
    pub account: Option<String>,
    /// By which credential, or which one it was about: the id of an app password, the fingerprint of a certificate, or
    /// `password`.
    pub credential: Option<String>,
    /// The SASL mechanism.
    pub mechanism: Option<String>,
    /// What for: `smtp` or `master`; `second-factor-lost` of an invitation that takes the second factor away.
    pub scope: Option<String>,
    /// From where; `None` for the command line and what the server does by itself.
    pub ip: Option<IpAddr>,
    /// The version of TLS.
    pub tls: Option<String>,
    /// The session, as in the log.
    pub session: Option<String>,
    /// Who did it, as [`Actor`](crate::Actor) is written. `None` for a login, which is only about to say who it is, and where that was not
    /// yet told.
    pub actor: Option<String>,
    /// By which means; `None` where that was not yet told.
    pub via: Option<Via>,
}

impl AuditEvent {
    /// What the account password is called among the credentials.
    pub const PASSWORD: &'static str = "password";

    /// What was done, about no account.
    #[must_use]
    pub fn success(action: Action, act: &Act) -> Self {
        Self {
            at: act.at,
            action,
            result: AuditResult::Success,
            reason: Cow::Borrowed("ok"),
            account: None,
            credential: None,
            mechanism: None,
            scope: None,
            ip: act.ip,
            tls: None,
            session: act.session.clone(),
            actor: Some(act.by.to_string()),
            via: Some(act.via),
        }
    }

    /// What was tried and failed, about no account.
    #[must_use]
    pub fn failure(action: Action, reason: &'static str, act: &Act) -> Self {
        let reason = Cow::Borrowed(reason);
        Self { result: AuditResult::Failure, reason, ..Self::success(action, act) }
    }

    /// A change that was made to the account with this address, given in its normal form.
    pub fn change(action: Action, account: impl Into<String>, act: &Act) -> Self {
        Self { account: Some(account.into()), ..Self::success(action, act) }
    }

    /// The event, about this credential of the account.
    #[must_use]
    pub fn about(self, credential: impl ToString) -> Self {
        Self { credential: Some(credential.to_string()), ..self }
    }

    /// The event without its time and session: equal for events that may become one entry.
    #[must_use]
    pub fn alike(&self) -> Self {
        Self { at: Timestamp::UNIX_EPOCH, session: None, ..self.clone() }
    }
}

/// Events of one hour that differ in nothing but time and session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// The last of them.
    pub event: AuditEvent,
    /// When the first was.
    pub first_at: Timestamp,
    /// How many.
    pub count: u64,
}

impl From<AuditEvent> for AuditEntry {
    fn from(event: AuditEvent) -> Self {
        Self { first_at: event.at, event, count: 1 }
    }
}

impl AuditEntry {
    /// Takes in another, which is alike.
    pub fn merge(&mut self, other: AuditEntry) {
        self.count = self.count.saturating_add(other.count);
        self.first_at = self.first_at.min(other.first_at);
        if other.event.at >= self.event.at {
            self.event = other.event;
        }
    }

    /// The entry without what can be made up in any number: by an attacker, whom, where from and by what; by the owner of an account, all but
    /// what was done.
    #[must_use]
    pub fn blurred(&self) -> Self {
        let event = AuditEvent { ip: None, credential: None, session: None, ..self.event.clone() };
        let event = match event.result {
            AuditResult::Failure => AuditEvent { account: None, ..event },
            AuditResult::Success => AuditEvent { mechanism: None, scope: None, tls: None, ..event },
        };
        Self { event, ..*self }
    }
}

/// Which entries to list; an empty filter lists all.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Of this account, in normal form.
    pub account: Option<String>,
    /// With this action.
    pub action: Option<Action>,
    /// With this result.
    pub result: Option<AuditResult>,
    /// By this credential, or about it.
    pub credential: Option<String>,
    /// Done by this one, as the trail has it.
    pub actor: Option<String>,
    /// From this network.
    pub network: Option<IpNet>,
    /// Not before this.
    pub since: Option<Timestamp>,
}

/// The place of an entry in the trail: when it was last entered, and its number.
pub type AuditPlace = (Timestamp, i64);

/// A page of the trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditPage {
    /// The entries, newest first.
    pub entries: Vec<AuditEntry>,
    /// The place of the last of them, which the next page comes behind; `None` if there is nothing on this page.
    pub last: Option<AuditPlace>,
}

/// The audit trail.
///
/// Changes of accounts and credentials enter it with the change, in one transaction: the methods that make them do
/// it. Each is an entry of its own. Authentications are noted here; they are written together a little later, so
/// that logging in never waits for it. Events noted or recorded within an hour of the first that differ in nothing
/// but time and session become one entry with a count. The number of new entries about failures is bounded by the hour, and so is that
/// about an account's successes; beyond that they lose what tells them apart, and are counted together.
pub trait Audit: Send + Sync + 'static {
    /// Notes an event. Written soon; [`Accounts::flush`](crate::Accounts::flush) writes it now.
    fn note(&self, event: AuditEvent);

    /// Writes an event that goes with no change of the store now.
    fn record(&self, event: &AuditEvent) -> impl Future<Output = Result<(), Error>> + Send;

    /// A page of the entries that the filter lets through, newest first. An entry that takes in another event while pages are read moves to
    /// the front.
    fn entries(
        &self,
        filter: &AuditFilter,
        page: Page<AuditPlace>,
    ) -> impl Future<Output = Result<AuditPage, Error>> + Send;

    /// When somebody first logged in to this account, given in normal form, from each address, since then.
    fn first_logins(
        &self,
        account: &str,
        since: Timestamp,
    ) -> impl Future<Output = Result<Vec<(IpAddr, Timestamp)>, Error>> + Send;

    /// Forgets entries whose last event was before this, some at a time so that nobody waits long; says how many. Entries that lie more than a
    /// day ahead of `now`, from a clock that was ahead, go with those that were entered about the same time.
    fn prune(&self, before: Timestamp, now: Timestamp) -> impl Future<Output = Result<u64, Error>> + Send;
}
