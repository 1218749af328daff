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
    /// The text that the queue keeps of it, if no other way has the same.
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
    ways: Vec<(Destination, Via)>,
    rules: Vec<(Vec<DomainPattern>, usize)>,
    default: usize,
}

impl Routes {
    /// The `routes` in the order in which they are tried, and what is taken if none matches.
    pub fn new(default: Via, routes: Vec<Route>) -> Routes {
        let mut ways = Vec::new();
        let rules = routes.into_iter().map(|route| (route.domains, place(&mut ways, route.via))).collect();
        let default = place(&mut ways, default);
        Routes { ways, rules, default }
    }

    /// Whether the route of every one of these recipients is `hold`.
    pub(crate) fn hold<'p>(&self, paths: impl IntoIterator<Item = &'p ForwardPath>) -> bool {
        paths.into_iter().all(|path| self.holds(path))
    }

    /// Whether the route of this recipient is `hold`.
    pub fn holds(&self, path: &ForwardPath) -> bool {
        matches!(self.ways.get(self.way(path)), Some((_, Via::Hold)))
    }

    /// Every fixed host that mail may go to.
    pub fn hosts(&self) -> impl Iterator<Item = &NextHost> {
        self.ways.iter().filter_map(|(_, via)| match via {
            Via::Relay(host) => Some(host),
            Via::Maildir(_) | Via::Hold => None,
        })
    }

    /// Each way once, however many routes take it, with its destination: two routes to one host share its connections.
    pub(crate) fn ways(&self) -> impl Iterator<Item = (&Destination, &Via)> {
        self.ways.iter().map(|(destination, via)| (destination, via))
    }

    /// Where this recipient's copy goes.
    pub(crate) fn destination(&self, path: &ForwardPath) -> Option<&Destination> {
        self.ways.get(self.way(path)).map(|(destination, _)| destination)
    }

    /// The number of the way that this recipient takes. Domains are compared without regard to case, IDNs by their A-labels (RFC 5890); an
    /// address literal (RFC 5321 section 4.1.3) and `Postmaster` without a domain (section 4.5.1) match no domain.
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

/// The place of `via` among the ways, where it is put unless it is there already. Ways that differ in what their text does not say, such as
/// how far TLS is demanded, are numbered: each has its own lane and connections.
fn place(ways: &mut Vec<(Destination, Via)>, via: Via) -> usize {
    ways.iter().position(|(_, way)| *way == via).unwrap_or_else(|| {
        let plain = via.destination();
        let others = ways.iter().filter(|(_, way)| way.destination() == plain).count();
        let destination = if others == 0 { plain } else { format!("{plain}#{}", others + 1).into() };
        ways.push((destination, via));
        ways.len() - 1
    })
}

#[cfg(test)]
mod tests {
    use types::HostTls;

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
    fn ways_to_one_host_that_demand_different_things_are_two() {
        let host = |tls| NextHost {
            host: "mx.example".to_owned(),
            port: 25,
            implicit_tls: false,
            tls,
            tls_ca: Vec::new(),
            credentials: None,
        };
        let route = |name: &str, tls| Route {
            domains: vec![DomainPattern::Exactly(name.into())],
            via: Via::Relay(host(tls)),
        };
        let routes = Routes::new(
            Via::Relay(host(HostTls::Verify)),
            vec![route("a.example", HostTls::Verify), route("b.example", HostTls::Opportunistic)],
        );
        let of = |address| routes.destination(&path(address)).map(Destination::as_str);
        assert_eq!(of("u@a.example"), Some("smtp://mx.example:25"));
        assert_eq!(of("u@b.example"), Some("smtp://mx.example:25#2"));
        assert_eq!(of("u@c.example"), of("u@a.example"));
        let ways: Vec<_> =
            routes.ways().map(|(destination, via)| (destination.as_str(), via.clone())).collect();
        assert_eq!(ways.len(), 2);
        assert_eq!(ways[1], ("smtp://mx.example:25#2", Via::Relay(host(HostTls::Opportunistic))));
    }

    #[test]
    fn only_a_message_that_goes_nowhere_is_held() {
        let route = Route { domains: vec![DomainPattern::Exactly("example.org".into())], via: Via::Hold };
        let routes = Routes::new(Via::Maildir("m".into()), vec![route]);
        assert!(routes.hold([path("u@example.org")].iter()));
        assert!(!routes.hold([path("u@example.org"), path("u@example.net")].iter()));
    }
}
