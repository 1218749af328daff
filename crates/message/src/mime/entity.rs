//! What the header section of an entity, a message or a part, says of its body (RFC 2045 sections 4 to 6).

use super::content_type::{ContentType, skip_cfws};
use super::untouchable::Untouchable;

/// An entity, as its header section describes it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entity {
    pub(super) kind: Kind,
    pub(super) encoding: Encoding,
    /// Whether Content-Transfer-Encoding is 8bit or binary.
    pub(super) declares_eight_bit: bool,
    /// Whether it is binary.
    pub(super) declares_binary: bool,
    pub(super) has_content_type: bool,
    pub(super) has_mime_version: bool,
    /// Whether a signature of the whole body stands in this section.
    pub(super) has_body_signature: bool,
}

/// What the body is, as far as re-encoding it goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text, to be re-encoded as quoted-printable.
    Text,
    /// Anything else without structure, to be re-encoded as base64.
    Data,
    /// Parts with delimiter lines between them.
    Multipart(Multipart),
    /// A message with a header section of its own.
    Message,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Multipart {
    pub(super) boundary: Option<Box<[u8]>>,
    /// Why nothing within may be changed.
    pub(super) untouchable: Option<Untouchable>,
    /// Whether parts without a Content-Type are messages. RFC 2046 section 5.1.5.
    pub(super) is_digest: bool,
}

/// How the octets of the content stand in the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// As they are: 7bit, 8bit, binary, or nothing that is known.
    Identity,
    QuotedPrintable,
    Base64,
    /// In a way that has lines of its own meaning, from before MIME.
    Uuencode,
}

impl Entity {
    /// An entity without any field.
    pub(super) fn bare() -> Self {
        Self {
            kind: Kind::Text,
            encoding: Encoding::Identity,
            declares_eight_bit: false,
            declares_binary: false,
            has_content_type: false,
            has_mime_version: false,
            has_body_signature: false,
        }
    }

    /// Reads names and values of fields. Of several fields of one name the first counts. `in_digest` says
    /// whether the entity is a part of multipart/digest.
    pub(super) fn read<'a>(fields: impl Iterator<Item = (&'a [u8], &'a [u8])>, in_digest: bool) -> Self {
        let mut entity = Self::bare();
        let (mut content_type, mut encoding) = (None, None);
        for (name, value) in fields {
            let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
            if is("Content-Type") {
                content_type.get_or_insert(value);
            } else if is("Content-Transfer-Encoding") {
                encoding.get_or_insert(value);
            } else if is("MIME-Version") {
                entity.has_mime_version = true;
            } else if is("DKIM-Signature") || is("ARC-Message-Signature") {
                entity.has_body_signature = true;
            }
        }
        entity.set_encoding(encoding.unwrap_or_default());
        entity.has_content_type = content_type.is_some();
        entity.kind = kind(content_type.map(ContentType::read), in_digest);
        if entity.kind == Kind::Message && entity.encoding != Encoding::Identity {
            // RFC 2046 section 5.2.1 forbids that, and some write it: there is no header section to be seen.
            entity.kind = Kind::Text;
        }
        entity
    }

    fn set_encoding(&mut self, value: &[u8]) {
        let start = skip_cfws(value);
        let ends = |octet: &u8| octet.is_ascii_whitespace() || matches!(octet, b';' | b'(');
        let word = start.split(ends).next().unwrap_or_default();
        let is = |known: &str| word.eq_ignore_ascii_case(known.as_bytes());
        self.declares_binary = is("binary");
        self.declares_eight_bit = is("8bit") || self.declares_binary;
        self.encoding = if is("quoted-printable") {
            Encoding::QuotedPrintable
        } else if is("base64") {
            Encoding::Base64
        } else if UUENCODE.into_iter().any(is) {
            Encoding::Uuencode
        } else {
            Encoding::Identity
        };
    }
}

/// Encodings that mail readers still decode and MIME does not know.
const UUENCODE: [&str; 9] =
    ["uuencode", "x-uuencode", "uue", "x-uue", "x-uu", "yencode", "x-yencode", "x-binhex", "x-binhex40"];

fn kind(content_type: Option<ContentType<'_>>, in_digest: bool) -> Kind {
    let Some(content_type) = content_type else {
        return if in_digest { Kind::Message } else { Kind::Text };
    };
    if content_type.is_main("multipart") {
        Kind::Multipart(multipart(&content_type))
    } else if content_type.is_main("message") {
        let is_composite = content_type.is_sub("rfc822") || content_type.is_sub("global");
        if is_composite { Kind::Message } else { Kind::Text }
    } else if content_type.is_main("text") {
        Kind::Text
    } else {
        Kind::Data
    }
}

fn multipart(content_type: &ContentType<'_>) -> Multipart {
    let boundary = content_type.boundary();
    let untouchable = if content_type.is_sub("signed") {
        Some(Untouchable::MultipartSigned)
    } else if content_type.is_sub("encrypted") {
        Some(Untouchable::MultipartEncrypted)
    } else if boundary.is_none() {
        Some(Untouchable::NoBoundary)
    } else {
        None
    };
    Multipart { boundary, untouchable, is_digest: content_type.is_sub("digest") }
}

#[cfg(test)]
mod tests {
    use super::super::part_fields::part_fields;
    use super::*;

    fn read(section: &str) -> Entity {
        Entity::read(part_fields(section.as_bytes()).map(|field| (field.name, field.value)), false)
    }

    #[test]
    fn the_first_encoding_counts_in_any_case() {
        for (value, encoding, declares_eight_bit) in [
            (" 7bit\r\n", Encoding::Identity, false),
            (" 8BIT\r\n", Encoding::Identity, true),
            (" (x) binary (y)\r\n", Encoding::Identity, true),
            ("BASE64;\r\n", Encoding::Base64, false),
            ("\r\n Quoted-Printable \r\n", Encoding::QuotedPrintable, false),
            ("x-uuencode(no)\r\n", Encoding::Uuencode, false),
            ("quoted printable\r\n", Encoding::Identity, false),
            ("\r\n", Encoding::Identity, false),
            (" base64\r\nContent-Transfer-Encoding: 8bit\r\n", Encoding::Base64, false),
        ] {
            let entity = read(&format!("CONTENT-transfer-encoding :{value}"));
            assert_eq!(
                (entity.encoding, entity.declares_eight_bit),
                (encoding, declares_eight_bit),
                "{value:?}"
            );
        }
    }

    #[test]
    fn the_kind_says_how_to_re_encode() {
        for (value, kind) in [
            ("text/html", Kind::Text),
            ("text", Kind::Text),
            ("message/delivery-status", Kind::Text),
            ("message/RFC822", Kind::Message),
            ("message/global; x=y", Kind::Message),
            ("message/rfc822\r\nContent-Transfer-Encoding: base64", Kind::Text),
            ("application/json", Kind::Data),
            ("image/svg+xml", Kind::Data),
        ] {
            assert_eq!(read(&format!("content-type: {value}\r\n")).kind, kind, "{value:?}");
        }
        assert_eq!(read("Subject: x\r\n"), Entity::bare());
        assert_eq!(Entity::read([].into_iter(), true).kind, Kind::Message);
    }

    #[test]
    fn what_protects_parts_is_seen() {
        for (value, untouchable) in [
            ("multipart/mixed; boundary=b", None),
            ("multipart/mixed", Some(Untouchable::NoBoundary)),
            ("multipart/SIGNED; boundary=b", Some(Untouchable::MultipartSigned)),
            ("multipart/encrypted; boundary=b", Some(Untouchable::MultipartEncrypted)),
        ] {
            let Kind::Multipart(multipart) = read(&format!("Content-Type: {value}\r\n")).kind else {
                panic!()
            };
            assert_eq!(multipart.untouchable, untouchable, "{value:?}");
        }
        for name in ["dkim-signature", "ARC-Message-Signature"] {
            assert!(read(&format!("{name}: v=1\r\n")).has_body_signature);
        }
        assert!(!read("ARC-Seal: i=1\r\nmime-version: 1.0\r\n").has_body_signature);
    }
}
