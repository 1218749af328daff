//! The report at the end: what became of each recipient, so that those who were not served can be served later.

use std::collections::BTreeSet;

use serde::Serialize;

use super::failure::Failure;
use super::fate::{Fate, Reason, State};
use super::mailing::To;
use super::server::{Server, Tls};
use crate::output::{self, Cell, Look};

/// All that is told at the end.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    server: Option<Verified>,
    profile: Option<String>,
    sent: usize,
    refused: usize,
    try_again: usize,
    uncertain: usize,
    not_reached: usize,
    recipients: Vec<Told>,
    error: Option<Failure>,
}

/// A server that has proved its name and, if there is a user, taken the login.
#[derive(Debug, Serialize)]
struct Verified {
    host: String,
    port: u16,
    tls: Tls,
    user: Option<String>,
    /// How it was logged in.
    mechanism: Option<String>,
}

/// What became of a recipient.
#[derive(Debug, Serialize)]
struct Told {
    address: String,
    /// In the CSV.
    line: Option<u64>,
    state: State,
    reason: Option<Reason>,
    reply: Option<String>,
    advice: Option<&'static str>,
    message_id: Option<String>,
}

impl Report {
    /// A report before anything was done: nobody was reached. There is nothing to be sent if there is no `to`.
    pub(crate) fn new(to: Option<&To>) -> Report {
        let mut report = Report {
            server: None,
            profile: None,
            sent: 0,
            refused: 0,
            try_again: 0,
            uncertain: 0,
            not_reached: 0,
            recipients: Vec::new(),
            error: None,
        };
        for message in 0..to.map_or(0, To::messages) {
            report.add(to, message);
        }
        report
    }

    fn add(&mut self, to: Option<&To>, message: usize) {
        let Some(to) = to else { return };
        let recipients = to.of(message).into_iter().filter_map(|recipient| recipient.path.mailbox());
        self.recipients.extend(recipients.map(|mailbox| Told {
            address: mailbox.to_string(),
            line: to.line(message),
            state: State::NotReached,
            reason: None,
            reply: None,
            advice: None,
            message_id: None,
        }));
    }

    /// The server was reached, has proved its name and let us in by this mechanism.
    pub(crate) fn verified(&mut self, server: &Server, mechanism: Option<&str>) {
        let Server { host, port, tls, user, .. } = server.clone();
        self.server = Some(Verified { host, port, tls, user, mechanism: mechanism.map(str::to_owned) });
    }

    pub(crate) fn kept_as(&mut self, profile: String) {
        self.profile = Some(profile);
    }

    /// What became of the recipient with this number, by this message.
    pub(crate) fn tell(&mut self, recipient: usize, fate: Fate, message_id: &str) {
        let Some(told) = self.recipients.get_mut(recipient) else { return };
        let Fate { state, reason, reply } = fate;
        (told.state, told.reason, told.reply) = (state, reason, reply);
        told.advice = reason.filter(|_| state != State::Uncertain).map(Reason::advice);
        told.message_id = Some(message_id.to_owned());
    }

    /// The address of the recipient with this number.
    pub(crate) fn address(&self, recipient: usize) -> &str {
        self.recipients.get(recipient).map_or("", |told| &told.address)
    }

    /// Whether the server was reached, so that there is something to tell.
    pub(crate) fn has_news(&self) -> bool {
        self.server.is_some()
    }

    /// Closes the report.
    pub(crate) fn close(&mut self, error: Option<Failure>) {
        let count = |state| self.recipients.iter().filter(|told| told.state == state).count();
        let [sent, refused, try_again, uncertain, not_reached] = State::ALL.map(count);
        (self.sent, self.refused, self.try_again) = (sent, refused, try_again);
        (self.uncertain, self.not_reached, self.error) = (uncertain, not_reached, error);
    }

    /// How many recipients there are in each state but `sent`, in words; `None` if all have the message.
    pub(crate) fn unserved(&self) -> Option<String> {
        let count = |state: State| self.recipients.iter().filter(|told| told.state == state).count();
        let counts = State::ALL.map(|state| (count(state), state));
        let mut unserved =
            counts.into_iter().filter(|(count, state)| *count > 0 && *state != State::Sent).peekable();
        unserved.peek()?;
        let all: Vec<String> = unserved.map(|(count, state)| format!("{count} {}", state.shown())).collect();
        Some(all.join(", "))
    }

    /// The report for people.
    pub(crate) fn shown(&self) -> String {
        let mut lines: Vec<String> = self.server.iter().map(Verified::shown).collect();
        lines.extend(self.profile.iter().map(|path| format!("profile kept in {path}")));
        if !self.recipients.is_empty() {
            lines.push(format!("sent to {} of {}", self.sent, self.recipients.len()));
        }
        let unserved: Vec<&Told> = self.recipients.iter().filter(|told| told.state != State::Sent).collect();
        if !unserved.is_empty() {
            lines.push(output::table(
                ["LINE", "ADDRESS", "STATE", "REASON", "REPLY"],
                unserved.iter().map(|told| told.row()),
            ));
            let reasons: BTreeSet<Reason> =
                unserved.iter().filter(|told| told.advice.is_some()).filter_map(|told| told.reason).collect();
            lines.extend(reasons.iter().map(|reason| format!("{}: {}", reason.shown(), reason.advice())));
        }
        if self.uncertain > 0 {
            lines.push("uncertain: these may have the message; ask them before you send it again".to_owned());
        }
        if self.not_reached > 0 && self.sent + self.refused + self.try_again + self.uncertain > 0 {
            lines.push(
                "not reached: to go on, run the same with a CSV of the heading and the lines above"
                    .to_owned(),
            );
        }
        lines.join("\n")
    }
}

impl Verified {
    fn shown(&self) -> String {
        let Verified { host, port, tls, user, mechanism } = self;
        let tls = match tls {
            Tls::Implicit => "TLS",
            Tls::StartTls => "STARTTLS",
        };
        let login = match (user, mechanism) {
            (Some(user), Some(mechanism)) => format!("logged in as {user} ({mechanism})"),
            _ => "no login".to_owned(),
        };
        format!("verified {host} port {port}: {tls}, a certificate for its name, {login}")
    }
}

impl Told {
    fn row(&self) -> [Cell; 5] {
        let look = match self.state {
            State::Sent => Look::Good,
            State::Refused => Look::Bad,
            State::TryAgain | State::Uncertain | State::NotReached => Look::Doubtful,
        };
        [
            output::or_dash(self.line).into(),
            self.address.clone().into(),
            Cell::new(look, self.state.shown()),
            self.reason.map_or_else(|| "-".to_owned(), |reason| reason.shown().to_owned()).into(),
            output::or_dash(self.reply.as_deref()).into(),
        ]
    }
}
