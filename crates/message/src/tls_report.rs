//! A report on how TLS went (RFC 8460 section 5.3), as a message: a sentence for people, and the figures as JSON, compressed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use types::{Mailbox, QueueId};

use crate::date::date_since_1970 as date;

/// How long a line of base64 may be (RFC 2045 section 6.8).
const LINE: usize = 76;

/// A report that is to be sent.
#[derive(Debug)]
pub struct TlsReportMail<'a> {
    /// Who reports: our name.
    pub hostname: &'a str,
    /// Whose mail hosts it is about, in A-labels.
    pub domain: &'a str,
    /// The name of the message in the queue.
    pub id: QueueId,
    /// When it is written.
    pub now: Timestamp,
    /// Who wants to have it.
    pub to: &'a [Mailbox],
    /// What the figures are called as a file (RFC 8460 section 5.1).
    pub file: &'a str,
    /// The figures: JSON, compressed by gzip.
    pub figures: &'a [u8],
}

impl TlsReportMail<'_> {
    /// What the message calls itself, with angle brackets.
    #[must_use]
    pub fn message_id(&self) -> String {
        format!("<{}@{}>", self.id, self.hostname)
    }

    /// Who sends it: whoever is responsible for this server. A domain of mail hosts takes reports that are signed for it (RFC 8460 section 3).
    #[must_use]
    pub fn from(hostname: &str) -> String {
        format!("postmaster@{hostname}")
    }

    /// Writes the message, in ASCII and short lines. `TLS-Required: No` has it sent even where TLS is out of order, which is what it tells of
    /// (RFC 8460 section 3, RFC 8689 section 5).
    #[must_use]
    pub fn compose(&self) -> Vec<u8> {
        let Self { hostname, domain, id, file, .. } = self;
        let (from, message_id, date) = (Self::from(hostname), self.message_id(), date(self.now));
        let to = self.to.iter().map(ToString::to_string).collect::<Vec<_>>().join(",\r\n ");
        let boundary = format!("=_{id}");
        let figures = base64_lines(self.figures);
        format!(
            "Date: {date}\r\nFrom: {from}\r\nTo: {to}\r\n\
             Subject: Report Domain: {domain}\r\n Submitter: {hostname}\r\n Report-ID: {message_id}\r\n\
             Message-ID: {message_id}\r\nAuto-Submitted: auto-generated\r\nTLS-Report-Domain: {domain}\r\nTLS-Report-Submitter: {hostname}\r\n\
             TLS-Required: No\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type=\"tlsrpt\";\r\n boundary=\"{boundary}\"\r\n\r\n\
             --{boundary}\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n\
             This is a report of {hostname} on how TLS went with the mail hosts of\r\n{domain} (RFC 8460). It is for programs; the figures are attached.\r\n\r\n\
             --{boundary}\r\nContent-Type: application/tlsrpt+gzip\r\nContent-Transfer-Encoding: base64\r\n\
             Content-Disposition: attachment;\r\n filename=\"{file}\"\r\n\r\n{figures}--{boundary}--\r\n"
        )
        .into_bytes()
    }
}

fn base64_lines(octets: &[u8]) -> String {
    let groups = octets.chunks(LINE / 4 * 3);
    groups.map(|group| STANDARD.encode(group) + "\r\n").collect()
}
