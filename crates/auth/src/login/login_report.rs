//! The report of an attempt to log in: a line in the log, and an event in the audit trail.

use jiff::Timestamp;
use store::{Action, AuditEvent, AuditResult, ThrottleKind};
use types::{Host, Mailbox};

use super::attempt::{Attempt, Door, Origin};
use super::outcome::{LoginOutcome, User};

/// What is reported of an attempt; nothing secret.
pub(crate) struct LoginReport {
    username: Option<String>,
    pub(super) door: Door,
    pub(super) origin: Origin,
}

impl LoginReport {
    pub(crate) fn of(attempt: &Attempt, origin: &Origin) -> Self {
        Self { username: attempt.username.clone(), door: attempt.door, origin: origin.clone() }
    }

    /// The report of a code for the account itself, whose password was shown before.
    pub(crate) fn of_code(user: &User, origin: &Origin) -> Self {
        Self { username: Some(user.address.to_string()), door: Door::Master, origin: origin.clone() }
    }

    /// The event for the audit trail.
    pub(crate) fn event(&self, outcome: &LoginOutcome, at: Timestamp) -> AuditEvent {
        let result = match outcome {
            LoginOutcome::Accepted(_) => AuditResult::Success,
            LoginOutcome::Refused(_) | LoginOutcome::Throttled(_) | LoginOutcome::Unavailable(_) => {
                AuditResult::Failure
            }
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
            // A login is its account's own; what is examined is done by whoever has it examined.
            actor: self.origin.examined_by.as_ref().map(|act| act.by.to_string()),
            via: Some(self.origin.via()),
        }
    }

    /// The account that was named. Where a network is shut out, it does not matter which: then whoever tries a thousand
    /// names leaves one entry behind.
    fn account(&self, outcome: &LoginOutcome) -> Option<String> {
        match outcome {
            LoginOutcome::Accepted(user) => Some(user.address.normal()),
            LoginOutcome::Throttled(throttled) if throttled.key.kind == ThrottleKind::Network => None,
            LoginOutcome::Refused(_) | LoginOutcome::Throttled(_) | LoginOutcome::Unavailable(_) => {
                let name = self.name_that_may_be_told(outcome)?;
                Some(Mailbox::parse(name).map_or_else(|_| name.to_owned(), |name| name.normal()))
            }
        }
    }

    /// The user name as typed, if it is that of an account or reads as a complete address. Anything else may be a password:
    /// people type those into the wrong field, and log and audit trail are no place for them.
    fn name_that_may_be_told(&self, outcome: &LoginOutcome) -> Option<&str> {
        let name = self.username.as_deref()?;
        let is_accounts =
            matches!(outcome, LoginOutcome::Refused(refusal) if refusal.reason.names_an_account());
        (is_accounts || is_complete_address(name)).then_some(name)
    }

    /// The line for the log. What the client chose stands last, where it can pass for nothing else.
    pub(crate) fn log(&self, outcome: &LoginOutcome) {
        let Origin { ip, mechanism, .. } = &self.origin;
        let (username, reason) = (self.name_that_may_be_told(outcome), outcome.reason());
        let session = self.origin.session_id().map(tracing::field::display);
        match outcome {
            LoginOutcome::Accepted(_) => {}
            LoginOutcome::Refused(_) => {
                tracing::info!(event = "auth.refused", session, %ip, mechanism, reason, username, "login refused");
            }
            LoginOutcome::Throttled(throttled) => {
                let (kind, until) = (throttled.key.kind.name(), throttled.until);
                tracing::info!(event = "auth.throttled", session, %ip, mechanism, reason, kind, %until, username, "login not judged");
            }
            LoginOutcome::Unavailable(fault) => {
                let error: &dyn std::error::Error = fault;
                tracing::error!(event = "auth.unavailable", session, %ip, mechanism, reason, error, "a login could not be judged");
            }
        }
    }
}

/// Whether it has a domain of several labels, and the last of them is one that top-level domains can have (RFC 3696
/// section 2: letters alone, or an A-label).
fn is_complete_address(name: &str) -> bool {
    let Ok(name) = Mailbox::parse(name) else { return false };
    let Host::Domain(domain) = name.host() else { return false };
    let domain = domain.normal();
    let top = domain.rsplit_once('.').map(|(_, top)| top);
    top.is_some_and(|top| top.starts_with("xn--") || top.bytes().all(|octet| octet.is_ascii_alphabetic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_password_is_no_complete_address() {
        for name in [
            "alice@example.org",
            "\"a b\"@example.org",
            "alice@bücher.example",
            "a@b.xn--p1ai",
            "A+x@EXAMPLE.ORG",
        ] {
            assert!(is_complete_address(name), "{name}");
        }
        for name in [
            "hunter2",
            "P@ssw0rd",
            "correct horse",
            "me@home.2024",
            "a@[192.0.2.1]",
            "alice@example.org hunter2",
            "",
            "@",
            "x@y",
        ] {
            assert!(!is_complete_address(name), "{name}");
        }
    }
}
