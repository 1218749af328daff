//! How a message is accepted: from MAIL to the 250 that promises it is safe.
//!
//! 1. MAIL: the login still holds, there is room, the sender is the user's own, and the user has not sent too much
//!    ([`Acceptance::allow`]).
//! 2. RCPT: the login still holds, and the user may send to one more ([`Acceptance::add`]).
//! 3. The text comes in chunks ([`Acceptance::keep`]). Once the header section is complete it is read, its authors are
//!    checked, it is fixed up, and it goes into the spool ([`Acceptance::begin`]).
//! 4. The body follows it there, chunk by chunk; nothing of it stays here.
//! 5. The text ends ([`Acceptance::finish`]): what went wrong on the way is told now; or else the message is
//!    counted and committed, and only then is there a 250.

use std::sync::Arc;

use arc_swap::ArcSwap;
use auth::{Authenticator, MarkKey, Standing, User};
use bytes::Bytes;
use config::{Config, Submission as Rules};
use delivery::Committer;
use esmtp::{Durable, Envelope, Rejection, SenderAllowed};
use message::{FixupError, Header, HeaderError, Progress, Section};
use store::{Spool, SpoolError};
use store_sqlite::{SqliteAccounts, SqliteSpool};
use submission::MailHandler;
use types::{ForwardPath, QueueId, SessionFacts, SessionId};

use crate::clock;
use crate::relay::Relay;
use crate::sender::Policy;
use crate::sending::Quota;

use self::arrival::Arrival;
use self::submitter::Submitter;

mod arrival;
mod submitter;

/// Accepts messages of users that have logged in, and of machines that need not ([`Relay`]).
pub(crate) struct Acceptance {
    hostname: String,
    rules: ArcSwap<Rules>,
    judge: Arc<Authenticator<SqliteAccounts>>,
    accounts: SqliteAccounts,
    relay: ArcSwap<Relay>,
    quota: Quota<SqliteAccounts>,
    committer: Committer<SqliteSpool>,
}

/// A message on its way in.
pub(crate) struct Incoming {
    submitter: Submitter,
    arrival: Arrival,
    size: u64,
    stage: Stage,
}

enum Stage {
    /// The header section is not complete.
    Header(Section),
    /// The header section is in the spool, and the body follows it.
    Body(Spooled),
    /// It will be refused, once the client has said all.
    Refused(Rejection),
}

type Counted<'a> = crate::sending::Counted<'a, SqliteAccounts>;

/// What the spool has of a message; dropping it leaves nothing behind.
type Spooled = <SqliteSpool as Spool>::Incoming;

impl MailHandler<User> for Acceptance {
    /// `None` for somebody who would have to log in, and sends nothing.
    type Message = Option<Incoming>;

    async fn sender(
        &self,
        user: Option<&Arc<User>>,
        envelope: &Envelope,
        session: &SessionFacts,
    ) -> Result<SenderAllowed, Rejection> {
        let submitter = self.submitter(user, session);
        let allowed = self.allow(submitter.as_ref(), envelope).await;
        allowed.inspect_err(|reason| tell_refused(session.id, submitter.as_ref(), reason))
    }

    async fn recipient(
        &self,
        user: Option<&Arc<User>>,
        envelope: &Envelope,
        path: &ForwardPath,
        session: &SessionFacts,
    ) -> Result<(), Rejection> {
        let submitter = self.submitter(user, session).ok_or(Rejection::LoginRequired)?;
        let added = self.add(&submitter, envelope, path).await;
        added.inspect_err(|reason| {
            if *reason == Rejection::RelayDenied {
                tell_refused(session.id, Some(&submitter), reason);
            }
        })
    }

    fn open(
        &self,
        user: Option<&Arc<User>>,
        envelope: &Envelope,
        session: &SessionFacts,
    ) -> Option<Incoming> {
        let submitter = self.submitter(user, session)?;
        let arrival = Arrival::now(envelope, session, self.rules.load().hide_client_address);
        Some(Incoming { submitter, arrival, size: 0, stage: Stage::Header(Section::default()) })
    }

    async fn body(&self, message: &mut Option<Incoming>, chunk: Bytes) {
        let Some(message) = message else { return };
        message.size = message.size.saturating_add(chunk.len() as u64);
        if let Err(rejection) = self.keep(message, chunk).await {
            message.stage = Stage::Refused(rejection);
        }
    }

    async fn commit(&self, message: Option<Incoming>, envelope: Envelope) -> Result<Durable, Rejection> {
        let message = message.ok_or(Rejection::LoginRequired)?;
        let (session, submitter, size) = (message.arrival.session, message.submitter.clone(), message.size);
        let committed = self.finish(message, envelope).await;
        match &committed {
            Ok(durable) => tell_accepted(session, &submitter, durable.id(), size),
            Err(reason) => tell_refused(session, Some(&submitter), reason),
        }
        committed
    }
}

impl Acceptance {
    /// `judge` is asked whether logins still hold, `accounts` whose an address is; messages go to `committer`.
    pub(crate) fn new(
        config: &Config,
        judge: Arc<Authenticator<SqliteAccounts>>,
        accounts: SqliteAccounts,
        marks: MarkKey,
        committer: Committer<SqliteSpool>,
    ) -> Acceptance {
        let rules = ArcSwap::from_pointee(config.submission);
        let relay = ArcSwap::from_pointee(Relay::of(config.auth.relay.as_ref()));
        let quota = Quota::new(accounts.clone(), marks, config.sending, clock::now);
        Acceptance { hostname: config.hostname.clone(), rules, judge, accounts, relay, quota, committer }
    }

    /// What comes in from now on is treated by the rules of this configuration, and counted against its limits.
    pub(crate) fn replace(&self, config: &Config) {
        self.rules.store(Arc::new(config.submission));
        self.relay.store(Arc::new(Relay::of(config.auth.relay.as_ref())));
        self.quota.replace(config.sending);
    }

    /// Whether the client may hand in mail without a login.
    pub(crate) fn takes_without_login(&self, session: &SessionFacts) -> bool {
        self.relay.load().machine(session).is_some()
    }

    /// Who sends; `None` for somebody who would have to log in.
    fn submitter(&self, user: Option<&Arc<User>>, session: &SessionFacts) -> Option<Submitter> {
        match user {
            Some(user) => Some(Submitter::User(Arc::clone(user))),
            None => self.relay.load().machine(session).map(Submitter::Machine),
        }
    }

    async fn allow(
        &self,
        submitter: Option<&Submitter>,
        envelope: &Envelope,
    ) -> Result<SenderAllowed, Rejection> {
        let submitter = submitter.ok_or(Rejection::LoginRequired)?;
        let path = &envelope.reverse_path;
        match submitter {
            Submitter::User(user) => {
                let standing = self.standing(user).await?;
                self.has_room(envelope).await?;
                let allowed = self.policy(&standing).may_send(path).await?;
                self.quota.may_begin(user).await.map(|()| allowed)
            }
            Submitter::Machine(machine) => {
                let allowed = self.relay.load().may_send(*machine, path)?;
                self.has_room(envelope).await?;
                self.quota.machine_may_begin(*machine).map(|()| allowed)
            }
        }
    }

    async fn has_room(&self, envelope: &Envelope) -> Result<(), Rejection> {
        self.spool().room_for(envelope.declared_size.unwrap_or(0)).await.map_err(not_stored)
    }

    async fn add(
        &self,
        submitter: &Submitter,
        envelope: &Envelope,
        path: &ForwardPath,
    ) -> Result<(), Rejection> {
        match submitter {
            Submitter::User(user) => {
                self.standing(user).await?;
                self.quota.may_add(user, envelope, path).await
            }
            Submitter::Machine(machine) => {
                self.relay.load().may_reach(*machine, path)?;
                self.quota.machine_may_add(*machine, envelope, path)
            }
        }
    }

    async fn may_write(&self, submitter: &Submitter, header: &Header<'_>) -> Result<(), Rejection> {
        match submitter {
            Submitter::User(user) => {
                let standing = self.standing(user).await?;
                self.policy(&standing).may_write(header).await
            }
            Submitter::Machine(machine) => self.relay.load().may_write(*machine, header),
        }
    }

    /// Counts a complete message, if its submitter may still send.
    async fn count(&self, submitter: &Submitter, envelope: &Envelope) -> Result<Counted<'_>, Rejection> {
        match submitter {
            Submitter::User(user) => {
                self.standing(user).await?;
                self.quota.take(user, envelope).await
            }
            Submitter::Machine(machine) => {
                self.relay.load().still_knows(*machine)?;
                self.quota.take_of_machine(*machine, envelope)
            }
        }
    }

    async fn keep(&self, message: &mut Incoming, chunk: Bytes) -> Result<(), Rejection> {
        match &mut message.stage {
            Stage::Header(section) => {
                if let Progress::Complete { header, body_rest } = section.feed(chunk).map_err(malformed)? {
                    let spooled =
                        self.begin(&message.submitter, &message.arrival, &header, body_rest).await?;
                    message.stage = Stage::Body(spooled);
                }
                Ok(())
            }
            Stage::Body(spooled) => self.spool().append(spooled, chunk).await.map_err(not_stored),
            Stage::Refused(_) => Ok(()),
        }
    }

    /// Puts the header section into the spool, as it travels on, and what there is of the body behind it.
    async fn begin(
        &self,
        submitter: &Submitter,
        arrival: &Arrival,
        section: &[u8],
        body: Bytes,
    ) -> Result<Spooled, Rejection> {
        let header = read(section, arrival.utf8)?;
        self.may_write(submitter, &header).await?;
        let fixed = self.fix_up(&header, arrival)?;
        let mut spooled = self.spool().open(arrival.id);
        self.spool().append(&mut spooled, fixed.into()).await.map_err(not_stored)?;
        if !body.is_empty() {
            self.spool().append(&mut spooled, body).await.map_err(not_stored)?;
        }
        Ok(spooled)
    }

    async fn finish(&self, message: Incoming, envelope: Envelope) -> Result<Durable, Rejection> {
        let Incoming { submitter, arrival, stage, .. } = message;
        let spooled = match stage {
            Stage::Refused(rejection) => return Err(rejection),
            Stage::Body(spooled) => spooled,
            // No blank line came: all of it was header (RFC 5322 section 2.1).
            Stage::Header(section) => {
                self.begin(&submitter, &arrival, &section.finish(), Bytes::new()).await?
            }
        };
        let counted = self.count(&submitter, &envelope).await?;
        let submission = arrival.entry(&submitter, envelope);
        let durable = self.committer.commit(submission, spooled).await.map_err(not_stored)?;
        counted.keep();
        Ok(durable)
    }

    fn fix_up(&self, header: &Header<'_>, arrival: &Arrival) -> Result<Vec<u8>, Rejection> {
        let rules = self.rules.load();
        let options =
            message::Options { add_missing_headers: rules.add_missing_headers, remove_bcc: rules.remove_bcc };
        message::fixup(header, &arrival.trace(&self.hostname), &options).map_err(|error| match error {
            FixupError::TooManyHops => Rejection::TooManyHops,
            FixupError::Date => Rejection::Unavailable,
        })
    }

    /// What the user may do, unless what was proved at the login holds no longer: revocation acts at the next command.
    async fn standing(&self, user: &User) -> Result<Arc<Standing>, Rejection> {
        match self.judge.standing(user).await {
            Ok(standing) => standing.ok_or(Rejection::CredentialRevoked),
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(event = "store.failing", error, "cannot tell whether a login still holds");
                Err(Rejection::Unavailable)
            }
        }
    }

    fn policy<'a>(&'a self, standing: &'a Standing) -> Policy<'a, SqliteAccounts> {
        Policy { check: self.rules.load().sender_check, standing, accounts: &self.accounts }
    }

    fn spool(&self) -> &SqliteSpool {
        self.committer.spool()
    }
}

/// A header section with octets beyond ASCII needs SMTPUTF8 all the way (RFC 6532 section 3.6).
fn read(section: &[u8], utf8: bool) -> Result<Header<'_>, Rejection> {
    let header = Header::parse(section).map_err(malformed)?;
    if utf8 || header.is_ascii() { Ok(header) } else { Err(Rejection::NonAsciiHeader) }
}

fn malformed(error: HeaderError) -> Rejection {
    if error.is_too_big() { Rejection::HeaderTooBig } else { Rejection::BadHeader(error.text()) }
}

/// The client learns that it should try again; the operator learns why.
fn not_stored(error: SpoolError) -> Rejection {
    let cause: &dyn std::error::Error = &error;
    match error {
        SpoolError::Full => {
            tracing::warn!(event = "spool.full", "no space is left for mail; clients are told to try again");
            Rejection::StorageFull
        }
        SpoolError::Failing(_) | SpoolError::Corrupt(_) => {
            tracing::error!(event = "spool.failing", error = cause, "a message could not be kept");
            Rejection::StorageFailing
        }
    }
}

fn tell_accepted(session: SessionId, account: &Submitter, id: QueueId, size: u64) {
    tracing::info!(event = "accepted", %session, queue.id = %id, account.address = %account, size, "{id} accepted");
}

fn tell_refused(session: SessionId, submitter: Option<&Submitter>, reason: &Rejection) {
    let account = submitter.map(tracing::field::display);
    tracing::info!(event = "refused", %session, account.address = account, %reason, "refused");
}

#[cfg(test)]
mod tests;
