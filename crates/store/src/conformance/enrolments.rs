//! What [`Enrolments`] promises, through two handles to one store.
#![expect(missing_docs, reason = "the names say it")]

use futures_util::future::join_all;
use types::{CredentialId, EnrolmentId, WebSessionId};

use super::sample::{account, app_password, at, frank, plain, two_accounts};
use super::{api_tokens, certificates};
use crate::{
    AcceptedInvitation, Account, Accounts, Act, Action, ApiTokens, AppPasswords, Audit, AuditFilter,
    Certificates, Enrolment, EnrolmentPurpose, EnrolmentState, EnrolmentUse, Enrolments, Error,
    NewAppPassword, NewSecondFactor, Page, PlannedAppPassword, SecondFactors, WebSession, WebSessions,
};

const MANY: u32 = 5;

/// A link for a device, with this number.
fn device(n: u8, account: &Account) -> Enrolment {
    let planned = PlannedAppPassword {
        label: format!("telephone {n}"),
        expires_at: Some(at(5_000)),
        networks: vec!["192.0.2.0/24".parse().unwrap(), "2001:db8::/32".parse().unwrap()],
        senders: vec!["\"of two\"@example.org".parse().unwrap(), "*@example.net".parse().unwrap()],
    };
    Enrolment {
        id: EnrolmentId::from_bytes([n; 16]),
        account: account.id,
        purpose: EnrolmentPurpose::Device(planned),
        version: account.version,
        made_at: at(i64::from(n)),
        made_by: "frank".to_owned(),
        ends_at: at(1_000),
        opened_at: None,
        withdrawn_at: None,
        used: None,
    }
}

fn invitation(n: u8, account: &Account, second_factor_lost: bool) -> Enrolment {
    Enrolment { purpose: EnrolmentPurpose::Invitation { second_factor_lost }, ..device(n, account) }
}

/// Keeps a link whose digest is of its number.
async fn keep<S: Enrolments>(store: &S, new: &Enrolment) -> Result<(), Error> {
    let n = new.id.as_bytes()[0];
    store.keep_enrolment(new, &[n; 32], MANY, &frank(i64::from(n))).await
}

async fn found<S: Enrolments>(store: &S, n: u8) -> Option<Enrolment> {
    store.enrolment_by_digest(&[n; 32]).await.unwrap().map(|(enrolment, _)| enrolment)
}

fn used_at(seconds: i64, credential: Option<u8>) -> EnrolmentUse {
    EnrolmentUse {
        at: at(seconds),
        ip: "2001:db8::1".parse().unwrap(),
        agent: "Phone/1.0".to_owned(),
        browser: [9; 32],
        credential: credential.map(|n| CredentialId::from_bytes([n; 16])),
    }
}

/// Uses up a link with an app password of the same number.
async fn use_up<S: Enrolments>(store: &S, n: u8, account: &Account, seconds: i64) -> Result<bool, Error> {
    let new = NewAppPassword { version: account.version, ..plain(&app_password(n, account), [n; 32]) };
    let id = EnrolmentId::from_bytes([n; 16]);
    store.use_device_link(id, &used_at(seconds, Some(n)), &new, 50, &frank(seconds)).await
}

fn accepted(account: &Account, seconds: i64) -> AcceptedInvitation {
    AcceptedInvitation {
        password_hash: "another".to_owned(),
        version: account.version,
        second_factor: None,
        revoke_app_passwords: false,
        used: used_at(seconds, None),
    }
}

async fn trail<S: Audit>(store: &S) -> Vec<(&'static str, Option<String>, Option<String>)> {
    let all = store.entries(&AuditFilter::default(), Page::first(99)).await.unwrap().entries;
    let told = all.into_iter().rev().map(|entry| entry.event).filter(|event| event.action != Action::UserAdd);
    told.map(|event| (event.action.name(), event.credential, event.scope)).collect()
}

async fn passwords<S: AppPasswords>(store: &S, account: &Account) -> usize {
    store.of_account(account.id, Page::first(99)).await.unwrap().len()
}

pub async fn a_link_comes_back_as_it_was_kept<S>(one: &S, other: &S)
where
    S: Accounts + Enrolments,
{
    let [alice, bob] = two_accounts(one).await;
    let before = one.revision().await;
    let all = [device(1, &alice), invitation(2, &alice, true), device(3, &bob)];
    for new in &all {
        keep(one, new).await.unwrap();
    }
    assert_eq!(one.revision().await, before, "whoever is logged in has nothing to ask anew");
    for store in [one, other] {
        assert_eq!(store.enrolment_by_digest(&[1; 32]).await.unwrap(), Some((all[0].clone(), alice.clone())));
        assert_eq!(found(store, 9).await, None);
        assert_eq!(store.enrolment(alice.id, all[0].id).await.unwrap(), Some(all[0].clone()));
        assert_eq!(store.enrolment(bob.id, all[0].id).await.unwrap(), None, "of its own account alone");
        let open =
            async |seconds, at_most| store.open_enrolments(alice.id, at(seconds), at_most).await.unwrap();
        assert_eq!(open(999, 9).await, [all[1].clone(), all[0].clone()]);
        assert_eq!(open(999, 1).await, [all[1].clone()]);
        assert!(open(1_000, 9).await.is_empty(), "their end");
    }
    one.remove(alice.id, &frank(9)).await.unwrap();
    assert_eq!(found(other, 1).await, None, "a removed account takes its links along");
}

pub async fn a_link_is_kept_for_the_account_as_it_is<S>(one: &S, other: &S)
where
    S: Accounts + Enrolments,
{
    let [alice, _] = two_accounts(one).await;
    let nobody = account(9, "nobody@example.org");
    assert!(matches!(keep(one, &device(1, &nobody)).await, Err(Error::NotFound)));
    other.set_password(alice.id, "another", &frank(1)).await.unwrap();
    assert!(matches!(keep(one, &device(1, &alice)).await, Err(Error::Changed)));
    assert_eq!(found(other, 1).await, None);
}

pub async fn an_account_has_five_links_for_devices_that_are_open<S>(one: &S, other: &S)
where
    S: Accounts + AppPasswords + Enrolments,
{
    let [alice, bob] = two_accounts(one).await;
    keep(one, &device(100, &bob)).await.unwrap();
    let kept = join_all((1..=12).map(async |n| {
        let store = if n % 2 == 0 { one } else { other };
        keep(store, &device(n, &alice)).await
    }));
    let kept = kept.await;
    assert_eq!(kept.iter().filter(|kept| kept.is_ok()).count(), 5, "however many are made at once");
    assert!(kept.iter().flat_map(|kept| kept.as_ref().err()).all(|error| matches!(error, Error::TooMany)));
    let five = one.open_enrolments(alice.id, at(20), 9).await.unwrap();
    let (used, withdrawn) = (&five[0], &five[1]);
    assert!(use_up(one, used.id.as_bytes()[0], &alice, 20).await.unwrap());
    assert!(one.withdraw_enrolment(alice.id, withdrawn.id, &frank(20)).await.unwrap());
    assert_eq!(other.open_enrolments(alice.id, at(20), 9).await.unwrap(), five[2..]);
    for (n, is_kept) in [(21, true), (22, true), (23, false)] {
        assert_eq!(keep(other, &device(n, &alice)).await.is_ok(), is_kept, "{n}");
    }
    let late = Enrolment { made_at: at(2_000), ends_at: at(3_000), ..device(30, &alice) };
    one.keep_enrolment(&late, &[30; 32], MANY, &frank(2_000)).await.unwrap();
}

pub async fn an_invitation_takes_the_place_of_the_one_before<S>(one: &S, other: &S)
where
    S: Accounts + Enrolments,
{
    let [alice, bob] = two_accounts(one).await;
    for new in [invitation(1, &alice, false), invitation(2, &bob, false), device(3, &alice)] {
        keep(one, &new).await.unwrap();
    }
    keep(other, &invitation(4, &alice, false)).await.unwrap();
    assert_eq!(found(one, 1).await.unwrap().state(&alice, at(9)), EnrolmentState::Withdrawn);
    for (n, account) in [(2, &bob), (3, &alice), (4, &alice)] {
        assert_eq!(found(one, n).await.unwrap().state(account, at(9)), EnrolmentState::Waiting, "{n}");
    }
    let first = EnrolmentId::from_bytes([1; 16]);
    assert!(!one.accept_invitation(first, &accepted(&alice, 9), &frank(9)).await.unwrap());
}

pub async fn looking_at_a_link_changes_when_it_was_first_looked_at_alone<S>(one: &S, other: &S)
where
    S: Accounts + Enrolments,
{
    let [alice, _] = two_accounts(one).await;
    let new = device(1, &alice);
    keep(one, &new).await.unwrap();
    let before = one.revision().await;
    for seconds in [10, 11] {
        other.enrolment_opened(new.id, at(seconds)).await.unwrap();
        assert_eq!(found(one, 1).await, Some(Enrolment { opened_at: Some(at(10)), ..new.clone() }));
    }
    assert_eq!(one.revision().await, before);
}

pub async fn of_many_who_use_a_link_at_once_one_gets_its_app_password<S>(one: &S, other: &S)
where
    S: Accounts + AppPasswords + Audit + Enrolments,
{
    let [alice, _] = two_accounts(one).await;
    let new = device(1, &alice);
    keep(one, &new).await.unwrap();
    let used = join_all((10..20).map(async |n| {
        let store = if n % 2 == 0 { one } else { other };
        let password = plain(&app_password(n, &alice), [n; 32]);
        usize::from(
            store.use_device_link(new.id, &used_at(20, Some(n)), &password, 50, &frank(20)).await.unwrap(),
        )
    }));
    assert_eq!(used.await.into_iter().sum::<usize>(), 1);
    let [made] = one.of_account(alice.id, Page::first(99)).await.unwrap().try_into().unwrap();
    let now = found(other, 1).await.unwrap();
    let n = made.id.as_bytes()[0];
    assert_eq!(now, Enrolment { used: Some(used_at(20, Some(n))), ..new.clone() });
    assert_eq!(now.state(&alice, at(21)), EnrolmentState::Used);
    let (link, password) = (Some(new.id.to_string()), Some(made.id.to_string()));
    let told = [("enrolment-make", link.clone()), ("enrolment-use", link), ("app-password-create", password)];
    let told = told.map(|(action, about)| (action, about, None));
    assert_eq!(trail(one).await, told);
    assert!(!other.withdraw_enrolment(alice.id, new.id, &frank(21)).await.unwrap(), "what is used is used");
}

pub async fn a_link_is_good_until_its_end_its_withdrawal_or_a_change_of_the_account<S>(one: &S, other: &S)
where
    S: Accounts + AppPasswords + Audit + Enrolments,
{
    let [alice, bob] = two_accounts(one).await;
    for n in 1..=4 {
        keep(one, &device(n, &alice)).await.unwrap();
    }
    assert!(!use_up(other, 1, &alice, 1_000).await.unwrap(), "its end");
    assert!(use_up(other, 1, &alice, 999).await.unwrap());
    let second = EnrolmentId::from_bytes([2; 16]);
    assert!(!one.withdraw_enrolment(bob.id, second, &frank(5)).await.unwrap(), "another's");
    assert!(one.withdraw_enrolment(alice.id, second, &frank(5)).await.unwrap());
    assert!(!one.withdraw_enrolment(alice.id, second, &frank(5)).await.unwrap(), "once");
    assert!(!use_up(other, 2, &alice, 6).await.unwrap());
    assert!(trail(one).await.iter().any(|(action, ..)| *action == "enrolment-withdraw"));
    let (of_bob, password) = (used_at(6, Some(3)), plain(&app_password(3, &bob), [3; 32]));
    let third = EnrolmentId::from_bytes([3; 16]);
    assert!(!one.use_device_link(third, &of_bob, &password, 50, &frank(6)).await.unwrap(), "another's");
    one.set_disabled(alice.id, true, &frank(7)).await.unwrap();
    let now = one.by_id(alice.id).await.unwrap().unwrap();
    assert_eq!(found(one, 3).await.unwrap().state(&now, at(8)), EnrolmentState::Over);
    assert!(!use_up(other, 3, &now, 8).await.unwrap());
    one.set_disabled(alice.id, false, &frank(9)).await.unwrap();
    let now = one.by_id(alice.id).await.unwrap().unwrap();
    assert!(!use_up(other, 3, &now, 10).await.unwrap(), "the account is another than when it was made");
    assert_eq!(passwords(one, &alice).await, 1);
}

pub async fn a_link_that_makes_no_app_password_is_not_used_up<S>(one: &S, other: &S)
where
    S: Accounts + AppPasswords + Enrolments,
{
    let [alice, _] = two_accounts(one).await;
    let new = device(1, &alice);
    keep(one, &new).await.unwrap();
    let password = plain(&app_password(1, &alice), [1; 32]);
    let (id, used) = (new.id, used_at(20, Some(1)));
    let full = one.use_device_link(id, &used, &password, 0, &frank(20)).await;
    assert!(matches!(full, Err(Error::TooMany)), "{full:?}");
    let changed = NewAppPassword { version: 7, ..password.clone() };
    let changed = one.use_device_link(id, &used, &changed, 50, &frank(20)).await;
    assert!(matches!(changed, Err(Error::Changed)), "{changed:?}");
    assert_eq!(found(other, 1).await, Some(new));
    assert!(other.use_device_link(id, &used, &password, 50, &frank(20)).await.unwrap());
}

/// A session of an account, with this number.
fn session(n: u8, account: &Account) -> WebSession {
    WebSession {
        id: WebSessionId::from_bytes([n; 16]),
        account: account.id,
        version: account.version,
        made_at: at(1),
        seen_at: at(1),
        confirmed_at: at(1),
        ends_at: at(1_000),
        ip: "192.0.2.1".parse().unwrap(),
        agent: "Browser".to_owned(),
    }
}

pub async fn an_invitation_is_accepted_whole_and_once<S>(one: &S, other: &S)
where
    S: Accounts + ApiTokens + AppPasswords + Audit + Certificates + Enrolments + SecondFactors + WebSessions,
{
    let [alice, bob] = two_accounts(one).await;
    one.create(&plain(&app_password(1, &alice), [1; 32]), 50, &frank(2)).await.unwrap();
    api_tokens::add(one, 1, &alice).await;
    api_tokens::add(one, 2, &bob).await;
    for (n, owner) in [(1, &alice), (2, &bob)] {
        one.add_certificate(&certificates::certificate(n, owner), &frank(2)).await.unwrap();
    }
    one.open_session(&session(3, &alice), &[3; 32], 20).await.unwrap();
    one.open_session(&session(4, &bob), &[4; 32], 20).await.unwrap();
    let new = invitation(5, &alice, false);
    keep(one, &new).await.unwrap();
    let factor = NewSecondFactor {
        seed: b"seed".to_vec(),
        enrolled_at: at(8),
        step: 7,
        recovery_codes: vec![[1; 32], [2; 32]],
    };
    let all =
        AcceptedInvitation { second_factor: Some(factor), revoke_app_passwords: true, ..accepted(&alice, 9) };
    let stale = AcceptedInvitation { version: 9, ..all.clone() };
    let changed = one.accept_invitation(new.id, &stale, &frank(9)).await;
    assert!(matches!(changed, Err(Error::Changed)), "{changed:?}");
    assert_eq!((found(other, 5).await, passwords(other, &alice).await), (Some(new.clone()), 1), "whole");
    let act = Act::web(&alice.address, "2001:db8::1".parse().unwrap(), "request", at(9));
    let done =
        join_all([one, other, one].map(async |store| store.accept_invitation(new.id, &all, &act).await));
    let done: Vec<_> = done.await.into_iter().map(|done| done.is_ok_and(|done| done)).collect();
    assert_eq!(done.iter().filter(|done| **done).count(), 1, "{done:?}");

    let now = other.by_id(alice.id).await.unwrap().unwrap();
    assert_eq!((now.password_hash.as_deref(), now.version, now.totp), (Some("another"), 2, true));
    let found_factor = other.second_factor(alice.id).await.unwrap().unwrap();
    assert_eq!((found_factor.last_step, found_factor.recovery_codes), (7, 2));
    assert_eq!((found_factor.enrolled_at, found_factor.confirmed_at), (at(8), Some(at(9))));
    assert!(other.use_recovery_code(alice.id, &[1; 32], &frank(10)).await.unwrap());
    assert!(other.session_by_digest(&[3; 32]).await.unwrap().is_none());
    assert!(other.session_by_digest(&[4; 32]).await.unwrap().is_some(), "of the account alone");
    assert_eq!(passwords(other, &alice).await, 0);
    for (owner, left) in [(&alice, 0), (&bob, 1)] {
        assert_eq!(other.tokens(owner.id).await.unwrap().len(), left, "nothing else gets in");
        assert_eq!(other.certificates(owner.id, Page::first(9)).await.unwrap().len(), left);
    }
    assert_eq!(found(one, 5).await.unwrap().used, Some(used_at(9, None)));
    let told: Vec<_> = trail(one).await.into_iter().map(|(action, ..)| action).skip(5).collect();
    let expected = [
        "invitation-make",
        "invitation-use",
        "password-set",
        "totp-confirm",
        "session-end",
        "app-password-revoke",
        Action::TokenRevoke.name(),
        Action::CertificateRemove.name(),
        "recovery-code-use",
    ];
    assert_eq!(told, expected);
}

pub async fn an_invitation_leaves_the_second_factor_unless_it_is_lost<S>(one: &S, other: &S)
where
    S: Accounts + AppPasswords + Audit + Enrolments + SecondFactors,
{
    let [alice, _] = two_accounts(one).await;
    one.enroll(alice.id, b"seed", &frank(1)).await.unwrap();
    assert!(one.confirm(alice.id, at(1), 1, &[], &frank(2)).await.unwrap());
    one.create(&NewAppPassword { version: 2, ..plain(&app_password(1, &alice), [1; 32]) }, 50, &frank(2))
        .await
        .unwrap();
    for (n, is_lost) in [(3, false), (4, true)] {
        let now = one.by_id(alice.id).await.unwrap().unwrap();
        assert!(now.totp);
        let new = invitation(n, &now, is_lost);
        keep(one, &new).await.unwrap();
        assert!(other.accept_invitation(new.id, &accepted(&now, 9), &frank(9)).await.unwrap());
        assert_eq!(other.by_id(alice.id).await.unwrap().unwrap().totp, !is_lost);
        assert_eq!(passwords(other, &alice).await, 1, "app passwords stay");
        let scope =
            trail(one).await.into_iter().rfind(|(action, ..)| *action == "invitation-make").unwrap().2;
        assert_eq!(scope.as_deref(), is_lost.then_some("second-factor-lost"), "told apart");
    }
    assert!(trail(one).await.iter().any(|(action, ..)| *action == "totp-disable"));

    let new = invitation(5, &one.by_id(alice.id).await.unwrap().unwrap(), true);
    keep(one, &new).await.unwrap();
    one.enroll(alice.id, b"another", &frank(10)).await.unwrap();
    assert!(one.confirm(alice.id, at(10), 1, &[], &frank(11)).await.unwrap());
    let now = one.by_id(alice.id).await.unwrap().unwrap();
    assert!(!new.takes_second_factor(&now));
    assert!(other.accept_invitation(new.id, &accepted(&now, 12), &frank(12)).await.unwrap());
    assert!(other.by_id(alice.id).await.unwrap().unwrap().totp, "it is not the one that was lost");
}

pub async fn an_invitation_outlasts_changes_and_no_lock_out<S>(one: &S, other: &S)
where
    S: Accounts + Enrolments,
{
    let [alice, _] = two_accounts(one).await;
    let new = invitation(3, &alice, false);
    keep(one, &new).await.unwrap();
    one.set_password(alice.id, "hers", &frank(4)).await.unwrap();
    let now = one.by_id(alice.id).await.unwrap().unwrap();
    assert_eq!(found(one, 3).await.unwrap().state(&now, at(5)), EnrolmentState::Waiting);
    one.set_disabled(alice.id, true, &frank(5)).await.unwrap();
    let now = one.by_id(alice.id).await.unwrap().unwrap();
    assert!(!other.accept_invitation(new.id, &accepted(&now, 6), &frank(6)).await.unwrap());
    one.set_disabled(alice.id, false, &frank(7)).await.unwrap();
    let now = one.by_id(alice.id).await.unwrap().unwrap();
    assert!(
        !other.accept_invitation(new.id, &accepted(&now, 1_000), &frank(1_000)).await.unwrap(),
        "its end"
    );
    assert!(other.accept_invitation(new.id, &accepted(&now, 8), &frank(8)).await.unwrap());
}

pub async fn links_are_forgotten_a_while_behind_their_end<S>(one: &S, other: &S)
where
    S: Accounts + Enrolments,
{
    let [alice, _] = two_accounts(one).await;
    keep(one, &device(1, &alice)).await.unwrap();
    keep(one, &Enrolment { ends_at: at(1_001), ..device(2, &alice) }).await.unwrap();
    keep(one, &Enrolment { made_at: at(90_000), ends_at: at(91_000), ..device(3, &alice) }).await.unwrap();
    let now = at(90_000 - 24 * 60 * 60);
    assert_eq!(other.prune_enrolments(at(1_000), now).await.unwrap(), 0);
    assert_eq!(other.prune_enrolments(at(1_001), now).await.unwrap(), 1);
    assert!(found(one, 1).await.is_none() && found(one, 2).await.is_some());
    let now = at(89_999 - 24 * 60 * 60);
    assert_eq!(other.prune_enrolments(at(1_001), now).await.unwrap(), 1, "made by a clock that was ahead");
    assert!(found(one, 3).await.is_none() && found(one, 2).await.is_some());
}
