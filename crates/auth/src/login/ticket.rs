//! Tickets: what somebody holds whose password was right, while the code of the second factor is still to come.
//!
//! They are kept in memory alone: after a restart the password is asked for again. Only who knows a password gets one, and still they are
//! bounded for each account, for each network and in all; the oldest gives way. Those from networks that are familiar to their account
//! have as much room for themselves: no flood from elsewhere, by whoever has stolen passwords, displaces the ticket of an owner.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::outcome::User;
use crate::keys::key::random;

/// How long a code may take: to find the phone, and to wait for the next code.
const LIFETIME: SignedDuration = SignedDuration::from_mins(5);

/// Wrong codes that a ticket survives, less one. The throttle of codes counts on behind it.
const TRIES: u8 = 5;

/// Tickets of one account at most: a few browsers, each asked again.
const OF_ACCOUNT: usize = 10;

/// Tickets of one network at most: people of an office who begin at nine o'clock, behind one address.
const OF_NETWORK: usize = 100;

/// Tickets at most, from familiar networks and as many from others: 10,000, about 3 MB.
const IN_ALL: usize = 5_000;

/// Octets of a ticket: 128 bits of chance.
const OCTETS: usize = 16;

/// Shows that a password was right a moment ago, from the same network.
#[derive(Clone)]
pub struct Ticket(Zeroizing<[u8; OCTETS]>);

impl Ticket {
    /// The ticket as text for a cookie: 22 characters of base64url.
    #[must_use]
    pub fn declassify(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE64URL.encode(self.0.as_slice()))
    }

    /// The ticket that is written so; `None` if none is.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let octets = Zeroizing::new(BASE64URL.decode(text).ok()?);
        octets.as_slice().try_into().ok().map(|octets| Self(Zeroizing::new(octets)))
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ticket(…)")
    }
}

/// The tickets that are good, oldest first.
#[derive(Default)]
pub(crate) struct Tickets(Mutex<VecDeque<Pending>>);

/// A sign-in that waits for its code.
struct Pending {
    ticket: Ticket,
    /// Who it is, and the version of the account when its password was right.
    user: User,
    network: IpNet,
    /// Whether the network is familiar to the account.
    is_familiar: bool,
    /// Codes that were wrong, or are being judged.
    tries: u8,
    until: Timestamp,
}

impl Tickets {
    /// A new ticket for this user, good for five minutes and from this network alone.
    pub(crate) fn issue(&self, user: User, network: IpNet, is_familiar: bool, now: Timestamp) -> Ticket {
        let ticket = Ticket(Zeroizing::new(random()));
        let new = Pending { ticket: ticket.clone(), user, network, is_familiar, tries: 0, until: later(now) };
        let mut pending = self.pending(now);
        make_room(&mut pending, &new);
        pending.push_back(new);
        ticket
    }

    /// Counts a try, before its code is judged, so that many at a time learn no more than many in a row. Says whose ticket it is; `None` if
    /// it is no good: unknown, over, of another network, or with as many tries as it may have.
    pub(crate) fn enter(&self, ticket: &Ticket, network: IpNet, now: Timestamp) -> Option<User> {
        let mut pending = self.pending(now);
        let found = pending.iter_mut().find(|one| one.has(ticket))?;
        if found.network != network || found.tries >= TRIES {
            return None;
        }
        found.tries += 1;
        Some(found.user.clone())
    }

    /// Takes a try back: the code was not judged.
    pub(crate) fn give_back(&self, ticket: &Ticket, now: Timestamp) {
        if let Some(found) = self.pending(now).iter_mut().find(|one| one.has(ticket)) {
            found.tries = found.tries.saturating_sub(1);
        }
    }

    /// The code of a try was wrong. Says whether the ticket is good for another.
    pub(crate) fn wrong(&self, ticket: &Ticket, now: Timestamp) -> bool {
        let mut pending = self.pending(now);
        pending.retain(|one| !one.has(ticket) || one.tries < TRIES);
        pending.iter().any(|one| one.has(ticket))
    }

    /// Ends the ticket; `false` if it was over already, so that of two who come with it one gets in.
    pub(crate) fn end(&self, ticket: &Ticket, now: Timestamp) -> bool {
        let mut pending = self.pending(now);
        let before = pending.len();
        pending.retain(|one| !one.has(ticket));
        pending.len() < before
    }

    /// Those that are good now. What would last longer than any does is from a clock that was ahead.
    fn pending(&self, now: Timestamp) -> MutexGuard<'_, VecDeque<Pending>> {
        let mut pending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pending.retain(|one| now < one.until && one.until <= later(now));
        pending
    }
}

impl Pending {
    fn has(&self, ticket: &Ticket) -> bool {
        self.ticket.0.as_slice().ct_eq(ticket.0.as_slice()).into()
    }
}

/// Forgets the oldest of the account, of the network and of all, where there are as many as there may be.
fn make_room(pending: &mut VecDeque<Pending>, new: &Pending) {
    let alike = |one: &Pending| one.is_familiar == new.is_familiar;
    leave_less_than(OF_ACCOUNT, pending, |one| alike(one) && one.user.account == new.user.account);
    leave_less_than(OF_NETWORK, pending, |one| alike(one) && one.network == new.network);
    leave_less_than(IN_ALL, pending, alike);
}

/// One at most has come since there were less.
fn leave_less_than(limit: usize, pending: &mut VecDeque<Pending>, counts: impl Fn(&Pending) -> bool) {
    if pending.iter().filter(|one| counts(one)).count() >= limit
        && let Some(oldest) = pending.iter().position(counts)
    {
        pending.remove(oldest);
    }
}

fn later(now: Timestamp) -> Timestamp {
    now.saturating_add(LIFETIME).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use store::Account;
    use types::{AccountId, Mailbox};

    use super::*;
    use crate::login::outcome::Credential;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn user(number: u32) -> User {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&number.to_be_bytes());
        let address = Mailbox::parse("alice@example.org").unwrap();
        let account = Account::new(AccountId::from_bytes(id), address, NOW);
        User::of(&account, Credential::AccountPassword)
    }

    fn network(number: u32) -> IpNet {
        std::net::IpAddr::V4(number.into()).into()
    }

    fn is_good(tickets: &Tickets, ticket: &Ticket, from: IpNet) -> bool {
        let is_good = tickets.enter(ticket, from, NOW).is_some();
        tickets.give_back(ticket, NOW);
        is_good
    }

    #[test]
    fn a_ticket_reads_back_and_nothing_else_is_one() {
        let ticket = Tickets::default().issue(user(1), network(1), true, NOW);
        let text = ticket.declassify();
        assert_eq!(text.len(), 22);
        assert_eq!(Ticket::parse(&text).unwrap().0, ticket.0);
        for other in
            ["", "x", &text.replace(|_| true, "+"), &format!("{}x", *text), &format!("{}AAAA", *text)]
        {
            assert!(Ticket::parse(other).is_none(), "{other:?}");
        }
        assert_eq!(format!("{ticket:?}"), "Ticket(…)");
    }

    #[test]
    fn a_ticket_is_good_from_its_network_for_five_minutes() {
        let tickets = Tickets::default();
        let ticket = tickets.issue(user(1), network(1), false, NOW);
        assert!(!is_good(&tickets, &ticket, network(2)));
        assert!(is_good(&tickets, &ticket, network(1)), "nobody elsewhere ends it");
        assert!(!is_good(&tickets, &Ticket(Zeroizing::new([0; 16])), network(1)));
        let last = NOW + SignedDuration::from_millis(299_999);
        assert!(tickets.enter(&ticket, network(1), last).is_some());
        assert!(tickets.enter(&ticket, network(1), last + SignedDuration::from_millis(1)).is_none());
    }

    #[test]
    fn a_ticket_of_a_clock_that_was_ahead_is_forgotten() {
        let tickets = Tickets::default();
        let ticket = tickets.issue(user(1), network(1), true, NOW + SignedDuration::from_hours(1));
        assert!(!is_good(&tickets, &ticket, network(1)));
    }

    #[test]
    fn five_tries_end_a_ticket_and_those_that_were_not_judged_do_not_count() {
        let tickets = Tickets::default();
        let ticket = tickets.issue(user(1), network(1), true, NOW);
        for _ in 0..20 {
            assert!(is_good(&tickets, &ticket, network(1)));
        }
        for number in 1..=5 {
            assert!(tickets.enter(&ticket, network(1), NOW).is_some(), "{number}");
            assert_eq!(tickets.wrong(&ticket, NOW), number < 5, "{number}");
        }
        assert!(!is_good(&tickets, &ticket, network(1)));
    }

    #[test]
    fn of_many_tries_at_once_five_are_judged_and_one_of_two_right_ones_gets_in() {
        let tickets = Tickets::default();
        let ticket = tickets.issue(user(1), network(1), true, NOW);
        let judged = (0..100).filter(|_| tickets.enter(&ticket, network(1), NOW).is_some()).count();
        assert_eq!(judged, 5);
        assert_eq!([tickets.end(&ticket, NOW), tickets.end(&ticket, NOW)], [true, false]);
    }

    #[test]
    fn of_an_account_the_oldest_gives_way_and_from_elsewhere_none_of_a_familiar_network() {
        let tickets = Tickets::default();
        let at_home = tickets.issue(user(1), network(0), true, NOW);
        let bobs = tickets.issue(user(2), network(9), false, NOW);
        let stolen: Vec<_> =
            (1..=1000).map(|number| tickets.issue(user(1), network(number), false, NOW)).collect();
        let good: Vec<_> = (1..)
            .zip(&stolen)
            .filter(|(number, ticket)| is_good(&tickets, ticket, network(*number)))
            .map(|(number, _)| number)
            .collect();
        assert_eq!(good, (991..=1000).collect::<Vec<_>>());
        assert!(is_good(&tickets, &at_home, network(0)) && is_good(&tickets, &bobs, network(9)));
        for _ in 0..OF_ACCOUNT {
            tickets.issue(user(1), network(0), true, NOW);
        }
        assert!(!is_good(&tickets, &at_home, network(0)), "her own new ones take its place");
    }

    #[test]
    fn a_network_has_a_hundred_for_accounts_that_do_not_know_it() {
        let tickets = Tickets::default();
        let familiar = tickets.issue(user(0), network(1), true, NOW);
        let elsewhere = tickets.issue(user(0), network(2), false, NOW);
        let flood: Vec<_> =
            (1..=150).map(|number| tickets.issue(user(number), network(1), false, NOW)).collect();
        assert_eq!(flood.iter().filter(|ticket| is_good(&tickets, ticket, network(1))).count(), OF_NETWORK);
        assert!(is_good(&tickets, &familiar, network(1)) && is_good(&tickets, &elsewhere, network(2)));
    }

    #[test]
    fn there_are_never_more_than_ten_thousand() {
        let tickets = Tickets::default();
        let first = tickets.issue(user(0), network(0), false, NOW);
        tickets.pending(NOW).extend((1..2 * 5_000).map(|number| Pending {
            ticket: Ticket(Zeroizing::new([1; OCTETS])),
            user: user(number),
            network: network(number),
            is_familiar: number % 2 == 1,
            tries: 0,
            until: later(NOW),
        }));
        assert!(is_good(&tickets, &first, network(0)));
        for is_familiar in [true, false] {
            assert!(is_good(&tickets, &first, network(0)));
            tickets.issue(user(20_000), network(20_000), is_familiar, NOW);
            assert_eq!(tickets.pending(NOW).len(), 10_000);
        }
        assert!(!is_good(&tickets, &first, network(0)), "the oldest of those from elsewhere gave way");
    }
}
