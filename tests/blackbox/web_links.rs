//! Links on the pages: a device gets an app password by one, and who is invited chooses a password by one.

use std::path::Path;
use std::thread;

use tests::browser::{Answer, Browser};
use tests::server::{Installation, Settings, text, until};

use crate::second_factor::Phone;
use crate::web::{installation, installation_with, pages};
use crate::web_sign_in::{ALICE, PASSWORD, administrator, office, sign_in, signed_in};

const NEW: &str = "battery staple rope ladder";
const APP_PASSWORDS: &str = "/account/app-passwords";

/// Programs that look at links before people do.
const PREVIEWS: [&str; 4] = [
    "WhatsApp/2.23.20.0",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; BingPreview/1.0b)",
    "facebookexternalhit/1.1",
];

/// What stands between these in the page.
fn between(answer: &Answer, begin: &str, end: &str) -> String {
    let (_, rest) = answer.body.split_once(begin).unwrap_or_else(|| panic!("no {begin}: {}", answer.body));
    rest.split(end).next().unwrap().to_owned()
}

/// The path of a link, which begins with the address of the pages.
fn path_of(link: &str) -> String {
    link.strip_prefix("https://mail.example.org").unwrap_or_else(|| panic!("{link}")).to_owned()
}

fn invited(installation: &Installation, more: &[&str]) -> String {
    let arguments = [&["invite", ALICE, "--json"][..], more].concat();
    let new: serde_json::Value = serde_json::from_str(&installation.done(&arguments)).unwrap();
    path_of(&text(&new, "link"))
}

/// Makes a link for a device as a browser does; its page, and the path of the link.
pub(crate) fn device_link(browser: &mut Browser, label: &str) -> (String, String) {
    let form = browser.get("/account/devices/new");
    let made = browser.send(&form, "/account/devices", &[("label", label), ("ends", "never")]);
    assert_eq!(made.status, 303, "{made:?}");
    let page = made.location().to_owned();
    let shown = browser.get(&page);
    (page, path_of(&between(&shown, "id=\"link\" data-copy=\"", "\"")))
}

fn app_passwords(installation: &Installation) -> Vec<serde_json::Value> {
    installation.json(&["app-password", "list", ALICE]).as_array().unwrap().clone()
}

fn trail(installation: &Installation) -> Vec<String> {
    let trail = installation.json(&["audit", "list", "--user", ALICE]);
    let links = |action: &String| action.starts_with("enrolment") || action.starts_with("invitation");
    trail.as_array().unwrap().iter().map(|entry| text(entry, "action")).filter(links).rev().collect()
}

/// Whether these octets stand anywhere below this directory.
fn is_below(directory: &Path, octets: &[u8]) -> bool {
    std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).any(|path| {
        if path.is_dir() {
            return is_below(&path, octets);
        }
        let content = std::fs::read(&path).unwrap_or_default();
        content.windows(octets.len()).any(|part| part == octets)
    })
}

#[test]
fn a_device_gets_its_app_password_by_a_link_that_nothing_but_its_button_uses_up() {
    let (installation, server) = office();
    let mut owner = signed_in(&server);
    let (page, link) = device_link(&mut owner, "Alice’s <phone>");
    assert!(owner.get(&page).body.contains("waits for the device"));
    assert!(owner.get(APP_PASSWORDS).body.contains("Links that wait"));

    let mut device = Browser::new(pages(&server));
    for number in 0..100 {
        let agent = PREVIEWS[number % PREVIEWS.len()];
        for method in ["GET", "HEAD"] {
            let answer = Browser::new(pages(&server)).ask(method, &link, &[("User-Agent", agent)], "");
            assert_eq!(answer.status, 200, "{method} {agent}");
        }
    }
    let question = device.get(&link);
    assert!(question.body.contains("a…@example.org") && question.body.contains("Alice’s &#60;phone&#62;"));
    assert!(!question.body.contains("alice@"), "the address is for who knows it");
    assert!(device.cookies.contains_key("gatepost-local-enrol"));
    assert!(app_passwords(&installation).is_empty());

    let mut stranger = Browser::new(pages(&server));
    stranger.get(&link);
    let token = question.token(&link);
    assert_eq!(stranger.post(&link, &[("csrf", &token)]).status, 403, "a form is of one browser");
    let agent = [("User-Agent", "Phone/1.0"), ("Origin", &device.origin())];
    let made = device.post_with(&link, &agent, &[("csrf", &token)]);
    assert_eq!((made.status, made.header("cache-control")), (200, Some("no-store")), "{made:?}");
    let letters = between(&made, "data-copy=\"", "\"");
    assert_eq!(server.knock(&installation, ALICE, &letters).code, 235);
    let [one] = app_passwords(&installation).try_into().unwrap();
    assert_eq!(one["label"], "Alice’s <phone>");

    let again = device.send(&question, &link, &[]);
    assert_eq!(again.status, 409, "{again:?}");
    for answer in [again, device.get(&link)] {
        assert!(answer.body.contains("This link was used") && answer.body.contains("127.0.0.1"));
        assert!(!answer.body.contains(&letters) && answer.body.contains("That was not you?"));
    }
    let unknown = Browser::new(pages(&server)).get(&format!("/enrol/{}", "0".repeat(32)));
    let used = stranger.get(&link);
    let told = |answer: &Answer| (answer.status, answer.body.split("Request").next().unwrap().to_owned());
    assert_eq!(told(&used), told(&unknown), "to any other browser there is no such page");
    let token = stranger.get("/sign-in").token("/sign-in");
    assert_eq!(stranger.post(&link, &[("csrf", &token)]).status, 403);

    let page = owner.get(&page);
    assert!(page.body.contains("Phone/1.0") && page.body.contains("127.0.0.1"), "{}", page.body);
    assert!(page.body.contains(&format!("{APP_PASSWORDS}/{}/revoke", text(&one, "id"))));
    assert!(!page.body.contains("id=\"link\""));
    assert_eq!(trail(&installation), ["enrolment-make", "enrolment-use"]);
    let made = installation.json(&["audit", "list", "--user", ALICE, "--action", "enrolment-use"]);
    assert_eq!((&made[0]["actor"], &made[0]["ip"]), (&ALICE.into(), &"127.0.0.1".into()));
}

#[test]
fn a_form_that_is_sent_twice_makes_one_link_and_its_app_password_is_good_from_where_it_says() {
    let (installation, server) = office();
    let mut owner = signed_in(&server);
    let form = owner.get("/account/devices/new");
    let with = |networks: &'static str| {
        [("label", "phone"), ("ends", "never"), ("number", "7"), ("networks", networks)]
    };
    let wrong = owner.send(&form, "/account/devices", &with("the office"));
    assert!(wrong.status == 422 && wrong.body.contains("is no network and no address"), "{wrong:?}");
    let made = owner.send(&form, "/account/devices", &with("192.0.2.0/24"));
    assert_eq!(made.status, 303, "{made:?}");
    let again = owner.send(&form, "/account/devices", &with("192.0.2.0/24"));
    assert_eq!(again.location(), APP_PASSWORDS);
    let shown = owner.get(made.location());
    assert!(shown.body.contains("192.0.2.0/24"), "{}", shown.body);
    let link = path_of(&between(&shown, "id=\"link\" data-copy=\"", "\""));
    let mut device = Browser::new(pages(&server));
    let question = device.get(&link);
    assert_eq!(device.send(&question, &link, &[]).status, 200);
    let [one] = app_passwords(&installation).try_into().unwrap();
    assert_eq!(one["networks"], serde_json::json!(["192.0.2.0/24"]));
    assert_eq!(trail(&installation), ["enrolment-make", "enrolment-use"]);
}

#[test]
fn of_two_who_press_the_button_at_once_one_gets_the_password() {
    let (installation, server) = office();
    let mut owner = signed_in(&server);
    for round in 0..3 {
        let (_, link) = device_link(&mut owner, &format!("phone {round}"));
        let mut device = Browser::new(pages(&server));
        let question = device.get(&link);
        let asked: Vec<_> = (0..6)
            .map(|_| {
                let (mut device, question, link) = (device.clone(), question.clone(), link.clone());
                thread::spawn(move || device.send(&question, &link, &[]).status)
            })
            .collect();
        let mut told: Vec<u16> = asked.into_iter().map(|asked| asked.join().unwrap()).collect();
        told.sort_unstable();
        assert_eq!(told, [200, 409, 409, 409, 409, 409], "{round}");
        assert_eq!(app_passwords(&installation).len(), round + 1);
    }
}

#[test]
fn a_link_ends_when_it_is_withdrawn_and_when_the_account_changes() {
    let (installation, server) = office();
    let mut owner = signed_in(&server);
    let (page, link) = device_link(&mut owner, "tablet");
    let mut device = Browser::new(pages(&server));
    let question = device.get(&link);
    let shown = owner.get(&page);
    let withdraw = format!("{page}/withdraw");
    assert_eq!(owner.send(&shown, &withdraw, &[]).location(), APP_PASSWORDS);
    assert!(owner.get(APP_PASSWORDS).body.contains("The link for tablet is withdrawn."));
    assert_eq!(device.send(&question, &link, &[]).status, 404);
    assert_eq!(device.get(&link).status, 404);
    assert!(owner.get(&page).body.contains("withdrawn"));
    assert_eq!(trail(&installation), ["enrolment-make", "enrolment-withdraw"]);

    let links: Vec<_> = (0..5).map(|number| device_link(&mut owner, &format!("phone {number}"))).collect();
    let form = owner.get("/account/devices/new");
    let sixth = owner.send(&form, "/account/devices", &[("label", "one more"), ("ends", "never")]);
    assert!(sixth.status == 409 && sixth.body.contains("5 links wait already"), "{sixth:?}");
    let mut other = signed_in(&server);
    assert!(!other.get(&links[0].0).body.contains("id=\"link\""), "shown in the session that made it");
    let question = device.get(&links[0].1);
    assert_eq!(question.status, 200);
    installation.run(&["user", "password", ALICE, "--password-stdin", "--allow-weak"], NEW);
    for (_, link) in &links {
        assert_eq!(device.get(link).status, 404, "who made it may have been somebody else");
    }
    assert_eq!(device.send(&question, &links[0].1, &[]).status, 404);
    assert!(app_passwords(&installation).is_empty());
}

#[test]
fn nothing_of_a_link_is_made_of_what_the_request_says_or_left_behind() {
    let (installation, server) = office();
    let mut owner = signed_in(&server);
    let form = owner.get("/account/devices/new");
    let token = form.token("/account/devices");
    let evil = [("Host", "localhost"), ("X-Forwarded-Host", "evil.test"), ("Origin", "http://localhost")];
    let fields = [("label", "phone"), ("ends", "never"), ("csrf", token.as_str())];
    let made = owner.post_with("/account/devices", &evil, &fields);
    assert_eq!(made.status, 303, "{made:?}");
    let shown = owner.get(made.location());
    let links = [
        between(&shown, "id=\"link\" data-copy=\"", "\""),
        format!("https://mail.example.org{}", invited(&installation, &[])),
    ];
    for link in &links {
        let mut browser = Browser::new(pages(&server));
        assert_eq!(browser.get(&path_of(link)).status, 200);
    }
    server.terminate();
    let secrets = links.map(|link| link.rsplit('/').next().unwrap().to_owned());
    for secret in &secrets {
        assert_eq!(secret.len(), 32);
        assert!(!is_below(&installation.path("."), secret.as_bytes()), "{secret}");
    }
}

#[test]
fn no_link_stands_in_the_log() {
    let settings = Settings { log: "level = \"debug\"".to_owned(), ..Settings::default() };
    let installation = installation_with("page_rate = 10000\n", settings);
    installation.add_user(ALICE, PASSWORD);
    let server = installation.start();
    let mut owner = signed_in(&server);
    let (_, link) = device_link(&mut owner, "phone");
    let invitation = invited(&installation, &[]);
    let mut browser = Browser::new(pages(&server));
    for path in [&link, &invitation] {
        let page = browser.get(path);
        browser.send(&page, path, &[("new", "short")]);
        browser.get(&format!("{path}x"));
    }
    for request in ["/enrol/{link}", "/invited/{link}"] {
        server.until_logged(request);
    }
    let log = server.log();
    for path in [link, invitation] {
        assert!(!log.contains(path.rsplit('/').next().unwrap()), "{log}");
    }
}

/// The network of those who try too many links is locked out, from its logins too.
#[test]
fn who_guesses_links_is_locked_out() {
    let installation =
        installation("page_rate = 10000\n[auth.throttle]\nnetwork = { failures = 3, window = \"10m\" }\n");
    installation.add_user(ALICE, PASSWORD);
    let server = installation.start();
    let link = invited(&installation, &[]);
    let mut browser = Browser::new(pages(&server));
    let guess = |number: usize| format!("/invited/{number:032}");
    for number in 0..22 {
        assert_eq!(browser.get(&guess(number)).status, 404, "{number}");
    }
    let answer = browser.get(&guess(22));
    assert_eq!(answer.status, 429, "{answer:?}");
    assert!(answer.header("retry-after").is_some());
    assert_eq!(browser.get(&link).status, 429, "nor does it learn which are good");
    assert_eq!(sign_in(&mut browser, ALICE, PASSWORD).status, 429);
    let locked = installation.json(&["throttle", "list"]);
    assert_eq!(locked[0]["kind"], "network", "{locked}");
    installation.done(&["throttle", "clear", "127.0.0.1"]);
    assert_eq!(browser.get(&link).status, 200);
}

#[test]
fn who_is_invited_chooses_a_password_and_only_then_the_link_is_used_up() {
    let (installation, server) = office();
    let mut before = signed_in(&server);
    let (_, letters) = installation.app_password(ALICE, &[]);
    let link = invited(&installation, &[]);
    for _ in 0..20 {
        assert_eq!(Browser::new(pages(&server)).get(&link).status, 200);
    }
    let mut browser = Browser::new(pages(&server));
    let page = browser.get(&link);
    assert!(page.body.contains(ALICE) && page.body.contains("Also revoke all app passwords"));
    for (weak, said) in
        [("x7#qZp!w", "fewer than 12 characters"), (ALICE, "too easy to guess"), ("", "empty")]
    {
        let answer = browser.send(&page, &link, &[("new", weak)]);
        assert!(answer.status == 422 && answer.body.contains(said), "{weak}: {answer:?}");
    }
    let factor = format!("{link}/second-factor");
    assert_eq!(browser.get(&factor).location(), link, "one thing after the other");
    assert_eq!(browser.send(&page, &link, &[("new", NEW)]).location(), factor);
    assert!(before.get("/account").status == 200, "nothing is done yet");
    assert_eq!(sign_in(&mut Browser::new(pages(&server)), ALICE, NEW).status, 422);

    let mut other = Browser::new(pages(&server));
    assert_eq!(
        other.get(&factor).location(),
        link,
        "another browser begins anew, and the link is still good"
    );
    let page = browser.get(&factor);
    let skipped = browser.send(&page, &factor, &[("skip", "yes")]);
    assert!(skipped.status == 200 && skipped.body.contains("Your password is set"), "{skipped:?}");
    assert_eq!(sign_in(&mut Browser::new(pages(&server)), ALICE, NEW).location(), "/account");
    assert_eq!(before.get("/account").location(), "/sign-in", "sessions of before end");
    assert_eq!(server.knock(&installation, ALICE, &letters).code, 235, "app passwords stay");
    assert_eq!(other.get(&link).status, 404);
    assert!(browser.get(&link).body.contains("Your password is set"), "this browser is told");
    assert_eq!(trail(&installation), ["invitation-make", "invitation-use"]);
    let used = installation.json(&["audit", "list", "--user", ALICE, "--action", "password-set"]);
    assert_eq!((&used[0]["actor"], &used[0]["via"]), (&ALICE.into(), &"web".into()));
}

#[test]
fn the_second_factor_is_set_up_together_with_the_password_and_app_passwords_go_if_that_is_chosen() {
    let (installation, server) = office();
    let (_, letters) = installation.app_password(ALICE, &[]);
    let (first, link) = (invited(&installation, &["--expires", "7d"]), invited(&installation, &[]));
    let mut browser = Browser::new(pages(&server));
    assert_eq!(browser.get(&first).status, 404, "another has taken its place");
    let page = browser.get(&link);
    let factor = format!("{link}/second-factor");
    assert_eq!(browser.send(&page, &link, &[("new", NEW), ("revoke", "yes")]).location(), factor);
    let scan = browser.get(&factor);
    let seed = between(&scan, "<code id=\"seed\">", "<").replace(' ', "");
    let wrong = browser.send(&scan, &factor, &[("code", "000000")]);
    assert!(wrong.status == 422 && wrong.body.contains("This code is not right"), "{wrong:?}");
    assert_eq!(server.knock(&installation, ALICE, &letters).code, 235, "nothing is done yet");
    let phone = Phone { seed };
    let done = browser.send(&wrong, &factor, &[("code", &phone.code())]);
    assert_eq!((done.status, done.body.matches("<li><code>").count()), (200, 10), "{done:?}");
    let again = browser.get(&factor);
    assert!(again.status == 200 && !again.body.contains("<li><code>"), "codes are shown once: {again:?}");
    assert_eq!(installation.json(&["user", "show", ALICE])["totp"], true);
    assert_eq!(server.knock(&installation, ALICE, &letters).code, 535);
    let recovery = between(&done, "<li><code>", "<");
    let mut new = Browser::new(pages(&server));
    assert_eq!(sign_in(&mut new, ALICE, NEW).location(), "/sign-in/code");
    let page = new.get("/sign-in/code");
    assert_eq!(new.send(&page, "/sign-in/code", &[("code", &recovery)]).location(), "/account");
}

#[test]
fn a_second_factor_is_not_got_around_unless_an_administrator_says_that_it_is_lost() {
    let (installation, server) = office();
    let phone = Phone::enrolled(&installation, ALICE);
    let codes = installation.json(&["totp", "confirm", ALICE, &phone.code()]);
    let recovery = codes["recovery_codes"][0].as_str().unwrap();
    let link = invited(&installation, &[]);
    let mut browser = Browser::new(pages(&server));
    let page = browser.get(&link);
    for code in ["", "000000"] {
        let answer = browser.send(&page, &link, &[("new", NEW), ("code", code)]);
        assert!(answer.status == 422 && answer.body.contains("This code is not right"), "{code}: {answer:?}");
    }
    let factor = format!("{link}/second-factor");
    assert_eq!(browser.get(&factor).location(), link, "there is no way around");
    let done = browser.send(&page, &link, &[("new", NEW), ("code", recovery)]);
    assert!(done.status == 200 && done.body.contains("Your password is set"), "{done:?}");
    assert_eq!(installation.json(&["user", "show", ALICE])["totp"], true, "it stays");

    let mut admin = administrator(&installation, &server);
    let path = format!("/admin/accounts/{ALICE}/invite");
    let form = admin.get(&path);
    let fields =
        |typed: &'static str| [("address", ALICE), ("hours", "24"), ("lost", "yes"), ("typed", typed)];
    for typed in ["", "bob@example.org"] {
        let answer = admin.send(&form, "/admin/invitations", &fields(typed));
        assert!(
            answer.status == 422 && answer.body.contains("Type the address of this account"),
            "{answer:?}"
        );
    }
    let made = admin.send(&form, "/admin/invitations", &fields("Alice@EXAMPLE.org"));
    assert_eq!(made.status, 200, "{made:?}");
    let link = path_of(&between(&made, "id=\"link\" data-copy=\"", "\""));
    let account = admin.get(&format!("/admin/accounts/{ALICE}"));
    assert!(account.body.contains("goes without its code") && !account.body.contains(&link));
    let told = installation.json(&["audit", "list", "--user", ALICE, "--action", "invitation-make"]);
    let told: Vec<_> =
        told.as_array().unwrap().iter().map(|entry| (&entry["scope"], &entry["actor"])).collect();
    assert_eq!(
        told[0],
        (&"second-factor-lost".into(), &"admin@example.org".into()),
        "newest first, told apart"
    );
    assert_eq!(told[1].0, &serde_json::Value::Null);
    let mut browser = Browser::new(pages(&server));
    let page = browser.get(&link);
    assert!(!page.body.contains("name=\"code\""));
    let factor = format!("{link}/second-factor");
    assert_eq!(browser.send(&page, &link, &[("new", "rope ladder battery staple")]).location(), factor);
    assert_eq!(installation.json(&["user", "show", ALICE])["totp"], true, "not before the end");
    let page = browser.get(&factor);
    assert_eq!(browser.send(&page, &factor, &[("skip", "yes")]).status, 200);
    assert_eq!(installation.json(&["user", "show", ALICE])["totp"], false);
}

#[test]
fn a_second_factor_that_was_set_up_after_the_invitation_is_asked_for_and_its_owner_can_withdraw_that() {
    let (installation, server) = office();
    let mut owner = signed_in(&server);
    assert!(!owner.get("/account").body.contains("Withdraw the invitation"));
    let link = invited(&installation, &["--second-factor-lost"]);
    let phone = Phone::enrolled(&installation, ALICE);
    installation.json(&["totp", "confirm", ALICE, &phone.code()]);
    let mut browser = Browser::new(pages(&server));
    let page = browser.get(&link);
    assert!(page.body.contains("name=\"code\""), "{page:?}");
    assert_eq!(browser.send(&page, &link, &[("new", NEW)]).status, 422);

    installation.done(&["totp", "disable", ALICE, "--yes"]);
    let mut owner = signed_in(&server);
    let page = owner.get("/account");
    assert!(page.body.contains("can choose another password for your account"), "{page:?}");
    assert_eq!(owner.send(&page, "/account/invitation/withdraw", &[]).location(), "/account");
    assert!(owner.get("/account").body.contains("The invitation of alice@example.org is withdrawn."));
    assert_eq!(browser.get(&link).status, 404);
}

#[test]
fn an_administrator_invites_and_withdraws_and_the_invitation_of_an_account_that_is_barred_is_over() {
    let (installation, server) = office();
    let mut admin = administrator(&installation, &server);
    let account = format!("/admin/accounts/{ALICE}");
    let form = admin.get(&format!("{account}/invite"));
    let fields = [("address", ALICE), ("hours", "168"), ("number", "7")];
    let made = admin.send(&form, "/admin/invitations", &fields);
    let reloaded = admin.send(&form, "/admin/invitations", &fields);
    assert!(
        reloaded.status == 303 && reloaded.location().starts_with("/admin/accounts/alice"),
        "{reloaded:?}"
    );
    assert!(admin.get(&account).body.contains("its link is not shown again"), "and stays good");
    let link = path_of(&between(&made, "id=\"link\" data-copy=\"", "\""));
    let mut browser = Browser::new(pages(&server));
    let question = browser.get(&link);
    assert_eq!(question.status, 200);
    assert!(!form.body.contains("The link opens nothing before"));
    installation.done(&["user", "disable", ALICE]);
    assert_eq!(browser.get(&link).status, 404);
    assert!(admin.get(&format!("{account}/invite")).body.contains("The link opens nothing before"));
    installation.done(&["user", "enable", ALICE]);
    assert_eq!(browser.get(&link).status, 200);
    let page = admin.get(&account);
    assert!(page.body.contains("admin@example.org"), "who made it");
    let answer = admin.send(&page, "/admin/invitations/withdraw", &[("address", ALICE)]);
    assert!(answer.location().starts_with("/admin/accounts/alice"), "{answer:?}");
    assert!(admin.get(&account).body.contains("The invitation of alice@example.org is withdrawn."));
    assert_eq!(browser.send(&question, &link, &[("new", NEW)]).status, 404);
    assert_eq!(admin.send(&form, "/admin/invitations", &[("address", ALICE), ("hours", "9999")]).status, 404);
    assert_eq!(admin.get("/admin/accounts/nobody@example.org/invite").status, 404);
}

#[test]
fn where_everybody_needs_a_second_factor_one_is_led_to_set_it_up() {
    let installation = installation("page_rate = 10000\nsecond_factor = \"required\"\n");
    installation.add_user(ALICE, PASSWORD);
    let server = installation.start();
    let mut browser = signed_in(&server);
    for path in ["/account", APP_PASSWORDS, "/account/devices/new", "/admin"] {
        assert_eq!(browser.get(path).location(), "/account/second-factor", "{path}");
    }
    let page = browser.get("/account/second-factor");
    assert!(page.body.contains("Everybody needs a second factor here."), "{}", page.body);
    let scan = browser.send(&page, "/account/second-factor/prepare", &[]);
    let seed = between(&scan, "<code id=\"seed\">", "<").replace(' ', "");
    let path = "/account/second-factor/confirm";
    assert_eq!(browser.send(&scan, path, &[("code", &Phone { seed }.code())]).status, 200);
    assert_eq!(browser.get("/account").status, 200);

    let link = invited(&installation, &["--second-factor-lost"]);
    let mut invited = Browser::new(pages(&server));
    let page = invited.get(&link);
    let factor = format!("{link}/second-factor");
    assert_eq!(invited.send(&page, &link, &[("new", NEW)]).location(), factor);
    let page = invited.get(&factor);
    assert!(!page.body.contains("Skip it for now"));
    assert_eq!(invited.send(&page, &factor, &[("skip", "yes")]).status, 422, "nor by hand");
}

#[test]
fn an_invitation_needs_pages_to_lead_to_and_a_time_that_it_can_have() {
    let installation = Installation::new(&tests::server::Settings::default());
    installation.add_user(ALICE, PASSWORD);
    let said = installation.run(&["invite", ALICE], "");
    let told = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(!said.status.success() && told.contains("web.base_url is not set"), "{told}");
    for time in ["4m", "8d", "soon"] {
        let said = installation.run(&["invite", ALICE, "--expires", time], "");
        assert_eq!(said.status.code(), Some(2), "{time}");
    }
    let with_pages = crate::web::installation("");
    with_pages.add_user(ALICE, PASSWORD);
    let link = with_pages.done(&["invite", ALICE, "--expires", "5m"]);
    assert!(link.starts_with("https://mail.example.org/invited/") && link.trim().len() == 65, "{link}");
    let told = with_pages.json(&["invite", ALICE]);
    assert_eq!((&told["account"], &told["second_factor_lost"]), (&ALICE.into(), &false.into()));
    with_pages.done(&["user", "disable", ALICE]);
    let disabled = with_pages.run(&["invite", ALICE], "");
    assert!(String::from_utf8_lossy(&disabled.stderr).contains("is disabled"), "{disabled:?}");
    let nobody = with_pages.run(&["invite", "nobody@example.org"], "");
    assert!(String::from_utf8_lossy(&nobody.stderr).contains("there is no account nobody@example.org"));
}

/// The first steps of a new account, which are shown until it has sent something.
#[test]
fn a_new_account_is_shown_its_first_steps_until_it_has_sent_something() {
    let (installation, server) = office();
    let mut browser = signed_in(&server);
    let page = browser.get("/account");
    assert!(page.body.contains("Three steps") && page.body.matches("to do").count() == 3, "{}", page.body);
    let (_, letters) = installation.app_password(ALICE, &[]);
    assert_eq!(browser.get("/account").body.matches("to do").count(), 2);
    let mut client = server.logged_in(&installation, ALICE, &letters);
    let letter = format!("From: {ALICE}\r\nSubject: hello\r\n\r\nhello\r\n");
    assert_eq!(client.send(ALICE, &[ALICE], letter.as_bytes()).unwrap().code, 250);
    until("the steps are gone", || (!browser.get("/account").body.contains("Three steps")).then_some(()));
}
