//! What a proxy says of its client with XCLIENT (Postfix, XCLIENT_README).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use types::EhloName;

use crate::xtext;

/// Whether the peer may say with XCLIENT who its client is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Xclient {
    /// It speaks for itself.
    #[default]
    Refused,
    /// It may say where its client is.
    Taken,
    /// It may also say that its client has logged in, and as whom: the LOGIN attribute.
    WithLogin,
    /// It has said where its client is, or as whom that has logged in. What comes from here on may be the client's own
    /// words: behind the login many proxies pass on whatever comes.
    Said,
}

impl Xclient {
    /// The attributes that are taken, as EHLO offers them.
    pub(crate) fn attributes(self) -> Option<&'static str> {
        match self {
            Self::Refused | Self::Said => None,
            Self::Taken => Some("NAME ADDR PORT PROTO HELO DESTADDR DESTPORT"),
            Self::WithLogin => Some("NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT"),
        }
    }
}

/// What a trusted proxy has said of its client, in one XCLIENT or in several. What it did not say, or does not know,
/// is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Introduction {
    /// The client's host name, NAME. An address literal is none.
    pub name: Option<EhloName>,
    /// Where it connected from, ADDR.
    pub address: Option<IpAddr>,
    /// PORT.
    pub port: Option<u16>,
    /// What it called itself, HELO.
    pub helo: Option<EhloName>,
    /// Whom the proxy has authenticated it as, LOGIN: with this XCLIENT, not with one before.
    pub login: Option<String>,
    /// Where it connected to, DESTADDR.
    pub local_address: Option<IpAddr>,
    /// DESTPORT.
    pub local_port: Option<u16>,
    /// ADDR or LOGIN was said, if only that it is unknown: the proxy is done, and the next word may be the client's.
    pub is_complete: bool,
}

/// An attribute that is unknown, written twice, or has a value that it can't have.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadAttribute;

impl Introduction {
    /// What is known once these attributes have been said, too: one or more, with spaces between.
    pub(crate) fn with(&self, attributes: &[u8], xclient: Xclient) -> Result<Self, BadAttribute> {
        let mut known = Self { login: None, ..self.clone() };
        let mut seen = Vec::new();
        let words = attributes.split(|octet| *octet == b' ').filter(|word| !word.is_empty());
        for word in words {
            let at = word.iter().position(|octet| *octet == b'=').ok_or(BadAttribute)?;
            let (name, value) = (word.get(..at).unwrap_or_default(), word.get(at + 1..).unwrap_or_default());
            let name = name.to_ascii_uppercase();
            known.take(&name, Value::read(value)?, xclient).ok_or(BadAttribute)?;
            if seen.contains(&name) {
                return Err(BadAttribute);
            }
            known.is_complete |= matches!(&*name, b"ADDR" | b"LOGIN");
            seen.push(name);
        }
        if seen.is_empty() { Err(BadAttribute) } else { Ok(known) }
    }

    fn take(&mut self, name: &[u8], value: Value, xclient: Xclient) -> Option<()> {
        match name {
            b"NAME" => self.name = value.read_as(host_name)?,
            b"ADDR" => self.address = value.read_as(address)?,
            b"PORT" => self.port = value.read_as(port)?,
            // What the client speaks with the proxy is not what the proxy speaks with us; EHLO says that.
            b"PROTO" => drop(value.read_as(protocol)?),
            b"HELO" => self.helo = value.read_as(|text| EhloName::parse(text).ok())?,
            b"LOGIN" if xclient == Xclient::WithLogin => self.login = value.read_as(user_name)?,
            b"DESTADDR" => self.local_address = value.read_as(address)?,
            b"DESTPORT" => self.local_port = value.read_as(port)?,
            _ => return None,
        }
        Some(())
    }
}

/// The value of an attribute.
enum Value {
    /// `[UNAVAILABLE]`, or `[TEMPUNAVAIL]` for what may be known at another time.
    Unknown,
    Text(String),
}

impl Value {
    fn read(value: &[u8]) -> Result<Self, BadAttribute> {
        if value.eq_ignore_ascii_case(b"[UNAVAILABLE]") || value.eq_ignore_ascii_case(b"[TEMPUNAVAIL]") {
            return Ok(Self::Unknown);
        }
        let octets = xtext::decode(value).ok_or(BadAttribute)?;
        String::from_utf8(octets).map(Self::Text).map_err(|_| BadAttribute)
    }

    /// Nothing if the value is not what `read` reads, and nothing inside of that if it is not known.
    fn read_as<T>(self, read: impl FnOnce(&str) -> Option<T>) -> Option<Option<T>> {
        match self {
            Self::Unknown => Some(None),
            Self::Text(text) => read(&text).map(Some),
        }
    }
}

fn host_name(text: &str) -> Option<EhloName> {
    EhloName::parse(text).ok().filter(|name| !name.as_str().starts_with('['))
}

/// An IPv4 address, or one of IPv6 with its tag, which may be IPv4 in disguise.
fn address(text: &str) -> Option<IpAddr> {
    match text.split_at_checked(5) {
        Some((tag, rest)) if tag.eq_ignore_ascii_case("IPV6:") => {
            rest.parse::<Ipv6Addr>().ok().map(|address| address.to_canonical())
        }
        _ => text.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
    }
}

fn port(text: &str) -> Option<u16> {
    text.parse().ok().filter(|port: &u16| port.to_string() == text)
}

fn protocol(text: &str) -> Option<()> {
    (text.eq_ignore_ascii_case("SMTP") || text.eq_ignore_ascii_case("ESMTP")).then_some(())
}

fn user_name(text: &str) -> Option<String> {
    (!text.is_empty() && !text.contains(char::is_control)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(attributes: &str) -> Result<Introduction, BadAttribute> {
        Introduction::default().with(attributes.as_bytes(), Xclient::WithLogin)
    }

    fn name(text: &str) -> Option<EhloName> {
        Some(EhloName::parse(text).unwrap())
    }

    #[test]
    fn every_attribute_is_read() {
        let all = "NAME=client.example addr=IPV6:2001:db8::1 PORT=4711 PROTO=ESMTP HELO=[127.0.0.1] \
                   LOGIN=alice+2Bshop@example.org DESTADDR=192.0.2.2  DESTPORT=587";
        let expected = Introduction {
            name: name("client.example"),
            address: Some("2001:db8::1".parse().unwrap()),
            port: Some(4711),
            helo: name("[127.0.0.1]"),
            login: Some("alice+shop@example.org".to_owned()),
            local_address: Some("192.0.2.2".parse().unwrap()),
            local_port: Some(587),
            is_complete: true,
        };
        assert_eq!(read(all), Ok(expected));
        assert_eq!(
            read("ADDR=IPV6:::ffff:192.0.2.1").unwrap().address,
            read("ADDR=192.0.2.1").unwrap().address
        );
    }

    #[test]
    fn what_is_said_adds_to_what_was_said_but_for_the_login() {
        let first = read("NAME=client.example ADDR=192.0.2.1 LOGIN=a").unwrap();
        let second = first.with(b"ADDR=[UNAVAILABLE] PORT=[tempunavail] HELO=x", Xclient::WithLogin).unwrap();
        assert_eq!(
            second,
            Introduction {
                name: name("client.example"),
                helo: name("x"),
                is_complete: true,
                ..Introduction::default()
            }
        );
    }

    #[test]
    fn where_the_client_is_or_who_completes_it_though_it_be_unknown() {
        for (attributes, completes) in [
            ("NAME=client.example PORT=1 PROTO=SMTP HELO=x DESTADDR=192.0.2.2 DESTPORT=587", false),
            ("addr=192.0.2.1", true),
            ("ADDR=[UNAVAILABLE]", true),
            ("login=a", true),
            ("LOGIN=[TEMPUNAVAIL]", true),
        ] {
            let known = read(attributes).unwrap();
            assert_eq!(known.is_complete, completes, "{attributes}");
            assert_eq!(known.with(b"PORT=2", Xclient::Taken).unwrap().is_complete, completes, "{attributes}");
        }
    }

    #[test]
    fn what_is_not_quite_right_is_wrong() {
        for attributes in [
            "",
            " ",
            "NAME",
            "NAME=",
            "=x",
            "USER=x",
            "NAME =x",
            "NAME=a NAME=b",
            "name=a NAME=a",
            "NAME=a+0D+0AReceived:",
            "NAME=a+20b",
            "NAME=+28comment",
            "NAME=[192.0.2.1]",
            "NAME=b+C3+BCcher",
            "NAME=%s+",
            "ADDR=client.example",
            "ADDR=2001:db8::1",
            "ADDR=IPV6:192.0.2.1",
            "ADDR=192.0.2.01",
            "ADDR=192.0.2.1/32",
            "ADDR=IPV6:fe80::1%25eth0",
            "PORT=65536",
            "PORT=-1",
            "PORT=025",
            "PORT=+2B25",
            "PROTO=LMTP",
            "PROTO=",
            "HELO=a+0D+0AX:+20y",
            "HELO=",
            "LOGIN=",
            "LOGIN=a+00b",
            "LOGIN=a+0Ab",
            "LOGIN=+FF",
            "LOGIN=a=b",
            "NAME=a\tADDR=192.0.2.1",
        ] {
            assert_eq!(read(attributes), Err(BadAttribute), "{attributes:?}");
        }
        assert_eq!(Introduction::default().with(b"LOGIN=a", Xclient::Taken), Err(BadAttribute));
    }

    proptest! {
        #[test]
        fn whatever_passes_is_plain(attributes in "((NAME|ADDR|HELO|LOGIN|PORT)=(\\PC{0,8}|\\+[0-9A-F]{2}|[a-z0-9.:-]{1,9}) ?){0,4}") {
            if let Ok(known) = read(&attributes) {
                let plain = |name: &EhloName| name.as_str().bytes().all(|octet| octet.is_ascii_graphic());
                prop_assert!(known.name.iter().chain(&known.helo).all(plain));
                prop_assert!(!known.login.unwrap_or_default().contains(char::is_control));
            }
        }
    }
}
