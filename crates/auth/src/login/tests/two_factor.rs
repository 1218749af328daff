//! Two-factor authentication: what the account password is good for once it is on.

use super::*;
use crate::second_factor::totp::Seed;

/// Switches two-factor authentication on for `alice`.
pub(super) async fn with_totp(scene: &Scene) -> Seed {
    let (seed, enrolled_at) = (Seed::generate(), noon());
    let place = store::SealedPlace::TotpSeed { account: ALICE_ID, enrolled_at };
    let sealer = scene.judge.keyring.sealer(scene.accounts()).await.unwrap();
    let sealed = sealer.seal(place, seed.octets());
    scene.accounts().enroll(ALICE_ID, &sealed, &Act::command("frank", enrolled_at)).await.unwrap();
    assert!(scene.accounts().confirm(ALICE_ID, enrolled_at, 1, &[], &frank()).await.unwrap());
    seed
}

async fn examine(scene: &Scene, password: &str, code: Option<&str>) -> LoginOutcome {
    examine_from("192.0.2.1", scene, password, code).await
}

async fn examine_from(ip: &str, scene: &Scene, password: &str, code: Option<&str>) -> LoginOutcome {
    let attempt = Attempt {
        authzid: None,
        username: Some(ALICE.to_owned()),
        proof: Proof::Password { password: Secret::new(password), code: code.map(Secret::new) },
        door: Door::Master,
        answers: None,
    };
    let origin = Origin::examined(ip.parse().unwrap(), frank());
    scene.judge.examine(attempt, &origin).await
}

#[tokio::test]
async fn the_account_password_no_longer_opens_smtp_and_who_has_it_learns_why() {
    let scene = Scene::new().await;
    let by_password = scene.log_in(PASSWORD).await.unwrap();
    let app_password = scene.app_password(ALICE_ID, |_| ()).await;
    let by_app_password = scene.log_in(&app_password).await.unwrap();
    with_totp(&scene).await;
    assert!(!scene.still_holds(&by_password).await, "sessions by the account password end");
    assert!(scene.still_holds(&by_app_password).await);
    assert!(matches!(scene.judge(claim(None, ALICE, PASSWORD)).await.0, Verdict::NeedsAppPassword));
    assert!(matches!(scene.judge(claim(None, ALICE, "wrong")).await.0, Verdict::Refused(_)));
    assert!(scene.log_in(&app_password).await.is_some());

    let never = Policy { hint_app_password: false, ..usual() };
    scene.judge.replace(never, vec![Backend::Accounts]).unwrap();
    assert!(matches!(scene.judge(claim(None, ALICE, PASSWORD)).await.0, Verdict::Refused(_)));
    let reasons: Vec<_> = scene.trail().await.into_iter().map(|entry| entry.event.reason).collect();
    assert!(reasons.contains(&"needs-app-password".into()), "{reasons:?}");

    scene.accounts().disable_second_factor(ALICE_ID, &frank()).await.unwrap();
    assert!(scene.log_in(PASSWORD).await.is_some());
}

#[tokio::test]
async fn the_account_itself_takes_password_and_code_and_no_app_password() {
    let scene = Scene::new().await;
    assert_eq!(examine(&scene, PASSWORD, None).await.reason(), "ok", "without two-factor authentication");
    let app_password = scene.app_password(ALICE_ID, |_| ()).await;
    let seed = with_totp(&scene).await;
    let code = seed.code(NOON.unsigned_abs() / 30);
    for (password, code, reason) in [
        (PASSWORD, None, "needs-code"),
        (PASSWORD, Some("000000"), "bad-code"),
        ("wrong", Some(code.as_str()), "bad-password"),
        (&app_password, Some(code.as_str()), "wrong-scope"),
        (PASSWORD, Some(code.as_str()), "ok"),
        (PASSWORD, Some(code.as_str()), "bad-code"),
    ] {
        assert_eq!(examine(&scene, password, code).await.reason(), reason);
    }
}

#[tokio::test]
async fn where_nobody_is_told_that_the_password_is_right_no_counter_tells_it_either() {
    let scene = Scene::under(Policy { hint_app_password: false, ..usual() }).await;
    with_totp(&scene).await;
    for (password, expected_runs) in [
        ("wrong 0", 1),
        ("wrong 1", 1),
        (PASSWORD, 1),
        ("wrong 2", 1),
        ("wrong 2", 0),
        (PASSWORD, 0),
        ("wrong 3", 1),
    ] {
        let (verdict, runs) = scene.judge(claim(None, ALICE, password)).await;
        assert!(matches!(verdict, Verdict::Refused(_)), "{password}: {verdict:?}");
        assert_eq!(runs, expected_runs, "{password}");
    }
    assert_eq!(scene.told("needs-app-password", ALICE).await, 2);
    assert!(matches!(scene.judge(claim(None, ALICE, "wrong 4")).await.0, Verdict::Throttled { .. }));
    let counted = scene.counted().await;
    assert_eq!(
        counted.iter().map(|one| one.marks.len()).collect::<Vec<_>>(),
        [5, 5, 5],
        "account, network, day"
    );
}

#[tokio::test]
async fn after_a_hundred_wrong_codes_in_a_day_only_familiar_networks_may_go_on() {
    let scene = Scene::new().await;
    assert!(scene.judge_from("192.0.2.9", claim(None, ALICE, PASSWORD)).await.1 > 0);
    scene.accounts().flush().await.unwrap();
    let seed = with_totp(&scene).await;
    let right = seed.code(NOON.unsigned_abs() / 30);
    for number in 0..100 {
        let code = format!("no code {number}");
        assert_eq!(examine(&scene, PASSWORD, Some(&code)).await.reason(), "bad-code", "{number}");
    }
    assert_eq!(examine(&scene, PASSWORD, Some(&right)).await.reason(), "throttled");
    assert_eq!(examine_from("192.0.2.9", &scene, PASSWORD, Some("no code")).await.reason(), "bad-code");
    assert_eq!(examine_from("192.0.2.9", &scene, PASSWORD, Some(&right)).await.reason(), "ok");
    let next = seed.code(NOON.unsigned_abs() / 30 + 1);
    assert_eq!(
        examine(&scene, PASSWORD, Some(&next)).await.reason(),
        "throttled",
        "a success does not end it"
    );
    assert!(scene.accounts().clear_account(&Mailbox::parse(ALICE).unwrap(), &frank()).await.unwrap() > 0);
    assert_eq!(examine(&scene, PASSWORD, Some(&next)).await.reason(), "ok");
}
