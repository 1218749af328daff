//! What is asked before a message is taken, at MAIL, at RCPT, at its header and at its end: whether the login still holds, and whether its
//! sender may send this, and so much.

use std::sync::Arc;
use std::time::Duration;

use auth::{SessionRights, User};
use esmtp::{Envelope, Rejection, SenderAllowed};
use message::Header;
use store::Spool as _;
use types::{ForwardPath, Hold};

use super::Acceptance;
use crate::arrival::MAX_HOLD;
use crate::quota::Counted;
use crate::sender::{Judged, Policy, Writing};
use crate::storage::not_stored;
use crate::submitter::Submitter;

impl Acceptance {
    pub(super) async fn allow(
        &self,
        submitter: Option<&Submitter>,
        envelope: &Envelope,
    ) -> Result<SenderAllowed, Rejection> {
        let submitter = submitter.ok_or(Rejection::LoginRequired)?;
        self.may_hold(envelope)?;
        let path = &envelope.reverse_path;
        match submitter {
            Submitter::User(user) => {
                let rights = self.rights(user).await?;
                self.has_room(envelope).await?;
                let allowed = self.policy(&rights).may_send(path).await?;
                self.quota.may_begin(user).await.map(|()| allowed)
            }
            Submitter::Machine(machine) => {
                let allowed = self.rules.load().no_login.may_send(*machine, path)?;
                self.has_room(envelope).await?;
                self.quota.machine_may_begin(*machine).map(|()| allowed)
            }
        }
    }

    /// Whether the message need not be held for longer than messages are, nor until after it has to be delivered (RFC 4865 sections 4.2 and
    /// 5.2.2). An interval the session has judged.
    fn may_hold(&self, envelope: &Envelope) -> Result<(), Rejection> {
        let Some(Hold::Until(until)) = envelope.hold else { return Ok(()) };
        let seconds = until.unix().saturating_sub((self.now)().as_second());
        if seconds > i64::from(MAX_HOLD) {
            return Err(Rejection::HoldTooLong);
        }
        match envelope.deliver_by {
            Some(by) if by.is_over_after(seconds) => Err(Rejection::HoldPastDelivery),
            Some(_) | None => Ok(()),
        }
    }

    async fn has_room(&self, envelope: &Envelope) -> Result<(), Rejection> {
        self.spool().room_for(envelope.declared_size.unwrap_or(0)).await.map_err(not_stored)
    }

    pub(super) async fn add(
        &self,
        submitter: &Submitter,
        envelope: &Envelope,
        path: &ForwardPath,
    ) -> Result<(), Rejection> {
        match submitter {
            Submitter::User(user) => {
                self.rights(user).await?;
                self.quota.may_add(user, envelope, path).await
            }
            Submitter::Machine(machine) => {
                self.rules.load().no_login.may_reach(*machine, path)?;
                self.quota.machine_may_add(*machine, envelope, path)
            }
        }
    }

    pub(super) async fn may_write<'h>(
        &self,
        submitter: &Submitter,
        header: &Header<'h>,
        writing: Writing<'_>,
    ) -> Result<Judged<'h>, Rejection> {
        match submitter {
            Submitter::User(user) => {
                let rights = self.rights(user).await?;
                self.policy(&rights).may_write(header, writing).await
            }
            Submitter::Machine(machine) => self.rules.load().no_login.may_write(*machine, header, writing),
        }
    }

    /// Counts a complete message, if its submitter may still send. Also how long it can be taken back, if the account has chosen so.
    pub(super) async fn count(
        &self,
        submitter: &Submitter,
        envelope: &Envelope,
    ) -> Result<(Counted<'_>, Option<Duration>), Rejection> {
        match submitter {
            Submitter::User(user) => {
                let undo = self.rights(user).await?.undo;
                Ok((self.quota.take(user, envelope).await?, undo))
            }
            Submitter::Machine(machine) => {
                self.rules.load().no_login.still_knows(*machine)?;
                Ok((self.quota.take_of_machine(*machine, envelope)?, None))
            }
        }
    }

    /// What the user may do, unless what was proved at the login holds no longer: revocation acts at the next command.
    async fn rights(&self, user: &User) -> Result<Arc<SessionRights>, Rejection> {
        match self.judge.session_rights(user).await {
            Ok(rights) => rights.ok_or(Rejection::CredentialRevoked),
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(event = "store.failing", error, "cannot tell whether a login still holds");
                Err(Rejection::Unavailable)
            }
        }
    }

    fn policy<'a>(&'a self, rights: &'a SessionRights) -> Policy<'a> {
        Policy { check: self.rules.load().sender_check, rights, accounts: &self.accounts }
    }
}
