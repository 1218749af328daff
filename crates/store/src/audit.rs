//! The audit trail: every authentication, and every change of a credential or an account.

use std::borrow::Cow;
use std::future::Future;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use jiff::Timestamp;

use crate::{Act, Error, Page, Via};

/// What was done, or tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Somebody proved who they are, or did not.
    Login,
    /// An account was made.
    UserAdd,
    /// An account was brought from another server, with its credentials.
    UserImport,
    /// An account got another address.
    UserRename,
    /// An account was barred from logging in.
    UserDisable,
    /// It was let in again.
    UserEnable,
    /// An account was removed.
    UserRemove,
    /// What an account may send was changed.
    UserLimit,
    /// How long the messages of an account can be taken back was changed.
    UserUndo,
    /// An account password was set.
    PasswordSet,
    /// The hash of an account password was made anew, at a login; the password stayed.
    PasswordRehash,
    /// An app password was made.
    AppPasswordCreate,
    /// An app password was revoked.
    AppPasswordRevoke,
    /// An app password of another server was used for the first time, and is one of ours now.
    AppPasswordAdopt,
    /// A certificate was added, for clients to log in with.
    CertificateAdd,
    /// It was removed.
    CertificateRemove,
    /// A second factor was prepared.
    TotpEnroll,
    /// It was confirmed, and is on.
    TotpConfirm,
    /// It was switched off.
    TotpDisable,
    /// Fresh recovery codes were made.
    RecoveryCodes,
    /// A recovery code was used up.
    RecoveryCodeUse,
    /// An account was given a further sender.
    IdentityAdd,
    /// It was taken away.
    IdentityRemove,
    /// Somebody locked out was let in.
    ThrottleClear,
    /// A master key was added to a key file.
    KeyAdd,
    /// The newest master key was made the one that seals, and sealed secrets were sealed anew under it.
    KeyActivate,
    /// A master key was added and activated.
    KeyRotate,
    /// A DKIM key was made.
    DkimGenerate,
    /// A DKIM key began to sign.
    DkimActivate,
    /// A DKIM key ceased to sign.
    DkimRetire,
    /// The private half of a DKIM key was wiped.
    DkimWipe,
    /// A sealed secret did not open: it was damaged, moved, or its key is gone.
    SecretOpen,
    /// A message was sent in a name that is the account's by the identity `*` alone.
    SendAsAny,
    /// Messages of an account were taken back before they left.
    MessageUndo,
    /// They were stopped for those who did not have them.
    MessageStop,
    /// Messages of an account were to be tried again at once.
    QueueRetry,
    /// They were kept from being delivered.
    QueueHold,
    /// They were let go.
    QueueRelease,
    /// They were returned to their senders.
    QueueBounce,
    /// They were removed undelivered.
    QueueRemove,
    /// What may be missing of a store that was found behind its last commit was accepted.
    StoreAccept,
}

impl Action {
    /// Every action there is.
    pub const ALL: [Action; 41] = [
        Action::Login,
        Action::UserAdd,
        Action::UserImport,
        Action::UserRename,
        Action::UserDisable,
        Action::UserEnable,
        Action::UserRemove,
        Action::UserLimit,
        Action::UserUndo,
        Action::PasswordSet,
        Action::PasswordRehash,
        Action::AppPasswordCreate,
        Action::AppPasswordRevoke,
        Action::AppPasswordAdopt,
        Action::CertificateAdd,
        Action::CertificateRemove,
        Action::TotpEnroll,
        Action::TotpConfirm,
        Action::TotpDisable,
        Action::RecoveryCodes,
        Action::RecoveryCodeUse,
        Action::IdentityAdd,
        Action::IdentityRemove,
        Action::ThrottleClear,
        Action::KeyAdd,
        Action::KeyActivate,
        Action::KeyRotate,
        Action::DkimGenerate,
        Action::DkimActivate,
        Action::DkimRetire,
        Action::DkimWipe,
        Action::SecretOpen,
        Action::SendAsAny,
        Action::MessageUndo,
        Action::MessageStop,
        Action::QueueRetry,
        Action::QueueHold,
        Action::QueueRelease,
        Action::QueueBounce,
        Action::QueueRemove,
        Action::StoreAccept,
    ];

    /// The action as it is written and stored.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Action::Login => "login",
            Action::UserAdd => "user-add",
            Action::UserImport => "user-import",
            Action::UserRename => "user-rename",
            Action::UserDisable => "user-disable",
            Action::UserEnable => "user-enable",
            Action::UserRemove => "user-remove",
            Action::UserLimit => "user-limit",
            Action::UserUndo => "user-undo",
            Action::PasswordSet => "password-set",
            Action::PasswordRehash => "password-rehash",
            Action::AppPasswordCreate => "app-password-create",
            Action::AppPasswordRevoke => "app-password-revoke",
            Action::AppPasswordAdopt => "app-password-adopt",
            Action::CertificateAdd => "certificate-add",
            Action::CertificateRemove => "certificate-remove",
            Action::TotpEnroll => "totp-enroll",
            Action::TotpConfirm => "totp-confirm",
            Action::TotpDisable => "totp-disable",
            Action::RecoveryCodes => "recovery-codes",
            Action::RecoveryCodeUse => "recovery-code-use",
            Action::IdentityAdd => "identity-add",
            Action::IdentityRemove => "identity-remove",
            Action::ThrottleClear => "throttle-clear",
            Action::KeyAdd => "key-add",
            Action::KeyActivate => "key-activate",
            Action::KeyRotate => "key-rotate",
            Action::DkimGenerate => "dkim-generate",
            Action::DkimActivate => "dkim-activate",
            Action::DkimRetire => "dkim-retire",
            Action::DkimWipe => "dkim-wipe",
            Action::SecretOpen => "secret-open",
            Action::SendAsAny => "send-as-any",
            Action::MessageUndo => "message-undo",
            Action::MessageStop => "message-stop",
            Action::QueueRetry => "queue-retry",
            Action::QueueHold => "queue-hold",
            Action::QueueRelease => "queue-release",
            Action::QueueBounce => "queue-bounce",
            Action::QueueRemove => "queue-remove",
            Action::StoreAccept => "store-accept",
        }
    }
}

impl FromStr for Action {
    type Err = UnknownAction;

    fn from_str(name: &str) -> Result<Self, UnknownAction> {
        Action::ALL.into_iter().find(|action| action.name() == name).ok_or(UnknownAction)
    }
}

/// An action that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown action")]
pub struct UnknownAction;

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
    /// What for: `smtp` or `master`.
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

    /// The same, about this credential.
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

    /// Forgets entries whose last event was before this, some at a time so that nobody waits long; says how many. Entries that lie more than a
    /// day ahead of `now`, from a clock that was ahead, go with those that were entered about the same time.
    fn prune(&self, before: Timestamp, now: Timestamp) -> impl Future<Output = Result<u64, Error>> + Send;
}
