//! What [`WebSessions`] promises, through two handles to one store.
#![expect(missing_docs, reason = "the names say it")]

use futures_util::future::join_all;
use types::WebSessionId;

use super::sample::{account, at, frank, two_accounts};
use crate::{Account, Accounts, Act, Action, Audit, AuditFilter, Error, Page, WebSession, WebSessions};

const MANY: u32 = 20;

fn session(n: u8, account: &Account) -> WebSession {
    WebSession {
        id: WebSessionId::from_bytes([n; 16]),
        account: account.id,
        version: account.version,
        made_at: at(i64::from(n)),
        seen_at: at(i64::from(n)),
        confirmed_at: at(i64::from(n)),
        ends_at: at(1000),
        ip: "2001:db8::1".parse().unwrap(),
        agent: format!("Browser/{n}"),
    }
}

/// Opens the session with this number, whose digest is of the same number.
async fn open<S: WebSessions>(store: &S, n: u8, account: &Account) -> WebSession {
    let session = session(n, account);
    store.open_session(&session, &[n; 32], MANY).await.unwrap();
    session
}

async fn found<S: WebSessions>(store: &S, digest: u8) -> Option<WebSession> {
    store.session_by_digest(&[digest; 32]).await.unwrap().map(|(session, _)| session)
}

async fn ids<S: WebSessions>(store: &S, account: &Account) -> Vec<u8> {
    let sessions = store.sessions(account.id).await.unwrap();
    sessions.iter().map(|session| session.id.as_bytes()[0]).collect()
}

pub async fn one_look_up_finds_the_session_and_its_account<S>(one: &S, other: &S)
where
    S: Accounts + WebSessions,
{
    let [alice, bob] = two_accounts(one).await;
    let (first, second) = (open(one, 1, &alice).await, open(other, 2, &alice).await);
    open(one, 3, &bob).await;
    for store in [one, other] {
        let expected = Some((first.clone(), alice.clone()));
        assert_eq!(store.session_by_digest(&[1; 32]).await.unwrap(), expected);
        assert_eq!(found(store, 9).await, None);
        assert_eq!(store.sessions(alice.id).await.unwrap(), [second.clone(), first.clone()]);
    }
}

pub async fn a_session_is_opened_for_the_account_as_it_is<S>(one: &S, other: &S)
where
    S: Accounts + WebSessions,
{
    let [alice, _] = two_accounts(one).await;
    let nobody = account(9, "nobody@example.org");
    let opened = one.open_session(&session(1, &nobody), &[1; 32], MANY).await;
    assert!(matches!(opened, Err(Error::NotFound)), "{opened:?}");
    other.set_password(alice.id, "another", &frank(1)).await.unwrap();
    let opened = one.open_session(&session(1, &alice), &[1; 32], MANY).await;
    assert!(matches!(opened, Err(Error::Changed)), "{opened:?}");
    assert_eq!(found(one, 1).await, None);
}

pub async fn of_an_account_the_oldest_session_goes<S>(one: &S, other: &S)
where
    S: Accounts + WebSessions,
{
    let [alice, bob] = two_accounts(one).await;
    open(one, 100, &bob).await;
    let opened = join_all((1..=25).map(async |n| {
        let store = if n % 2 == 0 { one } else { other };
        store.open_session(&session(n, &alice), &[n; 32], MANY).await
    }));
    assert!(opened.await.iter().all(Result::is_ok));
    assert_eq!(ids(one, &alice).await.len(), 20, "however many are opened at once");
    for n in 30..50 {
        open(one, n, &alice).await;
    }
    assert_eq!(ids(other, &alice).await, (30..50).rev().collect::<Vec<_>>());
    assert!(found(other, 100).await.is_some(), "of the account alone");
}

pub async fn sessions_of_another_version_are_not_listed_and_go_with_the_next<S>(one: &S, other: &S)
where
    S: Accounts + WebSessions,
{
    let [alice, _] = two_accounts(one).await;
    open(one, 1, &alice).await;
    other.set_password(alice.id, "another", &frank(1)).await.unwrap();
    let now = one.by_id(alice.id).await.unwrap().unwrap();
    let (session, account) = one.session_by_digest(&[1; 32]).await.unwrap().unwrap();
    assert_ne!(session.version, account.version, "which is for the caller to see");
    assert!(ids(one, &alice).await.is_empty());
    open(one, 2, &now).await;
    assert_eq!(ids(other, &alice).await, [2]);
    assert_eq!(found(other, 1).await, None);
}

pub async fn a_renewed_session_has_another_token_and_no_longer_the_old_one<S>(one: &S, other: &S)
where
    S: Accounts + WebSessions,
{
    let [alice, _] = two_accounts(one).await;
    let session = open(one, 1, &alice).await;
    let renewed = join_all((2..12).map(async |n| {
        let store = if n % 2 == 0 { one } else { other };
        usize::from(store.renew_session(&[1; 32], &[n; 32], alice.version, at(50)).await.unwrap())
    }));
    assert_eq!(renewed.await.into_iter().sum::<usize>(), 1, "of many at once one is renewed");
    assert_eq!(found(other, 1).await, None);
    let [now] = one.sessions(alice.id).await.unwrap().try_into().unwrap();
    assert_eq!(now, WebSession { seen_at: at(50), confirmed_at: at(50), ..session });
}

pub async fn a_session_is_renewed_for_the_version_that_its_owner_has_made<S>(one: &S, other: &S)
where
    S: Accounts + WebSessions,
{
    let [alice, _] = two_accounts(one).await;
    for n in 1..=2 {
        open(one, n, &alice).await;
    }
    one.set_password(alice.id, "hers", &frank(1)).await.unwrap();
    let hers = alice.version + 1;
    assert!(!one.renew_session(&[1; 32], &[11; 32], alice.version, at(50)).await.unwrap(), "the old one");
    assert!(one.renew_session(&[1; 32], &[11; 32], hers, at(50)).await.unwrap());
    assert_eq!(ids(other, &alice).await, [1], "all others have ended");
    other.set_disabled(alice.id, true, &frank(2)).await.unwrap();
    for version in [hers, hers + 1] {
        assert!(!one.renew_session(&[11; 32], &[12; 32], version, at(60)).await.unwrap());
    }
}

/// Who did what about which session, oldest first.
async fn trail<S: Audit>(store: &S) -> Vec<(Action, String, Option<String>)> {
    let entries = store.entries(&AuditFilter::default(), Page::first(100)).await.unwrap().entries;
    let told = entries.into_iter().rev().map(|entry| entry.event);
    told.filter(|event| matches!(event.action, Action::SignOut | Action::SessionEnd))
        .map(|event| (event.action, event.credential.unwrap(), event.session))
        .collect()
}

pub async fn a_session_is_ended_by_its_account_and_that_is_told<S>(one: &S, other: &S)
where
    S: Accounts + Audit + WebSessions,
{
    let [alice, bob] = two_accounts(one).await;
    let sessions = [open(one, 1, &alice).await, open(one, 2, &alice).await];
    let [own, second] = sessions.map(|session| session.id);
    let act = Act::web(&alice.address, "192.0.2.1".parse().unwrap(), own.to_string(), at(9));
    assert!(!one.end_session(bob.id, second, &act).await.unwrap());
    assert!(one.end_session(alice.id, second, &act).await.unwrap());
    assert!(!other.end_session(alice.id, second, &act).await.unwrap(), "once");
    assert!(other.end_session(alice.id, own, &act).await.unwrap());
    assert!(found(one, 1).await.is_none() && found(one, 2).await.is_none());
    let by = Some(own.to_string());
    let told = [(Action::SessionEnd, second.to_string(), by.clone()), (Action::SignOut, own.to_string(), by)];
    assert_eq!(trail(one).await, told);
}

pub async fn all_sessions_but_one_are_ended_or_all<S>(one: &S, other: &S)
where
    S: Accounts + Audit + WebSessions,
{
    let [alice, bob] = two_accounts(one).await;
    for n in 1..=4 {
        open(one, n, &alice).await;
    }
    open(one, 9, &bob).await;
    let own = WebSessionId::from_bytes([3; 16]);
    assert_eq!(other.end_sessions(alice.id, Some(own), &frank(5)).await.unwrap(), 3);
    assert_eq!(ids(one, &alice).await, [3]);
    assert_eq!(one.end_sessions(alice.id, None, &frank(6)).await.unwrap(), 1);
    assert_eq!(one.end_sessions(alice.id, None, &frank(6)).await.unwrap(), 0);
    assert_eq!(ids(other, &bob).await, [9]);
    let mut told: Vec<_> = trail(one).await.into_iter().map(|(action, id, _)| (action.name(), id)).collect();
    told.sort_unstable();
    let expected = (1..=4).map(|n| ("session-end", WebSessionId::from_bytes([n; 16]).to_string()));
    assert_eq!(told, expected.collect::<Vec<_>>());
}

pub async fn what_is_over_is_forgotten<S>(one: &S, other: &S)
where
    S: Accounts + WebSessions,
{
    let [alice, _] = two_accounts(one).await;
    for n in 1..=4 {
        open(one, n, &alice).await;
    }
    let ahead = WebSession { seen_at: at(200_000), ends_at: at(300_000), ..session(5, &alice) };
    one.open_session(&ahead, &[5; 32], MANY).await.unwrap();
    assert_eq!(other.count_sessions().await.unwrap(), 5);
    assert_eq!(other.prune_sessions(at(3), at(999)).await.unwrap(), 3, "last used before, or far ahead");
    assert_eq!((ids(one, &alice).await, one.count_sessions().await.unwrap()), (vec![4, 3], 2));
    assert_eq!(one.prune_sessions(at(3), at(1000)).await.unwrap(), 2, "ended");
}

pub async fn a_use_of_a_session_is_noted<S>(one: &S, other: &S)
where
    S: Accounts + WebSessions,
{
    let [alice, _] = two_accounts(one).await;
    let session = open(one, 1, &alice).await;
    let before = one.revision().await;
    one.session_seen(session.id, at(100));
    one.flush().await.unwrap();
    other.session_seen(session.id, at(90));
    other.flush().await.unwrap();
    assert_eq!(found(other, 1).await.unwrap().seen_at, at(100), "the later wins");
    one.session_seen(WebSessionId::from_bytes([9; 16]), at(100));
    one.flush().await.unwrap();
    one.remove(alice.id, &frank(200)).await.unwrap();
    assert_eq!(found(other, 1).await, None, "a removed account takes its sessions along");
    assert!(before.is_none() || before != one.revision().await);
}

pub async fn sessions_do_not_move_the_revision<S>(one: &S, other: &S)
where
    S: Accounts + WebSessions,
{
    let [alice, _] = two_accounts(one).await;
    let before = one.revision().await;
    let session = open(one, 1, &alice).await;
    assert!(other.renew_session(&[1; 32], &[2; 32], alice.version, at(5)).await.unwrap());
    one.session_seen(session.id, at(100));
    one.flush().await.unwrap();
    assert!(one.end_session(alice.id, session.id, &frank(6)).await.unwrap());
    assert_eq!(other.prune_sessions(at(0), at(0)).await.unwrap(), 0);
    assert_eq!((one.revision().await, other.revision().await), (before, before));
}
