//! The names that are answered. To any other the answer is 421: a page of somebody else whose name leads here (DNS rebinding) gets nothing.

use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri, header};

use crate::settings::Settings;

/// What this machine is called by those who connect to it over loopback.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// The name that a request is for, with its port, if each name that it says is one of ours. The port is not looked at: a tunnel has another.
pub(crate) fn asked(
    uri: &Uri,
    headers: &HeaderMap,
    settings: &Settings,
    over_loopback: bool,
) -> Option<String> {
    let from_headers = headers.get_all(header::HOST).iter().map(|host| host.to_str().unwrap_or_default());
    let said: Vec<&str> = uri.authority().map(Authority::as_str).into_iter().chain(from_headers).collect();
    let first = said.first().map(|first| first.to_ascii_lowercase())?;
    said.iter().all(|host| is_ours(host, settings, over_loopback)).then_some(first)
}

fn is_ours(said: &str, settings: &Settings, over_loopback: bool) -> bool {
    let Ok(authority) = said.parse::<Authority>() else { return false };
    let is = |name: &str| authority.host().eq_ignore_ascii_case(name);
    let is_of_loopback = over_loopback && LOOPBACK.into_iter().any(is);
    !said.contains('@') && (is(settings.base_url.host()) || is(&settings.hostname) || is_of_loopback)
}

#[cfg(test)]
mod tests {
    use types::{Endpoint, SecondFactorRule};

    use super::*;

    fn taken(uri: &str, hosts: &[&str], over_loopback: bool) -> Option<String> {
        let settings = Settings {
            hostname: "smtp.example.org".to_owned(),
            base_url: Endpoint::parse("https://mail.example.org").unwrap(),
            organisation: String::new(),
            help: None,
            second_factor: SecondFactorRule::Optional,
            admin_needs_second_factor: true,
            page_rate: 120,
        };
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(header::HOST, host.parse().unwrap());
        }
        asked(&uri.parse().unwrap(), &headers, &settings, over_loopback)
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
}
