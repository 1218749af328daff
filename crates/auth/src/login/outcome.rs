//! The outcome of an attempt to log in, in the words of the log and the audit trail. Clients learn less.

use std::fmt;

use jiff::Timestamp;
use sasl::ScramFlaw;
use store::{Account, AuditEvent, Throttled};
use types::{AccountId, CredentialId, Fingerprint, Mailbox};

use crate::password_hash::hasher::HashError;
use backends::http::HttpFault;
use backends::oauth::{ProviderFault, TokenFlaw};

/// Who logged in, and by what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Whose account.
    pub account: AccountId,
    /// The address of the account at that time.
    pub address: Mailbox,
    /// By what.
    pub credential: Credential,
    /// The version of the account at that time.
    pub version: i64,
}

impl User {
    /// The owner of this account, who logs in by this credential.
    pub(crate) fn of(account: &Account, credential: Credential) -> Self {
        let Account { id, address, version, .. } = account;
        Self { account: *id, address: address.clone(), credential, version: *version }
    }
}

/// By what somebody logged in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Credential {
    /// The account password.
    AccountPassword,
    /// An app password.
    AppPassword(CredentialId),
    /// A client certificate.
    Certificate(Fingerprint),
    /// An access token of this provider, as long as it is valid.
    Token {
        /// The provider, as the configuration calls it.
        provider: String,
        /// When the token expires.
        until: Timestamp,
    },
    /// What the HTTP handler found good, as long as it says.
    Http {
        /// When that ends.
        until: Option<Timestamp>,
    },
    /// The word of a trusted proxy that it has authenticated its client (the LOGIN attribute of XCLIENT).
    ProxyLogin,
}

/// As the audit trail has it.
impl fmt::Display for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Credential::AccountPassword => f.write_str(AuditEvent::PASSWORD),
            Credential::AppPassword(id) => id.fmt(f),
            Credential::Certificate(fingerprint) => fingerprint.fmt(f),
            Credential::Token { provider, .. } => write!(f, "oauth:{provider}"),
            Credential::Http { .. } => f.write_str("http"),
            Credential::ProxyLogin => f.write_str("xclient"),
        }
    }
}

/// The outcome of an attempt to log in.
#[derive(Debug)]
pub enum LoginOutcome {
    /// The attempt proved who the user is.
    Accepted(User),
    /// Something about the attempt is wrong.
    Refused(LoginRefusal),
    /// The attempt was not judged: there were too many wrong ones before it.
    Throttled(Throttled),
    /// The attempt could not be judged.
    Unavailable(LoginFault),
}

impl LoginOutcome {
    /// The reason code: what scripts may rely on.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            LoginOutcome::Accepted(_) => "ok",
            LoginOutcome::Refused(refusal) => refusal.reason.code(),
            LoginOutcome::Throttled(_) => "throttled",
            LoginOutcome::Unavailable(LoginFault::Secret) => "damaged-secret",
            LoginOutcome::Unavailable(
                LoginFault::Hash(_) | LoginFault::Store(_) | LoginFault::Provider(_) | LoginFault::Handler(_),
            ) => "unavailable",
        }
    }

    /// The credential that matched, as far as one did: the id of an app password, `password`, the fingerprint of a
    /// certificate, `oauth:` and a provider, `http`, `xclient`.
    #[must_use]
    pub fn credential(&self) -> Option<String> {
        match self {
            LoginOutcome::Accepted(user) => Some(user.credential.to_string()),
            LoginOutcome::Refused(refusal) => refusal.matched.as_ref().map(Credential::to_string),
            LoginOutcome::Throttled(_) | LoginOutcome::Unavailable(_) => None,
        }
    }
}

/// Why an attempt was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginRefusal {
    /// What was wrong.
    pub reason: Reason,
    /// What was right nevertheless.
    pub matched: Option<Credential>,
}

impl From<Reason> for LoginRefusal {
    fn from(reason: Reason) -> Self {
        Self { reason, matched: None }
    }
}

/// What was wrong with an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The user name is no address.
    NotAnAddress,
    /// The client wants to act for another (RFC 4616 section 2).
    ForeignIdentity,
    /// There is no such account.
    UnknownUser,
    /// The account is disabled.
    Disabled,
    /// The account has no password, only app passwords.
    NoPassword,
    /// Neither the account password nor an app password.
    BadPassword,
    /// An app password, but of another account.
    AppPasswordOfAnother,
    /// An app password, or a certificate, that has expired.
    Expired,
    /// An app password that was revoked.
    Revoked,
    /// An app password that is not good for this.
    WrongScope,
    /// An app password that may not be used from there.
    NetworkNotAllowed,
    /// The answer to the challenge is not the right one.
    BadAnswer,
    /// Nothing is kept that an answer by this mechanism could be checked with.
    NoKeys,
    /// The proof was not made for this exchange over this connection.
    BadScram(ScramFlaw),
    /// The program of `[auth.http]` refuses it.
    HandlerRefused,
    /// The client has shown no certificate.
    NoCertificate,
    /// A certificate that is nobody's.
    UnknownCertificate,
    /// A certificate of another account.
    CertificateOfAnother,
    /// A token of a provider that is not configured, or none at all.
    UnknownToken,
    /// A token that is no good.
    BadToken(TokenFlaw),
    /// A token of another account.
    TokenOfAnother,
    /// The account password, where two-factor authentication wants an app password.
    NeedsAppPassword,
    /// The account password, without the code that belongs to it.
    NeedsCode,
    /// The account password, with a wrong code.
    BadCode,
}

impl Reason {
    /// The reason as logs and scripts have it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Reason::NotAnAddress => "not-an-address",
            Reason::ForeignIdentity => "foreign-identity",
            Reason::UnknownUser => "unknown-user",
            Reason::Disabled => "disabled",
            Reason::NoPassword => "no-password",
            Reason::BadPassword => "bad-password",
            Reason::AppPasswordOfAnother => "app-password-of-another",
            Reason::Expired => "expired",
            Reason::Revoked => "revoked",
            Reason::WrongScope => "wrong-scope",
            Reason::NetworkNotAllowed => "network-not-allowed",
            Reason::BadAnswer => "bad-answer",
            Reason::NoKeys => "no-keys",
            Reason::BadScram(ScramFlaw::NotBound) => "not-bound",
            Reason::BadScram(ScramFlaw::Downgraded) => "downgraded",
            Reason::BadScram(ScramFlaw::OtherNonce) => "other-nonce",
            Reason::HandlerRefused => "handler-refused",
            Reason::NoCertificate => "no-certificate",
            Reason::UnknownCertificate => "unknown-certificate",
            Reason::CertificateOfAnother => "certificate-of-another",
            Reason::UnknownToken => "unknown-token",
            Reason::BadToken(flaw) => flaw.code(),
            Reason::TokenOfAnother => "token-of-another",
            Reason::NeedsAppPassword => "needs-app-password",
            Reason::NeedsCode => "needs-code",
            Reason::BadCode => "bad-code",
        }
    }
}

impl Reason {
    /// Whether it tells that the user name is that of an account.
    pub(crate) fn names_an_account(self) -> bool {
        matches!(
            self,
            Reason::Disabled
                | Reason::NoPassword
                | Reason::BadPassword
                | Reason::NeedsAppPassword
                | Reason::NeedsCode
                | Reason::BadCode
        )
    }
}

/// For people.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::NotAnAddress => "the user name is not an address",
            Reason::ForeignIdentity => "it asks to act for another account",
            Reason::UnknownUser => "there is no such account",
            Reason::Disabled => "the account is disabled",
            Reason::NoPassword => "the account has no password, only app passwords, and this is none of them",
            Reason::BadPassword => "it is neither the account password nor an app password of the account",
            Reason::AppPasswordOfAnother => "it is an app password of another account",
            Reason::Expired => "the app password or the certificate has expired",
            Reason::Revoked => "the app password was revoked",
            Reason::WrongScope => "the app password is not good for this scope",
            Reason::NetworkNotAllowed => "the app password may not be used from this network",
            Reason::BadAnswer => {
                "the answer to the challenge is wrong: another password, or none kept for challenges"
            }
            Reason::NoKeys => {
                "there are no keys to check an answer by this mechanism with: CRAM-MD5 takes app passwords made with --cram-md5, SCRAM \
                 those that were made, or used with PLAIN, since it is offered"
            }
            Reason::BadScram(flaw) => return flaw.fmt(f),
            Reason::HandlerRefused => "the program of [auth.http] refuses it",
            Reason::NoCertificate => "the client has shown no certificate",
            Reason::UnknownCertificate => "the certificate is nobody's",
            Reason::CertificateOfAnother => "the certificate is another account's",
            Reason::UnknownToken => "no provider in auth.backends has issued the token",
            Reason::BadToken(flaw) => return flaw.fmt(f),
            Reason::TokenOfAnother => "the token is another account's",
            Reason::NeedsAppPassword => {
                "the account password is right, but with two-factor authentication SMTP needs an app password"
            }
            Reason::NeedsCode => {
                "the account password is right, but the code of the second factor is missing"
            }
            Reason::BadCode => "the account password is right, but the code is wrong or used up",
        })
    }
}

/// Why an attempt could not be judged.
#[derive(Debug, thiserror::Error)]
pub enum LoginFault {
    /// The password could not be checked.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A provider of tokens does not answer.
    #[error(transparent)]
    Provider(Box<ProviderFault>),
    /// The program of `[auth.http]` does not answer as it should.
    #[error(transparent)]
    Handler(Box<HttpFault>),
    /// A sealed secret does not open: the seed of the second factor, or what answers to challenges are checked with.
    #[error(
        "a sealed secret of the account does not open: it was damaged or moved, or its key is not in the key file; put the \
         file right, or make a new one (second factor, app password)"
    )]
    Secret,
}

impl From<ProviderFault> for LoginFault {
    fn from(fault: ProviderFault) -> Self {
        LoginFault::Provider(Box::new(fault))
    }
}

impl From<HttpFault> for LoginFault {
    fn from(fault: HttpFault) -> Self {
        LoginFault::Handler(Box::new(fault))
    }
}
