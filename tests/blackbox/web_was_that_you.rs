//! "Was that you?": unfamiliar sign-ins are asked about, and what is done if it was somebody else.

use tests::browser::{Answer, Browser};
use tests::server::{Installation, Server, Settings, until};

use crate::web::pages;
use crate::web_sign_in::{ALICE, PASSWORD, administrator, sign_in, signed_in};

const SIGN_INS: &str = "/account/sign-ins";
const BOB: &str = "bob@example.org";
const STRANGER: [u8; 4] = [127, 0, 0, 66];
const NEW: &str = "battery staple rope ladder";

/// Alice has signed in on the pages from here before anybody else did.
fn office() -> (Installation, Server, Browser) {
    let web = "[web]\nbase_url = \"https://mail.example.org\"\npage_rate = 10000\n[[web.listen]]\n\
        address = \"127.0.0.1:0\"\ntls = \"off\"\n";
    // Nobody listens there: what is accepted waits.
    let delivery = "via = \"smtp://127.0.0.1:1\"\ntls = \"off\"".to_owned();
    let installation = Installation::new(&Settings { web: web.to_owned(), delivery, ..Settings::default() });
    installation.add_user(ALICE, PASSWORD);
    let server = installation.start();
    let mut browser = signed_in(&server);
    until("the sign-in is noted", || browser.get(SIGN_INS).body.contains("127.0.0.1").then_some(()));
    (installation, server, browser)
}

/// A stranger logs in for mail, and hands a message in; its identifier.
fn stranger_sends(installation: &Installation, server: &Server, password: &str) -> String {
    let mut client = server.client_from(STRANGER, installation);
    client.expect("EHLO stranger.example", 250);
    assert_eq!(client.auth_plain(ALICE, password).unwrap().code, 235);
    let letter = format!("From: {ALICE}\r\nSubject: spam\r\n\r\nHello.\r\n");
    let reply = client.send(ALICE, &["victim@example.net"], letter.as_bytes()).unwrap();
    assert_eq!(reply.code, 250, "{reply:?}");
    reply.lines[0].rsplit(' ').next().unwrap().to_owned()
}

/// The page once it asks, and the path of what it asks about.
fn asked(browser: &mut Browser, path: &str) -> (Answer, String) {
    until("somebody is asked", || {
        let page = browser.get(path);
        let (_, rest) = page.body.split_once("Was that you?")?;
        let (_, rest) = rest.split_once("action=\"/account/sign-ins/")?;
        let id = rest.split('/').next()?.to_owned();
        Some((page, format!("{SIGN_INS}/{id}")))
    })
}

#[test]
fn an_unfamiliar_sign_in_is_asked_about_until_its_owner_says_that_it_was_them() {
    let (installation, server, mut browser) = office();
    assert!(!browser.get("/account").body.contains("Was that you?"), "the first of all is known");
    let (_, letters) = installation.app_password(ALICE, &[]);
    stranger_sends(&installation, &server, &letters);
    let (page, one) = asked(&mut browser, "/account");
    assert!(page.body.contains("127.0.0.66") && page.body.contains("a test"), "{}", page.body);
    asked(&mut browser, SIGN_INS);
    let me = format!("{one}/me");
    assert_eq!(browser.send(&page, &me, &[]).location(), SIGN_INS);
    let page = browser.get(SIGN_INS);
    assert!(page.body.contains("it was you") && !page.body.contains("Was that you?"), "{}", page.body);
    stranger_sends(&installation, &server, &letters);
    assert!(!browser.get("/account").body.contains("Was that you?"));
    let trail = installation.json(&["audit", "list", "--action", "sign-in-answer"]);
    assert_eq!((&trail[0]["actor"], &trail[0]["via"]), (&ALICE.into(), &"web".into()), "{trail}");
}

#[test]
fn not_me_shows_what_was_done_since_and_stops_it_in_one_step_that_may_be_repeated() {
    let (installation, server, mut browser) = office();
    let (credential, letters) = installation.app_password(ALICE, &[]);
    let mut other = signed_in(&server);
    let sent = stranger_sends(&installation, &server, &letters);
    let (_, one) = asked(&mut browser, "/account");
    let not_me = format!("{one}/not-me");
    let page =
        until("the ledger has it", || Some(browser.get(&not_me)).filter(|page| page.body.contains(&sent)));
    for words in [
        "Revoke a test",
        "End all browser sessions but this one",
        "(1 message now)",
        "Tell the administrators",
    ] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    assert_eq!(page.body.matches(" checked>").count(), 4, "all on: {}", page.body);
    assert_eq!(
        installation.json(&["app-password", "list", ALICE]).as_array().unwrap().len(),
        1,
        "a page changes nothing"
    );
    let boxes = [("revoke", "yes"), ("end_sessions", "yes"), ("hold", "yes"), ("list", "yes")];
    assert_eq!(browser.send(&page, &not_me, &boxes).location(), SIGN_INS);
    let done = browser.get(SIGN_INS);
    assert!(
        done.body.contains("whoever it was is stopped") && done.body.contains("1 message is held."),
        "{}",
        done.body
    );
    assert!(!done.body.contains("Was that you?"));
    // The labels of what was revoked are still told.
    assert!(done.body.contains("App password revoked") && done.body.contains("a test"), "{}", done.body);
    assert!(!done.body.contains(&format!("<dd>{credential}</dd>")), "{}", done.body);
    assert_eq!(other.get("/account").location(), "/sign-in", "other sessions have ended");
    assert_eq!(server.knock(&installation, ALICE, &letters).code, 535);
    assert_eq!(installation.queue()[0]["held"], true);
    server.until_logged("event=incident ");
    assert_eq!(browser.send(&page, &not_me, &boxes).location(), SIGN_INS, "again");
    let trail = installation.json(&["audit", "list", "--action", "incident"]);
    assert_eq!(trail.as_array().unwrap().len(), 1, "{trail}");

    let mut admin = administrator(&installation, &server);
    let overview = admin.get("/admin");
    assert!(
        overview.body.contains("signed in to by somebody else") && overview.body.contains(ALICE),
        "{}",
        overview.body
    );
    let id = one.rsplit('/').next().unwrap();
    let (release, remove) =
        (format!("/admin/incidents/{id}/release"), format!("/admin/incidents/{id}/remove"));
    assert_eq!(browser.get(&remove).status, 404, "for administrators alone");
    let question = admin.get(&remove);
    assert!(
        question.body.contains("Remove 1 message?") && installation.queue().len() == 1,
        "{}",
        question.body
    );
    let _ = overview.token(&release);
    assert_eq!(admin.send(&question, &remove, &[]).location(), "/admin");
    assert!(installation.queue().is_empty());
    assert!(admin.get("/admin").body.contains("Nothing is to be looked at."));
    assert_eq!(admin.get(&remove).status, 404);
}

#[test]
fn what_is_held_of_a_stranger_can_be_released() {
    let (installation, server, mut browser) = office();
    let (_, letters) = installation.app_password(ALICE, &[]);
    stranger_sends(&installation, &server, &letters);
    let (_, one) = asked(&mut browser, "/account");
    let not_me = format!("{one}/not-me");
    let page = browser.get(&not_me);
    browser.send(&page, &not_me, &[("hold", "yes"), ("list", "yes")]);
    assert_eq!(server.knock(&installation, ALICE, &letters).code, 235, "it was not to be revoked");
    let mut admin = administrator(&installation, &server);
    let page = admin.get("/admin");
    let release = format!("/admin/incidents/{}/release", one.rsplit('/').next().unwrap());
    assert_eq!(admin.send(&page, &release, &[]).location(), "/admin");
    let page = admin.get("/admin");
    assert!(page.body.contains("Nothing is to be looked at."), "{}", page.body);
    let trail = installation.json(&["audit", "list", "--action", "queue-release"]);
    assert_eq!(trail[0]["actor"], "admin@example.org", "{trail}");
}

#[test]
fn where_it_was_the_account_password_another_is_chosen_and_this_session_goes_on() {
    let (installation, server, mut browser) = office();
    stranger_sends(&installation, &server, PASSWORD);
    let (_, one) = asked(&mut browser, "/account");
    let not_me = format!("{one}/not-me");
    let all = [("revoke", "yes"), ("end_sessions", "yes"), ("hold", "yes"), ("list", "yes")];
    for (new, confirm, said) in [
        ("", PASSWORD, "the password is empty"),
        ("x7#qZp!w", PASSWORD, "fewer than 12 characters"),
        (PASSWORD, PASSWORD, "This is the password that you have now"),
        (NEW, "wrong", "This password, or this code, is not right."),
    ] {
        let page = browser.get(&not_me);
        let fields = [&all[..], &[("new", new), ("confirm", confirm)]].concat();
        let answer = browser.send(&page, &not_me, &fields);
        assert!(answer.status == 422 && answer.body.contains(said), "{said}: {answer:?}");
        assert!(!answer.body.contains(NEW));
    }
    assert_eq!(installation.json(&["audit", "list", "--action", "incident"]).as_array().unwrap().len(), 0);
    let page = browser.get(&not_me);
    let fields = [&all[..], &[("new", NEW), ("confirm", PASSWORD)]].concat();
    assert_eq!(browser.send(&page, &not_me, &fields).location(), SIGN_INS);
    assert!(browser.get(SIGN_INS).body.contains("Account password changed"));
    assert_eq!(server.knock(&installation, ALICE, PASSWORD).code, 535);
    assert_eq!(sign_in(&mut Browser::new(pages(&server)), ALICE, NEW).location(), "/account");
}

#[test]
fn of_another_there_is_nothing_to_be_said() {
    let (installation, server, mut browser) = office();
    installation.add_user(BOB, PASSWORD);
    let (_, letters) = installation.app_password(ALICE, &[]);
    stranger_sends(&installation, &server, &letters);
    let (page, one) = asked(&mut browser, "/account");
    let mut bob = Browser::new(pages(&server));
    sign_in(&mut bob, BOB, PASSWORD);
    assert_eq!(bob.get(&format!("{one}/not-me")).status, 404);
    // A token is bound to a session, so that a form of hers says nothing in his.
    assert_eq!(bob.send(&page, &format!("{one}/me"), &[]).status, 403);
    for id in ["x", "00000000000000000000000000"] {
        assert_eq!(browser.get(&format!("{SIGN_INS}/{id}/not-me")).status, 404);
    }
    asked(&mut browser, "/account");
}

/// Whoever gets an address that another has had.
#[test]
fn a_new_holder_of_an_address_sees_nothing_of_the_one_before() {
    let (installation, server, mut browser) = office();
    let sent = stranger_sends(&installation, &server, PASSWORD);
    until("the ledger has it", || browser.get("/account/messages").body.contains(&sent).then_some(()));
    installation.done(&["user", "remove", ALICE, "--yes"]);
    installation.add_user(ALICE, PASSWORD);
    let mut browser = signed_in(&server);
    let page = browser.get(SIGN_INS);
    assert!(!page.body.contains("127.0.0.66"), "{}", page.body);
    assert!(!browser.get("/account").body.contains("127.0.0.66"));
    assert_eq!(browser.get(&format!("/account/messages/{sent}")).status, 404);
}
