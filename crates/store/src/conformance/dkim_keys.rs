//! What [`DkimKeys`] promises.
#![expect(missing_docs, reason = "the names say it")]

use types::{DkimAlgorithm, DkimKeyId, DkimKeyName, Domain};

use super::sample::{account, at, frank};
use crate::{
    Accounts, Action, Audit, AuditFilter, DkimKey, DkimKeyState, DkimKeys, Error, Page, Resealed,
    SealedPlace, SealedSecrets, SecondFactors,
};

fn name(domain: &str, selector: &str) -> DkimKeyName {
    DkimKeyName::new(&Domain::parse(domain).unwrap(), selector.parse().unwrap()).unwrap()
}

fn key(n: u8, domain: &str, selector: &str, algorithm: DkimAlgorithm) -> DkimKey {
    DkimKey {
        id: DkimKeyId::from_bytes([n; 16]),
        name: name(domain, selector),
        algorithm,
        created_at: at(i64::from(n)),
        activated_at: None,
        retired_at: None,
        public_key: vec![n; 4],
        sealed: vec![n; 8],
    }
}

/// Of example.org two keys of RSA and one of Ed25519, and one of example.net; none signs.
async fn fill<S: DkimKeys>(store: &S) -> [DkimKey; 4] {
    let keys = [
        key(4, "example.net", "a", DkimAlgorithm::Rsa),
        key(1, "example.org", "ed", DkimAlgorithm::Ed25519),
        key(3, "example.org", "new", DkimAlgorithm::Rsa),
        key(2, "example.org", "old", DkimAlgorithm::Rsa),
    ];
    for key in &keys {
        store.add_dkim_key(key, &frank(0)).await.unwrap();
    }
    keys
}

async fn signing<S: DkimKeys>(store: &S, domains: &[&str]) -> Vec<String> {
    let keys = store.active_dkim_keys(domains).await.unwrap();
    keys.iter().map(|key| key.name.to_string()).collect()
}

pub async fn a_key_comes_back_as_it_was_added<S: DkimKeys>(store: &S) {
    let keys = fill(store).await;
    for key in &keys {
        assert_eq!(store.dkim_key(&key.name).await.unwrap().as_ref(), Some(key));
    }
    assert_eq!(store.dkim_key(&name("example.com", "a")).await.unwrap(), None);
    let taken = DkimKey { id: DkimKeyId::from_bytes([9; 16]), ..keys[0].clone() };
    assert!(matches!(store.add_dkim_key(&taken, &frank(1)).await, Err(Error::AlreadyExists)));
}

pub async fn keys_are_listed_by_their_names_in_pages<S: DkimKeys>(store: &S) {
    let keys = fill(store).await;
    assert_eq!(store.dkim_keys(None, Page::first(9)).await.unwrap(), keys);
    let mut page = Page::first(3);
    assert_eq!(store.dkim_keys(None, page.clone()).await.unwrap(), keys[..3]);
    page.after = Some(keys[2].name.clone());
    assert_eq!(store.dkim_keys(None, page).await.unwrap(), keys[3..]);
    assert_eq!(store.dkim_keys(Some("example.org"), Page::first(9)).await.unwrap(), keys[1..]);
    assert_eq!(store.dkim_keys(Some("org"), Page::first(9)).await.unwrap(), []);
}

pub async fn of_a_domain_one_key_of_each_algorithm_signs<S: DkimKeys>(store: &S) {
    let [net, ed, new, old] = fill(store).await;
    assert!(!store.any_active_dkim_key().await.unwrap());
    let all = ["example.org", "example.net", "org"];
    assert!(signing(store, &all).await.is_empty());
    assert_eq!(store.activate_dkim_key(&old.name, &frank(10)).await.unwrap(), None);
    assert_eq!(store.activate_dkim_key(&ed.name, &frank(11)).await.unwrap(), None);
    assert_eq!(store.activate_dkim_key(&net.name, &frank(12)).await.unwrap(), None);
    assert!(store.any_active_dkim_key().await.unwrap());
    assert_eq!(signing(store, &["example.org"]).await, [ed.name.to_string(), old.name.to_string()]);
    assert_eq!(store.activate_dkim_key(&new.name, &frank(20)).await.unwrap(), Some(old.name.clone()));
    assert_eq!(signing(store, &all).await, [&net, &ed, &new].map(|key| key.name.to_string()));
    assert!(signing(store, &[]).await.is_empty());
    let retired = store.dkim_key(&old.name).await.unwrap().unwrap();
    assert_eq!((retired.activated_at, retired.retired_at), (Some(at(10)), Some(at(20))));
    // Back again.
    assert_eq!(store.activate_dkim_key(&old.name, &frank(30)).await.unwrap(), Some(new.name.clone()));
    let back = store.dkim_key(&old.name).await.unwrap().unwrap();
    assert_eq!(
        (back.activated_at, back.retired_at, back.state()),
        (Some(at(30)), None, DkimKeyState::Active)
    );
    assert_eq!(store.activate_dkim_key(&old.name, &frank(40)).await.unwrap(), None);
    assert_eq!(store.dkim_key(&old.name).await.unwrap(), Some(back), "nothing is changed");
    let nobody = store.activate_dkim_key(&name("example.com", "a"), &frank(50)).await;
    assert!(matches!(nobody, Err(Error::NotFound)));
}

pub async fn what_is_retired_signs_no_longer<S: DkimKeys>(store: &S) {
    let [net, ed, ..] = fill(store).await;
    store.activate_dkim_key(&net.name, &frank(10)).await.unwrap();
    assert!(store.retire_dkim_key(&net.name, &frank(20)).await.unwrap());
    assert!(!store.retire_dkim_key(&net.name, &frank(30)).await.unwrap());
    assert!(signing(store, &["example.net"]).await.is_empty());
    assert!(!store.any_active_dkim_key().await.unwrap());
    assert_eq!(store.dkim_key(&net.name).await.unwrap().unwrap().retired_at, Some(at(20)));
    // What has never signed can be retired, too.
    assert!(store.retire_dkim_key(&ed.name, &frank(20)).await.unwrap());
    let nobody = store.retire_dkim_key(&name("example.com", "a"), &frank(50)).await;
    assert!(matches!(nobody, Err(Error::NotFound)));
}

pub async fn what_is_wiped_is_no_secret_any_more<S: Audit + DkimKeys + SealedSecrets>(store: &S) {
    let [net, ed, new, old] = fill(store).await;
    assert!(!store.wipe_dkim_key(&net.name, &frank(10)).await.unwrap(), "it may sign yet");
    store.retire_dkim_key(&net.name, &frank(20)).await.unwrap();
    assert!(store.wipe_dkim_key(&net.name, &frank(30)).await.unwrap());
    assert!(!store.wipe_dkim_key(&net.name, &frank(40)).await.unwrap());
    let wiped = store.dkim_key(&net.name).await.unwrap();
    assert_eq!(wiped, Some(DkimKey { retired_at: Some(at(20)), sealed: Vec::new(), ..net.clone() }));
    assert!(matches!(store.add_dkim_key(&net, &frank(50)).await, Err(Error::AlreadyExists)));
    let left = [&ed, &old, &new].map(|key| (key.place(), key.sealed.clone()));
    assert_eq!(store.sealed(None, 9).await.unwrap(), left);
    let told = store.entries(&AuditFilter::default(), Page::first(1)).await.unwrap().entries;
    assert_eq!(
        (told[0].event.action, told[0].event.credential.clone()),
        (Action::DkimWipe, Some(net.name.to_string()))
    );
    let nobody = store.wipe_dkim_key(&name("example.com", "a"), &frank(60)).await;
    assert!(matches!(nobody, Err(Error::NotFound)));
}

pub async fn changes_of_keys_are_told<S: Audit + DkimKeys>(store: &S) {
    let [net, _, new, old] = fill(store).await;
    store.activate_dkim_key(&old.name, &frank(10)).await.unwrap();
    store.activate_dkim_key(&new.name, &frank(20)).await.unwrap();
    store.activate_dkim_key(&new.name, &frank(21)).await.unwrap();
    store.retire_dkim_key(&net.name, &frank(30)).await.unwrap();
    store.retire_dkim_key(&net.name, &frank(31)).await.unwrap();
    let entries = store.entries(&AuditFilter::default(), Page::first(100)).await.unwrap().entries;
    let told = entries.into_iter().map(|entry| entry.event);
    let told: Vec<_> = told
        .filter(|event| event.action != Action::DkimGenerate)
        .map(|event| (event.action, event.credential.unwrap()))
        .collect();
    let expected = [
        (Action::DkimRetire, &net),
        (Action::DkimActivate, &new),
        (Action::DkimRetire, &old),
        (Action::DkimActivate, &old),
    ];
    assert_eq!(told, expected.map(|(action, key)| (action, key.name.to_string())));
}

pub async fn sealed_dkim_keys_come_last_and_are_resealed_where_they_lie<S>(store: &S)
where
    S: Accounts + DkimKeys + SealedSecrets + SecondFactors,
{
    let [net, ed, new, old] = fill(store).await;
    let alice = account(1, "alice@example.org");
    store.add(&alice, &frank(0)).await.unwrap();
    store.enroll(alice.id, b"seed", &frank(1)).await.unwrap();
    let seed = (SealedPlace::TotpSeed { account: alice.id, enrolled_at: at(1) }, b"seed".to_vec());
    let all: Vec<_> = [seed]
        .into_iter()
        .chain([&ed, &old, &new, &net].map(|key| (key.place(), key.sealed.clone())))
        .collect();
    assert_eq!(store.sealed(None, 9).await.unwrap(), all);
    assert_eq!(store.sealed(None, 2).await.unwrap(), all[..2]);
    assert_eq!(store.sealed(Some(ed.place()), 9).await.unwrap(), all[2..]);
    assert_eq!(store.sealed(Some(net.place()), 9).await.unwrap(), []);
    let resealed =
        |key: &DkimKey, old: &[u8]| Resealed { place: key.place(), old: old.to_vec(), new: b"anew".to_vec() };
    let secrets = [resealed(&ed, &ed.sealed), resealed(&old, b"another")];
    assert_eq!(store.reseal(&secrets).await.unwrap(), 1);
    assert_eq!(store.dkim_key(&ed.name).await.unwrap().unwrap().sealed, b"anew");
    assert_eq!(store.dkim_key(&old.name).await.unwrap().unwrap().sealed, old.sealed);
}
