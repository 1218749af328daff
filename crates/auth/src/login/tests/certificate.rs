//! Certificates and the word of a proxy.

use std::time::SystemTime;

use sasl::ExternalClaim;
use store::Certificate;
use types::{ClientCertificate, Fingerprint};

use super::*;

const SHOWN: Fingerprint = Fingerprint::from_octets([7; 32]);

/// A session of a client that has shown a certificate, valid for an hour around noon.
fn with_certificate() -> SessionFacts {
    let at = |minutes| SystemTime::from(noon() + SignedDuration::from_mins(minutes));
    let mut session = session("198.51.100.7");
    session.client_certificate = Some(Arc::new(ClientCertificate::new(SHOWN, Vec::new(), at(-30), at(5))));
    session
}

fn external(authzid: Option<&str>) -> Claim {
    Claim::External(ExternalClaim::new(authzid.map(str::to_owned)))
}

async fn add(scene: &Scene, account: AccountId) {
    let certificate = Certificate {
        fingerprint: SHOWN,
        account,
        label: "laptop".to_owned(),
        created_at: noon(),
        expires_at: None,
        last_used: None,
    };
    scene.accounts().add_certificate(&certificate, &frank()).await.unwrap();
}

async fn reason_of(scene: &Scene, claim: Claim, session: &SessionFacts) -> String {
    let verdict = scene.judge.judge(claim, session).await;
    assert!(matches!(verdict, Verdict::Refused(_)), "{verdict:?}");
    scene.trail().await.first().unwrap().event.reason.to_string()
}

#[tokio::test]
async fn a_certificate_is_good_for_its_owner_as_long_as_it_is_there() {
    let scene = Scene::new().await;
    add(&scene, ALICE_ID).await;
    for authzid in [None, Some(ALICE), Some("Alice@EXAMPLE.org")] {
        let verdict = scene.judge.judge(external(authzid), &with_certificate()).await;
        let Verdict::Accepted(proof) = verdict else { panic!("{authzid:?}: {verdict:?}") };
        let user = proof.into_user();
        assert_eq!((user.account, &user.credential), (ALICE_ID, &Credential::Certificate(SHOWN)));
        assert!(scene.still_holds(&user).await);
    }
    let verdict = scene.judge.judge(external(None), &with_certificate()).await;
    let Verdict::Accepted(proof) = verdict else { panic!("{verdict:?}") };
    scene.accounts().remove_certificate(ALICE_ID, &SHOWN, &frank()).await.unwrap();
    assert!(!scene.still_holds(proof.user()).await);
}

#[tokio::test]
async fn a_certificate_that_is_not_good_is_refused_and_the_trail_says_why() {
    let mut scene = Scene::new().await;
    assert_eq!(reason_of(&scene, external(None), &session("198.51.100.7")).await, "no-certificate");
    assert_eq!(reason_of(&scene, external(None), &with_certificate()).await, "unknown-certificate");
    add(&scene, ALICE_ID).await;
    scene.account("bob@example.org", None).await;
    for other in ["bob@example.org", "nobody@example.org", "root"] {
        let claim = external(Some(other));
        assert_eq!(reason_of(&scene, claim, &with_certificate()).await, "certificate-of-another", "{other}");
    }
    scene.accounts().set_disabled(ALICE_ID, true, &frank()).await.unwrap();
    assert_eq!(reason_of(&scene, external(None), &with_certificate()).await, "disabled");
    scene.accounts().set_disabled(ALICE_ID, false, &frank()).await.unwrap();
    scene.judge.now = in_ten_minutes;
    assert_eq!(reason_of(&scene, external(None), &with_certificate()).await, "expired");
}

#[tokio::test]
async fn a_proxy_can_vouch_for_who_may_log_in_and_nobody_else() {
    let scene = Scene::new().await;
    let verdict = scene.judge.vouched(ALICE, &session("198.51.100.7")).await;
    let Verdict::Accepted(proof) = verdict else { panic!("{verdict:?}") };
    assert!(scene.still_holds(proof.user()).await);
    scene.accounts().set_disabled(ALICE_ID, true, &frank()).await.unwrap();
    assert!(!scene.still_holds(proof.user()).await);
    for username in [ALICE, "nobody@example.org", "root", ""] {
        let verdict = scene.judge.vouched(username, &session("198.51.100.7")).await;
        assert!(matches!(verdict, Verdict::Refused(_)), "{username}: {verdict:?}");
    }
}
