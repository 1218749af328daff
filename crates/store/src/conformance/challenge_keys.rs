//! What [`ChallengeKeys`] promises.
#![expect(missing_docs, reason = "the names say it")]

use std::future::Future;
use std::task::Poll;

use types::{AccountId, CredentialId};

use super::sample::{account, app_password, at, frank, mailbox, plain};
use crate::{
    Account, Accounts, Action, AppPasswords, Audit, AuditFilter, ChallengeKey, ChallengeKeys, ChallengeKind,
    Error, NewAppPassword, Page, Resealed, SealedPlace, SealedSecrets, SecondFactors,
};

const CRAM: ChallengeKind = ChallengeKind::CramMd5;
const SCRAM: ChallengeKind = ChallengeKind::ScramSha256;
const ALICE: AccountId = AccountId::from_bytes([1; 16]);
const TELEPHONE: CredentialId = CredentialId::from_bytes([1; 16]);
const TABLET: CredentialId = CredentialId::from_bytes([2; 16]);

/// A key of Alice's.
fn key(kind: ChallengeKind, credential: Option<CredentialId>) -> ChallengeKey {
    let sealed = format!("{kind} {credential:?}").into_bytes();
    ChallengeKey { kind, account: ALICE, credential, made_at: at(1), sealed }
}

/// Alice, who has two app passwords, and Bob.
async fn two_accounts<S: Accounts + AppPasswords>(store: &S) -> [Account; 2] {
    let accounts = [account(1, "alice@example.org"), account(2, "bob@example.org")];
    for account in &accounts {
        store.add(account, &frank(0)).await.unwrap();
    }
    for n in [1, 2] {
        store.create(&plain(&app_password(n, &accounts[0]), [n; 32]), 10, &frank(0)).await.unwrap();
    }
    accounts
}

/// Ends a future after it was polled so often, unless it has come to its end by then.
async fn broken_off<F: Future>(mut polls: u32, future: F) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|context| {
        if polls == 0 {
            return Poll::Ready(None);
        }
        polls -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

/// How many app passwords Alice has, how many keys go with them, and how many were told to the audit trail.
async fn made<S: AppPasswords + ChallengeKeys + Audit>(store: &S) -> [usize; 3] {
    let mut keys = 0;
    let all: Vec<_> = (1..=9).map(|n| CredentialId::from_bytes([n; 16])).collect();
    for kind in ChallengeKind::ALL {
        keys += store.with_challenge_key(kind, &all).await.unwrap().len();
    }
    let told = AuditFilter { action: Some(Action::AppPasswordCreate), ..AuditFilter::default() };
    let told = store.entries(&told, Page::first(1000)).await.unwrap().entries;
    [store.of_account(ALICE, Page::first(100)).await.unwrap().len(), keys, told.len()]
}

pub async fn an_app_password_comes_with_its_keys_or_not_at_all<
    S: Accounts + AppPasswords + ChallengeKeys + Audit,
>(
    store: &S,
) {
    let alice = account(1, "alice@example.org");
    store.add(&alice, &frank(0)).await.unwrap();
    let keys = |second| vec![key(CRAM, Some(TELEPHONE)), second];
    let with =
        |second| NewAppPassword { challenge_keys: keys(second), ..plain(&app_password(1, &alice), [1; 32]) };
    let whole = with(key(SCRAM, Some(TELEPHONE)));
    let nobody = AccountId::from_bytes([9; 16]);
    let broken_behind_a_key = with(ChallengeKey { account: nobody, ..key(SCRAM, Some(TELEPHONE)) });
    let of_another_version = NewAppPassword { version: 2, ..whole.clone() };
    for broken in [broken_behind_a_key, of_another_version] {
        assert!(matches!(store.create(&broken, 10, &frank(1)).await, Err(Error::Changed)));
        assert_eq!(made(store).await, [0, 0, 0]);
    }
    for polls in 0.. {
        let created = broken_off(polls, store.create(&whole, 10, &frank(1))).await;
        let made = made(store).await;
        assert!(made == [0, 0, 0] || made == [1, 2, 1], "broken off after {polls} polls: {made:?}");
        if made != [0, 0, 0] {
            break;
        }
        assert!(created.is_none(), "{created:?}");
    }
}

/// The same with a key of each kind for each app password, and for the account password one of SCRAM.
async fn with_keys<S: Accounts + AppPasswords + ChallengeKeys>(store: &S) -> [Account; 2] {
    let accounts = two_accounts(store).await;
    for key in all() {
        assert!(store.keep_challenge_key(&key, 1).await.unwrap(), "{key:?}");
    }
    accounts
}

/// In the order of their places.
fn all() -> [ChallengeKey; 5] {
    [
        key(CRAM, Some(TELEPHONE)),
        key(CRAM, Some(TABLET)),
        key(SCRAM, None),
        key(SCRAM, Some(TELEPHONE)),
        key(SCRAM, Some(TABLET)),
    ]
}

/// Of which passwords there are keys of a kind, by the name of the account.
async fn of<S: ChallengeKeys>(store: &S, name: &str, kind: ChallengeKind) -> Vec<Option<CredentialId>> {
    let (_, keys) = store.challenged(&mailbox(name), kind).await.unwrap().unwrap();
    keys.into_iter().map(|(key, _)| key.credential).collect()
}

pub async fn an_account_comes_with_its_keys<S: Accounts + AppPasswords + ChallengeKeys>(store: &S) {
    let [alice, bob] = with_keys(store).await;
    let (telephone, tablet) = (app_password(1, &alice), app_password(2, &alice));
    let found = store.challenged(&mailbox("ALICE@example.org"), SCRAM).await.unwrap();
    let expected = vec![
        (key(SCRAM, None), None),
        (key(SCRAM, Some(TELEPHONE)), Some(telephone.clone())),
        (key(SCRAM, Some(TABLET)), Some(tablet.clone())),
    ];
    assert_eq!(found, Some((alice.clone(), expected)));
    let found = store.challenged(&alice.address, CRAM).await.unwrap();
    let expected =
        [(TELEPHONE, telephone), (TABLET, tablet)].map(|(id, one)| (key(CRAM, Some(id)), Some(one)));
    assert_eq!(found, Some((alice, expected.into())));
    assert_eq!(store.challenged(&bob.address, SCRAM).await.unwrap(), Some((bob, Vec::new())));
    assert_eq!(store.challenged(&mailbox("carol@example.org"), SCRAM).await.unwrap(), None);
}

pub async fn the_newest_key_of_a_password_stands<S: Accounts + AppPasswords + ChallengeKeys>(store: &S) {
    let [alice, _] = with_keys(store).await;
    for credential in [None, Some(TELEPHONE)] {
        let newer = ChallengeKey { made_at: at(2), sealed: b"newer".to_vec(), ..key(SCRAM, credential) };
        assert!(store.keep_challenge_key(&newer, 1).await.unwrap());
        let (_, keys) = store.challenged(&alice.address, SCRAM).await.unwrap().unwrap();
        assert_eq!(keys.len(), 3);
        assert!(keys.iter().any(|(key, _)| *key == newer));
    }
}

pub async fn a_key_is_kept_only_if_nothing_has_changed_since<S: Accounts + AppPasswords + ChallengeKeys>(
    store: &S,
) {
    let [alice, bob] = two_accounts(store).await;
    let refused = async |key: &ChallengeKey, version| {
        assert!(!store.keep_challenge_key(key, version).await.unwrap(), "{key:?}");
    };
    store.set_password(alice.id, "another", &frank(1)).await.unwrap();
    refused(&key(SCRAM, None), 1).await;
    refused(&key(SCRAM, None), 3).await;
    refused(&key(SCRAM, Some(TELEPHONE)), 1).await;
    refused(&key(SCRAM, Some(CredentialId::from_bytes([9; 16]))), 2).await;
    refused(&ChallengeKey { account: bob.id, ..key(SCRAM, Some(TELEPHONE)) }, 1).await;
    refused(&ChallengeKey { account: AccountId::from_bytes([9; 16]), ..key(SCRAM, None) }, 1).await;
    assert_eq!(of(store, "alice@example.org", SCRAM).await, []);
    assert!(store.keep_challenge_key(&key(SCRAM, None), 2).await.unwrap());
    store.revoke(ALICE, TELEPHONE, &frank(2)).await.unwrap();
    refused(&key(CRAM, Some(TELEPHONE)), 2).await;
}

pub async fn keys_go_with_their_app_password<S: Accounts + AppPasswords + ChallengeKeys>(store: &S) {
    with_keys(store).await;
    store.revoke(ALICE, TELEPHONE, &frank(2)).await.unwrap();
    assert_eq!(of(store, "alice@example.org", CRAM).await, [Some(TABLET)]);
    assert_eq!(of(store, "alice@example.org", SCRAM).await, [None, Some(TABLET)]);
}

pub async fn another_password_takes_its_own_keys_along<S: Accounts + AppPasswords + ChallengeKeys>(
    store: &S,
) {
    with_keys(store).await;
    store.rehash(ALICE, "$argon2id$…", "dear", &frank(2)).await.unwrap();
    assert!(store.has_challenge_key(SCRAM, ALICE, None).await.unwrap(), "it is the same password");
    store.set_password(ALICE, "another", &frank(2)).await.unwrap();
    assert_eq!(of(store, "alice@example.org", SCRAM).await, [Some(TELEPHONE), Some(TABLET)]);
    assert_eq!(of(store, "alice@example.org", CRAM).await, [Some(TELEPHONE), Some(TABLET)]);
}

pub async fn a_second_factor_takes_those_of_the_password_along<S>(store: &S)
where
    S: Accounts + AppPasswords + ChallengeKeys + SecondFactors,
{
    with_keys(store).await;
    store.enroll(ALICE, b"seed", &frank(1)).await.unwrap();
    assert_eq!(of(store, "alice@example.org", SCRAM).await.len(), 3, "it is not on yet");
    assert!(store.confirm(ALICE, at(1), 100, &[], &frank(2)).await.unwrap());
    assert_eq!(of(store, "alice@example.org", SCRAM).await, [Some(TELEPHONE), Some(TABLET)]);
}

pub async fn another_address_takes_what_it_salts_along<S: Accounts + AppPasswords + ChallengeKeys>(
    store: &S,
) {
    with_keys(store).await;
    assert!(store.rename(ALICE, &mailbox("bob@example.org"), &frank(2)).await.is_err());
    assert_eq!(of(store, "alice@example.org", SCRAM).await.len(), 3, "that one is taken");
    store.rename(ALICE, &mailbox("alicia@example.org"), &frank(2)).await.unwrap();
    assert_eq!(of(store, "alicia@example.org", SCRAM).await, []);
    assert_eq!(of(store, "alicia@example.org", CRAM).await, [Some(TELEPHONE), Some(TABLET)]);
}

pub async fn a_removed_account_takes_its_keys_along<
    S: Accounts + AppPasswords + ChallengeKeys + SealedSecrets,
>(
    store: &S,
) {
    with_keys(store).await;
    store.remove(ALICE, &frank(2)).await.unwrap();
    assert_eq!(store.sealed(None, 10).await.unwrap(), []);
}

pub async fn it_is_known_what_there_are_keys_of<S: Accounts + AppPasswords + ChallengeKeys>(store: &S) {
    let [_, bob] = with_keys(store).await;
    for (kind, account, credential, is_there) in [
        (SCRAM, ALICE, None, true),
        (CRAM, ALICE, None, false),
        (CRAM, ALICE, Some(TABLET), true),
        (SCRAM, bob.id, None, false),
        (SCRAM, bob.id, Some(TABLET), false),
    ] {
        let found = store.has_challenge_key(kind, account, credential).await.unwrap();
        assert_eq!(found, is_there, "{kind} {account} {credential:?}");
    }
    for kind in ChallengeKind::ALL {
        let nobodys = CredentialId::from_bytes([9; 16]);
        let app_passwords = store.with_challenge_key(kind, &[TELEPHONE, nobodys, TABLET]).await.unwrap();
        assert_eq!(app_passwords, [TELEPHONE, TABLET]);
        assert_eq!(store.with_challenge_key(kind, &[TABLET]).await.unwrap(), [TABLET]);
        assert_eq!(store.with_challenge_key(kind, &[]).await.unwrap(), []);
    }
}

/// In the order of their places, with those of the second factors before them.
pub async fn sealed_keys_come_behind_the_seeds_in_the_order_of_their_places<S>(store: &S)
where
    S: Accounts + AppPasswords + ChallengeKeys + SealedSecrets + SecondFactors,
{
    let [_, bob] = with_keys(store).await;
    store.keep_root_key(b"root").await.unwrap();
    store.enroll(bob.id, b"seed", &frank(1)).await.unwrap();
    let seed = SealedPlace::TotpSeed { account: bob.id, enrolled_at: at(1) };
    let mut expected = vec![(SealedPlace::RootKey, b"root".to_vec()), (seed, b"seed".to_vec())];
    expected.extend(all().map(|key| (key.place(), key.sealed)));
    assert_eq!(store.sealed(None, 10).await.unwrap(), expected);
    for (at, (after, _)) in expected.iter().enumerate() {
        for at_most in 0..3 {
            let rest = &expected[at + 1..];
            let batch = store.sealed(Some(*after), u32::try_from(at_most).unwrap()).await.unwrap();
            assert_eq!(batch, rest[..at_most.min(rest.len())], "{at_most} behind {after:?}");
        }
    }
}

pub async fn keys_are_resealed_where_they_lie<S: Accounts + AppPasswords + ChallengeKeys + SealedSecrets>(
    store: &S,
) {
    with_keys(store).await;
    let anew =
        |key: &ChallengeKey| Resealed { place: key.place(), old: key.sealed.clone(), new: b"anew".to_vec() };
    let [telephone, _, password, ..] = all();
    let elsewhere = ChallengeKey { made_at: at(2), ..key(SCRAM, Some(TABLET)) };
    let changed = ChallengeKey { sealed: b"other".to_vec(), ..key(CRAM, Some(TABLET)) };
    let resealed = [&telephone, &password, &elsewhere, &changed].map(anew);
    assert_eq!(store.reseal(&resealed).await.unwrap(), 2);
    let expected = all().map(|key| match key == telephone || key == password {
        true => b"anew".to_vec(),
        false => key.sealed,
    });
    let found: Vec<_> = store.sealed(None, 10).await.unwrap().into_iter().map(|(_, sealed)| sealed).collect();
    assert_eq!(found, expected);
}
