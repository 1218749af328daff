//! Writing a report: its header, and its parts between their boundaries.

use types::{Mailbox, ReportEvent};

use super::report::{Original, Report};
use super::{original, quote, status, words};
use crate::date::date_since_1970 as date;
use crate::mime::{Survey, Surveyed, Target};

/// A report that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composed {
    /// The message.
    pub content: Vec<u8>,
    /// Its Message-ID, with angle brackets.
    pub message_id: String,
    /// Whether it has octets above 127.
    pub eight_bit: bool,
    /// Whether its own header has: the sender has an address that can be written in UTF-8 alone.
    pub smtputf8: bool,
    /// Whether it has to be re-encoded when it leaves: the message that comes back has a line too long for any host, or raw octets in
    /// the header of a part.
    pub must_be_rewritten: bool,
}

impl Report<'_> {
    /// Writes the report, so that any next host can take it: of a message that cannot be re-encoded for one without 8BITMIME the header
    /// alone comes back, or the report would fail for the reason that its message did.
    #[must_use]
    pub fn compose(&self) -> Composed {
        let (composed, surveyed) = self.with(&self.original);
        // A host with SMTPUTF8 has 8BITMIME (RFC 6531 section 3.1).
        let least = if composed.smtputf8 { Target::EightBit } else { Target::SevenBit };
        match self.original {
            Original::Whole(octets) if surveyed.plan(least).is_err() => {
                self.with(&Original::Header(octets)).0
            }
            Original::Whole(_) | Original::Header(_) | Original::Nothing => composed,
        }
    }

    /// The report with so much of the message.
    fn with(&self, original: &Original<'_>) -> (Composed, Surveyed) {
        let boundary = format!("=_{}", self.id);
        let body = self.body(&boundary, original);
        let mut content = self.header(&boundary, body.is_ascii()).into_bytes();
        let smtputf8 = !content.is_ascii();
        content.extend_from_slice(&body);
        let mut survey = Survey::of_message();
        survey.feed(&content);
        let surveyed = survey.finish();
        let composed = Composed {
            eight_bit: !content.is_ascii(),
            content,
            message_id: self.own_message_id(),
            smtputf8,
            must_be_rewritten: surveyed.must_be_rewritten(),
        };
        (composed, surveyed)
    }

    fn body(&self, boundary: &str, original: &Original<'_>) -> Vec<u8> {
        let mut body = Vec::new();
        for part in [words::part(self), status::part(self)] {
            body.extend_from_slice(format!("--{boundary}\r\n{part}\r\n").as_bytes());
        }
        if let Some(part) = original::part(original) {
            body.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
            body.extend_from_slice(&part);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        body
    }

    /// The header section with its blank line. RFC 3834 section 5: a reply of a program says so. RFC 6522 section 3: the content type. RFC
    /// 2045 section 6.4: what has parts in 8 bits is in 8 bits itself.
    fn header(&self, boundary: &str, ascii: bool) -> String {
        let (host, date, subject) = (self.hostname, date(self.now), self.subject());
        let (to, id) = (to(self.to), self.own_message_id());
        let refers = self.message_id.filter(|id| quote::is_message_id(id));
        let refers =
            refers.map(|id| format!("In-Reply-To: {id}\r\nReferences: {id}\r\n")).unwrap_or_default();
        let encoding = if ascii { "" } else { "Content-Transfer-Encoding: 8bit\r\n" };
        format!(
            "Date: {date}\r\nFrom: Mail Delivery System <MAILER-DAEMON@{host}>\r\nTo: {to}\r\nSubject: {subject}\r\n\
             Message-ID: {id}\r\n{refers}Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type=delivery-status;\r\n boundary=\"{boundary}\"\r\n{encoding}\r\n"
        )
    }

    fn own_message_id(&self) -> String {
        format!("<{}@{}>", self.id, self.hostname)
    }

    /// The gravest of what the report tells.
    fn subject(&self) -> &'static str {
        let any = |is: fn(ReportEvent) -> bool| self.recipients.iter().any(|recipient| is(recipient.event));
        if any(ReportEvent::is_failure) {
            "Undeliverable: your message could not be delivered"
        } else if any(|event| event == ReportEvent::Late) {
            "Delayed: your message has not been delivered yet"
        } else if any(|event| event == ReportEvent::Delivered) {
            "Delivered: your message has arrived"
        } else {
            "Relayed: your message has been passed on"
        }
    }
}

/// An address as it can stand in a header in ASCII, if it has such a form: its domain has one.
fn to(mailbox: &Mailbox) -> String {
    let (given, host) = (mailbox.to_string(), mailbox.host().to_string());
    match given.strip_suffix(host.as_str()) {
        Some(local_part) if local_part.is_ascii() => format!("{local_part}{}", mailbox.host().normal()),
        Some(_) | None => given,
    }
}
