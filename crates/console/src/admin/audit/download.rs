//! The audit trail as a file: all that the filter lets through, page by page, so that it is never in memory as a whole.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use axum::routing::on;
use desk::{Desk, Trouble, view};
use futures_util::stream;
use store::{AuditFilter, AuditPlace, Page};

use super::{CSV, JSON, meaning};
use crate::console::Console;
use crate::list::Query;
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::visit::Visit;

pub(crate) const ROUTES: &[Route] = &[
    Route::get(CSV, Right::Admin, |method| on(method, csv)),
    Route::get(JSON, Right::Admin, |method| on(method, json)),
];

/// Entries that are read at a time.
const TOGETHER: u32 = 500;

/// What a file is written in.
#[derive(Clone, Copy)]
enum Form {
    Csv,
    Json,
}

async fn csv(State(console): State<Arc<Console>>, visit: Visit, query: Query) -> Result<Response, Problem> {
    file(&console, &visit, &query, Form::Csv)
}

async fn json(State(console): State<Arc<Console>>, visit: Visit, query: Query) -> Result<Response, Problem> {
    file(&console, &visit, &query, Form::Json)
}

fn file(console: &Console, visit: &Visit, query: &Query, form: Form) -> Result<Response, Problem> {
    let filter = meaning(query, visit.now).ok_or(Problem::NotFound)?;
    let begun = Writing { desk: console.desk(), filter, form, place: Place::Head };
    let (kind, name) = match form {
        Form::Csv => ("text/csv; charset=utf-8; header=present", "audit.csv"),
        Form::Json => ("application/json", "audit.json"),
    };
    let disposition = format!("attachment; filename=\"{name}\"");
    let body = Body::from_stream(stream::try_unfold(begun, Writing::next));
    Ok(([(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, disposition)], body).into_response())
}

/// How far a file is written.
struct Writing {
    desk: Arc<Desk>,
    filter: AuditFilter,
    form: Form,
    place: Place,
}

enum Place {
    Head,
    /// Behind this entry.
    Behind(AuditPlace),
    End,
}

impl Writing {
    /// The next piece of the file; `None` behind its end.
    async fn next(self) -> Result<Option<(String, Self)>, Trouble> {
        let (mut text, after) = match self.place {
            Place::Head => (self.form.head(), None),
            Place::Behind(place) => (String::new(), Some(place)),
            Place::End => return Ok(None),
        };
        let is_first = after.is_none();
        let page = self.desk.audit(&self.filter, Page { after, limit: TOGETHER }).await?;
        for (number, entry) in page.items.iter().enumerate() {
            self.form.write(&mut text, entry, is_first && number == 0);
        }
        let place = page.last.map_or(Place::End, Place::Behind);
        if matches!(place, Place::End) {
            text.push_str(self.form.foot());
        }
        Ok(Some((text, Self { place, ..self })))
    }
}

const HEADING: [&str; 14] = [
    "time",
    "first_time",
    "action",
    "result",
    "reason",
    "account",
    "credential",
    "mechanism",
    "scope",
    "ip",
    "session",
    "actor",
    "via",
    "count",
];

impl Form {
    fn head(self) -> String {
        match self {
            Form::Csv => line(HEADING.map(str::to_owned)),
            Form::Json => "[\n".to_owned(),
        }
    }

    fn write(self, text: &mut String, entry: &view::AuditEntry, is_first: bool) {
        match self {
            Form::Csv => text.push_str(&line(cells(entry))),
            Form::Json => {
                text.push_str(if is_first { "" } else { ",\n" });
                text.push_str(&serde_json::to_string(entry).unwrap_or_default());
            }
        }
    }

    fn foot(self) -> &'static str {
        match self {
            Form::Csv => "",
            Form::Json => "\n]\n",
        }
    }
}

fn cells(entry: &view::AuditEntry) -> [String; 14] {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    [
        entry.time.to_string(),
        entry.first_time.to_string(),
        entry.action.to_owned(),
        entry.result.to_owned(),
        entry.reason.clone(),
        text(&entry.account),
        text(&entry.credential),
        text(&entry.mechanism),
        text(&entry.scope),
        entry.ip.map(|ip| ip.to_string()).unwrap_or_default(),
        text(&entry.session),
        text(&entry.actor),
        entry.via.unwrap_or_default().to_owned(),
        entry.count.to_string(),
    ]
}

/// A line of the file (RFC 4180).
fn line(cells: [String; 14]) -> String {
    format!("{}\r\n", cells.map(|text| cell(&text)).join(","))
}

/// A cell, in quotes. What strangers wrote is no formula: spreadsheets take what begins so for one.
fn cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let mark = if is_formula { "'" } else { "" };
    format!("\"{mark}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_what_was_written_and_never_a_formula() {
        for (text, expected) in [
            ("alice@example.org", "\"alice@example.org\""),
            ("a \"b\", c\r\nd", "\"a \"\"b\"\", c\r\nd\""),
            ("=cmd|' /C calc'!A1", "\"'=cmd|' /C calc'!A1\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("@SUM(1)", "\"'@SUM(1)\""),
            ("\t=1", "\"'\t=1\""),
            ("", "\"\""),
        ] {
            assert_eq!(cell(text), expected);
        }
    }
}
