//! What [`Audit`] promises, and that changes enter it.
#![expect(missing_docs, reason = "the names say it")]

use std::borrow::Cow;
use std::net::IpAddr;

use super::sample::{account, app_password, at, frank, mailbox, plain};
use crate::{
    Accounts, Act, Action, AppPasswords, Audit, AuditEntry, AuditEvent, AuditFilter, AuditResult, Import,
    Page, Via,
};

const HOUR: i64 = 3600;

/// A failed login.
fn failure(name: &str, ip: &str, seconds: i64) -> AuditEvent {
    AuditEvent {
        at: at(seconds),
        action: Action::Login,
        result: AuditResult::Failure,
        reason: Cow::Borrowed("bad-password"),
        account: Some(name.to_owned()),
        credential: None,
        mechanism: Some("PLAIN".to_owned()),
        scope: Some("smtp".to_owned()),
        ip: Some(ip.parse().unwrap()),
        tls: Some("TLSv1.3".to_owned()),
        session: Some(format!("session at {seconds}")),
        actor: None,
        via: Some(Via::Server),
    }
}

async fn all(audit: &impl Audit) -> Vec<AuditEntry> {
    audit.entries(&AuditFilter::default(), Page::first(10_000)).await.unwrap().entries
}

/// Whom and what the entries are about, oldest first.
async fn told(audit: &impl Audit) -> Vec<(String, Action, Option<String>)> {
    let entries = all(audit).await.into_iter().rev();
    entries
        .map(|AuditEntry { event, .. }| (event.account.unwrap_or_default(), event.action, event.credential))
        .collect()
}

pub async fn every_change_of_an_account_is_told<A: Accounts + Audit>(store: &A) {
    let alice = account(1, "Alice@example.org");
    store.add(&alice, &frank(0)).await.unwrap();
    store.set_password(alice.id, "another", &frank(1)).await.unwrap();
    store.rehash(alice.id, "another", "dear", &frank(2)).await.unwrap();
    store.set_disabled(alice.id, true, &frank(3)).await.unwrap();
    store.set_disabled(alice.id, false, &frank(4)).await.unwrap();
    store.set_disabled(alice.id, true, &frank(5)).await.unwrap();
    store.rename(alice.id, &mailbox("alicia@example.org"), &frank(6)).await.unwrap();
    store.remove(alice.id, &frank(7)).await.unwrap();
    let (old, password) = ("alice@example.org", Some(AuditEvent::PASSWORD.to_owned()));
    let expected = [
        (old, Action::UserAdd, None),
        (old, Action::PasswordSet, password.clone()),
        (old, Action::PasswordRehash, password),
        (old, Action::UserDisable, None),
        (old, Action::UserEnable, None),
        (old, Action::UserDisable, None),
        (old, Action::UserRename, None),
        ("alicia@example.org", Action::UserRename, None),
        ("alicia@example.org", Action::UserRemove, None),
    ];
    assert_eq!(told(store).await, expected.map(|(name, action, about)| (name.to_owned(), action, about)));
    let entries = all(store).await;
    assert!(entries.iter().all(|entry| entry.count == 1 && entry.event.reason == "ok"));
    let done_by = |entry: &AuditEntry| (entry.event.actor.as_deref() == Some("frank"), entry.event.via);
    assert!(entries.iter().all(|entry| done_by(entry) == (true, Some(Via::Cli))), "{entries:?}");
}

pub async fn who_does_it_and_where_from_is_told<A: Accounts + Audit>(store: &A) {
    let alice = account(1, "Alice@example.org");
    store.add(&alice, &Act::server(at(0))).await.unwrap();
    let session = Some("01J0000000000000000000000A".to_owned());
    let own = Act { ip: Some([192, 0, 2, 1].into()), session, ..Act::account(&alice.address, at(1)) };
    store.set_disabled(alice.id, true, &own).await.unwrap();
    let told: Vec<_> = all(store)
        .await
        .into_iter()
        .map(|AuditEntry { event, .. }| (event.actor.unwrap_or_default(), event.via, event.ip, event.session))
        .collect();
    let by_alice = ("alice@example.org".to_owned(), Some(Via::Server), own.ip, own.session);
    assert_eq!(told, [by_alice, ("server".to_owned(), Some(Via::Server), None, None)]);
}

pub async fn every_change_of_an_app_password_is_told<A: Accounts + AppPasswords + Audit>(store: &A) {
    let alice = account(1, "alice@example.org");
    let (account, app_passwords) = (alice.clone(), Vec::new());
    let import = Import { account, app_passwords, second_factor: None, identities: Vec::new() };
    store.import(&import, &frank(0)).await.unwrap();
    let password = app_password(1, &alice);
    store.create(&plain(&password, [1; 32]), 10, &frank(0)).await.unwrap();
    store.revoke(alice.id, password.id, &frank(2)).await.unwrap();
    let expected = [
        (Action::UserImport, None),
        (Action::AppPasswordCreate, Some(password.id.to_string())),
        (Action::AppPasswordRevoke, Some(password.id.to_string())),
    ];
    assert_eq!(told(store).await, expected.map(|(action, about)| (alice.address.normal(), action, about)));
}

pub async fn what_changes_nothing_is_not_told<A: Accounts + AppPasswords + Audit>(store: &A) {
    let alice = account(1, "alice@example.org");
    store.add(&alice, &frank(0)).await.unwrap();
    let before = all(store).await;
    store.add(&account(2, "ALICE@example.org"), &frank(0)).await.unwrap_err();
    store.create(&plain(&app_password(1, &alice), [1; 32]), 0, &frank(0)).await.unwrap_err();
    assert!(!store.rehash(alice.id, "never was", "dear", &frank(1)).await.unwrap());
    assert!(!store.revoke(alice.id, app_password(1, &alice).id, &frank(1)).await.unwrap());
    assert!(!store.adopt(app_password(1, &alice).id, &[2; 32], &frank(1)).await.unwrap());
    assert_eq!(all(store).await, before);
}

pub async fn an_entry_comes_back_as_it_was_noted<A: Accounts + Audit>(store: &A) {
    let event = failure("nobody@example.org", "::ffff:192.0.2.1", 1);
    store.note(event.clone());
    store.flush().await.unwrap();
    let bare = AuditEvent::success(Action::KeyRotate, &frank(2));
    store.record(&bare).await.unwrap();
    let canonical = AuditEvent { ip: Some([192, 0, 2, 1].into()), ..event };
    assert_eq!(all(store).await, [AuditEntry::from(bare), AuditEntry::from(canonical)]);
}

pub async fn what_is_alike_within_an_hour_is_one_entry<A: Accounts + Audit>(store: &A) {
    let alice = |seconds| failure("alice@example.org", "192.0.2.1", seconds);
    store.note(alice(0));
    store.note(alice(1));
    store.flush().await.unwrap();
    store.note(alice(HOUR));
    store.flush().await.unwrap();
    assert_eq!(all(store).await, [AuditEntry { event: alice(HOUR), first_at: at(0), count: 3 }]);

    store.record(&alice(HOUR + 1)).await.unwrap();
    store.record(&failure("alice@example.org", "192.0.2.2", HOUR + 2)).await.unwrap();
    store.record(&AuditEvent { reason: "expired".into(), ..alice(HOUR + 3) }).await.unwrap();
    let counts: Vec<_> = all(store).await.iter().map(|entry| entry.count).collect();
    assert_eq!(counts, [1, 1, 1, 3], "neither later, nor from elsewhere, nor for another reason");
    store.record(&AuditEvent { actor: Some("frank".to_owned()), ..alice(HOUR + 4) }).await.unwrap();
    assert_eq!(all(store).await.len(), 5, "nor by somebody else");
    store.record(&AuditEvent { via: Some(Via::Cli), ..alice(HOUR + 5) }).await.unwrap();
    assert_eq!(all(store).await.len(), 6, "nor by other means");
}

pub async fn the_newest_come_first_and_filters_narrow<A: Accounts + Audit>(store: &A) {
    for (n, ip) in ["192.0.2.1", "192.0.2.200", "198.51.100.1", "2001:db8::1"].iter().enumerate() {
        let n = i64::try_from(n).unwrap();
        store.record(&failure(&format!("user{n}@example.org"), ip, n)).await.unwrap();
    }
    store.add(&account(1, "user1@example.org"), &frank(0)).await.unwrap();
    let count =
        async |filter: AuditFilter| store.entries(&filter, Page::first(1000)).await.unwrap().entries.len();
    let none = AuditFilter::default;
    let network = |network: &str| Some(network.parse().unwrap());
    assert_eq!(count(none()).await, 5);
    assert_eq!(count(AuditFilter { account: Some("user1@example.org".to_owned()), ..none() }).await, 2);
    assert_eq!(count(AuditFilter { action: Some(Action::Login), ..none() }).await, 4);
    assert_eq!(count(AuditFilter { result: Some(AuditResult::Success), ..none() }).await, 1);
    assert_eq!(count(AuditFilter { network: network("192.0.2.0/25"), ..none() }).await, 1);
    assert_eq!(count(AuditFilter { network: network("2001:db8::/32"), ..none() }).await, 1);
    assert_eq!(count(AuditFilter { since: Some(at(2)), ..none() }).await, 2);
    assert_eq!(count(AuditFilter { actor: Some("frank".to_owned()), ..none() }).await, 1);
    assert_eq!(count(AuditFilter { actor: Some("fran".to_owned()), ..none() }).await, 0);
    let oldest = AuditFilter { network: network("192.0.2.0/24"), ..none() };
    let last: Vec<_> = store
        .entries(&oldest, Page::first(1))
        .await
        .unwrap()
        .entries
        .into_iter()
        .map(|entry| entry.event)
        .collect();
    assert_eq!(last, [failure("user1@example.org", "192.0.2.200", 1)]);
}

pub async fn the_old_is_forgotten<A: Accounts + Audit>(store: &A) {
    for n in 0..2500 {
        store.note(AuditEvent { result: AuditResult::Success, ..failure(&n.to_string(), "192.0.2.1", n) });
    }
    store.flush().await.unwrap();
    assert_eq!(store.prune(at(2400), at(2500)).await.unwrap(), 2400);
    assert_eq!(all(store).await.len(), 100);
    assert_eq!(store.prune(at(2400), at(2500)).await.unwrap(), 0);
}

pub async fn what_a_clock_ahead_has_told_is_forgotten_with_its_neighbours<A: Accounts + Audit>(store: &A) {
    for seconds in [1, 300_000_000, 2, 10, 300_000_001, 20] {
        store.record(&failure(&seconds.to_string(), "192.0.2.1", seconds)).await.unwrap();
    }
    let left = async || all(store).await.iter().map(|entry| entry.event.at).collect::<Vec<_>>();
    assert_eq!(store.prune(at(2), at(30)).await.unwrap(), 2);
    assert_eq!(left().await, [at(300_000_001), at(20), at(10), at(2)]);
    assert_eq!(store.prune(at(20), at(30)).await.unwrap(), 3);
    assert_eq!(left().await, [at(20)]);
}

/// 20,000 logins within an hour, each from elsewhere: some hundred entries, none of them lost in number.
pub async fn an_account_that_logs_in_from_ever_new_addresses_is_a_bounded_number_of_entries<
    A: Accounts + Audit,
>(
    store: &A,
) {
    let logins = 20_000;
    let success = |name: &str, n: u32| {
        let ip = std::net::Ipv4Addr::from_bits(n).to_string();
        let event = failure(name, &ip, i64::from(n) / 10);
        AuditEvent { result: AuditResult::Success, reason: Cow::Borrowed("ok"), ..event }
    };
    for n in 0..logins {
        store.note(success("alice@example.org", n));
        if n % 1000 == 50 {
            store.flush().await.unwrap();
        }
    }
    store.note(success("bob@example.org", 1));
    store.flush().await.unwrap();
    let (mut alice, bob): (Vec<_>, Vec<_>) = all(store)
        .await
        .into_iter()
        .partition(|entry| entry.event.account.as_deref() == Some("alice@example.org"));
    assert!(alice.len() <= 201 && bob.len() == 1, "{} {}", alice.len(), bob.len());
    assert_eq!(alice.iter().map(|entry| entry.count).sum::<u64>(), u64::from(logins));
    alice.retain(|entry| entry.event.ip.is_none());
    assert_eq!(alice.len(), 1, "{alice:?}");
    let together = &alice[0].event;
    assert_eq!((together.mechanism.as_deref(), &*together.reason), (None, "ok"));
    assert_eq!(bob[0].event.ip, Some(std::net::Ipv4Addr::from_bits(1).into()));
}

/// 100,000 names within an hour, from as many addresses: some thousand entries, none of them lost in number.
pub async fn an_attack_with_ever_new_names_is_a_bounded_number_of_entries<A: Accounts + Audit>(store: &A) {
    let names = 100_000;
    for n in 0..names {
        let ip = std::net::Ipv4Addr::from_bits(n).to_string();
        store.note(failure(&format!("user{n}@example.org"), &ip, i64::from(n) / 30));
        if n % 10_000 == 0 {
            store.flush().await.unwrap();
        }
    }
    store.flush().await.unwrap();
    let entries = all(store).await;
    assert!(entries.len() <= 2_100, "{}", entries.len());
    assert_eq!(entries.iter().map(|entry| entry.count).sum::<u64>(), u64::from(names));
    let blurred: Vec<_> = entries.iter().filter(|entry| entry.event.account.is_none()).collect();
    assert_eq!(blurred.len(), 1);
    let at = blurred[0].event.at;
    let expected = AuditEvent { at, account: None, ip: None, session: None, ..failure("", "0.0.0.0", 0) };
    assert_eq!(blurred[0].event, expected);

    store.note(failure("user1@example.org", "0.0.0.1", 2));
    store.add(&account(1, "alice@example.org"), &frank(0)).await.unwrap();
    store.flush().await.unwrap();
    assert_eq!(
        all(store).await.len(),
        entries.len() + 1,
        "changes are still told, and what is known is counted"
    );
}

pub async fn the_first_login_from_each_address_is_known<S: Audit + Accounts>(store: &S) {
    let login = |user: &str, seconds, ip: &str, result| AuditEvent {
        account: Some(format!("{user}@example.org")),
        ip: Some(ip.parse().unwrap()),
        result,
        ..AuditEvent::success(Action::Login, &Act::server(at(seconds)))
    };
    use AuditResult::{Failure, Success};
    for event in [
        login("alice", 5, "192.0.2.1", Success),
        login("alice", 5000, "192.0.2.1", Success),
        login("alice", 7, "2001:db8::1", Success),
        login("alice", 1, "192.0.2.9", Failure),
        login("bob", 1, "192.0.2.1", Success),
    ] {
        store.record(&event).await.unwrap();
    }
    let mut first = store.first_logins("alice@example.org", at(0)).await.unwrap();
    first.sort_unstable();
    let expected = [("192.0.2.1", 5), ("2001:db8::1", 7)];
    assert_eq!(first, expected.map(|(ip, seconds)| (ip.parse::<IpAddr>().unwrap(), at(seconds))));
    assert_eq!(store.first_logins("nobody@example.org", at(0)).await.unwrap(), []);
    let by =
        |credential: &str| AuditFilter { credential: Some(credential.to_owned()), ..AuditFilter::default() };
    store.record(&login("alice", 9, "192.0.2.1", Success).about("phone")).await.unwrap();
    let found = store.entries(&by("phone"), Page::first(9)).await.unwrap().entries;
    assert_eq!(found.iter().map(|entry| entry.event.at).collect::<Vec<_>>(), [at(9)]);
    assert!(store.entries(&by("laptop"), Page::first(9)).await.unwrap().entries.is_empty());
}
