//! Sessions on a store of SQLite: what opens them, and what ends them.

use std::cell::Cell;

use auth::{Credential, SessionToken, User};
use jiff::{SignedDuration, Timestamp};
use store::{Accounts as _, Act, Action, Audit as _, AuditFilter, Page, SecondFactors as _};
use types::{Mailbox, Secret};

use super::SignedIn;
use crate::Trouble;
use crate::tests::{Office, alice, frank, now};

const BROWSER: &str = "Browser/1.0 (Linux)";

thread_local! {
    /// Seconds since the office was opened.
    static PASSED: Cell<i64> = const { Cell::new(0) };
}

fn later() -> Timestamp {
    now() + SignedDuration::from_secs(PASSED.get())
}

fn at_second(second: i64) {
    PASSED.set(second);
}

fn user(office: &Office, credential: Credential) -> User {
    let account = &office.account;
    User { account: account.id, address: account.address.clone(), credential, version: account.version }
}

async fn office() -> Office {
    at_second(0);
    let mut office = Office::open().await;
    office.desk.now = later;
    office
}

async fn open(office: &Office) -> SessionToken {
    let alice = user(office, Credential::AccountPassword);
    office.desk.open_session(&alice, "192.0.2.1".parse().unwrap(), BROWSER).await.unwrap().0
}

async fn signed_in(office: &Office, token: &SessionToken) -> Option<SignedIn> {
    office.desk.signed_in(token).await.unwrap()
}

#[tokio::test]
async fn the_token_alone_opens_a_session_and_the_store_does_not_have_it() {
    let office = office().await;
    let token = open(&office).await;
    let who = signed_in(&office, &token).await.unwrap();
    assert_eq!((who.account.address.clone(), who.session.agent.as_str()), (alice(), BROWSER));
    assert!(signed_in(&office, &SessionToken::generate()).await.is_none());
    office.store.close().await;
    let text = token.declassify();
    for file in std::fs::read_dir(office.directory.path().join("store")).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            let octets = std::fs::read(&path).unwrap();
            assert!(!octets.windows(text.len()).any(|part| part == text.as_bytes()), "{}", path.display());
        }
    }
}

#[tokio::test]
async fn a_session_lasts_for_half_an_hour_without_use_and_for_twelve_hours_in_all() {
    let office = office().await;
    let [used, unused] = [open(&office).await, open(&office).await];
    for second in (0..12 * 3600).step_by(1799) {
        at_second(second);
        assert!(signed_in(&office, &used).await.is_some(), "{second}");
        office.store.accounts().flush().await.unwrap();
    }
    for (second, is_open) in [(1799, true), (1800, false)] {
        let session = office.desk.sessions(&office.account, None);
        at_second(second);
        let ids: Vec<_> = session.await.unwrap().into_iter().map(|session| session.seen_at).collect();
        assert_eq!(ids.contains(&now()), is_open, "{second}: listed");
    }
    at_second(1800);
    assert!(signed_in(&office, &unused).await.is_none());
    at_second(12 * 3600 - 1);
    assert!(signed_in(&office, &used).await.is_some());
    at_second(12 * 3600);
    assert!(signed_in(&office, &used).await.is_none());
    assert!(office.desk.sessions(&office.account, None).await.unwrap().is_empty());
}

#[tokio::test]
async fn that_a_session_is_used_is_noted_once_a_minute() {
    let office = office().await;
    let token = open(&office).await;
    for (second, seen) in [(59, 0), (60, 60), (119, 60), (120, 120)] {
        at_second(second);
        assert!(signed_in(&office, &token).await.is_some());
        office.store.accounts().flush().await.unwrap();
        let [session] = office.desk.sessions(&office.account, None).await.unwrap().try_into().unwrap();
        assert_eq!(session.seen_at, now() + SignedDuration::from_secs(seen), "{second}");
    }
}

#[tokio::test]
async fn a_session_of_a_clock_that_was_ahead_is_over() {
    let office = office().await;
    at_second(3600);
    let token = open(&office).await;
    at_second(0);
    assert!(signed_in(&office, &token).await.is_none());
}

#[tokio::test]
async fn a_session_by_something_that_ends_ends_with_it() {
    let office = office().await;
    let until = Some(now() + SignedDuration::from_secs(100));
    let by_program = user(&office, Credential::Http { until });
    let ip = "192.0.2.1".parse().unwrap();
    let (token, session) = office.desk.open_session(&by_program, ip, BROWSER).await.unwrap();
    assert_eq!(Some(session.ends_at), until);
    at_second(99);
    assert!(signed_in(&office, &token).await.is_some());
    at_second(100);
    assert!(signed_in(&office, &token).await.is_none());
}

#[tokio::test]
async fn every_change_of_the_account_ends_its_sessions() {
    let mut office = office().await;
    for what in ["password", "barred", "let in again", "renamed", "second factor on", "second factor off"] {
        office.account = office.store.accounts().by_id(office.account.id).await.unwrap().unwrap();
        let (token, id, accounts) = (open(&office).await, office.account.id, office.store.accounts());
        assert!(signed_in(&office, &token).await.is_some(), "{what}");
        match what {
            "password" => accounts.set_password(id, "another", &frank()).await.unwrap(),
            "barred" => accounts.set_disabled(id, true, &frank()).await.unwrap(),
            "let in again" => accounts.set_disabled(id, false, &frank()).await.unwrap(),
            "renamed" => {
                let alicia = Mailbox::parse("alicia@example.org").unwrap();
                accounts.rename(id, &alicia, &frank()).await.unwrap();
            }
            "second factor on" => {
                accounts.enroll(id, b"seed", &frank()).await.unwrap();
                assert!(accounts.confirm(id, now(), 1, &[], &frank()).await.unwrap());
            }
            _ => assert!(accounts.disable_second_factor(id, &frank()).await.unwrap()),
        }
        assert!(signed_in(&office, &token).await.is_none(), "{what}");
        if what == "barred" {
            accounts.set_disabled(id, false, &frank()).await.unwrap();
            assert!(signed_in(&office, &token).await.is_none(), "nor does it begin again");
        }
    }
}

#[tokio::test]
async fn who_signs_in_while_the_account_is_changed_has_to_do_so_anew() {
    let office = office().await;
    office.store.accounts().set_password(office.account.id, "another", &frank()).await.unwrap();
    let before = user(&office, Credential::AccountPassword);
    let opened = office.desk.open_session(&before, "192.0.2.1".parse().unwrap(), BROWSER).await;
    assert!(matches!(opened, Err(Trouble::SignInOvertaken(_))), "{opened:?}");
}

#[tokio::test]
async fn a_renewed_session_has_another_token_and_is_confirmed_now() {
    let office = office().await;
    let token = open(&office).await;
    let who = signed_in(&office, &token).await.unwrap();
    at_second(1000);
    let renewed = office.desk.renew_session(&token, &who).await.unwrap().unwrap();
    assert!(signed_in(&office, &token).await.is_none());
    let now_in = signed_in(&office, &renewed).await.unwrap();
    assert_eq!((now_in.session.id, now_in.session.ends_at), (who.session.id, who.session.ends_at));
    assert_eq!(now_in.session.confirmed_at, later());
    assert!(office.desk.renew_session(&token, &who).await.unwrap().is_none(), "once");
}

#[tokio::test]
async fn who_has_changed_the_account_stays_signed_in_and_all_others_are_out() {
    let office = office().await;
    let [own, other] = [open(&office).await, open(&office).await];
    let who = signed_in(&office, &own).await.unwrap();
    let accounts = office.store.accounts();
    accounts.set_password(office.account.id, "hers", &frank()).await.unwrap();
    let kept = office.desk.keep_session(&own, &who).await.unwrap().unwrap();
    assert!(signed_in(&office, &kept).await.is_some());
    assert!(signed_in(&office, &own).await.is_none() && signed_in(&office, &other).await.is_none());
    let who = signed_in(&office, &kept).await.unwrap();
    for another in ["hers again", "somebody else's"] {
        accounts.set_password(office.account.id, another, &frank()).await.unwrap();
    }
    assert!(
        office.desk.keep_session(&kept, &who).await.unwrap().is_none(),
        "somebody else has changed it, too"
    );
}

#[tokio::test]
async fn an_account_has_twenty_sessions_at_most() {
    let office = office().await;
    let mut tokens = Vec::new();
    for second in 0..21 {
        at_second(second);
        tokens.push(open(&office).await);
    }
    assert!(signed_in(&office, &tokens[0]).await.is_none());
    assert!(
        signed_in(&office, &tokens[1]).await.is_some() && signed_in(&office, &tokens[20]).await.is_some()
    );
    assert_eq!(office.desk.sessions(&office.account, None).await.unwrap().len(), 20);
}

#[tokio::test]
async fn sessions_are_ended_one_by_one_all_but_ones_own_or_by_signing_out() {
    let office = office().await;
    let mut tokens = Vec::new();
    for second in 0..4 {
        at_second(second);
        tokens.push(open(&office).await);
    }
    let own = signed_in(&office, &tokens[3]).await.unwrap();
    let act = own.act("192.0.2.1".parse().unwrap(), later());
    let shown = office.desk.sessions(&office.account, Some(own.session.id)).await.unwrap();
    assert_eq!(shown.iter().map(|one| one.current).collect::<Vec<_>>(), [true, false, false, false]);
    office.desk.end_session(&act, &office.account, &shown[3].id).await.unwrap();
    assert!(signed_in(&office, &tokens[0]).await.is_none());
    for (which, code) in [(shown[3].id.as_str(), "no-session"), ("", "no-session"), ("0", "ambiguous")] {
        let said = office.desk.end_session(&act, &office.account, which).await.unwrap_err();
        assert_eq!(said.code(), code, "{which}: {said}");
    }
    assert_eq!(office.desk.end_sessions(&act, &office.account, Some(own.session.id)).await.unwrap(), 2);
    assert!(signed_in(&office, &tokens[3]).await.is_some());
    office.desk.sign_out(&act, &own).await.unwrap();
    assert!(signed_in(&office, &tokens[3]).await.is_none());
    let told = AuditFilter { action: Some(Action::SignOut), ..AuditFilter::default() };
    let told = office.store.accounts().entries(&told, Page::first(9)).await.unwrap().entries;
    let Act { by, .. } = act;
    assert_eq!((told.len(), told[0].event.actor.clone()), (1, Some(by.to_string())));
}

#[tokio::test]
async fn what_a_browser_calls_itself_is_cut_and_has_no_control_characters() {
    let office = office().await;
    let alice = user(&office, Credential::AccountPassword);
    let agent = format!("\u{1b}[31m{}", "ä".repeat(5000));
    let (_, session) = office.desk.open_session(&alice, "::1".parse().unwrap(), &agent).await.unwrap();
    assert!(session.agent.starts_with("\u{fffd}[31mä") && session.agent.chars().count() == 300);
}

#[tokio::test]
async fn ones_own_new_password_is_long_and_ends_all_other_sessions() {
    let office = office().await;
    let [own, other] = [open(&office).await, open(&office).await];
    let who = signed_in(&office, &own).await.unwrap();
    let act = who.act("192.0.2.1".parse().unwrap(), later());
    let change =
        async |new: &str| office.desk.change_own_password(&act, (&own, &who), Secret::new(new)).await;
    for (weak, code) in
        [("x7#qZp!w", "weak"), ("alice@example.org", "weak"), ("mail.example.org", "weak"), ("", "unfit")]
    {
        assert_eq!(change(weak).await.unwrap_err().code(), code, "{weak}");
    }
    assert!(signed_in(&office, &other).await.is_some(), "nothing was changed");
    let kept = change("correct horse battery staple").await.unwrap().unwrap();
    assert!(signed_in(&office, &kept).await.is_some());
    assert!(signed_in(&office, &own).await.is_none() && signed_in(&office, &other).await.is_none());
}
