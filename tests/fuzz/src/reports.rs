//! Reports to senders: whatever others have said, each is a message with a header of ours, three parts, and one group of fields for each
//! recipient.

use jiff::Timestamp;
use message::{Original, Report, ReportedRecipient, Status};
use types::{ForwardPath, Mailbox, OriginalRecipient, QueueId, ReportEvent};

/// What others say, with an octet of 0 between: the reply, the host, the name of the envelope, the Message-ID, the original recipient, and what
/// comes back of the message.
pub(crate) fn holds(data: &[u8]) {
    let id = QueueId::from_bytes([7; 16]);
    // The identifier of a report is in its boundary, is random, and is made when all of this was said.
    if String::from_utf8_lossy(data).contains(&id.to_string()) {
        return;
    }
    let mut said = data.splitn(6, |octet| *octet == 0);
    let mut next = || String::from_utf8_lossy(said.next().unwrap_or_default()).into_owned();
    let (reply, host, envid, message_id, original) = (next(), next(), next(), next(), next());
    let returned = said.next().unwrap_or_default();
    let original = OriginalRecipient::from_text(&original);
    let path = ForwardPath::take("<bob@example.net>").expect("a path").0;
    let to = Mailbox::parse("alice@example.org").expect("a mailbox");
    let one = |event, said_by_host| ReportedRecipient {
        path: &path,
        original: original.as_ref(),
        event,
        retry_until: (event == ReportEvent::Late).then_some(Timestamp::UNIX_EPOCH),
        status: Status(5, 1, 1),
        host: Some(&host),
        reply: Some(&reply),
        said_by_host,
        last_attempt_at: Some(Timestamp::UNIX_EPOCH),
    };
    let recipients = [one(ReportEvent::Refused, true), one(ReportEvent::Late, false)];
    let report = Report {
        hostname: "mail.example.org",
        id,
        now: Timestamp::UNIX_EPOCH,
        to: &to,
        accepted_at: Timestamp::UNIX_EPOCH,
        message_id: Some(&message_id),
        envid: Some(&envid),
        held_until: None,
        deliver_by: None,
        recipients: &recipients,
        original: Original::Header(returned),
    };
    let composed = report.compose();
    let text = String::from_utf8(composed.content).expect("a report is UTF-8");
    is_clean(&text);
    let parts = parts(&text, report.id);
    assert_eq!(parts.len(), 3, "{text:?}");
    has_groups(parts[1].1);
}

/// Nothing that would end a line, or a text, for anybody.
fn is_clean(text: &str) {
    for line in text.split("\r\n") {
        assert!(line.len() <= 998 && !line.contains(['\r', '\n', '\0']), "{line:?}");
    }
    let (header, _) = text.split_once("\r\n\r\n").expect("a header");
    let names = header.split("\r\n").filter(|line| !line.starts_with(' '));
    let names: Vec<_> = names.map(|line| line.split_once(": ").expect("a field").0).collect();
    let ours = ["Date", "From", "To", "Subject", "Message-ID"];
    let more = [
        "In-Reply-To",
        "References",
        "Auto-Submitted",
        "MIME-Version",
        "Content-Type",
        "Content-Transfer-Encoding",
    ];
    assert!(
        names.starts_with(&ours) && names.iter().skip(ours.len()).all(|name| more.contains(name)),
        "{names:?}"
    );
}

/// Header and content of each part.
fn parts(text: &str, id: QueueId) -> Vec<(&str, &str)> {
    let boundary = format!("--=_{id}");
    let (_, rest) = text.split_once(&format!("\r\n{boundary}\r\n")).expect("a first part");
    let rest = rest.strip_suffix(&format!("\r\n{boundary}--\r\n")).expect("an end");
    rest.split(&format!("\r\n{boundary}\r\n"))
        .map(|part| part.split_once("\r\n\r\n").expect("a header"))
        .collect()
}

/// Fields of the names that there are, each once: a group about the message, and one for each recipient.
fn has_groups(status: &str) {
    let known = [
        "Reporting-MTA",
        "Original-Envelope-Id",
        "Arrival-Date",
        "Original-Recipient",
        "Final-Recipient",
        "Action",
        "Status",
        "Remote-MTA",
        "Diagnostic-Code",
        "Last-Attempt-Date",
        "Will-Retry-Until",
    ];
    let groups: Vec<_> = status.trim_end_matches("\r\n").split("\r\n\r\n").collect();
    assert_eq!(groups.len(), 3, "{status:?}");
    for group in groups {
        let mut seen = Vec::new();
        for line in group.split("\r\n").filter(|line| !line.starts_with(' ')) {
            let name = line.split_once(": ").map(|(name, _)| name);
            let name = name.filter(|name| known.contains(name) && !seen.contains(name));
            seen.push(name.unwrap_or_else(|| panic!("{line:?} in {group:?}")));
        }
    }
}
