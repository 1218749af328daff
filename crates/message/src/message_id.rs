//! What a message calls itself: the value of its Message-ID field, for the queue and the log.

/// The most octets that are kept of it: what fits in a line. RFC 5322 section 2.1.1.
const MAX_OCTETS: usize = 998;

/// The identifier in the value of a Message-ID field, with its angle brackets (RFC 5322 section 3.6.4), without folds; where
/// there are no brackets, the value as it is. `None` if the value is blank.
pub(crate) fn identifier(value: &str) -> Option<String> {
    let bracketed = value.find('<').and_then(|start| {
        let text = value.get(start..)?;
        text.get(..=text.find('>')?)
    });
    let mut identifier: String =
        bracketed.unwrap_or(value).chars().filter(|c| !matches!(c, ' ' | '\t' | '\r' | '\n')).collect();
    identifier.truncate(identifier.floor_char_boundary(MAX_OCTETS));
    (!identifier.is_empty()).then_some(identifier)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_has_neither_folds_nor_comments() {
        for (value, expected) in [
            (" <1@example.org>", "<1@example.org>"),
            ("\r\n <1@example.org>", "<1@example.org>"),
            (" <1@\r\n example.org> (a comment)", "<1@example.org>"),
            (" <1@example.org> <2@example.org>", "<1@example.org>"),
            (" 1@example.org ", "1@example.org"),
            (" <1@example.org", "<1@example.org"),
            (" <grün@example.org>", "<grün@example.org>"),
        ] {
            assert_eq!(identifier(value).as_deref(), Some(expected), "{value:?}");
        }
    }

    #[test]
    fn a_blank_value_identifies_nothing() {
        assert_eq!(identifier(" \r\n\t"), None);
    }

    #[test]
    fn however_long_it_is_a_line_of_it_is_kept() {
        assert_eq!(identifier(&"ü".repeat(600)).unwrap().len(), 998);
    }
}
