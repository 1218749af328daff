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

pub async fn the_domains_of_accounts_and_identities_are_told_once_each_and_in_order<
    S: Accounts + Identities,
>(
    store: &S,
) {
    let addresses = ["alice@example.org", "bob@EXAMPLE.org", "\"a@b\"@example.net"];
    let accounts: Vec<_> = (1..).zip(addresses).map(|(n, address)| account(n, address)).collect();
    for one in &accounts {
        store.add(one, &frank(0)).await.unwrap();
    }
    for sender in ["*@bücher.example", "sales@example.org", "news@lists.example.org", "*"] {
        store.add_identity(accounts[0].id, &identity(sender, 1), &frank(0)).await.unwrap();
    }
    let all = ["example.net", "example.org", "lists.example.org", "xn--bcher-kva.example"];
    assert_eq!(store.sender_domains(None, Page::first(100)).await.unwrap(), all);
    let page = |after: &str| Page { after: Some(after.to_owned()), limit: 2 };
    assert_eq!(store.sender_domains(None, Page::first(2)).await.unwrap(), all[..2]);
    assert_eq!(store.sender_domains(None, page(all[1])).await.unwrap(), all[2..]);
    for (domain, is_one) in [("example.org", true), ("org", false), ("*", false), ("example.com", false)] {
        assert_eq!(
            !store.sender_domains(Some(domain), Page::first(1)).await.unwrap().is_empty(),
            is_one,
            "{domain}"
        );
    }
    store.remove(accounts[0].id, &frank(2)).await.unwrap();
    assert_eq!(store.sender_domains(None, Page::first(100)).await.unwrap(), all[..2]);
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
