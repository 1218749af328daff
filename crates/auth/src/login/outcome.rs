//! The outcome of an attempt to log in, in the words of the log and the audit trail. Clients learn less.

use std::fmt;

use jiff::Timestamp;
use sasl::ScramFlaw;
use store::{Account, AuditEvent, Throttled};
use types::{AccountId, CredentialId, Fingerprint, Mailbox};

use crate::keys::keyring::KeyringError;
use crate::password_hash::hasher::HashError;
use backends::http::HttpFault;
use backends::oauth::{ProviderFault, TokenFlaw};

/// A user who has logged in, and the credential that was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The account.
    pub account: AccountId,
    /// The address of the account at that time.
    pub address: Mailbox,
    /// The credential.
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

/// The credential that somebody has logged in with.
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
    /// A login that the program of `[auth.http]` has accepted, for as long as it says.
    Http {
        /// When it expires.
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
                LoginFault::Hash(_)
                | LoginFault::Store(_)
                | LoginFault::Keys(_)
                | LoginFault::Provider(_)
                | LoginFault::Handler(_),
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

/// Why an attempt was refused, and what of it was right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginRefusal {
    /// The reason.
    pub reason: Reason,
    /// The credential that matched although the attempt is refused, such as an app password that has expired.
    pub matched: Option<Credential>,
}

impl From<Reason> for LoginRefusal {
    fn from(reason: Reason) -> Self {
        Self { reason, matched: None }
    }
}

/// The reason for which an attempt is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The user name is not an address.
    NotAnAddress,
    /// The client wants to act for another (RFC 4616 section 2).
    ForeignIdentity,
    /// There is no such account.
    UnknownUser,
    /// The account is disabled.
    Disabled,
    /// The account has no password, only app passwords.
    NoPassword,
    /// What was sent is neither the account password nor an app password.
    BadPassword,
    /// The app password belongs to another account.
    AppPasswordOfAnother,
    /// The app password or the certificate has expired.
    Expired,
    /// The app password was revoked.
    Revoked,
    /// The app password does not have the scope that is needed.
    WrongScope,
    /// The app password may not be used from the client's network.
    NetworkNotAllowed,
    /// The answer to the challenge is wrong.
    BadAnswer,
    /// The store has no key with which an answer by this mechanism could be checked.
    NoKeys,
    /// The proof was not made for this exchange over this connection.
    BadScram(ScramFlaw),
    /// The program of `[auth.http]` refuses it.
    HandlerRefused,
    /// The client has shown no certificate.
    NoCertificate,
    /// The certificate belongs to no account.
    UnknownCertificate,
    /// The certificate belongs to another account.
    CertificateOfAnother,
    /// The token is of no configured provider, or is not a token.
    UnknownToken,
    /// The provider's rules refuse the token; the flaw says why.
    BadToken(TokenFlaw),
    /// The token belongs to another account.
    TokenOfAnother,
    /// The account password is right, but with two-factor authentication only an app password opens this door.
    NeedsAppPassword,
    /// The account password is right, but the code of the second factor is missing.
    NeedsCode,
    /// The account password is right, but the code of the second factor is wrong.
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
    /// Whether the reason tells that there is an account of this name.
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

/// The sentence for people.
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
    /// Nothing can be sealed for the store.
    #[error(transparent)]
    Keys(#[from] KeyringError),
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
