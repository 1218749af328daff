//! `/metrics`: what the server has done is counted there, under the names that docs/metrics.md has, for programs that read Prometheus'
//! format.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use tests::browser::Browser;
use tests::programs::unpacked;
use tests::server::{Installation, Server, Settings, until};

use crate::letter::letter;
use crate::web::pages;

const USER: &str = "alice@example.org";
const PASSWORD: &str = "correct horse";

fn office() -> (Installation, Server) {
    let installation = Installation::with_maildir();
    let web = "[web]\nbase_url = \"https://mail.example.org\"\npage_rate = 10000\n\
        [[web.listen]]\naddress = \"127.0.0.1:0\"\ntls = \"off\"\n";
    let delivery = installation.maildir_delivery();
    installation.configure(&Settings { web: web.to_owned(), delivery, ..Settings::default() });
    installation.add_user(USER, PASSWORD);
    let server = installation.start();
    (installation, server)
}

fn metrics(server: SocketAddr) -> String {
    let answer = Browser::new(server).get("/metrics");
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    answer.body
}

/// The value of a series.
fn value(page: &str, series: &str) -> Option<f64> {
    page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

#[test]
fn what_the_server_has_done_is_counted() {
    let (installation, server) = office();
    let pages = pages(&server);
    let before = metrics(pages);
    for (series, nought) in [
        ("gatepost_messages_accepted_total", true),
        ("gatepost_recipients_total{fate=\"delivered\"}", true),
        ("gatepost_queue_messages", true),
        ("process_open_fds", false),
    ] {
        assert_eq!(value(&before, series).map(|value| value == 0.0), Some(nought), "{series}: {before}");
    }
    let mut client = server.logged_in(&installation, USER, PASSWORD);
    let letter = letter("counted", "text\r\n");
    assert_eq!(client.send(USER, &["bob@example.net", "carol@example.net"], &letter).unwrap().code, 250);
    let reply = client.send("mallory@example.net", &["bob@example.net"], &letter).unwrap();
    assert_eq!(reply.code, 553);
    drop(client);
    let after = until("the session has ended and the mail is delivered", || {
        let page = metrics(pages);
        let has = |series: &str, least: f64| value(&page, series).is_some_and(|value| value >= least);
        (has("gatepost_recipients_total{fate=\"delivered\"}", 2.0)
            && has("gatepost_session_seconds_count", 1.0))
        .then_some(page)
    });
    for (series, wanted) in [
        ("gatepost_messages_accepted_total", 1.0),
        ("gatepost_messages_refused_total{reason=\"sender-not-owned\"}", 1.0),
        ("gatepost_delivery_seconds_count", 2.0),
        ("gatepost_login_seconds_count{kind=\"password\"}", 1.0),
        ("gatepost_logins_total{mechanism=\"PLAIN\",result=\"accepted\"}", 1.0),
        ("gatepost_connections", 0.0),
    ] {
        assert_eq!(value(&after, series), Some(wanted), "{series}: {after}");
    }
    assert!(value(&after, "gatepost_messages_accepted_bytes_total").unwrap() >= letter.len() as f64);
    assert!(value(&after, "gatepost_commit_seconds_count").unwrap() >= 1.0);
}

/// The names of metrics on a page.
fn names(page: &str) -> BTreeSet<&str> {
    page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect()
}

#[test]
fn the_names_are_those_of_the_documentation() {
    let (_installation, server) = office();
    let page = metrics(pages(&server));
    let docs = include_str!("../../docs/metrics.md");
    let documented: BTreeSet<_> =
        docs.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert_eq!(names(&page), documented);
    for line in docs.lines().filter(|line| line.starts_with("| `")) {
        let [_, name, kind, ..] = line.split('|').map(str::trim).collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let kind = format!("# TYPE {} {kind}", name.trim_matches('`'));
        assert!(page.lines().any(|there| there == kind), "{kind}");
    }
    // What alarms and graphs look at is there.
    for file in [include_str!("../../config/alerts.yml"), include_str!("../../config/grafana.json")] {
        let asked = file.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        for name in asked.filter(|word| word.starts_with("gatepost_") || word.starts_with("process_")) {
            let name = name.trim_end_matches("_bucket");
            assert!(documented.contains(name), "{name}");
        }
    }
}

#[test]
fn strangers_make_no_series() {
    let (installation, server) = office();
    let pages = pages(&server);
    let series = |page: &str| page.lines().filter(|line| !line.starts_with('#')).count();
    let refuse = |name: &str| {
        let reply = server.knock(&installation, &format!("{name}@example.net"), "wrong");
        assert!(reply.code >= 400, "{reply:?}");
    };
    refuse("first");
    let before = until("it is counted", || {
        let page = metrics(pages);
        value(&page, "gatepost_session_seconds_count").is_some_and(|ended| ended >= 1.0).then_some(page)
    });
    for number in 0..5 {
        refuse(&format!("host{number}"));
    }
    let after = until("all are counted", || {
        let page = metrics(pages);
        value(&page, "gatepost_session_seconds_count").is_some_and(|ended| ended >= 6.0).then_some(page)
    });
    assert!(!after.contains("example.net") && !after.contains("host3"), "{after}");
    let new = series(&after) - series(&before);
    assert!(series(&before) <= 600, "{} series", series(&before));
    assert!(new <= 1, "{new} series: {after}");
}

#[test]
fn prometheus_takes_page_and_alarms() {
    let (_installation, server) = office();
    let page = metrics(pages(&server));
    let promtool = unpacked().join("usr/bin/promtool");
    let mut check = Command::new(&promtool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    check.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let said = check.wait_with_output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let alarms = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/alerts.yml");
    let said = Command::new(promtool).args(["check", "rules"]).arg(alarms).output().unwrap();
    assert!(said.status.success(), "{said:?}");
}

#[test]
fn a_listener_that_does_not_serve_them_has_no_such_page() {
    let installation = crate::web::installation("page_rate = 10000\n");
    installation.add_user(USER, PASSWORD);
    let text = std::fs::read_to_string(installation.path("gatepost.toml")).unwrap();
    std::fs::write(
        installation.path("gatepost.toml"),
        text.replace("tls = \"off\"\n", "tls = \"off\"\nserve = [\"account\"]\n"),
    )
    .unwrap();
    let server = installation.start();
    let mut browser = Browser::new(pages(&server));
    assert_eq!(browser.get("/metrics").status, 404);
    assert_eq!(browser.get("/sign-in").status, 200);
}
