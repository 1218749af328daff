//! What [`Accounts::session_rights`] promises.
#![expect(missing_docs, reason = "the names say it")]

use types::{AccountId, Fingerprint};

use super::sample::{account, app_password, at, frank, plain};
use crate::{
    Accounts, AppPasswords, Certificate, Certificates, Identities, Identity, Login, StoredCredential,
    StoredRights,
};

const ALICE: AccountId = AccountId::from_bytes([1; 16]);
const BOB: AccountId = AccountId::from_bytes([2; 16]);
const PRINT: Fingerprint = Fingerprint::from_octets([7; 32]);

async fn rights<S: Accounts>(
    store: &S,
    account: AccountId,
    with: Option<StoredCredential>,
) -> Option<StoredRights> {
    store.session_rights(&Login { account, with }).await.unwrap()
}

pub async fn the_rights_of_a_login_are_one_answer<S>(store: &S)
where
    S: Accounts + AppPasswords + Certificates + Identities,
{
    let (alice, bob) = (account(1, "alice@example.org"), account(2, "bob@example.org"));
    store.add(&alice, &frank(0)).await.unwrap();
    store.add(&bob, &frank(0)).await.unwrap();
    let phone = app_password(1, &alice);
    store.create(&plain(&phone, [1; 32]), 9, &frank(1)).await.unwrap();
    let certificate = Certificate {
        fingerprint: PRINT,
        account: ALICE,
        label: "laptop".to_owned(),
        created_at: at(1),
        expires_at: Some(at(500)),
        last_used: None,
    };
    store.add_certificate(&certificate, &frank(1)).await.unwrap();
    let identities = ["*@example.com", "sales@example.org"].map(|text| text.parse().unwrap());
    for sender in identities.iter().rev().cloned() {
        store.add_identity(ALICE, &Identity { sender, created_at: at(2) }, &frank(2)).await.unwrap();
    }
    let plainly = StoredRights {
        account: alice.clone(),
        identities: identities.to_vec(),
        senders: Vec::new(),
        expires_at: None,
    };
    assert_eq!(rights(store, ALICE, None).await, Some(plainly.clone()));
    let by_phone =
        StoredRights { senders: phone.senders.clone(), expires_at: phone.expires_at, ..plainly.clone() };
    let (of_phone, of_laptop) =
        (StoredCredential::AppPassword(phone.id), StoredCredential::Certificate(PRINT));
    assert_eq!(rights(store, ALICE, Some(of_phone)).await, Some(by_phone));
    let by_certificate = StoredRights { expires_at: Some(at(500)), ..plainly };
    assert_eq!(rights(store, ALICE, Some(of_laptop)).await, Some(by_certificate));
    let of_bob = rights(store, BOB, None).await.unwrap();
    assert_eq!((of_bob.account, of_bob.identities.len()), (bob, 0));
    for of_alice in [of_phone, of_laptop] {
        assert_eq!(rights(store, BOB, Some(of_alice)).await, None, "it is another's");
    }
}

pub async fn what_is_taken_away_leaves_no_rights<S>(store: &S)
where
    S: Accounts + AppPasswords + Certificates,
{
    let alice = account(1, "alice@example.org");
    store.add(&alice, &frank(0)).await.unwrap();
    let (phone, tablet) = (app_password(1, &alice), app_password(2, &alice));
    for (password, digest) in [(&phone, [1; 32]), (&tablet, [2; 32])] {
        store.create(&plain(password, digest), 9, &frank(1)).await.unwrap();
    }
    let of = |password: &crate::AppPassword| Some(StoredCredential::AppPassword(password.id));
    assert!(store.revoke(ALICE, phone.id, &frank(2)).await.unwrap());
    assert_eq!(rights(store, ALICE, of(&phone)).await, None);
    assert_eq!(rights(store, ALICE, Some(StoredCredential::Certificate(PRINT))).await, None);
    assert!(rights(store, ALICE, of(&tablet)).await.is_some());
    store.set_disabled(ALICE, true, &frank(3)).await.unwrap();
    assert!(rights(store, ALICE, of(&tablet)).await.unwrap().account.disabled);
    store.remove(ALICE, &frank(4)).await.unwrap();
    for with in [None, of(&tablet)] {
        assert_eq!(rights(store, ALICE, with).await, None);
    }
}
