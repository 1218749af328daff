//! What an import promises.
#![expect(missing_docs, reason = "the names say it")]

use super::sample::{account, app_password, at, frank};
use crate::{
    Account, Accounts, AppPassword, AppPasswords, Error, Import, ImportedAppPassword, ImportedSecondFactor,
    Page,
};

fn import(account: &Account, app_passwords: &[AppPassword]) -> Import {
    Import {
        account: account.clone(),
        app_passwords: app_passwords.iter().map(imported).collect(),
        second_factor: None,
        identities: Vec::new(),
    }
}

/// Its digest, which no password has, and its selector are made of its id.
fn imported(app_password: &AppPassword) -> ImportedAppPassword {
    let [n, ..] = *app_password.id.as_bytes();
    ImportedAppPassword {
        app_password: app_password.clone(),
        digest: [n; 32],
        selector: [7; 32],
        hash: format!("hash {n}"),
    }
}

pub async fn an_import_brings_all_that_belongs_to_an_account<A: Accounts + AppPasswords>(store: &A) {
    let alice = account(1, "alice@example.org");
    let second_factor = Some(ImportedSecondFactor { seed: vec![1, 2, 3], enrolled_at: at(1) });
    let identities = vec!["sales@example.org".parse().unwrap(), "SALES@example.org".parse().unwrap()];
    let import = Import { second_factor, identities, ..import(&alice, &[app_password(1, &alice)]) };
    store.import(&import, &frank(0)).await.unwrap();
    let brought = Account { totp: true, ..alice.clone() };
    assert_eq!(store.by_address(&alice.address).await.unwrap(), Some(brought));
    assert_eq!(store.of_account(alice.id, Page::first(100)).await.unwrap(), [app_password(1, &alice)]);
}

pub async fn an_import_is_done_whole_or_not_at_all<A: Accounts + AppPasswords>(store: &A) {
    let (alice, bob) = (account(1, "alice@example.org"), account(2, "bob@example.org"));
    store.add(&alice, &frank(0)).await.unwrap();
    let again = store.import(&import(&account(3, "ALICE@example.org"), &[]), &frank(0)).await;
    assert!(matches!(again, Err(Error::AlreadyExists)));
    let twice = [app_password(1, &bob), app_password(1, &bob)];
    assert!(store.import(&import(&bob, &twice), &frank(0)).await.is_err());
    assert_eq!(store.by_id(bob.id).await.unwrap(), None);
}

pub async fn an_imported_app_password_is_found_by_its_selector_until_it_is_adopted<
    A: Accounts + AppPasswords,
>(
    store: &A,
) {
    let alice = account(1, "alice@example.org");
    let (first, second) = (app_password(1, &alice), app_password(2, &alice));
    store.import(&import(&alice, &[first.clone(), second.clone()]), &frank(0)).await.unwrap();
    let found = store.imported(&[7; 32]).await.unwrap();
    assert_eq!(found.len(), 2);
    assert!(found.contains(&("hash 1".to_owned(), first.clone(), alice.clone())));
    assert_eq!(store.imported(&[8; 32]).await.unwrap(), []);

    assert!(store.adopt(first.id, &[9; 32], &frank(3)).await.unwrap());
    assert!(!store.adopt(first.id, &[10; 32], &frank(3)).await.unwrap(), "it is ours already");
    assert!(!store.adopt(second.id, &[9; 32], &frank(3)).await.unwrap(), "another has this digest");
    assert_eq!(store.by_digest(&[9; 32]).await.unwrap(), Some((first, alice.clone())));
    assert_eq!(store.imported(&[7; 32]).await.unwrap(), [("hash 2".to_owned(), second, alice)]);
}

pub async fn imported_hashes_are_listed_page_by_page_with_those_that_are_found_together<
    A: Accounts + AppPasswords,
>(
    store: &A,
) {
    let (alice, bob) = (account(1, "alice@example.org"), account(2, "bob@example.org"));
    let of = |number, who: &Account| app_password(number, who);
    let all = [of(1, &alice), of(2, &alice), of(3, &alice)];
    let mut third = imported(&all[2]);
    third.selector = [8; 32];
    let brought = vec![imported(&all[0]), imported(&all[1]), third];
    store.import(&Import { app_passwords: brought, ..import(&alice, &[]) }, &frank(0)).await.unwrap();
    store.import(&import(&bob, &[]), &frank(0)).await.unwrap();
    let entry = |number: usize, alike| (all[number - 1].id, format!("hash {number}"), alike);
    assert_eq!(store.imported_hashes(None, 2).await.unwrap(), [entry(1, 2), entry(2, 2)]);
    assert_eq!(store.imported_hashes(Some(all[1].id), 2).await.unwrap(), [entry(3, 1)]);
    assert!(store.adopt(all[1].id, &[9; 32], &frank(3)).await.unwrap());
    assert_eq!(store.imported_hashes(None, 9).await.unwrap(), [entry(1, 1), entry(3, 1)]);
}
