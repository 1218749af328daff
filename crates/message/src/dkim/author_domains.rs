//! Whose keys sign a message.

use types::{Host, Mailbox};

use crate::authors::Authors;
use crate::header::Header;

/// The domains of a message's authors, those of its From field (RFC 7489 section 3.1): as A-labels in lower case, each once, in their order.
/// None of a section that can't be read, nor of an address literal.
#[must_use]
pub fn author_domains(section: &[u8]) -> Vec<String> {
    let Ok(header) = Header::parse(section) else { return Vec::new() };
    let Ok(authors) = Authors::read(&header, true) else { return Vec::new() };
    let mut domains = Vec::with_capacity(1);
    for domain in authors.of_from().filter_map(domain) {
        if !domains.contains(&domain) {
            domains.push(domain);
        }
    }
    domains
}

fn domain(author: &Mailbox) -> Option<String> {
    match author.host() {
        Host::Domain(domain) => Some(domain.normal()),
        Host::Literal(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_of_the_domains_in_its_from_field() {
        let table: [(&str, &[&str]); 6] = [
            ("From: Alice <a@Example.ORG>\r\n", &["example.org"]),
            (
                "From: \"x@example.net\" <a@bücher.example>\r\nSender: s@example.com\r\n",
                &["xn--bcher-kva.example"],
            ),
            ("From: a@b.example, c@a.example, d@B.example\r\n", &["b.example", "a.example"]),
            ("From: a@[192.0.2.1]\r\n", &[]),
            ("Subject: no author\r\n", &[]),
            ("no header", &[]),
        ];
        for (section, expected) in table {
            assert_eq!(author_domains(section.as_bytes()), expected, "{section}");
        }
    }
}
