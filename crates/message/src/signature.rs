//! What a signature within a message covers, and what therefore must leave as it came.

use std::collections::HashSet;

/// The fields that the signatures of a header section cover (RFC 6376 section 3.5, RFC 8617 section 4.1.2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    signed: bool,
    /// In lower case.
    names: HashSet<String>,
}

impl Coverage {
    /// What the signatures among these fields cover: name and value of each.
    pub(crate) fn of<'a>(fields: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Self {
        let mut coverage = Self::default();
        for (_, value) in fields.filter(|(name, _)| is_signature(name)) {
            coverage.signed = true;
            coverage.names.extend(signed_names(value));
        }
        coverage
    }

    /// Whether a signature covers the body. Every signature does, if only the beginning of it.
    #[must_use]
    pub fn has_body(&self) -> bool {
        self.signed
    }

    /// Whether a signature covers the fields of this name. If there is none, it covers that: such a field must not be
    /// added (RFC 6376 section 5.4.2). A signature covers itself.
    #[must_use]
    pub fn has_field(&self, name: &str) -> bool {
        self.signed && (is_signature(name.as_bytes()) || self.names.contains(&name.to_ascii_lowercase()))
    }
}

fn is_signature(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"DKIM-Signature") || name.eq_ignore_ascii_case(b"ARC-Message-Signature")
}

/// The names in `h=`, in lower case: `tag-list = tag-spec *( ";" tag-spec ) [ ";" ]` (RFC 6376 section 3.2).
fn signed_names(value: &[u8]) -> HashSet<String> {
    let text: String =
        value.iter().filter(|octet| !octet.is_ascii_whitespace()).map(|octet| char::from(*octet)).collect();
    let list = text.split(';').find_map(|tag| tag.strip_prefix("h=")).unwrap_or_default();
    list.split(':').map(str::to_ascii_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coverage(fields: &[(&str, &str)]) -> Coverage {
        Coverage::of(fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())))
    }

    #[test]
    fn a_signature_names_what_it_covers() {
        let signed = coverage(&[
            ("Subject", " h=x"),
            ("DKIM-signature", " v=1; a=rsa-sha256;\r\n\th = From : to:\r\n Message-ID; bh=x=; b=y"),
        ]);
        for covered in ["From", "TO", "message-id", "DKIM-Signature"] {
            assert!(signed.has_field(covered), "{covered}");
        }
        assert!(!signed.has_field("Subject") && signed.has_body());
        let arc = coverage(&[("ARC-Message-Signature", "i=1; h=date")]);
        assert!(arc.has_field("Date") && arc.has_body());
    }

    #[test]
    fn without_a_signature_nothing_is_covered() {
        let unsigned = coverage(&[("From", " a@b"), ("X-DKIM-Signature", " h=from")]);
        assert!(!unsigned.has_field("From") && !unsigned.has_field("DKIM-Signature") && !unsigned.has_body());
    }
}
