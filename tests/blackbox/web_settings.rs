//! What the owner of an account chooses on the pages, its certificates, and what else there is to an app password and a message.

use tests::browser::Browser;
use tests::server::{Installation, Server, Settings, text, until};
use tests::smarthost::{Answer, Script, Smarthost};

use crate::web::{installation, pages};
use crate::web_sign_in::{ALICE, PASSWORD, office, signed_in};

const SETTINGS: &str = "/account/settings";
const CERTIFICATES: &str = "/account/certificates";

/// Hands in a message, with the account password or an app password; its identifier.
fn send(installation: &Installation, server: &Server, password: &str, to: &str) -> String {
    let mut client = server.logged_in(installation, ALICE, password);
    let letter = format!("From: {ALICE}\r\nTo: {to}\r\n\r\nHello.\r\n");
    let reply = client.send(ALICE, &[to], letter.as_bytes()).unwrap();
    assert_eq!(reply.code, 250, "{reply:?}");
    reply.lines[0].rsplit(' ').next().unwrap().to_owned()
}

/// An installation whose pages say this besides, and whose server accepts mail so.
fn installed(web: &str, settings: Settings) -> Installation {
    let installation = installation("");
    let listen = "[[web.listen]]\naddress = \"127.0.0.1:0\"\ntls = \"off\"\n";
    let web = format!("[web]\nbase_url = \"https://mail.example.org\"\npage_rate = 10000\n{web}{listen}");
    installation.configure(&Settings { web, ..settings });
    installation.add_user(ALICE, PASSWORD);
    installation
}

#[test]
fn language_zone_and_colours_are_the_accounts_on_every_page() {
    let (installation, server) = office();
    let mut browser = signed_in(&server);
    let page = browser.get(SETTINGS);
    assert!(page.body.contains("<html lang=\"en\">") && page.body.contains("times: UTC"), "{}", page.body);
    let chosen = [
        ("name", "Alice <Adams>"),
        ("undo", "20"),
        ("language", "de"),
        ("time_zone", "America/New_York"),
        ("colours", "dark"),
    ];
    assert_eq!(browser.send(&page, SETTINGS, &chosen).location(), SETTINGS);
    let page = browser.get(SETTINGS);
    for words in [
        "<html lang=\"de\" data-theme=\"dark\">",
        "Ihre Einstellungen sind gespeichert.",
        "Zeiten: America/New_York",
        "value=\"Alice &#60;Adams&#62;\"",
        "<option value=\"20\" selected>",
    ] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    for path in ["/account", "/account/sign-ins", "/account/messages", "/account/app-passwords"] {
        let page = browser.get(path);
        assert!(page.body.contains("lang=\"de\" data-theme=\"dark\""), "{path}: {}", page.body);
    }
    let user = installation.json(&["user", "show", ALICE]);
    assert_eq!(user["name"], "Alice <Adams>");
    // And what was chosen is undone by choosing nothing.
    let page = browser.get(SETTINGS);
    browser.send(&page, SETTINGS, &[]);
    let page = browser.get(SETTINGS);
    assert!(page.body.contains("<html lang=\"en\">") && page.body.contains("times: UTC"), "{}", page.body);
    let trail = installation.json(&["audit", "list", "--action", "user-settings"]);
    assert_eq!((trail.as_array().unwrap().len(), &trail[0]["via"]), (2, &"web".into()), "{trail}");
}

#[test]
fn nothing_is_taken_that_there_is_not_to_choose() {
    let (installation, server) = office();
    let mut browser = signed_in(&server);
    let page = browser.get(SETTINGS);
    for wrong in [
        ("undo", "3600"),
        ("undo", "soon"),
        ("language", "xx"),
        ("time_zone", "../../etc/passwd"),
        ("colours", "pink"),
    ] {
        assert_eq!(browser.send(&page, SETTINGS, &[wrong]).status, 404, "{wrong:?}");
    }
    let long = "x".repeat(201);
    let answer = browser.send(&page, SETTINGS, &[("name", &long)]);
    assert!(answer.status == 422 && answer.body.contains("longer than 200 characters"), "{answer:?}");
    assert_eq!(installation.json(&["user", "show", ALICE])["name"], serde_json::Value::Null);
}

#[test]
fn a_message_waits_as_long_as_its_owner_has_chosen() {
    // Nobody listens there, if it ever leaves.
    let delivery = "via = \"smtp://127.0.0.1:1\"\ntls = \"off\"".to_owned();
    let installation = installed("", Settings { delivery, ..Settings::default() });
    let server = installation.start();
    let mut browser = signed_in(&server);
    let page = browser.get(SETTINGS);
    assert_eq!(browser.send(&page, SETTINGS, &[("undo", "60")]).location(), SETTINGS);
    let id = send(&installation, &server, PASSWORD, "friend@example.net");
    let message = browser.get(&format!("/account/messages/{id}"));
    assert!(message.body.contains("Can be taken back until"), "{}", message.body);
    assert!(!installation.queue()[0]["not_before"].is_null(), "{:?}", installation.queue());
}

#[test]
fn a_session_lasts_as_long_as_the_configuration_says() {
    let installation = installed("session_idle = \"1m\"\nsession_max = \"1h\"\n", Settings::default());
    let server = installation.start();
    let mut browser = signed_in(&server);
    assert_eq!(browser.get("/account").status, 200);
    drop(server);
    let web = "[web]\nbase_url = \"https://mail.example.org\"\nsession_idle = \"2h\"\nsession_max = \"1h\"\n";
    let wrong = Installation::new(&Settings { web: web.to_owned(), ..Settings::default() });
    let output = wrong.run(&["check"], "");
    assert!(
        !output.status.success() && String::from_utf8_lossy(&output.stdout).contains("web.session_idle: 2h"),
        "{output:?}"
    );
}

#[test]
fn a_certificate_is_pasted_listed_and_removed() {
    let (installation, server) = office();
    let mut browser = signed_in(&server);
    let pair = installation.authority.sign();
    let page = browser.get(CERTIFICATES);
    for (pem, said) in
        [("nonsense", "This is no certificate in PEM form."), (pair.key.as_str(), "This is no certificate")]
    {
        let answer = browser.send(&page, CERTIFICATES, &[("label", "laptop"), ("pem", pem)]);
        assert!(answer.status == 422 && answer.body.contains(said), "{answer:?}");
        assert!(!answer.body.contains("PRIVATE KEY"), "{answer:?}");
    }
    let fields = [("label", "laptop"), ("pem", pair.certificate.as_str())];
    assert_eq!(browser.send(&page, CERTIFICATES, &fields).location(), CERTIFICATES);
    let again = browser.send(&page, CERTIFICATES, &fields);
    assert!(
        again.status == 422
            && again.body.contains("in use already")
            && !again.body.contains(&format!("of {ALICE}"))
    );
    let [one] =
        installation.json(&["certificate", "list", ALICE]).as_array().unwrap().clone().try_into().unwrap();
    let fingerprint = text(&one, "fingerprint");
    let page = browser.get(CERTIFICATES);
    assert!(page.body.contains(&fingerprint), "{}", page.body);
    let remove = format!("{CERTIFICATES}/{fingerprint}/remove");
    let question = browser.get(&remove);
    assert!(question.body.contains("Remove laptop?"), "{}", question.body);
    assert_eq!(browser.send(&question, &remove, &[]).location(), CERTIFICATES);
    assert_eq!(installation.json(&["certificate", "list", ALICE]), serde_json::json!([]));
    assert_eq!(browser.get(&remove).status, 404);
}

#[test]
fn an_app_password_is_good_for_cram_md5_where_that_is_offered_and_its_owner_wants_it() {
    for (auth, is_offered) in [("mechanisms = [\"CRAM-MD5\", \"PLAIN\"]", true), ("", false)] {
        let installation = installed("", Settings { auth: auth.to_owned(), ..Settings::default() });
        let server = installation.start();
        let mut browser = signed_in(&server);
        let page = browser.get("/account/app-passwords/new");
        assert_eq!(page.body.contains("name=\"cram_md5\""), is_offered, "{}", page.body);
        let number =
            page.body.split("name=\"number\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let fields = [("number", number.as_str()), ("label", "printer"), ("cram_md5", "yes")];
        assert_eq!(browser.send(&page, "/account/app-passwords", &fields).status, 200);
        assert_eq!(installation.json(&["app-password", "list", ALICE])[0]["cram_md5"], is_offered);
    }
}

#[test]
fn at_the_limit_those_that_are_used_least_are_shown_to_be_revoked() {
    let auth = "app_passwords_per_account = 1".to_owned();
    let installation = installed("", Settings { auth, ..Settings::default() });
    let (id, _) = installation.app_password(ALICE, &[]);
    let server = installation.start();
    let mut browser = signed_in(&server);
    let page = browser.get("/account/app-passwords/new");
    let number =
        page.body.split("name=\"number\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let fields = [("number", number.as_str()), ("label", "printer")];
    let answer = browser.send(&page, "/account/app-passwords", &fields);
    assert_eq!(answer.status, 409, "{answer:?}");
    let revoke = format!("/account/app-passwords/{id}/revoke");
    assert!(
        answer.body.contains(&revoke) && answer.body.contains("Those that are used least"),
        "{}",
        answer.body
    );
}

#[test]
fn what_was_sent_with_an_app_password_is_counted_and_found() {
    let (installation, server) = office();
    let (id, letters) = installation.app_password(ALICE, &[]);
    let with = send(&installation, &server, &letters, "friend@example.net");
    let without = send(&installation, &server, PASSWORD, "friend@example.net");
    let mut browser = signed_in(&server);
    let link = format!("/account/messages?credential={id}");
    let page = until("it is counted", || {
        Some(browser.get("/account/app-passwords")).filter(|page| page.body.contains(&link))
    });
    assert!(page.body.contains(">1 message</a>"), "{}", page.body);
    let list = until("the ledger has both", || {
        browser.get("/account/messages").body.contains(&without).then(|| browser.get(&link))
    });
    assert!(list.body.contains(&with) && !list.body.contains(&without), "{}", list.body);
    assert!(browser.get("/account/messages?state=delivered").body.contains("Nothing was sent"));
    assert!(browser.get("/account/messages?state=held").body.contains(&with));
    assert!(browser.get(&format!("/account/messages/{with}")).body.contains("a test"), "by its label");
}

#[test]
fn a_message_that_is_still_tried_is_stopped_once_its_owner_was_asked() {
    let answer: Answer =
        Box::new(|line, _| line.starts_with("RCPT").then(|| "450 4.2.0 come <later>".to_owned()));
    let next = Smarthost::start(Script { answer, ..Script::default() });
    let delivery = format!("via = \"smtp://{}\"\ntls = \"off\"", next.address);
    let installation = installed("", Settings { delivery, ..Settings::default() });
    let server = installation.start();
    let id = send(&installation, &server, PASSWORD, "friend@example.net");
    let mut browser = signed_in(&server);
    let path = format!("/account/messages/{id}");
    let stop = format!("{path}/stop");
    let page = until("it was tried, and can be stopped", || {
        Some(browser.get(&path)).filter(|page| page.body.contains(&stop) && page.body.contains("4.2.0"))
    });
    assert!(page.body.contains("come &#60;later&#62;"), "the reply itself: {}", page.body);
    assert!(page.body.contains("asks everybody who is new to come again a little later"), "{}", page.body);
    let question = browser.get(&stop);
    assert!(question.body.contains("Stop ") && installation.queue().len() == 1, "{}", question.body);
    let mut other = Browser::new(pages(&server));
    assert_eq!(other.get(&stop).location(), "/sign-in");
    assert_eq!(browser.send(&question, &stop, &[]).location(), "/account/messages");
    assert!(browser.get("/account/messages").body.contains("The message is stopped."));
    assert!(installation.queue().is_empty());
    let trail = installation.json(&["audit", "list", "--action", "message-stop"]);
    assert_eq!(trail[0]["actor"], ALICE, "{trail}");
}
