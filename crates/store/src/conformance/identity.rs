//! What [`Identities`] promises.
#![expect(missing_docs, reason = "the names say it")]

use super::sample::{account, at, frank};
use crate::{Accounts, Action, Audit, AuditFilter, Error, Identities, Identity, Page};

fn identity(sender: &str, since: i64) -> Identity {
    Identity { sender: sender.parse().unwrap(), created_at: at(since) }
}

pub async fn identities_come_back_in_order_and_belong_to_one_account<S: Accounts + Identities>(store: &S) {
    let (alice, bob) = (account(1, "alice@example.org"), account(2, "bob@example.org"));
    store.add(&alice, &frank(0)).await.unwrap();
    store.add(&bob, &frank(0)).await.unwrap();
    let (sales, domain) = (identity("Sales@Example.org", 2), identity("*@bücher.example", 1));
    store.add_identity(alice.id, &sales, &frank(0)).await.unwrap();
    store.add_identity(alice.id, &domain, &frank(0)).await.unwrap();
    store.add_identity(bob.id, &sales, &frank(0)).await.unwrap();
    assert_eq!(store.identities(alice.id, Page::first(100)).await.unwrap(), [domain, sales.clone()]);
    assert_eq!(store.identities(bob.id, Page::first(100)).await.unwrap(), [sales]);
    store.remove(alice.id, &frank(3)).await.unwrap();
    assert_eq!(store.identities(alice.id, Page::first(100)).await.unwrap(), []);
}

pub async fn the_same_sender_is_added_and_removed_once_however_it_is_written<S: Accounts + Identities>(
    store: &S,
) {
    let alice = account(1, "alice@example.org");
    store.add(&alice, &frank(0)).await.unwrap();
    store.add_identity(alice.id, &identity("*@bücher.example", 1), &frank(0)).await.unwrap();
    let again = store.add_identity(alice.id, &identity("*@XN--bcher-kva.example", 2), &frank(0)).await;
    assert!(matches!(again, Err(Error::AlreadyExists)));
    let sender = "*@BÜCHER.example".parse().unwrap();
    assert!(store.remove_identity(alice.id, &sender, &frank(3)).await.unwrap());
    assert!(!store.remove_identity(alice.id, &sender, &frank(3)).await.unwrap());
    assert_eq!(store.identities(alice.id, Page::first(100)).await.unwrap(), []);
}

pub async fn changes_of_identities_are_told<S: Accounts + Identities + Audit>(store: &S) {
    let alice = account(1, "Alice@example.org");
    let nobody = store.add_identity(alice.id, &identity("sales@example.org", 1), &frank(0)).await;
    assert!(matches!(nobody, Err(Error::NotFound)));
    store.add(&alice, &frank(0)).await.unwrap();
    let sales = identity("Sales@example.org", 1);
    store.add_identity(alice.id, &sales, &frank(1)).await.unwrap();
    store.add_identity(alice.id, &sales, &frank(0)).await.unwrap_err();
    store.remove_identity(alice.id, &sales.sender, &frank(2)).await.unwrap();
    store.remove_identity(alice.id, &sales.sender, &frank(3)).await.unwrap();
    let told = store.entries(&AuditFilter::default(), Page::first(1000)).await.unwrap().entries;
    let told: Vec<_> = told
        .iter()
        .map(|entry| (entry.event.action, entry.event.credential.as_deref(), entry.event.at))
        .filter(|(action, ..)| *action != Action::UserAdd)
        .collect();
    let sales = Some("sales@example.org");
    assert_eq!(told, [(Action::IdentityRemove, sales, at(2)), (Action::IdentityAdd, sales, at(1))]);
}
