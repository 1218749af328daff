//! Accounts and messages to test with.

use bytes::Bytes;
use jiff::Timestamp;
use types::{
    AccountId, CredentialId, ForwardPath, Handover, Mailbox, NodeId, QueueId, ReportEvent, ReversePath,
};

use crate::{
    Account, Accounts, Act, AppPassword, Body, Destination, Entry, LastUse, Leased, MasterKeyId,
    NewAppPassword, NewDelivery, NewReport, Node, Operated, Operation, Outcome, Page, QueueFilter, Scope,
    Spool, Submission, Telling,
};

/// A time, in seconds of an hour long past.
pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + seconds).unwrap()
}

pub(super) fn mailbox(text: &str) -> Mailbox {
    Mailbox::parse(text).unwrap()
}

pub(super) fn account(n: u8, address: &str) -> Account {
    Account {
        name: Some("Alice".to_owned()),
        password_hash: Some("$argon2id$…".to_owned()),
        ..Account::new(AccountId::from_bytes([n; 16]), mailbox(address), at(0))
    }
}

/// Alice and Bob, who have nothing yet but their addresses.
pub(super) async fn two_accounts<S: Accounts>(store: &S) -> [Account; 2] {
    let accounts = [account(1, "alice@example.org"), account(2, "bob@example.org")];
    for account in &accounts {
        store.add(account, &frank(0)).await.unwrap();
    }
    accounts
}

pub(super) fn app_password(n: u8, account: &Account) -> AppPassword {
    AppPassword {
        id: CredentialId::from_bytes([n; 16]),
        account: account.id,
        label: format!("telephone {n}"),
        scopes: vec![Scope::Smtp],
        networks: vec!["192.0.2.0/24".parse().unwrap(), "2001:db8::/32".parse().unwrap()],
        senders: vec!["\"of two\"@example.org".parse().unwrap(), "*@example.net".parse().unwrap()],
        created_at: at(i64::from(n)),
        expires_at: Some(at(1000)),
        last_used: None,
    }
}

/// An app password as it is made for an account that nobody has changed, without challenge keys.
pub(super) fn plain(app_password: &AppPassword, digest: [u8; 32]) -> NewAppPassword {
    NewAppPassword { app_password: app_password.clone(), digest, challenge_keys: Vec::new(), version: 1 }
}

pub(super) fn last_use(seconds: i64, ip: &str) -> LastUse {
    LastUse { at: at(seconds), ip: ip.parse().unwrap(), mechanism: "PLAIN".to_owned() }
}

/// A submission that is due at once, to these recipients.
pub(super) fn submission(n: u8, recipients: &[&str]) -> Submission {
    let (id, account) = (QueueId::from_bytes([n; 16]), AccountId::from_bytes([1; 16]));
    let alice = ReversePath::Mailbox(mailbox("alice@example.org"));
    Submission {
        recipients: recipients.iter().map(|text| ForwardPath::Mailbox(mailbox(text)).into()).collect(),
        message_id: Some(format!("<{n}@example.org>")),
        credential: Some("password".to_owned()),
        ..Submission::new(id, account, "alice@example.org", alice, at(i64::from(n)))
    }
}

/// Commits a small message whose recipients all go to one destination.
pub(super) async fn commit<S: Spool>(spool: &S, submission: Submission) {
    let delivery = NewDelivery::of_all(&submission, destination("there"), None);
    assert!(commit_to(spool, submission, vec![delivery]).await.is_empty());
}

/// Commits a small message; what is leased of it.
pub(super) async fn commit_to<S: Spool>(
    spool: &S,
    submission: Submission,
    deliveries: Vec<NewDelivery>,
) -> Vec<Leased> {
    let mut incoming = spool.open(submission.id);
    spool.append(&mut incoming, Bytes::from_static(b"Subject: hello\r\n\r\nhello\r\n")).await.unwrap();
    spool.commit(submission, incoming, deliveries).await.unwrap()
}

/// Commits a message whose recipients go to these destinations, one to each.
pub(super) async fn commit_apart<S: Spool>(spool: &S, n: u8, destinations: &[&str]) {
    let addresses: Vec<String> = destinations.iter().map(|name| format!("bob@{name}.example")).collect();
    let submission = submission(n, &addresses.iter().map(String::as_str).collect::<Vec<_>>());
    let delivery = |(number, name): (u32, &&str)| NewDelivery {
        destination: destination(name),
        recipients: vec![number],
        owner: None,
    };
    let deliveries = (0..).zip(destinations).map(delivery).collect();
    assert!(commit_to(spool, submission, deliveries).await.is_empty());
}

pub(super) fn destination(text: &str) -> Destination {
    Destination::from(text)
}

/// The first hundred of all entries.
pub(super) async fn all<S: Spool>(spool: &S) -> Vec<Entry> {
    spool.list(&QueueFilter::default(), Page::first(100)).await.unwrap()
}

pub(super) fn id(n: u8) -> QueueId {
    QueueId::from_bytes([n; 16])
}

/// What Frank does at the command line.
pub(super) fn frank(seconds: i64) -> Act {
    Act::command("frank", at(seconds))
}

/// What Frank does to an entry, if it is there.
pub(super) async fn operate<S: Spool>(spool: &S, operation: Operation, n: u8, now: i64) -> Option<Operated> {
    spool.operate(operation, vec![id(n)], &frank(now)).await.unwrap().pop()
}

/// A node that delivers.
pub(super) fn node(n: u8) -> NodeId {
    NodeId::from_bytes([n; 16])
}

/// A master key.
pub(super) fn master_key(number: u32) -> MasterKeyId {
    MasterKeyId { number, digest: [7; 8] }
}

/// Puts a node on the list, which has one master key.
pub(super) async fn join<S: Spool>(spool: &S, n: u8) {
    let node = Node {
        id: node(n),
        name: format!("node {n}"),
        version: "1.2.3".to_owned(),
        started_at: at(i64::from(n)),
        newest_key: Some(master_key(1)),
    };
    spool.join(&node).await.unwrap();
}

/// Leases to the first node all that is due.
pub(super) async fn lease<S: Spool>(spool: &S, now: i64) -> Vec<Leased> {
    join(spool, 1).await;
    lease_to(spool, 1, now, 100).await
}

/// Leases to a node what is due, up to so many for each destination.
pub(super) async fn lease_to<S: Spool>(spool: &S, n: u8, now: i64, at_most: u32) -> Vec<Leased> {
    let waiting = spool.waiting(Page::first(100)).await.unwrap();
    let room = waiting.into_iter().map(|waiting| (waiting.destination, at_most)).collect();
    spool.lease_due(node(n), at(now), room).await.unwrap()
}

/// When the first delivery is due that nobody has leased.
pub(super) async fn next_due<S: Spool>(spool: &S) -> Option<Timestamp> {
    spool.next_due().await.unwrap()
}

pub(super) async fn content<S: Spool>(spool: &S, leased: &Leased) -> Vec<u8> {
    let (mut body, mut content) = (spool.body(leased).await.unwrap(), Vec::new());
    while let Some(chunk) = body.next_chunk().await.unwrap() {
        content.extend_from_slice(&chunk);
    }
    content
}

pub(super) fn delivered() -> Outcome {
    let host = Some("mx.example.net".to_owned());
    Outcome::Delivered {
        reply: "250 2.0.0 Ok".to_owned(),
        host,
        said_by_host: true,
        handover: Handover::WithoutDsn,
    }
}

pub(super) fn deferred(next_attempt_at: Timestamp) -> Outcome {
    Outcome::Deferred {
        reply: "451 4.3.0 Later".to_owned(),
        host: None,
        said_by_host: false,
        next_attempt_at,
    }
}

pub(super) fn failed() -> Outcome {
    Outcome::Failed {
        reply: "550 5.1.1 Unknown".to_owned(),
        host: Some("mx.example.net".to_owned()),
        said_by_host: true,
        told: false,
    }
}

/// A failure that nobody is to be told of any more.
pub(super) fn told() -> Outcome {
    match failed() {
        Outcome::Failed { reply, host, said_by_host, .. } => {
            Outcome::Failed { reply, host, said_by_host, told: true }
        }
        other => other,
    }
}

/// A report with this number, to the sender of the messages of the tests.
pub(super) fn report(n: u8) -> NewReport {
    let submission = Submission { reverse_path: ReversePath::Null, ..submission(n, &["alice@example.org"]) };
    NewReport {
        submission,
        content: Bytes::from_static(b"Subject: Undeliverable\r\n\r\nIt is so.\r\n"),
        late: Vec::new(),
    }
}

/// Of a report that tells nothing that is kept as news.
impl From<NewReport> for Telling {
    fn from(report: NewReport) -> Self {
        Self { news: Vec::new(), by: report.submission.accepted_at, report: Some(report) }
    }
}

/// News of recipients (by number), which is told by then.
pub(super) fn news(news: &[(u32, ReportEvent)], by: i64) -> Option<Telling> {
    Some(Telling { news: news.to_vec(), by: at(by), report: None })
}

/// The report with this number, which tells this news.
pub(super) fn telling(n: u8, news: &[(u32, ReportEvent)]) -> Option<Telling> {
    Some(Telling { news: news.to_vec(), ..report(n).into() })
}
