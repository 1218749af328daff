//! The profile for Apple's devices with an app password that was just made.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use axum::routing::on;

use crate::clients::apple;
use crate::console::Console;
use crate::fields::Fields;
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::current::Current;
use crate::visit::Visit;

/// Where the form is sent to.
pub(crate) const PATH: &str = "/account/app-passwords/profile";

pub(crate) const ROUTES: &[Route] = &[Route::post(PATH, Right::SignedIn, |method| on(method, download))];

async fn download(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    fields: Fields,
) -> Result<Response, Problem> {
    apple::download(&console, &visit, &current.signed_in.account, &fields).await
}
