//! What the audit trail is told of a login besides its outcome.

use types::TlsFacts;

use super::*;

#[tokio::test]
async fn a_login_is_told_with_its_door_its_session_and_the_version_of_tls() {
    let scene = Scene::new().await;
    let in_clear = session("198.51.100.7");
    let mut protected = in_clear.clone();
    protected.tls = Some(TlsFacts::new("TLSv1.3", "TLS13_AES_128_GCM_SHA256"));
    for session in [&protected, &in_clear] {
        assert!(matches!(
            scene.judge.judge(claim(None, ALICE, PASSWORD), session).await,
            Verdict::Accepted(_)
        ));
    }
    let proof = Proof::Password { password: Secret::new(PASSWORD), code: None };
    let (authzid, username, answers) = (None, Some(ALICE.to_owned()), None);
    let attempt = Attempt { authzid, username, proof, door: Door::Master, answers };
    scene.judge.examine(attempt, &Origin::examined("198.51.100.7".parse().unwrap(), frank())).await;
    let trail = scene.trail().await;
    let mut told: Vec<_> = trail
        .iter()
        .map(|AuditEntry { event, .. }| {
            (event.scope.as_deref(), event.session.is_some(), event.tls.as_deref())
        })
        .collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [(Some("master"), false, None), (Some("smtp"), true, None), (Some("smtp"), true, Some("TLSv1.3"))]
    );
}
