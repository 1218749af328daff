//! What [`Accounts`] promises.
#![expect(missing_docs, reason = "the names say it")]

use types::AccountId;

use super::sample::{account, at, frank, mailbox};
use crate::{
    Account, AccountChange, AccountFilter, AccountState, Accounts, Action, Audit, AuditFilter, Departure,
    Error, LastAdministrator, Page, SecondFactors, network_of,
};

pub async fn an_account_comes_back_as_it_was_added<A: Accounts>(accounts: &A) {
    let mut alice = account(1, "Alice@Example.org");
    (alice.admin, alice.disabled, alice.last_login_at) = (true, true, Some(at(5)));
    accounts.add(&alice, &frank(0)).await.unwrap();
    assert_eq!(accounts.by_id(alice.id).await.unwrap(), Some(alice.clone()));
    assert_eq!(accounts.by_address(&alice.address).await.unwrap(), Some(alice));
    assert_eq!(accounts.by_id(AccountId::from_bytes([2; 16])).await.unwrap(), None);
}

pub async fn an_address_belongs_to_one_account<A: Accounts>(accounts: &A) {
    accounts.add(&account(1, "alice@example.org"), &frank(0)).await.unwrap();
    accounts.add(&account(2, "bob@example.org"), &frank(0)).await.unwrap();
    let again = accounts.add(&account(3, "ALICE@example.org"), &frank(0)).await;
    assert!(matches!(again, Err(Error::AlreadyExists)));
    let renamed =
        accounts.rename(AccountId::from_bytes([2; 16]), &mailbox("alice@Example.org"), &frank(1)).await;
    assert!(matches!(renamed, Err(Error::AlreadyExists)));
}

pub async fn addresses_are_compared_in_their_normal_form<A: Accounts>(accounts: &A) {
    accounts.add(&account(1, "Alice@BÜCHER.example"), &frank(0)).await.unwrap();
    for same in ["alice@bücher.example", "\"alice\"@xn--bcher-kva.example"] {
        assert!(accounts.by_address(&mailbox(same)).await.unwrap().is_some(), "{same}");
    }
    assert!(accounts.by_address(&mailbox("alice@bucher.example")).await.unwrap().is_none());
}

pub async fn every_change_of_a_credential_bumps_the_version<A: Accounts>(accounts: &A) {
    let alice = account(1, "alice@example.org");
    accounts.add(&alice, &frank(0)).await.unwrap();
    accounts.set_password(alice.id, "another", &frank(1)).await.unwrap();
    accounts.set_disabled(alice.id, true, &frank(1)).await.unwrap();
    accounts.rename(alice.id, &mailbox("alicia@example.org"), &frank(1)).await.unwrap();
    let changed = accounts.by_address(&mailbox("alicia@example.org")).await.unwrap().unwrap();
    assert_eq!(changed.version, 4);
    assert_eq!((changed.password_hash.as_deref(), changed.disabled), (Some("another"), true));
    assert!(accounts.by_address(&alice.address).await.unwrap().is_none());
}

pub async fn changes_of_nobody_are_not_found<A: Accounts>(accounts: &A) {
    let nobody = AccountId::from_bytes([9; 16]);
    assert!(matches!(accounts.set_password(nobody, "x", &frank(1)).await, Err(Error::NotFound)));
    assert!(matches!(accounts.set_disabled(nobody, true, &frank(1)).await, Err(Error::NotFound)));
    assert!(matches!(
        accounts.rename(nobody, &mailbox("a@example.org"), &frank(1)).await,
        Err(Error::NotFound)
    ));
    assert!(matches!(accounts.remove(nobody, &frank(1)).await, Err(Error::NotFound)));
}

pub async fn a_login_is_noted<A: Accounts>(accounts: &A) {
    let alice = account(1, "alice@example.org");
    accounts.add(&alice, &frank(0)).await.unwrap();
    accounts.logged_in(alice.id, at(7), Some(network_of([192, 0, 2, 1].into())));
    accounts.flush().await.unwrap();
    let noted = accounts.by_id(alice.id).await.unwrap().unwrap();
    assert_eq!((noted.last_login_at, noted.version), (Some(at(7)), 1));
}

pub async fn the_login_of_a_removed_account_is_nothing_to_note<A: Accounts>(accounts: &A) {
    let (alice, bob) = (account(1, "alice@example.org"), account(2, "bob@example.org"));
    accounts.add(&alice, &frank(0)).await.unwrap();
    accounts.add(&bob, &frank(0)).await.unwrap();
    for who in [alice.id, bob.id] {
        accounts.logged_in(who, at(7), Some(network_of([192, 0, 2, 1].into())));
    }
    accounts.remove(alice.id, &frank(7)).await.unwrap();
    accounts.flush().await.unwrap();
    assert_eq!(accounts.by_id(bob.id).await.unwrap().unwrap().last_login_at, Some(at(7)));
}

pub async fn another_hash_of_the_same_password_changes_no_version<A: Accounts>(accounts: &A) {
    let alice = account(1, "alice@example.org");
    let old = alice.password_hash.clone().unwrap();
    accounts.add(&alice, &frank(0)).await.unwrap();
    assert!(accounts.rehash(alice.id, &old, "dear", &frank(1)).await.unwrap());
    assert!(
        !accounts.rehash(alice.id, &old, "dearer", &frank(2)).await.unwrap(),
        "it is not the old one any more"
    );
    let rehashed = accounts.by_id(alice.id).await.unwrap().unwrap();
    assert_eq!((rehashed.password_hash.as_deref(), rehashed.version), (Some("dear"), 1));
    assert!(!accounts.rehash(AccountId::from_bytes([9; 16]), &old, "dear", &frank(1)).await.unwrap());
}

/// The addresses on a page.
async fn listed<A: Accounts>(accounts: &A, filter: &AccountFilter, page: Page<String>) -> Vec<String> {
    let listed = accounts.list(filter, page).await.unwrap();
    listed.iter().map(|account| account.address.to_string()).collect()
}

pub async fn accounts_are_listed_by_address_in_pages<A: Accounts>(accounts: &A) {
    for (n, address) in [(1, "carol@example.org"), (2, "alice@example.org"), (3, "Bob@example.org")] {
        accounts.add(&account(n, address), &frank(0)).await.unwrap();
    }
    let all = AccountFilter::default();
    let page = async |after: Option<&str>, limit| {
        listed(accounts, &all, Page { after: after.map(str::to_owned), limit }).await
    };
    assert_eq!(page(None, 100).await, ["alice@example.org", "Bob@example.org", "carol@example.org"]);
    assert_eq!(page(None, 2).await, ["alice@example.org", "Bob@example.org"]);
    assert_eq!(page(Some("bob@example.org"), 2).await, ["carol@example.org"]);
    assert_eq!(
        page(Some("anna@example.org"), 1).await,
        ["Bob@example.org"],
        "whoever is gone still has a place"
    );
}

pub async fn accounts_are_found_by_text_and_state<A: Accounts + SecondFactors>(accounts: &A) {
    let (mut ann, mut bob) = (account(1, "ann@example.org"), account(2, "bob@example.net"));
    (ann.name, ann.admin) = (Some("Ann of the Office".to_owned()), true);
    (bob.name, bob.disabled) = (None, true);
    accounts.add(&ann, &frank(0)).await.unwrap();
    accounts.add(&bob, &frank(0)).await.unwrap();
    accounts.enroll(bob.id, b"seed", &frank(1)).await.unwrap();
    let found = async |text: Option<&str>, state| {
        let filter = AccountFilter { text: text.map(str::to_owned), state, unused_since: None };
        listed(accounts, &filter, Page::first(100)).await
    };
    let (is_ann, is_bob) = (vec!["ann@example.org".to_owned()], vec!["bob@example.net".to_owned()]);
    assert_eq!(found(Some("OFFICE"), None).await, is_ann);
    assert_eq!(found(Some("example.net"), None).await, is_bob);
    assert!(found(Some("%"), None).await.is_empty());
    assert_eq!(found(None, Some(AccountState::Enabled)).await, is_ann);
    assert_eq!(found(None, Some(AccountState::Admin)).await, is_ann);
    assert_eq!(found(None, Some(AccountState::Disabled)).await, is_bob);
    assert!(found(Some("ann"), Some(AccountState::Disabled)).await.is_empty());
    assert!(found(None, Some(AccountState::SecondFactor)).await.is_empty(), "it has to be confirmed");
    accounts.confirm(bob.id, at(1), 7, &[[1; 32]], &frank(2)).await.unwrap();
    assert_eq!(found(None, Some(AccountState::SecondFactor)).await, is_bob);
    assert_eq!(found(None, Some(AccountState::NoSecondFactor)).await, is_ann);
}

pub async fn an_account_is_changed_whole_and_each_thing_is_told<A: Accounts + Audit>(accounts: &A) {
    let alice = account(1, "alice@example.org");
    accounts.add(&alice, &frank(0)).await.unwrap();
    accounts.add(&account(2, "bob@example.org"), &frank(0)).await.unwrap();
    let change = AccountChange {
        name: Some(Some("Alicia".to_owned())),
        address: Some(mailbox("Alicia@example.org")),
        admin: Some(true),
    };
    accounts.update_account(alice.id, &change, &frank(1)).await.unwrap();
    let changed = accounts.by_id(alice.id).await.unwrap().unwrap();
    assert_eq!(
        (changed.name.as_deref(), changed.address.to_string().as_str(), changed.admin, changed.version),
        (Some("Alicia"), "Alicia@example.org", true, 2)
    );
    let told = accounts.entries(&AuditFilter::default(), Page::first(100)).await.unwrap().entries;
    let told: Vec<_> =
        told.iter().map(|entry| (entry.event.action, entry.event.account.as_deref())).collect();
    let (old, new) = (Some("alice@example.org"), Some("alicia@example.org"));
    assert_eq!(
        told[..4],
        [
            (Action::UserAdmin, new),
            (Action::UserName, new),
            (Action::UserRename, new),
            (Action::UserRename, old)
        ]
    );
    let name = AccountChange { name: Some(None), ..AccountChange::default() };
    accounts.update_account(alice.id, &name, &frank(2)).await.unwrap();
    let taken = AccountChange { address: Some(mailbox("bob@example.org")), admin: Some(false), ..change };
    let taken = accounts.update_account(alice.id, &taken, &frank(3)).await;
    assert!(matches!(taken, Err(Error::AlreadyExists)));
    let changed = accounts.by_id(alice.id).await.unwrap().unwrap();
    assert_eq!((changed.name, changed.admin, changed.version), (None, true, 2), "nothing of what failed");
    let nobody = AccountId::from_bytes([9; 16]);
    assert!(matches!(accounts.update_account(nobody, &name, &frank(4)).await, Err(Error::NotFound)));
}

pub async fn the_last_administrator_stays_unless_whoever_takes_them_knows<A: Accounts>(accounts: &A) {
    let (mut alice, mut bob) = (account(1, "alice@example.org"), account(2, "bob@example.org"));
    let carol = account(3, "carol@example.org");
    (alice.admin, bob.admin, bob.disabled) = (true, true, true);
    for account in [&alice, &bob, &carol] {
        accounts.add(account, &frank(0)).await.unwrap();
    }
    let depart = async |account: &Account, departure: &Departure, last| {
        accounts.depart(account.id, departure, last, &frank(1)).await
    };
    let demoted = Departure::Change(AccountChange { admin: Some(false), ..AccountChange::default() });
    for departure in [&demoted, &Departure::Disable, &Departure::Remove] {
        let refused = depart(&alice, departure, LastAdministrator::Stays).await;
        assert!(matches!(refused, Err(Error::LastAdministrator)), "{departure:?}: {refused:?}");
        assert_eq!(accounts.by_id(alice.id).await.unwrap().as_ref(), Some(&alice), "{departure:?}");
    }
    let named = AccountChange { name: Some(None), ..AccountChange::default() };
    depart(&alice, &Departure::Change(named), LastAdministrator::Stays).await.unwrap();
    depart(&carol, &Departure::Disable, LastAdministrator::Stays).await.unwrap();
    depart(&bob, &Departure::Remove, LastAdministrator::Stays).await.unwrap();
    depart(&alice, &demoted, LastAdministrator::MayGo).await.unwrap();
    assert!(!accounts.by_id(alice.id).await.unwrap().unwrap().admin);
    assert!(accounts.by_id(carol.id).await.unwrap().unwrap().disabled);
    let gone = depart(&bob, &Departure::Remove, LastAdministrator::Stays).await;
    assert!(matches!(gone, Err(Error::NotFound)), "{gone:?}");
}

pub async fn accounts_that_nobody_uses_are_found<A: Accounts>(accounts: &A) {
    for (n, address, made) in [(1, "ann", 0), (2, "bob", 0), (3, "carol", 9)] {
        let mut one = account(n, &format!("{address}@example.org"));
        one.created_at = at(made);
        accounts.add(&one, &frank(0)).await.unwrap();
    }
    accounts.logged_in(AccountId::from_bytes([2; 16]), at(7), None);
    accounts.flush().await.unwrap();
    for (since, expected) in
        [(5, &["ann@example.org"][..]), (8, &["ann@example.org", "bob@example.org"]), (0, &[])]
    {
        let filter = AccountFilter { unused_since: Some(at(since)), ..AccountFilter::default() };
        assert_eq!(listed(accounts, &filter, Page::first(9)).await, expected, "{since}");
    }
}

pub async fn hashes_that_begin_otherwise_are_listed_page_by_page<A: Accounts>(accounts: &A) {
    let hashes = ["$ours$1", "$theirs$2", "$our", "$ours$4", "$theirs$5"];
    for (number, hash) in (1..).zip(hashes) {
        let mut one = account(number, &format!("a{number}@example.org"));
        one.password_hash = Some(hash.to_owned());
        accounts.add(&one, &frank(0)).await.unwrap();
    }
    let mut without = account(6, "without@example.org");
    without.password_hash = None;
    accounts.add(&without, &frank(0)).await.unwrap();
    let id = |number| AccountId::from_bytes([number; 16]);
    let page = |after, at_most| accounts.hashes_unlike("$ours$", after, at_most);
    let first = [(id(2), "$theirs$2".to_owned()), (id(3), "$our".to_owned())];
    assert_eq!(page(None, 2).await.unwrap(), first);
    assert_eq!(page(Some(id(3)), 2).await.unwrap(), [(id(5), "$theirs$5".to_owned())]);
    assert_eq!(page(Some(id(5)), 2).await.unwrap(), []);
}
