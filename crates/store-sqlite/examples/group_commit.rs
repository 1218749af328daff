//! How fast messages become durable: `cargo run --release -p store-sqlite --example group_commit [DIR]`.
//!
//! Sessions submit messages of 4 KiB with one recipient, as fast as each is told that its last one is on disk; then the same
//! with a delivery of each. Prints the rate, and the CPU time that a message takes.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a measurement"
)]

use std::net::IpAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use jiff::Timestamp;
use store::{Destination, NewDelivery, Node, Nodes as _, Outcome, Page, Spool, Submission};
use store_sqlite::{Mode, SqliteSpool, SqliteStore};
use types::{AccountId, ForwardPath, Handover, Mailbox, NodeId, QueueId, ReversePath, SessionId};

const MESSAGES: usize = 40_000;
const NODE: NodeId = NodeId::from_bytes([1; 16]);

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let given = std::env::args().nth(1).map(std::path::PathBuf::from);
    let directory = tempfile::tempdir_in(given.unwrap_or_else(|| ".".into())).unwrap();
    for sessions in [1, 10, 50, 100, 200] {
        for deliver in [false, true] {
            let path = directory.path().join(format!("{sessions}-{deliver}"));
            runtime.block_on(measure(&path, sessions, deliver));
        }
    }
    let path = directory.path().join("200-false");
    runtime.block_on(reopen(&path));
}

async fn measure(path: &std::path::Path, sessions: usize, deliver: bool) {
    let store = SqliteStore::open(path, Mode::Server).await.unwrap();
    let (name, version) = ("node".to_owned(), String::new());
    let node = Node { id: NODE, name, version, started_at: Timestamp::UNIX_EPOCH, newest_key: None };
    store.spool().join(&node).await.unwrap();
    let messages = if sessions == 1 { MESSAGES / 10 } else { MESSAGES };
    let (begun, cpu) = (Instant::now(), cpu_time());
    let tasks: Vec<_> = (0..sessions)
        .map(|_| tokio::spawn(session(store.spool().clone(), messages / sessions, deliver)))
        .collect();
    let mut waits = Vec::with_capacity(messages);
    for task in tasks {
        waits.extend(task.await.unwrap());
    }
    let (took, cpu) = (begun.elapsed(), cpu_time() - cpu);
    waits.sort_unstable();
    let rate = waits.len() as f64 / took.as_secs_f64();
    let cpu = cpu.as_secs_f64() * 1e6 / waits.len() as f64;
    let at = |share: usize| waits[(waits.len() - 1) * share / 100];
    let what = if deliver { "submitted and delivered" } else { "submitted" };
    println!(
        "{sessions:3} sessions: {rate:6.0} {what}/s, {cpu:4.0} us CPU each, p50 {:?}, p99 {:?}",
        at(50),
        at(99)
    );
    store.close().await;
}

async fn session(spool: SqliteSpool, messages: usize, deliver: bool) -> Vec<Duration> {
    let text = Bytes::from(vec![b'x'; 4096]);
    let owner = deliver.then_some(NODE);
    let there = Destination::from("smtp://relay.example.org:587");
    let mut waits = Vec::with_capacity(messages);
    for _ in 0..messages {
        let begun = Instant::now();
        let submission = submission();
        let mut incoming = spool.open(submission.id);
        spool.append(&mut incoming, text.clone()).await.unwrap();
        let deliveries = vec![NewDelivery::of_all(&submission, there.clone(), owner)];
        let leased = spool.commit(submission, incoming, deliveries).await.unwrap();
        waits.push(begun.elapsed());
        for leased in leased {
            let reply = "250 2.0.0 Ok".to_owned();
            let outcomes = vec![(
                0,
                Outcome::Delivered { reply, host: None, said_by_host: true, handover: Handover::WithoutDsn },
            )];
            spool.record(&leased, outcomes, None, Timestamp::UNIX_EPOCH).await.unwrap();
        }
    }
    waits
}

async fn reopen(path: &std::path::Path) {
    let begun = Instant::now();
    let store = SqliteStore::open(path, Mode::Server).await.unwrap();
    let took = begun.elapsed();
    println!("opened with {} entries in {took:?}", store.spool().stats().await.unwrap().entries);
    let begun = Instant::now();
    store.spool().waiting(Page::first(100)).await.unwrap();
    println!("what waits is told in {:?}", begun.elapsed());
    store.close().await;
}

fn submission() -> Submission {
    let mailbox = |text| Mailbox::parse(text).unwrap();
    let (id, account) = (QueueId::new(now(), rand::random()), AccountId::from_bytes([1; 16]));
    let alice = ReversePath::Mailbox(mailbox("alice@example.org"));
    Submission {
        recipients: vec![ForwardPath::Mailbox(mailbox("bob@example.net")).into()],
        message_id: Some(format!("<{:x}@example.org>", rand::random::<u128>())),
        credential: Some("password".to_owned()),
        session: Some(SessionId::new(rand::random())),
        ip: Some(IpAddr::from([192, 0, 2, 1])),
        tls_version: Some("TLSv1.3".into()),
        tls_cipher: Some("TLS_AES_128_GCM_SHA256".into()),
        ..Submission::new(id, account, "alice@example.org", alice, Timestamp::UNIX_EPOCH)
    }
}

/// Time enough for ids that sort as they do in life.
fn now() -> u64 {
    static BEGUN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    1_790_000_000_000 + BEGUN.get_or_init(Instant::now).elapsed().as_millis() as u64
}

/// What the process has used, of all its threads: fields 14 and 15 of its stat, in hundredths of a second.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat.rsplit_once(')').unwrap().1.split_whitespace();
    Duration::from_millis(fields.skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap() * 10).sum())
}
