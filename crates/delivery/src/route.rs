//! Where each recipient's copy goes: the first route whose domains match, else the default.

use std::path::PathBuf;

use store::Destination;
use types::{DomainPattern, ForwardPath, Host};

use crate::next_host::NextHost;

/// A way for mail to leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    /// Files in this directory.
    Maildir(PathBuf),
    /// A fixed host.
    Relay(NextHost),
    /// None, until an operator releases it.
    Hold,
}

impl Via {
    /// The text that the queue keeps of it. Ways to one host are the same if they log in as the same user.
    fn destination(&self) -> Destination {
        match self {
            Via::Maildir(path) => format!("maildir:{}", path.display()).into(),
            Via::Relay(host) => {
                let scheme = if host.implicit_tls { "smtps" } else { "smtp" };
                let user = host.credentials.as_ref().map(|login| format!("{}@", login.username));
                format!("{scheme}://{}{}:{}", user.unwrap_or_default(), host.host, host.port).into()
            }
            Via::Hold => "hold".into(),
        }
    }
}

/// A way for some domains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Any of these.
    pub domains: Vec<DomainPattern>,
    /// Their way.
    pub via: Via,
}

/// Every way there is, and which recipient takes which.
#[derive(Debug, Clone)]
pub struct Routes {
    ways: Vec<Via>,
    /// Of each way.
    destinations: Vec<Destination>,
    rules: Vec<(Vec<DomainPattern>, usize)>,
    default: usize,
}

impl Routes {
    /// The `routes` in the order in which they are tried, and what is taken if none matches.
    pub fn new(default: Via, routes: Vec<Route>) -> Routes {
        let mut ways = Vec::new();
        let rules = routes.into_iter().map(|route| (route.domains, place(&mut ways, route.via))).collect();
        let default = place(&mut ways, default);
        let destinations = ways.iter().map(Via::destination).collect();
        Routes { ways, destinations, rules, default }
    }

    /// Whether the route of every one of these recipients is `hold`.
    pub(crate) fn hold<'p>(&self, paths: impl IntoIterator<Item = &'p ForwardPath>) -> bool {
        paths.into_iter().all(|path| self.holds(path))
    }

    /// Whether the route of this recipient is `hold`.
    pub fn holds(&self, path: &ForwardPath) -> bool {
        self.ways.get(self.way(path)) == Some(&Via::Hold)
    }

    /// Every fixed host that mail may go to.
    pub fn hosts(&self) -> impl Iterator<Item = &NextHost> {
        self.ways.iter().filter_map(|via| match via {
            Via::Relay(host) => Some(host),
            Via::Maildir(_) | Via::Hold => None,
        })
    }

    /// Each way once, however many routes take it, with its destination: two routes to one host share its connections.
    pub(crate) fn ways(&self) -> impl Iterator<Item = (&Destination, &Via)> {
        self.destinations.iter().zip(&self.ways)
    }

    /// Where this recipient's copy goes.
    pub(crate) fn destination(&self, path: &ForwardPath) -> Option<&Destination> {
        self.destinations.get(self.way(path))
    }

    /// The number of the way that this recipient takes.
    fn way(&self, path: &ForwardPath) -> usize {
        if self.rules.is_empty() {
            return self.default;
        }
        let Some(Host::Domain(domain)) = path.mailbox().map(|mailbox| mailbox.host()) else {
            return self.default;
        };
        let domain = domain.normal();
        let rule = self.rules.iter().find(|(domains, _)| domains.iter().any(|these| these.matches(&domain)));
        rule.map_or(self.default, |(_, way)| *way)
    }
}

/// The place of `via` among the ways, where it is put unless it is there already.
fn place(ways: &mut Vec<Via>, via: Via) -> usize {
    ways.iter().position(|way| *way == via).unwrap_or_else(|| {
        ways.push(via);
        ways.len() - 1
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(address: &str) -> ForwardPath {
        ForwardPath::take(&format!("<{address}>")).unwrap().0
    }

    #[test]
    fn the_first_route_that_matches_is_taken() {
        let maildir = |name: &str| Via::Maildir(name.into());
        let route = |domains, via| Route { domains, via };
        let exactly = |name: &str| DomainPattern::Exactly(name.into());
        let routes = Routes::new(
            maildir("rest"),
            vec![
                route(vec![exactly("example.org"), exactly("example.net")], maildir("one")),
                route(vec![DomainPattern::Below("example.org".into())], maildir("two")),
                route(vec![exactly("a.example.org")], maildir("never")),
                route(vec![exactly("xn--bcher-kva.example")], maildir("one")),
            ],
        );
        let table = [
            ("u@example.org", "one"),
            ("u@EXAMPLE.ORG", "one"),
            ("u@example.net", "one"),
            ("u@a.example.org", "two"),
            ("u@b.a.example.org", "two"),
            ("u@notexample.org", "rest"),
            ("u@example.com", "rest"),
            ("u@[192.0.2.1]", "rest"),
            ("Postmaster", "rest"),
            ("u@bücher.example", "one"),
        ];
        for (address, way) in table {
            assert_eq!(routes.destination(&path(address)), Some(&maildir(way).destination()), "{address}");
        }
        assert_eq!(routes.ways().count(), 4);
    }

    #[test]
    fn only_a_message_that_goes_nowhere_is_held() {
        let route = Route { domains: vec![DomainPattern::Exactly("example.org".into())], via: Via::Hold };
        let routes = Routes::new(Via::Maildir("m".into()), vec![route]);
        assert!(routes.hold([path("u@example.org")].iter()));
        assert!(!routes.hold([path("u@example.org"), path("u@example.net")].iter()));
    }
}
