//! What a submission server changes in a header section (RFC 6409 section 8), and nothing else.

use std::fmt;

use types::Mailbox;

use crate::authors::{Authors, AuthorsError, Change};
use crate::date::{NoDate, date_time};
use crate::header::{Field, Header};
use crate::lexer::lex;
use crate::received::{Trace, received};
use crate::repairs::{Repair, Repairs};
use crate::signature::Coverage;

/// The most Received fields that a message may bring along. RFC 5321 section 6.3 asks for at least 100.
pub const MAX_HOPS: usize = 100;

/// What the operator wants changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Add Date and Message-ID where they are missing. RFC 6409 sections 8.2 and 8.3.
    pub add_missing_headers: bool,
    /// Remove Bcc and Resent-Bcc.
    pub remove_bcc: bool,
}

/// Why a header section cannot be fixed up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FixupError {
    /// More than [`MAX_HOPS`] Received fields: the message runs in a circle.
    #[error("the message has passed too many servers")]
    TooManyHops,
    /// The time given has a year that RFC 5322 cannot write.
    #[error("the time of acceptance cannot be written as a date")]
    Date,
    /// A field has to go, and a signature covers it.
    #[error("the {0} field is signed, and must not leave")]
    Signed(String),
    /// It can't be told who wrote the message.
    #[error(transparent)]
    Authors(#[from] AuthorsError),
}

/// Whose message it is, as far as its header section has to say so.
pub struct Authorship<'a> {
    /// The author fields as they were read; `None` if anybody may stand there, and nobody has to.
    pub authors: Option<Authors<'a>>,
    /// Who is to be named if nobody is; `None` to add nobody.
    pub author: Option<&'a Mailbox>,
    /// Whether an address is the author's own, and may stand in a name.
    pub own: &'a dyn Fn(&Mailbox) -> bool,
}

impl fmt::Debug for Authorship<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorship")
            .field("authors", &self.authors)
            .field("author", &self.author)
            .finish_non_exhaustive()
    }
}

/// A header section as it travels on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixed {
    /// Its octets, with the blank line at its end.
    pub section: Vec<u8>,
    /// The Message-ID that it has now, with its angle brackets and without folds; `None` if it has none.
    pub message_id: Option<String>,
    /// It says `TLS-Required: No` (RFC 8689).
    pub tls_not_required: bool,
}

/// Writes the header section that travels on, with the blank line at its end: our Received field first, then
/// all fields in their order and octet for octet, but those which must go or be written anew, then what was missing.
///
/// # Errors
/// [`FixupError`].
pub fn fixup(
    header: &Header<'_>,
    authorship: &Authorship<'_>,
    trace: &Trace<'_>,
    options: &Options,
    repairs: &mut Repairs,
) -> Result<Fixed, FixupError> {
    if header.named("Received").count() > MAX_HOPS {
        return Err(FixupError::TooManyHops);
    }
    let date = date_time(trace.now)?;
    let coverage = header.coverage();
    let changes = match &authorship.authors {
        Some(authors) => authors.changes(&coverage, authorship.own)?,
        None => Vec::new(),
    };
    let goes = |field: &Field<'_>| must_go(field, trace, options);
    header.fields().filter(goes).try_for_each(|field| is_unsigned(&field, &coverage))?;
    let mut out = Vec::with_capacity(header.octets().saturating_add(ADDED));
    out.extend_from_slice(received(trace, &date).as_bytes());
    for (place, field) in header.fields().enumerate().filter(|(_, field)| !goes(field)) {
        let change = changes.iter().find(|(changed, _)| *changed == place).map(|(_, change)| change);
        write_field(&field, change, &mut out, repairs);
    }
    if let Some(author) = missing_from(header, authorship, &coverage)? {
        repairs.add(Repair::NoFrom);
        let value = match &authorship.authors {
            Some(authors) => authors.added_from(author, authorship.own),
            None => format!(" {author}"),
        };
        out.extend_from_slice(format!("From:{value}\r\n").as_bytes());
    }
    let mut message_id = header.message_id();
    if options.add_missing_headers {
        if is_missing("Date", header, &coverage) {
            out.extend_from_slice(format!("Date: {date}\r\n").as_bytes());
        }
        if is_missing("Message-ID", header, &coverage) {
            let added = message_id.insert(unique_id(trace));
            out.extend_from_slice(format!("Message-ID: {added}\r\n").as_bytes());
        }
    }
    out.extend_from_slice(b"\r\n");
    let tls_not_required = header.says_tls_is_not_required();
    Ok(Fixed { section: out, message_id, tls_not_required })
}

fn write_field(field: &Field<'_>, change: Option<&Change>, out: &mut Vec<u8>, repairs: &mut Repairs) {
    match change {
        None => out.extend_from_slice(field.raw().as_bytes()),
        Some(Change::Remove) => repairs.add(Repair::EmptyField),
        Some(Change::Rewrite(value)) => {
            repairs.add(Repair::AuthorField);
            out.extend_from_slice(format!("{}:{value}\r\n", field.name()).as_bytes());
        }
    }
}

/// Who is to be named in a From field that has to be added. A signature covers From in any case, if only that there is
/// none (RFC 6376 section 5.4).
fn missing_from<'a>(
    header: &Header<'_>,
    authorship: &Authorship<'a>,
    coverage: &Coverage,
) -> Result<Option<&'a Mailbox>, AuthorsError> {
    let has_from = || header.named("From").next().is_some();
    if authorship.authors.as_ref().map_or_else(has_from, Authors::has_from) {
        return Ok(None);
    }
    match (authorship.author, &authorship.authors) {
        (Some(_), _) if coverage.has_field("From") => Err(AuthorsError::NoFromSigned),
        (None, Some(_)) if header.fields().next().is_none() => Err(AuthorsError::NoHeader),
        (None, Some(authors)) => Err(authors.missing_from()),
        (author, _) => Ok(author),
    }
}

fn is_unsigned(field: &Field<'_>, coverage: &Coverage) -> Result<(), FixupError> {
    if coverage.has_field(field.name()) { Err(FixupError::Signed(field.name().to_owned())) } else { Ok(()) }
}

/// Enough octets for what is added, nearly always.
const ADDED: usize = 768;

fn must_go(field: &Field<'_>, trace: &Trace<'_>, options: &Options) -> bool {
    // RFC 5321 section 4.4: final delivery adds Return-Path, nobody before it may.
    field.is("Return-Path")
        || (options.remove_bcc && (field.is("Bcc") || field.is("Resent-Bcc")))
        || (field.is("Authentication-Results") && claims_to_be_from(trace.hostname, field.value()))
}

/// RFC 8601 section 5: results in this server's name that it did not write itself are forged. So, for all we
/// know, are those whose author cannot be made out.
fn claims_to_be_from(hostname: &str, results: &str) -> bool {
    let (tokens, unclosed) = lex(results);
    let Some(id) = tokens.iter().find(|token| !token.is_cfws()) else { return false };
    unclosed.is_some()
        || id.text.starts_with('"')
        || id.text.trim_end_matches('.').eq_ignore_ascii_case(hostname)
}

/// RFC 6409 sections 8.2 and 8.3. A signature that covers the absence of a field forbids to add it.
fn is_missing(name: &str, header: &Header<'_>, coverage: &Coverage) -> bool {
    header.named(name).next().is_none() && !coverage.has_field(name)
}

/// A Message-ID of ours.
fn unique_id(trace: &Trace<'_>) -> String {
    format!("<{:032x}@{}>", u128::from_be_bytes(trace.message_id_random), trace.hostname)
}

impl From<NoDate> for FixupError {
    fn from(NoDate: NoDate) -> Self {
        Self::Date
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use types::{Priority, QueueId, TlsFacts};

    use super::*;

    const OPTIONS: Options = Options { add_missing_headers: true, remove_bcc: true };
    const NOW: Timestamp = Timestamp::constant(1_763_697_180, 0);

    fn trace() -> Trace<'static> {
        Trace {
            hostname: "mail.example.org",
            queue_id: QueueId::new(1_763_697_180_000, [7; 10]),
            now: NOW,
            message_id_random: [0xab; 16],
            tls: Some(TlsFacts::new("TLSv1.3", "TLS_AES_128_GCM_SHA256")),
            extended: true,
            authenticated: true,
            utf8: false,
            recipient: None,
            priority: Priority::NORMAL,
            client: None,
        }
    }

    /// Anybody may stand in the author fields.
    const ANYBODY: Authorship<'static> = Authorship { authors: None, author: None, own: &|_| true };

    fn fix(section: &str, trace: &Trace<'_>, options: &Options) -> String {
        let header = Header::parse(section.as_bytes()).unwrap();
        let fixed = fixup(&header, &ANYBODY, trace, options, &mut Repairs::default());
        String::from_utf8(fixed.unwrap().section).unwrap()
    }

    /// What becomes of a section of somebody who is `me@gp.test`, without the Received field, and what was repaired.
    fn judged(section: &str) -> Result<(String, String), FixupError> {
        let me = Mailbox::parse("me@gp.test").unwrap();
        let header = Header::parse(section.as_bytes()).unwrap();
        let authors = Some(Authors::read(&header, true)?);
        let own = |mailbox: &Mailbox| *mailbox == me;
        let authorship = Authorship { authors, author: Some(&me), own: &own };
        let mut repairs = Repairs::default();
        let options = Options { add_missing_headers: false, ..OPTIONS };
        let fixed = fixup(&header, &authorship, &trace(), &options, &mut repairs)?;
        let fixed = String::from_utf8(fixed.section).unwrap();
        Ok((fixed.split_once("+0000\r\n").unwrap().1.to_owned(), repairs.to_string()))
    }

    /// What `fixup` made of a section, without the Received field.
    fn rest(section: &str) -> String {
        let fixed = fix(section, &trace(), &OPTIONS);
        fixed.split_once("+0000\r\n").unwrap().1.to_owned()
    }

    const WHOLE: &str = "Date: Fri, 21 Nov 2025 03:53:00 +0000\r\nMessage-ID: <1@example.org>\r\n";

    #[test]
    fn a_trace_tells_what_is_known_and_hides_the_client() {
        assert_eq!(
            fix(&format!("{WHOLE}\r\n"), &trace(), &OPTIONS),
            format!(
                "Received: from hidden.invalid\r\n by mail.example.org (Gatepost) with ESMTPSA (TLSv1.3 TLS_AES_128_GCM_SHA256)\r\n \
                 id {};\r\n Fri, 21 Nov 2025 03:53:00 +0000\r\n{WHOLE}\r\n",
                trace().queue_id
            )
        );
    }

    #[test]
    fn missing_date_and_message_id_are_added_at_the_end() {
        assert_eq!(
            rest("From: a@example.org\r\n\r\n"),
            "From: a@example.org\r\nDate: Fri, 21 Nov 2025 03:53:00 +0000\r\n\
             Message-ID: <abababababababababababababababab@mail.example.org>\r\n\r\n"
        );
    }

    #[test]
    fn it_is_told_what_the_message_calls_itself() {
        let told = |section: &str, options: &Options| {
            let header = Header::parse(section.as_bytes()).unwrap();
            fixup(&header, &ANYBODY, &trace(), options, &mut Repairs::default()).unwrap().message_id
        };
        let added = "<abababababababababababababababab@mail.example.org>";
        assert_eq!(told("Subject: x\r\n\r\n", &OPTIONS).as_deref(), Some(added));
        assert_eq!(told(WHOLE, &OPTIONS).as_deref(), Some("<1@example.org>"));
        let options = Options { add_missing_headers: false, ..OPTIONS };
        assert_eq!(told("Subject: x\r\n\r\n", &options), None);
    }

    #[test]
    fn a_message_of_headers_alone_gets_its_blank_line() {
        assert_eq!(rest(WHOLE), format!("{WHOLE}\r\n"));
    }

    #[test]
    fn nothing_is_added_where_the_operator_does_not_want_it() {
        let options = Options { add_missing_headers: false, ..OPTIONS };
        assert!(fix("Subject: x\r\n\r\n", &trace(), &options).ends_with("+0000\r\nSubject: x\r\n\r\n"));
    }

    #[test]
    fn blind_copies_and_return_paths_go_with_their_folds() {
        let section = format!(
            "RETURN-path: <a@b>\r\nBcc: a@example.org,\r\n\tb@example.org\r\n{WHOLE}resent-bcc:\r\nBcc2: stays\r\n\r\n"
        );
        assert_eq!(rest(&section), format!("{WHOLE}Bcc2: stays\r\n\r\n"));
        let kept = fix(&section, &trace(), &Options { remove_bcc: false, ..OPTIONS });
        assert!(kept.contains("Bcc: a@example.org,\r\n\tb@example.org\r\n"), "{kept}");
        assert!(kept.contains("resent-bcc:\r\n") && !kept.contains("RETURN-path"), "{kept}");
    }

    #[test]
    fn results_in_our_name_are_forged_and_others_are_not_ours_to_remove() {
        for forged in [
            "mail.example.org; dkim=pass",
            "MAIL.example.ORG 1; none",
            "(x) mail.example.org(y); none",
            "\r\n mail.example.org;\r\n spf=pass",
            "\"mail.example.org\"; none",
            "mail.example.org.; none",
            "(open",
        ] {
            assert_eq!(
                rest(&format!("Authentication-Results:{forged}\r\n{WHOLE}\r\n")),
                format!("{WHOLE}\r\n")
            );
        }
        let other = format!("Authentication-Results: mx.example.net; dkim=pass\r\n{WHOLE}\r\n");
        assert_eq!(rest(&other), other);
    }

    #[test]
    fn untouched_fields_stay_octet_for_octet() {
        let odd = format!(
            "X-Odd:no space\r\n{WHOLE}__proto__: \x07 \r\nSubject:  a\r\n\t b \r\nsubject: twice\r\n\r\n"
        );
        assert_eq!(rest(&odd), odd);
    }

    #[test]
    fn a_hundred_hops_pass_and_one_more_is_a_loop() {
        let hops = |count: usize| "Received: x\r\n".repeat(count) + WHOLE;
        let fixed = |count| {
            let header = hops(count);
            let header = Header::parse(header.as_bytes()).unwrap();
            fixup(&header, &ANYBODY, &trace(), &OPTIONS, &mut Repairs::default())
        };
        assert!(fixed(100).is_ok());
        assert_eq!(fixed(101), Err(FixupError::TooManyHops));
    }

    #[test]
    fn a_missing_from_is_added_and_empty_fields_go() {
        for (section, expected, told) in [
            ("Subject: x\r\n", "Subject: x\r\nFrom: me@gp.test\r\n\r\n", "no From"),
            ("", "From: me@gp.test\r\n\r\n", "no From"),
            (
                "From:\r\nSender: \r\nTo: x\r\n",
                "To: x\r\nFrom: me@gp.test\r\n\r\n",
                "no From, field without an address",
            ),
            ("From: root\r\n", "From: root <me@gp.test>\r\n\r\n", "no From, field without an address"),
            (
                "From: root (Cron @ x)\r\n",
                "From: root <me@gp.test>\r\n\r\n",
                "no From, field without an address",
            ),
            ("From: me@gp.test\r\nReply-To:\r\n", "From: me@gp.test\r\n\r\n", "field without an address"),
        ] {
            assert_eq!(judged(section), Ok((expected.to_owned(), told.to_owned())), "{section:?}");
        }
    }

    #[test]
    fn author_fields_are_written_anew_unless_they_are_plain() {
        let section = "From: \"ceo@bank.test\" <me@gp.test>\r\nto: \"a@b\" <c@d>\r\nreply-to: X (y) <me@gp.test>\r\nSender: Me <me@gp.test>\r\n";
        let expected = "From: \"ceo at bank.test\" <me@gp.test>\r\nto: \"a@b\" <c@d>\r\nreply-to: X <me@gp.test>\r\nSender: Me <me@gp.test>\r\n\r\n";
        assert_eq!(judged(section), Ok((expected.to_owned(), "author field".to_owned())));
    }

    #[test]
    fn what_a_signature_covers_is_neither_added_nor_rewritten_nor_removed() {
        let signed = |section: &str, names: &str| {
            judged(&format!("{section}DKIM-Signature: h={names}; bh=x; b=y\r\n"))
        };
        let plain = "From: Me <me@gp.test>\r\n";
        assert!(signed(plain, "from:sender:bcc").is_ok());
        assert!(
            signed("From: \"me@gp.test\" <me@gp.test>\r\n", "from")
                .is_ok_and(|(_, repairs)| repairs.is_empty())
        );
        for (section, names, error) in [
            ("Subject: x\r\n", "from", FixupError::Authors(AuthorsError::NoFromSigned)),
            ("From: <me@gp.test>\r\n", "from", FixupError::Authors(AuthorsError::Signed("From"))),
            (
                "From: me@gp.test\r\nSender:\r\n",
                "from:sender",
                FixupError::Authors(AuthorsError::Signed("Sender")),
            ),
            ("From: me@gp.test\r\nBcc: x\r\n", "from:bcc", FixupError::Signed("Bcc".into())),
        ] {
            assert_eq!(signed(section, names), Err(error), "{section:?}");
        }
        let without_date = rest(&format!("{plain}DKIM-Signature: h=from:date; b=x\r\n"));
        assert!(!without_date.contains("Date:") && without_date.contains("Message-ID:"), "{without_date}");
    }
}
