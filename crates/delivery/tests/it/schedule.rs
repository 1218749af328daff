//! When messages leave and are tried again, in the time of the runtime: five days pass in a moment.

use delivery::Via;
use jiff::{SignedDuration, Timestamp};
use store::RecipientState::{Delivered, Failed};
use types::QueueId;

use crate::office::{Office, TEXT, now, plain_host};
use crate::peer::{Manners, Peer};

/// A look at the queue, when nobody tells of more.
const POLL: i64 = 3;

async fn office(manners: Manners) -> (Office, Peer) {
    let peer = Peer::start(manners).await;
    (Office::running(Via::Relay(plain_host(peer.port))).await, peer)
}

fn seconds_since(time: Timestamp) -> i64 {
    now().duration_since(time).as_secs()
}

/// Waits for the next attempt; when that was, in seconds after `begun`, and when the one behind it is due.
async fn attempt(office: &Office, id: QueueId, number: u32, begun: Timestamp) -> (i64, i64) {
    office.until(|spool| spool.seats(id)[0].attempts == number).await;
    let due = office.spool.seats(id)[0].due;
    (seconds_since(begun), due.duration_since(begun).as_secs())
}

#[tokio::test(start_paused = true)]
async fn what_is_put_off_is_tried_for_five_days_at_the_times_of_the_schedule() {
    let (mut office, peer) = office(Manners { rcpt: "450 4.2.1 come back", ..Manners::default() }).await;
    let begun = now();
    let id = office.submit(&["a@example.org"]).await;
    let (mut wait, mut due, mut number) = (300, 0, 1);
    let five_days = 5 * 24 * 3600;
    while due < five_days {
        let (at, next) = attempt(&office, id, number, begun).await;
        assert!((due..due + POLL).contains(&at), "attempt {number} was due at {due}, and was made at {at}");
        let least_and_most = (at + wait * 7 / 8 - 1)..=(at + wait * 9 / 8 + 1);
        assert!(
            least_and_most.contains(&next) || next == five_days,
            "after attempt {number} at {at} comes {next}"
        );
        (due, number, wait) = (next, number + 1, (wait * 2).min(4 * 3600));
    }
    office.until(|spool| spool.seats(id)[0].state == Failed).await;
    assert!((five_days..five_days + POLL).contains(&seconds_since(begun)), "{}", seconds_since(begun));
    let tried = peer.commands().iter().filter(|command| command.contains("<a@example.org>")).count();
    assert_eq!(tried, usize::try_from(number).unwrap());
    assert!((30..45).contains(&tried), "{tried}");
}

#[tokio::test(start_paused = true)]
async fn greylisting_costs_one_retry() {
    let (mut office, peer) = office(Manners::default()).await;
    let begun = now();
    let id = office.submit(&["greylisted@example.org"]).await;
    office.until(|spool| spool.seats(id)[0].state == Delivered).await;
    let texts = peer.texts().iter().filter(|text| !text.is_empty()).count();
    assert_eq!((office.spool.seats(id)[0].attempts, texts), (2, 1));
    assert!((262..=340).contains(&seconds_since(begun)), "{}", seconds_since(begun));
}

/// RFC 5321 section 3.8: a host that has enough of a connection says so to the next message, which is not to blame.
#[tokio::test]
async fn a_421_in_mid_session_is_no_attempt() {
    let (mut office, peer) = office(Manners { farewell: 2, ..Manners::default() }).await;
    for _ in 0..5 {
        let id = office.submit(&["a@example.org"]).await;
        let seat = office.tried(id).await.remove(0);
        assert_eq!((seat.state, seat.attempts), (Delivered, 1));
    }
    assert_eq!((peer.texts().len(), peer.connections()), (5, 3));
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_held_leaves_when_its_time_has_come() {
    let (mut office, peer) = office(Manners::default()).await;
    let begun = now();
    let until = begun.checked_add(SignedDuration::from_hours(24)).unwrap();
    let held =
        office.submit_with(&["a@example.org"], TEXT.as_bytes(), |it| it.not_before = Some(until)).await;
    let at_once = office.submit(&["b@example.org"]).await;
    office.until(|spool| spool.seats(at_once)[0].state == Delivered).await;
    assert!(seconds_since(begun) < POLL && !peer.has_seen("RCPT TO:<a@example.org>"));
    office.until(|spool| spool.seats(held)[0].state == Delivered).await;
    let day = 24 * 3600;
    assert!((day..day + POLL).contains(&seconds_since(begun)), "{}", seconds_since(begun));
    assert_eq!(office.spool.seats(held)[0].attempts, 1);
}
