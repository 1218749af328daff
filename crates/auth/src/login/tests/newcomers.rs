//! App passwords of another server, until they are ours.

use store::{Import, ImportedAppPassword};

use super::*;

const DORA: &str = "dora@example.org";
const LETTERS: &str = "abcdefghijklmnop";

/// An account that has moved in with one app password, which was hashed elsewhere.
async fn moved_in(scene: &Scene, change: impl Fn(&mut AppPassword)) {
    let id = AccountId::from_bytes([9; 16]);
    let mut app_password = app_password_of(id, CredentialId::from_bytes([9; 16]));
    change(&mut app_password);
    let selector = app_password::normalise(&Secret::new(LETTERS)).unwrap().selector_elsewhere();
    let brought = ImportedAppPassword {
        app_password,
        digest: [9; 32],
        selector: scene.judge.keyring.selector(id, selector.as_bytes()),
        hash: scene.judge.hasher.hash(Secret::new(LETTERS)).await.unwrap(),
    };
    let account = Account::new(id, Mailbox::parse(DORA).unwrap(), noon());
    let import =
        Import { account, app_passwords: vec![brought], second_factor: None, identities: Vec::new() };
    scene.accounts().import(&import, &frank()).await.unwrap();
}

#[tokio::test]
async fn all_sessions_that_bring_one_at_once_are_let_in() {
    let scene = Scene::under(usual()).await;
    moved_in(&scene, |_| ()).await;
    let scene = Arc::new(scene);
    let logins: Vec<_> = (0..16)
        .map(|_| {
            let scene = Arc::clone(&scene);
            tokio::spawn(async move { scene.judge(claim(None, DORA, LETTERS)).await.0 })
        })
        .collect();
    for login in logins {
        let verdict = login.await.unwrap();
        assert!(matches!(verdict, Verdict::Accepted(_)), "{verdict:?}");
    }
    let (verdict, runs) = scene.judge(claim(None, DORA, LETTERS)).await;
    assert!(matches!(verdict, Verdict::Accepted(_)) && runs == 0, "it is ours now");
    assert!(scene.counted().await.is_empty());
}

#[tokio::test]
async fn one_that_is_not_good_for_this_is_refused_for_what_it_lacks() {
    let scene = Scene::new().await;
    moved_in(&scene, |one| one.expires_at = Some(noon())).await;
    for _ in 0..2 {
        assert!(matches!(scene.judge(claim(None, DORA, LETTERS)).await.0, Verdict::Refused(_)));
    }
    let reasons: Vec<_> =
        scene.trail().await.into_iter().map(|entry| (entry.event.reason, entry.count)).collect();
    assert_eq!(reasons, [("expired".into(), 2)]);
}
