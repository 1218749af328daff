//! The page of a problem.

use askama::Template;

use crate::console::Console;
use crate::frame::Frame;
use crate::problem::Problem;
use crate::visit::Visit;

#[derive(Template)]
#[template(path = "problem.html")]
struct Page {
    frame: Frame,
    title: &'static str,
    more: &'static str,
    /// By which the line of the log is found.
    request: String,
}

/// The page that tells of this problem; what can't be made says so in a line.
pub(crate) fn of(console: &Console, visit: &Visit, problem: &Problem) -> String {
    let (title, more) = problem.words(visit.texts);
    let page = Page { frame: Frame::outside(console, visit), title, more, request: visit.id() };
    page.render().unwrap_or_else(|_| format!("{}\n", problem.status()))
}
