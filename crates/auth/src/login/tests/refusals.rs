//! How long refusals take: by what is in the store.

use store::{Import, ImportedAppPassword};

use super::*;
use crate::password_hash::stored::StoredHash;

/// 280 ms.
const BCRYPT: &str = "$2y$12$B.igq0cNtA0WqKV0wLIbcepDMzU8EFhjCNDVF0od5o0U28WGvvZii";

/// An account with a bcrypt hash, and three app passwords with another, of which one selector finds two.
fn moved_in() -> Import {
    let id = AccountId::from_bytes([9; 16]);
    let brought = |number| ImportedAppPassword {
        app_password: app_password_of(id, CredentialId::from_bytes([number; 16])),
        digest: [number; 32],
        selector: [number / 2; 32],
        hash: BCRYPT.to_owned(),
    };
    let account = Account::new(id, Mailbox::parse("dora@example.org").unwrap(), noon());
    Import {
        account: Account { password_hash: Some(BCRYPT.to_owned()), ..account },
        app_passwords: [1, 2, 3].map(brought).into(),
        second_factor: None,
        identities: Vec::new(),
    }
}

#[tokio::test]
async fn a_refusal_takes_longer_than_all_checks_of_the_slowest_hashes_one_behind_the_other() {
    let scene = Scene::new().await;
    let measure =
        async || scene.judge.refusal_time.measure(scene.accounts(), &scene.judge.hasher).await.unwrap();
    let time = || scene.judge.refusal_time.now();
    measure().await;
    let usual = time();
    let import = moved_in();
    scene.accounts().import(&import, &frank()).await.unwrap();
    let check = scene.judge.hasher.time(Some(StoredHash::parse(BCRYPT).unwrap())).await.unwrap();
    measure().await;
    assert!(time() > usual && time() >= 3 * check, "{:?} for three checks of {check:?}", time());
    scene.accounts().remove(import.account.id, &frank()).await.unwrap();
    measure().await;
    assert_eq!(time(), usual);
}
