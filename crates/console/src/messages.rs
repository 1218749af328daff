//! What was sent: the models of the list and of the trace, which one's own pages and those of administration have in common.

use askama::Template;
use desk::view;
use jiff::Timestamp;

use crate::frame::Frame;
use crate::shown::bytes::size;
use crate::shown::state::State;
use crate::shown::strangers::plain;
use crate::shown::time::Time;
use crate::visit::Visit;

/// A list of messages.
#[derive(Template)]
#[template(path = "messages.html")]
pub(crate) struct ListPage {
    pub(crate) frame: Frame,
    /// Where the page is, which the messages are below.
    pub(crate) path: &'static str,
    /// What is looked for.
    pub(crate) recipient: String,
    /// Whether the account of each is told.
    pub(crate) with_accounts: bool,
    pub(crate) rows: Vec<Row>,
    pub(crate) next: Option<String>,
}

/// A message in a list.
pub(crate) struct Row {
    id: String,
    name: String,
    account: String,
    at: Time,
    recipients: String,
    state: State,
}

/// What became of a message.
#[derive(Template)]
#[template(path = "message.html")]
pub(crate) struct TracePage {
    pub(crate) frame: Frame,
    /// Where the list is.
    pub(crate) path: &'static str,
    pub(crate) id: String,
    pub(crate) trace: Trace,
    /// Until when it can be taken back.
    pub(crate) undo_until: Option<Time>,
}

/// What is known of a message.
pub(crate) struct Trace {
    name: String,
    account: String,
    sender: String,
    size: String,
    accepted: Time,
    from: Option<String>,
    credential: Option<String>,
    recipients: Vec<Recipient>,
    operations: Vec<(Time, &'static str, String)>,
}

struct Recipient {
    address: String,
    state: State,
    next: Option<Time>,
    /// Attempts that did not deliver, and what is not told by one of them.
    attempts: Vec<Attempt>,
}

struct Attempt {
    at: Option<Time>,
    state: State,
    host: Option<String>,
    reply: String,
}

impl TracePage {
    /// Where the form to take it back is sent to.
    fn undo_action(&self) -> String {
        format!("{}/{}/undo", self.path, self.id)
    }
}

impl Row {
    pub(crate) fn of(message: &view::SentMessage<u32>, visit: &Visit) -> Self {
        let t = visit.texts;
        Self {
            id: message.id.clone(),
            name: plain(message.message_id.as_deref().unwrap_or(&message.id)),
            account: plain(&message.account),
            at: Time::of(message.accepted_at, visit.now, t),
            recipients: t.to_recipients(message.recipients),
            state: State::of(message.state, t),
        }
    }
}

impl Trace {
    pub(crate) fn of(view: &view::SentTrace, visit: &Visit) -> Self {
        let (message, t) = (&view.message, visit.texts);
        let time = |at: Timestamp| Time::of(at, visit.now, t);
        Self {
            name: plain(message.message_id.as_deref().unwrap_or(&message.id)),
            account: plain(&message.account),
            sender: plain(&message.sender),
            size: size(message.size),
            accepted: time(message.accepted_at),
            from: message.ip.as_deref().map(plain),
            credential: message.credential.as_deref().map(plain),
            recipients: message.recipients.iter().map(|one| Recipient::of(one, view, visit)).collect(),
            operations: view
                .operations
                .iter()
                .map(|done| (time(done.time), done.operation, plain(&done.by)))
                .collect(),
        }
    }
}

impl Recipient {
    fn of(recipient: &view::SentRecipient, trace: &view::SentTrace, visit: &Visit) -> Self {
        let (known, t) = (&recipient.known, visit.texts);
        let time = |at: Timestamp| Time::of(at, visit.now, t);
        let failed = trace.failed_attempts.iter().filter(|attempt| attempt.recipient == known.address);
        let mut attempts: Vec<_> = failed.map(|attempt| Attempt::failed(attempt, visit)).collect();
        let last = known.last_reply.as_deref().map(plain);
        if let Some(reply) = last.filter(|last| attempts.last().is_none_or(|told| told.reply != *last)) {
            let host = known.last_host.as_deref().map(plain);
            let at = recipient.done_at.map(time);
            attempts.push(Attempt { at, state: State::of(known.state, t), host, reply });
        }
        Self {
            address: plain(&known.address),
            state: State::of(known.state, t),
            next: known.next_attempt_at.map(time),
            attempts,
        }
    }
}

impl Attempt {
    fn failed(attempt: &view::FailedAttempt, visit: &Visit) -> Self {
        Self {
            at: Some(Time::of(attempt.time, visit.now, visit.texts)),
            state: State::of(attempt.state, visit.texts),
            host: attempt.host.as_deref().map(plain),
            reply: plain(&attempt.reply),
        }
    }
}
