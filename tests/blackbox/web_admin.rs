//! The pages of administration that change accounts, limits and the queue: what each does, as the command line tells it afterwards, and what the
//! audit trail has of it.

use serde_json::Value;
use tests::browser::{Answer, Browser};
use tests::server::{Installation, Server, Settings, text, until};

use crate::second_factor::Phone;
use crate::web::{installation, pages};
use crate::web_sign_in::{ALICE, PASSWORD, administrator, office, sign_in};

const ADMIN: &str = "admin@example.org";

/// The page of this account, as links have it.
fn of(address: &str, verb: &str) -> String {
    format!("/admin/accounts/{}{verb}", address.replace('@', "%40"))
}

/// What stands between these in the page.
fn between(answer: &Answer, begin: &str, end: &str) -> String {
    let (_, rest) = answer.body.split_once(begin).unwrap_or_else(|| panic!("no {begin}: {}", answer.body));
    rest.split(end).next().unwrap().to_owned()
}

/// The last entry of the trail with this action: whose account it was about. Done by the administrator, on the pages, in all cases.
fn told(installation: &Installation, action: &str) -> String {
    let trail = installation.json(&["audit", "list", "--action", action]);
    let entry = &trail[0];
    assert_eq!((entry["actor"].as_str(), entry["via"].as_str()), (Some(ADMIN), Some("web")), "{trail}");
    assert_eq!((&entry["ip"], entry["session"].is_string()), (&"127.0.0.1".into(), true), "{trail}");
    text(entry, "account")
}

fn shown(installation: &Installation, address: &str) -> Value {
    installation.json(&["user", "show", address])
}

/// Sends the form that stands on its own page.
fn send(browser: &mut Browser, path: &str, fields: &[(&str, &str)]) -> Answer {
    let page = browser.get(path);
    assert_eq!(page.status, 200, "{page:?}");
    browser.send(&page, path, fields)
}

/// Hands in a message of Alice's; its identifier.
fn hand_in(installation: &Installation, server: &Server, to: &str) -> String {
    let mut client = server.logged_in(installation, ALICE, PASSWORD);
    let letter = format!("From: {ALICE}\r\nSubject: to {to}\r\n\r\nHello.\r\n");
    let reply = client.send(ALICE, &[to], letter.as_bytes()).unwrap();
    assert_eq!(reply.code, 250, "{reply:?}");
    reply.lines[0].rsplit(' ').next().unwrap().to_owned()
}

#[test]
fn an_account_is_made_and_changed() {
    let (installation, server) = office();
    let mut admin = administrator(&installation, &server);
    let new = "/admin/accounts/new";
    for (address, name, status, said) in [
        ("bob", "", 422, "Write an address like"),
        ("bob@example.org", "x\ny", 422, "more than one line"),
        (ALICE, "", 409, "There is an account with this address already."),
    ] {
        let page = admin.get(new);
        let answer = admin.send(&page, "/admin/accounts", &[("address", address), ("name", name)]);
        assert_eq!(answer.status, status, "{answer:?}");
        assert!(
            answer.body.contains(said) && answer.body.contains(&format!("value=\"{address}\"")),
            "{said}"
        );
    }
    let page = admin.get(new);
    let fields = [("address", "Bob@example.org"), ("name", "Bob <b>"), ("admin", "yes")];
    assert_eq!(admin.send(&page, "/admin/accounts", &fields).location(), of("Bob@example.org", ""));
    let page = admin.get(&of("bob@example.org", ""));
    assert!(
        page.body.contains("Bob@example.org is made.") && page.body.contains("Bob &#60;b&#62;"),
        "{page:?}"
    );
    let bob = shown(&installation, "bob@example.org");
    assert_eq!(
        (&bob["name"], &bob["admin"], &bob["password"]),
        (&"Bob <b>".into(), &true.into(), &false.into())
    );
    assert_eq!(told(&installation, "user-add"), "bob@example.org");

    let change = of("Bob@example.org", "/change");
    let answer = send(&mut admin, &change, &[("address", ALICE), ("name", "Bob")]);
    assert!(answer.status == 409 && answer.body.contains("already"), "{answer:?}");
    assert_eq!(shown(&installation, "bob@example.org")["name"], "Bob <b>", "nothing of it");
    let answer = send(&mut admin, &change, &[("address", "rob@example.org"), ("name", "")]);
    assert_eq!(answer.location(), of("rob@example.org", ""), "{answer:?}");
    assert_eq!(admin.get(&change).status, 404);
    let rob = shown(&installation, "rob@example.org");
    assert_eq!((&rob["name"], &rob["admin"]), (&Value::Null, &false.into()));
    for action in ["user-rename", "user-name", "user-admin"] {
        assert_eq!(told(&installation, action), "rob@example.org", "{action}");
    }
    // Logins are written down behind.
    let changes = || {
        let of = |action| installation.json(&["audit", "list", "--action", action]).as_array().unwrap().len();
        ["user-rename", "user-name", "user-admin"].map(of)
    };
    let before = changes();
    let same = [("address", "rob@example.org"), ("name", "")];
    assert_eq!(send(&mut admin, &of("rob@example.org", "/change"), &same).status, 303);
    assert_eq!(changes(), before, "nothing was changed");
}

#[test]
fn a_form_that_was_open_for_a_while_takes_nothing_back_of_what_others_have_done() {
    let (installation, server) = office();
    let mut admin = administrator(&installation, &server);
    installation.run(&["user", "add", "bob@example.org", "--admin"], "");
    let change = of("bob@example.org", "/change");
    let page = admin.get(&change);
    let was = |name: &str| between(&page, &format!("name=\"{name}\" value=\""), "\"");
    let (address, name, is_admin) = (was("was_address"), was("was_name"), was("was_admin"));
    assert_eq!((address.as_str(), name.as_str(), is_admin.as_str()), ("bob@example.org", "", "yes"));
    installation.done(&["user", "admin", "bob@example.org", "off"]);
    let fields = [
        ("address", "bob@example.org"),
        ("name", "Bob"),
        ("admin", "yes"),
        ("was_address", address.as_str()),
        ("was_name", name.as_str()),
        ("was_admin", is_admin.as_str()),
    ];
    assert_eq!(admin.send(&page, &change, &fields).status, 303);
    let bob = shown(&installation, "bob@example.org");
    assert_eq!((&bob["name"], &bob["admin"]), (&"Bob".into(), &false.into()), "an administrator no more");
}

#[test]
fn an_account_has_no_logins_of_another_whose_address_it_was() {
    let (installation, server) = office();
    drop(server.logged_in(&installation, ALICE, PASSWORD));
    let mut admin = administrator(&installation, &server);
    let nobody = "Nobody has signed in yet.";
    until("the trail has the login", || (!admin.get(&of(ALICE, "")).body.contains(nobody)).then_some(()));
    installation.done(&["user", "rename", ALICE, "alina@example.org"]);
    installation.add_user(ALICE, PASSWORD);
    let page = admin.get(&of(ALICE, ""));
    assert!(page.status == 200 && page.body.contains(nobody), "{page:?}");
}

#[test]
fn the_last_administrator_goes_only_if_that_is_meant() {
    let (installation, server) = office();
    let mut admin = administrator(&installation, &server);
    let own = [("address", ADMIN), ("name", "")];
    let answer = send(&mut admin, &of(ADMIN, "/change"), &own);
    assert!(
        answer.status == 422 && answer.body.contains("Nobody would be left to administer."),
        "{answer:?}"
    );
    for verb in ["/disable", "/remove"] {
        let answer = send(&mut admin, &of(ADMIN, verb), &[("typed", ADMIN)]);
        assert!(answer.status == 422 && answer.body.contains("Nobody would be left"), "{verb}: {answer:?}");
    }
    let admins = installation.json(&["user", "list", "--state", "admin"]);
    assert_eq!((admins[0]["address"].as_str(), admins[0]["disabled"].as_bool()), (Some(ADMIN), Some(false)));
    // A disabled one is none.
    installation.run(&["user", "add", "old@example.org", "--admin"], "");
    installation.done(&["user", "disable", "old@example.org"]);
    assert_eq!(send(&mut admin, &of(ADMIN, "/change"), &own).status, 422);
    installation.done(&["user", "enable", "old@example.org"]);
    assert_eq!(send(&mut admin, &of(ADMIN, "/change"), &own).status, 303);
    assert_eq!(shown(&installation, ADMIN)["admin"], false);
    assert_eq!(admin.get("/admin").status, 404, "from the next request on");
    let said = installation.done(&["user", "admin", "old@example.org", "off"]);
    assert!(said.contains("there is no administrator now"), "{said}");
}

#[test]
fn an_account_is_disabled_and_enabled_and_what_it_has_queued_is_held() {
    let (installation, server) = office();
    let mut admin = administrator(&installation, &server);
    let mut alice = Browser::new(pages(&server));
    assert_eq!(sign_in(&mut alice, ALICE, PASSWORD).location(), "/account");
    hand_in(&installation, &server, "friend@example.net");
    let path = of(ALICE, "/disable");
    assert!(admin.get(&path).body.contains("1 message"), "what is queued is said");
    assert_eq!(send(&mut admin, &path, &[("hold", "yes")]).location(), of(ALICE, ""));
    let page = admin.get(&of(ALICE, ""));
    assert!(
        page.body.contains("alice@example.org is disabled.") && page.body.contains("nobody can log in"),
        "{page:?}"
    );
    assert_eq!(shown(&installation, ALICE)["disabled"], true);
    assert_eq!(alice.get("/account").location(), "/sign-in", "its sessions end");
    assert_eq!(installation.queue()[0]["held"], true);
    assert_eq!([told(&installation, "user-disable"), told(&installation, "queue-hold")], [ALICE, ALICE]);
    let answer = admin.send(&page, &of(ALICE, "/enable"), &[]);
    assert_eq!(answer.location(), of(ALICE, ""));
    assert_eq!(shown(&installation, ALICE)["disabled"], false);
    assert_eq!(told(&installation, "user-enable"), ALICE);
}

#[test]
fn an_account_is_removed_and_its_second_factor_switched_off_by_who_types_its_address() {
    let (installation, server) = office();
    let mut admin = administrator(&installation, &server);
    let phone = Phone::enrolled(&installation, ALICE);
    installation.json(&["totp", "confirm", ALICE, &phone.code()]);
    let off = of(ALICE, "/second-factor/off");
    let answer = send(&mut admin, &off, &[("typed", "alice")]);
    assert!(answer.status == 422 && answer.body.contains("not the address of the account"), "{answer:?}");
    assert_eq!(shown(&installation, ALICE)["totp"], true);
    assert_eq!(send(&mut admin, &off, &[("typed", "ALICE@example.org")]).location(), of(ALICE, ""));
    assert_eq!(shown(&installation, ALICE)["totp"], false);
    assert_eq!(told(&installation, "totp-disable"), ALICE);
    assert_eq!(admin.get(&off).status, 404, "it is off");

    hand_in(&installation, &server, "friend@example.net");
    let remove = of(ALICE, "/remove");
    assert_eq!(send(&mut admin, &remove, &[("typed", ADMIN)]).status, 422);
    assert_eq!(send(&mut admin, &remove, &[("typed", ALICE)]).location(), "/admin/accounts");
    assert!(admin.get("/admin/accounts").body.contains("alice@example.org is removed."));
    assert_eq!(admin.get(&of(ALICE, "")).status, 404);
    assert_eq!(installation.json(&["user", "list"]).as_array().unwrap().len(), 1);
    assert_eq!(installation.queue().len(), 1, "what it has sent stays");
    assert_eq!(told(&installation, "user-remove"), ALICE);
}

#[test]
fn an_app_password_is_made_for_a_device_shown_once_and_revoked() {
    let (installation, server) = office();
    let mut admin = administrator(&installation, &server);
    let (form, path) = (of(ALICE, "/app-passwords/new"), of(ALICE, "/app-passwords"));
    let page = admin.get(&form);
    let number = between(&page, "name=\"number\" value=\"", "\"");
    let fields =
        [("number", number.as_str()), ("label", "Printer <2>"), ("ends", "never"), ("sender", ADMIN)];
    let answer = admin.send(&page, &path, &fields);
    assert!(answer.status == 422 && answer.body.contains("may not send as all of these"), "{answer:?}");
    let made = admin.send(&page, &path, &fields[..3]);
    assert_eq!(made.status, 200, "{made:?}");
    let letters = between(&made, "data-copy=\"", "\"");
    assert!(made.body.contains("Printer &#60;2&#62;") && made.body.contains(ALICE), "{}", made.body);
    assert_eq!(admin.send(&page, &path, &fields[..3]).status, 409, "sent again");
    assert_eq!(server.knock(&installation, ALICE, &letters).code, 235);
    assert_eq!(told(&installation, "app-password-create"), ALICE);
    let id = text(&installation.json(&["app-password", "list", ALICE])[0], "id");
    let page = admin.get(&of(ALICE, ""));
    assert!(page.body.contains("Printer &#60;2&#62;") && !page.body.contains(&letters), "{}", page.body);
    assert!(installation.json(&["app-password", "list", ADMIN]).as_array().unwrap().is_empty());
    let revoke = of(ALICE, &format!("/app-passwords/{id}/revoke"));
    assert_eq!(admin.get(&of(ADMIN, &format!("/app-passwords/{id}/revoke"))).status, 404, "of another");
    assert_eq!(send(&mut admin, &revoke, &[]).location(), of(ALICE, ""));
    assert_eq!(server.knock(&installation, ALICE, &letters).code, 535);
    assert_eq!(told(&installation, "app-password-revoke"), ALICE);
}

#[test]
fn identities_and_limits_are_changed() {
    let (installation, server) = office();
    let mut admin = administrator(&installation, &server);
    let path = of(ALICE, "/identities");
    for (sender, status, said) in [
        ("nobody", 422, "Write an address, *@ and a domain, or *."),
        (ALICE, 409, "its own address"),
        ("*@<b>", 422, "*@&#60;b&#62;"),
    ] {
        let answer = send(&mut admin, &path, &[("sender", sender)]);
        assert!(answer.status == status && answer.body.contains(said), "{sender}: {answer:?}");
    }
    assert_eq!(send(&mut admin, &path, &[("sender", "*@example.net")]).location(), path);
    assert_eq!(send(&mut admin, &path, &[("sender", "*@example.net")]).status, 409);
    assert_eq!(installation.json(&["identity", "list", ALICE])[0]["sender"], "*@example.net");
    assert_eq!(told(&installation, "identity-add"), ALICE);
    let page = admin.get(&path);
    assert_eq!(admin.send(&page, &format!("{path}/remove"), &[("sender", "*@example.net")]).location(), path);
    assert!(installation.json(&["identity", "list", ALICE]).as_array().unwrap().is_empty());
    assert_eq!(told(&installation, "identity-remove"), ALICE);

    let path = of(ALICE, "/limits");
    assert!(admin.get(&path).body.contains("empty for 2000, as for all"));
    let answer = send(&mut admin, &path, &[("messages_per_hour", "many")]);
    assert!(answer.status == 422 && answer.body.contains("Write 1 to 10000000, or none."), "{answer:?}");
    assert!(answer.body.contains("value=\"many\""), "what was typed is not lost");
    let fields = [("messages_per_hour", "5"), ("recipients_per_day", "none")];
    assert_eq!(send(&mut admin, &path, &fields).location(), of(ALICE, ""));
    let sending = shown(&installation, ALICE)["sending"].clone();
    assert_eq!(
        (&sending["messages_per_hour"]["limit"], &sending["messages_per_hour"]["own"]),
        (&5.into(), &true.into())
    );
    assert_eq!(
        (&sending["recipients_per_day"]["limit"], &sending["recipients_per_day"]["own"]),
        (&Value::Null, &true.into())
    );
    assert_eq!(sending["messages_per_day"]["own"], false);
    assert_eq!(told(&installation, "user-limit"), ALICE);
    let own = admin.get("/admin/limits?which=own");
    assert!(own.body.contains(ALICE) && !own.body.contains(&of(ADMIN, "/limits")), "{}", own.body);
    assert!(admin.get("/admin/limits").body.contains("There is no such account now."));
    for _ in 0..4 {
        hand_in(&installation, &server, "friend@example.net");
    }
    until("it is near its limit", || {
        admin.get("/admin/limits").body.contains(&of(ALICE, "/limits")).then_some(())
    });
    assert!(!admin.get("/admin/limits?which=reached").body.contains(&of(ALICE, "/limits")));
    until("the list has what was sent", || {
        admin.get("/admin/accounts?q=alice").body.contains("<dd>4</dd>").then_some(())
    });
    assert_eq!(shown(&installation, ALICE)["sent_today"], 4);
}

#[test]
fn accounts_are_found_by_text_state_and_that_nobody_uses_them() {
    let (installation, server) = office();
    let mut admin = administrator(&installation, &server);
    for (query, has_alice, has_admin) in [
        ("", true, true),
        ("?q=alice", true, false),
        ("?state=admin", false, true),
        ("?state=no-second-factor", true, false),
        ("?unused=yes", false, false),
        ("?state=disabled", false, false),
    ] {
        let page = admin.get(&format!("/admin/accounts{query}"));
        let has = [ALICE, ADMIN].map(|address| page.body.contains(&format!("href=\"{}\"", of(address, ""))));
        assert_eq!(has, [has_alice, has_admin], "{query}");
    }
    let unused = installation.json(&["user", "list", "--unused", "0s"]);
    assert!(unused.as_array().unwrap().iter().any(|one| one["address"] == ALICE), "{unused}");
    assert_eq!(installation.json(&["user", "list", "--unused", "90d"]), serde_json::json!([]));
}

#[test]
fn an_account_that_is_locked_out_is_let_in_on_its_page() {
    let (installation, server) = office();
    let mut admin = administrator(&installation, &server);
    for number in 0..5 {
        server.knock(&installation, ALICE, &format!("wrong {number}"));
    }
    let path = of(ALICE, "");
    let page = until("alice is locked out", || {
        Some(admin.get(&path)).filter(|page| page.body.contains("failures, until"))
    });
    assert_eq!(admin.send(&page, &of(ALICE, "/let-in"), &[]).location(), path);
    let page = admin.get(&path);
    assert!(page.body.contains("is let in.") && !page.body.contains("failures, until"), "{}", page.body);
    assert_eq!(told(&installation, "throttle-clear"), ALICE);
}

/// Sends the question about messages, as it stands on this page.
fn operate(browser: &mut Browser, question: &Answer, changed: &[(&str, &str)]) -> Answer {
    let (_, form) = question.body.split_once("action=\"/admin/queue/operate\"").unwrap();
    let hidden = form.split("<input type=\"hidden\" name=\"").skip(1).map(|rest| {
        let mut parts = rest.split('"');
        let name = parts.next().unwrap().to_owned();
        (name, parts.nth(1).unwrap().to_owned())
    });
    let hidden: Vec<_> = hidden.collect();
    let fields = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let fields = fields.filter(|(name, _)| !changed.iter().any(|(other, _)| other == name));
    let fields: Vec<_> = fields.chain(changed.iter().copied()).collect();
    browser.post("/admin/queue/operate", &fields)
}

#[test]
fn messages_are_chosen_and_returned_or_removed_once_somebody_was_asked() {
    let (installation, server) = office();
    let mut admin = administrator(&installation, &server);
    let ids: Vec<_> =
        (0..3).map(|n| hand_in(&installation, &server, &format!("friend{n}@example.net"))).collect();
    let list = admin.get("/admin/queue");
    assert_eq!(list.body.matches("type=\"checkbox\" form=\"bulk\"").count(), 3, "{}", list.body);
    let empty = admin.get("/admin/queue/ask/remove");
    assert_eq!(empty.location(), "/admin/queue");
    assert!(admin.get("/admin/queue").body.contains("No message is chosen"));
    assert_eq!(admin.get("/admin/queue/ask/undo").status, 404);
    assert_eq!(admin.get("/admin/queue/ask/remove?id=nonsense").status, 404);

    let question = admin.get(&format!("/admin/queue/ask/remove?id={}&id={}", ids[0], ids[1]));
    assert!(
        question.body.contains("Remove 2 messages?") && question.body.contains("senders are told nothing")
    );
    assert_eq!(installation.queue().len(), 3, "a question removes nothing");
    assert_eq!(operate(&mut admin, &question, &[]).location(), "/admin/queue");
    assert!(admin.get("/admin/queue").body.contains("Done to 2 messages."));
    assert_eq!(installation.queue().iter().map(|one| text(one, "id")).collect::<Vec<_>>(), [ids[2].clone()]);
    assert_eq!(told(&installation, "queue-remove"), ALICE);

    let question = admin.get(&format!("/admin/queue/ask/bounce?id={}", ids[2]));
    assert!(
        question.body.contains("Return 1 message to the sender?") && question.body.contains("gets a report")
    );
    assert_eq!(operate(&mut admin, &question, &[]).location(), "/admin/queue");
    assert_eq!(told(&installation, "queue-bounce"), ALICE);
    until("it is returned", || {
        installation.queue().iter().all(|one| one["id"] != ids[2].as_str()).then_some(())
    });
}

#[test]
fn what_matches_is_done_to_as_many_as_were_asked_about_and_no_more() {
    let (installation, server) = office();
    let mut admin = administrator(&installation, &server);
    for n in 0..7 {
        hand_in(&installation, &server, &format!("friend{n}@example.net"));
    }
    hand_in(&installation, &server, "friend@example.com");
    let ask = "/admin/queue/ask/release?all=yes&recipient_domain=example.net";
    let question = admin.get(ask);
    assert!(
        question.body.contains("Release 7 messages?") && question.body.contains("And 2 more."),
        "{question:?}"
    );
    assert_eq!(question.body.matches("<h2 class=\"row\">").count(), 5, "a sample");
    hand_in(&installation, &server, "another@example.net");
    let grown = operate(&mut admin, &question, &[]);
    assert_eq!(grown.status, 409, "{grown:?}");
    assert!(grown.body.contains("You were asked about 7, and by now there are 8."), "{}", grown.body);
    assert!(grown.body.contains("name=\"expected\" value=\"8\""), "it asks again");
    assert!(
        installation.json(&["audit", "list", "--action", "queue-release"]).as_array().unwrap().is_empty()
    );
    installation.done(&["queue", "remove", "--recipient-domain", "example.net", "--expect", "8"]);
    let said = installation.run(&["queue", "hold", "--all", "--expect", "2"], "");
    assert!(!said.status.success());
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.contains("nothing is done: 1 message is found, not 2"), "{said}");

    let question = admin.get("/admin/queue/ask/hold?all=yes");
    let fewer = operate(&mut admin, &question, &[("expected", "5")]);
    assert_eq!(fewer.location(), "/admin/queue", "fewer than were seen are fine: {fewer:?}");
    assert_eq!(told(&installation, "queue-hold"), ALICE);
    assert_eq!(admin.get("/admin/queue/ask/hold?all=yes&older_than=soon").status, 404);
    // Behind the question as before it, the list is filtered alike.
    let question = admin.get("/admin/queue/ask/retry?all=yes&state=held&account=alice%40example.org");
    let back = operate(&mut admin, &question, &[]);
    assert_eq!(back.location(), "/admin/queue?account=alice%40example.org&state=held", "{back:?}");
}

/// A message that waits, as it can be taken back for a while.
#[test]
fn a_message_is_held_and_stopped_on_its_page() {
    let installation = installation("");
    let web = "[web]\nbase_url = \"https://mail.example.org\"\npage_rate = 10000\n[[web.listen]]\n\
        address = \"127.0.0.1:0\"\ntls = \"off\"\n";
    let submission = "deduplicate = false\nundo = \"2m\"".to_owned();
    let delivery = installation.maildir_delivery();
    installation.configure(&Settings { web: web.to_owned(), submission, delivery, ..Settings::default() });
    installation.add_user(ALICE, PASSWORD);
    let server = installation.start();
    let mut admin = administrator(&installation, &server);
    let id = hand_in(&installation, &server, "friend@example.net");
    let path = format!("/admin/messages/{id}");
    let page = until("it is in the ledger", || Some(admin.get(&path)).filter(|page| page.status == 200));
    for action in ["/undo", "/stop"].map(|verb| format!("{path}{verb}")) {
        assert!(page.body.contains(&action), "{action}: {}", page.body);
    }
    for verb in ["bounce", "remove"] {
        assert!(page.body.contains(&format!("/admin/queue/ask/{verb}?id={id}")), "{verb}");
    }
    let hold = format!("/admin/queue/{id}/hold");
    assert_eq!(admin.send(&page, &hold, &[("from", "message")]).location(), path);
    assert_eq!(
        (installation.queue()[0]["held"].as_bool(), told(&installation, "queue-hold")),
        (Some(true), ALICE.into())
    );
    let stop = format!("{path}/stop");
    assert_eq!(admin.get(&stop).status, 404, "what is held is not stopped");
    let page = admin.get(&path);
    let release = format!("/admin/queue/{id}/release");
    assert_eq!(admin.send(&page, &release, &[("from", "message")]).location(), path);
    assert!(admin.get(&stop).body.contains("Without it so far: 1 recipient."));
    assert_eq!(installation.queue().len(), 1, "a question stops nothing");
    assert_eq!(send(&mut admin, &stop, &[]).location(), "/admin/messages");
    assert!(admin.get("/admin/messages").body.contains("The message is stopped."));
    assert_eq!((installation.queue().len(), told(&installation, "message-stop")), (0, ALICE.into()));

    let own = hand_in(&installation, &server, "friend@example.net");
    let stop = format!("/account/messages/{own}/stop");
    assert_eq!(admin.get(&stop).status, 404, "of another");
    let mut alice = Browser::new(pages(&server));
    sign_in(&mut alice, ALICE, PASSWORD);
    assert_eq!(send(&mut alice, &stop, &[]).location(), "/account/messages");
    assert!(installation.queue().is_empty());
}

#[test]
fn the_trail_is_filtered_and_taken_along() {
    let (installation, server) = office();
    let mut admin = administrator(&installation, &server);
    server.knock(&installation, "=cmd|calc@example.org", "wrong");
    server.knock(&installation, "\"<b>,x\"@example.org", "wrong");
    until("both are told", || {
        (installation.json(&["audit", "list", "--result", "failure"]).as_array()?.len() >= 2).then_some(())
    });
    let csv = admin.get("/admin/audit.csv");
    assert_eq!(csv.header("content-disposition"), Some("attachment; filename=\"audit.csv\""));
    assert!(csv.header("content-type").unwrap().starts_with("text/csv"));
    assert!(
        csv.body.contains("\"'=cmd|calc@example.org\"") && csv.body.contains("\"\"\"<b>,x\"\"@example.org\""),
        "{}",
        csv.body
    );
    let json = admin.get("/admin/audit.json?result=failure");
    let entries: Value =
        serde_json::from_str(&json.body).unwrap_or_else(|error| panic!("{error}: {}", json.body));
    assert_eq!(entries, installation.json(&["audit", "list", "--result", "failure"]));
    for (query, has) in [
        ("?actor=admin@example.org", false),
        ("?actor=&account=%3Dcmd%7Ccalc@example.org", true),
        ("?network=127.0.0.0/8&action=login", true),
        ("?network=192.0.2.0/24", false),
        ("?since=1d&action=login", true),
        ("?result=failure", true),
    ] {
        let page = admin.get(&format!("/admin/audit{query}"));
        assert_eq!((page.status, page.body.contains("=cmd|")), (200, has), "{query}: {}", page.body);
    }
    let by = |actor: &str| installation.json(&["audit", "list", "--actor", actor]).as_array().unwrap().len();
    send(&mut admin, &of(ALICE, "/limits"), &[("messages_per_hour", "5")]);
    assert!(by(ADMIN) > 0 && by("nobody") == 0);
    assert!(admin.get("/admin/audit?actor=admin@example.org").body.contains("<td>user-limit</td>"));
    let page = admin.get("/admin/audit?network=here");
    assert!(page.status == 200 && page.body.contains("is not understood"), "{page:?}");
    assert_eq!(admin.get("/admin/audit.csv?network=here").status, 404);
}

#[test]
fn the_first_page_has_the_day_in_figures_and_what_was_changed() {
    let (installation, server) = office();
    let mut admin = administrator(&installation, &server);
    hand_in(&installation, &server, "friend@example.net");
    send(&mut admin, &of(ALICE, "/limits"), &[("messages_per_hour", "5")]);
    // What was counted is good for a minute: only the first look is counted anew.
    until("the ledger has it", || {
        (!installation.json(&["message", "list"]).as_array()?.is_empty()).then_some(())
    });
    let page = admin.get("/admin");
    for words in [
        "The last 24 hours",
        "1 message, 1 recipient",
        "user-limit",
        "Nobody is locked out.",
        "href=\"/admin/limits\"",
    ] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    assert!(page.body.contains(&of(ALICE, "")), "{}", page.body);
}
