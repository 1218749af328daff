//! What was sent, on the pages: one's own, and for administrators everybody's and the queue.

use tests::browser::Browser;
use tests::server::{Installation, Server, Settings, until};

use crate::web::{installation, pages};
use crate::web_sign_in::{ALICE, PASSWORD, administrator, office, sign_in, signed_in};

const BOB: &str = "bob@example.org";

/// Hands in a message of this account, which calls itself something that a browser would take for markup; its identifier.
fn send(installation: &Installation, server: &Server, from: &str) -> String {
    let mut client = server.logged_in(installation, from, PASSWORD);
    let letter = format!("From: {from}\r\nMessage-ID: <\"<img src=x>\"@example.org>\r\n\r\nHello.\r\n");
    let reply = client.send(from, &["friend@example.net"], letter.as_bytes()).unwrap();
    assert_eq!(reply.code, 250, "{reply:?}");
    reply.lines[0].rsplit(' ').next().unwrap().to_owned()
}

#[test]
fn one_finds_ones_own_messages_and_nobody_elses() {
    let (installation, server) = office();
    installation.add_user(BOB, PASSWORD);
    let (hers, his) = (send(&installation, &server, ALICE), send(&installation, &server, BOB));
    let mut browser = signed_in(&server);
    let list = until("the ledger has it", || {
        Some(browser.get("/account/messages")).filter(|page| page.body.contains(&hers))
    });
    assert!(!list.body.contains(&his), "{}", list.body);
    let trace = browser.get(&format!("/account/messages/{hers}"));
    assert!(trace.status == 200 && trace.body.contains("friend@example.net"), "{trace:?}");
    assert!(!trace.body.contains("<img") && !list.body.contains("<img"), "{}", trace.body);
    for other in [his.as_str(), "x", "00000000000000000000000000"] {
        assert_eq!(browser.get(&format!("/account/messages/{other}")).status, 404, "{other}");
    }
    assert!(browser.get("/account/messages?recipient=nobody@example.net").body.contains("Nothing was sent"));
    assert_eq!(browser.get("/account/messages?after=nonsense").status, 404);
}

#[test]
fn a_message_is_called_by_whom_it_goes_to_and_what_it_was_handed_in_with_by_its_label() {
    let (installation, server) = office();
    let (credential, password) = installation.app_password(ALICE, &[]);
    let mut client = server.logged_in(&installation, ALICE, &password);
    let letter = format!("From: {ALICE}\r\nMessage-ID: <one@example.org>\r\n\r\nHello.\r\n");
    let to = ["friend@example.net", "other@example.net", "third@example.net"];
    let reply = client.send(ALICE, &to, letter.as_bytes()).unwrap();
    let id = reply.lines[0].rsplit(' ').next().unwrap().to_owned();
    for (mut browser, path) in [
        (signed_in(&server), format!("/account/messages/{id}")),
        (administrator(&installation, &server), format!("/admin/messages/{id}")),
    ] {
        let page = until("the ledger has it", || Some(browser.get(&path)).filter(|page| page.status == 200));
        assert!(page.body.contains("To friend@example.net and 2 others</h1>"), "{path}: {}", page.body);
        assert!(page.body.contains("<dd>a test</dd>") && !page.body.contains(&credential), "{path}");
        assert!(page.body.contains("&#60;one@example.org&#62;"), "{path}: {}", page.body);
    }
}

#[test]
fn a_message_is_taken_back_on_its_page_as_long_as_it_can_be() {
    let installation = installation("page_rate = 10000\n");
    let web = "[web]\nbase_url = \"https://mail.example.org\"\npage_rate = 10000\n[[web.listen]]\n\
        address = \"127.0.0.1:0\"\ntls = \"off\"\n";
    let submission = "deduplicate = false\nundo = \"2m\"".to_owned();
    let delivery = installation.maildir_delivery();
    installation.configure(&Settings { web: web.to_owned(), submission, delivery, ..Settings::default() });
    installation.add_user(ALICE, PASSWORD);
    let server = installation.start();
    let id = send(&installation, &server, ALICE);
    let mut browser = signed_in(&server);
    let path = format!("/account/messages/{id}");
    let page = browser.get(&path);
    let answer = browser.send(&page, &format!("{path}/undo"), &[]);
    assert_eq!(answer.location(), "/account/messages", "{answer:?}");
    assert!(browser.get("/account/messages").body.contains("The message is taken back. Nobody gets it."));
    assert!(installation.queue().is_empty());
    let trail = installation.json(&["audit", "list", "--action", "message-undo"]);
    assert_eq!((trail[0]["actor"].as_str(), trail[0]["via"].as_str()), (Some(ALICE), Some("web")), "{trail}");
}

#[test]
fn an_administrator_holds_and_releases_what_waits_and_lets_in_who_is_locked_out() {
    let (installation, server) = office();
    let id = send(&installation, &server, ALICE);
    let mut admin = administrator(&installation, &server);
    for (path, words) in [
        ("/admin", "1 message"),
        ("/admin/accounts", ALICE),
        ("/admin/accounts/alice@example.org", "Messages in an hour"),
        ("/admin/accounts?state=admin", "admin@example.org"),
        ("/admin/queue?account=alice@example.org", "1 recipient"),
        ("/admin/queue?recipient_domain=example.com", "Nothing waits."),
        ("/admin/queue?older_than=soon", "is not understood"),
        ("/admin/audit?action=login", ALICE),
        ("/admin/locked-out", "Nobody is locked out."),
    ] {
        until(path, || admin.get(path).body.contains(words).then_some(()));
    }
    assert_eq!(admin.get("/admin/accounts/nobody@example.org").status, 404);
    let page = admin.get("/admin/queue");
    // With `via = "hold"` it is held from the start.
    assert!(page.body.contains("held"), "{}", page.body);
    let answer = admin.send(&page, &format!("/admin/queue/{id}/release"), &[]);
    assert_eq!(answer.location(), "/admin/queue", "{answer:?}");
    assert!(admin.get("/admin/queue").body.contains("role=\"status\""), "what was done is said");
    for number in 0..5 {
        server.knock(&installation, ALICE, &format!("wrong {number}"));
    }
    let page = until("alice is locked out", || {
        Some(admin.get("/admin/locked-out")).filter(|page| page.body.contains("failures, until"))
    });
    let key = page.body.split("name=\"whom\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let answer = admin.send(&page, "/admin/locked-out/let-in", &[("whom", &key)]);
    assert_eq!(answer.location(), "/admin/locked-out");
    let trail = installation.json(&["audit", "list", "--action", "throttle-clear"]);
    assert_eq!(trail[0]["actor"], "admin@example.org", "{trail}");
}

/// On a listener that does not say so there is no administration, whoever asks.
#[test]
fn administration_is_served_where_the_configuration_says_so() {
    let installation = installation("");
    let listen = "[[web.listen]]\naddress = \"127.0.0.1:0\"\ntls = \"off\"\n";
    let web = format!(
        "[web]\nbase_url = \"https://mail.example.org\"\nadmin_needs_second_factor = false\n{listen}{listen}serve = [\"account\"]\n{listen}serve = [\"admin\"]\n"
    );
    installation.configure(&Settings { web, ..Settings::default() });
    installation.run(&["user", "add", ALICE, "--admin", "--password-stdin", "--allow-weak"], PASSWORD);
    let server = installation.start();
    let mut browser = Browser::new(pages(&server));
    sign_in(&mut browser, ALICE, PASSWORD);
    assert_eq!(browser.get("/admin").status, 200);
    let mut elsewhere = Browser::new(server.until_ready()[3]);
    elsewhere.cookies = browser.cookies.clone();
    assert_eq!((elsewhere.get("/account").status, elsewhere.get("/admin").status), (200, 404));
    // Where administration alone is served, whoever is no administrator finds not even their own account.
    let mut alone = Browser::new(server.until_ready()[4]);
    alone.cookies = browser.cookies.clone();
    assert_eq!((alone.get("/account").status, alone.get("/admin").status), (200, 200));
    installation.run(&["user", "add", "carol@example.org", "--password-stdin", "--allow-weak"], PASSWORD);
    let mut carol = Browser::new(pages(&server));
    sign_in(&mut carol, "carol@example.org", PASSWORD);
    assert_eq!(carol.get("/account").status, 200);
    alone.cookies = carol.cookies.clone();
    assert_eq!((alone.get("/account").status, alone.get("/admin").status), (404, 404));
}
