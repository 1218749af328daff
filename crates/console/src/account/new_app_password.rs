//! A new app password of one's own.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use axum::routing::on;

use super::app_passwords::PATH;
use crate::app_password_form::{self, Whose};
use crate::console::Console;
use crate::fields::Fields;
use crate::frame::Frame;
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::current::Current;
use crate::visit::Visit;

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/account/app-passwords/new", Right::SignedIn, |method| on(method, show)),
    Route::post(PATH, Right::SignedIn, |method| on(method, make)),
];

fn own(current: &Current) -> Whose {
    Whose {
        account: current.signed_in.account.clone(),
        path: PATH.to_owned(),
        list: PATH.to_owned(),
        frame: |console, visit, current| Frame::inside(console, visit, current, PATH),
        is_own: true,
    }
}

async fn show(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
) -> Result<Response, Problem> {
    app_password_form::show(&console, &visit, &current, &own(&current)).await
}

async fn make(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    fields: Fields,
) -> Result<Response, Problem> {
    let whose = own(&current);
    app_password_form::make(&console, &visit, current, &whose, &fields).await
}
