//! What was sent: the models of the list and of the trace, which one's own pages and those of administration have in common.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use desk::{Trouble, view};
use jiff::Timestamp;
use store::{Account, LedgerState, QueueFilter};
use types::QueueId;

use crate::console::Console;
use crate::frame::Frame;
use crate::problem::Problem;
use crate::question::Question;
use crate::session::confirm::ConfirmForm;
use crate::session::current::Current;
use crate::shown::bytes::size;
use crate::shown::place;
use crate::shown::reply;
use crate::shown::state::State;
use crate::shown::strangers::plain;
use crate::shown::time::Time;
use crate::texts::Texts;
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
    pub(crate) account: String,
    pub(crate) credential: String,
    /// Each state by its name, what it is called, and whether it is looked for; empty where that is not looked for.
    pub(crate) states: Vec<(&'static str, &'static str, bool)>,
    /// The same of what may have been used, where there is a list of it.
    pub(crate) credentials: Vec<(String, String, bool)>,
    /// Whether the account of each is told.
    pub(crate) with_accounts: bool,
    pub(crate) rows: Vec<Row>,
    pub(crate) next: Option<String>,
}

/// A message in a list.
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) account: String,
    pub(crate) at: Time,
    pub(crate) recipients: String,
    pub(crate) state: State,
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
    /// What else can be done about it.
    pub(crate) actions: Vec<TraceAction>,
}

/// What can be done about a message.
pub(crate) struct TraceAction {
    /// Where the question is, or the form is sent to.
    pub(crate) path: String,
    pub(crate) words: &'static str,
    /// Whether it asks first.
    pub(crate) asks: bool,
}

/// What is known of a message.
pub(crate) struct Trace {
    /// To whom it goes.
    title: String,
    /// What it calls itself.
    message_id: Option<String>,
    account: String,
    sender: String,
    size: String,
    accepted: Time,
    from: Option<String>,
    pub(crate) credential: Option<String>,
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
    /// What the reply means.
    words: Option<&'static str>,
    reply: String,
}

/// What messages are looked for by: each state, and whether it is the one.
pub(crate) fn states(chosen: Option<LedgerState>, t: Texts) -> Vec<(&'static str, &'static str, bool)> {
    let shown = |state: LedgerState| (state.name(), State::of(state.name(), t).words, chosen == Some(state));
    LedgerState::ALL.map(shown).into()
}

/// Until when a message that waits can be taken back, if it can now.
pub(crate) fn undo_until(queued: Option<&Queued>, now: Timestamp) -> Option<Timestamp> {
    let message = queued?;
    let is_untouched =
        message.recipients.iter().all(|one| one.known.state == "queued" && one.known.attempts == 0);
    message.not_before.filter(|until| is_untouched && !message.held && *until > now)
}

/// Whether somebody still waits for a message, so that it can be stopped.
pub(crate) fn can_be_stopped(queued: Option<&Queued>) -> bool {
    let waits = |one: &view::QueuedRecipient| matches!(one.known.state, "queued" | "deferred");
    queued.is_some_and(|message| !message.held && message.recipients.iter().any(waits))
}

/// A message in the queue.
pub(crate) type Queued = view::Message<Vec<view::QueuedRecipient>>;

/// The message as it stands in the queue, if it waits there for anything.
///
/// # Errors
/// When the queue can't be read.
pub(crate) async fn queued(console: &Console, id: QueueId) -> Result<Option<Queued>, Problem> {
    let desk = console.desk();
    // Of what is settled the queue still knows, for a while.
    let this = QueueFilter { ids: Some(id..=id), ..QueueFilter::default() };
    if desk.find_messages(&this).await?.is_empty() {
        return Ok(None);
    }
    match desk.show_message(id).await {
        Err(Trouble::Missing(_)) => Ok(None),
        found => Ok(Some(found?)),
    }
}

/// What the owner of an account calls the credential with this name in the trail.
///
/// # Errors
/// When the store can't tell.
pub(crate) async fn credential(
    console: &Console,
    account: &Account,
    name: &str,
    t: Texts,
) -> Result<String, Problem> {
    let known = console.desk().credentials(account).await?;
    let label = known.into_iter().find(|(one, _)| one == name).and_then(|(_, label)| label);
    Ok(place::credential(name, label.as_deref(), t))
}

/// What a message is called: to whom it goes. What it calls itself tells people nothing.
fn title<'a>(mut addresses: impl ExactSizeIterator<Item = &'a str>, without_any: &str, t: Texts) -> String {
    let Some(first) = addresses.next().map(plain) else { return without_any.to_owned() };
    match addresses.len() {
        0 => t.to_one(first),
        more => t.to_one_and_more(first, more),
    }
}

/// Takes a message back; what is to be said of it.
///
/// # Errors
/// When the queue does not take it.
pub(crate) async fn undo(
    console: &Console,
    visit: &Visit,
    current: &Current,
    id: QueueId,
) -> Result<&'static str, Problem> {
    match console.desk().undo_message(&current.act(visit), id).await {
        Ok(()) => Ok(visit.texts.taken_back()),
        Err(Trouble::TooLate { .. } | Trouble::Done { .. }) => Ok(visit.texts.on_its_way()),
        Err(Trouble::Withheld(_)) => Ok(visit.texts.held_by_administration()),
        Err(other) => Err(other.into()),
    }
}

/// Stops a message for those who do not have it; what is to be said of it.
///
/// # Errors
/// When the queue does not take it.
pub(crate) async fn stop(
    console: &Console,
    visit: &Visit,
    current: &Current,
    id: QueueId,
) -> Result<&'static str, Problem> {
    match console.desk().stop_message(&current.act(visit), id).await {
        Ok(()) => Ok(visit.texts.is_stopped()),
        Err(Trouble::TooLate { .. } | Trouble::Done { .. }) => Ok(visit.texts.nobody_waits()),
        Err(Trouble::Withheld(_)) => Ok(visit.texts.held_by_administration()),
        Err(other) => Err(other.into()),
    }
}

/// The question whether to stop a message, which stands below `path`.
///
/// # Errors
/// [`Problem::NotFound`] if nobody waits for it.
pub(crate) async fn stop_question(
    console: &Console,
    visit: &Visit,
    frame: Frame,
    path: &str,
    id: QueueId,
) -> Result<Response, Problem> {
    let (t, message) = (visit.texts, queued(console, id).await?);
    let message = message.filter(|message| can_be_stopped(Some(message))).ok_or(Problem::NotFound)?;
    let without = message.recipients.iter().filter(|one| one.known.state != "delivered").count();
    let name = plain(message.message_id.as_deref().unwrap_or(&message.id));
    let addresses = message.recipients.iter().map(|one| one.known.address.as_str());
    let question = Question {
        frame,
        back: (format!("{path}/{id}"), title(addresses, &name, t)),
        title: t.stop_question(name),
        lead: t.stop_lead(),
        facts: vec![t.do_not_have_it(without)],
        sample: Vec::new(),
        refused: None,
        path: format!("{path}/{id}/stop"),
        hidden: Vec::new(),
        boxes: Vec::new(),
        typed: None,
        confirm: ConfirmForm::default(),
        button: t.stop_it().to_owned(),
        keep: t.leave_it(),
    };
    question.with(StatusCode::OK)
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
        let addresses = message.recipients.iter().map(|one| one.known.address.as_str());
        Self {
            title: title(addresses, &message.id, t),
            message_id: message.message_id.as_deref().map(plain),
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
            let state = State::of(known.state, t);
            attempts.push(Attempt { at, state, host, words: reply::words(&reply, t), reply });
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
            words: reply::words(&attempt.reply, visit.texts),
            reply: plain(&attempt.reply),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_called_by_whom_it_goes_to() {
        let t = Texts::preferred("en");
        for (addresses, expected) in [
            (vec![], "01ABC"),
            (vec!["bob@example.net"], "To bob@example.net"),
            (vec!["bob@example.net", "ann@example.net"], "To bob@example.net and 1 other"),
            (
                vec!["bob@example.net", "ann@example.net", "eve@example.net"],
                "To bob@example.net and 2 others",
            ),
        ] {
            assert_eq!(title(addresses.into_iter(), "01ABC", t), expected);
        }
    }
}
