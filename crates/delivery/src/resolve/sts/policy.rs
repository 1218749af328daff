//! What a domain says of its mail hosts (RFC 8461 section 3.2).

use std::time::Duration;

use types::Domain;

/// The longest that a policy is kept, whatever it says: a year and a day (RFC 8461 section 3.2).
const LONGEST: u64 = 31_557_600;
/// Mail hosts that a policy may name. Those of large providers have ten.
const HOSTS: usize = 1_000;

/// A policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) mode: Mode,
    hosts: Vec<HostPattern>,
    /// How long it is in force.
    pub(crate) max_age: Duration,
    /// The file as it was fetched.
    pub(crate) text: String,
}

/// What becomes of mail that can't be sent as the policy demands (RFC 8461 section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It waits.
    Enforce,
    /// It is sent, and its domain hears of it by TLS-RPT.
    Testing,
    /// The domain has no policy any more.
    None,
}

/// Which hosts are meant: one, or all whose names have one label more than this.
#[derive(Debug, Clone, PartialEq, Eq)]
enum HostPattern {
    Exact(String),
    OneMore(String),
}

/// Why a file is no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PolicyError {
    #[error("it is not text in UTF-8")]
    NotText,
    #[error("its line {0:?} is none of the form `key: value`")]
    Line(String),
    #[error("it has no {0}")]
    Missing(&'static str),
    #[error("its {key} is {value:?}")]
    Value { key: &'static str, value: String },
    #[error("it names more than {HOSTS} mail hosts")]
    TooManyHosts,
}

impl Policy {
    /// Reads a policy file. Of what may stand once the first counts, and keys that are not known are passed over.
    ///
    /// # Errors
    /// [`PolicyError`]: then the domain has no policy.
    pub(crate) fn parse(file: &[u8]) -> Result<Policy, PolicyError> {
        let text = std::str::from_utf8(file).map_err(|_| PolicyError::NotText)?;
        let fields = text.lines().filter(|line| !line.trim().is_empty()).map(field);
        let fields: Vec<_> = fields.collect::<Result<_, _>>()?;
        let once = |key: &'static str| {
            let found = fields.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
            found.ok_or(PolicyError::Missing(key))
        };
        known("version", once("version")?, |version| (version == "STSv1").then_some(()))?;
        let mode = known("mode", once("mode")?, Mode::from_name)?;
        let max_age = known("max_age", once("max_age")?, seconds)?;
        let hosts = fields.iter().filter(|(name, _)| *name == "mx");
        let hosts = hosts.map(|(_, value)| known("mx", value, HostPattern::parse));
        let hosts = hosts.collect::<Result<Vec<_>, _>>()?;
        match hosts.len() {
            0 if mode != Mode::None => Err(PolicyError::Missing("mx")),
            0..=HOSTS => Ok(Policy { mode, hosts, max_age, text: text.to_owned() }),
            _ => Err(PolicyError::TooManyHosts),
        }
    }

    /// Its lines that mean something, as they were fetched, for reports (RFC 8460 section 4.4).
    pub(crate) fn known_lines(&self) -> impl Iterator<Item = &str> {
        let is_known = |line: &&str| {
            let key = line.split(':').next().unwrap_or_default();
            ["version", "mode", "mx", "max_age"].contains(&key)
        };
        self.text.lines().filter(is_known)
    }

    /// Whether mail may be sent to this host (RFC 8461 section 4.1).
    pub(crate) fn names(&self, host: &Domain) -> bool {
        let host = host.normal();
        self.hosts.iter().any(|pattern| pattern.matches(&host))
    }

    /// The hosts that it names, as it writes them.
    pub(crate) fn host_names(&self) -> Vec<String> {
        self.hosts.iter().map(ToString::to_string).collect()
    }
}

fn field(line: &str) -> Result<(&str, &str), PolicyError> {
    let (key, value) = line.split_once(':').ok_or_else(|| PolicyError::Line(line.to_owned()))?;
    Ok((key, value.trim_matches([' ', '\t'])))
}

fn known<T>(key: &'static str, value: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, PolicyError> {
    parse(value).ok_or_else(|| PolicyError::Value { key, value: value.to_owned() })
}

/// Up to ten digits; a longer time than any counts as the longest.
fn seconds(text: &str) -> Option<Duration> {
    let is_number = (1..=10).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_digit());
    let seconds = is_number.then(|| text.parse::<u64>().ok()).flatten()?;
    Some(Duration::from_secs(seconds.min(LONGEST)))
}

impl Mode {
    fn from_name(name: &str) -> Option<Mode> {
        match name {
            "enforce" => Some(Mode::Enforce),
            "testing" => Some(Mode::Testing),
            "none" => Some(Mode::None),
            _ => None,
        }
    }
}

impl HostPattern {
    fn parse(text: &str) -> Option<HostPattern> {
        let (name, one_more) = match text.strip_prefix("*.") {
            Some(parent) => (parent, true),
            None => (text, false),
        };
        let name = Domain::parse(name).ok()?.normal();
        Some(if one_more { HostPattern::OneMore(name) } else { HostPattern::Exact(name) })
    }

    /// `host` is in its normal form.
    fn matches(&self, host: &str) -> bool {
        match self {
            HostPattern::Exact(name) => host == name,
            HostPattern::OneMore(parent) => host.split_once('.').is_some_and(|(_, rest)| rest == parent),
        }
    }
}

impl std::fmt::Display for HostPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            HostPattern::Exact(name) => f.write_str(name),
            HostPattern::OneMore(parent) => write!(f, "*.{parent}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FILE: &str =
        "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\nmax_age: 604800\r\n";

    fn parse(text: &str) -> Result<Policy, String> {
        Policy::parse(text.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_example_of_the_rfc_is_read_with_either_line_end() {
        for text in [FILE.to_owned(), FILE.replace("\r\n", "\n"), FILE.trim_end().to_owned()] {
            let policy = parse(&text).unwrap();
            assert_eq!((policy.mode, policy.max_age), (Mode::Enforce, Duration::from_secs(604_800)));
            assert_eq!(policy.host_names(), ["mail.example.com", "*.example.net"]);
        }
    }

    #[test]
    fn of_what_may_stand_once_the_first_counts_and_unknown_keys_are_passed_over() {
        let text = format!("future-key: a:b\n{FILE}mode: none\nmax_age: 1\nversion: STSv2\n\n");
        assert_eq!(parse(&text).map(|policy| policy.mode), Ok(Mode::Enforce));
        assert!(parse(&text).unwrap().known_lines().eq(text.trim_end().lines().skip(1)));
        let text = FILE.replace("mode: ", "mode:\t  ").replace("604800", "9999999999");
        assert_eq!(parse(&text).unwrap().max_age, Duration::from_secs(LONGEST));
    }

    #[test]
    fn what_is_not_a_policy_says_why() {
        for (from, to, why) in [
            ("STSv1", "STSv2", "its version is \"STSv2\""),
            ("version: STSv1", "", "it has no version"),
            ("version", "Version", "it has no version"),
            ("mode: enforce", "mode: Enforce", "its mode is \"Enforce\""),
            ("mode: enforce", "mode enforce", "its line \"mode enforce\" is none of the form `key: value`"),
            ("max_age: 604800", "", "it has no max_age"),
            ("604800", "-1", "its max_age is \"-1\""),
            ("604800", "1 day", "its max_age is \"1 day\""),
            ("604800", "12345678901", "its max_age is \"12345678901\""),
            ("*.example.net", "*", "its mx is \"*\""),
            ("*.example.net", "*.*.example.net", "its mx is \"*.*.example.net\""),
            ("*.example.net", "a.*.example.net", "its mx is \"a.*.example.net\""),
            ("*.example.net", "", "its mx is \"\""),
        ] {
            assert_eq!(parse(&FILE.replace(from, to)).unwrap_err(), why);
        }
        let no_host = |mode: &str| parse(&format!("version: STSv1\nmode: {mode}\nmax_age: 60\n"));
        assert_eq!(no_host("enforce").unwrap_err(), "it has no mx");
        assert_eq!(no_host("none").map(|policy| policy.mode), Ok(Mode::None));
        assert_eq!(
            parse(&format!("{FILE}{}", "mx: a.example\n".repeat(HOSTS))).unwrap_err(),
            "it names more than 1000 mail hosts"
        );
        assert_eq!(Policy::parse(b"version: STSv1\xff"), Err(PolicyError::NotText));
    }

    /// RFC 8461 section 4.1.
    #[test]
    fn a_wildcard_is_exactly_one_label() {
        let policy = parse(&FILE.replace("*.example.net", "*.Example.NET")).unwrap();
        for (host, named) in [
            ("mail.example.com", true),
            ("MAIL.example.COM", true),
            ("a.mail.example.com", false),
            ("example.com", false),
            ("mx1.example.net", true),
            ("example.net", false),
            ("a.mx1.example.net", false),
            ("mx1example.net", false),
            ("mx1.example.net.evil.example", false),
        ] {
            assert_eq!(policy.names(&Domain::parse(host).unwrap()), named, "{host}");
        }
    }

    proptest! {
        #[test]
        fn anything_is_a_policy_or_not(file in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Policy::parse(&file);
        }
    }
}
