//! A record of the DNS.

use std::fmt::{self, Write as _};

use serde::Serialize;

/// The most octets of one string of a TXT record (RFC 1035 section 3.3.14).
const STRING: usize = 255;

/// A record that the DNS has to have. Displayed as a line of a zone file (RFC 1035 section 5.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DnsRecord {
    /// The name, without the dot behind it.
    pub name: String,
    /// The type.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The value: of a TXT record the text as a whole, else as in a zone file.
    pub value: String,
}

impl DnsRecord {
    /// A record of text.
    #[must_use]
    pub fn txt(name: String, value: String) -> Self {
        Self { name, kind: "TXT", value }
    }
}

impl fmt::Display for DnsRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, kind, value } = self;
        match *kind {
            "TXT" => write!(f, "{name}. IN TXT {}", strings(value)),
            kind => write!(f, "{name}. IN {kind} {value}"),
        }
    }
}

/// The text in strings that a TXT record may have, each in quotes; several in brackets, as some DNS servers want it.
fn strings(text: &str) -> String {
    let (mut strings, mut rest) = (String::new(), text);
    loop {
        // What is published is ASCII.
        let (string, more) = rest.split_at_checked(STRING).unwrap_or((rest, ""));
        let escaped = string.replace('\\', "\\\\").replace('"', "\\\"");
        let _ = write!(strings, "{}\"{escaped}\"", if strings.is_empty() { "" } else { " " });
        if more.is_empty() {
            return if text.len() > STRING { format!("( {strings} )") } else { strings };
        }
        rest = more;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_a_line_of_a_zone_file() {
        let record = DnsRecord {
            name: "example.org".to_owned(),
            kind: "MX",
            value: "10 mail.example.org.".to_owned(),
        };
        assert_eq!(record.to_string(), "example.org. IN MX 10 mail.example.org.");
        let txt = |value: &str| DnsRecord::txt("a.example".to_owned(), value.to_owned()).to_string();
        assert_eq!(txt(""), "a.example. IN TXT \"\"");
        assert_eq!(txt("a \"b\" \\c"), "a.example. IN TXT \"a \\\"b\\\" \\\\c\"");
        assert_eq!(txt(&"x".repeat(255)), format!("a.example. IN TXT \"{}\"", "x".repeat(255)));
        assert_eq!(txt(&"x".repeat(256)), format!("a.example. IN TXT ( \"{}\" \"x\" )", "x".repeat(255)));
    }
}
