use std::sync::Arc;
use std::time::Duration;

use delivery::{Routes, Schedule, Via, Way};
use store::RecipientState::{Deferred, Delivered, Failed, Held};
use store::Submission;
use tokio::sync::Semaphore;
use types::Notify;

use crate::office::{Office, TEXT, now, plain_host};
use crate::peer::{Manners, Peer};

async fn office(manners: Manners) -> (Office, Peer) {
    let peer = Peer::start(manners).await;
    (Office::running(Via::Relay(plain_host(peer.port))).await, peer)
}

#[tokio::test]
async fn a_message_arrives_as_it_was_accepted() {
    let (mut office, peer) = office(Manners::default()).await;
    let id = office.submit(&["a@example.org"]).await;
    let seat = &office.tried(id).await[0];
    assert_eq!((seat.state, seat.reply.as_str()), (Delivered, "250 2.0.0 taken"));
    assert_eq!(seat.host.as_deref(), Some(format!("127.0.0.1:{}", peer.port).as_str()));
    assert_eq!(peer.texts(), [TEXT]);
}

#[tokio::test]
async fn each_recipient_has_its_own_fate() {
    let (mut office, peer) = office(Manners::default()).await;
    let id = office.submit(&["a@example.org", "refused@example.org", "later@example.org"]).await;
    let seats = office.tried(id).await;
    assert_eq!(seats.iter().map(|seat| seat.state).collect::<Vec<_>>(), [Delivered, Failed, Deferred]);
    assert_eq!(seats[1].reply, "550 5.1.1 nobody here");
    assert_eq!(peer.texts().len(), 1);
}

#[tokio::test]
async fn one_connection_carries_many_messages_without_rset() {
    let (mut office, peer) = office(Manners::default()).await;
    for _ in 0..150 {
        let id = office.submit(&["a@example.org"]).await;
        assert_eq!(office.tried(id).await[0].state, Delivered);
    }
    // A hundred messages each.
    assert_eq!((peer.texts().len(), peer.connections()), (150, 2));
    assert!(!peer.has_seen("RSET"));
    // RFC 5321 section 4.1.1.10: nobody just hangs up.
    peer.until_seen("QUIT", 1).await;
}

#[tokio::test]
async fn a_connection_closed_while_it_was_kept_costs_nothing() {
    let (mut office, peer) = office(Manners { messages: 1, ..Manners::default() }).await;
    for _ in 0..5 {
        let id = office.submit(&["a@example.org"]).await;
        assert_eq!(office.tried(id).await[0].state, Delivered);
    }
    assert_eq!((peer.texts().len(), peer.connections()), (5, 5));
}

#[tokio::test]
async fn a_host_that_is_not_there_defers() {
    let port = Peer::start(Manners::default()).await.port;
    // Nobody listens on a port of a listener that is gone.
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let gone = listener.local_addr().unwrap().port();
    drop(listener);
    assert_ne!(port, gone);
    let mut office = Office::running(Via::Relay(plain_host(gone))).await;
    let id = office.submit(&["a@example.org"]).await;
    let seat = &office.tried(id).await[0];
    assert_eq!(seat.state, Deferred);
    assert!(seat.reply.starts_with("451 4.4.1 no connection: "), "{}", seat.reply);
}

#[tokio::test]
async fn a_message_that_is_damaged_in_the_spool_is_not_ended() {
    let (mut office, peer) = office(Manners::default()).await;
    *office.spool.damaged.lock().unwrap() = Some(0);
    let id = office.submit(&["a@example.org"]).await;
    office.until(|spool| spool.is_held(id)).await;
    assert!(office.spool.seats(id)[0].reply.contains("damaged"));
    assert!(peer.texts().is_empty());
}

#[tokio::test]
async fn a_host_that_garbles_every_answer_gets_three_copies_and_no_more() {
    let peer = Peer::start(Manners { text: "what?", ..Manners::default() }).await;
    let soon = Duration::from_millis(10);
    let schedule = Schedule { first: soon, max: soon, ..Schedule::default() };
    let way = Way { schedule, ..Via::Relay(plain_host(peer.port)).into() };
    let mut office = Office::closed(Routes::new(way, Vec::new())).open();
    // A report would be garbled, too.
    let untold = |submission: &mut Submission| {
        submission.recipients.iter_mut().for_each(|recipient| recipient.notify = Some(Notify::NEVER));
    };
    let to = ["a@example.org", "refused@example.org"];
    let id = office.submit_with(&to, TEXT.as_bytes(), untold).await;
    office.until(|spool| spool.seats(id)[0].state == Held).await;
    let seats = office.spool.seats(id);
    assert_eq!((seats[0].attempts, seats[1].state), (3, Failed));
    assert!(
        seats[0].reply.starts_with("held, since the next host may have it; last: 451 4.5.0"),
        "{}",
        seats[0].reply
    );
    // Whoever has looked lets it go.
    office.spool.release(id, now());
    office.until(|spool| spool.seats(id)[0].attempts == 6).await;
    assert_eq!(office.spool.seats(id)[0].state, Held);
    office.stop().await;
    assert_eq!(peer.commands().iter().filter(|command| *command == "DATA").count(), 6);
}

#[tokio::test]
async fn a_stop_lets_running_transactions_end_and_begins_no_others() {
    let pace = Arc::new(Semaphore::new(0));
    let (mut office, peer) = office(Manners { pace: pace.clone(), ..Manners::default() }).await;
    office.has_answered(&pace).await;
    let mut ids = Vec::new();
    for _ in 0..30 {
        ids.push(office.submit(&["a@example.org"]).await);
    }
    peer.until_seen("DATA", 21).await;
    pace.add_permits(20);
    office.stop().await;
    assert_eq!((office.spool.count(Delivered), peer.texts().len()), (21, 21));
    assert_eq!(office.spool.leases(), 0);
    assert_eq!(peer.seen.lock().unwrap().quits, 20);
    assert_eq!(peer.connections(), 20);
}

#[tokio::test]
async fn many_messages_take_few_connections() {
    let (mut office, peer) = office(Manners::default()).await;
    for _ in 0..1000 {
        office.submit(&["a@example.org"]).await;
    }
    office.until(|spool| spool.count(Delivered) == 1000).await;
    assert_eq!(peer.texts().len(), 1000);
    assert!(peer.connections() <= 20 + 10, "{}", peer.connections());
}
