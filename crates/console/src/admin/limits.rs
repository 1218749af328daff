//! The sending limits: those of all, and the accounts to look at.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Html;
use axum::routing::on;
use desk::{LimitsOf, view};
use store::{Limit, Limits, OwnLimits, Page as ListPage};

use super::account::path_of;
use crate::console::Console;
use crate::frame::{Frame, page};
use crate::limits_used::{Used, what};
use crate::list::{Query, ROWS, is_full};
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::current::Current;
use crate::visit::Visit;

pub(super) const PATH: &str = "/admin/limits";

pub(crate) const ROUTES: &[Route] = &[Route::get(PATH, Right::Admin, |method| on(method, list))];

/// So much of a limit is near to it, in hundredths.
const NEAR: u32 = 80;

#[derive(Template)]
#[template(path = "admin/sending_limits.html")]
struct Page {
    frame: Frame,
    /// What is limited, and at how many, for accounts that have none of their own.
    common: Vec<(&'static str, Option<u32>)>,
    /// Each choice by its name, what it is called, and whether it is looked at.
    which: Vec<(&'static str, &'static str, bool)>,
    rows: Vec<Row>,
    next: Option<String>,
}

struct Row {
    address: String,
    path: String,
    limits: Vec<Used>,
}

async fn list(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    query: Query,
) -> Result<Html<String>, Problem> {
    let t = visit.texts;
    let all = [
        ("near", t.near_a_limit(), LimitsOf::Used(NEAR)),
        ("reached", t.at_a_limit(), LimitsOf::Used(100)),
        ("own", t.with_limits_of_their_own(), LimitsOf::Own),
    ];
    let [first, ..] = all;
    let (chosen, _, which) =
        all.into_iter().find(|(name, ..)| query.get("which") == Some(name)).unwrap_or(first);
    let after = query.get("after").map(str::to_owned);
    let listed = console.desk().limited_accounts(which, ListPage { after, limit: ROWS }).await?;
    let common = Limits { common: console.desk().common_limits(), own: OwnLimits::default() };
    page(&Page {
        frame: Frame::of_administration(&console, &visit, &current, PATH),
        common: Limit::ALL.map(|limit| (what(limit, t), common.at_most(limit))).into(),
        which: all.map(|(name, words, _)| (name, words, name == chosen)).into(),
        rows: listed.items.iter().map(|one| Row::of(one, &visit)).collect(),
        next: listed.last.filter(|_| is_full(listed.items.len())).map(|last| query.next(PATH, &last)),
    })
}

impl Row {
    fn of(one: &view::LimitedAccount, visit: &Visit) -> Self {
        Self {
            address: one.address.clone(),
            path: format!("{}/limits", path_of(&one.address)),
            limits: Used::each(&one.sending, visit.texts),
        }
    }
}
