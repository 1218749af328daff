//! What [`Accounts::revision`] promises, through two handles to one store.
#![expect(missing_docs, reason = "the names say it")]

use std::fmt::Debug;

use jiff::SignedDuration;
use types::{AccountId, DkimAlgorithm, DkimKeyId, DkimKeyName, Domain, Fingerprint, SenderPattern};

use super::sample::{account, app_password, at, frank, last_use, mailbox, plain};
use super::sending::{ONE, limits};
use crate::{
    AccountChange, Accounts, Act, Action, Allowance, AppPasswords, Audit, AuditEvent, Certificate,
    Certificates, ChallengeKey, ChallengeKeys, ChallengeKind, Counter, Departure, DkimKey, DkimKeys,
    Identities, Identity, Import, LastAdministrator, LimitChange, LimitChanges, Mark, OwnLimit, Resealed,
    Revision, SealedSecrets, SecondFactors, Sending, Share, ThrottleKey, ThrottleKind, Throttles,
};

const ALICE: AccountId = AccountId::from_bytes([1; 16]);
const BOB: AccountId = AccountId::from_bytes([2; 16]);
const PRINT: Fingerprint = Fingerprint::from_octets([7; 32]);

/// The revision, if this backend can tell it.
async fn seen<S: Accounts>(one: &S, other: &S) -> Option<Revision> {
    let revision = one.revision().await;
    assert_eq!(revision, other.revision().await, "both handles see the same");
    revision
}

/// What was done has moved the revision, for both handles.
async fn moves<S: Accounts, T: Debug>(
    one: &S,
    other: &S,
    what: &str,
    done: impl Future<Output = Result<T, crate::Error>>,
) -> T {
    let before = seen(one, other).await;
    let done = done.await.unwrap();
    let after = seen(one, other).await;
    assert!(after.is_none() || before != after, "{what}");
    done
}

pub async fn every_change_moves_the_revision<S>(one: &S, other: &S)
where
    S: Accounts
        + AppPasswords
        + Certificates
        + ChallengeKeys
        + DkimKeys
        + Identities
        + SealedSecrets
        + SecondFactors
        + Sending,
{
    let act = frank(1);
    moves(one, other, "add", one.add(&account(1, "alice@example.org"), &act)).await;
    let import = Import {
        account: account(2, "bob@example.org"),
        app_passwords: Vec::new(),
        second_factor: None,
        identities: Vec::new(),
    };
    moves(one, other, "import", one.import(&import, &act)).await;
    credentials_and_rights(one, other, &act).await;
    passwords_and_keys(one, other, &act).await;
    second_factors(one, other, &act).await;
    dkim_keys(one, other, &act).await;
    moves(one, other, "rename", one.rename(ALICE, &mailbox("al@example.org"), &act)).await;
    let change = AccountChange { admin: Some(true), ..AccountChange::default() };
    moves(one, other, "update_account", one.update_account(ALICE, &change, &act)).await;
    moves(one, other, "set_disabled", one.set_disabled(ALICE, true, &act)).await;
    let departed = one.depart(BOB, &Departure::Disable, LastAdministrator::MayGo, &act);
    moves(one, other, "depart", departed).await;
    moves(one, other, "remove", one.remove(BOB, &act)).await;
}

async fn credentials_and_rights<S>(one: &S, other: &S, act: &Act)
where
    S: Accounts + AppPasswords + Certificates + Identities + Sending,
{
    let phone = app_password(1, &account(1, "alice@example.org"));
    moves(one, other, "create", one.create(&plain(&phone, [1; 32]), 9, act)).await;
    moves(one, other, "relabel", one.relabel(ALICE, phone.id, "old", act)).await;
    moves(one, other, "revoke", one.revoke(ALICE, phone.id, act)).await;
    let certificate = Certificate {
        fingerprint: PRINT,
        account: ALICE,
        label: String::new(),
        created_at: at(1),
        expires_at: None,
        last_used: None,
    };
    moves(one, other, "add_certificate", one.add_certificate(&certificate, act)).await;
    moves(one, other, "remove_certificate", one.remove_certificate(ALICE, &PRINT, act)).await;
    let sender: SenderPattern = "*@example.net".parse().unwrap();
    let identity = Identity { sender: sender.clone(), created_at: at(1) };
    moves(one, other, "add_identity", one.add_identity(ALICE, &identity, act)).await;
    moves(one, other, "remove_identity", one.remove_identity(ALICE, &sender, act)).await;
    let limit = LimitChange::Set(Some(OwnLimit::AtMost(1)));
    let changes = LimitChanges { messages_per_hour: limit, ..LimitChanges::default() };
    moves(one, other, "change_own_limits", one.change_own_limits(ALICE, &changes, act)).await;
}

async fn passwords_and_keys<S: Accounts + ChallengeKeys + SealedSecrets>(one: &S, other: &S, act: &Act) {
    let key = ChallengeKey {
        kind: ChallengeKind::ScramSha256,
        account: ALICE,
        credential: None,
        made_at: at(1),
        sealed: b"sealed".to_vec(),
    };
    assert!(moves(one, other, "keep_challenge_key", one.keep_challenge_key(&key, 1)).await);
    let resealed = [Resealed { place: key.place(), old: b"sealed".to_vec(), new: b"again".to_vec() }];
    assert_eq!(moves(one, other, "reseal", one.reseal(&resealed)).await, 1);
    assert!(moves(one, other, "rehash", one.rehash(ALICE, "$argon2id$…", "$argon2id$2", act)).await);
    moves(one, other, "set_password", one.set_password(ALICE, "$argon2id$3", act)).await;
}

async fn second_factors<S: Accounts + SecondFactors>(one: &S, other: &S, act: &Act) {
    moves(one, other, "enroll", one.enroll(ALICE, b"seed", act)).await;
    assert!(moves(one, other, "confirm", one.confirm(ALICE, at(1), 5, &[[1; 32]], act)).await);
    moves(one, other, "use_recovery_code", one.use_recovery_code(ALICE, &[1; 32], act)).await;
    moves(one, other, "replace_recovery_codes", one.replace_recovery_codes(ALICE, &[], act)).await;
    moves(one, other, "disable_second_factor", one.disable_second_factor(ALICE, act)).await;
}

async fn dkim_keys<S: Accounts + DkimKeys>(one: &S, other: &S, act: &Act) {
    let name = DkimKeyName::new(&Domain::parse("example.org").unwrap(), "s".parse().unwrap()).unwrap();
    let key = DkimKey {
        id: DkimKeyId::from_bytes([1; 16]),
        name: name.clone(),
        algorithm: DkimAlgorithm::Rsa,
        created_at: at(1),
        activated_at: None,
        retired_at: None,
        public_key: Vec::new(),
        sealed: Vec::new(),
    };
    moves(one, other, "add_dkim_key", one.add_dkim_key(&key, act)).await;
    moves(one, other, "activate_dkim_key", one.activate_dkim_key(&name, act)).await;
    assert!(moves(one, other, "retire_dkim_key", one.retire_dkim_key(&name, act)).await);
}

pub async fn notes_do_not_move_the_revision<S>(one: &S, other: &S)
where
    S: Accounts + AppPasswords + Audit + Certificates + Sending + Throttles,
{
    let alice = account(1, "alice@example.org");
    one.add(&alice, &frank(0)).await.unwrap();
    let phone = app_password(1, &alice);
    one.create(&plain(&phone, [1; 32]), 9, &frank(1)).await.unwrap();
    let before = seen(one, other).await;
    one.logged_in(ALICE, at(2), Some("192.0.2.1/32".parse().unwrap()));
    one.used(phone.id, last_use(2, "192.0.2.1"));
    one.certificate_used(PRINT, last_use(2, "192.0.2.1"));
    one.note(AuditEvent::change(Action::Login, "alice@example.org", &frank(2)));
    let mut loan = one.lend(ALICE, &Share::default(), &ONE, &limits(9), at(2)).await.unwrap().unwrap();
    one.note_sent(ALICE, &loan.take(&ONE), &[[1; 16]], at(2));
    one.give_back(ALICE, &loan.left());
    one.flush().await.unwrap();
    let allowance = Allowance { failures: 5, accounts: 5, window: SignedDuration::from_secs(60) };
    let key = ThrottleKey { kind: ThrottleKind::Totp, account: Some("al".to_owned()), network: None };
    let counter = Counter { key, allowance, mark: Mark { account: [1; 8], secret: [1; 8] } };
    one.attempt(std::slice::from_ref(&counter), at(2)).await.unwrap();
    one.succeeded(std::slice::from_ref(&counter), &[]).await.unwrap();
    assert_eq!(seen(one, other).await, before);
}
