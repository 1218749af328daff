//! Signing in to the account itself in two steps.

use super::two_factor::with_totp;
use super::*;
use crate::login::sign_in::{NotConfirmed, SecondStep, SignIn};
use crate::login::ticket::Ticket;
use crate::recovery_code;
use crate::second_factor::totp::Seed;

const HOME: &str = "198.51.100.7";
const ELSEWHERE: &str = "203.0.113.9";

fn page(peer: &str) -> Origin {
    Origin::web(&session(peer))
}

async fn first_from(peer: &str, scene: &Scene, username: &str, password: &str) -> SignIn {
    let attempt = Attempt::sign_in(username.to_owned(), Secret::new(password), None);
    scene.judge.first_step(attempt, &page(peer)).await
}

async fn first(scene: &Scene, password: &str) -> SignIn {
    first_from(HOME, scene, ALICE, password).await
}

async fn ticket(scene: &Scene) -> Ticket {
    let step = first(scene, PASSWORD).await;
    let SignIn::NeedsCode(ticket) = step else { panic!("{step:?}") };
    ticket
}

async fn second_from(peer: &str, scene: &Scene, ticket: &Ticket, code: &str) -> SecondStep {
    scene.judge.second_step(ticket, &Secret::new(code), &page(peer)).await
}

async fn second(scene: &Scene, ticket: &Ticket, code: &str) -> SecondStep {
    second_from(HOME, scene, ticket, code).await
}

/// The code that the app shows so many steps from now.
fn code(seed: &Seed, ahead: u64) -> String {
    seed.code(NOON.unsigned_abs() / 30 + ahead).to_string()
}

/// The reasons of all that the audit trail has of logins, in the order of the alphabet.
async fn reasons(scene: &Scene) -> Vec<String> {
    let mut reasons: Vec<_> =
        scene.trail().await.into_iter().map(|entry| entry.event.reason.into_owned()).collect();
    reasons.sort_unstable();
    reasons
}

async fn later_login(scene: &Scene) -> Option<Timestamp> {
    scene.accounts().flush().await.unwrap();
    scene.accounts().by_id(ALICE_ID).await.unwrap().unwrap().last_login_at
}

async fn is_familiar(scene: &Scene, peer: &str) -> bool {
    let network = store::network_of(peer.parse().unwrap());
    let alice = Mailbox::parse(ALICE).unwrap();
    crate::guard::gate::is_familiar(scene.accounts(), &alice, network, noon()).await.unwrap()
}

#[tokio::test]
async fn without_a_second_factor_the_password_suffices_and_it_is_a_login_like_any_other() {
    let scene = Scene::new().await;
    let step = first_from(HOME, &scene, "Alice@EXAMPLE.org", PASSWORD).await;
    let SignIn::SignedIn(user) = step else { panic!("{step:?}") };
    assert_eq!((user.account, user.credential), (ALICE_ID, Credential::AccountPassword));
    assert_eq!(later_login(&scene).await, Some(noon()));
    assert!(is_familiar(&scene, HOME).await && !is_familiar(&scene, ELSEWHERE).await);
    let [entry] = scene.trail().await.try_into().unwrap();
    let event = entry.event;
    assert_eq!((&*event.reason, event.account.as_deref()), ("ok", Some(ALICE)));
    assert_eq!(
        (event.mechanism.as_deref(), event.scope.as_deref(), event.via, event.ip),
        (Some("WEB"), Some("master"), Some(Via::Web), Some(HOME.parse().unwrap()))
    );
    assert_eq!(event.session, Some(SessionId::new([1; 8]).to_string()));
}

#[tokio::test]
async fn a_right_password_before_its_code_is_no_failure_and_no_login() {
    let mut scene = Scene::under(usual()).await;
    let seed = with_totp(&scene).await;
    scene.judge.refusal_time = RefusalTime::of(Duration::from_hours(1));
    let ticket = ticket(&scene).await;
    assert!(scene.counted().await.is_empty() && scene.trail().await.is_empty());
    assert_eq!(later_login(&scene).await, None);
    assert!(!is_familiar(&scene, HOME).await);

    let step = second(&scene, &ticket, &code(&seed, 0)).await;
    let SecondStep::SignedIn(user) = step else { panic!("{step:?}") };
    let account = scene.accounts().by_id(ALICE_ID).await.unwrap().unwrap();
    assert_eq!((user.account, user.version), (ALICE_ID, account.version));
    assert_eq!(reasons(&scene).await, ["ok"]);
    let event = scene.trail().await.remove(0).event;
    assert_eq!((event.mechanism.as_deref(), event.account.as_deref()), (Some("WEB"), Some(ALICE)));
    assert_eq!(later_login(&scene).await, Some(noon()));
    assert!(is_familiar(&scene, HOME).await && scene.counted().await.is_empty());
}

#[tokio::test]
async fn a_ticket_is_good_once() {
    let scene = Scene::new().await;
    let seed = with_totp(&scene).await;
    let [one, other] = [ticket(&scene).await, ticket(&scene).await];
    assert!(matches!(second(&scene, &one, &code(&seed, 0)).await, SecondStep::SignedIn(_)));
    assert!(matches!(second(&scene, &one, &code(&seed, 1)).await, SecondStep::Over));
    assert!(matches!(second(&scene, &other, &code(&seed, 0)).await, SecondStep::WrongCode), "so is a code");
    assert!(matches!(second(&scene, &other, &code(&seed, 1)).await, SecondStep::SignedIn(_)));
}

#[tokio::test]
async fn of_two_right_codes_at_once_one_gets_in() {
    let scene = Scene::new().await;
    let seed = with_totp(&scene).await;
    let ticket = ticket(&scene).await;
    let (now, next) = (code(&seed, 0), code(&seed, 1));
    let (one, other) = tokio::join!(second(&scene, &ticket, &now), second(&scene, &ticket, &next));
    let in_ = [&one, &other].into_iter().filter(|step| matches!(step, SecondStep::SignedIn(_))).count();
    assert_eq!(in_, 1, "{one:?} {other:?}");
}

#[tokio::test]
async fn a_recovery_code_stands_in_and_it_is_told_who_used_it_from_where() {
    let scene = Scene::new().await;
    with_totp(&scene).await;
    let codes = recovery_code::generate();
    let digests = codes.each_ref().map(|one| scene.judge.keyring.recovery_codes().digest_of(ALICE_ID, one));
    assert!(scene.accounts().replace_recovery_codes(ALICE_ID, &digests, &frank()).await.unwrap());
    let ticket = ticket(&scene).await;
    let typed = codes[3].declassify().to_uppercase();
    assert!(matches!(second(&scene, &ticket, &typed).await, SecondStep::SignedIn(_)));
    let used = AuditFilter { action: Some(Action::RecoveryCodeUse), ..AuditFilter::default() };
    let used = scene.accounts().entries(&used, Page::first(9)).await.unwrap().entries.remove(0).event;
    assert_eq!(
        (used.actor.as_deref(), used.via, used.ip, used.session),
        (Some(ALICE), Some(Via::Web), HOME.parse().ok(), Some(SessionId::new([1; 8]).to_string()))
    );
}

#[tokio::test]
async fn five_wrong_codes_end_the_ticket_and_each_counts_and_is_told() {
    let scene = Scene::under(usual()).await;
    let seed = with_totp(&scene).await;
    let ticket = ticket(&scene).await;
    for number in 1..=5 {
        let step = second(&scene, &ticket, &format!("no code {number}")).await;
        assert_eq!(matches!(step, SecondStep::WrongCode), number < 5, "{number}: {step:?}");
        assert_eq!(matches!(step, SecondStep::Over), number == 5, "{number}: {step:?}");
    }
    assert!(matches!(second(&scene, &ticket, &code(&seed, 0)).await, SecondStep::Over));
    let counted = scene.counted().await;
    assert_eq!(
        counted.iter().map(|one| one.marks.len()).collect::<Vec<_>>(),
        [5, 5],
        "codes, of now and of the day"
    );
    assert_eq!(scene.told("bad-code", ALICE).await, 5);
}

#[tokio::test]
async fn codes_are_throttled_together_with_those_of_other_logins_and_a_ticket_survives_that() {
    let mut scene = Scene::under(usual()).await;
    let seed = with_totp(&scene).await;
    for number in 0..6 {
        let code = Secret::new(format!("x{number}").as_str());
        let attempt = Attempt::sign_in(ALICE.to_owned(), Secret::new(PASSWORD), Some(code));
        assert_eq!(scene.judge.examine(attempt, &page(ELSEWHERE)).await.reason(), "bad-code");
    }
    let ticket = ticket(&scene).await;
    for _ in 0..20 {
        let step = second(&scene, &ticket, &code(&seed, 0)).await;
        let SecondStep::Throttled { until } = step else { panic!("{step:?}") };
        assert_eq!(until, noon() + SignedDuration::from_secs(180));
    }
    scene.judge.now = three_minutes_later;
    assert!(matches!(second(&scene, &ticket, &code(&seed, 6)).await, SecondStep::SignedIn(_)));
}

#[tokio::test]
async fn who_knows_the_password_alone_keeps_nobody_out_of_where_they_have_signed_in_before() {
    let scene = Scene::under(usual()).await;
    let seed = with_totp(&scene).await;
    assert!(matches!(second(&scene, &ticket(&scene).await, &code(&seed, 0)).await, SecondStep::SignedIn(_)));
    scene.accounts().flush().await.unwrap();
    assert!(is_familiar(&scene, HOME).await && !is_familiar(&scene, ELSEWHERE).await);
    let SignIn::NeedsCode(theirs) = first_from(ELSEWHERE, &scene, ALICE, PASSWORD).await else { panic!() };
    for number in 0..5 {
        second_from(ELSEWHERE, &scene, &theirs, &format!("x{number}")).await;
    }
    let SignIn::NeedsCode(theirs) = first_from(ELSEWHERE, &scene, ALICE, PASSWORD).await else { panic!() };
    second_from(ELSEWHERE, &scene, &theirs, "x5").await;
    let step = second_from(ELSEWHERE, &scene, &theirs, "x6").await;
    assert!(matches!(step, SecondStep::Throttled { .. }), "{step:?}");
    let step = second(&scene, &ticket(&scene).await, &code(&seed, 1)).await;
    assert!(matches!(step, SecondStep::SignedIn(_)), "{step:?}");
}

fn three_minutes_later() -> Timestamp {
    noon() + SignedDuration::from_secs(180)
}

fn five_minutes_later() -> Timestamp {
    noon() + SignedDuration::from_mins(5)
}

#[tokio::test]
async fn a_ticket_is_good_from_its_network_and_for_five_minutes() {
    let mut scene = Scene::new().await;
    let seed = with_totp(&scene).await;
    let ticket = ticket(&scene).await;
    assert!(matches!(second_from(ELSEWHERE, &scene, &ticket, &code(&seed, 0)).await, SecondStep::Over));
    scene.judge.now = five_minutes_later;
    assert!(matches!(second(&scene, &ticket, &code(&seed, 10)).await, SecondStep::Over));
    scene.judge.now = noon;
    assert!(scene.trail().await.is_empty(), "without a ticket no code is judged");
}

#[tokio::test]
async fn every_change_of_the_account_ends_its_tickets() {
    let scene = Scene::new().await;
    let seed = with_totp(&scene).await;
    let (accounts, act) = (scene.accounts(), frank());
    let hash = scene.judge.hasher.hash(Secret::new(PASSWORD)).await.unwrap();
    let alicia = Mailbox::parse("alicia@example.org").unwrap();
    for what in ["password", "disabled", "enabled", "renamed", "second factor off"] {
        accounts.set_disabled(ALICE_ID, false, &act).await.unwrap();
        accounts.rename(ALICE_ID, &Mailbox::parse(ALICE).unwrap(), &act).await.unwrap();
        let ticket = ticket(&scene).await;
        match what {
            "password" => accounts.set_password(ALICE_ID, &hash, &act).await.unwrap(),
            "disabled" => accounts.set_disabled(ALICE_ID, true, &act).await.unwrap(),
            "enabled" => accounts.set_disabled(ALICE_ID, false, &act).await.unwrap(),
            "renamed" => accounts.rename(ALICE_ID, &alicia, &act).await.unwrap(),
            _ => assert!(accounts.disable_second_factor(ALICE_ID, &act).await.unwrap()),
        }
        assert!(matches!(second(&scene, &ticket, &code(&seed, 0)).await, SecondStep::Over), "{what}");
    }
}

#[tokio::test]
async fn whatever_is_wrong_with_name_or_password_costs_one_run_and_reads_the_same() {
    let scene = Scene::new().await;
    scene.account("bob@example.org", None).await;
    let carol = scene.account("carol@example.org", Some(PASSWORD)).await;
    scene.accounts().set_disabled(carol, true, &frank()).await.unwrap();
    let app_password = scene.app_password(ALICE_ID, |_| ()).await;
    for (reason, username, password) in [
        ("bad-password", ALICE, "wrong"),
        ("unknown-user", "nobody@example.org", PASSWORD),
        ("not-an-address", "alice", PASSWORD),
        ("disabled", "carol@example.org", PASSWORD),
        ("no-password", "bob@example.org", PASSWORD),
        ("wrong-scope", ALICE, &app_password),
    ] {
        for expected_runs in [1, 0] {
            let (before, told) = (scene.judge.hasher.argon2_runs(), scene.told(reason, username).await);
            let step = first_from(HOME, &scene, username, password).await;
            assert!(matches!(step, SignIn::Refused), "{reason}: {step:?}");
            assert_eq!(scene.judge.hasher.argon2_runs() - before, expected_runs, "{reason}");
            assert_eq!(scene.told(reason, username).await, told + 1, "{reason}");
        }
    }
}

#[tokio::test]
async fn a_wrong_password_and_a_wrong_code_take_as_long_as_any_refusal() {
    let mut scene = Scene::new().await;
    with_totp(&scene).await;
    let time = Duration::from_millis(150);
    scene.judge.refusal_time = RefusalTime::of(time);
    let ticket = ticket(&scene).await;
    let begun = std::time::Instant::now();
    assert!(matches!(first(&scene, "wrong").await, SignIn::Refused));
    assert!(begun.elapsed() >= time);
    let begun = std::time::Instant::now();
    assert!(matches!(second(&scene, &ticket, "123456").await, SecondStep::WrongCode));
    assert!(begun.elapsed() >= time);
}

#[tokio::test]
async fn passwords_are_throttled_together_with_those_of_mail_programs() {
    for on_a_page in [true, false] {
        let scene = Scene::under(usual()).await;
        for number in 0..5 {
            let wrong = format!("wrong {number}");
            match on_a_page {
                true => {
                    assert!(matches!(first_from(ELSEWHERE, &scene, ALICE, &wrong).await, SignIn::Refused))
                }
                false => {
                    let verdict = scene.judge_from(ELSEWHERE, claim(None, ALICE, &wrong)).await.0;
                    assert!(matches!(verdict, Verdict::Refused(_)));
                }
            }
        }
        let step = first(&scene, PASSWORD).await;
        let SignIn::Throttled { until } = step else { panic!("{step:?}") };
        assert_eq!(until, noon() + SignedDuration::from_secs(60));
        let verdict = scene.judge(claim(None, ALICE, PASSWORD)).await.0;
        assert!(matches!(verdict, Verdict::Throttled { .. }), "{verdict:?}");
    }
}

#[tokio::test]
async fn a_page_that_is_shown_a_right_password_clears_the_counter_of_mail_programs() {
    let scene = Scene::under(usual()).await;
    with_totp(&scene).await;
    for round in 0..3 {
        for number in 0..4 {
            let wrong = format!("wrong {round} {number}");
            assert!(matches!(scene.judge(claim(None, ALICE, &wrong)).await.0, Verdict::Refused(_)));
        }
        scene.accounts().set_disabled(ALICE_ID, false, &frank()).await.unwrap();
        ticket(&scene).await;
    }
}

#[tokio::test]
async fn what_cannot_be_judged_is_neither_right_nor_wrong() {
    let scene = Scene::new().await;
    let seed = with_totp(&scene).await;
    let ticket = ticket(&scene).await;
    scene.store.close().await;
    assert!(matches!(first(&scene, PASSWORD).await, SignIn::Unavailable));
    for _ in 0..20 {
        assert!(matches!(second(&scene, &ticket, &code(&seed, 0)).await, SecondStep::Unavailable));
    }
}

async fn confirm(scene: &Scene, password: &str, code: Option<&str>) -> Result<(), NotConfirmed> {
    let account = scene.accounts().by_id(ALICE_ID).await.unwrap().unwrap();
    scene.judge.confirm(&account, Secret::new(password), code.map(Secret::new), &page(HOME)).await
}

#[tokio::test]
async fn who_is_signed_in_confirms_by_password_and_code_and_that_is_no_login() {
    let scene = Scene::new().await;
    assert_eq!(confirm(&scene, PASSWORD, None).await, Ok(()));
    let seed = with_totp(&scene).await;
    assert_eq!(confirm(&scene, PASSWORD, None).await, Err(NotConfirmed::NeedsCode));
    assert_eq!(confirm(&scene, PASSWORD, Some(&code(&seed, 0))).await, Ok(()));
    assert!(scene.trail().await.is_empty() && scene.counted().await.is_empty());
    assert_eq!(later_login(&scene).await, None);
    assert_eq!(confirm(&scene, PASSWORD, Some(&code(&seed, 0))).await, Err(NotConfirmed::Wrong), "used up");
    assert_eq!(confirm(&scene, "wrong", Some(&code(&seed, 1))).await, Err(NotConfirmed::Wrong));
    assert_eq!(reasons(&scene).await, ["bad-code", "bad-password"]);
}

#[tokio::test]
async fn to_confirm_is_throttled_like_a_login() {
    let scene = Scene::under(usual()).await;
    for number in 0..5 {
        assert_eq!(confirm(&scene, &format!("wrong {number}"), None).await, Err(NotConfirmed::Wrong));
    }
    let until = noon() + SignedDuration::from_secs(60);
    assert_eq!(confirm(&scene, PASSWORD, None).await, Err(NotConfirmed::Throttled { until }));
}

#[tokio::test]
async fn nobody_confirms_by_the_password_of_whoever_has_the_address_now() {
    let scene = Scene::new().await;
    let before = scene.accounts().by_id(ALICE_ID).await.unwrap().unwrap();
    let alicia = Mailbox::parse("alicia@example.org").unwrap();
    scene.accounts().rename(ALICE_ID, &alicia, &frank()).await.unwrap();
    scene.account(ALICE, Some("another one")).await;
    let confirmed = scene.judge.confirm(&before, Secret::new("another one"), None, &page(HOME)).await;
    assert_eq!(confirmed, Err(NotConfirmed::Wrong));
}
