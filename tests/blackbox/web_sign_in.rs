//! Signing in on the pages, and out; and that nobody is made to do anything there by another site.

use tests::browser::{Answer, Browser};
use tests::server::{Installation, Server, text, until};

use crate::second_factor::Phone;
use crate::web::{installation, pages, routes};

pub(crate) const ALICE: &str = "alice@example.org";
pub(crate) const PASSWORD: &str = "correct horse";

pub(crate) fn office() -> (Installation, Server) {
    let installation = installation("page_rate = 10000\n");
    installation.add_user(ALICE, PASSWORD);
    let server = installation.start();
    (installation, server)
}

/// What a browser that has the page is told when it sends the form.
pub(crate) fn sign_in(browser: &mut Browser, address: &str, password: &str) -> Answer {
    let page = browser.get("/sign-in");
    browser.send(&page, "/sign-in", &[("address", address), ("password", password)])
}

/// A browser that is signed in.
pub(crate) fn signed_in(server: &Server) -> Browser {
    let mut browser = Browser::new(pages(server));
    let answer = sign_in(&mut browser, ALICE, PASSWORD);
    assert_eq!((answer.status, answer.location()), (303, "/account"), "{answer:?}");
    browser
}

#[test]
fn somebody_signs_in_looks_at_their_account_and_signs_out() {
    let (installation, server) = office();
    let mut browser = Browser::new(pages(&server));
    assert_eq!(browser.get("/").location(), "/sign-in");
    assert_eq!(browser.get("/account").location(), "/sign-in");
    let answer = sign_in(&mut browser, ALICE, PASSWORD);
    let cookie = answer.headers.iter().find(|(_, line)| line.starts_with("gatepost-local=")).unwrap();
    let flags: Vec<_> = cookie.1.split("; ").skip(1).collect();
    assert_eq!(flags, ["Path=/", "HttpOnly", "SameSite=Lax"], "in clear on loopback");
    assert_eq!(browser.get("/").location(), "/account");
    assert_eq!(browser.get("/sign-in").location(), "/account");
    let page = browser.get("/account");
    for words in ["You are signed in as alice@example.org.", "Second factor", "Messages in an hour: 0"] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    let page = until("the sign-in is in the trail", || {
        Some(browser.get("/account")).filter(|page| page.body.contains("Account password"))
    });
    assert!(page.body.contains("127.0.0.1") && !page.body.contains("You are signed in as"), "said once");
    let kept = browser.clone();
    let answer = browser.send(&page, "/sign-out", &[]);
    assert_eq!((answer.location(), answer.header("clear-site-data")), ("/sign-in", Some("\"cache\"")));
    for mut later in [browser, kept] {
        assert_eq!(later.get("/account").location(), "/sign-in", "the cookie is worth nothing any more");
    }
    let trail = installation.json(&["audit", "list", "--user", ALICE]);
    let told: Vec<_> = trail.as_array().unwrap().iter().map(|entry| text(entry, "action")).collect();
    assert_eq!(told[..2], ["sign-out", "login"], "{trail}");
}

/// Nobody learns from the page which addresses there are, nor what was wrong.
#[test]
fn whatever_is_wrong_the_page_is_the_same_and_as_late() {
    let (installation, server) = office();
    installation.add_user("barred@example.org", PASSWORD);
    installation.done(&["user", "disable", "barred@example.org"]);
    installation.done(&["user", "add", "none@example.org"]);
    let (_, app_password) = installation.app_password(ALICE, &[]);
    let mut pages_shown = Vec::new();
    for (address, password) in [
        (ALICE, "anything else"),
        ("nobody@example.org", PASSWORD),
        ("barred@example.org", PASSWORD),
        ("none@example.org", PASSWORD),
        (ALICE, app_password.as_str()),
    ] {
        let mut browser = Browser::new(pages(&server));
        let begun = std::time::Instant::now();
        let answer = sign_in(&mut browser, address, password);
        assert_eq!(answer.status, 422, "{address}: {answer:?}");
        assert!(begun.elapsed() >= std::time::Duration::from_millis(300), "{address}: {:?}", begun.elapsed());
        let token = answer.token("/sign-in");
        pages_shown.push(answer.body.replace(address, "ADDRESS").replace(&token, "TOKEN"));
        assert!(!answer.body.contains(password), "a password is never shown again");
    }
    pages_shown.dedup();
    assert_eq!(pages_shown.len(), 1, "{pages_shown:#?}");
    assert!(pages_shown[0].contains("This address and this password do not belong together."));
}

#[test]
fn too_many_tries_are_told_when_to_come_again_here_as_in_a_mail_program() {
    let (installation, server) = office();
    for number in 0..5 {
        assert_eq!(server.knock(&installation, ALICE, &format!("wrong {number}")).code, 535);
    }
    let answer = sign_in(&mut Browser::new(pages(&server)), ALICE, PASSWORD);
    assert!(answer.status == 429 && answer.body.contains("Too many tries. Again at "), "{answer:?}");
}

#[test]
fn with_a_second_factor_the_code_is_asked_for_on_a_page_of_its_own() {
    let (installation, server) = office();
    let phone = Phone::enrolled(&installation, ALICE);
    let codes = installation.json(&["totp", "confirm", ALICE, &phone.code()]);
    let recovery = codes["recovery_codes"][0].as_str().unwrap();
    let mut browser = Browser::new(pages(&server));
    assert_eq!(browser.get("/sign-in/code").location(), "/sign-in", "the password comes first");
    let answer = sign_in(&mut browser, ALICE, PASSWORD);
    assert_eq!(answer.location(), "/sign-in/code");
    assert_eq!(browser.get("/account").location(), "/sign-in", "half is not enough");
    let page = browser.get("/sign-in/code");
    let answer = browser.send(&page, "/sign-in/code", &[("code", "000000")]);
    assert!(answer.status == 422 && answer.body.contains("This code is not right"), "{answer:?}");
    let answer = browser.send(&page, "/sign-in/code", &[("code", recovery)]);
    assert_eq!(answer.location(), "/account", "{answer:?}");
    assert!(browser.get("/account").body.contains("<dd>9</dd>"), "one recovery code is used up");
    assert!(!browser.cookies.contains_key("gatepost-local-step"), "{:?}", browser.cookies);
    assert!(
        !server.log().contains("event=auth.refused session=")
            || server.log().matches("auth.refused").count() == 1
    );
}

type Headers<'a> = &'a [(&'a str, &'a str)];

/// WEB-02: each form of the pages, sent by whoever could have a browser send it.
#[test]
fn no_form_is_taken_that_a_page_of_ours_has_not_sent() {
    let (installation, server) = office();
    let mut browser = signed_in(&server);
    let mut other = signed_in(&server);
    refuse_foreign_forms(&mut browser, &mut other, |right| {
        !["Admin", "Clients"].contains(&right) && !right.contains("Token")
    });
    assert_eq!(installation.json(&["session", "list", ALICE]).as_array().unwrap().len(), 2);
}

/// WEB-02, of whoever has most to lose.
#[test]
fn no_form_of_administration_is_taken_that_a_page_of_ours_has_not_sent() {
    let (installation, server) = office();
    let (mut admin, mut user) = (administrator(&installation, &server), signed_in(&server));
    let accounts = || {
        let mut accounts = installation.json(&["user", "list"]);
        // When they signed in is written a little later.
        accounts.as_array_mut().unwrap().iter_mut().for_each(|one| one["last_login_at"] = true.into());
        accounts
    };
    let before = accounts();
    refuse_foreign_forms(&mut admin, &mut user, |right| right == "Admin");
    assert_eq!(accounts(), before, "nothing was changed");
}

/// Sends the forms of these rights as no page of ours does that this browser has; `other` is somebody else, signed in.
fn refuse_foreign_forms(browser: &mut Browser, other: &mut Browser, is_meant: fn(&str) -> bool) {
    let token_of = browser.get("/account").token("/sign-out");
    let foreign = other.get("/account").token("/sign-out");
    let origin = browser.origin();
    let ours: &[(&str, &str)] = &[("Origin", &origin), ("Sec-Fetch-Site", "same-origin")];
    let forms: Vec<_> =
        routes().into_iter().filter(|(method, _, right)| *method == "POST" && is_meant(right)).collect();
    assert!(forms.len() > 5, "{forms:?}");
    for (_, path, right) in forms {
        let cases: [(&str, Headers<'_>, &str); 8] = [
            ("no token", ours, ""),
            ("the token of another session", ours, &foreign),
            ("a token for another path", ours, if path == "/sign-out" { "x" } else { &token_of }),
            ("another site", &[("Origin", "https://evil.test"), ("Sec-Fetch-Site", "cross-site")], &token_of),
            ("a sister site", &[("Sec-Fetch-Site", "same-site")], &token_of),
            ("a frame without an origin", &[("Origin", "null")], &token_of),
            ("nobody who says", &[], &token_of),
            ("another port", &[("Origin", "http://127.0.0.1:1")], &token_of),
        ];
        for (what, headers, token) in cases {
            let fields = [("csrf", token), ("address", ALICE), ("password", PASSWORD)];
            let answer = browser.post_with(&path, headers, &fields);
            assert_eq!(answer.status, 403, "{path} ({right}), {what}: {answer:?}");
        }
        let answer = browser.get(&path);
        assert!([200, 303, 404, 405].contains(&answer.status), "{path} by GET: {answer:?}");
        let json = [ours, &[("Content-Type", "text/plain")]].concat();
        let answer = browser.ask("POST", &path, &json, &format!("csrf={token_of}"));
        assert!([403, 415].contains(&answer.status), "{path} as text: {answer:?}");
        let large = "x".repeat(65 * 1024);
        let answer = browser.post_with(&path, ours, &[("csrf", &token_of), ("x", &large)]);
        assert_eq!(answer.status, if ["Anyone", "Link"].contains(&right) { 403 } else { 413 }, "{path}");
    }
    assert_eq!(browser.get("/account").status, 200, "nothing of it has signed anybody out");
}

/// WEB-05: each route, asked for by each kind of visitor.
#[test]
fn every_route_is_for_those_alone_whose_right_it_is() {
    let (installation, server) = office();
    for address in ["half@example.org", "admin@example.org"] {
        installation.run(&["user", "add", address, "--admin", "--password-stdin", "--allow-weak"], PASSWORD);
    }
    let (nobody, user) = (Browser::new(pages(&server)), signed_in(&server));
    let mut half = Browser::new(pages(&server));
    assert_eq!(sign_in(&mut half, "half@example.org", PASSWORD).location(), "/account");
    assert!(half.get("/account").body.contains("open once your account has a second factor"));
    let admin = administrator(&installation, &server);
    let is_page = |path: &str| !path.starts_with("/assets/") && !path.starts_with("/api/");
    for (method, path, right) in routes().into_iter().filter(|(_, path, _)| is_page(path)) {
        let asked = |browser: &Browser| {
            let answer = match method {
                "GET" => browser.clone().get(&path),
                _ => browser.clone().post(&path, &[("csrf", "x")]),
            };
            (answer.status, answer.header("location").unwrap_or_default().to_owned())
        };
        let (to_sign_in, to_account) = ((303, "/sign-in".to_owned()), (303, "/account".to_owned()));
        let told = |status: u16| (status, String::new());
        let found = [&nobody, &user, &half, &admin].map(asked);
        // Where there is a name in the path, nothing has it.
        let there = if path.contains("/x") { told(404) } else { told(200) };
        match (right, method) {
            ("Anyone", "GET") => {
                assert!([there.clone(), to_sign_in].contains(&found[0]), "{path}: {found:?}");
                assert!(
                    [there, to_account].contains(&found[1]) || path == "/sign-in/code",
                    "{path}: {found:?}"
                );
            }
            ("SignedIn", "GET") => {
                assert_eq!(found, [to_sign_in, there.clone(), there.clone(), there], "{path}")
            }
            ("Admin", "GET") => assert_eq!(found, [to_sign_in, told(404), to_account, there], "{path}"),
            ("Link", "GET") => {
                assert_eq!(found, [told(404), told(404), told(404), told(404)], "{path}")
            }
            ("Anyone" | "Link", "POST") => {
                assert_eq!(found, [told(403), told(403), told(403), told(403)], "{path}")
            }
            ("SignedIn", "POST") => {
                assert_eq!(found, [to_sign_in, told(403), told(403), told(403)], "{path}")
            }
            ("Admin", "POST") => assert_eq!(found, [to_sign_in, told(404), to_account, told(403)], "{path}"),
            // Where no domain is named, programs find nothing.
            ("Clients", _) => {
                let there = if path == "/set-up" { told(200) } else { told(404) };
                assert_eq!(found, [there.clone(), there.clone(), there.clone(), there], "{path}")
            }
            ("Problem", "GET") => {
                assert_eq!(found, [there.clone(), there.clone(), there.clone(), there], "{path}")
            }
            ("Metrics" | "Health", "GET") => {
                assert_eq!(found, [told(200), told(200), told(200), told(200)], "{path}")
            }
            other => panic!("nobody has said what is to be seen of {other:?}"),
        }
    }
}

/// An administrator with a second factor, who is signed in.
pub(crate) fn administrator(installation: &Installation, server: &Server) -> Browser {
    let address = "admin@example.org";
    installation.run(&["user", "add", address, "--admin", "--password-stdin", "--allow-weak"], PASSWORD);
    let phone = Phone::enrolled(installation, address);
    let codes = installation.json(&["totp", "confirm", address, &phone.code()]);
    let mut browser = Browser::new(pages(server));
    assert_eq!(sign_in(&mut browser, address, PASSWORD).location(), "/sign-in/code");
    let page = browser.get("/sign-in/code");
    let recovery = codes["recovery_codes"][0].as_str().unwrap();
    assert_eq!(browser.send(&page, "/sign-in/code", &[("code", recovery)]).location(), "/account");
    browser
}

/// With the form of another tab.
#[test]
fn to_sign_in_again_ends_the_session_of_before() {
    let (_installation, server) = office();
    let mut browser = Browser::new(pages(&server));
    let form = browser.get("/sign-in");
    let mut again = browser.clone();
    let fields = [("address", ALICE), ("password", PASSWORD)];
    browser.send(&form, "/sign-in", &fields);
    again.cookies.extend(browser.cookies.clone());
    assert_eq!(again.send(&form, "/sign-in", &fields).location(), "/account");
    assert_eq!(again.get("/account").status, 200);
    assert_eq!(browser.get("/account").location(), "/sign-in");
}

/// WEB-03: what a stranger has put into the browser is no session, and is not taken for one later.
#[test]
fn a_cookie_that_was_planted_is_worth_nothing() {
    let (_installation, server) = office();
    let mut browser = Browser::new(pages(&server));
    let planted = "A".repeat(43);
    for name in ["gatepost-local", "__Host-gatepost"] {
        browser.cookies.insert(name.to_owned(), planted.clone());
    }
    assert_eq!(browser.get("/account").location(), "/sign-in");
    sign_in(&mut browser, ALICE, PASSWORD);
    assert_ne!(browser.cookies["gatepost-local"], planted);
    assert_eq!(browser.get("/account").status, 200);
    let mut over_https_alone = Browser::new(pages(&server));
    over_https_alone.cookies.insert("__Host-gatepost".to_owned(), browser.cookies["gatepost-local"].clone());
    assert_eq!(over_https_alone.get("/account").location(), "/sign-in", "in clear that name is not taken");
}
