//! The trace that this server leaves: one Received field (RFC 5321 section 4.4).

use std::borrow::Cow;
use std::net::IpAddr;

use jiff::Timestamp;
use types::{EhloName, ForwardPath, Host, Priority, QueueId, TlsFacts};

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
    /// Whether the client had said EHLO, and not HELO.
    pub extended: bool,
    /// Whether it had logged in.
    pub authenticated: bool,
    /// Whether the message came with SMTPUTF8.
    pub utf8: bool,
    /// The recipient, if there is only one: a trace must not tell recipients of each other.
    pub recipient: Option<&'a ForwardPath>,
    /// How urgent it is (RFC 6710).
    pub priority: Priority,
    /// What the client calls itself and its address; `None` to tell nobody.
    pub client: Option<(EhloName, IpAddr)>,
}

/// Stands for a client that is not to be named: `from` must have a domain (RFC 5321 section 4.4), and this one
/// cannot exist (RFC 2606 section 2).
const HIDDEN_CLIENT: &str = "hidden.invalid";

/// The field, folded, with its last CRLF. `date` is a date-time of RFC 5322.
pub(crate) fn received(trace: &Trace<'_>, date: &str) -> String {
    let client = client(trace);
    let by = trace.hostname;
    let with = protocol(trace);
    let tls = trace.tls.map(|tls| format!(" ({} {})", tls.version, tls.cipher)).unwrap_or_default();
    let id = trace.queue_id;
    let to = nameable(trace).map(|path| format!("\r\n for {path}")).unwrap_or_default();
    let priority = priority(trace.priority);
    format!(
        "Received: from {client}\r\n by {by} (Gatepost) with {with}{tls}\r\n id {id}{to}{priority};\r\n {date}\r\n"
    )
}

/// The clause that RFC 6710 has registered for a Received field, behind all others; none for a message like most.
fn priority(priority: Priority) -> String {
    if priority == Priority::NORMAL { String::new() } else { format!("\r\n priority {priority}") }
}

/// `Extended-Domain`: what the client calls itself, with its address as `TCP-info`.
fn client(trace: &Trace<'_>) -> Cow<'static, str> {
    let Some((ehlo, address)) = &trace.client else { return Cow::Borrowed(HIDDEN_CLIENT) };
    // A client on a socket for both families has its IPv4 address mapped into IPv6.
    let address = Host::Literal(address.to_canonical());
    Cow::Owned(if is_strict(ehlo) { format!("{ehlo} ({address})") } else { format!("{address} ({address})") })
}

/// EHLO is read with more patience than a trace may be written, in whose domains are no underscores.
fn is_strict(ehlo: &EhloName) -> bool {
    !ehlo.as_str().contains('_') && Host::parse(ehlo.as_str()).is_ok()
}

/// The keyword of RFC 3848, or of RFC 6531 section 4.3. Behind HELO it is that of RFC 5321 section 4.4, which has no kin for TLS
/// and a login.
fn protocol(trace: &Trace<'_>) -> &'static str {
    if !trace.extended && !trace.utf8 {
        return "SMTP";
    }
    match (trace.utf8, trace.tls.is_some(), trace.authenticated) {
        (false, false, false) => "ESMTP",
        (false, false, true) => "ESMTPA",
        (false, true, false) => "ESMTPS",
        (false, true, true) => "ESMTPSA",
        (true, false, false) => "UTF8SMTP",
        (true, false, true) => "UTF8SMTPA",
        (true, true, false) => "UTF8SMTPS",
        (true, true, true) => "UTF8SMTPSA",
    }
}

/// The recipient, if the trace can name it: it needs a full path, in ASCII, for the header to need no SMTPUTF8 for the
/// trace's sake, and one which needs no quotes, so that no `;` or bracket of a local part can be taken for the trace's own.
fn nameable<'a>(trace: &Trace<'a>) -> Option<&'a ForwardPath> {
    let is_plain = |path: &&ForwardPath| {
        path.mailbox().is_some_and(|mailbox| !mailbox.is_quoted() && mailbox.is_ascii())
    };
    trace.recipient.filter(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Header;

    const DATE: &str = "Fri, 21 Nov 2025 03:53:00 +0000";

    fn trace() -> Trace<'static> {
        Trace {
            hostname: "mail.example.org",
            queue_id: QueueId::from_bytes([0; 16]),
            now: Timestamp::UNIX_EPOCH,
            message_id_random: [0; 16],
            tls: None,
            extended: true,
            authenticated: true,
            utf8: false,
            recipient: None,
            priority: Priority::NORMAL,
            client: None,
        }
    }

    fn client(ehlo: &str, address: &str) -> Option<(EhloName, IpAddr)> {
        Some((EhloName::parse(ehlo).unwrap(), address.parse().unwrap()))
    }

    fn path(text: &str) -> ForwardPath {
        ForwardPath::take(text).unwrap().0
    }

    #[test]
    fn a_whole_trace_is_one_field_of_five_short_lines() {
        let bob = path("<bob@example.net>");
        let tls = Some(TlsFacts::new("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"));
        let trace =
            Trace { tls, recipient: Some(&bob), client: client("laptop.example", "192.0.2.1"), ..trace() };
        let field = received(&trace, DATE);
        assert_eq!(
            field,
            "Received: from laptop.example ([192.0.2.1])\r\n by mail.example.org (Gatepost) with ESMTPSA (TLSv1.2 \
             TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384)\r\n id 00000000000000000000000000\r\n for <bob@example.net>;\r\n \
             Fri, 21 Nov 2025 03:53:00 +0000\r\n"
        );
        assert_eq!(Header::parse(field.as_bytes()).unwrap().fields().count(), 1);
    }

    #[test]
    fn a_message_that_is_not_like_most_has_its_priority_behind_its_recipient() {
        let bob = path("<bob@example.net>");
        for (number, clause) in [(4, "\r\n priority 4;"), (-9, "\r\n priority -9;"), (0, ";")] {
            let priority = Priority::new(number).unwrap();
            let field = received(&Trace { recipient: Some(&bob), priority, ..trace() }, DATE);
            assert!(field.contains(&format!("\r\n for <bob@example.net>{clause}\r\n Fri, ")), "{field}");
            assert_eq!(Header::parse(field.as_bytes()).unwrap().fields().count(), 1);
        }
    }

    #[test]
    fn the_protocol_tells_of_the_hello_of_tls_of_a_login_and_of_utf8() {
        let tls = Some(TlsFacts::new("TLSv1.3", "X"));
        for (extended, tls, authenticated, utf8, keyword) in [
            (false, None, false, false, " SMTP\r\n"),
            (false, tls, true, false, " SMTP (TLSv1.3 X)\r\n"),
            (true, None, false, false, " ESMTP\r\n"),
            (true, tls, false, false, " ESMTPS ("),
            (true, None, true, false, " ESMTPA\r\n"),
            (true, tls, true, false, " ESMTPSA ("),
            (true, None, false, true, " UTF8SMTP\r\n"),
            (true, tls, false, true, " UTF8SMTPS ("),
            (true, None, true, true, " UTF8SMTPA\r\n"),
            (true, tls, true, true, " UTF8SMTPSA ("),
        ] {
            let field = received(&Trace { extended, tls, authenticated, utf8, ..trace() }, DATE);
            assert!(field.contains(&format!(" with{keyword}")), "{keyword}: {field}");
        }
    }

    #[test]
    fn env_04_a_client_names_itself_within_the_grammar_or_is_named_by_its_address() {
        for (ehlo, address, from) in [
            ("laptop.example", "192.0.2.1", "laptop.example ([192.0.2.1])"),
            ("[10.0.0.1]", "192.0.2.1", "[10.0.0.1] ([192.0.2.1])"),
            ("localhost", "::ffff:192.0.2.1", "localhost ([192.0.2.1])"),
            ("[::1]", "2001:db8::1", "[IPv6:::1] ([IPv6:2001:db8::1])"),
            ("MY_PC", "192.0.2.1", "[192.0.2.1] ([192.0.2.1])"),
            ("-x", "192.0.2.1", "[192.0.2.1] ([192.0.2.1])"),
        ] {
            let field = received(&Trace { client: client(ehlo, address), ..trace() }, DATE);
            assert!(field.starts_with(&format!("Received: from {from}\r\n by ")), "{field}");
        }
        assert!(received(&trace(), DATE).starts_with("Received: from hidden.invalid\r\n by "));
    }

    #[test]
    fn only_a_plain_recipient_is_named() {
        for text in ["<Postmaster>", "<\"a; b\"@example.net>", "<é@example.net>", "<a@bücher.example>"] {
            let recipient = path(text);
            let field = received(&Trace { recipient: Some(&recipient), utf8: true, ..trace() }, DATE);
            assert!(!field.contains("for"), "{field}");
        }
    }
}
