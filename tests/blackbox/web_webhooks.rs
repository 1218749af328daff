//! Webhooks on the pages of administration: added with a secret that is shown once, tried, told again, and removed.

use serde_json::json;
use tests::browser::{Answer, Browser};
use tests::server::{Installation, Server, text};

use crate::web::{installation, pages};
use crate::web_sign_in::sign_in;

const ROOT: &str = "root@example.org";
const PASSWORD: &str = "correct horse";

const WEBHOOKS: &str = "/admin/webhooks";

fn office() -> (Installation, Server, Browser) {
    let installation = installation("page_rate = 10000\nadmin_needs_second_factor = false\n");
    let add = ["user", "add", ROOT, "--admin", "--password-stdin", "--allow-weak"];
    assert!(installation.run(&add, PASSWORD).status.success());
    let server = installation.start();
    let mut browser = Browser::new(pages(&server));
    assert_eq!(sign_in(&mut browser, ROOT, PASSWORD).location(), "/account");
    (installation, server, browser)
}

/// What stands between these in the page.
fn between(answer: &Answer, begin: &str, end: &str) -> String {
    let (_, rest) = answer.body.split_once(begin).unwrap_or_else(|| panic!("no {begin}: {}", answer.body));
    rest.split(end).next().unwrap().to_owned()
}

/// Adds a webhook as a browser does.
fn add(browser: &mut Browser, fields: &[(&str, &str)]) -> Answer {
    let page = browser.get("/admin/webhooks/new");
    let number = between(&page, "name=\"number\" value=\"", "\"");
    browser.send(&page, WEBHOOKS, &[&[("number", number.as_str())][..], fields].concat())
}

#[test]
fn a_webhook_is_added_tried_and_removed_once_its_administrator_was_asked() {
    let (installation, _server, mut browser) = office();
    assert!(browser.get(WEBHOOKS).body.contains("Nobody is told of anything."));
    let fields = [
        ("url", "https://hooks.example.net/?<b>"),
        ("event", "account.added"),
        ("event", "password.changed"),
    ];
    let added = add(&mut browser, &fields);
    assert_eq!((added.status, added.header("cache-control")), (200, Some("no-store")), "{added:?}");
    let secret = between(&added, "data-copy=\"", "\"");
    assert!(secret.starts_with("whsec_"), "{secret}");
    let [webhook] = installation.json(&["webhook", "list"]).as_array().unwrap().clone().try_into().unwrap();
    assert_eq!(webhook["events"], json!(["account.added", "password.changed"]));
    let one = format!("{WEBHOOKS}/{}", text(&webhook, "id"));
    let page = browser.get(&one);
    assert!(page.body.contains("Nothing yet.") && !page.body.contains(&secret), "{}", page.body);
    assert_eq!(browser.send(&page, &format!("{one}/test"), &[]).location(), one);
    let page = browser.get(&one);
    assert!(page.body.contains("webhook.test") && page.body.contains("It is told now."), "{}", page.body);
    let delivery = text(&installation.json(&["webhook", "list", &text(&webhook, "id")])[0], "id");
    let repeat = format!("{one}/deliveries/{delivery}/repeat");
    assert_eq!(browser.send(&page, &repeat, &[]).location(), one);
    let question = browser.get(&format!("{one}/remove"));
    assert!(question.body.contains("Remove this webhook?"), "{}", question.body);
    assert_eq!(browser.send(&question, &format!("{one}/remove"), &[]).location(), WEBHOOKS);
    assert_eq!(installation.json(&["webhook", "list"]), json!([]));
    assert_eq!(browser.get(&one).status, 404);
    let trail = installation.json(&["audit", "list", "--action", "webhook-add"]);
    assert_eq!((&trail[0]["via"], &trail[0]["actor"]), (&"web".into(), &ROOT.into()));
}

#[test]
fn what_is_wrong_with_a_wish_is_told_at_its_field_and_nothing_is_added() {
    let (installation, _server, mut browser) = office();
    for (fields, said) in [
        (&[("url", "https://hooks.example.net/")][..], "Tick what it is told of."),
        (&[("url", "http://hooks.example.net/"), ("event", "account.added")], "This is not https://"),
        (&[("url", "https://192.0.2.1/"), ("event", "account.added")], "This is not https://"),
    ] {
        let answer = add(&mut browser, fields);
        assert!(answer.status == 422 && answer.body.contains(said), "{said}: {answer:?}");
    }
    assert_eq!(installation.json(&["webhook", "list"]), json!([]));
}
