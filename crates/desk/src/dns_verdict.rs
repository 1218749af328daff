//! Whether what the DNS has is what is wanted.

use std::net::IpAddr;

use ipnet::IpNet;
use types::IncomingProtocol;

use crate::view::DnsVerdict;

/// What a record is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Who may send mail of the domain.
    Spf,
    /// What a signature is verified with.
    Dkim,
    /// What becomes of mail that fails both.
    Dmarc,
    /// Where mail is handed in under TLS from the first octet.
    Submissions,
    /// Where it is handed in with STARTTLS.
    Submission,
    /// Where users read it.
    Incoming(IncomingProtocol),
    /// The host where Thunderbird and others find the settings for a mail program.
    Autoconfig,
    /// The host where Outlook and others find them.
    Autodiscover,
    /// The name of an address.
    Ptr,
}

impl Purpose {
    /// The purpose as it is written.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Purpose::Spf => "SPF",
            Purpose::Dkim => "DKIM",
            Purpose::Dmarc => "DMARC",
            Purpose::Submissions => "submissions",
            Purpose::Submission => "submission",
            Purpose::Incoming(protocol) => protocol.scheme(),
            Purpose::Autoconfig => "autoconfig",
            Purpose::Autodiscover => "autodiscover",
            Purpose::Ptr => "PTR",
        }
    }

    /// Whether a text is meant for this: a name has texts of all kinds.
    pub(crate) fn is_one(self, text: &str) -> bool {
        let version = text.split([' ', ';']).next().unwrap_or_default();
        match self {
            Purpose::Spf => version.eq_ignore_ascii_case("v=spf1"),
            Purpose::Dmarc => version == "v=DMARC1",
            Purpose::Dkim
            | Purpose::Submissions
            | Purpose::Submission
            | Purpose::Incoming(_)
            | Purpose::Autoconfig
            | Purpose::Autodiscover
            | Purpose::Ptr => true,
        }
    }

    /// Whether what is found may be right by the addresses of a host alone.
    pub(crate) fn hangs_on_addresses(self) -> bool {
        matches!(self, Purpose::Spf | Purpose::Autoconfig | Purpose::Autodiscover)
    }

    /// What is to be said of what was found, where `wanted` is wanted of a server with these addresses; of a name for the pages they are those
    /// of the pages.
    pub(crate) fn verdict(self, wanted: &str, found: &[String], addresses: &[IpAddr]) -> DnsVerdict {
        let same = |is_same: fn(&str, &str) -> bool| match found.iter().any(|found| is_same(wanted, found)) {
            true => DnsVerdict::Ok,
            false => DnsVerdict::Differs,
        };
        match (self, found) {
            (_, []) => DnsVerdict::Missing,
            (Purpose::Spf, [policy]) => spf(wanted, policy, addresses),
            // RFC 7208 section 4.5, RFC 7489 section 6.6.3: of several none counts.
            (Purpose::Spf | Purpose::Dmarc, [_, _, ..]) => DnsVerdict::Differs,
            // Which policy is the owner's to say.
            (Purpose::Dmarc, [_]) => DnsVerdict::Ok,
            (Purpose::Dkim, _) => same(is_same_key),
            (Purpose::Submissions | Purpose::Submission | Purpose::Incoming(_), _) => same(is_same_service),
            (Purpose::Autoconfig | Purpose::Autodiscover, _) => hosts(found, addresses),
            (Purpose::Ptr, _) => same(str::eq_ignore_ascii_case),
        }
    }
}

/// Whether a policy lets this server send (RFC 7208 section 5), as far as that is seen of the record alone.
fn spf(wanted: &str, policy: &str, addresses: &[IpAddr]) -> DnsVerdict {
    let own = wanted.split(' ').nth(1).unwrap_or_default();
    let terms = || policy.split(' ').skip(1).map(|term| term.trim_start_matches('+'));
    let names_it = |term: &str| term.eq_ignore_ascii_case(own) || covers(term, addresses);
    let asks_others = |term: &str| {
        let name = term.split([':', '=', '/']).next().unwrap_or_default();
        ["a", "mx", "include", "redirect", "exists", "ptr"]
            .iter()
            .any(|other| name.eq_ignore_ascii_case(other))
    };
    if terms().any(names_it) {
        DnsVerdict::Ok
    } else if terms().any(asks_others) {
        DnsVerdict::Unclear
    } else {
        DnsVerdict::Differs
    }
}

/// Whether each address that a name has is one of these: it may be an alias, or have them itself.
fn hosts(found: &[String], addresses: &[IpAddr]) -> DnsVerdict {
    let is_known = |found: &String| found.parse().is_ok_and(|found| addresses.contains(&found));
    if found.iter().all(is_known) { DnsVerdict::Ok } else { DnsVerdict::Differs }
}

/// Whether `ip4:` or `ip6:` has every address of its family that this server has, and there is one.
fn covers(term: &str, addresses: &[IpAddr]) -> bool {
    let Some((name, network)) = term.split_once(':') else { return false };
    let network = network.parse::<IpNet>().or_else(|_| network.parse::<IpAddr>().map(IpNet::from));
    let Ok(network) = network else { return false };
    let is_v4 = name.eq_ignore_ascii_case("ip4");
    let mut own = addresses.iter().filter(|address| address.is_ipv4() == is_v4).peekable();
    own.peek().is_some() && own.all(|address| network.contains(address))
}

/// The tags of a record are in any order, with any white space (RFC 6376 section 3.2): what counts is the key.
fn is_same_key(wanted: &str, found: &str) -> bool {
    let key = |record: &str| {
        let plain: String = record.chars().filter(|letter| !letter.is_whitespace()).collect();
        plain.split(';').find_map(|tag| tag.strip_prefix("p=").map(str::to_owned))
    };
    key(wanted).is_some_and(|wanted| Some(wanted) == key(found))
}

/// The host and its port; how it stands among others is the owner's to say.
fn is_same_service(wanted: &str, found: &str) -> bool {
    let place = |service: &str| service.split(' ').skip(2).map(str::to_ascii_lowercase).collect::<Vec<_>>();
    place(wanted) == place(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found_is_judged_by_what_it_is_for() {
        use DnsVerdict::{Differs, Missing, Ok, Unclear};
        let (spf, key) = ("v=spf1 a:mail.example.org ~all", "v=DKIM1; k=rsa; p=AAAA");
        let srv = "0 1 465 mail.example.org.";
        let table: [(Purpose, &str, &[&str], DnsVerdict); 27] = [
            (Purpose::Spf, spf, &[], Missing),
            (Purpose::Spf, spf, &["v=spf1 a:MAIL.example.org -all"], Ok),
            (Purpose::Spf, spf, &["v=spf1 +ip4:192.0.2.0/24 -all"], Ok),
            (Purpose::Spf, spf, &["v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all"], Ok),
            (Purpose::Spf, spf, &["v=spf1 ip4:198.51.100.1 -all"], Differs),
            (Purpose::Spf, spf, &["v=spf1 include:_spf.example.net -all"], Unclear),
            (Purpose::Spf, spf, &["v=spf1 mx -all"], Unclear),
            (Purpose::Spf, spf, &["v=spf1 -all"], Differs),
            (Purpose::Spf, spf, &[spf, spf], Differs),
            (Purpose::Dkim, key, &["p=AA AA;v=DKIM1"], Ok),
            (Purpose::Dkim, key, &["v=DKIM1; k=rsa; p=BBBB"], Differs),
            (Purpose::Dkim, key, &["v=DKIM1; p="], Differs),
            (Purpose::Dkim, key, &[], Missing),
            (Purpose::Dmarc, "", &["v=DMARC1; p=reject"], Ok),
            (Purpose::Dmarc, "", &["v=DMARC1; p=reject", "v=DMARC1; p=none"], Differs),
            (Purpose::Submissions, srv, &["10 5 465 Mail.Example.org."], Ok),
            (Purpose::Submissions, srv, &["0 1 587 mail.example.org."], Differs),
            (Purpose::Submission, srv, &["0 0 0 ."], Differs),
            (Purpose::Submission, srv, &[], Missing),
            (Purpose::Incoming(IncomingProtocol::Imaps), srv, &["0 1 465 mail.example.org."], Ok),
            (Purpose::Autoconfig, "mail.example.org.", &["192.0.2.1"], Ok),
            (Purpose::Autodiscover, "mail.example.org.", &["192.0.2.1", "2001:db8::1"], Ok),
            (Purpose::Autodiscover, "mail.example.org.", &["192.0.2.1", "198.51.100.1"], Differs),
            (Purpose::Autoconfig, "mail.example.org.", &[], Missing),
            (Purpose::Ptr, "mail.example.org.", &["other.example.", "MAIL.example.org."], Ok),
            (Purpose::Ptr, "mail.example.org.", &["other.example."], Differs),
            (Purpose::Ptr, "mail.example.org.", &[], Missing),
        ];
        let addresses = ["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()];
        for (purpose, wanted, found, verdict) in table {
            let found: Vec<String> = found.iter().map(ToString::to_string).collect();
            assert_eq!(purpose.verdict(wanted, &found, &addresses), verdict, "{purpose:?} {found:?}");
        }
    }

    #[test]
    fn texts_for_something_else_are_none() {
        assert!(Purpose::Spf.is_one("V=spf1 -all") && Purpose::Spf.is_one("v=spf1"));
        assert!(!Purpose::Spf.is_one("v=spf10 x") && !Purpose::Spf.is_one("google-site-verification=x"));
        assert!(Purpose::Dmarc.is_one("v=DMARC1;p=none") && !Purpose::Dmarc.is_one("v=spf1"));
    }
}
