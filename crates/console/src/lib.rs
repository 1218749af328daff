//! HTTP: the pages for users and administrators, the metrics, and the health of the server.
//!
//! # The way of a request
//!
//! [`listen`](mod@listen) takes the connection in, [`connection`] speaks HTTP on it, [`Site`] sees whether the request is for us and
//! comes from one of our pages (`host`, `cross_site`, `limits`), `gate` checks the right of its route and the token of its form, and the
//! handler of the route answers, with a page or with a [`Problem`](problem::Problem). On its way back the answer gets its `headers`.
//! The modules below stand in this order.
//!
//! # How a page is made
//!
//! A module has what belongs to one page or a few: its routes, their handlers, the models of their templates, in this order.
//!
//! 1. **Routes** are a constant, `ROUTES`, which stands in [`ROUTES`] below, and in `routes.txt`. Each has its right; there is no other way to the router, so that none is
//!    without one. A GET changes nothing. What changes something is a form with a button, and a POST.
//! 2. **A handler** is an `async fn` that takes what it needs: `State(console): State<Arc<Console>>` (the desk and the judge), [`Visit`](visit::Visit)
//!    (who, from where, in which language, when), [`Fields`](fields::Fields) of a POST. It calls one use case of the desk, and answers
//!    `Result<Response, Problem>`; a `Trouble` of the desk that the page can't explain becomes a problem with `?`.
//! 3. **A template** lies in `templates/`, extends `outside.html` or `inside.html`, and is filled in from a struct that derives `Template` and has a
//!    [`Frame`](frame::Frame) as `frame`. It is made of views of the desk, and has no logic beyond what is shown when. Nothing inline: no
//!    `style=`, no `on…=`, no script.
//! 4. **A form** has the hidden field `csrf` with `frame.token(path)`, where `path` is where it is sent to. The fields are read and the token is
//!    checked before the handler runs. What is wrong with a field is told in the same form, with status 422 and what was typed, but no passwords.
//! 5. **Words** stand in `texts/english.rs`, each language in its file; a test says what is missing. Strangers' text is escaped by the template.
//!
//! A page that can't be made, such as when the store does not answer, is `Problem::Unavailable`: 503, with the request's identifier, and a line in the log.

use std::sync::Arc;

use right::Route;

mod settings;
mod recent;
mod http_counters;
mod watched;
mod console;

mod listen;
mod connection;
mod channel;
mod peer;
mod limits;

mod site;
mod visit;
mod host;
mod cross_site;
mod headers;

mod right;
mod gate;
mod fields;
mod session;
mod bearer;

mod texts;
mod menu;
mod frame;
mod list;
mod problem;
mod problem_page;

mod assets;
mod sign_in;
mod sign_out;
mod links;
mod enrol;
mod invited;
mod account;
mod admin;

mod label;
mod ends;
mod networks;
mod app_password_form;
mod question;
mod api;

mod messages;
mod limits_used;
mod lights;
mod metrics;
mod health;
mod set_up;
mod clients;

mod shown;

pub use console::Console;
pub use listen::{Listener, serve};
pub use settings::Settings;
pub use site::Site;
pub use watched::Watched;

/// Every route there is.
const ROUTES: &[&[Route]] = &[
    assets::ROUTES,
    sign_in::ROUTES,
    sign_out::ROUTES,
    enrol::ROUTES,
    invited::ROUTES,
    account::overview::ROUTES,
    account::messages::ROUTES,
    admin::overview::ROUTES,
    admin::incidents::ROUTES,
    admin::accounts::ROUTES,
    admin::invitation::ROUTES,
    admin::new_account::ROUTES,
    admin::account::show::ROUTES,
    admin::account::change::ROUTES,
    admin::account::access::ROUTES,
    admin::account::remove::ROUTES,
    admin::account::second_factor::ROUTES,
    admin::account::app_passwords::ROUTES,
    admin::account::identities::ROUTES,
    admin::account::limits::ROUTES,
    admin::queue::ROUTES,
    admin::queue_question::ROUTES,
    admin::messages::ROUTES,
    admin::locked_out::ROUTES,
    admin::limits::ROUTES,
    admin::audit::ROUTES,
    admin::audit::download::ROUTES,
    admin::health::ROUTES,
    admin::domains::ROUTES,
    admin::dkim::ROUTES,
    admin::webhooks::ROUTES,
    admin::new_webhook::ROUTES,
    account::app_passwords::ROUTES,
    account::new_app_password::ROUTES,
    account::apple_profile::ROUTES,
    account::devices::ROUTES,
    account::new_device::ROUTES,
    account::second_factor::ROUTES,
    account::password::ROUTES,
    account::sign_ins::ROUTES,
    account::was_that_you::ROUTES,
    account::sessions::ROUTES,
    account::tokens::ROUTES,
    account::new_token::ROUTES,
    account::certificates::ROUTES,
    account::settings::ROUTES,
    metrics::ROUTES,
    health::ROUTES,
    set_up::ROUTES,
    clients::mozilla::ROUTES,
    clients::outlook::ROUTES,
    api::problems::ROUTES,
    api::openapi::ROUTES,
    api::account::ROUTES,
    api::app_passwords::ROUTES,
    api::messages::ROUTES,
    api::accounts::ROUTES,
    api::account::ROUTES_OF_ANY,
    api::app_passwords::ROUTES_OF_ANY,
    api::identities::ROUTES,
    api::limits::ROUTES,
    api::queue::ROUTES,
    api::queue_actions::ROUTES,
    api::messages::ROUTES_OF_ANY,
    api::throttles::ROUTES,
    api::audit::ROUTES,
];

/// The document of the API (OpenAPI 3.1), in JSON with a line end.
#[must_use]
pub fn api_document() -> String {
    format!("{:#}\n", api::document::of(routes()))
}

/// Every route there is, with its right. `routes.txt` says which were meant.
fn routes() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().flat_map(|routes| routes.iter())
}

impl Site {
    /// Every page of this console.
    #[must_use]
    pub fn new(console: Arc<Console>) -> Self {
        Self::of(console, routes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_that_is_committed_is_that_of_the_routes() {
        let is_the_same = api_document() == include_str!("../../../docs/openapi.json");
        assert!(is_the_same, "write it anew: gatepost web describe > docs/openapi.json");
    }

    /// A route that nobody has decided about, or whose right has changed, stands out here.
    #[test]
    fn every_route_has_the_right_that_was_meant_for_it() {
        let meant = include_str!("../routes.txt").lines().filter(|line| !line.starts_with('#'));
        let found = routes().map(|route| format!("{route:?}"));
        assert_eq!(found.collect::<Vec<_>>(), meant.collect::<Vec<_>>());
    }
}
