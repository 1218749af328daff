//! An account and messages to test with, and a way to run a part of a test in a process of its own.
#![allow(dead_code, clippy::allow_attributes, reason = "no test binary uses all of it")]

use std::net::IpAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use bytes::Bytes;
use jiff::Timestamp;
use store::{
    Account, Act, Body, Deadline, Entry, Leased, NewDelivery, Node, Nodes, Outcome, Page, QueueFilter, Spool,
    SpoolError, Submission,
};
use store_sqlite::{Incoming, Mode, SqliteSpool, SqliteStore};
use types::{
    AccountId, ByMode, EnvelopeRecipient, ForwardPath, Handover, Mailbox, NodeId, Notify, OriginalRecipient,
    Priority, QueueId, Ret, ReversePath, SessionId, TlsRequired,
};

pub(crate) async fn server(directory: &Path) -> SqliteStore {
    SqliteStore::open(directory, Mode::Server).await.unwrap()
}

pub(crate) fn id(n: u64) -> QueueId {
    QueueId::new(1_790_000_000_000 + n, [7; 10])
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + seconds).unwrap()
}

pub(crate) fn ann() -> Account {
    let address = Mailbox::parse("ann@example.org").unwrap();
    Account::new(AccountId::from_bytes([1; 16]), address, Timestamp::UNIX_EPOCH)
}

pub(crate) fn submission(id: QueueId) -> Submission {
    let mailbox = |text| Mailbox::parse(text).unwrap();
    let (account, alice) =
        (AccountId::from_bytes([1; 16]), ReversePath::Mailbox(mailbox("alice@example.org")));
    Submission {
        recipients: vec![ForwardPath::Mailbox(mailbox("bob@example.net")).into()],
        ..Submission::new(id, account, "alice@example.org", alice, at(0))
    }
}

/// All that can be known of a message.
pub(crate) fn fully_known(id: QueueId) -> Submission {
    let mut bob = EnvelopeRecipient::new(ForwardPath::Mailbox(Mailbox::parse("bob@example.net").unwrap()));
    (bob.notify, bob.orcpt) =
        (Notify::from_text("DELAY"), OriginalRecipient::from_text("rfc822;bob@example.org"));
    Submission {
        recipients: vec![bob],
        not_before: Some(at(1)),
        deliver_by: Some(Deadline { at: at(600), mode: ByMode::Return, trace: true }),
        priority: Priority::URGENT,
        tls_required: TlsRequired::Yes,
        message_id: Some("<1@example.org>".to_owned()),
        ret: Some(Ret::Full),
        envid: Some("order 66".into()),
        credential: Some("password".to_owned()),
        session: Some(SessionId::new([7; 8])),
        ip: Some(IpAddr::from([192, 0, 2, 1])),
        tls_version: Some("TLSv1.3".into()),
        tls_cipher: Some("TLS_AES_128_GCM_SHA256".into()),
        ..submission(id)
    }
}

/// What the message of this id says: different for each, so that a mix-up is seen.
pub(crate) fn text(id: QueueId, octets: usize) -> Vec<u8> {
    let mut text = format!("{id}\r\n").into_bytes().repeat(octets / 28 + 1);
    text.truncate(octets);
    text
}

pub(crate) async fn commit(spool: &SqliteSpool, id: QueueId, octets: usize) -> Result<(), SpoolError> {
    let mut incoming = spool.open(id);
    for chunk in text(id, octets).chunks(16_384) {
        spool.append(&mut incoming, Bytes::copy_from_slice(chunk)).await?;
    }
    commit_received(spool, submission(id), incoming).await
}

pub(crate) async fn commit_received(
    spool: &SqliteSpool,
    submission: Submission,
    incoming: Incoming,
) -> Result<(), SpoolError> {
    let delivery = NewDelivery::of_all(&submission, "there".into(), None);
    spool.commit(submission, incoming, vec![delivery]).await.map(drop)
}

pub(crate) async fn content(spool: &SqliteSpool, leased: &Leased) -> Result<Vec<u8>, SpoolError> {
    let (mut body, mut content) = (spool.body(leased).await?, Vec::new());
    while let Some(chunk) = body.next_chunk().await? {
        content.extend_from_slice(&chunk);
    }
    Ok(content)
}

/// The first thousand of all entries.
pub(crate) async fn all(spool: &SqliteSpool) -> Vec<Entry> {
    spool.list(&QueueFilter::default(), Page::first(1000)).await.unwrap()
}

/// What Frank does at the command line.
pub(crate) fn frank(seconds: i64) -> Act {
    Act::command("frank", at(seconds))
}

pub(crate) const NODE: NodeId = NodeId::from_bytes([1; 16]);

/// Leases to the node of the tests all that is due.
pub(crate) async fn lease(spool: &SqliteSpool) -> Vec<Leased> {
    let (name, version) = ("node".to_owned(), "1.2.3".to_owned());
    spool.join(&Node { id: NODE, name, version, started_at: at(0), newest_key: None }).await.unwrap();
    let (mut leased, mut waiting) = (Vec::new(), spool.waiting(Page::first(100)).await.unwrap());
    waiting.retain(|waiting| waiting.due_at <= at(1));
    loop {
        let room = waiting.iter().map(|waiting| (waiting.destination.clone(), 1000)).collect();
        let more = spool.lease_due(NODE, at(1), room).await.unwrap();
        if more.is_empty() {
            return leased;
        }
        leased.extend(more);
    }
}

pub(crate) async fn deliver(spool: &SqliteSpool, leased: &Leased) -> Result<(), SpoolError> {
    let delivered = Outcome::Delivered {
        reply: "250 Ok".to_owned(),
        host: None,
        said_by_host: true,
        handover: Handover::WithoutDsn,
    };
    spool.record(leased, vec![(0, delivered)], None, at(2)).await.map(drop)
}

/// The directory that this process was given, if it is the child of a test: it then does the child's part of the test.
pub(crate) fn given() -> Option<std::path::PathBuf> {
    std::env::var_os("GATEPOST_TEST_STORE").map(Into::into)
}

/// Runs the test `name` of this binary in a process of its own, where [`given`] is `directory`. A shell starts it with
/// this command, in which `"$@"` is the process.
pub(crate) fn child(name: &str, directory: &Path, command: &str) -> Child {
    let itself = std::env::current_exe().unwrap();
    Command::new("sh")
        .args(["-c", command, "sh"])
        .arg(itself)
        .args(["--exact", name, "--nocapture"])
        .env("GATEPOST_TEST_STORE", directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}
