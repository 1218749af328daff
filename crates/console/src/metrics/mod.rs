//! `/metrics`: what is counted, in the text format of Prometheus.
//!
//! Names and labels are a promise to whoever draws graphs and sets alarms: docs/metrics.md has them, and a test compares. Labels are
//! words of closed sets or names from the configuration, never what a stranger chose.

mod exposition;
mod process;
mod page;

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::on;

use crate::console::Console;
use crate::problem::Problem;
use crate::right::{Right, Route};

pub(crate) const ROUTES: &[Route] = &[Route::get("/metrics", Right::Metrics, |method| on(method, show))];

/// The version of the format (<https://prometheus.io/docs/instrumenting/exposition_formats/>).
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

async fn show(State(console): State<Arc<Console>>) -> Result<Response, Problem> {
    let page = page::of(&console).await.map_err(|error| Problem::unavailable(&error))?;
    Ok(([(CONTENT_TYPE, FORMAT)], page).into_response())
}
