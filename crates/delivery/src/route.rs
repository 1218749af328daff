//! Where each recipient's copy goes: the first route that matches, else the default.

use std::path::Path;

use store::Destination;
use types::{Domain, DomainPattern, ForwardPath, ReversePath, SenderPattern};

use crate::next_host::NextHost;
use crate::way::{Via, Way};

/// A way for some mail. Both lists must match, and an empty one matches all mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Any of these domains of a recipient.
    pub domains: Vec<DomainPattern>,
    /// Any of these senders in the envelope. The null reverse-path, of reports, is none of them.
    pub senders: Vec<SenderPattern>,
    /// Their way.
    pub way: Way,
}

/// Every way there is, and which recipient takes which.
#[derive(Debug, Clone)]
pub struct Routes {
    ways: Vec<(Destination, Way)>,
    rules: Vec<Rule>,
    default: usize,
    /// The domains that `Postmaster` without one may be of: this server's name, and the domain above it.
    own: Vec<String>,
}

/// A route, with the number of its way.
#[derive(Debug, Clone)]
struct Rule {
    domains: Vec<DomainPattern>,
    senders: Vec<SenderPattern>,
    way: usize,
}

impl Routes {
    /// The `routes` in the order in which they are tried, and what is taken if none matches.
    pub fn new(default: impl Into<Way>, routes: Vec<Route>) -> Routes {
        let mut ways = Vec::new();
        let rules = routes.into_iter().map(|Route { domains, senders, way }| Rule {
            domains,
            senders,
            way: place(&mut ways, way),
        });
        let rules = rules.collect();
        let default = place(&mut ways, default.into());
        Routes { ways, rules, default, own: Vec::new() }
    }

    /// The same for the server of this name. Mail for `Postmaster` without a domain is for whoever runs it (RFC 5321 section 4.5.1), and takes the
    /// route of that name, or of the domain above it.
    pub(crate) fn of_server(self, hostname: &str) -> Routes {
        let own = Domain::parse(hostname).map(|domain| domain.normal()).ok();
        let above = own.as_deref().and_then(|own| own.split_once('.')).map(|(_, above)| above.to_owned());
        Routes { own: own.into_iter().chain(above).collect(), ..self }
    }

    /// Whether the route of every one of these recipients is `hold`.
    pub(crate) fn hold<'p>(
        &self,
        from: &ReversePath,
        paths: impl IntoIterator<Item = &'p ForwardPath>,
    ) -> bool {
        paths.into_iter().all(|path| self.holds(from, path))
    }

    /// Whether the route of this recipient of mail from this sender is `hold`.
    pub fn holds(&self, from: &ReversePath, path: &ForwardPath) -> bool {
        matches!(self.taken(from, path), Some((_, Way { via: Via::Hold, .. })))
    }

    /// Every fixed host that mail may go to.
    pub fn hosts(&self) -> impl Iterator<Item = &NextHost> {
        self.ways.iter().filter_map(|(_, way)| match &way.via {
            Via::Relay(host) => Some(host),
            Via::Maildir(_) | Via::LmtpSocket(_) | Via::Mx(_) | Via::Hold => None,
        })
    }

    /// Every Unix socket behind which mail may go.
    pub fn sockets(&self) -> impl Iterator<Item = &Path> {
        self.ways.iter().filter_map(|(_, way)| match &way.via {
            Via::LmtpSocket(path) => Some(path.as_path()),
            Via::Maildir(_) | Via::Relay(_) | Via::Mx(_) | Via::Hold => None,
        })
    }

    /// Each way once, however many routes take it, with its destination: two routes to one host share its connections.
    pub(crate) fn ways(&self) -> impl Iterator<Item = (&Destination, &Way)> {
        self.ways.iter().map(|(destination, way)| (destination, way))
    }

    /// Where this recipient's copy of mail from this sender goes.
    pub(crate) fn destination(&self, from: &ReversePath, path: &ForwardPath) -> Destination {
        self.taken(from, path).map_or_else(Destination::unknown, |(destination, way)| match way.via {
            Via::Mx(_) => of_domain(destination, path),
            Via::Maildir(_) | Via::Relay(_) | Via::LmtpSocket(_) | Via::Hold => destination.clone(),
        })
    }

    /// The way if no route matches.
    pub(crate) fn default_way(&self) -> Option<&Way> {
        self.ways.get(self.default).map(|(_, way)| way)
    }

    fn taken(&self, from: &ReversePath, path: &ForwardPath) -> Option<&(Destination, Way)> {
        let number = if self.rules.is_empty() { self.default } else { self.number(from, path) };
        self.ways.get(number)
    }

    /// The number of the way. Domains are compared without regard to case, IDNs by their A-labels (RFC 5890); an address literal (RFC 5321
    /// section 4.1.3) is of no domain.
    fn number(&self, from: &ReversePath, path: &ForwardPath) -> usize {
        let rule = |domain: Option<&str>| self.rules.iter().find(|rule| rule.matches(from, domain));
        let found = match path.mailbox() {
            Some(mailbox) => rule(mailbox.host().domain().map(Domain::normal).as_deref()),
            None => self.own.iter().find_map(|own| rule(Some(own))).or_else(|| rule(None)),
        };
        found.map_or(self.default, |rule| rule.way)
    }
}

impl Rule {
    fn matches(&self, from: &ReversePath, domain: Option<&str>) -> bool {
        self.is_for(domain) && self.is_from(from)
    }

    fn is_for(&self, domain: Option<&str>) -> bool {
        self.domains.is_empty()
            || domain.is_some_and(|domain| self.domains.iter().any(|these| these.matches(domain)))
    }

    fn is_from(&self, sender: &ReversePath) -> bool {
        let matches = |sender| self.senders.iter().any(|these| these.matches(sender));
        self.senders.is_empty() || sender.mailbox().is_some_and(matches)
    }
}

/// Where a way leads that is another for each domain: `mx:example.org`, and `mx:[192.0.2.1]` for an address literal.
fn of_domain(way: &Destination, path: &ForwardPath) -> Destination {
    let host = path.mailbox().map(|mailbox| mailbox.host().normal());
    format!("{way}:{}", host.unwrap_or_default()).into()
}

/// The way of a destination of one domain.
pub(crate) fn way_of(destination: &Destination) -> Option<Destination> {
    destination.as_str().split_once(':').map(|(way, _)| way.into())
}

/// The place of `way` among the ways, where it is put unless it is there already. Ways that differ in what their text does not say, such as
/// how far TLS is demanded or when to try again, are numbered: each has its own deliveries.
fn place(ways: &mut Vec<(Destination, Way)>, way: Way) -> usize {
    ways.iter().position(|(_, placed)| *placed == way).unwrap_or_else(|| {
        let plain = way.via.destination();
        let others = ways.iter().filter(|(_, placed)| placed.via.destination() == plain).count();
        let destination = if others == 0 { plain } else { format!("{plain}#{}", others + 1).into() };
        ways.push((destination, way));
        ways.len() - 1
    })
}

#[cfg(test)]
mod tests {
    use esmtp::dialogue::Protocol;
    use types::HostTls;

    use super::*;

    fn path(address: &str) -> ForwardPath {
        ForwardPath::take(&format!("<{address}>")).unwrap().0
    }

    #[test]
    fn the_first_route_that_matches_is_taken() {
        let maildir = |name: &str| Via::Maildir(name.into());
        let route = |domains, via: Via| Route { domains, senders: Vec::new(), way: via.into() };
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
            assert_eq!(
                routes.destination(&ReversePath::Null, &path(address)),
                maildir(way).destination(),
                "{address}"
            );
        }
        assert_eq!(routes.ways().count(), 4);
    }

    #[test]
    fn ways_to_one_host_that_demand_different_things_are_two() {
        let host = |tls| NextHost {
            host: "mx.example".to_owned(),
            port: 25,
            protocol: Protocol::Smtp,
            implicit_tls: false,
            tls,
            tls_ca: Vec::new(),
            credentials: None,
        };
        let route = |name: &str, tls| Route {
            domains: vec![DomainPattern::Exactly(name.into())],
            senders: Vec::new(),
            way: Via::Relay(host(tls)).into(),
        };
        let routes = Routes::new(
            Via::Relay(host(HostTls::Verify)),
            vec![route("a.example", HostTls::Verify), route("b.example", HostTls::Opportunistic)],
        );
        let of = |address| routes.destination(&ReversePath::Null, &path(address));
        assert_eq!(of("u@a.example"), "smtp://mx.example:25".into());
        assert_eq!(of("u@b.example"), "smtp://mx.example:25#2".into());
        assert_eq!(of("u@c.example"), of("u@a.example"));
        let ways: Vec<_> =
            routes.ways().map(|(destination, way)| (destination.as_str(), way.via.clone())).collect();
        assert_eq!(ways.len(), 2);
        assert_eq!(ways[1], ("smtp://mx.example:25#2", Via::Relay(host(HostTls::Opportunistic))));
    }

    #[test]
    fn only_a_message_that_goes_nowhere_is_held() {
        let domains = vec![DomainPattern::Exactly("example.org".into())];
        let route = Route { domains, senders: Vec::new(), way: Via::Hold.into() };
        let routes = Routes::new(Via::Maildir("m".into()), vec![route]);
        assert!(routes.hold(&ReversePath::Null, [path("u@example.org")].iter()));
        assert!(!routes.hold(&ReversePath::Null, [path("u@example.org"), path("u@example.net")].iter()));
    }

    #[test]
    fn a_route_is_for_its_senders_and_its_domains_both() {
        let maildir = |name: &str| Via::Maildir(name.into());
        let route = |domains: &[&str], senders: &[&str], way: &str| Route {
            domains: domains.iter().map(|name| DomainPattern::parse(name).unwrap()).collect(),
            senders: senders.iter().map(|pattern| pattern.parse().unwrap()).collect(),
            way: maildir(way).into(),
        };
        let routes = Routes::new(
            maildir("rest"),
            vec![
                route(&["example.net"], &["*@brand.example"], "both"),
                route(&[], &["boss@example.org"], "boss"),
                route(&["example.net"], &[], "net"),
            ],
        );
        let table = [
            ("<a@brand.example>", "u@example.net", "both"),
            ("<a@BRAND.example>", "u@EXAMPLE.net", "both"),
            ("<a@brand.example>", "u@example.com", "rest"),
            ("<a@sub.brand.example>", "u@example.net", "net"),
            ("<Boss@example.org>", "u@example.net", "boss"),
            ("<boss@example.org>", "Postmaster", "boss"),
            ("<b@example.org>", "u@example.net", "net"),
            ("<>", "u@example.net", "net"),
            ("<>", "boss@example.org", "rest"),
        ];
        for (from, to, way) in table {
            let from = ReversePath::take(from).unwrap().0;
            assert_eq!(routes.destination(&from, &path(to)), maildir(way).destination(), "{from} {to}");
        }
    }

    #[test]
    fn postmaster_without_a_domain_takes_the_route_of_this_server_or_of_the_domain_above_it() {
        let maildir = |name: &str| Via::Maildir(name.into());
        let route = |name: &str| Route {
            domains: vec![DomainPattern::Exactly(name.into())],
            senders: Vec::new(),
            way: maildir(name).into(),
        };
        for (hostname, way) in [
            ("mail.example.org", "example.org"),
            ("MX.example.net", "mx.example.net"),
            ("mail.example.com", "rest"),
        ] {
            let routes = ["example.org", "example.net", "mx.example.net"].map(route).into();
            let routes = Routes::new(maildir("rest"), routes).of_server(hostname);
            let found = routes.destination(&ReversePath::Null, &path("Postmaster"));
            assert_eq!(found, maildir(way).destination(), "{hostname}");
        }
    }

    #[test]
    fn ways_to_one_host_that_try_again_at_other_times_are_two() {
        let patient = Way { connections: 1, ..Way::from(Via::Maildir("m".into())) };
        let route = Route {
            domains: vec![DomainPattern::Exactly("a.example".into())],
            senders: Vec::new(),
            way: patient.clone(),
        };
        let routes = Routes::new(Via::Maildir("m".into()), vec![route.clone(), route]);
        let ways: Vec<_> =
            routes.ways().map(|(destination, way)| (destination.as_str(), way.connections)).collect();
        assert_eq!(ways, [("maildir:m", 1), ("maildir:m#2", 20)]);
    }
}
