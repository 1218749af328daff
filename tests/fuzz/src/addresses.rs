//! Address lists: author fields that are written anew name the same people, to the strict reading, and are of the one form
//! that needs no second writing.

use jiff::Timestamp;
use message::{Authors, Authorship, Header, Options, Repairs, Trace, fixup};
use types::{Mailbox, QueueId};

use crate::header::section;
use crate::pieces::clean;

/// A header section.
pub(crate) fn holds(data: &[u8]) {
    let message = clean(data);
    let Ok((gathered, _)) = section(&message, true, usize::MAX) else { return };
    let Ok((fields, _)) = gathered.repaired() else { return };
    let Ok(header) = Header::parse(&fields) else { return };
    if let Ok(strict) = Authors::read(&header, false) {
        let patient = Authors::read(&header, true).expect("patience reads what strictness does");
        assert_eq!(speakers(&strict), speakers(&patient));
    }
    let Ok(authors) = Authors::read(&header, true) else { return };
    for all_own in [true, false] {
        let Some(anew) = written(&header, &authors, all_own) else { continue };
        let again = Header::parse(&anew).unwrap_or_else(|error| panic!("{error}: {}", anew.escape_ascii()));
        let read =
            Authors::read(&again, false).unwrap_or_else(|error| panic!("{error}: {}", anew.escape_ascii()));
        names_the_same(&authors, &read, all_own);
        let twice = written(&again, &read, all_own).expect("what was written can be written again");
        assert_eq!(without_trace(&twice), anew.escape_ascii().to_string(), "written twice");
    }
}

fn alice() -> Mailbox {
    Mailbox::parse("alice@example.org").expect("an address")
}

/// The section as it would travel on. Whoever has no author is Alice's.
fn written(header: &Header<'_>, authors: &Authors<'_>, all_own: bool) -> Option<Vec<u8>> {
    let alice = alice();
    let authorship = Authorship { authors: Some(authors.clone()), author: Some(&alice), own: &|_| all_own };
    let trace = Trace {
        hostname: "mail.example.org",
        queue_id: QueueId::new(0, [0; 10]),
        now: Timestamp::UNIX_EPOCH,
        message_id_random: [0; 16],
        tls: None,
        extended: true,
        authenticated: true,
        utf8: false,
        priority: types::Priority::NORMAL,
        recipient: None,
        client: None,
    };
    let options = Options { add_missing_headers: false, remove_bcc: false };
    fixup(header, &authorship, &trace, &options, &mut Repairs::default()).ok().map(|fixed| fixed.section)
}

/// Each address in whose name the message speaks, and the field.
fn speakers(authors: &Authors<'_>) -> Vec<(&'static str, String)> {
    authors.speakers().map(|(field, mailbox)| (field, mailbox.normal())).collect()
}

/// Nobody is there who was not, and nobody of those who stood for themselves is gone. Addresses of others that stood in a name
/// may be.
fn names_the_same(before: &Authors<'_>, after: &Authors<'_>, all_own: bool) {
    let (mut was, is) = (speakers(before), speakers(after));
    if !before.has_from() {
        was.push(("From", alice().normal()));
    }
    let added: Vec<_> = is.iter().filter(|speaker| !was.contains(speaker)).collect();
    assert!(added.is_empty(), "{added:?} beside {was:?}");
    let in_names: Vec<String> = before.in_names().map(|mailbox| mailbox.normal()).collect();
    let lost = was.iter().filter(|speaker| !is.contains(speaker) && !in_names.contains(&speaker.1));
    let lost: Vec<_> = lost.collect();
    assert!(lost.is_empty() || !all_own && before.in_names().next().is_some(), "{lost:?} of {was:?}");
}

/// Without our own Received field, which is the first.
fn without_trace(section: &[u8]) -> String {
    let header = Header::parse(section).expect("a section that was read before");
    let first = header.fields().next().map_or(0, |field| field.raw().len());
    section[first..].escape_ascii().to_string()
}
