//! What is done to several messages of the queue, or for good: a question with their number and some of them, and the answer.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::on;
use desk::{Expected, Operated, Trouble, view};
use store::{Operation, Page as ListPage};
use types::QueueId;

use super::QUEUE as PATH;
use super::queue_filter::Typed;
use crate::console::Console;
use crate::fields::Fields;
use crate::frame::Frame;
use crate::list::Query;
use crate::problem::Problem;
use crate::question::{Question, Sample};
use crate::right::{Right, Route};
use crate::session::confirm::{self, Asked, ConfirmForm};
use crate::session::current::Current;
use crate::shown::strangers::plain;
use crate::texts::Texts;
use crate::visit::Visit;

const OPERATE: &str = "/admin/queue/operate";

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/admin/queue/ask/{operation}", Right::Admin, |method| on(method, ask)),
    Route::post(OPERATE, Right::Admin, |method| on(method, operate)),
];

/// What pages do to several messages.
const DONE: [Operation; 5] =
    [Operation::Hold, Operation::Release, Operation::Retry, Operation::Bounce, Operation::Remove];

/// So many are shown of those that it is about.
const SAMPLE: u32 = 5;

/// More identifiers than the boxes of a page.
const IDS: usize = 200;

/// What is to be done, and to which messages.
struct Wish {
    operation: Operation,
    /// Those that were named.
    ids: Vec<QueueId>,
    /// Whether all that the filter finds are meant.
    all: bool,
    /// The filter; where messages are named it says alone where the page leads back to.
    filter: Typed,
}

impl Wish {
    fn of<'a>(
        operation: &str,
        ids: impl Iterator<Item = &'a str>,
        all: bool,
        filter: Typed,
    ) -> Result<Self, Problem> {
        let operation = Operation::from_name(operation).filter(|one| DONE.contains(one));
        let operation = operation.ok_or(Problem::NotFound)?;
        let mut ids: Vec<QueueId> =
            ids.take(IDS).map(str::parse).collect::<Result<_, _>>().map_err(|_| Problem::NotFound)?;
        ids.sort_unstable();
        ids.dedup();
        Ok(Self { operation, ids, all, filter })
    }

    fn hidden(&self, number: usize) -> Vec<(String, String)> {
        let field = |name: &str, value: String| (name.to_owned(), value);
        let mut hidden =
            vec![field("operation", self.operation.name().to_owned()), field("expected", number.to_string())];
        if self.all {
            hidden.push(field("all", "yes".to_owned()));
        } else {
            hidden.extend(self.ids.iter().map(|id| field("id", id.to_string())));
        }
        hidden.extend(self.filter.fields());
        hidden
    }

    /// How many messages are meant, and some of them.
    async fn found(&self, console: &Console, visit: &Visit) -> Result<(usize, Vec<Sample>), Problem> {
        let desk = console.desk();
        if self.all {
            let filter = self.filter.meaning(console, visit.now).await?.ok_or(Problem::NotFound)?;
            let some = desk.list_messages(&filter, ListPage::first(SAMPLE)).await?.items;
            let number = desk.find_messages(&filter).await?.len();
            return Ok((number, some.iter().map(|one| Sample::of(one, one.recipients, visit)).collect()));
        }
        let (mut number, mut sample) = (0, Vec::new());
        for id in &self.ids {
            let message = match desk.show_message(*id).await {
                Err(Trouble::Missing(_)) => continue,
                found => found?,
            };
            number += 1;
            if number <= usize::try_from(SAMPLE).unwrap_or(usize::MAX) {
                sample.push(Sample::of(&message, message.recipients.len(), visit));
            }
        }
        Ok((number, sample))
    }
}

/// What is asked before an operation on so many messages.
fn asked(operation: Operation, number: usize, t: Texts) -> String {
    match operation {
        Operation::Hold => t.hold_question(number),
        Operation::Release => t.release_question(number),
        Operation::Retry => t.retry_question(number),
        Operation::Bounce => t.bounce_question(number),
        Operation::Remove | Operation::Undo | Operation::Stop => t.remove_messages_question(number),
    }
}

/// What becomes of the messages, and what recipients and senders will see.
fn lead(operation: Operation, t: Texts) -> &'static str {
    match operation {
        Operation::Hold => t.hold_lead(),
        Operation::Release => t.release_lead(),
        Operation::Retry => t.retry_lead(),
        Operation::Bounce => t.bounce_lead(),
        Operation::Remove | Operation::Undo | Operation::Stop => t.remove_messages_lead(),
    }
}

fn button(operation: Operation, t: Texts) -> &'static str {
    match operation {
        Operation::Hold => t.hold(),
        Operation::Release => t.release(),
        Operation::Retry => t.try_again_now(),
        Operation::Bounce => t.return_to_sender(),
        Operation::Remove | Operation::Undo | Operation::Stop => t.remove_for_good(),
    }
}

async fn ask(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(operation): Path<String>,
    query: Query,
) -> Result<Response, Problem> {
    let all = query.get("all") == Some("yes");
    let wish = Wish::of(&operation, query.all("id"), all, Typed::of_query(&query))?;
    let confirm = ConfirmForm::of(&current, &visit);
    question(&console, &visit, &current, &wish, confirm, (StatusCode::OK, None)).await
}

async fn question(
    console: &Console,
    visit: &Visit,
    current: &Current,
    wish: &Wish,
    confirm: ConfirmForm,
    (status, refused): (StatusCode, Option<String>),
) -> Result<Response, Problem> {
    let t = visit.texts;
    let (number, sample) = wish.found(console, visit).await?;
    let back = wish.filter.link(PATH);
    if number == 0 {
        console.flashes.say(current.signed_in.session.id, t.no_messages_chosen().to_owned());
        return Ok(Redirect::to(&back).into_response());
    }
    let more = number.saturating_sub(sample.len());
    let question = Question {
        frame: Frame::of_administration(console, visit, current, PATH),
        back: (back, t.queue().to_owned()),
        title: asked(wish.operation, number, t),
        lead: lead(wish.operation, t),
        facts: if more > 0 { vec![t.and_more(more)] } else { Vec::new() },
        sample,
        refused,
        path: OPERATE.to_owned(),
        hidden: wish.hidden(number),
        boxes: Vec::new(),
        typed: None,
        confirm,
        button: button(wish.operation, t).to_owned(),
        keep: t.leave_them(),
    };
    question.with(status)
}

async fn operate(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    fields: Fields,
) -> Result<Response, Problem> {
    let (t, all) = (visit.texts, fields.text("all") == "yes");
    let wish = Wish::of(fields.text("operation"), fields.all("id"), all, Typed::of_fields(&fields))?;
    let expected = fields.text("expected").parse().map_err(|_| Problem::NotFound)?;
    let (current, cookie) = match confirm::ask(&console, &visit, current.clone(), &fields).await? {
        Asked::Yes(current, cookie) => (current, cookie),
        Asked::No(confirm, status) => {
            return question(&console, &visit, &current, &wish, confirm, (status, None)).await;
        }
    };
    let (desk, act) = (console.desk(), current.act(&visit));
    let operated = if wish.all {
        let filter = wish.filter.meaning(&console, visit.now).await?.ok_or(Problem::NotFound)?;
        desk.operate_on_found(&act, wish.operation, &filter, Expected::AtMost(expected)).await
    } else {
        desk.operate_on(&act, wish.operation, &wish.ids).await
    };
    match operated {
        Ok(operated) => {
            console.flashes.say(current.signed_in.session.id, told(&operated, t));
            Ok((cookie, Redirect::to(&wish.filter.link(PATH))).into_response())
        }
        Err(Trouble::Unexpected { found, expected }) => {
            let refused = (StatusCode::CONFLICT, Some(t.it_has_grown(found, expected)));
            let confirm = ConfirmForm::default();
            let answer = question(&console, &visit, &current, &wish, confirm, refused).await?;
            Ok((cookie, answer).into_response())
        }
        Err(other) => Err(other.into()),
    }
}

/// What was done, and what was left.
fn told(operated: &Operated, t: Texts) -> String {
    let mut said = vec![t.done_to(operated.done.len())];
    if let Some(first) = operated.left.first() {
        said.push(t.left_as_they_are(operated.left.len()));
        said.push(plain(&first.to_string()));
    }
    if let Some(first) = operated.partly.first() {
        said.push(plain(&first.to_string()));
    }
    if operated.broken_off.is_some() {
        said.push(t.broken_off().to_owned());
    }
    said.join(" ")
}

impl Sample {
    fn of<R>(message: &view::Message<R>, recipients: impl std::fmt::Display, visit: &Visit) -> Self {
        let sender = if message.sender.is_empty() { "<>" } else { &message.sender };
        Self {
            name: plain(message.message_id.as_deref().unwrap_or(&message.id)),
            more: format!("{} → {}", plain(sender), visit.texts.to_recipients(recipients)),
        }
    }
}
