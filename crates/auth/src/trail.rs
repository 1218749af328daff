//! What an attempt leaves behind: a line in the log, and an event in the audit trail.

use jiff::Timestamp;
use store::{Action, AuditEvent, AuditResult, ThrottleKind};
use types::Mailbox;

use crate::outcome::Outcome;
use crate::{Attempt, Door, Origin};

/// An attempt, without its secrets.
pub(crate) struct Trail {
    username: Option<String>,
    door: Door,
    origin: Origin,
}

impl Trail {
    pub(crate) fn of(attempt: &Attempt, origin: &Origin) -> Self {
        Self { username: attempt.username.clone(), door: attempt.door, origin: origin.clone() }
    }

    /// The event for the audit trail.
    pub(crate) fn event(&self, outcome: &Outcome, at: Timestamp) -> AuditEvent {
        let result = match outcome {
            Outcome::Accepted(_) => AuditResult::Success,
            Outcome::Refused(_) | Outcome::Throttled(_) | Outcome::Unavailable(_) => AuditResult::Failure,
        };
        AuditEvent {
            at,
            action: Action::Login,
            result,
            reason: outcome.reason().into(),
            account: self.account(outcome),
            credential: outcome.credential(),
            mechanism: self.origin.mechanism.map(str::to_owned),
            scope: Some(self.door.name().to_owned()),
            ip: Some(self.origin.ip),
            tls: self.origin.tls().map(str::to_owned),
            session: self.origin.session_id().map(|session| session.to_string()),
            by: None,
        }
    }

    /// The account that was named. Where a network is shut out, it does not matter which: then whoever tries a thousand
    /// names leaves one entry behind.
    fn account(&self, outcome: &Outcome) -> Option<String> {
        match outcome {
            Outcome::Accepted(user) => Some(user.address.normal()),
            Outcome::Throttled(throttled) if throttled.key.kind == ThrottleKind::Network => None,
            Outcome::Refused(_) | Outcome::Throttled(_) | Outcome::Unavailable(_) => self.normal_name(),
        }
    }

    fn normal_name(&self) -> Option<String> {
        let username = self.username.as_ref()?;
        Some(Mailbox::parse(username).map_or_else(|_| username.clone(), |name| name.normal()))
    }

    /// The line for the log. What the client chose stands last, where it can pass for nothing else.
    pub(crate) fn log(&self, outcome: &Outcome) {
        let Origin { ip, mechanism, .. } = &self.origin;
        let (username, reason) = (self.username.as_deref(), outcome.reason());
        let session = self.origin.session_id().map(tracing::field::display);
        match outcome {
            Outcome::Accepted(_) => {}
            Outcome::Refused(_) => {
                tracing::info!(event = "auth.refused", session, %ip, mechanism, reason, username, "login refused");
            }
            Outcome::Throttled(throttled) => {
                let (kind, until) = (throttled.key.kind.name(), throttled.until);
                tracing::info!(event = "auth.throttled", session, %ip, mechanism, reason, kind, %until, username, "login not judged");
            }
            Outcome::Unavailable(fault) => {
                let error: &dyn std::error::Error = fault;
                tracing::error!(event = "auth.unavailable", session, %ip, mechanism, reason, error, "a login could not be judged");
            }
        }
    }
}
