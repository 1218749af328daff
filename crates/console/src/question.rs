//! The page that asks before something is done that can't be taken back: what goes, what stays, whom it hits.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use types::Mailbox;

use crate::frame::{Frame, page};
use crate::problem::Problem;
use crate::session::confirm::ConfirmForm;

/// A question, and the form that answers it.
#[derive(Template)]
#[template(path = "question.html")]
pub(crate) struct Question {
    pub(crate) frame: Frame,
    /// Where it leads back to, and what that is called.
    pub(crate) back: (String, String),
    pub(crate) title: String,
    pub(crate) lead: &'static str,
    /// What else there is to know, a paragraph each.
    pub(crate) facts: Vec<String>,
    /// Some of what it is about.
    pub(crate) sample: Vec<Sample>,
    /// Why it was not done.
    pub(crate) refused: Option<String>,
    /// Where the answer is sent to.
    pub(crate) path: String,
    /// Fields of the form that are not shown.
    pub(crate) hidden: Vec<(String, String)>,
    pub(crate) boxes: Vec<TickBox>,
    /// Whether an address has to be typed: what is said of it.
    pub(crate) typed: Option<String>,
    pub(crate) confirm: ConfirmForm,
    pub(crate) button: String,
    pub(crate) keep: &'static str,
}

/// A box of the form: its name, what it says, and whether it has to be ticked.
pub(crate) type TickBox = (&'static str, String, bool);

/// One of what a question is about.
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) more: String,
}

/// The field that an address is typed into, before something is done to its account.
pub(crate) const TYPED: &str = "typed";

/// The box that has to be ticked before the last administrator is one no longer.
pub(crate) const LAST: &str = "last";

/// The box that has what is queued held.
pub(crate) const HOLD: &str = "hold";

impl Question {
    /// The page with this status.
    ///
    /// # Errors
    /// When it can't be made.
    pub(crate) fn with(&self, status: StatusCode) -> Result<Response, Problem> {
        Ok((status, page(self)?).into_response())
    }
}

/// Whether this is the address of the account, as somebody has typed it.
pub(crate) fn is_address(typed: &str, address: &Mailbox) -> bool {
    Mailbox::parse(typed).is_ok_and(|typed| typed.normal() == address.normal())
}
