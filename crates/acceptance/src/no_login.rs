//! Mail without a login (`auth.optional`), for machines that can't log in: where from, in whose name, and where to.
//!
//! Such a machine connects by itself. A client that a proxy speaks for is known by the proxy's word alone, and has to log in.

use std::fmt;
use std::net::IpAddr;

use esmtp::{Rejection, SenderAllowed};
use ipnet::IpNet;
use message::{Authors, Header};
use types::{DomainPattern, ForwardPath, Host, Mailbox, ReversePath, SenderPattern, SessionFacts};

use crate::sender::{self, Judged, Writing};

/// What machines may hand in without a login. The default is nothing.
#[derive(Debug, Clone, Default)]
pub struct NoLogin {
    /// Where they connect from.
    pub networks: Vec<IpNet>,
    /// In whose name they send.
    pub senders: Vec<SenderPattern>,
    /// Where their mail may go.
    pub domains: Vec<DomainPattern>,
}

/// A machine that hands in mail and has not logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Machine(IpAddr);

impl Machine {
    pub(crate) fn address(self) -> IpAddr {
        self.0
    }
}

/// As it stands in the queue and in the log where an account would stand: no address of mail looks like it.
impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "relay:{}", self.0)
    }
}

impl NoLogin {
    /// The client, if it need not log in.
    pub(crate) fn machine(&self, session: &SessionFacts) -> Option<Machine> {
        let machine = Machine(session.peer.ip().to_canonical());
        (session.proxy.is_none() && self.knows(machine)).then_some(machine)
    }

    /// Whether the machine may send, and in this name. The null reverse-path is nobody's, and what a machine sends
    /// should not bounce to nobody.
    ///
    /// # Errors
    /// [`Rejection::LoginRequired`] or [`Rejection::SenderNotOwned`].
    pub(crate) fn may_send(&self, machine: Machine, path: &ReversePath) -> Result<SenderAllowed, Rejection> {
        self.still_knows(machine)?;
        match path {
            ReversePath::Mailbox(mailbox) if self.is_sender(mailbox) => Ok(SenderAllowed::after_check()),
            ReversePath::Mailbox(_) | ReversePath::Null => Err(Rejection::SenderNotOwned(path.clone())),
        }
    }

    /// Whether mail of the machine may go to this recipient. The postmaster of this server has no domain.
    ///
    /// # Errors
    /// [`Rejection::LoginRequired`] or [`Rejection::RelayDenied`].
    pub(crate) fn may_reach(&self, machine: Machine, path: &ForwardPath) -> Result<(), Rejection> {
        self.still_knows(machine)?;
        let Some(Host::Domain(domain)) = path.mailbox().map(Mailbox::host) else {
            return Err(Rejection::RelayDenied);
        };
        let domain = domain.normal();
        let reached = self.domains.iter().any(|domains| domains.matches(&domain));
        if reached { Ok(()) } else { Err(Rejection::RelayDenied) }
    }

    /// Whether every author that the header names is one that the machine may name.
    ///
    /// # Errors
    /// [`Rejection::LoginRequired`], [`Rejection::FromNotOwned`] or [`Rejection::AuthorsUnclear`].
    pub(crate) fn may_write<'h>(
        &self,
        machine: Machine,
        header: &Header<'h>,
        writing: Writing<'_>,
    ) -> Result<Judged<'h>, Rejection> {
        self.still_knows(machine)?;
        let authors = Authors::read(header, writing.patient).map_err(sender::unclear)?;
        let foreign = writing.speakers(&authors).find(|(_, mailbox)| !self.is_sender(mailbox));
        if let Some((field, address)) = foreign {
            return Err(Rejection::FromNotOwned { field, address: address.clone() });
        }
        let own = authors.in_names().filter(|mailbox| self.is_sender(mailbox)).collect();
        Ok(Judged { authors: Some(authors), own, as_any: false })
    }

    /// What was allowed when the session began may be allowed no longer.
    ///
    /// # Errors
    /// [`Rejection::LoginRequired`].
    pub(crate) fn still_knows(&self, machine: Machine) -> Result<(), Rejection> {
        if self.knows(machine) { Ok(()) } else { Err(Rejection::LoginRequired) }
    }

    fn knows(&self, Machine(address): Machine) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }

    fn is_sender(&self, mailbox: &Mailbox) -> bool {
        self.senders.iter().any(|sender| sender.matches(mailbox))
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use types::{Domain, SessionId};

    use super::*;

    fn domain(name: &str) -> Domain {
        Domain::parse(name).unwrap()
    }

    fn no_login() -> NoLogin {
        NoLogin {
            networks: ["192.0.2.0/28", "2001:db8::/32"].map(|network| network.parse().unwrap()).into(),
            senders: ["Printer@example.org", "*@scan.example"].map(|sender| sender.parse().unwrap()).into(),
            domains: vec![
                DomainPattern::Exactly(domain("example.org").normal()),
                DomainPattern::Below(domain("example.net").normal()),
                DomainPattern::Exactly(domain("b\u{fc}cher.example").normal()),
            ],
        }
    }

    fn session(peer: &str) -> SessionFacts {
        let here = SocketAddr::from(([127, 0, 0, 1], 587));
        SessionFacts::new(SessionId::new([0; 8]), SocketAddr::new(peer.parse().unwrap(), 40_000), here)
    }

    fn printer() -> Machine {
        no_login().machine(&session("192.0.2.7")).unwrap()
    }

    #[test]
    fn who_connects_from_its_networks_is_known() {
        for known in ["192.0.2.0", "192.0.2.15", "::ffff:192.0.2.7", "2001:db8::9"] {
            assert!(no_login().machine(&session(known)).is_some(), "{known}");
        }
        for unknown in ["192.0.2.16", "127.0.0.1", "::1", "2001:db9::9"] {
            assert_eq!(no_login().machine(&session(unknown)), None, "{unknown}");
        }
        assert_eq!(NoLogin::default().machine(&session("192.0.2.7")), None);
        assert_eq!(printer().to_string(), "relay:192.0.2.7");
    }

    #[test]
    fn whom_a_proxy_speaks_for_is_not() {
        let mut proxied = session("192.0.2.7");
        proxied.proxy = Some(session("192.0.2.1").peer);
        assert_eq!(no_login().machine(&proxied), None);
    }

    #[test]
    fn it_sends_in_its_names_alone() {
        let may_send = |path: &str| no_login().may_send(printer(), &ReversePath::take(path).unwrap().0);
        for own in ["<printer@example.org>", "<PRINTER@Example.org>", "<any@scan.example>"] {
            assert!(may_send(own).is_ok(), "{own}");
        }
        for foreign in ["<>", "<ann@example.org>", "<printer+x@example.org>", "<any@sub.scan.example>"] {
            let path = ReversePath::take(foreign).unwrap().0;
            assert_eq!(may_send(foreign).unwrap_err(), Rejection::SenderNotOwned(path));
        }
    }

    #[test]
    fn it_writes_in_its_names_alone() {
        let may_write = |header: &str| {
            let (reverse_path, header) = (ReversePath::Null, Header::parse(header.as_bytes()).unwrap());
            let writing = Writing { reverse_path: &reverse_path, added: None, patient: true };
            no_login().may_write(printer(), &header, writing).map(drop)
        };
        assert_eq!(
            may_write("From: Printer <printer@example.org>\r\nSender: a@scan.example\r\n\r\n"),
            Ok(())
        );
        let ann =
            |field| Rejection::FromNotOwned { field, address: Mailbox::parse("ann@example.org").unwrap() };
        for (foreign, field) in [
            ("From: ann@example.org\r\n\r\n", "From"),
            ("From: printer@example.org, ann@example.org\r\n\r\n", "From"),
            ("From: printer@example.org\r\nSender: ann@example.org\r\n\r\n", "Sender"),
        ] {
            assert_eq!(may_write(foreign), Err(ann(field)), "{foreign}");
        }
        assert!(matches!(may_write("From: x@\r\n\r\n"), Err(Rejection::AuthorsUnclear(_))));
    }

    #[test]
    fn it_reaches_its_domains_alone() {
        let may_reach = |path: &str| no_login().may_reach(printer(), &ForwardPath::take(path).unwrap().0);
        for own in ["<a@example.org>", "<a@EXAMPLE.org>", "<a@x.example.net>", "<a@xn--bcher-kva.example>"] {
            assert_eq!(may_reach(own), Ok(()), "{own}");
        }
        for foreign in [
            "<a@example.net>",
            "<a@x.example.org>",
            "<a@evilexample.org>",
            "<a@example.org.evil.test>",
            "<a@[192.0.2.1]>",
            "<\"a@example.org\"@evil.test>",
            "<a%evil.test@evil.example.com>",
            "<postmaster>",
        ] {
            assert_eq!(may_reach(foreign), Err(Rejection::RelayDenied), "{foreign}");
        }
    }

    #[test]
    fn what_is_taken_away_is_gone_at_the_next_command() {
        let gone = NoLogin::default();
        let path = ReversePath::take("<printer@example.org>").unwrap().0;
        assert_eq!(gone.may_send(printer(), &path).unwrap_err(), Rejection::LoginRequired);
        let path = ForwardPath::take("<a@example.org>").unwrap().0;
        assert_eq!(gone.may_reach(printer(), &path), Err(Rejection::LoginRequired));
    }
}
