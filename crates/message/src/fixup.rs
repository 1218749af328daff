//! What a submission server changes in a header section (RFC 6409 section 8), and nothing else.

use std::net::IpAddr;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use jiff::tz::TimeZone;
use types::{EhloName, ForwardPath, QueueId, TlsFacts};

use crate::mailbox_list::skip_cfws;
use crate::received::received;
use crate::{Field, Header};

/// The most Received fields that a message may bring along. RFC 5321 section 6.3 asks for at least 100.
pub const MAX_HOPS: usize = 100;

/// What is known of a message's arrival.
#[derive(Debug, Clone)]
pub struct Trace<'a> {
    /// The name of this server.
    pub hostname: &'a str,
    /// Under which the message was accepted.
    pub queue_id: QueueId,
    /// When it was.
    pub now: Timestamp,
    /// Random octets for a Message-ID, should one be missing.
    pub message_id_random: [u8; 16],
    /// TLS of the session.
    pub tls: Option<TlsFacts>,
    /// Whether the message came with SMTPUTF8.
    pub utf8: bool,
    /// The recipient, if there is only one: a trace must not tell recipients of each other.
    pub recipient: Option<&'a ForwardPath>,
    /// What the client calls itself and its address; `None` to tell nobody.
    pub client: Option<(EhloName, IpAddr)>,
}

/// What the operator wants changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Add Date and Message-ID where they are missing. RFC 6409 sections 8.2 and 8.3.
    pub add_missing_headers: bool,
    /// Remove Bcc and Resent-Bcc.
    pub remove_bcc: bool,
}

/// Why a header section cannot be fixed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FixupError {
    /// More than [`MAX_HOPS`] Received fields: the message runs in a circle.
    #[error("the message has passed too many servers")]
    TooManyHops,
    /// The time given has a year that RFC 5322 cannot write.
    #[error("the time of acceptance cannot be written as a date")]
    Date,
}

/// Writes the header section that travels on, with the blank line at its end: our Received field first, then
/// all fields in their order and octet for octet, but those which must go, then what was missing.
///
/// # Errors
/// [`FixupError`].
pub fn fixup(header: &Header<'_>, trace: &Trace<'_>, options: &Options) -> Result<Vec<u8>, FixupError> {
    if header.named("Received").count() > MAX_HOPS {
        return Err(FixupError::TooManyHops);
    }
    let date = date_time(trace.now)?;
    let mut out = Vec::with_capacity(header.octets().saturating_add(ADDED));
    out.extend_from_slice(received(trace, &date).as_bytes());
    for field in header.fields().filter(|field| !must_go(field, trace, options)) {
        out.extend_from_slice(field.raw().as_bytes());
    }
    if options.add_missing_headers {
        out.extend_from_slice(missing(header, trace, &date).as_bytes());
    }
    out.extend_from_slice(b"\r\n");
    Ok(out)
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
    let Ok(start) = skip_cfws(results) else { return true };
    let id = start.split([' ', '\t', '\r', ';', '(']).next().unwrap_or_default();
    id.starts_with('"') || id.trim_end_matches('.').eq_ignore_ascii_case(hostname)
}

/// RFC 6409 sections 8.2 and 8.3.
fn missing(header: &Header<'_>, trace: &Trace<'_>, date: &str) -> String {
    let mut fields = String::new();
    if header.named("Date").next().is_none() {
        fields.push_str(&format!("Date: {date}\r\n"));
    }
    if header.named("Message-ID").next().is_none() {
        let unique = u128::from_be_bytes(trace.message_id_random);
        fields.push_str(&format!("Message-ID: <{unique:032x}@{}>\r\n", trace.hostname));
    }
    fields
}

/// `date-time` of RFC 5322 section 3.3, in UTC.
fn date_time(now: Timestamp) -> Result<String, FixupError> {
    DateTimePrinter::new().zoned_to_string(&now.to_zoned(TimeZone::UTC)).map_err(|_| FixupError::Date)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authors;

    const OPTIONS: Options = Options { add_missing_headers: true, remove_bcc: true };
    const NOW: Timestamp = Timestamp::constant(1_763_697_180, 0);

    fn trace() -> Trace<'static> {
        Trace {
            hostname: "mail.example.org",
            queue_id: QueueId::new(1_763_697_180_000, [7; 10]),
            now: NOW,
            message_id_random: [0xab; 16],
            tls: Some(TlsFacts { version: "TLSv1.3", cipher: "TLS_AES_128_GCM_SHA256" }),
            utf8: false,
            recipient: None,
            client: None,
        }
    }

    fn fix(section: &str, trace: &Trace<'_>, options: &Options) -> String {
        let header = Header::parse(section.as_bytes()).unwrap();
        String::from_utf8(fixup(&header, trace, options).unwrap()).unwrap()
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
        let fixed = |count| fixup(&Header::parse(hops(count).as_bytes()).unwrap(), &trace(), &OPTIONS);
        assert!(fixed(100).is_ok());
        assert_eq!(fixed(101), Err(FixupError::TooManyHops));
    }

    #[test]
    fn what_was_fixed_up_has_the_same_authors() {
        let fixed = fix("Bcc: c@example.org\r\nFrom: A <a@example.org>\r\n\r\n", &trace(), &OPTIONS);
        let header = Header::parse(fixed.as_bytes()).unwrap();
        assert_eq!(authors(&header).unwrap().len(), 1);
    }
}
