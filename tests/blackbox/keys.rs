//! A new master key under a running server.

use tests::server::Installation;

use crate::second_factor::Phone;

const USER: &str = "alice@example.org";

#[test]
fn a_rotation_disturbs_nobody_and_the_old_key_may_go() {
    let installation = Installation::with_maildir();
    installation.add_user(USER, "correct horse");
    let (_, before) = installation.app_password(USER, &[]);
    let server = installation.start();
    let mut running = server.logged_in(&installation, USER, &before);
    let phone = Phone::enrolled(&installation, USER);
    let rotated = installation.json(&["key", "rotate"]);
    // The root key and the seed.
    assert_eq!((&rotated["key"], &rotated["resealed"]), (&2.into(), &2.into()));
    running.expect("NOOP", 250);
    server.logged_in(&installation, USER, &before);
    let (_, after) = installation.app_password(USER, &[]);
    server.logged_in(&installation, USER, &after);
    keep_newest(&installation);
    assert!(installation.done(&["check"]).contains("all is well"));
    installation.done(&["totp", "confirm", USER, &phone.code()]);
    assert!(server.terminate().success());
    let server = installation.start();
    for password in [before, after] {
        server.logged_in(&installation, USER, &password);
    }
}

fn keep_newest(installation: &Installation) {
    let text = std::fs::read_to_string(installation.path("master.key")).unwrap();
    let newest = text.lines().last().unwrap();
    assert!(newest.starts_with("2 "));
    std::fs::write(installation.path("master.key"), format!("{newest}\n")).unwrap();
}
