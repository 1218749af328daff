//! One report for all recipients of a message of whom there is news at about the same time, wherever they are.

use std::sync::Arc;
use std::time::Duration;

use delivery::{Route, Routes, Schedule, Via, Way};
use store::RecipientState::{Deferred, Delivered, Failed, Queued};
use store::{RecipientState, Submission};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};
use types::{DomainPattern, Notify, QueueId, ReversePath};

use crate::office::{Office, TEXT, now, plain_host};
use crate::peer::{Manners, Peer};
use crate::spool::MemorySpool;

const MINUTE: Duration = Duration::from_secs(60);

/// Hosts of one domain each, `d0.example` and so on; mail for the sender's own domain lies in a Maildir.
struct House {
    office: Office,
    peers: Vec<Peer>,
    home: tempfile::TempDir,
}

impl House {
    async fn new(manners: Vec<Manners>, schedule: Schedule) -> House {
        let home = tempfile::tempdir().unwrap();
        let route = |domain: String, via: Via| Route {
            domains: vec![DomainPattern::Exactly(domain)],
            senders: Vec::new(),
            way: Way { schedule, ..via.into() },
        };
        let (mut peers, mut routes) = (Vec::new(), Vec::new());
        for (number, manners) in manners.into_iter().enumerate() {
            let peer = Peer::start(manners).await;
            routes.push(route(format!("d{number}.example"), Via::Relay(plain_host(peer.port))));
            peers.push(peer);
        }
        let routes = Routes::new(Via::Maildir(home.path().to_owned()), routes);
        let office = Office::closed(routes).open();
        tokio::task::yield_now().await;
        House { office, peers, home }
    }

    /// A message to one recipient of each domain.
    async fn submit(&mut self, notify: Option<&str>) -> QueueId {
        let to: Vec<_> = (0..self.peers.len()).map(|number| format!("a@d{number}.example")).collect();
        let to: Vec<_> = to.iter().map(String::as_str).collect();
        let asked = |submission: &mut Submission| {
            for recipient in &mut submission.recipients {
                recipient.notify = notify.and_then(Notify::from_text);
            }
        };
        self.office.submit_with(&to, TEXT.as_bytes(), asked).await
    }

    fn states(&self, id: QueueId) -> Vec<RecipientState> {
        self.office.spool.seats(id).iter().map(|seat| seat.state).collect()
    }

    /// Waits until there are so many reports, and says of which domains each tells, the first first.
    async fn told(&self, number: usize) -> Vec<Vec<usize>> {
        self.office.until(|spool| reports(spool).len() >= number).await;
        let texts = reports(&self.office.spool).into_iter().map(|id| self.office.spool.text(id));
        let domains = |text: String| {
            let is_in = |number: &usize| {
                text.contains(&format!("\r\nFinal-Recipient: rfc822; a@d{number}.example\r\n"))
            };
            (0..self.peers.len()).filter(is_in).collect()
        };
        texts.map(domains).collect()
    }

    fn text(&self) -> String {
        self.office.spool.text(reports(&self.office.spool)[0])
    }
}

fn reports(spool: &MemorySpool) -> Vec<QueueId> {
    spool.find(|submission| submission.reverse_path == ReversePath::Null)
}

fn refusing() -> Manners {
    Manners { rcpt: "550 5.1.1 nobody here", ..Manners::default() }
}

fn deferring() -> Manners {
    Manners { rcpt: "450 4.2.1 come back", ..Manners::default() }
}

/// Takes the text and says no more.
fn silent() -> Manners {
    Manners { pace: Arc::new(Semaphore::new(0)), ..Manners::default() }
}

#[tokio::test]
async fn bnc_04_who_fails_at_several_hosts_is_told_in_one_report() {
    let manners = vec![refusing(), Manners::default(), refusing(), deferring(), refusing()];
    let mut house = House::new(manners, Schedule::default()).await;
    let id = house.submit(None).await;
    assert_eq!(house.told(1).await, [[0, 2, 4]]);
    assert_eq!(house.states(id), [Failed, Delivered, Failed, Deferred, Failed]);
    let text = house.text();
    for line in [
        "\r\nStatus: 5.1.1\r\n",
        "\r\nRemote-MTA: dns; [127.0.0.1]\r\n",
        "\r\nDiagnostic-Code: smtp; 550 5.1.1 nobody here\r\n",
        "\r\nLast-Attempt-Date: ",
        "\r\nFrom: s@example.net\r\nSubject: x\r\n",
    ] {
        assert!(text.contains(line), "{line:?} is not in {text}");
    }
    house.office.stop().await;
    assert_eq!(house.told(1).await.len(), 1);
    assert!(house.home.path().join("new").exists());
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_host_that_is_silent() {
    let mut house = House::new(vec![refusing(), silent()], Schedule::default()).await;
    let (began, id) = (Instant::now(), house.submit(None).await);
    assert_eq!(house.told(1).await, [[0]]);
    let waited = began.elapsed();
    assert!((2 * MINUTE..2 * MINUTE + Duration::from_secs(5)).contains(&waited), "{waited:?}");
    assert_eq!(house.states(id), [Failed, Queued]);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_an_attempt_that_is_far_away() {
    let mut house = House::new(vec![refusing(), deferring()], Schedule::default()).await;
    let began = Instant::now();
    house.submit(None).await;
    assert_eq!(house.told(1).await, [[0]]);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn who_is_given_up_at_the_same_time_is_told_in_one_report() {
    let schedule = Schedule { first: 10 * MINUTE, max: 10 * MINUTE, give_up: 100 * MINUTE, tell_delay: None };
    let mut house = House::new(vec![deferring(), refusing(), deferring(), deferring()], schedule).await;
    let id = house.submit(None).await;
    assert_eq!(house.told(2).await, [vec![1], vec![0, 2, 3]]);
    house.office.until(|spool| spool.is_settled(id)).await;
    let text = house.office.spool.text(reports(&house.office.spool)[1]);
    assert_eq!(text.matches("\r\nStatus: 4.2.1\r\n").count(), 3);
    assert_eq!(text.matches("\r\nDiagnostic-Code: smtp; 450 4.2.1 come back\r\n").count(), 3, "{text}");
    assert!(text.contains("now it is given up"));
}

#[tokio::test(start_paused = true)]
async fn who_is_late_at_the_same_time_is_told_in_one_report() {
    let mut house =
        House::new(vec![deferring(), deferring(), deferring(), deferring()], Schedule::default()).await;
    let id = house.submit(None).await;
    assert_eq!(house.told(1).await, [[0, 1, 2, 3]]);
    let text = house.text();
    assert_eq!(text.matches("\r\nAction: delayed\r\nStatus: 4.2.1\r\n").count(), 4, "{text}");
    assert_eq!(text.matches("\r\nDiagnostic-Code: smtp; 450 4.2.1 come back\r\n").count(), 4, "{text}");
    assert_eq!(text.matches("\r\nWill-Retry-Until: ").count(), 4, "{text}");
    sleep(Duration::from_secs(24 * 3600)).await;
    assert_eq!((reports(&house.office.spool).len(), house.states(id)), (1, vec![Deferred; 4]));
}

#[tokio::test]
async fn success_at_several_hosts_is_told_in_one_report() {
    let mut house =
        House::new(vec![Manners::default(), refusing(), Manners::default()], Schedule::default()).await;
    let id = house.submit(Some("SUCCESS,FAILURE")).await;
    assert_eq!(house.told(1).await, [[0, 1, 2]]);
    let text = house.text();
    assert_eq!(text.matches("\r\nAction: relayed\r\nStatus: 2.0.0\r\n").count(), 2, "{text}");
    house.office.until(|spool| spool.is_settled(id)).await;
}

#[tokio::test]
async fn what_an_operator_returns_is_told_in_one_report() {
    let mut house = House::new(vec![deferring(), Manners::default(), deferring()], Schedule::default()).await;
    let id = house.submit(None).await;
    house.office.tried(id).await;
    house.office.spool.bounce(id, now());
    assert_eq!(house.told(1).await, [[0, 2]]);
    let text = house.text();
    assert_eq!(text.matches("\r\nAction: failed\r\nStatus: 5.0.0\r\n").count(), 2, "{text}");
    assert!(text.contains("returned it") && text.contains("450 4.2.1 come back"), "{text}");
    assert!(!text.contains("Last-Attempt-Date"), "none was made: {text}");
    house.office.until(|spool| spool.is_settled(id)).await;
}
