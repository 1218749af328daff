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

/// `sub-domain = Let-dig [Ldh-str]`. RFC 5321 section 4.1.2.
fn check_label(label: &str) -> Result<(), AddressError> {
    if label.len() > MAX_LABEL {
        return Err(AddressError::DomainTooLong);
    }
    let ldh = label.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-');
    if label.is_empty() || !ldh || label.starts_with('-') || label.ends_with('-') {
        return Err(AddressError::Domain);
    }
    Ok(())
}

/// Whether a label claims to be the encoding of a U-label, which must then be proved.
fn has_a_label(text: &str) -> bool {
    text.split('.').any(|label| label.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("xn--")))
}

/// A-labels are decoded and checked on the way: `xn--example-.org` must not pass for `example.org`.
fn to_ascii(text: &str) -> Result<Box<str>, AddressError> {
    Uts46::new()
        .to_ascii(text.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Verify)
        .map(|ascii| ascii.into_owned().into_boxed_str())
        .map_err(|_| AddressError::Domain)
}
