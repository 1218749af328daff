//! What went wrong: a code that stays the same, and a sentence for people that has no command in it.

use std::time::Duration;

use auth::new_password::Weakness;
use auth::{HashError, KeyFileError, KeyringError};
use jiff::{SignedDuration, Timestamp};
use message::dkim::NotMade;
use store::SpoolError;
use types::{ApiTokenId, CredentialId, DkimKeyName, Mailbox, QueueId, Scope, SenderPattern, WebSessionId};

mod missing;
mod taken;
mod unfit;

pub use missing::Missing;
pub use taken::Taken;
pub use unfit::Unfit;

/// Why a use case did not come to its end. Nothing was changed, unless a variant says otherwise: what fails behind a change is told
/// beside what the use case gives back.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// What it is about is not there.
    #[error(transparent)]
    Missing(#[from] Missing),
    /// What is to be made is there already.
    #[error(transparent)]
    Taken(#[from] Taken),
    /// The account has as many app passwords as it may have.
    #[error("{account} has {limit} app passwords already")]
    TooMany {
        /// The account.
        account: Mailbox,
        /// How many it may have.
        limit: u32,
    },
    /// The account has as many links for devices that nobody has used yet as it may have.
    #[error(
        "{account} has {limit} links for devices that wait already; withdraw one, or wait until they end"
    )]
    TooManyLinks {
        /// The account.
        account: Mailbox,
        /// How many it may have.
        limit: u32,
    },
    /// The account was changed while a link was made or used.
    #[error("{0} was changed meanwhile, and nothing is done; try again")]
    LinkOvertaken(Mailbox),
    /// There are no pages that a link could lead to.
    #[error("there are no pages that a link could lead to: web.base_url is not set")]
    NoPages,
    /// An invitation can't be good for so long, or for so short a time.
    #[error("an invitation is good for 5 minutes at least and for 7 days at most")]
    InvitationTime,
    /// Several app passwords have this label, or begin so.
    #[error(
        "{account} has {} app passwords {which:?}: {}; name one by its identifier",
        ids.len(),
        listed(ids)
    )]
    SeveralAppPasswords {
        /// The account.
        account: Mailbox,
        /// What was asked for.
        which: String,
        /// Their identifiers.
        ids: Vec<CredentialId>,
    },
    /// Several sessions have identifiers that begin so.
    #[error("{which} begins more than one identifier: {}; write more of it", listed(ids))]
    SeveralSessions {
        /// What was asked for.
        which: String,
        /// Their identifiers.
        ids: Vec<WebSessionId>,
    },
    /// The account has as many API tokens as it may have.
    #[error("{account} has {limit} API tokens already")]
    TooManyTokens {
        /// The account.
        account: Mailbox,
        /// How many it may have.
        limit: u32,
    },
    /// Several API tokens have this label, or begin so.
    #[error("{account} has {} API tokens {which:?}: {}; name one by its identifier", ids.len(), listed(ids))]
    SeveralTokens {
        /// The account.
        account: Mailbox,
        /// What was asked for.
        which: String,
        /// Their identifiers.
        ids: Vec<ApiTokenId>,
    },
    /// A token may never open more than its owner may.
    #[error(
        "{account} may not have a token for {scope}: that is for administrators, who may need a second factor first"
    )]
    NotTheirScope {
        /// The account.
        account: Mailbox,
        /// What it may not have a token for.
        scope: Scope,
    },
    /// API tokens do not last that long.
    #[error("an API token lasts {} at most (web.token_max)", whole(*most))]
    TokenTooLong {
        /// The longest time.
        most: SignedDuration,
    },
    /// Nothing that events can be posted to.
    #[error("the URL of a webhook {0}; write https://, the name of a host, and a path")]
    NoWebhookUrl(String),
    /// There are as many webhooks as there may be.
    #[error("there are {limit} webhooks already")]
    TooManyWebhooks {
        /// How many there may be.
        limit: u32,
    },
    /// The account was changed while somebody was signing in to it.
    #[error("{0} was changed meanwhile; sign in anew")]
    SignInOvertaken(Mailbox),
    /// An app password may allow less than its account, never more.
    #[error("{account} may not send as {sender}, only as {}", own.join(", "))]
    NotCovered {
        /// The account.
        account: Mailbox,
        /// Whom it may not send as.
        sender: Box<SenderPattern>,
        /// Whom it may send as.
        own: Vec<String>,
    },
    /// Nobody else could administer.
    #[error("{0} is the last administrator who may log in")]
    LastAdministrator(Mailbox),
    /// The account needs no identity for its own address.
    #[error("{0} is the account's own address, which needs none")]
    OwnAddress(Mailbox),
    /// What was shown is no certificate.
    #[error("the certificate can't be understood; show one that openssl x509 can read")]
    NoCertificate,
    /// The certificate is no longer valid.
    #[error("the certificate expired at {}; add its successor", .0.strftime("%Y-%m-%d %H:%M:%SZ"))]
    Expired(Timestamp),
    /// The account was changed while the app password was being made.
    #[error("{0} was changed meanwhile, and no app password is made; try again")]
    Changed(Mailbox),
    /// The password was set, and somebody else has set another since. Theirs is the account's.
    #[error("{0} was given another password meanwhile")]
    Overtaken(Mailbox),
    /// A password that can't be one.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// A password that is too short or too easy to guess.
    #[error(transparent)]
    Weak(#[from] Weakness),
    /// Not the code of the second factor.
    #[error(
        "this is not the code of now, or it was used before; wait for the next one, and see that the \
         clocks of this machine and of the phone are right"
    )]
    WrongCode,
    /// There were too many wrong codes.
    #[error("too many wrong codes; try again after {}", until.strftime("%Y-%m-%d %H:%M:%SZ"))]
    Throttled {
        /// Until when none is judged.
        until: Timestamp,
    },
    /// The seed of a second factor does not open.
    #[error("the seed of {0} does not open: it was damaged or moved, or its key is not in the key file")]
    Damaged(Mailbox),
    /// A DKIM key does not open.
    #[error(
        "the DKIM key {0} does not open: it was wiped, damaged, moved or changed, or its master key is not in the key file; make another under a new selector"
    )]
    DamagedDkimKey(DkimKeyName),
    /// Several messages have an identifier that begins so.
    #[error(
        "{begun} begins more than one identifier: {}{}; write more of it",
        listed(ids),
        if *more { " and others" } else { "" }
    )]
    SeveralMessages {
        /// What was asked for.
        begun: String,
        /// The identifiers of some.
        ids: Vec<QueueId>,
        /// Whether there are more.
        more: bool,
    },
    /// The message is held, so that it can't be tried again.
    #[error("{0} is held")]
    Held(QueueId),
    /// The message is held, so that whoever has sent it neither takes it back nor stops it.
    #[error("{0} is held, and what becomes of it is an operator's to say")]
    Withheld(QueueId),
    /// The message can't be taken back any more.
    #[error("{id} can't be taken back: {reason}")]
    TooLate {
        /// The message.
        id: QueueId,
        /// Why not, in words.
        reason: &'static str,
    },
    /// Nobody waits for the message any more.
    #[error("nobody waits for {id}: {reason}")]
    Done {
        /// The message.
        id: QueueId,
        /// Why not, in words.
        reason: &'static str,
    },
    /// Messages can't be taken back for so long.
    #[error("a message can be taken back for {} seconds at most (submission.undo_max)", most.as_secs())]
    UndoTooLong {
        /// The longest time.
        most: Duration,
    },
    /// Other messages are found than whoever wants something done to them has seen.
    #[error(
        "nothing is done: {found} {} found, not {expected}",
        if *found == 1 { "message is" } else { "messages are" }
    )]
    Unexpected {
        /// So many are found.
        found: usize,
        /// So many were seen.
        expected: usize,
    },
    /// The message can't be returned: its sender is `<>`.
    #[error("{0} is from <>, and there is nobody to return it to")]
    NobodyToTell(QueueId),
    /// The message can neither be delivered nor returned: its envelope is not what was stored.
    #[error(
        "{id} stays held: its envelope is not what was stored ({damage}), so that nobody knows for sure who sent it to whom; restore it from a backup, \
         or tell its sender yourself and remove it"
    )]
    DamagedMessage {
        /// The message.
        id: QueueId,
        /// What of it is damaged.
        damage: store::Corrupt,
    },
    /// The message would be held again at once.
    #[error("{id} stays held: {}", by_their_route(recipients))]
    HeldByRoute {
        /// The message.
        id: QueueId,
        /// Its recipients.
        recipients: Vec<String>,
    },
    /// The operation was done to the messages that are told, and can't be told to the audit trail.
    #[error("what was done can't be entered into the audit trail")]
    NotAudited(#[source] store::Error),
    /// The store, the key file or the hasher is out of order; the sources say how.
    #[error(transparent)]
    Unavailable(Box<dyn std::error::Error + Send + Sync>),
}

impl Trouble {
    /// What went wrong, for programs: a code that stays the same.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Trouble::Missing(missing) => missing.code(),
            Trouble::Taken(taken) => taken.code(),
            Trouble::TooMany { .. } | Trouble::TooManyTokens { .. } | Trouble::TooManyWebhooks { .. } => {
                "too-many"
            }
            Trouble::TooManyLinks { .. } => "too-many-links",
            Trouble::LinkOvertaken(_) => "changed",
            Trouble::NoPages => "no-pages",
            Trouble::InvitationTime => "invitation-time",
            Trouble::SeveralAppPasswords { .. }
            | Trouble::SeveralSessions { .. }
            | Trouble::SeveralTokens { .. }
            | Trouble::SeveralMessages { .. } => "ambiguous",
            Trouble::NoWebhookUrl(_) => "no-webhook-url",
            Trouble::NotTheirScope { .. } => "not-their-scope",
            Trouble::TokenTooLong { .. } => "token-too-long",
            Trouble::SignInOvertaken(_) => "changed",
            Trouble::NotCovered { .. } => "not-covered",
            Trouble::LastAdministrator(_) => "last-administrator",
            Trouble::OwnAddress(_) => "own-address",
            Trouble::NoCertificate => "no-certificate-given",
            Trouble::Expired(_) => "expired",
            Trouble::Changed(_) => "changed",
            Trouble::Overtaken(_) => "overtaken",
            Trouble::Unfit(_) => "unfit",
            Trouble::Weak(_) => "weak",
            Trouble::WrongCode => "wrong-code",
            Trouble::Throttled { .. } => "throttled",
            Trouble::Damaged(_) | Trouble::DamagedDkimKey(_) => "damaged",
            Trouble::Held(_) | Trouble::Withheld(_) => "held",
            Trouble::TooLate { .. } => "too-late",
            Trouble::Done { .. } => "done",
            Trouble::UndoTooLong { .. } => "undo-too-long",
            Trouble::Unexpected { .. } => "unexpected-number",
            Trouble::NobodyToTell(_) => "nobody-to-tell",
            Trouble::DamagedMessage { .. } => "damaged-message",
            Trouble::HeldByRoute { .. } => "held-by-route",
            Trouble::NotAudited(_) => "not-audited",
            Trouble::Unavailable(_) => "unavailable",
        }
    }
}

/// What stands in the way of mail to these recipients, and what to do about it.
pub(crate) fn by_their_route(recipients: &[String]) -> String {
    format!(
        "mail for {} is held by its route; give that another `via` in [delivery], restart the server, and release it then",
        recipients.join(", ")
    )
}

/// A time in the largest unit that has it in whole numbers.
fn whole(time: SignedDuration) -> String {
    let minutes = time.as_mins();
    let (number, unit) = match (minutes % (24 * 60), minutes % 60) {
        (0, _) => (minutes / (24 * 60), "day"),
        (_, 0) => (minutes / 60, "hour"),
        _ => (minutes, "minute"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

fn listed(ids: &[impl ToString]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Errors that are no news about what was asked for.
macro_rules! unavailable {
    ($($error:ty),*) => {
        $(impl From<$error> for Trouble {
            fn from(error: $error) -> Self {
                Trouble::Unavailable(Box::new(error))
            }
        })*
    };
}

unavailable!(store::Error, SpoolError, KeyFileError, KeyringError, HashError, NotMade);
