//! The site: every route with its right, and what happens to a request before its handler, and to an answer behind it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use axum::{Router, middleware};
use ipnet::IpNet;
use store::network_of;
use tokio::time::{Instant, timeout};
use tower::ServiceExt as _;
use types::WebPart;

use crate::api::codes;
use crate::api::failure::{Failure, PROBLEM_JSON};
use crate::channel::Channel;
use crate::clients::outlook;
use crate::console::Console;
use crate::gate::{Pattern, gate};
use crate::limits::{Places, Rate};
use crate::problem::Problem;
use crate::right::Route;
use crate::visit::Visit;
use crate::{cross_site, headers, problem_page};

/// How long a request may take, with all that the client has to send.
const REQUEST: Duration = Duration::from_secs(30);

/// What a page is, for browsers.
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// Every page, ready to be served.
#[derive(Debug)]
pub struct Site {
    pub(crate) console: Arc<Console>,
    pub(crate) places: Arc<Places>,
    router: Router,
    pages: Rate<IpNet>,
}

impl Site {
    /// These routes, each behind the check of its right.
    pub(crate) fn of(console: Arc<Console>, routes: impl Iterator<Item = &'static Route>) -> Self {
        let router = routes.fold(Router::new(), |router, route| {
            let gate = middleware::from_fn_with_state((Arc::clone(&console), route), gate);
            router.route(route.path, route.handler().route_layer(gate))
        });
        let router = router
            .fallback(async || Problem::NotFound)
            .method_not_allowed_fallback(async || Problem::MethodNotAllowed)
            .with_state(Arc::clone(&console));
        let pages = Rate::of_minute(console.settings.page_rate);
        Self { console, places: Arc::default(), router, pages }
    }

    /// The answer to a request.
    pub(crate) async fn answer(&self, mut request: Request, channel: &Channel) -> Response {
        let (begun, now) = (Instant::now(), (self.console.now)());
        let visit = Visit::of(channel, request.uri(), request.headers(), &self.console, now);
        let (method, is_api) = (request.method().clone(), is_api(request.uri().path()));
        outlook::in_one_case(&mut request);
        let answer = match self.see_fit(&request, &visit, begun) {
            Ok(()) => self.routed(request, &visit).await,
            Err(problem) => problem.into_response(),
        };
        let mut answer = match is_api {
            true => self.explained(answer, &visit),
            false => self.dressed(answer, &visit),
        };
        headers::add(answer.headers_mut(), channel.tls.is_some());
        let took = begun.elapsed();
        let (session, ip, status) = (visit.facts.id, visit.facts.peer.ip(), answer.status().as_u16());
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        // Never the path itself: it may be a link that lets somebody in.
        let Pattern(path) = answer.extensions().get().copied().unwrap_or(Pattern("-"));
        self.console.http.answered(path, &method, answer.status(), took);
        tracing::debug!(event = "web.request", %session, %ip, %method, path, status, duration_ms = ms, "{method} {path}: {status}");
        answer
    }

    /// Sees that a request is for us, from one of our pages if it changes something, and one of not too many.
    fn see_fit(&self, request: &Request, visit: &Visit, now: Instant) -> Result<(), Problem> {
        let host = visit.host.as_deref().ok_or(Problem::Misdirected)?;
        let path = request.uri().path();
        // The API counts by itself, and looks at no cookie, so that nobody's browser is made to do anything there.
        if is_api(path) && visit.is_served(WebPart::Api) && visit.discovery.is_none() {
            return Ok(());
        }
        if !is_asset(path) {
            let network = network_of(visit.facts.peer.ip());
            self.pages.count(network, now).map_err(|wait| Problem::TooMany { wait })?;
        }
        if is_api(path) {
            return Err(Problem::NotFound);
        }
        let is_harmless = is_safe(request.method()) || outlook::is_sent_by_programs(request.uri().path());
        match is_harmless || cross_site::is_from_here(request.headers(), host, visit.is_https) {
            true => Ok(()),
            false => Err(Problem::Forbidden),
        }
    }

    async fn routed(&self, mut request: Request, visit: &Visit) -> Response {
        request.extensions_mut().insert(visit.clone());
        match timeout(REQUEST, self.router.clone().oneshot(request)).await {
            Ok(Ok(answer)) => answer,
            Err(_) => Problem::TimedOut.into_response(),
        }
    }

    /// The answer, with a page where it is only known what went wrong.
    fn dressed(&self, answer: Response, visit: &Visit) -> Response {
        let Some(problem) = answer.extensions().get::<Problem>() else { return answer };
        if let Problem::Unavailable { error } = problem {
            tracing::error!(event = "web.unavailable", session = %visit.facts.id, error, "a page could not be served");
        }
        let page = problem_page::of(&self.console, visit, problem);
        let (mut parts, _) = answer.into_parts();
        parts.headers.remove(header::CONTENT_LENGTH);
        parts.headers.insert(header::CONTENT_TYPE, HTML);
        Response::from_parts(parts, Body::from(page))
    }

    /// The answer of the API, with problem details where it is only known what went wrong.
    fn explained(&self, answer: Response, visit: &Visit) -> Response {
        let Some(failure) = failure_of(&answer) else { return answer };
        if let Some(error) = failure.behind() {
            tracing::error!(event = "web.unavailable", session = %visit.facts.id, error, "a request could not be answered");
        }
        let body = failure.body(&self.console.settings.base_url, &visit.id());
        let (mut parts, _) = answer.into_parts();
        parts.headers.remove(header::CONTENT_LENGTH);
        parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        Response::from_parts(parts, body)
    }
}

/// Why a request to the API was not answered as it was meant to be.
fn failure_of(answer: &Response) -> Option<Failure> {
    let said = answer.extensions().get::<Failure>().cloned();
    let of_site = || answer.extensions().get::<Problem>().cloned().map(Failure::from);
    let by_status = || {
        let status = answer.status();
        let is_error = status.is_client_error() || status.is_server_error();
        is_error
            .then(|| Failure::new(codes::of_status(status), status.canonical_reason().unwrap_or("refused")))
    };
    said.or_else(of_site).or_else(by_status)
}

/// Methods that change nothing, whoever has a browser use them (RFC 9110 section 9.2.1).
fn is_safe(method: &Method) -> bool {
    *method == Method::GET || *method == Method::HEAD
}

fn is_api(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/")
}

fn is_asset(path: &str) -> bool {
    path.starts_with("/assets/")
}
