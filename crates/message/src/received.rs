//! The trace that this server leaves: one Received field (RFC 5321 section 4.4).

use std::borrow::Cow;

use types::{EhloName, ForwardPath, Host};

use crate::Trace;

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
    format!("Received: from {client}\r\n by {by} (Gatepost) with {with}{tls}\r\n id {id}{to};\r\n {date}\r\n")
}

/// `Extended-Domain`: what the client calls itself, with its address as `TCP-info`.
fn client(trace: &Trace<'_>) -> Cow<'static, str> {
    let Some((ehlo, address)) = &trace.client else { return Cow::Borrowed(HIDDEN_CLIENT) };
    // A client on a socket for both families has its IPv4 address mapped into IPv6.
    let address = Host::Literal(address.to_canonical());
    Cow::Owned(if is_strict(ehlo) { format!("{ehlo} ({address})") } else { format!("{address} ({address})") })
}

/// EHLO is read with more patience than a trace may be written.
fn is_strict(ehlo: &EhloName) -> bool {
    Host::parse(ehlo.as_str()).is_ok()
}

/// The keyword of RFC 3848 or RFC 6531 section 4.3. Mail comes in only after AUTH, which needs EHLO.
fn protocol(trace: &Trace<'_>) -> &'static str {
    match (trace.utf8, trace.tls.is_some()) {
        (false, false) => "ESMTPA",
        (false, true) => "ESMTPSA",
        (true, false) => "UTF8SMTPA",
        (true, true) => "UTF8SMTPSA",
    }
}

/// The recipient, if the trace can name it: it needs a full path, of characters that this message may have, and
/// one which needs no quotes, so that no `;` or bracket of a local part can be taken for the trace's own.
fn nameable<'a>(trace: &Trace<'a>) -> Option<&'a ForwardPath> {
    trace.recipient.filter(|path| {
        path.mailbox().is_some_and(|mailbox| !mailbox.is_quoted()) && (trace.utf8 || path.is_ascii())
    })
}
