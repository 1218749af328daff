//! Whose keys sign a message.

use types::{Host, Mailbox};

use crate::header::{Header, HeaderError};
use crate::mailbox_list::mailboxes_in;

/// The most domains of one message that count: a field has room for tens of thousands, and each has to be looked for.
const MAX_DOMAINS: usize = 10;

/// What the From fields of a message say of the domains of its authors (RFC 7489 section 3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthorDomains {
    /// The first ten domains at most: as A-labels in lower case, each once, in their order.
    Known(Vec<String>),
    /// There is no From field, or all addresses in it have address literals for domains.
    NoDomain,
    /// There is a From field, and no address can be made out in it.
    Unclear,
}

/// The domains of a message's authors, from every From field that it has. Addresses in a group count (RFC 6854); what is no address is passed
/// over, since this is about who signs, and not about who may send. No other field matters.
///
/// # Errors
/// [`HeaderError`] for a section that was not accepted in this form: one that was may have more than
/// [`MAX_FIELDS`](crate::MAX_FIELDS) since.
pub fn author_domains(section: &[u8]) -> Result<AuthorDomains, HeaderError> {
    let header = Header::parse_stored(section)?;
    let mut values = header.named("From").map(|field| field.value()).peekable();
    if values.peek().is_none() {
        return Ok(AuthorDomains::NoDomain);
    }
    let authors: Vec<Mailbox> = values.flat_map(mailboxes_in).collect();
    if authors.is_empty() {
        return Ok(AuthorDomains::Unclear);
    }
    let domains = domains(&authors);
    Ok(if domains.is_empty() { AuthorDomains::NoDomain } else { AuthorDomains::Known(domains) })
}

fn domains(authors: &[Mailbox]) -> Vec<String> {
    let mut domains = Vec::with_capacity(1);
    for author in authors {
        let Host::Domain(domain) = author.host() else { continue };
        let domain = domain.normal();
        if !domains.contains(&domain) {
            domains.push(domain);
        }
        if domains.len() == MAX_DOMAINS {
            break;
        }
    }
    domains
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::{MAX_FIELDS, MAX_SECTION};

    fn known(section: &str) -> Vec<String> {
        match author_domains(section.as_bytes()) {
            Ok(AuthorDomains::Known(domains)) => domains,
            other => panic!("{other:?} of {section}"),
        }
    }

    #[test]
    fn a_message_is_of_the_domains_in_its_from_field() {
        let table: [(&str, &[&str]); 11] = [
            ("From: Alice <a@Example.ORG>\r\n", &["example.org"]),
            ("From: \"x@example.net\" <a@bücher.example>\r\n", &["xn--bcher-kva.example"]),
            ("From: a@b.example, c@a.example, d@B.example\r\n", &["b.example", "a.example"]),
            ("From: a@[192.0.2.1], b@b.example\r\n", &["b.example"]),
            ("From: a@b.example\r\nSender: www-data\r\n", &["b.example"]),
            ("From: a@b.example\r\nSender: c@d.example\r\nSender: e\r\n", &["b.example"]),
            ("From: a@b.example\r\nResent-From: g: c@d.example;\r\n", &["b.example"]),
            ("From: Team: a@b.example, C <c@d.example>;\r\n", &["b.example", "d.example"]),
            ("From: a@b.example\r\nFROM: c@d.example\r\n", &["b.example", "d.example"]),
            ("From: root\r\nFrom: a@b.example\r\n", &["b.example"]),
            ("From: a@b.example, nobody, <x@y@z>, Doe, John <c@d.example>\r\n", &["b.example", "d.example"]),
        ];
        for (section, expected) in table {
            assert_eq!(known(section), expected, "{section}");
        }
    }

    #[test]
    fn that_nobody_signs_and_that_it_is_not_known_are_told_apart() {
        for (section, expected) in [
            ("From: a@[192.0.2.1]\r\n", Ok(AuthorDomains::NoDomain)),
            ("Subject: no author\r\nSender: a@b.example\r\n", Ok(AuthorDomains::NoDomain)),
            ("From: root\r\n", Ok(AuthorDomains::Unclear)),
            ("From:\r\n", Ok(AuthorDomains::Unclear)),
            ("From: Team:;\r\n", Ok(AuthorDomains::Unclear)),
            ("no header\r\n", Err(HeaderError::NotAField)),
        ] {
            assert_eq!(author_domains(section.as_bytes()), expected, "{section}");
        }
    }

    #[test]
    fn fields_that_were_added_to_an_accepted_section_hide_nobody() {
        let section = "X: y\r\n".repeat(MAX_FIELDS) + "From: a@b.example\r\n";
        assert_eq!(known(&section), ["b.example"]);
    }

    #[test]
    fn res_06_of_any_number_of_authors_the_first_ten_domains_count() {
        let authors: String = (0..MAX_SECTION / 20).map(|n| format!("a@{n}.example,\r\n ")).collect();
        let started = Instant::now();
        let domains = known(&format!("From: {authors}a@last.example\r\n"));
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        assert_eq!(domains, (0..10).map(|n| format!("{n}.example")).collect::<Vec<_>>());
    }
}
