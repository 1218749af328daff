use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use delivery::{Route, Routes, Via};
use store::RecipientState::{Deferred, Delivered, Failed, Held, Queued};
use store::{Act, Operation, Spool as _};
use tokio::sync::Semaphore;
use types::DomainPattern;

use crate::office::{Office, now, plain_host, set_ahead};
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

/// Texts that the peer has, but for reports.
fn letters_of_senders(peer: &Peer) -> usize {
    peer.texts().iter().filter(|text| !text.contains("Auto-Submitted")).count()
}

#[tokio::test]
async fn recipients_of_one_message_go_different_ways() {
    let directory = tempfile::tempdir().unwrap();
    let routes =
        Routes::new(maildir(&directory, "rest"), vec![route("example.org", maildir(&directory, "org"))]);
    let mut office = Office::closed(routes).open();
    let id = office.submit(&["a@example.org", "b@example.net", "c@example.org"]).await;
    let seats = office.tried(id).await;
    assert!(seats.iter().all(|seat| seat.state == Delivered && seat.attempts == 1), "{seats:?}");
    assert_eq!((letters(&directory, "org"), letters(&directory, "rest")), (1, 1));
}

#[tokio::test]
async fn many_recipients_go_in_several_transactions() {
    let peer = Peer::start(Manners::default()).await;
    let mut office = Office::running(Via::Relay(plain_host(peer.port))).await;
    let addresses: Vec<String> = (0..250).map(|number| format!("u{number}@example.org")).collect();
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let id = office.submit(&addresses).await;
    assert!(office.tried(id).await.iter().all(|seat| seat.state == Delivered && seat.attempts == 1));
    assert_eq!(peer.texts().len(), 3);
    assert_eq!(office.spool.notes.load(Ordering::Relaxed), 2, "the last is recorded with all of them");
}

#[tokio::test]
async fn what_an_operator_ends_is_not_begun() {
    for operation in [Operation::Hold, Operation::Bounce, Operation::Remove] {
        let pace = Arc::new(Semaphore::new(0));
        let peer = Peer::start(Manners { pace: pace.clone(), ..Manners::default() }).await;
        let mut office = Office::running(Via::Relay(plain_host(peer.port))).await;
        office.has_answered(&pace).await;
        let mut ids = Vec::new();
        for _ in 0..25 {
            ids.push(office.submit(&["a@example.org"]).await);
        }
        peer.until_seen("DATA", 21).await;
        let (waiting, by) = (ids[20..].to_vec(), Act::server(now()));
        office.spool.operate(operation, waiting.clone(), &by).await.unwrap();
        office.carrier.call_off(&waiting.iter().copied().collect());
        let last = office.submit(&["a@example.org"]).await;
        pace.add_permits(100);
        office.tried(last).await;
        office.stop().await;
        assert_eq!(letters_of_senders(&peer), 22, "{operation:?}");
    }
}

#[tokio::test]
async fn a_delivery_that_an_operator_ends_goes_to_no_more_recipients() {
    for operation in [Operation::Hold, Operation::Bounce] {
        let pace = Arc::new(Semaphore::new(0));
        let peer = Peer::start(Manners { pace: pace.clone(), ..Manners::default() }).await;
        let mut office = Office::running(Via::Relay(plain_host(peer.port))).await;
        let addresses: Vec<String> = (0..300).map(|number| format!("u{number}@example.org")).collect();
        let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
        let id = office.submit(&addresses).await;
        peer.until_seen("DATA", 1).await;
        let by = Act::server(now());
        office.spool.operate(operation, vec![id], &by).await.unwrap();
        pace.add_permits(100);
        office.until(|spool| spool.count(Delivered) >= 100 && spool.owners(id).is_empty()).await;
        office.stop().await;
        assert_eq!(
            (letters_of_senders(&peer), office.spool.seats(id)[0].state),
            (1, Delivered),
            "{operation:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_is_returned_is_not_in_memory_as_a_whole() {
    let directory = tempfile::tempdir().unwrap();
    let mut office = Office::closed(Routes::new(maildir(&directory, "m"), Vec::new()));
    let mut ids = Vec::new();
    for _ in 0..1200 {
        ids.push(office.submit(&["a@example.org"]).await);
    }
    ids.iter().for_each(|id| office.spool.bounce(*id, now()));
    let office = office.open();
    office.until(|spool| spool.count(Failed) == 1200).await;
    let most = office.spool.most_leased.load(Ordering::Relaxed);
    assert!(most <= 1000, "{most}");
}

#[tokio::test]
async fn mail_waits_for_a_carrier() {
    let directory = tempfile::tempdir().unwrap();
    let mut office = Office::closed(Routes::new(maildir(&directory, "m"), Vec::new()));
    let id = office.submit(&["a@example.org"]).await;
    assert_eq!((office.spool.seats(id)[0].state, office.spool.leases()), (Queued, 0));
    let office = office.open();
    assert_eq!(office.tried(id).await[0].state, Delivered);
}

#[tokio::test(start_paused = true)]
async fn what_is_held_stays() {
    let directory = tempfile::tempdir().unwrap();
    let routes = Routes::new(Via::Hold, vec![route("example.org", maildir(&directory, "org"))]);
    let mut office = Office::closed(routes).open();
    let held = office.submit(&["a@example.net"]).await;
    let both = office.submit(&["a@example.net", "b@example.org"]).await;
    office.until(|spool| spool.is_held(held)).await;
    let seats = office.tried(both).await;
    assert_eq!((seats[0].state, seats[0].attempts, seats[1].state), (Held, 0, Delivered));
    // An operator lets it go, but the way still leads nowhere.
    for id in [held, both] {
        office.spool.release(id, now());
        office.until(|spool| spool.seats(id)[0].state == Held).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_way_that_leads_nowhere_holds_nobody_else() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("org"), "not a directory yet").unwrap();
    let routes = Routes::new(Via::Hold, vec![route("example.org", maildir(&directory, "org"))]);
    let mut office = Office::closed(routes).open();
    tokio::task::yield_now().await;
    let id = office.submit(&["a@example.net", "b@example.org"]).await;
    let states = |spool: &MemorySpool| spool.seats(id).iter().map(|seat| seat.state).collect::<Vec<_>>();
    office.until(|spool| states(spool) == [Held, Deferred]).await;
    std::fs::remove_file(directory.path().join("org")).unwrap();
    office.until(|spool| states(spool) == [Held, Delivered]).await;
}

/// Threat QUE-13.
#[tokio::test]
async fn a_slow_host_keeps_nobody_else_waiting() {
    let directory = tempfile::tempdir().unwrap();
    let peer = Peer::start(Manners { pace: Arc::new(Semaphore::new(0)), ..Manners::default() }).await;
    let slow = route("slow.example", Via::Relay(plain_host(peer.port)));
    let mut office = Office::closed(Routes::new(maildir(&directory, "m"), vec![slow]));
    for _ in 0..2500 {
        office.submit(&["a@slow.example"]).await;
    }
    let waiting = office.submit(&["a@example.org"]).await;
    let mut office = office.open();
    office.tried(waiting).await;
    let fresh = office.submit(&["b@example.org"]).await;
    assert_eq!(office.tried(fresh).await[0].state, Delivered);
    assert_eq!((office.spool.count(Delivered), peer.connections()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn nothing_waits_until_a_clock_that_was_ahead_is_there_again() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("m"), "not a directory yet").unwrap();
    let mut office = Office::closed(Routes::new(maildir(&directory, "m"), Vec::new())).open();
    set_ahead(10 * 365 * 24);
    let id = office.submit(&["a@example.org"]).await;
    office.until(|spool| spool.seats(id)[0].state == Deferred).await;
    std::fs::remove_file(directory.path().join("m")).unwrap();
    set_ahead(0);
    let begun = now();
    office.until(|spool| spool.seats(id)[0].state == Delivered).await;
    assert!(now().duration_since(begun).as_secs() < 60);
}

#[tokio::test]
async fn a_clock_that_is_set_makes_no_second_copy() {
    for hours in [24, -24] {
        let pace = Arc::new(Semaphore::new(0));
        let peer = Peer::start(Manners { pace: pace.clone(), ..Manners::default() }).await;
        let mut office = Office::running(Via::Relay(plain_host(peer.port))).await;
        let addresses: Vec<String> = (0..150).map(|number| format!("u{number}@example.org")).collect();
        let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
        let id = office.submit(&addresses).await;
        peer.until_seen("DATA", 1).await;
        set_ahead(hours);
        let looks = office.spool.looks.load(Ordering::Relaxed);
        office.until(|spool| spool.looks.load(Ordering::Relaxed) > looks + 1).await;
        pace.add_permits(2);
        // Those who were left to a second transaction follow, as soon as the clock lets them.
        set_ahead(0);
        assert!(office.tried(id).await.iter().all(|seat| seat.state == Delivered && seat.attempts == 1));
        office.stop().await;
        let texts = peer.commands().iter().filter(|command| *command == "DATA").count();
        assert_eq!((peer.texts().len(), texts), (2, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_delivered_is_tried_for_five_days_and_then_fails_visibly() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("m"), "not a directory").unwrap();
    let mut office = Office::running(maildir(&directory, "m")).await;
    let accepted = now();
    let id = office.submit(&["a@example.org"]).await;
    let seat = loop {
        let seat = office.spool.seats(id).remove(0);
        if seat.state == Failed {
            break seat;
        }
        tokio::time::sleep(Duration::from_secs(60)).await;
    };
    let days = now().duration_since(accepted).as_secs_f64() / 86_400.0;
    assert!((5.0..5.1).contains(&days), "{days}");
    assert!((30..45).contains(&seat.attempts), "{}", seat.attempts);
    assert!(seat.reply.starts_with("tried for too long; last: 451 4.3.0 the Maildir"), "{}", seat.reply);
}

#[tokio::test]
async fn a_burst_waits_its_turn_and_nobody_is_turned_away() {
    let peer = Peer::start(Manners::default()).await;
    let mut office = Office::closed(Routes::new(Via::Relay(plain_host(peer.port)), Vec::new()));
    for _ in 0..3000 {
        office.submit(&["a@example.org"]).await;
    }
    let mut office = office.open();
    for _ in 0..1500 {
        office.submit(&["a@example.org"]).await;
    }
    office.until(|spool| spool.count(Queued) == 0).await;
    assert_eq!((office.spool.count(Delivered), peer.texts().len()), (4500, 4500));
}

#[tokio::test(start_paused = true)]
async fn a_grace_that_is_over_ends_what_is_running() {
    let peer = Peer::start(Manners { pace: Arc::new(Semaphore::new(0)), ..Manners::default() }).await;
    let routes = Routes::new(Via::Relay(plain_host(peer.port)), Vec::new());
    let mut office = Office::with(routes, Duration::from_secs(1)).open();
    tokio::task::yield_now().await;
    let id = office.submit(&["a@example.org"]).await;
    peer.until_seen("DATA", 1).await;
    office.stop().await;
    assert_eq!((office.spool.seats(id)[0].state, office.spool.leases()), (Queued, 0));
    assert_eq!(office.spool.count(Deferred), 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_delivered_is_not_delivered_again_because_it_could_not_be_recorded() {
    let directory = tempfile::tempdir().unwrap();
    let mut office = Office::running(maildir(&directory, "m")).await;
    office.spool.failing_records.store(5, Ordering::Relaxed);
    let id = office.submit(&["a@example.org"]).await;
    let seat = &office.tried(id).await[0];
    assert_eq!((seat.state, seat.attempts), (Delivered, 1));
    assert_eq!(letters(&directory, "m"), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_delivered_is_recorded_even_when_the_grace_is_over() {
    let directory = tempfile::tempdir().unwrap();
    let routes = Routes::new(maildir(&directory, "m"), Vec::new());
    let mut office = Office::with(routes, Duration::ZERO).open();
    tokio::task::yield_now().await;
    office.spool.failing_records.store(1, Ordering::Relaxed);
    let id = office.submit(&["a@example.org"]).await;
    while office.spool.failing_records.load(Ordering::Relaxed) > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    office.stop().await;
    assert_eq!((office.spool.seats(id)[0].state, letters(&directory, "m")), (Delivered, 1));
}

#[tokio::test(start_paused = true)]
async fn a_spool_that_takes_no_outcome_does_not_keep_the_server_from_ending() {
    let directory = tempfile::tempdir().unwrap();
    let mut office = Office::running(maildir(&directory, "m")).await;
    office.spool.failing_records.store(u32::MAX, Ordering::Relaxed);
    office.submit(&["a@example.org"]).await;
    while letters(&directory, "m") == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::time::timeout(Duration::from_secs(60), office.stop()).await.unwrap();
}
