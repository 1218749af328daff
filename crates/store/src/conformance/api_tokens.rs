//! What [`ApiTokens`] promises, through two handles to one store.
#![expect(missing_docs, reason = "the names say it")]

use types::{ApiTokenId, Scope};

use super::sample::{account, at, frank, two_accounts};
use crate::{Account, Accounts, Action, ApiToken, ApiTokens, Audit, AuditFilter, Error, Page};

const MANY: u32 = 50;

pub(super) fn token(n: u8, account: &Account) -> ApiToken {
    ApiToken {
        id: ApiTokenId::from_bytes([n; 16]),
        account: account.id,
        label: format!("script {n}"),
        scopes: vec![Scope::AccountRead, Scope::QueueWrite],
        networks: vec!["192.0.2.0/24".parse().unwrap(), "2001:db8::/32".parse().unwrap()],
        created_at: at(i64::from(n)),
        expires_at: at(1000),
        last_used: None,
    }
}

/// Adds the token with this number, whose digest is of the same number.
pub(super) async fn add<S: ApiTokens>(store: &S, n: u8, account: &Account) -> ApiToken {
    let token = token(n, account);
    store.add_token(&token, &[n; 32], MANY, &frank(i64::from(n))).await.unwrap();
    token
}

pub async fn one_look_up_finds_the_token_and_its_account<S>(one: &S, other: &S)
where
    S: Accounts + ApiTokens,
{
    let [alice, bob] = two_accounts(one).await;
    let (first, second) = (add(one, 1, &alice).await, add(other, 2, &alice).await);
    add(one, 3, &bob).await;
    for store in [one, other] {
        let found = store.token_by_digest(&[1; 32]).await.unwrap();
        assert_eq!(found, Some((first.clone(), alice.clone())));
        assert_eq!(store.token_by_digest(&[9; 32]).await.unwrap(), None);
        assert_eq!(store.tokens(alice.id).await.unwrap(), [first.clone(), second.clone()]);
    }
    one.set_password(alice.id, "another", &frank(5)).await.unwrap();
    assert!(other.token_by_digest(&[1; 32]).await.unwrap().is_some(), "as app passwords, they stay");
}

pub async fn an_account_has_at_most_so_many_tokens<S>(one: &S, other: &S)
where
    S: Accounts + ApiTokens,
{
    let [alice, bob] = two_accounts(one).await;
    for n in 1..=2 {
        one.add_token(&token(n, &alice), &[n; 32], 2, &frank(0)).await.unwrap();
    }
    let third = other.add_token(&token(3, &alice), &[3; 32], 2, &frank(0)).await;
    assert!(matches!(third, Err(Error::TooMany)), "{third:?}");
    other.add_token(&token(4, &bob), &[4; 32], 2, &frank(0)).await.unwrap();
    // Those that have ended take nobody's place, and are forgotten some time.
    let later = other
        .add_token(&ApiToken { expires_at: at(2000), ..token(3, &alice) }, &[3; 32], 2, &frank(1000))
        .await;
    assert!(later.is_ok(), "{later:?}");
    assert_eq!(one.prune_tokens(at(1000)).await.unwrap(), 0);
    assert_eq!(one.prune_tokens(at(1001)).await.unwrap(), 3);
    assert_eq!(other.tokens(alice.id).await.unwrap().len(), 1);
    let nobody = account(9, "nobody@example.org");
    let added = one.add_token(&token(5, &nobody), &[5; 32], 2, &frank(0)).await;
    assert!(matches!(added, Err(Error::NotFound)), "{added:?}");
}

pub async fn a_token_is_revoked_by_its_account<S>(one: &S, other: &S)
where
    S: Accounts + ApiTokens,
{
    let [alice, bob] = two_accounts(one).await;
    let token = add(one, 1, &alice).await;
    assert!(!one.revoke_token(bob.id, token.id, &frank(2)).await.unwrap());
    assert!(other.revoke_token(alice.id, token.id, &frank(2)).await.unwrap());
    assert!(!one.revoke_token(alice.id, token.id, &frank(2)).await.unwrap(), "once");
    assert_eq!(one.token_by_digest(&[1; 32]).await.unwrap(), None);
}

pub async fn what_becomes_of_tokens_is_told<S>(one: &S, other: &S)
where
    S: Accounts + ApiTokens + Audit,
{
    let [alice, _] = two_accounts(one).await;
    let token = add(one, 1, &alice).await;
    other.revoke_token(alice.id, token.id, &frank(2)).await.unwrap();
    let trail = one.entries(&AuditFilter::default(), Page::first(2)).await.unwrap().entries;
    let told: Vec<_> = trail.into_iter().rev().map(|entry| entry.event).collect();
    let actions: Vec<_> = told.iter().map(|event| event.action).collect();
    assert_eq!(actions, [Action::TokenCreate, Action::TokenRevoke]);
    for event in told {
        assert_eq!(event.account.as_deref(), Some("alice@example.org"));
        assert_eq!((event.credential, event.actor), (Some(token.id.to_string()), Some("frank".to_owned())));
    }
}

pub async fn a_use_of_a_token_is_noted<S>(one: &S, other: &S)
where
    S: Accounts + ApiTokens,
{
    let [alice, _] = two_accounts(one).await;
    let token = add(one, 1, &alice).await;
    let [home, away] = ["192.0.2.1", "2001:db8::1"].map(|ip| ip.parse().unwrap());
    one.token_used(token.id, at(100), home);
    one.flush().await.unwrap();
    other.token_used(token.id, at(90), away);
    other.flush().await.unwrap();
    let (found, _) = other.token_by_digest(&[1; 32]).await.unwrap().unwrap();
    assert_eq!(found.last_used, Some((at(100), home)), "the later wins");
    one.token_used(ApiTokenId::from_bytes([9; 16]), at(100), home);
    one.flush().await.unwrap();
}

pub async fn a_removed_account_takes_its_tokens_along<S>(one: &S, other: &S)
where
    S: Accounts + ApiTokens,
{
    let [alice, bob] = two_accounts(one).await;
    add(one, 1, &alice).await;
    add(one, 2, &bob).await;
    other.remove(alice.id, &frank(3)).await.unwrap();
    assert_eq!(one.token_by_digest(&[1; 32]).await.unwrap(), None);
    assert!(one.token_by_digest(&[2; 32]).await.unwrap().is_some());
}

pub async fn tokens_do_not_move_the_revision<S>(one: &S, other: &S)
where
    S: Accounts + ApiTokens,
{
    let [alice, _] = two_accounts(one).await;
    let before = one.revision().await;
    let token = add(one, 1, &alice).await;
    one.token_used(token.id, at(100), "192.0.2.1".parse().unwrap());
    one.flush().await.unwrap();
    assert!(other.revoke_token(alice.id, token.id, &frank(6)).await.unwrap());
    assert_eq!((one.revision().await, other.revision().await), (before, before));
}
