//! Answers to challenges: by app passwords without the gate, by the account password with it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::Md5;
use sasl::{ChannelBindings, Circumstances, Exchange, Nonces, Step};
use sha2::{Digest as _, Sha256};
use store::ChallengeKeys as _;

use super::*;
use crate::app_password::normalise;
use crate::challenge_key;

/// The claim of a client by `mechanism`, which answers each challenge with what `answer` makes of it.
pub(super) async fn claim_by(
    scene: &Scene,
    mechanism: Mechanism,
    username: &str,
    first: Option<&str>,
    mut answer: impl FnMut(&str) -> String,
) -> Claim {
    let (nonce, bindings) = (Nonces::new(rand::random()).draw(), ChannelBindings::default());
    let circumstances = Circumstances::new("mail.test", &nonce, &bindings);
    let first = first.map(|first| BASE64.encode(first));
    let mut step = Exchange::start(mechanism, first.as_deref(), circumstances);
    loop {
        step = match step {
            Step::Challenge(challenge, exchange) => {
                let challenge = String::from_utf8(BASE64.decode(challenge).unwrap()).unwrap();
                exchange.respond(&BASE64.encode(answer(&challenge)))
            }
            Step::Salt(wanted) => {
                wanted.with(scene.judge.scram_parameters(username, &session("192.0.2.9")).await)
            }
            Step::Claim(claim) => return claim,
            Step::Failed(error) => panic!("{error}"),
        }
    }
}

pub(super) async fn cram_md5(scene: &Scene, username: &str, password: &str) -> Claim {
    claim_by(scene, Mechanism::CramMd5, username, None, |challenge| {
        let mac = Hmac::<Md5>::new_from_slice(password.as_bytes()).unwrap().chain_update(challenge);
        let digits: String = mac.finalize().into_bytes().iter().map(|octet| format!("{octet:02x}")).collect();
        format!("{username} {digits}")
    })
    .await
}

fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(text).finalize().into_bytes().into()
}

/// RFC 5802 section 3, from the client's side.
pub(super) async fn scram(scene: &Scene, username: &str, password: &str) -> Claim {
    let bare = format!("n={username},r=rOprNGfwEbeRWgbNEkqO");
    let first = format!("n,,{bare}");
    claim_by(scene, Mechanism::ScramSha256, username, Some(&first), |server_first| {
        let field = |name: &str| server_first.split(',').find_map(|field| field.strip_prefix(name)).unwrap();
        let (salt, iterations) = (BASE64.decode(field("s=")).unwrap(), field("i=").parse().unwrap());
        let mut salted = [0; 32];
        pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), &salt, iterations, &mut salted);
        let client_key = hmac(&salted, b"Client Key");
        let without_proof = format!("c=biws,r={}", field("r="));
        let message = format!("{bare},{server_first},{without_proof}");
        let signature = hmac(&Sha256::digest(client_key), message.as_bytes());
        let proof: Vec<u8> = client_key.iter().zip(signature).map(|(one, other)| one ^ other).collect();
        format!("{without_proof},p={}", BASE64.encode(proof))
    })
    .await
}

impl Scene {
    /// A scene in which SCRAM is offered.
    pub(super) async fn with_scram() -> Self {
        let scene = Self::under(Policy { scram: true, ..usual() }).await;
        scene.log_in(PASSWORD).await.unwrap();
        // Where that was is familiar from the first guess on.
        scene.accounts().flush().await.unwrap();
        scene
    }

    /// An app password with its keys for both kinds of challenge.
    pub(super) async fn for_challenges(
        &self,
        account: AccountId,
        change: impl Fn(&mut AppPassword),
    ) -> String {
        let letters = self.app_password(account, change).await;
        let owner = self.accounts().by_id(account).await.unwrap().unwrap();
        let id = self.accounts().of_account(account, Page::first(100)).await.unwrap().last().unwrap().id;
        let given = normalise(&Secret::new(letters.as_str())).unwrap();
        let (store, keyring) = (self.accounts(), &*self.judge.keyring);
        let sealer = keyring.sealer(store).await.unwrap();
        let key = challenge_key::cram_md5_key(&sealer, owner.id, (id, &given), noon());
        assert!(store.keep_challenge_key(&key, owner.version).await.unwrap());
        let password = challenge_key::Password::App(id, given);
        let hasher = &self.judge.hasher;
        let kept = challenge_key::keep_scram(store, keyring, hasher, &owner, &password, noon());
        assert_eq!(kept.await.unwrap(), challenge_key::Scram::Kept);
        letters
    }
}

#[tokio::test]
async fn an_app_password_answers_in_both_of_its_forms() {
    let scene = Scene::with_scram().await;
    let letters = scene.for_challenges(ALICE_ID, |_| ()).await;
    for form in [letters.clone(), letters.replace(' ', "")] {
        for claim in [cram_md5(&scene, ALICE, &form).await, scram(&scene, ALICE, &form).await] {
            let mechanism = claim.mechanism();
            let (verdict, runs) = scene.judge(claim).await;
            let Verdict::Accepted(proof) = verdict else { panic!("{mechanism} {verdict:?}") };
            assert_eq!(proof.signature().is_some(), mechanism == Mechanism::ScramSha256);
            assert!(matches!(proof.user().credential, Credential::AppPassword(_)) && runs == 0);
        }
    }
}

#[tokio::test]
async fn the_account_password_answers_scram_alone_and_only_once_it_was_shown() {
    let scene = Scene::under(Policy { scram: true, ..usual() }).await;
    assert!(matches!(scene.judge(scram(&scene, ALICE, PASSWORD).await).await.0, Verdict::Refused(_)));
    scene.log_in(PASSWORD).await.unwrap();
    let (verdict, _) = scene.judge(scram(&scene, ALICE, PASSWORD).await).await;
    let Verdict::Accepted(proof) = verdict else { panic!("{verdict:?}") };
    assert_eq!(proof.user().credential, Credential::AccountPassword);
    assert!(matches!(scene.judge(cram_md5(&scene, ALICE, PASSWORD).await).await.0, Verdict::Refused(_)));
}

#[tokio::test]
async fn what_is_wrong_with_an_answer_is_told_to_the_trail_alone() {
    let lots = (1000, SignedDuration::from_secs(60));
    let scene = Scene::under(cheap(Policy::new(true, lots, lots, lots))).await;
    let carol = scene.account("carol@example.org", None).await;
    let of_carol = scene.for_challenges(carol, |_| ()).await;
    scene.accounts().set_disabled(carol, true, &frank()).await.unwrap();
    let expired = scene.for_challenges(ALICE_ID, |one| one.expires_at = Some(noon())).await;
    let elsewhere =
        scene.for_challenges(ALICE_ID, |one| one.networks = vec!["10.0.0.0/8".parse().unwrap()]).await;
    for (reason, username, password) in [
        ("bad-answer", ALICE, "wrong"),
        ("bad-answer", ALICE, &*of_carol),
        ("unknown-user", "nobody@example.org", PASSWORD),
        ("not-an-address", "nobody", PASSWORD),
        ("disabled", "carol@example.org", &*of_carol),
        ("expired", ALICE, &*expired),
        ("network-not-allowed", ALICE, &*elsewhere),
    ] {
        for claim in [cram_md5(&scene, username, password).await, scram(&scene, username, password).await] {
            let before = scene.told(reason, username).await;
            let verdict = scene.judge(claim).await.0;
            assert!(
                matches!(&verdict, Verdict::Refused(refusal) if *refusal == sasl::Refusal::default()),
                "{reason} {username}: {verdict:?}"
            );
            assert_eq!(scene.told(reason, username).await, before + 1, "{reason} {username}");
        }
    }
}

#[tokio::test]
async fn guesses_are_counted_like_others_and_app_passwords_still_get_in() {
    let scene = Scene::with_scram().await;
    let letters = scene.for_challenges(ALICE_ID, |_| ()).await;
    let from = "203.0.113.1";
    for number in 0..5 {
        let guess = format!("guess {number}");
        let guess = match number % 2 {
            0 => scram(&scene, ALICE, &guess).await,
            _ => cram_md5(&scene, ALICE, &guess).await,
        };
        let verdict = scene.judge_from(from, guess).await.0;
        assert!(matches!(verdict, Verdict::Refused(_)), "{number}: {verdict:?}");
    }
    let right = scram(&scene, ALICE, PASSWORD).await;
    assert!(matches!(scene.judge_from(from, right).await.0, Verdict::Throttled { .. }));
    let in_clear = claim(None, ALICE, PASSWORD);
    assert!(matches!(scene.judge_from(from, in_clear).await.0, Verdict::Throttled { .. }));
    for claim in [scram(&scene, ALICE, &letters).await, cram_md5(&scene, ALICE, &letters).await] {
        assert!(matches!(scene.judge_from(from, claim).await.0, Verdict::Accepted(_)));
    }
}

#[tokio::test]
async fn another_password_or_another_address_makes_old_keys_worthless() {
    let scene = Scene::with_scram().await;
    let hash = scene.judge.hasher.hash(Secret::new("another")).await.unwrap();
    scene.accounts().set_password(ALICE_ID, &hash, &frank()).await.unwrap();
    for password in [PASSWORD, "another"] {
        assert!(matches!(scene.judge(scram(&scene, ALICE, password).await).await.0, Verdict::Refused(_)));
    }
    scene.log_in("another").await.unwrap();
    assert!(matches!(scene.judge(scram(&scene, ALICE, "another").await).await.0, Verdict::Accepted(_)));
    let alicia = Mailbox::parse("alicia@example.org").unwrap();
    scene.accounts().rename(ALICE_ID, &alicia, &frank()).await.unwrap();
    let by_new_name = scram(&scene, "alicia@example.org", "another").await;
    assert!(matches!(scene.judge(by_new_name).await.0, Verdict::Refused(_)));
}
