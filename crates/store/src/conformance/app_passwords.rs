//! What [`AppPasswords`] promises.
#![expect(missing_docs, reason = "the names say it")]

use super::sample::{account, app_password, at, frank, last_use, plain};
use crate::{Accounts, AppPassword, AppPasswords, Error, Page};

pub async fn one_look_up_finds_the_password_and_its_account<A: Accounts + AppPasswords>(store: &A) {
    let alice = account(1, "alice@example.org");
    store.add(&alice, &frank(0)).await.unwrap();
    let (first, mut second) = (app_password(1, &alice), app_password(2, &alice));
    (second.expires_at, second.networks) = (None, Vec::new());
    store.create(&plain(&first, [1; 32]), 10, &frank(0)).await.unwrap();
    store.create(&plain(&second, [2; 32]), 10, &frank(0)).await.unwrap();
    assert_eq!(store.by_digest(&[2; 32]).await.unwrap(), Some((second.clone(), alice.clone())));
    assert_eq!(store.by_digest(&[3; 32]).await.unwrap(), None);
    assert_eq!(store.of_account(alice.id, Page::first(100)).await.unwrap(), [first, second]);
}

pub async fn an_account_has_at_most_so_many<A: Accounts + AppPasswords>(store: &A) {
    let (alice, bob) = (account(1, "alice@example.org"), account(2, "bob@example.org"));
    store.add(&alice, &frank(0)).await.unwrap();
    store.add(&bob, &frank(0)).await.unwrap();
    store.create(&plain(&app_password(1, &alice), [1; 32]), 2, &frank(0)).await.unwrap();
    store.create(&plain(&app_password(2, &alice), [2; 32]), 2, &frank(0)).await.unwrap();
    let third = store.create(&plain(&app_password(3, &alice), [3; 32]), 2, &frank(0)).await;
    assert!(matches!(third, Err(Error::TooMany)));
    store.create(&plain(&app_password(4, &bob), [4; 32]), 2, &frank(0)).await.unwrap();
    assert_eq!(store.of_account(alice.id, Page::first(100)).await.unwrap().len(), 2);
}

pub async fn nobody_has_no_app_password<A: Accounts + AppPasswords>(store: &A) {
    let nobody = app_password(1, &account(9, "nobody@example.org"));
    assert!(matches!(store.create(&plain(&nobody, [1; 32]), 10, &frank(0)).await, Err(Error::NotFound)));
}

pub async fn only_its_owner_revokes_it<A: Accounts + AppPasswords>(store: &A) {
    let (alice, bob) = (account(1, "alice@example.org"), account(2, "bob@example.org"));
    store.add(&alice, &frank(0)).await.unwrap();
    store.add(&bob, &frank(0)).await.unwrap();
    let password = app_password(1, &alice);
    store.create(&plain(&password, [1; 32]), 10, &frank(0)).await.unwrap();
    assert!(!store.revoke(bob.id, password.id, &frank(1)).await.unwrap());
    assert!(store.revoke(alice.id, password.id, &frank(1)).await.unwrap());
    assert!(!store.revoke(alice.id, password.id, &frank(1)).await.unwrap());
    assert_eq!(store.by_digest(&[1; 32]).await.unwrap(), None);
}

pub async fn a_revoked_one_is_known_as_such<A: Accounts + AppPasswords>(store: &A) {
    let alice = account(1, "alice@example.org");
    store.add(&alice, &frank(0)).await.unwrap();
    let (old, new) = (app_password(1, &alice), app_password(2, &alice));
    for (password, digest, revoked_at) in [(&old, [1; 32], 10), (&new, [2; 32], 20)] {
        store.create(&plain(password, digest), 10, &frank(0)).await.unwrap();
        assert_eq!(store.revoked(&digest).await.unwrap(), None);
        store.revoke(alice.id, password.id, &frank(revoked_at)).await.unwrap();
        assert_eq!(store.revoked(&digest).await.unwrap(), Some(password.id));
    }
    assert_eq!(store.prune_revoked(at(20)).await.unwrap(), 1);
    assert_eq!(store.revoked(&[1; 32]).await.unwrap(), None);
    store.remove(alice.id, &frank(30)).await.unwrap();
    assert_eq!(store.revoked(&[2; 32]).await.unwrap(), None);
}

pub async fn a_removed_account_takes_its_app_passwords_along<A: Accounts + AppPasswords>(store: &A) {
    let alice = account(1, "alice@example.org");
    store.add(&alice, &frank(0)).await.unwrap();
    store.create(&plain(&app_password(1, &alice), [1; 32]), 10, &frank(0)).await.unwrap();
    store.remove(alice.id, &frank(1)).await.unwrap();
    assert_eq!(store.by_digest(&[1; 32]).await.unwrap(), None);
    assert_eq!(store.of_account(alice.id, Page::first(100)).await.unwrap(), []);
}

pub async fn a_use_is_noted<A: Accounts + AppPasswords>(store: &A) {
    let alice = account(1, "alice@example.org");
    let password = app_password(1, &alice);
    store.add(&alice, &frank(0)).await.unwrap();
    store.create(&plain(&password, [1; 32]), 10, &frank(0)).await.unwrap();
    store.used(password.id, last_use(1, "192.0.2.1"));
    store.used(password.id, last_use(2, "2001:db8::1"));
    store.flush().await.unwrap();
    let noted = store.of_account(alice.id, Page::first(100)).await.unwrap().remove(0);
    assert_eq!(noted.last_used, Some(last_use(2, "2001:db8::1")));
}

pub async fn only_its_owner_gives_it_another_label<S: Accounts + AppPasswords>(store: &S) {
    let [alice, bob] = [account(1, "alice@example.org"), account(2, "bob@example.org")];
    for account in [&alice, &bob] {
        store.add(account, &frank(0)).await.unwrap();
    }
    let (phone, laptop) = (app_password(1, &alice), app_password(2, &alice));
    for (n, password) in [(1, &phone), (2, &laptop)] {
        store.create(&plain(password, [n; 32]), 9, &frank(0)).await.unwrap();
    }
    assert!(!store.relabel(bob.id, phone.id, "mine", &frank(1)).await.unwrap());
    assert!(store.relabel(alice.id, phone.id, "old phone", &frank(1)).await.unwrap());
    let relabelled = AppPassword { label: "old phone".to_owned(), ..phone };
    assert_eq!(store.of_account(alice.id, Page::first(9)).await.unwrap(), [relabelled.clone(), laptop]);
    assert_eq!(store.by_digest(&[1; 32]).await.unwrap(), Some((relabelled, alice)));
}

pub async fn those_of_several_accounts_are_counted<A: Accounts + AppPasswords>(store: &A) {
    let [ann, bob, carol] =
        [(1, "ann"), (2, "bob"), (3, "carol")].map(|(n, name)| account(n, &format!("{name}@example.org")));
    for one in [&ann, &bob, &carol] {
        store.add(one, &frank(0)).await.unwrap();
    }
    for (n, owner) in [(1, &ann), (2, &ann), (3, &bob)] {
        store.create(&plain(&app_password(n, owner), [n; 32]), 10, &frank(0)).await.unwrap();
    }
    let mut counts = store.app_password_counts(&[ann.id, carol.id]).await.unwrap();
    assert_eq!(counts, [(ann.id, 2)]);
    counts = store.app_password_counts(&[bob.id, ann.id]).await.unwrap();
    counts.sort_by_key(|(_, count)| *count);
    assert_eq!(counts, [(bob.id, 1), (ann.id, 2)]);
    assert_eq!(store.app_password_counts(&[]).await.unwrap(), []);
}
