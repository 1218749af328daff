//! The pages of one's own account: app passwords, second factor, password, sessions, sign-ins.

use tests::browser::{Answer, Browser};
use tests::server::{Installation, Server, text, until};

use crate::second_factor::Phone;
use crate::web::{installation, pages};
use crate::web_sign_in::sign_in;

const ALICE: &str = "alice@example.org";
const BOB: &str = "bob@example.org";
const PASSWORD: &str = "correct horse";

const APP_PASSWORDS: &str = "/account/app-passwords";

fn office() -> (Installation, Server) {
    let installation = installation("page_rate = 10000\n");
    for address in [ALICE, BOB] {
        installation.add_user(address, PASSWORD);
    }
    let server = installation.start();
    (installation, server)
}

fn signed_in(server: &Server, address: &str) -> Browser {
    let mut browser = Browser::new(pages(server));
    let answer = sign_in(&mut browser, address, PASSWORD);
    assert_eq!(answer.location(), "/account", "{answer:?}");
    browser
}

fn is_out(browser: &Browser) -> bool {
    let answer = browser.clone().get("/account");
    answer.status == 303 && answer.location() == "/sign-in"
}

/// What stands between these in the page.
fn between(answer: &Answer, begin: &str, end: &str) -> String {
    let (_, rest) = answer.body.split_once(begin).unwrap_or_else(|| panic!("no {begin}: {}", answer.body));
    rest.split(end).next().unwrap().to_owned()
}

/// Makes an app password as a browser does.
fn make(browser: &mut Browser, fields: &[(&str, &str)]) -> Answer {
    let page = browser.get("/account/app-passwords/new");
    let number = between(&page, "name=\"number\" value=\"", "\"");
    let fields = [&[("number", number.as_str())][..], fields].concat();
    browser.send(&page, APP_PASSWORDS, &fields)
}

fn app_passwords(installation: &Installation, address: &str) -> Vec<serde_json::Value> {
    installation.json(&["app-password", "list", address]).as_array().unwrap().clone()
}

#[test]
fn an_app_password_is_made_shown_once_and_good_for_what_was_wished() {
    let (installation, server) = office();
    let mut browser = signed_in(&server, ALICE);
    assert!(browser.get(APP_PASSWORDS).body.contains("You have none yet."));
    let page = browser.get("/account/app-passwords/new");
    let number = between(&page, "name=\"number\" value=\"", "\"");
    let fields = [
        ("number", number.as_str()),
        ("label", "Thunderbird on <laptop>"),
        ("ends", "90"),
        ("networks", "127.0.0.0/8\n2001:db8::/32"),
        ("sender", ALICE),
    ];
    let made = browser.send(&page, APP_PASSWORDS, &fields);
    assert_eq!(made.status, 200, "{made:?}");
    let letters = between(&made, "data-copy=\"", "\"");
    assert!(letters.len() == 16 && made.header("cache-control") == Some("no-store"), "{letters}");
    assert!(made.body.contains("Thunderbird on &#60;laptop&#62;"), "{}", made.body);
    let again = browser.send(&page, APP_PASSWORDS, &fields);
    assert!(again.status == 409 && again.body.contains("It was made already"), "{again:?}");
    assert!(!again.body.contains(&letters) && !browser.get(APP_PASSWORDS).body.contains(&letters));

    let [one] = app_passwords(&installation, ALICE).try_into().unwrap();
    assert_eq!(one["label"], "Thunderbird on <laptop>");
    assert_eq!(one["networks"], serde_json::json!(["127.0.0.0/8", "2001:db8::/32"]));
    assert_eq!(one["senders"], serde_json::json!([ALICE]));
    assert!(!one["expires_at"].is_null() && one["cram_md5"] == false);
    assert_eq!(server.knock(&installation, ALICE, &letters).code, 235);
    let id = text(&one, "id");
    let page = until("its use is told", || {
        let page = browser.get(&format!("{APP_PASSWORDS}/{id}"));
        Some(page).filter(|page| page.body.contains("For mail"))
    });
    assert!(page.body.contains("127.0.0.0/8, 2001:db8::/32") && !page.body.contains(&letters));
    let trail = installation.json(&["audit", "list", "--user", ALICE, "--action", "app-password-create"]);
    let entry = &trail[0];
    assert_eq!(
        (&entry["actor"], &entry["via"], &entry["ip"]),
        (&ALICE.into(), &"web".into(), &"127.0.0.1".into())
    );
    let session = text(&installation.json(&["session", "list", ALICE])[0], "id");
    assert_eq!(entry["session"], session.as_str());
}

#[test]
fn what_is_wrong_with_a_wish_is_told_at_its_field_and_nothing_is_made() {
    let (installation, server) = office();
    let mut browser = signed_in(&server, ALICE);
    for (fields, said) in [
        (&[("label", "")][..], "Give it a label."),
        (&[("label", "x"), ("ends", "day"), ("day", "2020-01-01")], "Choose a day that has not passed."),
        (&[("label", "x"), ("networks", "the <office>")], "“the &#60;office&#62;” is no network"),
        (&[("label", "x"), ("sender", BOB)], "You may not send as all of these."),
        (&[("label", "x"), ("sender", "*")], "You may not send as all of these."),
    ] {
        let answer = make(&mut browser, fields);
        assert_eq!(answer.status, 422, "{fields:?}: {answer:?}");
        assert!(answer.body.contains(said), "{said}: {}", answer.body);
        assert!(answer.body.contains("value=\"x\"") || fields[0].1.is_empty(), "what was typed is not lost");
    }
    assert!(app_passwords(&installation, ALICE).is_empty());
    let page = browser.get("/account/app-passwords/new");
    let origin = browser.origin();
    let mut forged = page.token(APP_PASSWORDS);
    forged.replace_range(..1, if forged.starts_with('A') { "B" } else { "A" });
    let answer =
        browser.post_with(APP_PASSWORDS, &[("Origin", &origin)], &[("csrf", &forged), ("label", "x")]);
    assert_eq!(answer.status, 403);
    assert!(app_passwords(&installation, ALICE).is_empty());
}

#[test]
fn an_app_password_gets_another_label_and_is_revoked_once_its_owner_was_asked() {
    let (installation, server) = office();
    let (mut browser, mut bob) = (signed_in(&server, ALICE), signed_in(&server, BOB));
    let made = make(&mut browser, &[("label", "old phone")]);
    let letters = between(&made, "data-copy=\"", "\"");
    let id = text(&app_passwords(&installation, ALICE)[0], "id");
    let [one, label, revoke] = ["", "/label", "/revoke"].map(|verb| format!("{APP_PASSWORDS}/{id}{verb}"));
    for path in [&one, &revoke, &format!("{APP_PASSWORDS}/{}", "0".repeat(26)), &format!("{APP_PASSWORDS}/x")]
    {
        assert_eq!(bob.get(path).status, 404, "of another: {path}");
    }
    let page = browser.get(&one);
    let answer = browser.send(&page, &label, &[("label", "  ")]);
    assert!(answer.status == 422 && answer.body.contains("Give it a label."), "{answer:?}");
    assert_eq!(browser.send(&page, &label, &[("label", "lost phone")]).location(), one);
    assert!(browser.get(&one).body.contains("It is called lost phone now."));
    assert_eq!(text(&app_passwords(&installation, ALICE)[0], "label"), "lost phone");

    let question = browser.get(&revoke);
    assert!(question.body.contains("Revoke lost phone?") && question.body.contains("It was never used."));
    assert_eq!(app_passwords(&installation, ALICE).len(), 1, "a question revokes nothing");
    assert_eq!(server.knock(&installation, ALICE, &letters).code, 235);
    assert_eq!(browser.send(&question, &revoke, &[]).location(), APP_PASSWORDS);
    assert!(browser.get(APP_PASSWORDS).body.contains("lost phone is revoked."));
    assert!(app_passwords(&installation, ALICE).is_empty());
    assert_eq!(server.knock(&installation, ALICE, &letters).code, 535);
    assert_eq!(browser.get(&one).status, 404);
}

#[test]
fn a_second_factor_is_set_up_by_its_first_code_and_switched_off_by_password_and_code() {
    let (installation, server) = office();
    let (mut browser, other) = (signed_in(&server, ALICE), signed_in(&server, ALICE));
    let path = |verb: &str| format!("/account/second-factor/{verb}");
    let page = browser.get("/account/second-factor");
    let scan = browser.send(&page, &path("prepare"), &[]);
    assert!(scan.status == 200 && scan.body.contains("<path d=\"M4 4h1v1h-1z"), "{scan:?}");
    let seed = between(&scan, "<code id=\"seed\">", "<").replace(' ', "");
    let wrong = browser.send(&scan, &path("confirm"), &[("code", "000000")]);
    assert!(wrong.status == 422 && wrong.body.contains("This code is not right"), "{wrong:?}");
    assert!(!wrong.body.contains(&seed), "shown once");
    assert_eq!(installation.json(&["user", "show", ALICE])["totp"], false);
    let codes = browser.send(&wrong, &path("confirm"), &[("code", &Phone { seed }.code())]);
    assert_eq!((codes.status, codes.body.matches("<li><code>").count()), (200, 10), "{codes:?}");
    assert!(is_out(&other) && !is_out(&browser), "all other sessions end, and this one goes on");
    let recovery: Vec<_> =
        codes.body.split("<li><code>").skip(1).map(|rest| rest.split('<').next().unwrap()).collect();
    assert!(!browser.get("/account/second-factor").body.contains(recovery[0]));

    let mut new = Browser::new(pages(&server));
    assert_eq!(sign_in(&mut new, ALICE, PASSWORD).location(), "/sign-in/code");
    let page = browser.get(&path("off"));
    for fields in [
        &[("confirm", PASSWORD)][..],
        &[("confirm", PASSWORD), ("confirm_code", "000000")],
        &[("confirm", "wrong"), ("confirm_code", recovery[1])],
    ] {
        let answer = browser.send(&page, &path("off"), fields);
        assert_eq!(answer.status, 422, "{fields:?}: {answer:?}");
    }
    assert_eq!(installation.json(&["user", "show", ALICE])["totp"], true);
    let answer = browser.send(&page, &path("off"), &[("confirm", PASSWORD), ("confirm_code", recovery[2])]);
    assert_eq!(answer.location(), "/account/second-factor", "{answer:?}");
    assert_eq!(installation.json(&["user", "show", ALICE])["totp"], false);
    assert!(browser.get("/account/second-factor").body.contains("The second factor is switched off."));
}

#[test]
fn ones_own_password_is_changed_by_the_one_of_now_and_ends_all_other_sessions() {
    let (installation, server) = office();
    let (mut browser, other) = (signed_in(&server, ALICE), signed_in(&server, ALICE));
    let kept = browser.clone();
    let path = "/account/password";
    let new = "battery staple rope ladder";
    for (now, wanted, said) in [
        ("wrong", new, "This password, or this code, is not right."),
        (PASSWORD, "x7#qZp!w", "fewer than 12 characters"),
        (PASSWORD, ALICE, "too easy to guess"),
    ] {
        let page = browser.get(path);
        let answer = browser.send(&page, path, &[("confirm", now), ("new", wanted)]);
        assert!(answer.status == 422 && answer.body.contains(said), "{said}: {answer:?}");
        assert!(!answer.body.contains(&format!("value=\"{wanted}\"")), "a password is never shown again");
    }
    assert!(!is_out(&other));
    let page = browser.get(path);
    let answer = browser.send(&page, path, &[("confirm", PASSWORD), ("new", new)]);
    assert_eq!(answer.location(), path, "{answer:?}");
    assert!(browser.get(path).body.contains("Your password is changed"));
    assert!(is_out(&other) && is_out(&kept), "the token of before is worth nothing, either");
    assert_eq!(sign_in(&mut Browser::new(pages(&server)), ALICE, PASSWORD).status, 422);
    assert_eq!(sign_in(&mut Browser::new(pages(&server)), ALICE, new).location(), "/account");
    let trail = installation.json(&["audit", "list", "--user", ALICE, "--action", "password-set"]);
    assert_eq!((&trail[0]["actor"], &trail[0]["via"]), (&ALICE.into(), &"web".into()));
}

/// In another tab, or behind the button for the page before.
#[test]
fn a_form_that_was_loaded_before_a_confirmation_is_good_behind_it() {
    let (installation, server) = office();
    let mut browser = signed_in(&server, ALICE);
    let form = browser.get("/account/app-passwords/new");
    let page = browser.get("/account/password");
    let fields = [("confirm", PASSWORD), ("new", "battery staple rope ladder")];
    assert_eq!(browser.send(&page, "/account/password", &fields).status, 303);
    let number = between(&form, "name=\"number\" value=\"", "\"");
    let fields = [("number", number.as_str()), ("label", "Phone"), ("ends", "never")];
    assert_eq!(browser.send(&form, APP_PASSWORDS, &fields).status, 200);
    assert_eq!(browser.send(&form, APP_PASSWORDS, &fields).status, 409, "sent again");
    assert_eq!(app_passwords(&installation, ALICE).len(), 1);
}

#[test]
fn sessions_are_listed_and_ended_one_by_one_or_all() {
    let (installation, server) = office();
    let (mut browser, other) = (signed_in(&server, ALICE), signed_in(&server, ALICE));
    let mut bob = signed_in(&server, BOB);
    let path = "/account/sessions";
    let page = browser.get(path);
    assert_eq!(page.body.matches("this one").count(), 1, "{}", page.body);
    let sessions = installation.json(&["session", "list", ALICE]);
    let ids: Vec<_> = sessions.as_array().unwrap().iter().map(|session| text(session, "id")).collect();
    let end = |id: &str| format!("{path}/{id}/end");
    // Bob has a token for that path, which says nothing of whose session it is.
    let bobs_own = text(&installation.json(&["session", "list", BOB])[0], "id");
    let (of_bob, origin) = (bob.get(path).token(&end(&bobs_own)), bob.origin());
    let stolen = bob.post_with(&end(&ids[0]), &[("Origin", &origin)], &[("csrf", &of_bob)]);
    assert_eq!(stolen.status, 403, "{stolen:?}");
    let (_, behind) = page.body.split_once("this one").unwrap();
    let own = behind.split("/account/sessions/").nth(1).unwrap().split('/').next().unwrap();
    let others: Vec<_> = ids.iter().filter(|id| *id != own).collect();
    assert_eq!(browser.send(&page, &end(others[0]), &[]).location(), path);
    assert!(browser.get(path).body.contains("The session is ended") && is_out(&other) && !is_out(&browser));

    let another = signed_in(&server, ALICE);
    let question = browser.get("/account/sessions/end-all");
    let answer = browser.send(&question, "/account/sessions/end-all", &[]);
    assert_eq!(answer.location(), "/sign-in", "{answer:?}");
    assert!(is_out(&browser) && is_out(&another) && !is_out(&bob), "of the account alone");
    assert_eq!(installation.json(&["session", "list", ALICE]), serde_json::json!([]));
}

#[test]
fn sign_ins_are_told_with_what_they_were_by_and_whether_the_network_is_new() {
    let (installation, server) = office();
    let (_, letters) = installation.app_password(ALICE, &[]);
    assert_eq!(server.knock(&installation, ALICE, &letters).code, 235);
    assert_eq!(server.knock(&installation, ALICE, "<wrong>").code, 535);
    let mut browser = signed_in(&server, ALICE);
    let path = "/account/sign-ins";
    let page = until("all are in the trail", || {
        let page = browser.get(path);
        let all = ["For mail", "On these pages", "refused", "App password made", "new network"];
        Some(page).filter(|page| all.iter().all(|words| page.body.contains(words)))
    });
    assert_eq!(page.body.matches("new network").count(), 1, "of one network: {}", page.body);
    let refused = browser.get(&format!("{path}?failures=yes&days=7&after="));
    assert!(refused.body.contains("refused") && !refused.body.contains("On these pages"), "{}", refused.body);
    assert_eq!(browser.get(&format!("{path}?days=x&after=%00%27--&failures=%3Cscript%3E")).status, 200);
    let mut bob = signed_in(&server, BOB);
    assert!(!bob.get(path).body.contains("App password made"), "one's own alone");
}
