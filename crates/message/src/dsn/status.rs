//! The part of a report that programs read (RFC 3464 section 2).

use std::borrow::Cow;

use jiff::Timestamp;
use types::{ForwardPath, OriginalRecipient, UtcTime};

use super::quote::{self, field};
use super::report::{Report, ReportedRecipient};
use crate::date::date_since_1970 as date;

/// The most octets of an envelope's name: ENVID has 100 (RFC 3461 section 4.4).
const ENVID: usize = 100;
/// The most octets of the name of a host.
const HOST: usize = 255;

/// The part with its header.
pub(super) fn part(report: &Report<'_>) -> String {
    let utf8 = report.recipients.iter().any(ReportedRecipient::is_utf8);
    let mut part = String::from(if utf8 {
        // RFC 6533 section 3.
        "Content-Type: message/global-delivery-status\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    } else {
        "Content-Type: message/delivery-status\r\n\r\n"
    });
    part.push_str(&about_message(report));
    let share = quote::share(report.recipients.len());
    for recipient in report.recipients {
        part.push_str("\r\n");
        part.push_str(&about_recipient(recipient, share, report.hostname));
    }
    part
}

/// RFC 3464 section 2.2.
fn about_message(report: &Report<'_>) -> String {
    let envid = report.envid.filter(|envid| !envid.trim().is_empty()).map(envelope_id);
    [
        field("Reporting-MTA", &format!("dns; {}", report.hostname)),
        envid.unwrap_or_default(),
        field("Arrival-Date", &date(report.accepted_at)),
        // RFC 4865 section 7, RFC 2852 section 5.
        report.held_until.map(future_release_request).unwrap_or_default(),
        report.deliver_by.map(|at| field("Deliver-By-Date", &date(at))).unwrap_or_default(),
    ]
    .concat()
}

fn future_release_request(until: Timestamp) -> String {
    field("Future-Release-Request", &format!("until; {}", UtcTime::from_unix(until.as_second())))
}

/// RFC 3464 section 2.2.1: as the sender has spelled it. Not folded: its blanks are part of it.
fn envelope_id(envid: &str) -> String {
    let (envid, _) = envid.split_at(envid.floor_char_boundary(ENVID));
    format!("Original-Envelope-Id: {}\r\n", quote::ascii(&quote::address(envid)))
}

/// RFC 3464 section 2.3.
fn about_recipient(recipient: &ReportedRecipient<'_>, share: usize, hostname: &str) -> String {
    let path = recipient.path;
    let mut fields = recipient.original.map(original_recipient).unwrap_or_default();
    fields.push_str(&address_field("Final-Recipient", address_type(path), &address(path, hostname)));
    fields.push_str(&field("Action", recipient.event.action()));
    fields.push_str(&field("Status", &recipient.status.to_string()));
    if let Some(host) = recipient.host {
        fields.push_str(&field("Remote-MTA", &format!("dns; {}", quote::ascii(&quote::line(host, HOST)))));
    }
    if let Some(reply) = recipient.reply {
        // RFC 3464 section 2.3.6: `smtp` is for what an SMTP server said.
        let kind = if recipient.said_by_host { "smtp" } else { "x-gatepost" };
        let reply = quote::ascii(&quote::line(reply, share));
        fields.push_str(&field("Diagnostic-Code", &format!("{kind}; {reply}")));
    }
    if let Some(at) = recipient.last_attempt_at {
        fields.push_str(&field("Last-Attempt-Date", &date(at)));
    }
    if let Some(until) = recipient.retry_until {
        fields.push_str(&field("Will-Retry-Until", &date(until)));
    }
    fields
}

/// As it is kept: with its type (RFC 3464 section 2.3.1).
fn original_recipient(original: &OriginalRecipient) -> String {
    let text = original.to_string();
    match text.split_once(';') {
        Some((kind, address)) => address_field("Original-Recipient", kind, address),
        None => String::new(),
    }
}

/// Not folded: blanks in an address are part of it.
fn address_field(name: &str, kind: &str, address: &str) -> String {
    format!("{name}: {}; {}\r\n", quote::address(kind), quote::address(address))
}

/// RFC 6533 section 3.
fn address_type(path: &ForwardPath) -> &'static str {
    if path.is_ascii() { "rfc822" } else { "utf-8" }
}

/// The address; that of a postmaster without a domain is ours.
fn address<'a>(path: &ForwardPath, hostname: &'a str) -> Cow<'a, str> {
    match path.mailbox() {
        Some(mailbox) => mailbox.to_string().into(),
        None => format!("postmaster@{hostname}").into(),
    }
}

impl ReportedRecipient<'_> {
    /// Whether one of its addresses can be written in UTF-8 alone.
    fn is_utf8(&self) -> bool {
        !self.path.is_ascii() || self.original.is_some_and(|original| !original.to_string().is_ascii())
    }
}
