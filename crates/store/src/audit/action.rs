//! What the audit trail tells of: what was done, or tried.

use std::str::FromStr;

/// What was done, or tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Somebody proved who they are, or did not.
    Login,
    /// Somebody who was signed in on the pages signed out.
    SignOut,
    /// A session on the pages was ended from outside of it.
    SessionEnd,
    /// The owner of an account said that a sign-in from an unfamiliar place was theirs.
    SignInAnswer,
    /// The owner of an account said that a sign-in to it was not theirs.
    Incident,
    /// An administrator has looked at that.
    IncidentClose,
    /// An account was made.
    UserAdd,
    /// An account was brought from another server, with its credentials.
    UserImport,
    /// An account got another address.
    UserRename,
    /// An account is called something else.
    UserName,
    /// An account became an administrator's, or is none any more.
    UserAdmin,
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
    /// What an account is called, and how pages are shown to its owner, was changed.
    UserSettings,
    /// An account password was set.
    PasswordSet,
    /// The hash of an account password was made anew, at a login; the password stayed.
    PasswordRehash,
    /// An app password was made.
    AppPasswordCreate,
    /// An app password got another label.
    AppPasswordRelabel,
    /// An app password was revoked.
    AppPasswordRevoke,
    /// An app password of another server was used for the first time, and is one of ours now.
    AppPasswordAdopt,
    /// An API token was made.
    TokenCreate,
    /// An API token was revoked.
    TokenRevoke,
    /// A link was made with which a device gets an app password of its own.
    EnrolmentMake,
    /// A device has used it.
    EnrolmentUse,
    /// It was withdrawn before that.
    EnrolmentWithdraw,
    /// Somebody was invited to choose the password of their account.
    InvitationMake,
    /// They have.
    InvitationUse,
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
    /// A webhook was added.
    WebhookAdd,
    /// A webhook was removed.
    WebhookRemove,
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
    pub const ALL: [Action; 59] = [
        Action::Login,
        Action::SignOut,
        Action::SessionEnd,
        Action::SignInAnswer,
        Action::Incident,
        Action::IncidentClose,
        Action::UserAdd,
        Action::UserImport,
        Action::UserRename,
        Action::UserName,
        Action::UserAdmin,
        Action::UserDisable,
        Action::UserEnable,
        Action::UserRemove,
        Action::UserLimit,
        Action::UserUndo,
        Action::UserSettings,
        Action::PasswordSet,
        Action::PasswordRehash,
        Action::AppPasswordCreate,
        Action::AppPasswordRelabel,
        Action::AppPasswordRevoke,
        Action::AppPasswordAdopt,
        Action::TokenCreate,
        Action::TokenRevoke,
        Action::EnrolmentMake,
        Action::EnrolmentUse,
        Action::EnrolmentWithdraw,
        Action::InvitationMake,
        Action::InvitationUse,
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
        Action::WebhookAdd,
        Action::WebhookRemove,
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
            Action::SignOut => "sign-out",
            Action::SessionEnd => "session-end",
            Action::SignInAnswer => "sign-in-answer",
            Action::Incident => "incident",
            Action::IncidentClose => "incident-close",
            Action::UserAdd => "user-add",
            Action::UserImport => "user-import",
            Action::UserRename => "user-rename",
            Action::UserName => "user-name",
            Action::UserAdmin => "user-admin",
            Action::UserDisable => "user-disable",
            Action::UserEnable => "user-enable",
            Action::UserRemove => "user-remove",
            Action::UserLimit => "user-limit",
            Action::UserUndo => "user-undo",
            Action::UserSettings => "user-settings",
            Action::PasswordSet => "password-set",
            Action::PasswordRehash => "password-rehash",
            Action::AppPasswordCreate => "app-password-create",
            Action::AppPasswordRelabel => "app-password-relabel",
            Action::AppPasswordRevoke => "app-password-revoke",
            Action::AppPasswordAdopt => "app-password-adopt",
            Action::TokenCreate => "token-create",
            Action::TokenRevoke => "token-revoke",
            Action::EnrolmentMake => "enrolment-make",
            Action::EnrolmentUse => "enrolment-use",
            Action::EnrolmentWithdraw => "enrolment-withdraw",
            Action::InvitationMake => "invitation-make",
            Action::InvitationUse => "invitation-use",
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
            Action::WebhookAdd => "webhook-add",
            Action::WebhookRemove => "webhook-remove",
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
