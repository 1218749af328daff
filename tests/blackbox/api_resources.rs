//! The API, resource by resource: what is shown is what the command line shows, and what is changed is changed.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::server::{Installation, Server, Settings, text, until};

use crate::api::{
    ADMIN, ALICE, BOB, OWN, PASSWORD, Program, json_of, office, office_with, program, see_problem, web,
};

const APP_PASSWORDS: &str = "/api/v1/account/app-passwords";

fn items(page: &Value) -> Vec<Value> {
    page["items"].as_array().unwrap_or_else(|| panic!("{page}")).clone()
}

/// Hands in a message; its identifier.
fn send(installation: &Installation, server: &Server, from: &str) -> String {
    let mut client = server.logged_in(installation, from, PASSWORD);
    let letter = format!("From: {from}\r\nMessage-ID: <1@example.org>\r\n\r\nHello.\r\n");
    let reply = client.send(from, &["friend@example.net"], letter.as_bytes()).unwrap();
    reply.lines[0].rsplit(' ').next().unwrap().to_owned()
}

/// A program that may do all that an administrator may.
fn administration(installation: &Installation, server: &Server) -> Program {
    let scopes = [
        "account:write",
        "messages:write",
        "accounts:write",
        "queue:write",
        "throttles:write",
        "audit:read",
        "limits:write",
    ];
    program(installation, server, ADMIN, &scopes)
}

#[test]
fn the_same_object_is_the_same_json_as_at_the_command_line() {
    let (installation, server) = office();
    installation.app_password(ALICE, &["--network", "192.0.2.0/24", "--expires", "90d"]);
    installation.done(&["identity", "add", ALICE, "*@example.com"]);
    let fingerprint = "aa".repeat(32);
    installation.done(&["certificate", "add", ALICE, "--fingerprint", &fingerprint, "--label", "printer"]);
    let (own, admin) = (program(&installation, &server, ALICE, &OWN), administration(&installation, &server));
    let id = send(&installation, &server, ALICE);
    until("the ledger has it, and login and message are noted", || {
        let account = own.get("/api/v1/account");
        let is_noted = !account["last_login_at"].is_null()
            && account["sending"]["messages_per_hour"]["used"] == 1
            && account["sending"]["new_recipients_per_day"]["used"] == 1;
        (is_noted && !items(&own.get("/api/v1/messages")).is_empty()).then_some(())
    });
    let (message, queued) = (format!("/messages/{id}"), format!("/queue/{id}"));
    for (path, arguments) in [
        ("/account", &["user", "show", ALICE][..]),
        ("/account/app-passwords", &["app-password", "list", ALICE]),
        ("/account/identities", &["identity", "list", ALICE]),
        ("/account/certificates", &["certificate", "list", ALICE]),
        ("/account/second-factor", &["totp", "status", ALICE]),
        ("/account/sessions", &["session", "list", ALICE]),
        ("/account/sending", &["user", "limit", ALICE]),
        ("/messages", &["message", "list", "--account", ALICE]),
        (message.as_str(), &["message", "show", id.as_str()]),
    ] {
        let shown = own.get(&format!("/api/v1{path}"));
        let shown = if shown["items"].is_array() { shown["items"].clone() } else { shown };
        assert_eq!(shown, installation.json(arguments), "{path}");
    }
    for (path, arguments) in [
        ("/accounts", &["user", "list"][..]),
        ("/accounts/alice@example.org", &["user", "show", ALICE]),
        ("/accounts/alice@example.org/app-passwords", &["app-password", "list", ALICE]),
        ("/accounts/alice@example.org/identities", &["identity", "list", ALICE]),
        ("/accounts/alice@example.org/limits", &["user", "limit", ALICE]),
        ("/messages", &["message", "list"]),
        ("/queue", &["queue", "list"]),
        ("/queue/stats", &["queue", "stats"]),
        (queued.as_str(), &["queue", "show", id.as_str()]),
        ("/throttles", &["throttle", "list"]),
        ("/audit?action=identity-add", &["audit", "list", "--action", "identity-add"]),
    ] {
        let shown = admin.get(&format!("/api/v1/admin{path}"));
        let shown = if shown["items"].is_array() { shown["items"].clone() } else { shown };
        assert_eq!(shown, installation.json(arguments), "{path}");
    }
}

#[test]
fn an_app_password_is_made_shown_once_relabelled_and_revoked() {
    let (installation, server) = office();
    let (own, other) =
        (program(&installation, &server, ALICE, &OWN), program(&installation, &server, BOB, &OWN));
    let made = own.post(APP_PASSWORDS, &json!({"label": "phone", "networks": ["127.0.0.1"]}));
    assert_eq!(made.status, 201, "{made:?}");
    let new = json_of(&made);
    let (id, letters) = (text(&new, "id"), text(&new, "password"));
    let path = format!("{APP_PASSWORDS}/{id}");
    assert_eq!(made.header("location"), Some(path.as_str()));
    assert_eq!(server.knock(&installation, ALICE, &letters).code, 235);
    let shown = own.get(&path);
    assert_eq!((&shown["label"], &shown["networks"]), (&json!("phone"), &json!(["127.0.0.1/32"])));
    assert!(shown["password"].is_null(), "{shown}");
    for method in ["GET", "DELETE"] {
        see_problem(&other.ask(method, &path, &[], ""), 404, "no-app-password");
    }
    see_problem(&other.ask("PATCH", &path, &[], "{\"label\": \"mine\"}"), 404, "no-app-password");
    let merge = [("Content-Type", "application/merge-patch+json")];
    let relabelled = own.ask("PATCH", &path, &merge, "{\"label\": \"old phone\"}");
    assert_eq!(json_of(&relabelled)["label"], "old phone", "{relabelled:?}");
    see_problem(&own.ask("PATCH", &path, &[], "{\"label\": \" \"}"), 422, "invalid");
    assert_eq!(own.ask("PATCH", &path, &[], "{}").status, 200);
    see_problem(&own.post(APP_PASSWORDS, &json!({"label": "x", "senders": [BOB]})), 422, "not-covered");
    assert_eq!(own.ask("DELETE", &path, &[], "").status, 204);
    see_problem(&own.ask("DELETE", &path, &[], ""), 404, "no-app-password");
    assert_eq!(server.knock(&installation, ALICE, &letters).code, 535);
    let trail = installation.json(&["audit", "list", "--action", "app-password-create"]);
    assert_eq!((&trail[0]["actor"], &trail[0]["via"]), (&json!(ALICE), &json!("api")), "{trail}");
}

/// WEB: a program that hears no answer asks again, and there are not two.
#[test]
fn a_request_that_is_repeated_is_done_once_and_its_secret_is_not_kept() {
    let (installation, server) = office();
    let own = program(&installation, &server, ALICE, &OWN);
    let ask = |key: &str, body: &str| own.ask("POST", APP_PASSWORDS, &[("Idempotency-Key", key)], body);
    let body = "{\"label\": \"phone\"}";
    let first = ask("1", body);
    assert_eq!((first.status, first.header("idempotency-replayed")), (201, None), "{first:?}");
    let again = ask("1", body);
    assert_eq!((again.status, again.header("idempotency-replayed")), (200, Some("true")), "{again:?}");
    let (first, again) = (json_of(&first), json_of(&again));
    assert_eq!(first["id"], again["id"]);
    assert!(again["password"].is_null() && first["password"].is_string());
    see_problem(&ask("1", "{\"label\": \"other\"}"), 422, "idempotency-key-reused");
    see_problem(&ask(&"x".repeat(129), body), 422, "invalid");
    // What was refused was not done, and may be done with the same key.
    see_problem(&ask("2", "{\"label\": \"\"}"), 422, "invalid");
    assert_eq!(ask("2", body).status, 201);
    // Another token has its own keys.
    let other = program(&installation, &server, BOB, &OWN);
    assert_eq!(other.ask("POST", APP_PASSWORDS, &[("Idempotency-Key", "1")], body).status, 201);
    assert_eq!(installation.json(&["app-password", "list", ALICE]).as_array().unwrap().len(), 2);
    let many: Vec<_> = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..8).map(|_| scope.spawn(|| ask("3", body))).collect();
        asked.into_iter().map(|one| one.join().unwrap().status).collect()
    });
    assert_eq!(many.iter().filter(|status| **status == 201).count(), 1, "{many:?}");
    assert!(many.iter().all(|status| [200, 201, 409].contains(status)), "{many:?}");
    assert_eq!(installation.json(&["app-password", "list", ALICE]).as_array().unwrap().len(), 3);
    let password = text(&first, "password");
    let files = std::fs::read_dir(installation.path("store")).unwrap();
    for file in files.map(|file| file.unwrap().path()).filter(|path| path.is_file()) {
        let octets = std::fs::read(&file).unwrap();
        let is_there = octets.windows(password.len()).any(|part| part == password.as_bytes());
        assert!(!is_there, "{}", file.display());
    }
}

#[test]
fn a_cursor_stays_good_while_items_come_and_go() {
    let (installation, server) = office();
    let admin = administration(&installation, &server);
    for n in 0..7 {
        installation.add_user(&format!("m{n}@example.org"), PASSWORD);
    }
    let page = |after: Option<&str>| {
        let after = after.map(|after| format!("&after={after}")).unwrap_or_default();
        admin.get(&format!("/api/v1/admin/accounts?limit=3{after}"))
    };
    let first = page(None);
    let names = |page: &Value| items(page).iter().map(|one| text(one, "address")).collect::<Vec<_>>();
    assert_eq!(names(&first), [ADMIN, ALICE, BOB]);
    let next = text(&first, "next");
    installation.done(&["user", "remove", BOB, "--yes"]);
    installation.add_user("a0@example.org", PASSWORD);
    let second = page(Some(&next));
    assert_eq!(names(&second), ["m0@example.org", "m1@example.org", "m2@example.org"]);
    let third = page(Some(&text(&second, "next")));
    let last = page(Some(&text(&third, "next")));
    assert_eq!(names(&third).len() + names(&last).len(), 4);
    assert!(last["next"].is_null(), "{last}");
    see_problem(&admin.ask("GET", "/api/v1/admin/queue?after=bm9uc2Vuc2U", &[], ""), 422, "invalid");
}

#[test]
fn accounts_are_changed_by_whoever_knows_how_they_are() {
    let (installation, server) = office();
    let admin = administration(&installation, &server);
    let made = admin.post("/api/v1/admin/accounts", &json!({"address": "c+d@example.org", "name": "Carol"}));
    assert_eq!((made.status, json_of(&made)["password"].as_bool()), (201, Some(false)), "{made:?}");
    let path = made.header("location").unwrap().to_owned();
    assert_eq!(admin.get(&path)["name"], "Carol");
    see_problem(&admin.post("/api/v1/admin/accounts", &json!({"address": ALICE})), 409, "account-exists");
    see_problem(&admin.post("/api/v1/admin/accounts", &json!({"address": "x"})), 422, "invalid");

    see_problem(&admin.ask("PATCH", &path, &[], "{\"disabled\": true}"), 428, "precondition-required");
    see_problem(&admin.ask("DELETE", &path, &[], ""), 428, "precondition-required");
    let before = admin.ask("GET", &path, &[], "");
    let tag = before.header("etag").unwrap();
    let changed = admin.ask("PATCH", &path, &[("If-Match", tag)], "{\"disabled\": true}");
    assert_eq!(json_of(&changed)["disabled"], true, "{changed:?}");
    assert_ne!(changed.header("etag"), Some(tag));
    see_problem(
        &admin.ask("PATCH", &path, &[("If-Match", tag)], "{\"disabled\": false}"),
        412,
        "precondition-failed",
    );
    see_problem(&admin.ask("DELETE", &path, &[("If-Match", tag)], ""), 412, "precondition-failed");
    let renamed = json_of(&admin.patch(&path, &json!({"address": "carol@example.org", "disabled": false})));
    assert_eq!((&renamed["address"], &renamed["disabled"]), (&json!("carol@example.org"), &json!(false)));
    let path = "/api/v1/admin/accounts/carol@example.org";
    let taken = json!({"address": ALICE, "undo_seconds": 5, "disabled": true});
    see_problem(&admin.patch(path, &taken), 409, "account-exists");
    let left = admin.get(path);
    assert_eq!((&left["undo_seconds"], &left["disabled"]), (&json!(null), &json!(false)), "all or nothing");
    see_problem(&admin.patch(path, &json!({"password": "x"})), 422, "invalid");

    let own = format!("/api/v1/admin/accounts/{ADMIN}");
    for change in [json!({"admin": false}), json!({"disabled": true, "undo_seconds": 5})] {
        see_problem(&admin.patch(&own, &change), 409, "last-administrator");
    }
    let tag = admin.ask("GET", &own, &[], "").header("etag").unwrap().to_owned();
    see_problem(&admin.ask("DELETE", &own, &[("If-Match", &tag)], ""), 409, "last-administrator");

    let limits = format!("{path}/limits");
    let changed =
        json_of(&admin.patch(&limits, &json!({"messages_per_hour": 5, "recipients_per_hour": "none"})));
    assert_eq!(
        (&changed["messages_per_hour"]["limit"], &changed["messages_per_hour"]["own"]),
        (&json!(5), &json!(true))
    );
    assert!(
        changed["recipients_per_hour"]["limit"].is_null() && changed["recipients_per_hour"]["own"] == true
    );
    let changed = json_of(&admin.patch(&limits, &json!({"messages_per_hour": null})));
    assert_eq!(changed["messages_per_hour"]["own"], false, "{changed}");
    see_problem(&admin.patch(&limits, &json!({"messages_per_hour": 0})), 422, "invalid");

    let identities = format!("{path}/identities");
    let made = admin.post(&identities, &json!({"sender": "*@example.com"}));
    assert_eq!(made.status, 201, "{made:?}");
    see_problem(&admin.post(&identities, &json!({"sender": "*@example.com"})), 409, "identity-exists");
    see_problem(&admin.post(&identities, &json!({"sender": "carol@example.org"})), 422, "own-address");
    assert_eq!(admin.ask("DELETE", made.header("location").unwrap(), &[], "").status, 204);
    assert!(items(&admin.get(&identities)).is_empty());

    let made = json_of(&admin.post(&format!("{path}/app-passwords"), &json!({"label": "printer"})));
    assert_eq!(server.knock(&installation, "carol@example.org", &text(&made, "password")).code, 235);
    let tag = admin.ask("GET", path, &[], "").header("etag").unwrap().to_owned();
    assert_eq!(admin.ask("DELETE", path, &[("If-Match", &tag)], "").status, 204);
    see_problem(&admin.ask("GET", path, &[], ""), 404, "no-account");
    let trail = installation.json(&["audit", "list", "--action", "user-remove"]);
    assert_eq!((&trail[0]["actor"], &trail[0]["via"]), (&json!(ADMIN), &json!("api")), "{trail}");
}

#[test]
fn ones_own_messages_are_shown_taken_back_and_stopped_and_nobody_elses() {
    let submission = "deduplicate = false\nundo = \"2m\"".to_owned();
    let settings = Settings { web: web(""), submission, ..Settings::default() };
    let (installation, server) = office_with(settings);
    installation.configure(&Settings {
        web: web(""),
        submission: "deduplicate = false\nundo = \"2m\"".to_owned(),
        delivery: installation.maildir_delivery(),
        ..Settings::default()
    });
    drop(server);
    let server = installation.start();
    let own = program(&installation, &server, ALICE, &OWN);
    let (first, second, his) = (
        send(&installation, &server, ALICE),
        send(&installation, &server, ALICE),
        send(&installation, &server, BOB),
    );
    for verb in ["", "/undo", "/stop"] {
        let method = if verb.is_empty() { "GET" } else { "POST" };
        see_problem(&own.ask(method, &format!("/api/v1/messages/{his}{verb}"), &[], ""), 404, "no-message");
    }
    assert_eq!(own.get(&format!("/api/v1/messages/{first}"))["account"], ALICE);
    assert_eq!(own.ask("POST", &format!("/api/v1/messages/{first}/undo"), &[], "").status, 204);
    let answer = own.ask("POST", &format!("/api/v1/messages/{first}/undo"), &[], "");
    assert!([404, 409].contains(&answer.status), "{answer:?}");
    assert_eq!(own.ask("POST", &format!("/api/v1/messages/{second}/stop"), &[], "").status, 204);
    assert_eq!(installation.queue().len(), 1, "only his is left");
    let trail = installation.json(&["audit", "list", "--action", "message-undo"]);
    assert_eq!((&trail[0]["actor"], &trail[0]["via"]), (&json!(ALICE), &json!("api")), "{trail}");
}

#[test]
fn what_waits_is_held_released_returned_and_removed_one_by_one_and_all_that_a_filter_finds() {
    let (installation, server) = office();
    let admin = administration(&installation, &server);
    let ids: Vec<_> = (0..4).map(|_| send(&installation, &server, ALICE)).collect();
    let his = send(&installation, &server, BOB);
    let queue = "/api/v1/admin/queue";
    assert_eq!(items(&admin.get(&format!("{queue}?account={ALICE}"))).len(), 4);
    assert_eq!(items(&admin.get(&format!("{queue}?state=held"))).len(), 5);
    see_problem(&admin.ask("GET", &format!("{queue}?older_than=soon"), &[], ""), 422, "invalid");
    see_problem(&admin.ask("GET", &format!("{queue}?state=lost"), &[], ""), 422, "invalid");
    for verb in ["hold", "bounce"] {
        let answer = admin.ask("POST", &format!("{queue}/{his}/{verb}"), &[], "");
        assert_eq!(answer.status, 204, "{verb}: {answer:?}");
    }
    // With `via = "hold"` the route holds it.
    let first = &ids[0];
    see_problem(&admin.ask("POST", &format!("{queue}/{first}/release"), &[], ""), 409, "held-by-route");
    see_problem(&admin.ask("POST", &format!("{queue}/{}/hold", "0".repeat(26)), &[], ""), 404, "no-message");
    assert_eq!(admin.ask("DELETE", &format!("{queue}/{first}"), &[], "").status, 204);
    see_problem(&admin.ask("GET", &format!("{queue}/{first}"), &[], ""), 404, "no-message");

    let act = |expected: u32| {
        let wish = json!({"action": "remove", "filter": {"account": ALICE}, "expected": expected});
        admin.post(&format!("{queue}/actions"), &wish)
    };
    see_problem(&act(2), 409, "unexpected-number");
    assert_eq!(items(&admin.get(&format!("{queue}?account={ALICE}"))).len(), 3, "nothing was done");
    let done = json_of(&act(3));
    assert_eq!((done["done"].as_array().unwrap().len(), &done["left"]), (3, &json!([])), "{done}");
    assert!(items(&admin.get(&format!("{queue}?account={ALICE}"))).is_empty());
    let wrong = json!({"action": "remove", "filter": {"acount": ALICE}, "expected": 9});
    let problem = see_problem(&admin.post(&format!("{queue}/actions"), &wrong), 422, "invalid");
    assert_eq!(problem["errors"][0]["pointer"], "/filter/acount", "{problem}");
}

#[test]
fn who_is_locked_out_is_told_and_let_in() {
    let (installation, server) = office();
    let admin = administration(&installation, &server);
    for number in 0..5 {
        server.knock(&installation, ALICE, &format!("wrong {number}"));
    }
    let locked = until("alice is locked out", || {
        let all = items(&admin.get(&format!("/api/v1/admin/throttles?account={ALICE}")));
        (!all.is_empty()).then_some(all)
    });
    assert!(text(&locked[0], "key").starts_with(ALICE), "{locked:?}");
    let of_one = format!("/api/v1/admin/accounts/{ALICE}/throttles");
    assert_eq!(items(&admin.get(&of_one)), locked);
    let cleared = json_of(&admin.post("/api/v1/admin/throttles/clear", &json!({"whom": ALICE})));
    assert!(cleared["counters"].as_u64().unwrap() > 0, "{cleared}");
    assert!(items(&admin.get(&of_one)).is_empty());
    assert_eq!(admin.ask("DELETE", &of_one, &[], "").status, 204);
    assert_eq!(server.knock(&installation, ALICE, PASSWORD).code, 235);
    see_problem(&admin.post("/api/v1/admin/throttles/clear", &json!({"whom": "nobody"})), 422, "invalid");
}

#[test]
fn sign_ins_are_told_apart_by_what_came_of_them() {
    let (installation, server) = office();
    let own = program(&installation, &server, ALICE, &OWN);
    assert_eq!(server.knock(&installation, ALICE, "wrong").code, 535);
    let results = |query: &str| {
        let all = items(&own.get(&format!("/api/v1/account/sign-ins{query}")));
        all.iter().map(|entry| text(entry, "result")).collect::<BTreeSet<_>>()
    };
    until("the failure is in the trail", || results("").contains("failure").then_some(()));
    for result in ["success", "failure"] {
        assert_eq!(results(&format!("?result={result}")), BTreeSet::from([result.to_owned()]));
    }
}
