//! Writes the header section of an entity whose encoding changes.

use super::part_fields::part_fields;

/// What is to be said in a header section.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct HeaderEdit {
    /// The new Content-Transfer-Encoding, in the place of the old one.
    pub(super) encoding: Option<&'static str>,
    /// The charset of a Content-Type, where there is none.
    pub(super) charset: Option<&'static str>,
    pub(super) adds_mime_version: bool,
}

impl HeaderEdit {
    /// Writes the fields of a section. All that is not to be changed stays octet for octet.
    pub(super) fn write(&self, section: &[u8], out: &mut Vec<u8>) {
        let mut encoding = self.encoding;
        for field in part_fields(section) {
            if self.encoding.is_none() || !field.is("Content-Transfer-Encoding") {
                out.extend_from_slice(field.raw);
            } else {
                // Only the first stays: others would be a second reading.
                write_encoding(encoding.take(), out);
            }
        }
        if self.adds_mime_version {
            out.extend_from_slice(b"MIME-Version: 1.0\r\n");
        }
        if let Some(charset) = self.charset {
            out.extend_from_slice(format!("Content-Type: text/plain; charset={charset}\r\n").as_bytes());
        }
        write_encoding(encoding, out);
    }
}

fn write_encoding(encoding: Option<&str>, out: &mut Vec<u8>) {
    if let Some(encoding) = encoding {
        out.extend_from_slice(format!("Content-Transfer-Encoding: {encoding}\r\n").as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(edit: HeaderEdit, section: &str) -> String {
        let mut out = Vec::new();
        edit.write(section.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_encoding_is_replaced_in_its_place_and_else_added() {
        let edit = HeaderEdit { encoding: Some("base64"), ..HeaderEdit::default() };
        for (section, written) in [
            ("", "Content-Transfer-Encoding: base64\r\n"),
            ("A: b\r\n c\r\n", "A: b\r\n c\r\nContent-Transfer-Encoding: base64\r\n"),
            (
                "A: b\r\ncontent-transfer-encoding :\r\n 8bit\r\nC: d\r\nContent-Transfer-Encoding: 7bit\r\nE: f\r\n",
                "A: b\r\nContent-Transfer-Encoding: base64\r\nC: d\r\nE: f\r\n",
            ),
        ] {
            assert_eq!(write(edit, section), written);
        }
    }

    #[test]
    fn nothing_else_changes_and_what_is_missing_follows() {
        let section = "A: b\r\nContent-Transfer-Encoding: 8bit\r\nContent-Transfer-Encoding: 8bit\r\n";
        assert_eq!(write(HeaderEdit::default(), section), section);
        let edit = HeaderEdit {
            encoding: Some("quoted-printable"),
            charset: Some("utf-8"),
            adds_mime_version: true,
        };
        assert_eq!(
            write(edit, "A: b\r\n"),
            "A: b\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Transfer-Encoding: quoted-printable\r\n"
        );
    }
}
