//! `/problems/CODE`: what a problem of the API means, and what to do about it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Html;
use axum::routing::on;

use super::codes::{self, Kind};
use crate::console::Console;
use crate::frame::{Frame, page};
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::visit::Visit;

pub(crate) const ROUTES: &[Route] =
    &[Route::get("/problems/{code}", Right::Problem, |method| on(method, show))];

#[derive(Template)]
#[template(path = "api_problem.html")]
struct Page {
    frame: Frame,
    kind: &'static Kind,
}

async fn show(
    State(console): State<Arc<Console>>,
    visit: Visit,
    Path(code): Path<String>,
) -> Result<Html<String>, Problem> {
    let kind = codes::of(&code).ok_or(Problem::NotFound)?;
    page(&Page { frame: Frame::outside(&console, &visit), kind })
}
