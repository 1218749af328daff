//! Domain names as mail writes them, in ASCII or in a script of the world.

use std::fmt;

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use unicode_normalization::UnicodeNormalization;

use crate::AddressError;

/// The most octets a domain may have. RFC 5321 section 4.5.3.1.2.
pub const MAX_DOMAIN: usize = 255;

/// The most octets of one label. RFC 1035 section 2.3.4.
const MAX_LABEL: usize = 63;

/// A domain name: `sub-domain *("." sub-domain)`, with U-labels too (RFC 5321 section 4.1.2, RFC 6531 section 3.3).
///
/// It is kept as it was given, since that is what travels on; [`Domain::normal`] is what to compare by.
/// `==` compares what was given.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Domain {
    given: Box<str>,
    /// The A-label form, where lower-casing alone does not give it.
    ascii: Option<Box<str>>,
}

impl Domain {
    /// Reads a domain name.
    ///
    /// # Errors
    /// [`AddressError::Domain`] if it is none, also for a U-label that is not its own canonical form or an
    /// `xn--` label that stands for nothing; [`AddressError::DomainTooLong`].
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if text.len() > MAX_DOMAIN {
            return Err(AddressError::DomainTooLong);
        }
        if !text.is_ascii() {
            return Self::international(text);
        }
        text.split('.').try_for_each(check_label)?;
        let ascii = if has_a_label(text) { Some(to_ascii(text)?) } else { None };
        Ok(Self { given: text.into(), ascii })
    }

    /// The name as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.given
    }

    /// The one form in which equal domains are equal: A-labels in lower case.
    #[must_use]
    pub fn normal(&self) -> String {
        match &self.ascii {
            Some(ascii) => ascii.to_string(),
            None => self.given.to_ascii_lowercase(),
        }
    }

    /// The user who is called `name` where users without a domain of their own are of this one.
    #[must_use]
    pub fn complete(&self, name: &str) -> String {
        if name.is_empty() || name.contains('@') { name.to_owned() } else { format!("{name}@{self}") }
    }

    /// Whether the name as given can travel without SMTPUTF8.
    #[must_use]
    pub fn is_ascii(&self) -> bool {
        self.given.is_ascii()
    }

    /// A name with U-labels must be written in their canonical form but for case, so that no other reader of
    /// the same octets (dots of other scripts, full-width letters, ignorable characters) sees another domain.
    fn international(text: &str) -> Result<Self, AddressError> {
        let ascii = to_ascii(text)?;
        let (unicode, valid) =
            Uts46::new().to_unicode(text.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast);
        let lower: String = text.nfc().flat_map(char::to_lowercase).nfc().collect();
        if valid.is_err() || unicode != lower {
            return Err(AddressError::Domain);
        }
        Ok(Self { given: text.into(), ascii: Some(ascii) })
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.given)
    }
}

/// `sub-domain = Let-dig [Ldh-str]`. RFC 5321 section 4.1.2. Hosts are also called by names with underscores, which the DNS
/// allows (RFC 2181 section 11), and mail comes from them.
fn check_label(label: &str) -> Result<(), AddressError> {
    if label.len() > MAX_LABEL {
        return Err(AddressError::DomainTooLong);
    }
    let plain = label.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'));
    if label.is_empty() || !plain || label.starts_with('-') || label.ends_with('-') {
        return Err(AddressError::Domain);
    }
    Ok(())
}

/// Whether a label claims to be the encoding of a U-label, which must then be proved.
fn has_a_label(text: &str) -> bool {
    text.split('.').any(|label| label.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("xn--")))
}

/// The octets that no name of a host has, nor one that says something about a domain, such as `_mta-sts.xn--bcher-kva.example`.
const NO_HOST: AsciiDenyList = AsciiDenyList::new(true, r##"!"#$%&'()*+,/:;<=>?@[\]^`{|}~"##);

/// A-labels are decoded and checked on the way: `xn--example-.org` must not pass for `example.org`.
fn to_ascii(text: &str) -> Result<Box<str>, AddressError> {
    Uts46::new()
        .to_ascii(text.as_bytes(), NO_HOST, Hyphens::CheckFirstLast, DnsLength::Verify)
        .map(|ascii| ascii.into_owned().into_boxed_str())
        .map_err(|_| AddressError::Domain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn domains_of_rfc_5321_are_taken_as_given() {
        for text in [
            "example.org",
            "EXAMPLE.org",
            "localhost",
            "my_pc.example",
            "_mta-sts.xn--bcher-kva.example",
            "a",
            "1.example",
            "a--b.example",
            "r3---sn-x.example",
            "192.0.2.1",
        ] {
            let domain = Domain::parse(text).unwrap();
            assert_eq!(
                (domain.as_str(), domain.normal(), domain.is_ascii()),
                (text, text.to_ascii_lowercase(), true)
            );
        }
    }

    #[test]
    fn what_is_no_domain_is_refused() {
        for text in [
            "",
            ".",
            "a.",
            ".a",
            "a..b",
            "-a",
            "a-",
            "a.-b.c",
            "a b",
            "a\0b",
            "a\r\nb",
            "a@b",
            "a,b",
            "a;b",
            "[a]",
            "a\u{3002}b",
            "a\u{ff0e}b",
            "a\u{2024}b",
            "\u{ad}a",
            "a\u{200d}",
            "\u{200b}",
            "\u{ff41}\u{ff42}.org",
            "b\u{301}a\u{300}\u{0}",
            "\u{202e}gro",
            "a\u{fffd}",
        ] {
            assert_eq!(Domain::parse(text), Err(AddressError::Domain), "{text:?}");
        }
    }

    #[test]
    fn lengths_are_those_of_the_standards() {
        let label = "a".repeat(63);
        let longest = format!("{label}.{label}.{label}.{label}");
        assert_eq!(longest.len(), MAX_DOMAIN);
        assert!(Domain::parse(&longest).is_ok());
        assert_eq!(Domain::parse(&format!("{longest}a")), Err(AddressError::DomainTooLong));
        assert_eq!(Domain::parse(&"a".repeat(64)), Err(AddressError::DomainTooLong));
    }

    #[test]
    fn scripts_of_the_world_have_one_normal_form() {
        for text in [
            "bücher.example",
            "BÜCHER.example",
            "Bu\u{308}cher.example",
            "xn--bcher-kva.example",
            "XN--BCHER-KVA.Example",
        ] {
            assert_eq!(Domain::parse(text).unwrap().normal(), "xn--bcher-kva.example", "{text}");
        }
        assert_eq!(Domain::parse("例え.テスト").unwrap().normal(), "xn--r8jz45g.xn--zckzah");
        assert_ne!(Domain::parse("straße.example").unwrap().normal(), "strasse.example");
        assert!(!Domain::parse("bücher.example").unwrap().is_ascii());
    }

    #[test]
    fn rustsec_2024_0421_an_a_label_that_hides_ascii_is_no_domain() {
        for text in [
            "xn--example-.org",
            "xn--.org",
            "xn--a.org",
            "a.xn--b-",
            "xn--bcher-kvaaaaa\u{e9}.org",
            "xn--99999999999.org",
        ] {
            assert!(Domain::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_its_normal_form_is_stable(text in "\\PC{0,40}") {
            if let Ok(domain) = Domain::parse(&text) {
                let normal = domain.normal();
                prop_assert!(normal.is_ascii());
                prop_assert_eq!(Domain::parse(&normal).unwrap().normal(), normal);
            }
        }

        #[test]
        fn any_domain_is_read(text in "[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?(\\.[a-z0-9]([a-wyz0-9-]{0,8}[a-z0-9])?){0,5}") {
            prop_assume!(!has_a_label(&text));
            prop_assert_eq!(Domain::parse(&text).unwrap().normal(), text);
        }
    }
}
