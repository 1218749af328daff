//! Tokens on a store of SQLite: what opens the API, and how far.

use std::cell::Cell;
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use store::{Account, Accounts as _, Act, SecondFactors as _};
use types::{Mailbox, Scope, Secret};

use super::{ShownToken, TokenOwner, TokenWish};
use crate::tests::{Office, alice, frank, now};
use crate::{NewAccount, Trouble};

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

fn here() -> IpAddr {
    "192.0.2.1".parse().unwrap()
}

fn wish(scopes: &[Scope]) -> TokenWish {
    TokenWish { label: "backup".to_owned(), scopes: scopes.to_vec(), networks: Vec::new(), expires_at: None }
}

async fn office() -> Office {
    at_second(0);
    let mut office = Office::open().await;
    office.desk.now = later;
    office
}

/// Makes a token of Alice's; what opens the API.
async fn made(office: &Office, wish: &TokenWish) -> Secret {
    let made = office.desk.create_token(&frank(), &office.account, wish).await.unwrap();
    Secret::new(made.token.as_str())
}

async fn owner(office: &Office, shown: &Secret) -> Option<TokenOwner> {
    match office.desk.token_owner(shown, here()).await.unwrap() {
        ShownToken::Good(owner) => Some(*owner),
        ShownToken::Refused => None,
        ShownToken::Throttled { until } => panic!("throttled until {until}"),
    }
}

/// An administrator, with a second factor or without.
async fn admin(office: &Office, address: &str, totp: bool) -> Account {
    let address = Mailbox::parse(address).unwrap();
    let new = NewAccount { address: address.clone(), name: None, admin: true, password: None };
    office.desk.add_account(&frank(), new).await.unwrap();
    let account = office.desk.find(&address).await.unwrap();
    if totp {
        let accounts = office.store.accounts();
        accounts.enroll(account.id, b"sealed", &frank()).await.unwrap();
        accounts.confirm(account.id, now(), 1, &[[1; 32]], &frank()).await.unwrap();
    }
    office.desk.find(&address).await.unwrap()
}

#[tokio::test]
async fn the_token_alone_opens_the_api_and_the_store_does_not_have_it() {
    let office = office().await;
    let token = made(&office, &wish(&[Scope::AccountWrite])).await;
    let found = owner(&office, &token).await.unwrap();
    assert_eq!(
        (found.account.address.clone(), found.scopes.as_slice()),
        (alice(), &[Scope::AccountWrite][..])
    );
    assert!(found.may(Scope::AccountRead) && !found.may(Scope::MessagesRead));
    let act = found.act(here(), later());
    assert_eq!((act.via.name(), act.session), ("api", Some(found.token.id.clone())));
    office.store.close().await;
    let text = token.declassify();
    for file in std::fs::read_dir(office.directory.path().join("store")).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            let octets = std::fs::read(&path).unwrap();
            assert!(!octets.windows(35).any(|part| part == &text[..35]), "{}", path.display());
        }
    }
}

#[tokio::test]
async fn a_token_lasts_ninety_days_and_never_longer_than_the_most() {
    let mut office = office().await;
    let token = made(&office, &wish(&[Scope::AccountRead])).await;
    at_second(90 * 24 * 3600 - 1);
    assert!(owner(&office, &token).await.is_some());
    at_second(90 * 24 * 3600);
    assert!(owner(&office, &token).await.is_none());
    office.desk.settings.token_max = SignedDuration::from_hours(1);
    let within = |seconds| TokenWish {
        expires_at: Some(now() + SignedDuration::from_secs(seconds)),
        ..wish(&[Scope::AccountRead])
    };
    let made =
        office.desk.create_token(&frank(), &office.account, &wish(&[Scope::AccountRead])).await.unwrap();
    assert_eq!(made.api_token.expires_at, now() + SignedDuration::from_hours(1), "the usual time is longer");
    office.desk.create_token(&frank(), &office.account, &within(3600)).await.unwrap();
    let refused = office.desk.create_token(&frank(), &office.account, &within(3601)).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), "token-too-long");
    assert_eq!(refused.to_string(), "an API token lasts 1 hour at most (web.token_max)");
}

#[tokio::test]
async fn whatever_is_wrong_with_a_token_is_one_answer_and_counts_for_its_network() {
    let office = office().await;
    let desk = &office.desk;
    let away =
        TokenWish { networks: vec!["198.51.100.0/24".parse().unwrap()], ..wish(&[Scope::AccountRead]) };
    let away = made(&office, &away).await;
    let good = made(&office, &wish(&[Scope::AccountRead])).await;
    assert!(matches!(
        desk.token_owner(&away, "198.51.100.7".parse().unwrap()).await,
        Ok(ShownToken::Good(_))
    ));
    assert!(matches!(desk.token_owner(&away, here()).await, Ok(ShownToken::Refused)));
    // One failure of a network is as many as the office allows.
    for other in ["gp_", "", "Bearer"] {
        let shown = desk.token_owner(&Secret::new(other), here()).await;
        assert!(matches!(shown, Ok(ShownToken::Throttled { .. })), "{other:?} {shown:?}");
    }
    assert!(owner(&office, &good).await.is_some(), "a good one waits for nobody");
    let elsewhere = desk.token_owner(&Secret::new("gp_"), "203.0.113.1".parse().unwrap()).await;
    assert!(matches!(elsewhere, Ok(ShownToken::Refused)), "{elsewhere:?}");
    at_second(61);
    assert!(matches!(desk.token_owner(&away, here()).await, Ok(ShownToken::Refused)), "its window is over");
}

#[tokio::test]
async fn a_token_of_a_mapped_address_is_one_of_that_address() {
    let office = office().await;
    let there = TokenWish { networks: vec!["192.0.2.0/24".parse().unwrap()], ..wish(&[Scope::AccountRead]) };
    let token = made(&office, &there).await;
    let mapped = office.desk.token_owner(&token, "::ffff:192.0.2.1".parse().unwrap()).await;
    assert!(matches!(mapped, Ok(ShownToken::Good(_))), "{mapped:?}");
    office.store.accounts().flush().await.unwrap();
    let [shown] = office.desk.tokens(&office.account).await.unwrap().try_into().unwrap();
    assert_eq!(shown.last_used_ip, Some(here()));
}

#[tokio::test]
async fn a_token_goes_with_its_owners_rights() {
    let mut office = office().await;
    let admin_scopes = wish(&[Scope::QueueWrite, Scope::AccountRead]);
    let refused = office.desk.create_token(&frank(), &office.account, &admin_scopes).await.unwrap_err();
    assert!(matches!(refused, Trouble::NotTheirScope { scope: Scope::QueueWrite, .. }), "{refused}");
    let [with, without] =
        [admin(&office, "root@example.org", true).await, admin(&office, "boss@example.org", false).await];
    assert!(
        office.desk.create_token(&frank(), &without, &admin_scopes).await.is_err(),
        "without a second factor"
    );
    office.account = with.clone();
    let token = made(&office, &admin_scopes).await;
    let scopes = owner(&office, &token).await.unwrap().scopes;
    assert_eq!(scopes, [Scope::AccountRead, Scope::QueueWrite]);
    office.desk.remove_second_factor(&frank(), &with).await.unwrap();
    assert_eq!(owner(&office, &token).await.unwrap().scopes, [Scope::AccountRead]);
    office.desk.settings.admin_needs_second_factor = false;
    assert_eq!(owner(&office, &token).await.unwrap().scopes.len(), 2);
    office.store.accounts().set_disabled(with.id, true, &frank()).await.unwrap();
    assert!(owner(&office, &token).await.is_none());
    office.store.accounts().set_disabled(with.id, false, &Act::server(now())).await.unwrap();
    assert!(owner(&office, &token).await.is_some(), "it comes back with its account");
}

#[tokio::test]
async fn that_a_token_is_used_is_noted_once_a_minute() {
    let office = office().await;
    let token = made(&office, &wish(&[Scope::AccountRead])).await;
    for (second, used) in [(0, 0), (59, 0), (60, 60), (119, 60), (120, 120)] {
        at_second(second);
        assert!(owner(&office, &token).await.is_some());
        office.store.accounts().flush().await.unwrap();
        let [shown] = office.desk.tokens(&office.account).await.unwrap().try_into().unwrap();
        assert_eq!(shown.last_used_at, Some(now() + SignedDuration::from_secs(used)), "{second}");
    }
}

#[tokio::test]
async fn a_token_is_revoked_by_its_label_or_its_identifier() {
    let office = office().await;
    let (desk, account) = (&office.desk, &office.account);
    let token = made(&office, &wish(&[Scope::AccountRead])).await;
    made(&office, &wish(&[Scope::AccountRead])).await;
    let several = desk.revoke_token(&frank(), account, "backup").await.unwrap_err();
    assert_eq!(several.code(), "ambiguous");
    let id = owner(&office, &token).await.unwrap().token.id;
    assert_eq!(desk.revoke_token(&frank(), account, &id).await.unwrap().id, id);
    assert!(owner(&office, &token).await.is_none());
    assert_eq!(desk.show_token(account, &id).await.unwrap_err().code(), "no-token");
    desk.revoke_token(&frank(), account, "backup").await.unwrap();
    assert_eq!(desk.revoke_token(&frank(), account, "backup").await.unwrap_err().code(), "no-token");
    assert!(desk.tokens(account).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_account_has_fifty_tokens_at_most() {
    let office = office().await;
    for _ in 0..50 {
        made(&office, &wish(&[Scope::AccountRead])).await;
    }
    let more = office.desk.create_token(&frank(), &office.account, &wish(&[Scope::AccountRead])).await;
    assert_eq!(more.unwrap_err().code(), "too-many");
}
