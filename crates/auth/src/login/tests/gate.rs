//! Throttles: who is kept waiting, and who is not.

use super::*;
use crate::login::refusal_time::rounded_up;

const HOME: &str = "192.0.2.10";

async fn guess(scene: &Scene, peer: &str, username: &str, password: &str) -> (Verdict<User>, u64) {
    scene.judge_from(peer, claim(None, username, password)).await
}

fn in_a_minute() -> Timestamp {
    noon() + SignedDuration::from_secs(60)
}

#[tokio::test]
async fn after_five_different_wrong_passwords_nothing_is_judged_before_the_window_ends() {
    for username in [ALICE, "nobody@example.org"] {
        let mut scene = Scene::under(usual()).await;
        for number in 0..5 {
            let (verdict, runs) = guess(&scene, "203.0.113.1", username, &format!("wrong {number}")).await;
            assert!(matches!(verdict, Verdict::Refused(_)) && runs == 1, "{username} {number}: {verdict:?}");
        }
        for password in ["wrong 5", "wrong 0", PASSWORD] {
            let (verdict, runs) = guess(&scene, "203.0.113.2", username, password).await;
            let Verdict::Throttled { retry_after } = verdict else { panic!("{username}: {verdict:?}") };
            assert_eq!((retry_after, runs), (Duration::from_secs(60), 0));
        }
        scene.judge.now = in_a_minute;
        let (verdict, _) = guess(&scene, "203.0.113.2", username, "wrong 5").await;
        assert!(matches!(verdict, Verdict::Refused(_)), "{username}: {verdict:?}");
    }
}

#[tokio::test]
async fn however_a_name_is_written_it_is_counted_as_one() {
    let scene = Scene::under(usual()).await;
    for (number, username) in [
        "alice@example.org",
        "ALICE@example.org",
        "Alice@Example.Org",
        "\"alice\"@example.org",
        "aLICE@example.org",
    ]
    .into_iter()
    .enumerate()
    {
        guess(&scene, "203.0.113.1", username, &format!("wrong {number}")).await;
    }
    let (verdict, _) = guess(&scene, "203.0.113.1", ALICE, PASSWORD).await;
    assert!(matches!(verdict, Verdict::Throttled { .. }), "{verdict:?}");
}

#[tokio::test]
async fn a_program_that_repeats_an_old_password_locks_nobody_out() {
    let scene = Scene::under(usual()).await;
    for _ in 0..100 {
        let (verdict, _) = guess(&scene, HOME, ALICE, "the old one").await;
        assert!(matches!(verdict, Verdict::Refused(_)));
    }
    assert!(matches!(guess(&scene, HOME, ALICE, PASSWORD).await.0, Verdict::Accepted(_)));
}

#[tokio::test]
async fn the_same_wrong_password_costs_nothing_again_until_the_account_has_changed() {
    let scene = Scene::under(usual()).await;
    let mut total = 0;
    for number in 0..100 {
        let (verdict, runs) = guess(&scene, &format!("203.0.113.{}", number % 10), ALICE, "wrong").await;
        assert!(matches!(verdict, Verdict::Refused(_)), "{verdict:?}");
        total += runs;
    }
    assert_eq!(total, 1, "of ten addresses");
    let hash = scene.judge.hasher.hash(Secret::new("wrong")).await.unwrap();
    scene.accounts().set_password(ALICE_ID, &hash, &frank()).await.unwrap();
    assert!(matches!(guess(&scene, HOME, ALICE, "wrong").await.0, Verdict::Accepted(_)));
    let bob = "bob@example.org";
    assert!(matches!(guess(&scene, HOME, bob, "new one").await.0, Verdict::Refused(_)));
    scene.account(bob, Some("new one")).await;
    assert!(matches!(guess(&scene, HOME, bob, "new one").await.0, Verdict::Accepted(_)));
}

#[tokio::test]
async fn a_right_password_that_was_counted_and_not_judged_is_not_taken_for_a_wrong_one() {
    let mut scene = Scene::under(usual()).await;
    let working = std::mem::replace(&mut scene.judge.hasher, Arc::new(Hasher::without_places()));
    assert!(matches!(guess(&scene, HOME, ALICE, PASSWORD).await.0, Verdict::Unavailable));
    scene.judge.hasher = working;
    assert!(matches!(guess(&scene, HOME, ALICE, PASSWORD).await.0, Verdict::Accepted(_)));
}

#[tokio::test]
async fn an_attacker_elsewhere_locks_out_neither_familiar_networks_nor_app_passwords() {
    let scene = Scene::under(usual()).await;
    let app_password = scene.app_password(ALICE_ID, |_| ()).await;
    assert!(matches!(guess(&scene, HOME, ALICE, PASSWORD).await.0, Verdict::Accepted(_)));
    scene.accounts().flush().await.unwrap();
    let mut judged = 0;
    for number in 0..200 {
        let (verdict, _) =
            guess(&scene, &format!("203.0.113.{number}"), ALICE, &format!("wrong {number}")).await;
        judged += u32::from(matches!(verdict, Verdict::Refused(_)));
    }
    assert_eq!(judged, 5, "of 200 networks together");
    assert!(matches!(guess(&scene, HOME, ALICE, PASSWORD).await.0, Verdict::Accepted(_)));
    assert!(matches!(guess(&scene, "203.0.113.1", ALICE, PASSWORD).await.0, Verdict::Throttled { .. }));
    assert!(matches!(guess(&scene, "203.0.113.1", ALICE, &app_password).await.0, Verdict::Accepted(_)));
    // And a familiar network has its own count.
    for number in 0..5 {
        assert!(matches!(
            guess(&scene, HOME, ALICE, &format!("wrong {number}")).await.0,
            Verdict::Refused(_)
        ));
    }
    assert!(matches!(guess(&scene, HOME, ALICE, PASSWORD).await.0, Verdict::Throttled { .. }));
}

#[tokio::test]
async fn only_a_right_account_password_makes_a_network_familiar() {
    let scene = Scene::under(usual()).await;
    let app_password = scene.app_password(ALICE_ID, |_| ()).await;
    let peers: Vec<_> = (1..=20).map(|number| format!("203.0.113.{number}")).collect();
    for peer in &peers {
        assert!(matches!(guess(&scene, peer, ALICE, &app_password).await.0, Verdict::Accepted(_)));
    }
    scene.accounts().flush().await.unwrap();
    let mut judged = 0;
    for (number, peer) in peers.iter().cycle().take(100).enumerate() {
        let (verdict, _) = guess(&scene, peer, ALICE, &format!("wrong {number}")).await;
        judged += u32::from(matches!(verdict, Verdict::Refused(_)));
    }
    assert_eq!(judged, 5, "of 20 networks together");
}

#[tokio::test]
async fn the_count_of_a_network_shuts_out_nobody_who_is_familiar_there() {
    let scene = Scene::under(usual()).await;
    scene.account("bob@example.org", Some(PASSWORD)).await;
    assert!(matches!(guess(&scene, HOME, ALICE, PASSWORD).await.0, Verdict::Accepted(_)));
    scene.accounts().flush().await.unwrap();
    for number in 0..20 {
        let (verdict, _) = guess(&scene, HOME, &format!("user{number}@example.org"), "wrong").await;
        assert!(matches!(verdict, Verdict::Refused(_)), "{number}: {verdict:?}");
    }
    assert!(matches!(guess(&scene, HOME, "bob@example.org", PASSWORD).await.0, Verdict::Throttled { .. }));
    scene.accounts().set_disabled(ALICE_ID, false, &frank()).await.unwrap();
    let (verdict, runs) = guess(&scene, HOME, ALICE, PASSWORD).await;
    assert!(matches!(verdict, Verdict::Accepted(_)) && runs == 1, "{verdict:?}");
    // Her own five are counted there as ever.
    for number in 0..5 {
        let (verdict, _) = guess(&scene, HOME, ALICE, &format!("wrong {number}")).await;
        assert!(matches!(verdict, Verdict::Refused(_)), "{number}: {verdict:?}");
    }
    scene.accounts().set_disabled(ALICE_ID, false, &frank()).await.unwrap();
    assert!(matches!(guess(&scene, HOME, ALICE, PASSWORD).await.0, Verdict::Throttled { .. }));
}

fn in_29_days() -> Timestamp {
    noon() + SignedDuration::from_hours(29 * 24)
}

fn in_31_days() -> Timestamp {
    noon() + SignedDuration::from_hours(31 * 24)
}

#[tokio::test]
async fn a_network_stays_familiar_for_thirty_days_after_the_last_right_password() {
    for (later, is_familiar) in [(in_29_days as fn() -> Timestamp, true), (in_31_days, false)] {
        let mut scene = Scene::under(usual()).await;
        assert!(matches!(guess(&scene, HOME, ALICE, PASSWORD).await.0, Verdict::Accepted(_)));
        scene.accounts().flush().await.unwrap();
        scene.judge.now = later;
        for number in 0..5 {
            guess(&scene, "203.0.113.1", ALICE, &format!("wrong {number}")).await;
        }
        let (verdict, _) = guess(&scene, HOME, ALICE, PASSWORD).await;
        assert_eq!(matches!(verdict, Verdict::Accepted(_)), is_familiar, "{verdict:?}");
        assert_eq!(matches!(verdict, Verdict::Throttled { .. }), !is_familiar);
    }
}

/// As usual, but for the counters of the minute, which let a thousand through.
fn by_day() -> Policy {
    let lots = (1000, SignedDuration::from_secs(60));
    cheap(Policy::new(true, lots, lots, lots))
}

fn a_day_later() -> Timestamp {
    noon() + SignedDuration::from_hours(24)
}

#[tokio::test]
async fn after_a_hundred_failures_in_a_day_only_familiar_networks_may_go_on() {
    let mut scene = Scene::under(by_day()).await;
    let app_password = scene.app_password(ALICE_ID, |_| ()).await;
    assert!(matches!(guess(&scene, HOME, ALICE, PASSWORD).await.0, Verdict::Accepted(_)));
    scene.accounts().flush().await.unwrap();
    let nobody = "nobody@example.org";
    for username in [ALICE, nobody] {
        for number in 0..100 {
            let peer = if number < 30 { HOME } else { "203.0.113.1" };
            let (verdict, _) = guess(&scene, peer, username, &format!("wrong {number}")).await;
            assert!(matches!(verdict, Verdict::Refused(_)), "{username} {number}: {verdict:?}");
        }
        let (verdict, runs) = guess(&scene, "203.0.113.2", username, PASSWORD).await;
        let Verdict::Throttled { retry_after } = verdict else { panic!("{username}: {verdict:?}") };
        assert_eq!((retry_after, runs), (Duration::from_hours(24), 0), "{username}");
    }
    assert!(matches!(guess(&scene, "203.0.113.2", ALICE, &app_password).await.0, Verdict::Accepted(_)));
    assert!(matches!(guess(&scene, HOME, ALICE, "wrong").await.0, Verdict::Refused(_)));
    scene.accounts().set_disabled(ALICE_ID, false, &frank()).await.unwrap();
    assert!(matches!(guess(&scene, HOME, ALICE, PASSWORD).await.0, Verdict::Accepted(_)));
    let (verdict, _) = guess(&scene, "203.0.113.2", ALICE, "wrong").await;
    assert!(matches!(verdict, Verdict::Throttled { .. }), "a success does not end it: {verdict:?}");

    scene.accounts().clear_account(&Mailbox::parse(ALICE).unwrap(), &frank()).await.unwrap();
    assert!(matches!(guess(&scene, "203.0.113.2", ALICE, "wrong").await.0, Verdict::Refused(_)));
    assert!(matches!(guess(&scene, "203.0.113.2", nobody, "wrong").await.0, Verdict::Throttled { .. }));
    scene.judge.now = a_day_later;
    assert!(matches!(guess(&scene, "203.0.113.2", nobody, "wrong").await.0, Verdict::Refused(_)));
}

#[tokio::test]
async fn success_clears_the_count() {
    let scene = Scene::under(usual()).await;
    for round in 0..3 {
        for number in 0..4 {
            let (verdict, _) = guess(&scene, HOME, ALICE, &format!("wrong {round} {number}")).await;
            assert!(matches!(verdict, Verdict::Refused(_)));
        }
        scene.accounts().set_disabled(ALICE_ID, false, &frank()).await.unwrap();
        assert!(matches!(guess(&scene, HOME, ALICE, PASSWORD).await.0, Verdict::Accepted(_)));
    }
}

#[tokio::test]
async fn many_at_a_time_learn_no_more_than_many_in_a_row() {
    let scene = Arc::new(Scene::under(usual()).await);
    let guesses: Vec<_> = (0..60)
        .map(|number| {
            let scene = Arc::clone(&scene);
            let peer = format!("203.0.113.{number}");
            tokio::spawn(async move { guess(&scene, &peer, ALICE, &format!("wrong {number}")).await.0 })
        })
        .collect();
    let mut judged = 0;
    for guess in guesses {
        judged += u32::from(matches!(guess.await.unwrap(), Verdict::Refused(_)));
    }
    assert_eq!(judged, 5);
}

#[tokio::test]
async fn one_password_on_many_accounts_is_stopped() {
    let scene = Scene::under(usual()).await;
    let mut judged = 0;
    for number in 0..60 {
        let (verdict, _) =
            guess(&scene, "2001:db8::1", &format!("user{number}@example.org"), "Spring2026").await;
        judged += u32::from(matches!(verdict, Verdict::Refused(_)));
        if number == 10 {
            // The attacker's own account does not help.
            assert!(matches!(guess(&scene, "2001:db8::1", ALICE, PASSWORD).await.0, Verdict::Accepted(_)));
        }
    }
    assert_eq!(judged, 20);
    for (peer, throttled) in [("2001:db8::ffff:1", true), ("2001:db8:0:1::1", false)] {
        let (verdict, _) = guess(&scene, peer, "another@example.org", "Spring2026").await;
        assert_eq!(matches!(verdict, Verdict::Throttled { .. }), throttled, "{peer}: by /64");
    }
    let throttled: Vec<_> =
        scene.trail().await.into_iter().filter(|entry| entry.event.reason == "throttled").collect();
    assert!(throttled.iter().all(|entry| entry.event.account.is_none()));
    assert_eq!(
        throttled.iter().map(|entry| entry.count).max(),
        Some(40),
        "one entry, whatever names were tried"
    );
}

#[tokio::test]
async fn many_people_behind_one_address_log_in_at_once() {
    let scene = Scene::under(usual()).await;
    for number in 0..40 {
        scene.account(&format!("user{number}@example.org"), Some(PASSWORD)).await;
    }
    let scene = Arc::new(scene);
    let logins: Vec<_> = (0..40)
        .map(|number| {
            let scene = Arc::clone(&scene);
            tokio::spawn(async move {
                guess(&scene, HOME, &format!("user{number}@example.org"), PASSWORD).await.0
            })
        })
        .collect();
    for login in logins {
        let verdict = login.await.unwrap();
        assert!(matches!(verdict, Verdict::Accepted(_)), "{verdict:?}");
    }
}

#[tokio::test]
async fn who_keeps_the_server_from_judging_gets_no_guess_back() {
    let scene = Scene::under(usual()).await;
    for number in 0..4 {
        guess(&scene, "203.0.113.1", ALICE, &format!("wrong {number}")).await;
    }
    let hash = scene.accounts().by_id(ALICE_ID).await.unwrap().unwrap().password_hash.unwrap();
    scene.accounts().set_password(ALICE_ID, "damaged", &frank()).await.unwrap();
    for number in 0..4 {
        let (verdict, _) = guess(&scene, "203.0.113.1", ALICE, &format!("wrong {number}")).await;
        assert!(matches!(verdict, Verdict::Unavailable), "{verdict:?}");
    }
    scene.accounts().set_password(ALICE_ID, &hash, &frank()).await.unwrap();
    guess(&scene, "203.0.113.1", ALICE, "wrong 4").await;
    assert!(matches!(guess(&scene, "203.0.113.1", ALICE, "wrong 5").await.0, Verdict::Throttled { .. }));
}

#[tokio::test]
async fn spraying_many_at_a_time_gains_next_to_nothing() {
    let scene = Arc::new(Scene::under(usual()).await);
    let guesses: Vec<_> = (0..60)
        .map(|number| {
            let scene = Arc::clone(&scene);
            let name = format!("user{number}@example.org");
            tokio::spawn(async move { guess(&scene, "203.0.113.1", &name, "Spring2026").await.0 })
        })
        .collect();
    let mut judged = 0;
    for guess in guesses {
        judged += u32::from(matches!(guess.await.unwrap(), Verdict::Refused(_)));
    }
    assert!((20..28).contains(&judged), "{judged}: twenty, and those that were under way");
}

#[test]
fn an_answer_comes_at_a_multiple_of_the_step() {
    let milliseconds = Duration::from_millis;
    for (passed, step, answered) in
        [(0, 400, 400), (399, 400, 400), (400, 400, 800), (900, 400, 1200), (7, 0, 0)]
    {
        assert_eq!(rounded_up(milliseconds(passed), milliseconds(step)), milliseconds(answered));
    }
}
