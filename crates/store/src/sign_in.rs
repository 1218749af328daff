//! Where accounts are logged in to from, by which of their credentials, and what their owners say about it.

use std::future::Future;
use std::net::IpAddr;

use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp};
use types::{AccountId, CredentialId, Fingerprint, Mailbox, SignInId};

use crate::{Act, Error};

/// A login that succeeded, as it is noted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSignIn {
    /// What it is called, if it is the first from there.
    pub id: SignInId,
    /// Which account.
    pub account: AccountId,
    /// By what, as the audit trail has it.
    pub credential: String,
    /// Where from.
    pub ip: IpAddr,
    /// What for, as the audit trail has it: `smtp` or `master`.
    pub scope: &'static str,
    /// When.
    pub at: Timestamp,
}

/// The logins to an account by one credential from one network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// What it is called.
    pub id: SignInId,
    /// Which account.
    pub account: AccountId,
    /// By what, as the audit trail has it.
    pub credential: String,
    /// Where from.
    pub network: IpNet,
    /// From which address of the network the last time.
    pub ip: IpAddr,
    /// What for the last time.
    pub scope: String,
    /// The first time.
    pub first_at: Timestamp,
    /// The last time.
    pub at: Timestamp,
    /// What is known of it.
    pub state: SignInState,
}

impl SignIn {
    /// How long a network is familiar that nobody logs in from any more. After that, the next login is of a new place.
    pub const FAMILIAR: SignedDuration = SignedDuration::from_hours(30 * 24);
    /// How many places of an account are kept at most, of those that nobody has disowned; beyond it the one goes that was not used for longest.
    pub const OF_ACCOUNT: u32 = 500;
}

/// What is known of a sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInState {
    /// It was the first of all to its account: there was nothing that it could differ from.
    Known,
    /// Nobody knows it: the owner is to be asked.
    Asked,
    /// It was the owner, who has said so.
    Owner,
    /// It was not, says the owner.
    Stranger(Incident),
}

/// What was done about a sign-in that was not its owner's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// When its owner said so.
    pub at: Timestamp,
    /// What the owner called the credential then.
    pub label: Option<String>,
    /// Whether what was handed in with it is to be held, and how many messages are, once that is done.
    pub hold: bool,
    /// How many messages were held.
    pub held: Option<u64>,
    /// Whether administrators are to look at it.
    pub listed: bool,
    /// When one of them had done so.
    pub closed_at: Option<Timestamp>,
}

/// What is to be done about a sign-in that was not its owner's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    /// What ends the use of its credential, if anything is to.
    pub revocation: Option<Revocation>,
    /// Whether all sessions on the pages end but the one in which this is done.
    pub end_sessions: bool,
    /// Whether what was handed in with it is to be held. The caller does that, and tells [`SignIns::incident_held`].
    pub hold: bool,
    /// Whether administrators are to look at it.
    pub list: bool,
}

/// How a credential is made worthless.
#[derive(Clone, PartialEq, Eq)]
pub enum Revocation {
    /// The app password is revoked.
    AppPassword(CredentialId),
    /// The certificate is removed.
    Certificate(Fingerprint),
    /// The account gets another password: its PHC string.
    Password(String),
}

impl std::fmt::Debug for Revocation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Revocation::AppPassword(id) => write!(f, "AppPassword({id})"),
            Revocation::Certificate(fingerprint) => write!(f, "Certificate({fingerprint})"),
            Revocation::Password(_) => f.write_str("Password(…)"),
        }
    }
}

/// Where accounts are logged in to from.
///
/// The first login to an account is known, and so is a credential where it was used within [`SignIn::FAMILIAR`]. Whatever else there is, the owner
/// is asked about. What is noted is written soon, and moves no revision.
pub trait SignIns: Send + Sync + 'static {
    /// Notes a login that succeeded. Written soon, together with others: logging in never waits for it.
    fn note_sign_in(&self, sign_in: NewSignIn);

    /// The sign-ins to an account that its owner is to be asked about, the latest in front; so many at most.
    fn unanswered(
        &self,
        account: AccountId,
        at_most: u32,
    ) -> impl Future<Output = Result<Vec<SignIn>, Error>> + Send;

    /// A sign-in to this account.
    fn sign_in(
        &self,
        account: AccountId,
        id: SignInId,
    ) -> impl Future<Output = Result<Option<SignIn>, Error>> + Send;

    /// It was the owner. `false`, and nothing changed, if nobody asks. Audited.
    fn own_sign_in(
        &self,
        account: AccountId,
        id: SignInId,
        act: &Act,
    ) -> impl Future<Output = Result<bool, Error>> + Send;

    /// It was not the owner: all of the remedy is done that is about accounts, in one transaction, and the network is no longer one that the
    /// account is familiar with. Told a second time it does nothing. `None` if the account has no such sign-in. Audited: as an incident, and each
    /// change as if it were made alone.
    fn disown_sign_in(
        &self,
        account: AccountId,
        id: SignInId,
        remedy: &Remedy,
        act: &Act,
    ) -> impl Future<Output = Result<Option<SignIn>, Error>> + Send;

    /// What was handed in with the credential is held: so many messages.
    fn incident_held(&self, id: SignInId, held: u64) -> impl Future<Output = Result<(), Error>> + Send;

    /// The incidents that administrators have still to look at, the latest in front, so many at most; with the addresses of their accounts.
    fn incidents(&self, at_most: u32) -> impl Future<Output = Result<Vec<(SignIn, Mailbox)>, Error>> + Send;

    /// An administrator has looked at it. `false` if there is nothing to be looked at. Audited.
    fn close_incident(&self, id: SignInId, act: &Act) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Forgets places that were last used before this, but for incidents that are still to be looked at; says how many. What was noted by a clock
    /// that was more than a day ahead is of now from then on.
    fn prune_sign_ins(
        &self,
        before: Timestamp,
        now: Timestamp,
    ) -> impl Future<Output = Result<u64, Error>> + Send;
}
