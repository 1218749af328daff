//! The unit of work is a delivery: what keeps one destination from getting mail keeps it from no other.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use delivery::{Route, Routes, Via, Way};
use store::RecipientState::{Deferred, Delivered, Held, Queued};
use store::{Destination, MasterKeyId, NewDelivery, Nodes, Spool};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use types::{DomainPattern, QueueId};

use crate::office::{Office, now, plain_host, submission};
use crate::peer::{Manners, Peer};
use crate::spool::MemorySpool;

fn maildir(directory: &tempfile::TempDir, name: &str) -> Via {
    Via::Maildir(directory.path().join(name))
}

fn route(domain: &str, via: Via) -> Route {
    Route { domains: vec![DomainPattern::Exactly(domain.into())], senders: Vec::new(), way: via.into() }
}

fn letters(directory: &tempfile::TempDir, name: &str) -> usize {
    std::fs::read_dir(directory.path().join(name).join("new")).map_or(0, Iterator::count)
}

/// A host that takes connections and answers nothing.
async fn silent() -> Peer {
    Peer::start(Manners { pace: Arc::new(Semaphore::new(0)), ..Manners::default() }).await
}

#[tokio::test]
async fn a_live_destination_has_its_copy_at_once_whoever_is_named_first() {
    let directory = tempfile::tempdir().unwrap();
    let peer = silent().await;
    let dead = route("dead.example", Via::Relay(plain_host(peer.port)));
    let routes = Routes::new(maildir(&directory, "m"), vec![dead]);
    for from_the_start in [true, false] {
        let mut office = Office::closed(routes.clone());
        if from_the_start {
            office = office.open();
            tokio::task::yield_now().await;
        }
        let live_last = office.submit(&["a@dead.example", "b@example.org"]).await;
        let live_first = office.submit(&["b@example.org", "a@dead.example"]).await;
        if !from_the_start {
            office = office.open();
        }
        let states =
            |spool: &MemorySpool, id| spool.seats(id).iter().map(|seat| seat.state).collect::<Vec<_>>();
        office.until(|spool| states(spool, live_last) == [Queued, Delivered]).await;
        office.until(|spool| states(spool, live_first) == [Delivered, Queued]).await;
        assert_eq!(office.spool.attempts(), 2);
    }
}

#[tokio::test]
async fn nothing_is_written_down_that_was_not_tried() {
    let pace = Arc::new(Semaphore::new(0));
    let peer = Peer::start(Manners { pace: pace.clone(), ..Manners::default() }).await;
    let mut office = Office::running(Via::Relay(plain_host(peer.port))).await;
    office.has_answered(&pace).await;
    let before = office.spool.attempts();
    for _ in 0..3000 {
        office.submit(&["a@example.org"]).await;
    }
    peer.until_seen("DATA", 21).await;
    let looks = office.spool.looks.load(Ordering::Relaxed);
    office.until(|spool| spool.looks.load(Ordering::Relaxed) > looks + 1).await;
    let seen = (office.spool.attempts(), office.spool.count(Queued), peer.connections());
    assert_eq!(seen, (before, 3000, 20));
}

#[tokio::test]
async fn an_account_that_sends_thousands_keeps_no_other_waiting() {
    let pace = Arc::new(Semaphore::new(0));
    let peer = Peer::start(Manners { pace: pace.clone(), ..Manners::default() }).await;
    let mut office = Office::running(Via::Relay(plain_host(peer.port))).await;
    office.has_answered(&pace).await;
    for _ in 0..3000 {
        office.submit(&["a@example.org"]).await;
    }
    let other = |submission: &mut store::Submission| {
        submission.account = types::AccountId::new(2, [0; 10]);
    };
    let id = office.submit_with(&["b@example.org"], b"Subject: x\r\n\r\n", other).await;
    peer.until_seen("DATA", 21).await;
    pace.add_permits(60);
    office.until(|spool| spool.seats(id)[0].state == Delivered).await;
}

#[tokio::test(start_paused = true)]
async fn a_route_that_holds_holds_its_own_recipients_alone() {
    let directory = tempfile::tempdir().unwrap();
    let routes = Routes::new(maildir(&directory, "m"), vec![route("held.example", Via::Hold)]);
    let mut office = Office::closed(routes).open();
    tokio::task::yield_now().await;
    let id = office.submit(&["a@held.example", "b@example.org"]).await;
    let states: Vec<_> = office.tried(id).await.iter().map(|seat| (seat.state, seat.attempts)).collect();
    assert_eq!((states, office.spool.is_held(id)), (vec![(Held, 0), (Delivered, 1)], false));
}

fn numbered(number: usize, via: Via) -> Route {
    route(&format!("d{number}.example"), via)
}

#[tokio::test]
async fn a_message_to_sixty_domains_goes_to_all_of_them_at_once() {
    let pace = Arc::new(Semaphore::new(0));
    let (mut peers, mut routes) = (Vec::new(), Vec::new());
    for number in 0..60 {
        let peer = Peer::start(Manners { pace: pace.clone(), ..Manners::default() }).await;
        routes.push(numbered(number, Via::Relay(plain_host(peer.port))));
        peers.push(peer);
    }
    let mut office = Office::closed(Routes::new(Via::Hold, routes)).open();
    tokio::task::yield_now().await;
    let to: Vec<String> = (0..60).map(|number| format!("u@d{number}.example")).collect();
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    let id = office.submit(&to).await;
    for peer in &peers {
        peer.until_seen("DATA", 1).await;
    }
    pace.add_permits(60);
    assert!(office.tried(id).await.iter().all(|seat| seat.state == Delivered));
    assert!(peers.iter().all(|peer| peer.texts().len() == 1));
}

#[tokio::test]
async fn hosts_that_are_silent_keep_no_permits_from_others_asked_before_or_not() {
    let (mut routes, mut silent) = (Vec::new(), Vec::new());
    for number in 0..12 {
        silent.push(self::silent().await);
        routes.push(numbered(number, Via::Relay(plain_host(silent[number].port))));
    }
    let (peer, new) = (Peer::start(Manners::default()).await, Peer::start(Manners::default()).await);
    routes.push(route("new.example", Via::Relay(plain_host(new.port))));
    let mut office = Office::closed(Routes::new(Via::Relay(plain_host(peer.port)), routes)).open();
    tokio::task::yield_now().await;
    let first = office.submit(&["a@live.example"]).await;
    office.until(|spool| spool.seats(first)[0].state == Delivered).await;
    for number in 0..12 {
        for _ in 0..30 {
            office.submit(&[&format!("a@d{number}.example")]).await;
        }
    }
    for peer in &silent {
        peer.until_seen("DATA", 1).await;
    }
    for to in ["a@live.example", "a@new.example"] {
        let id = office.submit(&[to]).await;
        let delivered = office.until(|spool| spool.seats(id)[0].state == Delivered);
        tokio::time::timeout(Duration::from_secs(5), delivered).await.expect(to);
    }
    assert!(silent.iter().all(|peer| peer.connections() == 1), "one tells whether they answer");
}

/// A host that takes connections and does not greet.
async fn mute() -> (u16, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, connections) = (listener.local_addr().unwrap().port(), Arc::<AtomicUsize>::default());
    let counted = connections.clone();
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok(connection) = listener.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            kept.push(connection);
        }
    });
    (port, connections)
}

/// So many messages to a host at this port, and no carrier yet.
async fn backlog(port: u16, number: usize) -> Office {
    let mut office = Office::closed(Routes::new(Via::Relay(plain_host(port)), Vec::new()));
    for _ in 0..number {
        office.submit(&["a@dead.example"]).await;
    }
    office
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_host_out_of_reach_waits_for_one_attempt_and_not_for_one_each() {
    let ((port, connections), number) = (mute().await, 600);
    let mut office = backlog(port, number).await.open();
    let begun = Instant::now();
    office.until(|spool| spool.count(Deferred) == number).await;
    // Of the first nobody knows yet whether the host is out of reach, or has one guest too many.
    assert_eq!(connections.load(Ordering::Relaxed), 2);
    assert!(begun.elapsed() < Duration::from_secs(2 * 300 + 60), "{:?}", begun.elapsed());
    // What comes later has an attempt of its own, as has what is tried again.
    let id = office.submit(&["b@dead.example"]).await;
    office.tried(id).await;
    office.until(|spool| spool.attempts() > 2 * 600).await;
    let connections = connections.load(Ordering::Relaxed);
    assert!((3..8).contains(&connections), "{connections}");
}

#[tokio::test(start_paused = true)]
async fn a_host_out_of_reach_for_what_demands_more_of_tls_is_tried_for_the_rest() {
    let ((port, connections), number) = (mute().await, 40);
    let mut office = backlog(port, number).await;
    let cares_not = |submission: &mut store::Submission| submission.tls_required = types::TlsRequired::No;
    let id = office.submit_with(&["b@dead.example"], b"Subject: x\r\n\r\n", cares_not).await;
    let office = office.open();
    office.until(|spool| spool.count(Deferred) == number).await;
    assert_eq!(office.spool.seats(id)[0].state, Queued);
    office.tried(id).await;
    assert_eq!(connections.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn a_host_that_answers_gets_many_messages_at_once() {
    let pace = Arc::new(Semaphore::new(0));
    let peer = Peer::start(Manners { pace: pace.clone(), ..Manners::default() }).await;
    let mut office = Office::running(Via::Relay(plain_host(peer.port))).await;
    for _ in 0..30 {
        office.submit(&["a@example.org"]).await;
    }
    peer.until_seen("DATA", 1).await;
    assert_eq!(peer.connections(), 1);
    pace.add_permits(1);
    peer.until_seen("DATA", 21).await;
    assert_eq!(peer.connections(), 20);
}

#[tokio::test(start_paused = true)]
async fn more_destinations_than_one_look_sees_take_turns() {
    let (directory, number) = (tempfile::tempdir().unwrap(), 1200);
    // Where no directory can be made, each attempt ends at once, and is made again later.
    std::fs::write(directory.path().join("file"), "not a directory").unwrap();
    let routes = (0..number).map(|number| numbered(number, maildir(&directory, &format!("file/{number}"))));
    let mut office = Office::closed(Routes::new(Via::Hold, routes.collect()));
    let mut ids = Vec::new();
    for number in 0..number {
        ids.push(office.submit(&[&format!("u@d{number}.example")]).await);
    }
    let office = office.open();
    office.until(|spool| spool.count(Deferred) == number).await;
    assert_eq!(office.spool.attempts(), u32::try_from(number).unwrap());
    let last = office.spool.most_leased.load(Ordering::Relaxed);
    assert!(last <= number, "{last}");
}

#[tokio::test]
async fn who_waits_for_a_permit_through_a_stop_begins_no_attempt() {
    let pace = Arc::new(Semaphore::new(0));
    let peer = Peer::start(Manners { pace: pace.clone(), ..Manners::default() }).await;
    let way = Way { connections: 230, ..Via::Relay(plain_host(peer.port)).into() };
    let mut office = Office::closed(Routes::new(way, Vec::new())).open();
    tokio::task::yield_now().await;
    office.has_answered(&pace).await;
    for _ in 0..230 {
        office.submit(&["a@example.org"]).await;
    }
    peer.until_seen("DATA", 201).await;
    let let_go = async {
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        pace.add_permits(230);
    };
    tokio::join!(office.stop(), let_go);
    assert_eq!((office.spool.count(Delivered), peer.texts().len()), (201, 201));
}

#[tokio::test(start_paused = true)]
async fn a_lane_that_is_full_has_the_queue_looked_at_no_more_than_it_must() {
    let (directory, peer, number) = (tempfile::tempdir().unwrap(), silent().await, 510);
    std::fs::write(directory.path().join("file"), "not a directory").unwrap();
    let routes = (0..number)
        .map(|number| route(&format!("d{number}.example"), maildir(&directory, &format!("file/{number}"))));
    let routes = Routes::new(Via::Relay(plain_host(peer.port)), routes.collect());
    let mut office = Office::closed(routes).open();
    tokio::task::yield_now().await;
    for number in 0..number {
        office.submit(&[&format!("u@d{number}.example")]).await;
    }
    office.until(|spool| spool.count(Deferred) == number).await;
    for _ in 0..2100 {
        office.submit(&["a@example.org"]).await;
    }
    peer.until_seen("DATA", 1).await;
    let (began, looks) = (Instant::now(), office.spool.looks.load(Ordering::Relaxed));
    office.until(|spool| spool.looks.load(Ordering::Relaxed) >= looks + 8).await;
    assert!(began.elapsed() > Duration::from_secs(3), "two looks see all: {:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_panics_keeps_nobody_waiting() {
    let directory = tempfile::tempdir().unwrap();
    let way = Way { connections: 1, ..maildir(&directory, "m").into() };
    let mut office = Office::closed(Routes::new(way, Vec::new()));
    for _ in 0..3 {
        office.submit(&["a@example.org"]).await;
    }
    office.spool.panicking_reads.store(1, Ordering::Relaxed);
    let began = Instant::now();
    let office = office.open();
    office.until(|spool| spool.count(Delivered) == 2).await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    office.until(|spool| spool.count(Delivered) == 3).await;
}

/// As a queue from before there were deliveries is.
#[tokio::test(start_paused = true)]
async fn destinations_that_are_not_known_are_found_out() {
    let directory = tempfile::tempdir().unwrap();
    let other = route("example.net", maildir(&directory, "net"));
    let office = Office::closed(Routes::new(maildir(&directory, "m"), vec![other]));
    let id = QueueId::new(7, [7; 10]);
    let message = submission(id, &["a@example.org", "b@example.net", "c@example.org"]);
    let deliveries = vec![NewDelivery::of_all(&message, Destination::unknown(), None)];
    let incoming = office.spool.open(id);
    office.spool.commit(message, incoming, deliveries).await.unwrap();
    let office = office.open();
    assert!(office.tried(id).await.iter().all(|seat| seat.state == Delivered && seat.attempts == 1));
    assert_eq!((letters(&directory, "m"), letters(&directory, "net")), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn who_waits_takes_the_routes_of_a_new_configuration() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("old"), "not a directory").unwrap();
    let mut office = Office::running(maildir(&directory, "old")).await;
    let id = office.submit(&["a@example.org", "b@example.net"]).await;
    office.until(|spool| spool.seats(id).iter().all(|seat| seat.state == Deferred)).await;
    let net = route("example.net", maildir(&directory, "net"));
    let routes = Routes::new(maildir(&directory, "new"), vec![net]);
    let ways = office.carrier.prepare(routes, Duration::from_secs(30)).unwrap();
    office.carrier.replace(ways);
    office.until(|spool| spool.seats(id).iter().all(|seat| seat.state == Delivered)).await;
    assert!(office.spool.seats(id).iter().all(|seat| seat.attempts == 2));
    assert_eq!((letters(&directory, "new"), letters(&directory, "net")), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_nobody_works_under_is_given_back() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("m"), "not a directory yet").unwrap();
    let mut office = Office::running(maildir(&directory, "m")).await;
    let id = office.submit(&["a@example.org"]).await;
    office.until(|spool| spool.seats(id)[0].state == Deferred && spool.leases() == 0).await;
    std::fs::remove_file(directory.path().join("m")).unwrap();
    let lost = now();
    office.spool.lose_a_lease(id);
    office.until(|spool| spool.owners(id).is_empty()).await;
    assert!((10..=30).contains(&now().duration_since(lost).as_secs()), "not before it was missed twice");
    office.until(|spool| spool.seats(id)[0].state == Delivered).await;
}

#[tokio::test(start_paused = true)]
async fn a_node_that_was_taken_for_dead_goes_on_and_writes_over_nothing() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("m"), "not a directory yet").unwrap();
    let mut office = Office::running(maildir(&directory, "m")).await;
    let node = office.spool.node();
    office.spool.bury(node).await.unwrap();
    let id = office.submit(&["a@example.org"]).await;
    assert_eq!((office.spool.leases(), office.spool.seats(id)[0].state), (0, Queued));
    // As soon as it hears of it, it is on the list again.
    office.until(|spool| spool.seats(id)[0].state == Deferred).await;
    std::fs::remove_file(directory.path().join("m")).unwrap();
    office.until(|spool| spool.seats(id)[0].state == Delivered).await;
}

#[tokio::test(start_paused = true)]
async fn a_node_tells_its_newest_master_key_when_it_joins_and_when_there_is_another() {
    let directory = tempfile::tempdir().unwrap();
    let office = Office::running(maildir(&directory, "m")).await;
    let key = |number| MasterKeyId { number, digest: [1; 8] };
    office.carrier.tried_to_join().await;
    assert_eq!(office.spool.newest_key(), Some(key(1)));
    office.newest_key.send_replace(key(2));
    office.carrier.tell_newest_key().await.unwrap();
    assert_eq!(office.spool.newest_key(), Some(key(2)), "at once");
    office.newest_key.send_replace(key(3));
    office.until(|spool| spool.newest_key() == Some(key(3))).await;
    office.spool.bury(office.spool.node()).await.unwrap();
    office.until(|spool| spool.newest_key() == Some(key(3))).await;
}
