//! Backends in a row: what one of them decides, or leaves to the next, tells nobody anything and costs nobody a login.

use std::sync::atomic::{AtomicU32, Ordering};

use super::challenge::{claim_by, cram_md5, scram};
use super::two_factor::with_totp;
use super::*;
use backends::fake::{FakeServer, Reply};
use backends::http::{HttpHandler, HttpSettings};

use crate::guard::gate::is_familiar;
use crate::login::sign_in::{SecondStep, SignIn};

const NOBODY: &str = "nobody@example.org";

/// A program that says the same to everybody.
async fn saying(answer: &str) -> (FakeServer, Backend) {
    let answer = answer.to_owned();
    let server = FakeServer::start(move |_| Reply::With(200, answer.clone())).await;
    let program = asking(&server);
    (server, program)
}

/// A program that refuses everybody, and how often it was asked.
async fn refusing() -> (FakeServer, Backend, Arc<AtomicU32>) {
    let asked = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&asked);
    let server = FakeServer::start(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
        Reply::With(200, r#"{"verdict": "refuse"}"#.to_owned())
    })
    .await;
    let program = asking(&server);
    (server, program, asked)
}

fn asking(server: &FakeServer) -> Backend {
    let settings = HttpSettings {
        endpoint: server.endpoint("/login"),
        secret: Secret::new("s3cret"),
        timeout: Duration::from_secs(5),
        concurrency: 8,
        authorities: Vec::new(),
    };
    Backend::Http(HttpHandler::new(settings).unwrap())
}

fn token(text: &str) -> Claim {
    Claim::Token(sasl::TokenClaim::new(Mechanism::XOAuth2, Some(ALICE.to_owned()), Secret::new(text)))
}

const UNKNOWN: &str = r#"{"verdict": "unknown"}"#;

fn throttling() -> Policy {
    Policy { scram: true, ..usual() }
}

/// A message that was made for another connection.
async fn flawed(scene: &Scene, username: &str) -> Claim {
    let first = format!("n,,n={username},r=rOprNGfwEbeRWgbNEkqO");
    claim_by(scene, Mechanism::ScramSha256, username, Some(&first), |server_first| {
        let nonce = server_first.split(',').next().unwrap();
        format!("c=eSws,{nonce},p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
    })
    .await
}

#[tokio::test]
async fn how_long_wrong_answers_are_judged_tells_nobody_who_exists() {
    let (_server, program) = saying(UNKNOWN).await;
    let scene = Scene::with_scram().await;
    scene.judge.replace(throttling(), vec![Backend::Accounts, program]).unwrap();
    for mechanism in [Mechanism::CramMd5, Mechanism::ScramSha256, Mechanism::ScramSha256Plus] {
        let mut of_both = Vec::new();
        for name in [ALICE, NOBODY] {
            let mut verdicts = Vec::new();
            for _ in 0..7 {
                let wrong = match mechanism {
                    Mechanism::CramMd5 => cram_md5(&scene, name, "wrong").await,
                    Mechanism::ScramSha256 => scram(&scene, name, "wrong").await,
                    _ => flawed(&scene, name).await,
                };
                let verdict = scene.judge(wrong).await.0;
                verdicts.push(matches!(verdict, Verdict::Throttled { .. }));
            }
            let address = Mailbox::parse(name).unwrap();
            scene.accounts().clear_account(&address, &frank()).await.unwrap();
            of_both.push(verdicts);
        }
        assert_eq!(of_both[0], of_both[1], "{mechanism}");
    }
}

#[tokio::test]
async fn an_app_password_is_no_failure_though_somebody_else_was_asked_first() {
    let (_server, program) = saying(UNKNOWN).await;
    let scene = Scene::with_scram().await;
    let letters = scene.for_challenges(ALICE_ID, |_| ()).await;
    scene.judge.replace(throttling(), vec![program, Backend::Accounts]).unwrap();
    let guess = claim(None, ALICE, "a guess");
    assert!(matches!(scene.judge(guess).await.0, Verdict::Refused(_)));
    for number in 0..7 {
        for right in [
            claim(None, ALICE, &letters),
            cram_md5(&scene, ALICE, &letters).await,
            scram(&scene, ALICE, &letters).await,
        ] {
            let verdict = scene.judge(right).await.0;
            assert!(matches!(verdict, Verdict::Accepted(_)), "{number}: {verdict:?}");
        }
    }
    let counted = scene.counted().await;
    let of_account = counted.iter().find(|counted| counted.key.account.is_some()).unwrap();
    assert_eq!(of_account.marks.len(), 1, "the guess, which no app password makes good");
}

#[tokio::test]
async fn the_last_attempt_that_there_is_room_for_is_judged_by_all() {
    let (_server, program) = saying(UNKNOWN).await;
    let scene = Scene::under(usual()).await;
    scene.judge.replace(usual(), vec![program, Backend::Accounts]).unwrap();
    for number in 0..4 {
        let guess = claim(None, ALICE, &format!("guess {number}"));
        assert!(matches!(scene.judge(guess).await.0, Verdict::Refused(_)));
    }
    assert!(scene.log_in(PASSWORD).await.is_some());
}

#[tokio::test]
async fn with_a_second_factor_no_password_suffices_whoever_accepts_it() {
    let (_server, program) = saying(r#"{"verdict": "accept"}"#).await;
    let scene = Scene::new().await;
    scene.judge.replace(Policy { hint_app_password: false, ..usual() }, vec![program]).unwrap();
    assert!(scene.log_in("of the program").await.is_some());
    with_totp(&scene).await;
    for wrong in [claim(None, ALICE, "of the program"), cram_md5(&scene, ALICE, "of the program").await] {
        assert!(matches!(scene.judge(wrong).await.0, Verdict::Refused(_)));
    }
    assert!(matches!(scene.judge(token("a token")).await.0, Verdict::Accepted(_)), "which may have seen one");
}

#[tokio::test]
async fn bogus_tokens_stop_their_network_and_nobody_else() {
    let (_server, program, asked) = refusing().await;
    let scene = Scene::under(usual()).await;
    scene.judge.replace(usual(), vec![Backend::Accounts, program]).unwrap();
    let flood = "203.0.113.1";
    for number in 0..120 {
        let (verdict, _) = scene.judge_from(flood, token(&format!("bogus {number}"))).await;
        assert_eq!(matches!(verdict, Verdict::Throttled { .. }), number >= 50, "{number}: {verdict:?}");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 50);
    let external = Claim::External(sasl::ExternalClaim::new(Some(ALICE.to_owned())));
    assert!(matches!(scene.judge_from(flood, external).await.0, Verdict::Throttled { .. }));
    let counted = scene.counted().await;
    assert!(counted.iter().all(|counted| counted.key.account.is_none()), "{counted:?}");
    assert!(matches!(scene.judge(token("bogus")).await.0, Verdict::Refused(_)), "from elsewhere");
    assert!(scene.log_in(PASSWORD).await.is_some());
}

#[tokio::test]
async fn certificates_that_nobody_knows_count_for_their_network() {
    let scene = Scene::under(usual()).await;
    for number in 0..=20 {
        let authzid = Some(format!("user{number}@example.org"));
        let external = Claim::External(sasl::ExternalClaim::new(authzid));
        let (verdict, _) = scene.judge(external).await;
        assert_eq!(matches!(verdict, Verdict::Throttled { .. }), number == 20, "{number}: {verdict:?}");
    }
}

#[tokio::test]
async fn a_token_waits_for_a_place_of_its_network_before_anybody_is_asked() {
    let (_server, program, asked) = refusing().await;
    let scene = Scene::under(usual()).await;
    scene.judge.replace(usual(), vec![program]).unwrap();
    let network = store::network_of("198.51.100.7".parse().unwrap());
    let mut held = Vec::new();
    while let Ok(turn) =
        tokio::time::timeout(Duration::from_millis(1), scene.judge.network_slots.next(network)).await
    {
        held.push(turn.unwrap());
    }
    let waits = tokio::time::timeout(Duration::from_millis(100), scene.judge(token("a token"))).await;
    assert!(waits.is_err() && asked.load(Ordering::Relaxed) == 0);
    held.clear();
    assert!(matches!(scene.judge(token("a token")).await.0, Verdict::Refused(_)));
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_password_of_the_program_makes_its_network_familiar_and_a_token_does_not() {
    let (_server, program) = saying(r#"{"verdict": "accept"}"#).await;
    let scene = Scene::new().await;
    scene.judge.replace(usual(), vec![program]).unwrap();
    let (alice, network) =
        (Mailbox::parse(ALICE).unwrap(), store::network_of("198.51.100.7".parse().unwrap()));
    for (right, familiar) in [(token("a token"), false), (claim(None, ALICE, "of the program"), true)] {
        assert!(matches!(scene.judge(right).await.0, Verdict::Accepted(_)));
        scene.accounts().flush().await.unwrap();
        assert_eq!(is_familiar(scene.accounts(), &alice, network, noon()).await.unwrap(), familiar);
    }
}

#[tokio::test]
async fn who_is_known_to_the_program_signs_in_with_its_password_and_a_code_of_ours() {
    let (_server, program) = saying(r#"{"verdict": "accept"}"#).await;
    let scene = Scene::new().await;
    scene.judge.replace(usual(), vec![program]).unwrap();
    let seed = with_totp(&scene).await;
    let page = Origin::web(&session("198.51.100.7"));
    let attempt = |code| Attempt::sign_in(ALICE.to_owned(), Secret::new("of the program"), code);
    let step = scene.judge.first_step(attempt(None), &page).await;
    let SignIn::NeedsCode(ticket) = step else { panic!("{step:?}") };
    assert!(scene.counted().await.is_empty() && scene.trail().await.is_empty());
    let code = |ahead| Secret::new(seed.code(NOON.unsigned_abs() / 30 + ahead).as_bytes());
    let step = scene.judge.second_step(&ticket, &code(0), &page).await;
    assert!(matches!(&step, SecondStep::SignedIn(user) if user.account == ALICE_ID), "{step:?}");

    let at_once = |code| attempt(Some(code));
    assert_eq!(scene.judge.examine(at_once(code(0)), &page).await.reason(), "bad-code");
    assert_eq!(scene.judge.examine(at_once(code(1)), &page).await.reason(), "ok");
    assert_eq!(scene.judge.examine(attempt(None), &page).await.reason(), "needs-code");
}
