//! Members of a body that are text with a meaning: addresses, networks, times, labels.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use ipnet::IpNet;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::label::{LONGEST, is_line};
use crate::networks::network;

/// A member that is written as text and read as this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text<T>(pub(crate) T);

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map(Text).map_err(D::Error::custom)
    }
}

/// A label or a name: one line for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line(pub(crate) String);

/// What is no label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoLine;

impl fmt::Display for NoLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "write one line of 1 to {LONGEST} characters")
    }
}

impl FromStr for Line {
    type Err = NoLine;

    fn from_str(text: &str) -> Result<Self, NoLine> {
        let line = text.trim();
        if !line.is_empty() && is_line(line) { Ok(Self(line.to_owned())) } else { Err(NoLine) }
    }
}

/// A network in CIDR form, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network(pub(crate) IpNet);

/// What is no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoNetwork;

impl fmt::Display for NoNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("write a network like 192.0.2.0/24, or one address")
    }
}

impl FromStr for Network {
    type Err = NoNetwork;

    fn from_str(text: &str) -> Result<Self, NoNetwork> {
        network(text).map(Self).ok_or(NoNetwork)
    }
}

/// A member of a merge patch (RFC 7396): `None` if it isn't there, `Some(None)` if it is `null`.
///
/// # Errors
/// When it is there, and can't be read.
pub(crate) fn merged<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// A member of a merge patch that can't be `null`: there is no default for it.
///
/// # Errors
/// When it is there, and can't be read.
pub(crate) fn present<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use types::Mailbox;

    use super::*;

    #[test]
    fn a_text_is_read_as_what_it_means_or_refused_with_a_reason() {
        let read = |text: &str| serde_json::from_str::<Text<Mailbox>>(text);
        assert_eq!(read("\"alice@ex\\u0061mple.org\"").unwrap().0.to_string(), "alice@example.org");
        assert!(read("\"alice\"").is_err() && read("1").is_err());
        let network = |text: &str| text.parse::<Network>().map(|network| network.0.to_string());
        assert_eq!(network("192.0.2.7/24").as_deref(), Ok("192.0.2.0/24"));
        assert_eq!(network("::ffff:192.0.2.7").as_deref(), Ok("192.0.2.7/32"));
        assert_eq!(network("office"), Err(NoNetwork));
        for text in ["", "  ", "a\nb", &"x".repeat(201)] {
            assert_eq!(text.parse::<Line>(), Err(NoLine), "{text:?}");
        }
        assert_eq!(" phone ".parse(), Ok(Line("phone".to_owned())));
    }

    #[test]
    fn in_a_patch_null_is_another_thing_than_nothing() {
        #[derive(Deserialize)]
        struct Patch {
            #[serde(default, deserialize_with = "merged")]
            name: Option<Option<String>>,
        }
        let name = |text: &str| serde_json::from_str::<Patch>(text).unwrap().name;
        assert_eq!(name("{}"), None);
        assert_eq!(name("{\"name\": null}"), Some(None));
        assert_eq!(name("{\"name\": \"x\"}"), Some(Some("x".to_owned())));
    }
}
