//! Rights, and routes that can't be without one.

use std::fmt;
use std::sync::Arc;

use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter};
use types::{Scope, WebPart};

use crate::api::operation::Operation;
use crate::console::Console;

/// Who may ask for a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Right {
    /// Anyone, signed in or not.
    Anyone,
    /// Anyone, wherever there is a page that looks like something.
    Asset,
    /// Anyone, where the API is served: what its problems mean.
    Problem,
    /// Whoever comes with a link that sets up a device or an account. Its forms are tied to the browser that has opened it.
    Link,
    /// Whoever is signed in; others are led to do so.
    SignedIn,
    /// Administrators, with a second factor unless the configuration says that none is needed; to others there is no such page.
    Admin,
    /// Programs on this machine, where figures are served, and others with an API token for [`types::Scope::MetricsRead`].
    Metrics,
    /// Anyone, where the health of the server is served.
    Health,
    /// Mail programs and whoever sets one up, where that is served. Nobody is asked who they are, and nothing is changed, by POST neither: what
    /// programs send is no form.
    Clients,
    /// Programs with a token of this scope, where the API is served; administration is for administrators besides.
    Token(Scope),
    /// Programs with a token of both scopes.
    Tokens(Scope, Scope),
    /// Programs with a token, whatever it is for.
    AnyToken,
}

impl Right {
    /// The parts of which a listener has to serve one, for there to be such a page.
    ///
    /// What whoever is signed in may see is needed by administrators, too: they set up their second factor there. Where administration alone is
    /// served, the gate has it for nobody else.
    pub(crate) const fn served_by(self) -> &'static [WebPart] {
        match self {
            Self::Anyone | Self::SignedIn => &[WebPart::Account, WebPart::Admin],
            Self::Asset => &[WebPart::Account, WebPart::Admin, WebPart::Clients, WebPart::Api],
            Self::Link => &[WebPart::Account],
            Self::Admin => &[WebPart::Admin],
            Self::Metrics => &[WebPart::Metrics],
            Self::Health => &[WebPart::Health],
            Self::Clients => &[WebPart::Clients],
            Self::Problem | Self::Token(_) | Self::Tokens(..) | Self::AnyToken => &[WebPart::Api],
        }
    }
}

/// A way to ask for a page, and who may. Each module of pages has its own in a constant, and `lib.rs` has all.
pub(crate) struct Route {
    /// GET, which HEAD goes with, or POST; the API knows PATCH and DELETE, too.
    pub(crate) method: Method,
    /// The path, with names in curly brackets for what varies.
    pub(crate) path: &'static str,
    /// Who may.
    pub(crate) right: Right,
    /// What the document of the API says of it; pages stand in none.
    pub(crate) operation: Option<Operation>,
    handler: fn(MethodFilter) -> MethodRouter<Arc<Console>>,
}

impl Route {
    /// A page that is shown. The handler is written as `|method| on(method, show)`.
    pub(crate) const fn get(
        path: &'static str,
        right: Right,
        handler: fn(MethodFilter) -> MethodRouter<Arc<Console>>,
    ) -> Self {
        Self { method: Method::GET, path, right, operation: None, handler }
    }

    /// A form that is sent. The handler finds its fields in [`Fields`](crate::fields::Fields).
    pub(crate) const fn post(
        path: &'static str,
        right: Right,
        handler: fn(MethodFilter) -> MethodRouter<Arc<Console>>,
    ) -> Self {
        Self { method: Method::POST, path, right, operation: None, handler }
    }

    /// An operation of the API.
    pub(crate) const fn api(
        method: Method,
        path: &'static str,
        right: Right,
        handler: fn(MethodFilter) -> MethodRouter<Arc<Console>>,
        operation: Operation,
    ) -> Self {
        Self { method, path, right, operation: Some(operation), handler }
    }

    /// The handler, for the method of the route and no other.
    pub(crate) fn handler(&self) -> MethodRouter<Arc<Console>> {
        (self.handler)(MethodFilter::try_from(self.method.clone()).unwrap_or(MethodFilter::GET))
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {:?}", self.method, self.path, self.right)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_told_nothing_but_figures_finds_no_page_of_people() {
        let served = |part: WebPart| {
            let rights = [
                Right::Anyone,
                Right::Asset,
                Right::Problem,
                Right::Link,
                Right::SignedIn,
                Right::Admin,
                Right::Metrics,
                Right::Health,
                Right::Clients,
                Right::Token(Scope::AccountRead),
                Right::Tokens(Scope::MessagesRead, Scope::AccountsRead),
                Right::AnyToken,
            ];
            rights.into_iter().filter(|right| right.served_by().contains(&part)).collect::<Vec<_>>()
        };
        assert_eq!(served(WebPart::Metrics), [Right::Metrics]);
        assert_eq!(served(WebPart::Health), [Right::Health]);
        assert_eq!(served(WebPart::Clients), [Right::Asset, Right::Clients]);
        assert_eq!(served(WebPart::Admin), [Right::Anyone, Right::Asset, Right::SignedIn, Right::Admin]);
        assert_eq!(served(WebPart::Account), [Right::Anyone, Right::Asset, Right::Link, Right::SignedIn]);
        let of_api = served(WebPart::Api);
        assert!(of_api.len() == 5 && of_api.contains(&Right::AnyToken), "{of_api:?}");
    }
}
