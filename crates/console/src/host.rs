//! The names that are answered. To any other the answer is 421: a page of somebody else whose name leads here (DNS rebinding) gets nothing.

use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri, header};
use desk::ClientDiscovery;

use crate::settings::Settings;

/// What this machine is called by those who connect to it over loopback.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Under which names below a domain mail programs look for their settings.
const DISCOVERY: [&str; 2] = ["autoconfig.", "autodiscover."];

/// The names that are ours.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names<'a> {
    pub(crate) settings: &'a Settings,
    /// What mail programs find by themselves.
    pub(crate) discovery: Option<&'a ClientDiscovery>,
    /// Whether the connection does not leave this machine.
    pub(crate) over_loopback: bool,
}

impl Names<'_> {
    /// The name that a request is for, with its port, if each name that it says is one of ours. The port is not looked at: a tunnel has another.
    pub(crate) fn asked(&self, uri: &Uri, headers: &HeaderMap) -> Option<String> {
        let from_headers = headers.get_all(header::HOST).iter().map(|host| host.to_str().unwrap_or_default());
        let said: Vec<&str> =
            uri.authority().map(Authority::as_str).into_iter().chain(from_headers).collect();
        let first = said.first().map(|first| first.to_ascii_lowercase())?;
        said.iter().all(|host| self.are(host)).then_some(first)
    }

    /// The domain whose mail programs look for their settings under this name, if it is no name of pages.
    pub(crate) fn domain_of(&self, said: &str) -> Option<String> {
        let authority = said.parse::<Authority>().ok()?;
        (!self.has_pages(authority.host()))
            .then(|| self.domain(authority.host()).map(str::to_owned))
            .flatten()
    }

    /// Whether this is one of them.
    fn are(&self, said: &str) -> bool {
        let Ok(authority) = said.parse::<Authority>() else { return false };
        let host = authority.host();
        !said.contains('@') && (self.has_pages(host) || self.domain(host).is_some())
    }

    fn has_pages(&self, host: &str) -> bool {
        let is = |name: &str| host.eq_ignore_ascii_case(name);
        let is_of_loopback = self.over_loopback && LOOPBACK.into_iter().any(is);
        is(self.settings.base_url.host()) || is(&self.settings.hostname) || is_of_loopback
    }

    fn domain(&self, host: &str) -> Option<&str> {
        let host = host.to_ascii_lowercase();
        let below = DISCOVERY.into_iter().find_map(|label| host.strip_prefix(label))?;
        let domains = self.discovery.into_iter().flat_map(|discovery| &discovery.domains);
        domains.map(String::as_str).find(|domain| *domain == below)
    }
}

#[cfg(test)]
mod tests {
    use types::{Endpoint, IncomingServer, SecondFactorRule};

    use super::*;

    fn settings() -> Settings {
        Settings {
            hostname: "smtp.example.org".to_owned(),
            base_url: Endpoint::parse("https://mail.example.org").unwrap(),
            organisation: String::new(),
            help: None,
            second_factor: SecondFactorRule::Optional,
            page_rate: 120,
            api_rate: 600,
        }
    }

    fn discovery() -> ClientDiscovery {
        let incoming = IncomingServer::parse("imaps://imap.example.org").unwrap();
        let domains = vec!["example.org".to_owned(), "xn--bcher-kva.example".to_owned()];
        ClientDiscovery { domains, incoming, host: "mail.example.org".to_owned() }
    }

    fn taken(uri: &str, hosts: &[&str], over_loopback: bool) -> Option<String> {
        let (settings, discovery) = (settings(), discovery());
        let names = Names { settings: &settings, discovery: Some(&discovery), over_loopback };
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(header::HOST, host.parse().unwrap());
        }
        names.asked(&uri.parse().unwrap(), &headers)
    }

    #[test]
    fn only_our_own_names_are_answered_and_those_of_loopback_over_loopback_alone() {
        for host in ["mail.example.org", "MAIL.example.org:8443", "smtp.example.org"] {
            assert_eq!(taken("/", &[host], false), Some(host.to_ascii_lowercase()));
        }
        for host in LOOPBACK {
            assert!(taken("/", &[host], true).is_some() && taken("/", &[host], false).is_none(), "{host}");
        }
        for host in [
            "",
            "evil.test",
            "mail.example.org.evil.test",
            "evil@mail.example.org",
            "192.0.2.1",
            "mail.example.org.",
        ] {
            assert_eq!(taken("/", &[host], true), None, "{host}");
        }
        assert_eq!(taken("/", &[], true), None);
    }

    #[test]
    fn each_name_that_a_request_says_has_to_be_ours() {
        assert!(taken("https://mail.example.org/", &[], false).is_some());
        assert!(taken("https://mail.example.org/", &["mail.example.org"], false).is_some());
        assert_eq!(taken("https://mail.example.org/", &["evil.test"], false), None);
        assert_eq!(taken("http://evil.test/", &["mail.example.org"], false), None);
        assert_eq!(taken("/", &["mail.example.org", "evil.test"], false), None);
    }

    #[test]
    fn mail_programs_ask_under_names_below_their_domain() {
        let (settings, discovery) = (settings(), discovery());
        let names = Names { settings: &settings, discovery: Some(&discovery), over_loopback: false };
        for (host, domain) in [
            ("autoconfig.example.org", Some("example.org")),
            ("AutoDiscover.Example.ORG:443", Some("example.org")),
            ("autoconfig.xn--bcher-kva.example", Some("xn--bcher-kva.example")),
            ("mail.example.org", None),
            ("autoconfig.mail.example.org", None),
            ("autoconfig.evil.test", None),
            ("example.org", None),
        ] {
            assert_eq!(names.domain_of(host).as_deref(), domain, "{host}");
            assert_eq!(
                taken("/", &[host], false).is_some(),
                domain.is_some() || host == "mail.example.org",
                "{host}"
            );
        }
        let without = Names { discovery: None, ..names };
        assert!(!without.are("autoconfig.example.org"));
    }
}
