//! API tokens: made on a page, shown once, and good for what was ticked.

use tests::browser::{Answer, Browser};
use tests::server::{Installation, Server, Settings, text};

use crate::web::{installation, pages};
use crate::web_sign_in::sign_in;

const ALICE: &str = "alice@example.org";
const BOB: &str = "bob@example.org";
const ROOT: &str = "root@example.org";
const PASSWORD: &str = "correct horse";

const TOKENS: &str = "/account/tokens";

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
    assert_eq!(sign_in(&mut browser, address, PASSWORD).location(), "/account");
    browser
}

/// What stands between these in the page.
fn between(answer: &Answer, begin: &str, end: &str) -> String {
    let (_, rest) = answer.body.split_once(begin).unwrap_or_else(|| panic!("no {begin}: {}", answer.body));
    rest.split(end).next().unwrap().to_owned()
}

fn tokens(installation: &Installation, address: &str) -> Vec<serde_json::Value> {
    installation.json(&["token", "list", address]).as_array().unwrap().clone()
}

#[test]
fn a_token_is_made_shown_once_and_revoked_once_its_owner_was_asked() {
    let (installation, server) = office();
    let (mut browser, mut bob) = (signed_in(&server, ALICE), signed_in(&server, BOB));
    assert!(browser.get(TOKENS).body.contains("You have none."));
    let page = browser.get("/account/tokens/new");
    assert!(page.body.contains("account:read") && !page.body.contains("queue:read"), "only what she may");
    let number = between(&page, "name=\"number\" value=\"", "\"");
    let fields = [
        ("number", number.as_str()),
        ("label", "backup on <nas>"),
        ("scope", "messages:read"),
        ("scope", "account:write"),
        ("ends", "30"),
        ("networks", "192.0.2.0/24"),
    ];
    let made = browser.send(&page, TOKENS, &fields);
    assert_eq!((made.status, made.header("cache-control")), (200, Some("no-store")), "{made:?}");
    let token = between(&made, "data-copy=\"", "\"");
    assert!(token.starts_with("gp_") && token.len() == 41, "{token}");
    // The command to try it with would stand in the history of a shell.
    let tried = made.body.contains("curl -H @- https://") && !made.body.contains(&format!("Bearer {token}"));
    assert!(tried, "{}", made.body);
    assert!(made.body.contains("backup on &#60;nas&#62;"), "{}", made.body);
    let again = browser.send(&page, TOKENS, &fields);
    assert!(again.status == 409 && again.body.contains("It was made already"), "{again:?}");
    let list = browser.get(TOKENS).body;
    assert!(list.contains("account:write, messages:read") && !list.contains(&token), "{list}");

    let [one] = tokens(&installation, ALICE).try_into().unwrap();
    assert_eq!(one["scopes"], serde_json::json!(["account:write", "messages:read"]));
    let revoke = format!("{TOKENS}/{}/revoke", text(&one, "id"));
    assert_eq!(bob.get(&revoke).status, 404, "of another");
    let question = browser.get(&revoke);
    assert!(question.body.contains("Revoke backup on &#60;nas&#62;?"), "{}", question.body);
    assert_eq!(tokens(&installation, ALICE).len(), 1, "asking changes nothing");
    assert_eq!(browser.send(&question, &revoke, &[]).location(), TOKENS);
    assert!(browser.get(TOKENS).body.contains("backup on &#60;nas&#62; is revoked."));
    assert!(tokens(&installation, ALICE).is_empty());
    let trail = installation.json(&["audit", "list", "--user", ALICE, "--action", "token-create"]);
    assert_eq!((&trail[0]["via"], &trail[0]["actor"]), (&"web".into(), &ALICE.into()));
}

#[test]
fn what_is_wrong_with_a_wish_is_told_at_its_field_and_nothing_is_made() {
    let (installation, server) = office();
    let mut browser = signed_in(&server, ALICE);
    for (fields, said) in [
        (&[("label", ""), ("scope", "account:read")][..], "Give it a label."),
        (&[("label", "x")], "Tick what the program may do."),
        (&[("label", "x"), ("scope", "everything")], "Tick what the program may do."),
        (&[("label", "x"), ("scope", "queue:read")], "You may not do all of this yourself."),
        (&[("label", "x"), ("scope", "account:read"), ("networks", "home")], "“home” is no network"),
        (
            &[("label", "x"), ("scope", "account:read"), ("ends", "day"), ("day", "2020-01-01")],
            "has not passed",
        ),
        (
            &[("label", "x"), ("scope", "account:read"), ("ends", "day"), ("day", "2100-01-01")],
            "365 days at most",
        ),
    ] {
        let page = browser.get("/account/tokens/new");
        let number = between(&page, "name=\"number\" value=\"", "\"");
        let answer = browser.send(&page, TOKENS, &[&[("number", number.as_str())][..], fields].concat());
        assert!(answer.status == 422 && answer.body.contains(said), "{said}: {answer:?}");
    }
    assert!(tokens(&installation, ALICE).is_empty());
}

#[test]
fn the_metrics_are_shown_elsewhere_to_whoever_has_a_token_for_them() {
    let installation = Installation::new(&Settings::default());
    let web = "[web]\nbase_url = \"https://mail.example.org\"\npage_rate = 10000\nadmin_needs_second_factor = false\n\
        [[web.listen]]\naddress = \"127.0.0.1:0\"\ntls = \"off\"\nserve = [\"metrics\"]\ntrusted_proxies = [\"127.0.0.1\"]\n";
    installation.configure(&Settings { web: web.to_owned(), ..Settings::default() });
    for (address, admin) in [(ALICE, None), (ROOT, Some("--admin"))] {
        let add =
            [&["user", "add", address, "--password-stdin", "--allow-weak"][..], admin.as_slice()].concat();
        assert!(installation.run(&add, PASSWORD).status.success());
    }
    let made = |address: &str, scope: &str| {
        text(&installation.json(&["token", "create", address, "--label", "x", "--scope", scope]), "token")
    };
    let (good, other, hers) =
        (made(ROOT, "metrics:read"), made(ROOT, "queue:read"), made(ALICE, "account:read"));
    let server = installation.start();
    let asked = |authorization: Option<&str>| {
        let mut headers = vec![("X-Forwarded-For", "203.0.113.7"), ("Host", "mail.example.org")];
        headers.extend(authorization.map(|value| ("Authorization", value)));
        Browser::new(pages(&server)).ask("GET", "/metrics", &headers, "")
    };
    let without = asked(None);
    assert_eq!((without.status, without.header("www-authenticate")), (401, Some("Bearer")), "{without:?}");
    let wrong = asked(Some("Bearer gp_nonsense"));
    assert_eq!(wrong.status, 401);
    assert_eq!(wrong.header("www-authenticate"), Some("Bearer error=\"invalid_token\""));
    for lacking in [&other, &hers] {
        let lacking = asked(Some(&format!("Bearer {lacking}")));
        assert_eq!(lacking.status, 403, "{lacking:?}");
        assert!(lacking.header("www-authenticate").unwrap().contains("scope=\"metrics:read\""));
    }
    let shown = asked(Some(&format!("Bearer {good}")));
    assert!(shown.status == 200 && shown.body.contains("gatepost_build_info"), "{shown:?}");
    installation.done(&["token", "revoke", ROOT, tokens(&installation, ROOT)[0]["id"].as_str().unwrap()]);
    assert_eq!(asked(Some(&format!("Bearer {good}"))).status, 401, "from the next request on");
}
