//! What [`Certificates`] promises.
#![expect(missing_docs, reason = "the names say it")]

use types::Fingerprint;

use super::sample::{account, at, frank, last_use};
use crate::{Account, Accounts, Action, Audit, AuditFilter, Certificate, Certificates, Error, Page};

pub(super) fn certificate(n: u8, account: &Account) -> Certificate {
    Certificate {
        fingerprint: Fingerprint::from_octets([n; 32]),
        account: account.id,
        label: format!("printer {n}"),
        created_at: at(i64::from(n)),
        expires_at: Some(at(1000)),
        last_used: None,
    }
}

/// Alice and Bob, who have no certificate yet.
async fn two_accounts<S: Accounts>(store: &S) -> [Account; 2] {
    let accounts = [account(1, "alice@example.org"), account(2, "bob@example.org")];
    for account in &accounts {
        store.add(account, &frank(0)).await.unwrap();
    }
    accounts
}

pub async fn one_look_up_finds_the_certificate_and_its_account<S: Accounts + Certificates>(store: &S) {
    let [alice, bob] = two_accounts(store).await;
    let (first, mut second) = (certificate(1, &alice), certificate(2, &alice));
    second.expires_at = None;
    for certificate in [&second, &first, &certificate(3, &bob)] {
        store.add_certificate(certificate, &frank(0)).await.unwrap();
    }
    let found = store.by_fingerprint(&second.fingerprint).await.unwrap();
    assert_eq!(found, Some((second.clone(), alice.clone())));
    assert_eq!(store.by_fingerprint(&Fingerprint::from_octets([9; 32])).await.unwrap(), None);
    assert_eq!(store.certificates(alice.id, Page::first(100)).await.unwrap(), [first, second]);
}

pub async fn a_certificate_is_one_accounts<S: Accounts + Certificates>(store: &S) {
    let [alice, bob] = two_accounts(store).await;
    store.add_certificate(&certificate(1, &alice), &frank(0)).await.unwrap();
    for owner in [&alice, &bob] {
        let again = store.add_certificate(&certificate(1, owner), &frank(0)).await;
        assert!(matches!(again, Err(Error::AlreadyExists)));
    }
    let nobody = account(9, "nobody@example.org");
    assert!(matches!(store.add_certificate(&certificate(2, &nobody), &frank(0)).await, Err(Error::NotFound)));
    assert_eq!(store.certificates(bob.id, Page::first(100)).await.unwrap(), []);
}

pub async fn only_its_owner_removes_it<S: Accounts + Certificates>(store: &S) {
    let [alice, bob] = two_accounts(store).await;
    let certificate = certificate(1, &alice);
    store.add_certificate(&certificate, &frank(0)).await.unwrap();
    let nobody = account(9, "nobody@example.org");
    assert!(!store.remove_certificate(bob.id, &certificate.fingerprint, &frank(1)).await.unwrap());
    assert!(!store.remove_certificate(nobody.id, &certificate.fingerprint, &frank(1)).await.unwrap());
    assert!(store.remove_certificate(alice.id, &certificate.fingerprint, &frank(1)).await.unwrap());
    assert!(!store.remove_certificate(alice.id, &certificate.fingerprint, &frank(1)).await.unwrap());
    assert_eq!(store.by_fingerprint(&certificate.fingerprint).await.unwrap(), None);
}

pub async fn a_removed_account_takes_its_certificates_along<S: Accounts + Certificates>(store: &S) {
    let [alice, bob] = two_accounts(store).await;
    store.add_certificate(&certificate(1, &alice), &frank(0)).await.unwrap();
    store.remove(alice.id, &frank(1)).await.unwrap();
    assert_eq!(store.by_fingerprint(&Fingerprint::from_octets([1; 32])).await.unwrap(), None);
    store.add_certificate(&certificate(1, &bob), &frank(0)).await.unwrap();
}

pub async fn a_use_of_a_certificate_is_noted<S: Accounts + Certificates>(store: &S) {
    let [alice, _] = two_accounts(store).await;
    let certificate = certificate(1, &alice);
    store.add_certificate(&certificate, &frank(0)).await.unwrap();
    store.certificate_used(certificate.fingerprint, last_use(1, "192.0.2.1"));
    store.certificate_used(certificate.fingerprint, last_use(2, "2001:db8::1"));
    store.certificate_used(Fingerprint::from_octets([9; 32]), last_use(2, "2001:db8::1"));
    store.flush().await.unwrap();
    let (noted, _) = store.by_fingerprint(&certificate.fingerprint).await.unwrap().unwrap();
    assert_eq!(noted.last_used, Some(last_use(2, "2001:db8::1")));
}

pub async fn changes_of_certificates_are_told<S: Accounts + Audit + Certificates>(store: &S) {
    let [alice, bob] = two_accounts(store).await;
    let certificate = certificate(1, &alice);
    store.add_certificate(&certificate, &frank(0)).await.unwrap();
    store.add_certificate(&certificate, &frank(0)).await.unwrap_err();
    assert!(!store.remove_certificate(bob.id, &certificate.fingerprint, &frank(2)).await.unwrap());
    store.remove_certificate(alice.id, &certificate.fingerprint, &frank(2)).await.unwrap();
    let entries = store.entries(&AuditFilter::default(), Page::first(1000)).await.unwrap().entries;
    let told: Vec<_> = entries
        .into_iter()
        .map(|entry| entry.event)
        .filter(|event| event.action != Action::UserAdd)
        .map(|event| (event.action, event.account.unwrap(), event.credential.unwrap()))
        .collect();
    let expected = [Action::CertificateRemove, Action::CertificateAdd]
        .map(|action| (action, alice.address.normal(), certificate.fingerprint.to_string()));
    assert_eq!(told, expected);
}
