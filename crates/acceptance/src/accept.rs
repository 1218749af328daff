//! How a message is accepted: from MAIL to the 250 that promises it is safe.
//!
//! 1. MAIL: the login still holds, there is room, the sender is the user's own, and the user has not sent too much
//!    ([`Acceptance::allow`]).
//! 2. RCPT: the login still holds, and the user may send to one more ([`Acceptance::add`]).
//! 3. The text comes in chunks ([`Acceptance::keep`]). Once the header section is complete it is repaired and read, its
//!    authors are checked, it is fixed up, and it goes into the spool ([`Acceptance::begin`]).
//! 4. The body follows it there, chunk by chunk; nothing of it stays here but what it will need to travel on.
//! 5. The text ends ([`Acceptance::finish`]): what went wrong on the way is told now; or else the message is
//!    counted and committed, and only then is there a 250.

mod permission;
mod tell;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use auth::{Authenticator, BlindDigests, User};
use bytes::Bytes;
use delivery::{Committed, Committer};
use esmtp::{Durable, Envelope, Rejection, SenderAllowed};
use jiff::Timestamp;
use message::{Gathered, Progress, Section};
use store::{Audit as _, DuplicateKey, Spool as _, Submission};
use stores::{Accounts, Spool};
use submission::MailHandler;
use types::{ForwardPath, SessionFacts, SessionId};

use crate::arrival::Arrival;
use crate::body::{Body, Needs};
use crate::counters::Counters;
use crate::duplicate::Digester;
use crate::header;
use crate::quota::Quota;
use crate::rules::Rules;
use crate::sender::Writing;
use crate::storage::not_stored;
use crate::submitter::Submitter;
use crate::unfinished::{Share, Unfinished};

/// Accepts messages of users that have logged in, and of machines that need not ([`NoLogin`](crate::NoLogin)).
pub struct Acceptance {
    rules: ArcSwap<Rules>,
    judge: Arc<Authenticator>,
    accounts: Accounts,
    quota: Quota,
    unfinished: Arc<Unfinished>,
    digester: Digester,
    committer: Committer<Spool>,
    counters: Counters,
    now: fn() -> Timestamp,
}

/// A message on its way in.
pub struct Incoming {
    submitter: Submitter,
    /// How it is treated from its beginning to its end, whatever is replaced meanwhile.
    rules: Arc<Rules>,
    arrival: Arrival,
    size: u64,
    unfinished: Share,
    stage: Stage,
}

enum Stage {
    /// The header section is not complete.
    Header(Section),
    /// The header section is in the spool, and the body follows it.
    Body(Box<Body>),
    /// It will be refused, once the client has said all.
    Refused(Rejection),
}

impl MailHandler<User> for Acceptance {
    /// `None` for somebody who would have to log in, and sends nothing.
    type Message = Option<Incoming>;

    const CHECKS_SENDERS: bool = true;

    async fn sender(
        &self,
        user: Option<&Arc<User>>,
        envelope: &Envelope,
        session: &SessionFacts,
    ) -> Result<SenderAllowed, Rejection> {
        let submitter = self.submitter(user, session);
        let allowed = self.allow(submitter.as_ref(), envelope).await;
        allowed.inspect_err(|reason| self.refused(session.id, submitter.as_ref(), reason))
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
                self.refused(session.id, Some(&submitter), reason);
            }
        })
    }

    fn open(
        &self,
        user: Option<&Arc<User>>,
        envelope: &Envelope,
        session: &SessionFacts,
    ) -> Option<Incoming> {
        let (submitter, rules) = (self.submitter(user, session)?, self.rules.load_full());
        let arrival = Arrival::new((self.now)(), envelope, session, rules.hide_client_address);
        let section = Section::new(rules.repair);
        let unfinished = self.unfinished.begin(&submitter);
        Some(Incoming { submitter, rules, arrival, size: 0, unfinished, stage: Stage::Header(section) })
    }

    async fn body(&self, message: &mut Option<Incoming>, chunk: Bytes) {
        let Some(message) = message else { return };
        message.size = message.size.saturating_add(chunk.len() as u64);
        if let Err(rejection) = self.keep(message, chunk).await {
            message.stage = Stage::Refused(rejection);
            message.unfinished.give_back();
        }
    }

    async fn commit(&self, message: Option<Incoming>, envelope: Envelope) -> Result<Durable, Rejection> {
        let message = message.ok_or(Rejection::LoginRequired)?;
        let (session, submitter, size) = (message.arrival.session, message.submitter.clone(), message.size);
        let committed = self.finish(message, envelope).await;
        match committed {
            Ok((Committed::New(durable), needs)) => {
                self.counters.count_accepted(size);
                tell::accepted(session, &submitter, &durable, size, &needs);
                Ok(durable)
            }
            Ok((Committed::Duplicate(first), needs)) => {
                self.counters.duplicates.count();
                tell::duplicate(session, &submitter, &first, size, &needs);
                Ok(first)
            }
            Err(reason) => {
                self.refused(session, Some(&submitter), &reason);
                Err(reason)
            }
        }
    }
}

impl Acceptance {
    /// `judge` is asked whether logins still hold, `accounts` whose an address is; messages go to `committer`. `now` reads the
    /// clock, `blind_digests` hides whom accounts have sent to.
    pub fn new(
        rules: Rules,
        judge: Arc<Authenticator>,
        accounts: Accounts,
        blind_digests: BlindDigests,
        committer: Committer<Spool>,
        now: fn() -> Timestamp,
    ) -> Acceptance {
        let digester = Digester::new(&blind_digests);
        let (quota, counters) =
            (Quota::new(accounts.clone(), blind_digests, rules.limits, now), Counters::default());
        let (unfinished, rules) = (Unfinished::new(rules.unfinished), ArcSwap::from_pointee(rules));
        Acceptance { rules, judge, accounts, quota, unfinished, digester, committer, counters, now }
    }

    /// What comes in from now on is treated by these rules, and counted against their limits.
    pub fn replace(&self, rules: Rules) {
        self.quota.replace(rules.limits);
        self.unfinished.replace(rules.unfinished);
        self.rules.store(Arc::new(rules));
    }

    /// What was counted since the server began.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    fn refused(&self, session: SessionId, submitter: Option<&Submitter>, reason: &Rejection) {
        self.counters.count_refused(reason);
        tell::refused(session, submitter, reason);
    }

    /// Gives back what is borrowed of sending limits: before the store is closed, when nothing comes in any more.
    pub fn end(&self) {
        self.quota.give_back();
    }

    /// Whether the client may hand in mail without a login.
    pub fn takes_without_login(&self, session: &SessionFacts) -> bool {
        self.rules.load().no_login.machine(session).is_some()
    }

    /// Who sends; `None` for somebody who would have to log in.
    fn submitter(&self, user: Option<&Arc<User>>, session: &SessionFacts) -> Option<Submitter> {
        match user {
            Some(user) => Some(Submitter::User(Arc::clone(user))),
            None => self.rules.load().no_login.machine(session).map(Submitter::Machine),
        }
    }

    async fn keep(&self, message: &mut Incoming, chunk: Bytes) -> Result<(), Rejection> {
        if let Stage::Header(_) | Stage::Body(_) = message.stage {
            message.unfinished.add(chunk.len() as u64)?;
        }
        match &mut message.stage {
            Stage::Header(section) => {
                if let Progress::Complete { header, body_rest } =
                    section.feed(chunk).map_err(header::malformed)?
                {
                    let Incoming { submitter, rules, arrival, .. } = &*message;
                    let body = self.begin(submitter, rules, arrival, header, body_rest).await?;
                    message.stage = Stage::Body(Box::new(body));
                }
                Ok(())
            }
            Stage::Body(body) => body.append(self.spool(), chunk).await,
            Stage::Refused(_) => Ok(()),
        }
    }

    /// Puts the header section into the spool, as it travels on, and what there is of the body behind it.
    async fn begin(
        &self,
        submitter: &Submitter,
        rules: &Rules,
        arrival: &Arrival,
        gathered: Gathered,
        rest: Bytes,
    ) -> Result<Body, Rejection> {
        let (section, mut repairs) = header::repaired(gathered, rules.repair)?;
        let header = header::read(&section, arrival.utf8)?;
        let digest = rules.deduplicate.and_then(|_| self.digester.begin(submitter, &header));
        let added = arrival.author().filter(|_| rules.repair && rules.add_missing_headers);
        let writing = Writing { reverse_path: &arrival.reverse_path, added, patient: rules.repair };
        let judged = self.may_write(submitter, &header, writing).await?;
        let as_any = judged.as_any;
        let trace = arrival.trace(&rules.hostname, submitter);
        let fixed = header::fix_up(&header, judged, added, &trace, rules, &mut repairs)?;
        let spooled = self.spool().open(arrival.id);
        let survey = arrival.survey(&header);
        let mut body = Body::begin(self.spool(), spooled, survey, fixed, repairs, digest, as_any).await?;
        if !rest.is_empty() {
            body.append(self.spool(), rest).await?;
        }
        Ok(body)
    }

    async fn finish(
        &self,
        message: Incoming,
        mut envelope: Envelope,
    ) -> Result<(Committed, Needs), Rejection> {
        let Incoming { submitter, rules, arrival, stage, .. } = message;
        let body = match stage {
            Stage::Refused(rejection) => return Err(rejection),
            Stage::Body(body) => *body,
            // No blank line came: all of it was header (RFC 5322 section 2.1), as far as it looks like one.
            Stage::Header(section) => {
                let (header, rest) = section.finish().map_err(header::malformed)?;
                self.begin(&submitter, &rules, &arrival, header, rest).await?
            }
        };
        let as_any = body.as_any;
        let (spooled, needs) = body.finish(&mut envelope, rules.repair)?;
        let (counted, undo) = self.count(&submitter, &envelope).await?;
        let (entry, now) = (arrival.entry(&submitter, envelope, &needs), (self.now)());
        let submission = Submission {
            not_before: entry.not_before.max(end_of_undo(&entry, undo, &rules, now)),
            duplicate_key: duplicate_key(&entry, &needs, &rules, now),
            ..entry
        };
        let committed = self.committer.commit(submission, spooled).await.map_err(not_stored)?;
        // Of what was handed in before, what was counted is put back.
        if let Committed::New(_) = committed {
            counted.keep();
            if as_any && let Submitter::User(user) = &submitter {
                self.accounts.note(arrival.sent_as_any(user));
            }
        }
        Ok((committed, needs))
    }

    fn spool(&self) -> &Spool {
        self.committer.spool()
    }
}

/// Until when a message can be taken back that is here as a whole now, and waits to leave; `undo` is what the account has chosen. From `<>`
/// come reports, which never wait.
fn end_of_undo(
    entry: &Submission,
    undo: Option<Duration>,
    rules: &Rules,
    now: Timestamp,
) -> Option<Timestamp> {
    let undo = undo.unwrap_or(rules.undo).min(rules.undo_max);
    let waits = !undo.is_zero() && entry.reverse_path.mailbox().is_some();
    if waits { now.checked_add(undo).ok() } else { None }
}

/// What a message is known by that is here as a whole now, if it is handed in again.
fn duplicate_key(entry: &Submission, needs: &Needs, rules: &Rules, now: Timestamp) -> Option<DuplicateKey> {
    let since = entry.accepted_at.checked_sub(rules.deduplicate?).ok()?;
    Some(DuplicateKey { digest: needs.digest?, received_at: now, since })
}

impl fmt::Debug for Acceptance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acceptance").finish_non_exhaustive()
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("size", &self.size).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
