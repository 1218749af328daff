//! The lights of a running server: on its pages, at `/health/ready`, in its log, and by `gatepost status`.

use std::fs;
use std::path::PathBuf;
use std::process::Output;
use std::time::Duration;

use serde_json::Value;
use tests::browser::{Answer, Browser};
use tests::server::{Installation, Server, Settings, until};
use tests::smarthost::{Script, Smarthost};

use crate::letter::letter;
use crate::web::pages;
use crate::web_sign_in::administrator;

const USER: &str = "alice@example.org";
const PASSWORD: &str = "correct horse";

/// Pages on loopback, and whatever the test says besides.
fn installation(listen: &str, more: &str, settings: Settings) -> Installation {
    let web = format!(
        "[web]\nbase_url = \"https://mail.example.org\"\npage_rate = 10000\n\
         admin_needs_second_factor = false\n[[web.listen]]\naddress = \"127.0.0.1:0\"\ntls = \"off\"\n{listen}{more}"
    );
    let installation = Installation::new(&Settings { web, ..settings });
    installation.add_user(USER, PASSWORD);
    installation
}

fn status(installation: &Installation) -> (Output, Value) {
    let output = installation.run(&["status", "--json"], "");
    let said = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output, said)
}

fn light<'a>(status: &'a Value, name: &str) -> &'a Value {
    let lights = status["lights"].as_array().unwrap_or_else(|| panic!("{status}"));
    lights.iter().find(|light| light["name"] == name).unwrap_or_else(|| panic!("no {name}: {status}"))
}

/// What the server says as soon as everything was looked at.
fn looked_at(installation: &Installation) -> (Output, Value) {
    until("everything was looked at", || {
        let (output, said) = status(installation);
        said["lights"].as_array().is_some_and(|lights| lights.len() >= 7).then_some((output, said))
    })
}

fn ready(server: &Server) -> (Answer, Value) {
    let answer = Browser::new(pages(server)).get("/health/ready");
    let said = serde_json::from_str(&answer.body).unwrap_or_else(|_| panic!("{answer:?}"));
    (answer, said)
}

#[test]
fn the_status_of_a_server_says_how_it_is_and_that_none_runs() {
    let installation = installation("", "", Settings::default());
    let output = installation.run(&["status"], "");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("no server runs on the store"), "{output:?}");
    let server = installation.start();
    let mut client = server.logged_in(&installation, USER, PASSWORD);
    assert_eq!(client.send(USER, &["bob@example.net"], &letter("waits", "text\r\n")).unwrap().code, 250);
    assert!(server.knock(&installation, USER, "wrong").code >= 400);
    looked_at(&installation);
    // What is said is a few seconds old at most.
    let said = until("the message and the refusal are in it", || {
        let (output, said) = status(&installation);
        assert!(output.status.success(), "{output:?}");
        let is_there = said["queue"]["entries"] == 1 && said["logins"]["refused_last_hour"] == 1;
        is_there.then_some(said)
    });
    for name in ["front-door", "certificate", "delivery", "disk", "store", "dns", "logins"] {
        assert_eq!(light(&said, name)["state"], "good", "{said}");
    }
    assert_eq!(said["listeners"].as_array().unwrap().len(), 3, "{said}");
    assert_eq!(said["listeners"][2]["protocol"], "http");
    assert!(said["certificate"]["not_after"].is_string() && said["queue"]["held"] == 1, "{said}");
    assert!(said["store"]["writable"] == true && said["store"]["disk_free"].is_u64(), "{said}");
    assert_eq!((&said["sandbox"], &said["probe"]), (&Value::Null, &Value::Null));
    let text = installation.done(&["status"]);
    for words in ["front-door", "every listener answers", "1 messages", "1 refused", "takes writes"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let socket = installation.path("store").join("status.sock");
    assert!(socket.exists());
    assert!(server.terminate().success());
    assert!(!socket.exists());
    assert!(!installation.run(&["status"], "").status.success());
}

/// Nobody takes the server's own look for a client, and it takes nobody's place.
#[test]
fn the_look_at_the_front_door_is_no_session() {
    let settings = Settings {
        limits: "connections = 1\nconnections_per_network = 1".to_owned(),
        listen: "proxy_protocol = [\"127.0.0.0/8\"]\n".to_owned(),
        ..Settings::default()
    };
    let installation = installation("", "", settings);
    let server = installation.start();
    let (output, said) = looked_at(&installation);
    assert!(output.status.success() && light(&said, "front-door")["state"] == "good", "{said}");
    let page = Browser::new(pages(&server)).get("/metrics").body;
    for nought in
        ["gatepost_connections 0", "gatepost_session_seconds_count 0", "gatepost_connections_refused_total 0"]
    {
        assert!(page.lines().any(|line| line == nought), "{nought}: {page}");
    }
    assert!(!page.contains("gatepost_connections_total{"), "{page}");
    assert!(page.lines().any(|line| line == "gatepost_light{light=\"front-door\"} 3"), "{page}");
    let log = server.log();
    assert!(!log.contains("event=session") && !log.contains("proxy.refused"), "{log}");
    assert!(!log.contains("light.changed"), "all is well from the start: {log}");
}

#[test]
fn a_store_that_takes_no_writes_is_told_everywhere_until_it_does() {
    let installation = installation("", "", Settings::default());
    let server = installation.start();
    looked_at(&installation);
    let (answer, said) = ready(&server);
    assert_eq!((answer.status, &said["ready"]), (200, &Value::Bool(true)), "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let mut admin = administrator(&installation, &server);
    let page = admin.get("/admin").body;
    assert!(page.contains("All is well.") && page.contains("Front door"), "{page}");
    let health = admin.get("/admin/health").body;
    for words in
        ["every listener answers", "accounts.db", "Master keys", "storage.master_key_file", "127.0.0.1:"]
    {
        assert!(health.contains(words), "{words}: {health}");
    }

    let queue = installation.path("store").join("queue.db");
    let away: PathBuf = installation.path("away.db");
    fs::rename(&queue, &away).unwrap();
    let (answer, said) =
        until("it is seen", || Some(ready(&server)).filter(|(answer, _)| answer.status == 503));
    assert_eq!(
        (&said["ready"], &said["lights"]["store"]),
        (&Value::Bool(false), &"broken".into()),
        "{answer:?}"
    );
    assert_eq!(said["lights"]["front-door"], "good");
    let details = said["details"].as_array().unwrap();
    assert!(details.iter().any(|light| light["name"] == "store" && light["to_do"].is_string()), "{said}");
    let (output, said) = status(&installation);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("broken: store"), "{output:?}");
    assert!(light(&said, "store")["text"].as_str().unwrap().contains("queue.db was removed"), "{said}");
    let line = server.until_logged("light.changed");
    assert!(line.contains("light=store") && line.contains("state=broken") && line.contains("WARN"), "{line}");
    let page = admin.get("/admin").body;
    assert!(!page.contains("All is well.") && page.contains("broken"), "{page}");

    fs::rename(&away, &queue).unwrap();
    until("it takes writes again", || Some(ready(&server)).filter(|(answer, _)| answer.status == 200));
    assert!(server.until_logged("state=good").contains("before=broken"));
    assert!(status(&installation).0.status.success());
}

#[test]
fn who_does_not_ask_on_this_machine_hears_a_word_for_each_light() {
    let installation = installation("trusted_proxies = [\"127.0.0.1\"]\n", "", Settings::default());
    let server = installation.start();
    looked_at(&installation);
    let forwarded =
        [("X-Forwarded-For", "192.0.2.7"), ("X-Forwarded-Proto", "https"), ("Host", "mail.example.org")];
    let answer = Browser::new(pages(&server)).ask("GET", "/health/ready", &forwarded, "");
    let said: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((answer.status, &said["lights"]["disk"]), (200, &"good".into()), "{answer:?}");
    assert!(said["details"].is_null() && !answer.body.contains("commit"), "{answer:?}");
    let make = ["token", "create", "root@example.org"];
    installation
        .run(&["user", "add", "root@example.org", "--admin", "--password-stdin", "--allow-weak"], PASSWORD);
    let token = |scope: &str| {
        installation.json(&[&make[..], &["--label", scope, "--scope", scope]].concat())["token"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    for (token, sees) in
        [(token("health:read"), true), (token("queue:read"), false), ("gp_wrong".to_owned(), false)]
    {
        let bearer = format!("Bearer {token}");
        let headers = [&forwarded[..], &[("Authorization", &*bearer)]].concat();
        let answer = Browser::new(pages(&server)).ask("GET", "/health/ready", &headers, "");
        assert_eq!((answer.status, answer.body.contains("\"details\"")), (200, sees), "{answer:?}");
    }
    let answer = Browser::new(pages(&server)).ask("GET", "/health/live", &forwarded, "");
    assert_eq!((answer.status, &*answer.body), (200, "live\n"));
}

#[test]
fn a_listener_that_does_not_serve_health_has_no_such_page() {
    let installation = installation("serve = [\"account\"]\n", "", Settings::default());
    let server = installation.start();
    let mut browser = Browser::new(pages(&server));
    for path in ["/health/live", "/health/ready"] {
        assert_eq!(browser.get(path).status, 404, "{path}");
    }
}

#[test]
fn a_smarthost_that_wants_another_login_is_broken_until_it_is_put_right() {
    let answer = |line: &str, _: usize| line.starts_with("AUTH ").then(|| "535 5.7.8 no".to_owned());
    let capabilities = vec!["AUTH PLAIN", "ENHANCEDSTATUSCODES"];
    let next = Smarthost::start(Script { answer: Box::new(answer), capabilities, ..Script::default() });
    let delivery = |tls: &str| format!("via = \"smtp://{}\"\ntls = \"{tls}\"\n", next.address);
    let with_login = |installation: &Installation| {
        fs::write(installation.path("password"), "wrong\n").unwrap();
        format!(
            "{}username = \"me@example.org\"\npassword_file = \"{}\"",
            delivery("off"),
            installation.path("password").display()
        )
    };
    let installation = installation("", "", Settings::default());
    let text = fs::read_to_string(installation.path("gatepost.toml")).unwrap();
    fs::write(installation.path("gatepost.toml"), text.replace("via = \"hold\"", &with_login(&installation)))
        .unwrap();
    let server = installation.start();
    let mut client = server.logged_in(&installation, USER, PASSWORD);
    assert_eq!(client.send(USER, &["bob@example.net"], &letter("waits", "text\r\n")).unwrap().code, 250);
    let (output, said) = until("the login was refused", || {
        let (output, said) = status(&installation);
        (!output.status.success() && !said.is_null()).then_some((output, said))
    });
    assert!(String::from_utf8_lossy(&output.stderr).contains("broken: delivery"), "{output:?}");
    let text = light(&said, "delivery")["text"].as_str().unwrap();
    assert!(text.contains("535") && text.contains(&next.address.to_string()), "{text}");
    assert!(!said.to_string().contains("me@example.org"), "{said}");
    let page = Browser::new(pages(&server)).get("/metrics").body;
    assert!(page.contains(&format!("gatepost_lane_waiting{{lane=\"smtp://{}\"}}", next.address)), "{page}");
}

#[test]
fn backups_have_a_light_where_their_mark_is_named() {
    let installation = installation("", "[health]\nbackup_stamp = \"stamp\"\n", Settings::default());
    let stamp = installation.path("stamp");
    let server = installation.start();
    let seen = |wanted: &str| {
        until("the mark is seen", || {
            let (_, said) = status(&installation);
            let lights = said["lights"].as_array()?.clone();
            lights.into_iter().find(|light| light["name"] == "backups" && light["state"] == wanted)
        })
    };
    assert!(seen("broken")["text"].as_str().unwrap().contains("stamp"));
    let file = fs::File::create(&stamp).unwrap();
    seen("good");
    let touched = file.metadata().unwrap().modified().unwrap();
    file.set_modified(touched - Duration::from_secs(40 * 3600)).unwrap();
    seen("look");
    drop(server);
}
