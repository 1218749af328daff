//! A carrier at work, and messages for it.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use delivery::{Carrier, Committer, NextHost, Routes, Settings, Signing, StsPolicies, TlsTally, Via};
use dns::{Resolver, Upstream};
use esmtp::dialogue::Protocol;
use jiff::{SignedDuration, Timestamp};
use store::{MasterKeyId, RecipientState, Spool, Submission};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use types::{AccountId, ForwardPath, HostTls, QueueId, ReversePath};

use crate::item::Seat;
use crate::spool::MemorySpool;

pub(crate) const TEXT: &str =
    "From: s@example.net\r\nSubject: x\r\n\r\n.a line with a dot\r\n..\r\n.\r\nend\r\n";

thread_local! {
    static START: Instant = Instant::now();
    /// By how many hours the clock was set ahead.
    static AHEAD: Cell<i64> = const { Cell::new(0) };
}

/// The time of the runtime, so that paused tests tell the time that they let pass.
pub(crate) fn now() -> Timestamp {
    let elapsed = SignedDuration::try_from(START.with(Instant::elapsed)).unwrap();
    let ahead = SignedDuration::from_hours(AHEAD.get());
    Timestamp::constant(1_800_000_000, 0).checked_add(elapsed + ahead).unwrap()
}

/// Sets the clock ahead.
pub(crate) fn set_ahead(hours: i64) {
    AHEAD.set(hours);
}

pub(crate) struct Office {
    pub(crate) spool: Arc<MemorySpool>,
    pub(crate) committer: Committer<MemorySpool>,
    pub(crate) carrier: Arc<Carrier<MemorySpool>>,
    pub(crate) tls_tally: Arc<TlsTally>,
    pub(crate) newest_key: watch::Sender<MasterKeyId>,
    running: Option<JoinHandle<()>>,
    stop: CancellationToken,
    next: u64,
}

impl Office {
    /// A carrier that is not running yet.
    pub(crate) fn closed(routes: Routes) -> Office {
        Office::with(routes, Duration::from_secs(30))
    }

    pub(crate) fn with(routes: Routes, grace: Duration) -> Office {
        Office::asking(&Upstream::default(), routes, grace)
    }

    /// A carrier that asks these name servers.
    pub(crate) fn asking(upstream: &Upstream, routes: Routes, grace: Duration) -> Office {
        Office::under_policies(upstream, routes, grace, StsPolicies::none())
    }

    /// The same, where domains have policies.
    pub(crate) fn under_policies(
        upstream: &Upstream,
        routes: Routes,
        grace: Duration,
        sts: StsPolicies,
    ) -> Office {
        let spool = Arc::new(MemorySpool::default());
        let newest_key = watch::Sender::new(MasterKeyId { number: 1, digest: [1; 8] });
        let tls_tally = Arc::new(TlsTally::new(now));
        let settings = Settings {
            hostname: "client.example".into(),
            resolver: Resolver::new(upstream).unwrap(),
            grace,
            newest_key: newest_key.subscribe(),
            signing: Arc::new(Signing::none()),
            sts: Arc::new(sts),
            tls_tally: tls_tally.clone(),
            now,
        };
        let carrier = Carrier::new(spool.clone(), routes, settings).unwrap();
        let committer = Committer::new(carrier.clone());
        let stop = CancellationToken::new();
        Office { spool, committer, carrier, tls_tally, newest_key, running: None, stop, next: 0 }
    }

    pub(crate) fn open(mut self) -> Office {
        self.running = Some(tokio::spawn(self.carrier.clone().run(self.stop.clone())));
        self
    }

    pub(crate) async fn running(via: Via) -> Office {
        let office = Office::closed(Routes::new(via, Vec::new())).open();
        tokio::task::yield_now().await;
        office
    }

    /// Hands in a message for these recipients.
    pub(crate) async fn submit(&mut self, recipients: &[&str]) -> QueueId {
        self.submit_text(recipients, TEXT.as_bytes()).await
    }

    pub(crate) async fn submit_text(&mut self, recipients: &[&str], text: &[u8]) -> QueueId {
        self.submit_with(recipients, text, |_| {}).await
    }

    /// Hands in a message after `shape` has changed its envelope.
    pub(crate) async fn submit_with(
        &mut self,
        recipients: &[&str],
        text: &[u8],
        shape: impl FnOnce(&mut Submission),
    ) -> QueueId {
        self.next += 1;
        let id = QueueId::new(self.next, [0; 10]);
        let mut incoming = self.spool.open(id);
        self.spool.append(&mut incoming, bytes::Bytes::copy_from_slice(text)).await.unwrap();
        let mut submission = submission(id, recipients);
        shape(&mut submission);
        let durable = self.committer.commit(submission, incoming).await.unwrap().durable();
        assert_eq!(durable.name().to_string(), id.to_string());
        id
    }

    /// Waits until every recipient of the message has been tried.
    pub(crate) async fn tried(&self, id: QueueId) -> Vec<Seat> {
        self.until(|spool| spool.seats(id).iter().all(|seat| seat.state != RecipientState::Queued)).await;
        self.spool.seats(id)
    }

    pub(crate) async fn until(&self, done: impl Fn(&MemorySpool) -> bool) {
        self.spool.until(done).await;
    }

    /// Has the next host answer one message, with a permit of its pace: from then on it is known to answer, and gets many at once.
    pub(crate) async fn has_answered(&mut self, pace: &Semaphore) {
        pace.add_permits(1);
        let id = self.submit(&["first@example.org"]).await;
        self.until(|spool| spool.seats(id)[0].state == RecipientState::Delivered).await;
    }

    pub(crate) async fn stop(&mut self) {
        self.stop.cancel();
        self.running.take().unwrap().await.unwrap();
    }
}

pub(crate) fn submission(id: QueueId, recipients: &[&str]) -> Submission {
    let (account, sender) = (AccountId::new(1, [0; 10]), ReversePath::take("<s@example.net>").unwrap().0);
    Submission {
        recipients: recipients.iter().map(|address| forward(address).into()).collect(),
        message_id: Some("<1@example.org>".to_owned()),
        ..Submission::new(id, account, "s@example.net", sender, now())
    }
}

fn forward(address: &str) -> ForwardPath {
    ForwardPath::take(&format!("<{address}>")).unwrap().0
}

/// A next host in the clear.
pub(crate) fn plain_host(port: u16) -> NextHost {
    NextHost {
        host: "127.0.0.1".into(),
        port,
        protocol: Protocol::Smtp,
        implicit_tls: false,
        tls: HostTls::Off,
        tls_ca: Vec::new(),
        credentials: None,
    }
}
