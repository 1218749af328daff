//! Pages: what each answer says, which requests are taken, and how many; whatever the page.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use tests::browser::{Answer, Browser, exchanged};
use tests::server::{Installation, PATIENCE, Server, Settings};

/// Pages in clear on loopback, behind two listeners for mail.
pub(crate) fn installation(more: &str) -> Installation {
    installation_with(more, Settings::default())
}

/// The same, with these settings besides.
pub(crate) fn installation_with(more: &str, settings: Settings) -> Installation {
    let listen = "[[web.listen]]\naddress = \"127.0.0.1:0\"\ntls = \"off\"\n";
    let web = format!(
        "[web]\nbase_url = \"https://mail.example.org\"\norganisation = \"Example Org\"\n{more}{listen}"
    );
    Installation::new(&Settings { web, ..settings })
}

pub(crate) fn pages(server: &Server) -> SocketAddr {
    server.until_ready()[2]
}

const CSP: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; \
    base-uri 'none'; frame-ancestors 'none'";

fn see_headers(answer: &Answer, cached: bool) {
    for (name, value) in [
        ("content-security-policy", CSP),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
        ("cache-control", if cached { "public, max-age=31536000, immutable" } else { "no-store" }),
    ] {
        assert_eq!(answer.header(name), Some(value), "{answer:?}");
    }
    assert_eq!(answer.header("strict-transport-security"), None, "in clear: {answer:?}");
    assert!(answer.headers.iter().all(|(name, _)| !name.starts_with("access-control-")), "{answer:?}");
}

/// What was meant for each route.
const ROUTES: &str = include_str!("../../crates/console/routes.txt");

/// A route: its method, a path that it has, its right.
pub(crate) fn routes() -> Vec<(&'static str, String, &'static str)> {
    let routes = ROUTES.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let [method, path, right] = line.splitn(3, ' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let parts = path.split('/').map(|part| if part.starts_with('{') { "x" } else { part });
        (method, parts.collect::<Vec<_>>().join("/"), right)
    });
    routes.collect()
}

#[test]
fn every_answer_of_every_route_says_what_browsers_may_do_with_it() {
    let installation = installation("page_rate = 10000\n");
    let server = installation.start();
    let mut browser = Browser::new(pages(&server));
    let paths: Vec<(String, &str)> = routes()
        .into_iter()
        .map(|(_, path, right)| (path, right))
        .chain([("/nothing".to_owned(), "")])
        .collect();
    assert!(paths.len() > 3, "{paths:?}");
    for (path, right) in paths {
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE"] {
            let answer = browser.ask(method, &path, &[], "");
            see_headers(&answer, false);
            // The API asks for a token where pages ask where a form comes from.
            let refused: &[u16] = if path.starts_with("/api/") { &[401, 404, 405] } else { &[403] };
            let is_read = ["GET", "HEAD"].contains(&method);
            // What programs send is known by its path, which is that of nothing else.
            let is_of_programs = right == "Clients" && [404, 405].contains(&answer.status);
            assert!(
                is_read || refused.contains(&answer.status) || is_of_programs,
                "{method} {path}: {answer:?}"
            );
        }
        let origin = browser.origin();
        for method in ["PUT", "DELETE", "PATCH", "OPTIONS"] {
            let answer = browser.ask(method, &path, &[("Origin", &origin)], "");
            let is_of_api = path.starts_with("/api/") && answer.status == 401;
            assert!(is_of_api || [404, 405].contains(&answer.status), "{method} {path}: {answer:?}");
            see_headers(&answer, false);
        }
    }
}

#[test]
fn style_script_and_mark_are_kept_for_good_under_the_names_that_pages_have() {
    let installation = installation("");
    let server = installation.start();
    let mut browser = Browser::new(pages(&server));
    let page = browser.get("/sign-in");
    let names: Vec<_> = page.body.split('"').filter(|text| text.starts_with("/assets/")).collect();
    let kinds = ["text/css; charset=utf-8", "image/svg+xml", "text/javascript; charset=utf-8"];
    assert_eq!(names.len(), kinds.len(), "{}", page.body);
    for (name, kind) in names.into_iter().zip(kinds) {
        let asset = browser.get(name);
        assert_eq!((asset.status, asset.header("content-type")), (200, Some(kind)), "{name}");
        assert!(!asset.body.is_empty() && asset.headers.iter().all(|(name, _)| name != "set-cookie"));
        see_headers(&asset, true);
    }
    assert_eq!(browser.get("/assets/gatepost.css").status, 404);
}

/// A listener has what its `serve` names and nothing else: nobody can sign in where a program asks for figures.
#[test]
fn a_listener_has_the_pages_that_it_serves_and_no_others() {
    let serve = |parts: &str| {
        let listen = "[[web.listen]]\naddress = \"127.0.0.1:0\"\ntls = \"off\"\n";
        let listens: String = ["metrics", "clients", "admin", parts]
            .map(|part| format!("{listen}serve = [\"{part}\"]\n"))
            .concat();
        format!("[web]\nbase_url = \"https://mail.example.org\"\npage_rate = 10000\n{listens}")
    };
    let installation = Installation::new(&Settings { web: serve("account"), ..Settings::default() });
    let server = installation.start();
    let ready = server.until_ready();
    let of_account = Browser::new(ready[5]).get("/sign-in");
    let style = of_account.body.split('"').find(|text| text.starts_with("/assets/")).unwrap();
    let paths = [
        "/metrics",
        "/set-up",
        "/sign-in",
        "/sign-in/code",
        "/",
        "/account",
        "/admin",
        "/problems/taken",
        style,
    ];
    let found = |number: usize| {
        let mut browser = Browser::new(ready[number]);
        paths.map(|path| browser.get(path).status)
    };
    assert_eq!(found(2), [200, 404, 404, 404, 404, 404, 404, 404, 404], "metrics");
    assert_eq!(found(3), [404, 200, 404, 404, 404, 404, 404, 404, 200], "clients");
    assert_eq!(found(4), [404, 404, 200, 303, 303, 303, 303, 404, 200], "admin");
    assert_eq!(found(5), [404, 404, 200, 303, 303, 303, 404, 404, 200], "account");
    for (number, status) in [(2, 404), (3, 404), (4, 404), (5, 403)] {
        let sent = Browser::new(ready[number]).post("/invited/x", &[("csrf", "x")]);
        assert_eq!(sent.status, status, "{sent:?}");
    }
}

/// WEB-07: a page elsewhere whose name leads here gets nothing, by whatever name it says it in.
#[test]
fn a_name_that_is_not_ours_is_answered_with_421() {
    let installation = installation("");
    let server = installation.start();
    let mut browser = Browser::new(pages(&server));
    for host in ["mail.example.org", "MAIL.example.org:444", "localhost:9999", "127.0.0.1", "[::1]:1"] {
        assert_eq!(browser.ask("GET", "/sign-in", &[("Host", host)], "").status, 200, "{host}");
    }
    for host in ["attacker.test", "mail.example.org.attacker.test", "192.0.2.1", "a@mail.example.org"] {
        let answer = browser.ask("GET", "/sign-in", &[("Host", host)], "");
        assert_eq!(answer.status, 421, "{host}");
        see_headers(&answer, false);
        assert!(!answer.body.contains(host), "{}", answer.body);
    }
    let forwarded = [("X-Forwarded-Host", "attacker.test"), ("Forwarded", "host=attacker.test")];
    let answer = browser.ask("GET", "/", &forwarded, "");
    assert!([303, 200].contains(&answer.status) && !format!("{answer:?}").contains("attacker"), "{answer:?}");
}

#[test]
fn pages_are_read_in_the_language_of_the_browser() {
    let installation = installation("help = \"mailto:help@example.org\"\n");
    let server = installation.start();
    let mut browser = Browser::new(pages(&server));
    let english = browser.get("/sign-in").body;
    assert!(english.contains("<html lang=\"en\">") && english.contains("Sign in – Example Org"), "{english}");
    assert!(english.contains("<a href=\"mailto:help@example.org\">"), "{english}");
    let german = browser.ask("GET", "/sign-in", &[("Accept-Language", "de-DE,de;q=0.9,en;q=0.8")], "").body;
    assert!(german.contains("<html lang=\"de\">") && german.contains("Anmelden – Example Org"), "{german}");
}

#[test]
fn more_pages_in_a_minute_than_are_allowed_are_answered_with_429() {
    let installation = installation("page_rate = 10\n");
    let server = installation.start();
    let mut browser = Browser::new(pages(&server));
    let statuses: Vec<_> = (0..10).map(|_| browser.get("/sign-in").status).collect();
    assert_eq!(statuses, [200; 10]);
    let answer = browser.get("/sign-in");
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!(answer.status == 429 && (1..=6).contains(&wait), "{answer:?}");
    see_headers(&answer, false);
}

/// RES-01, RES-02: whoever is slow or many keeps neither mail nor, from elsewhere, pages from others.
#[test]
fn slow_heads_and_many_connections_end_and_mail_does_not_notice() {
    let installation = installation("");
    let server = installation.start();
    let mut mail = server.client(&installation);
    let slow: Vec<_> = (0..100)
        .map(|_| {
            let mut stream = TcpStream::connect(pages(&server)).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            stream.write_all(b"GET /sign-in HTTP/1.1\r\nHost: localhost\r\nX-Slow: ").unwrap();
            stream
        })
        .collect();
    assert!(exchanged(pages(&server), b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").is_empty(), "the 101st");
    server.until_logged("event=web.connection-refused");
    let begun = Instant::now();
    mail.expect("EHLO client.example", 250);
    assert!(begun.elapsed() < Duration::from_secs(1));
    for mut stream in slow {
        // Closed by its deadline of 10 seconds, perhaps with an answer; whatever comes is not a page.
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        assert!(!answer.contains("<html"), "{answer}");
    }
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(Browser::new(pages(&server)).get("/sign-in").status, 200);
    mail.expect("NOOP", 250);
}

/// RES-10.
#[test]
fn heads_and_bodies_have_a_greatest_size() {
    let installation = installation("");
    let server = installation.start();
    let head = |octets: usize| {
        format!("GET /sign-in HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(octets))
    };
    let answer = exchanged(pages(&server), head(1 << 20).as_bytes());
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"), "{}", String::from_utf8_lossy(&answer));
    let fields = "\r\nX: y".repeat(200);
    let many = format!("GET / HTTP/1.1\r\nHost: localhost{fields}\r\n\r\n");
    assert!(exchanged(pages(&server), many.as_bytes()).starts_with(b"HTTP/1.1 431"));
    // WEB-08: framing that two servers would read in two ways.
    for framing in
        ["Content-Length: 4\r\nTransfer-Encoding: chunked", "Content-Length: 4\r\nContent-Length: 5"]
    {
        let ambiguous = format!("POST /sign-in HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n\r\n0\r\n\r\n");
        let answer = String::from_utf8(exchanged(pages(&server), ambiguous.as_bytes())).unwrap();
        assert!(!answer.contains(" 200 ") && answer.matches("HTTP/1.1").count() <= 1, "{answer}");
    }
}

/// What curl is told over TLS: head and body.
fn over_tls(installation: &Installation, pages: SocketAddr, more: &[&str]) -> String {
    let (port, authority) = (pages.port(), installation.path("ca.pem"));
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--include", "--max-time", "20", "--cacert"]).arg(authority);
    curl.args(["--resolve", &format!("mail.example.org:{port}:127.0.0.1")]).args(more);
    let output = curl.arg(format!("https://mail.example.org:{port}/sign-in")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn over_tls_browsers_speak_either_version_of_http_and_keep_cookies_for_this_host_alone() {
    let installation = installation("");
    let web = "[web]\nbase_url = \"https://mail.example.org\"\n[[web.listen]]\naddress = \"127.0.0.1:0\"\ntls = \"implicit\"\n";
    installation.configure(&Settings { web: web.to_owned(), ..Settings::default() });
    let server = installation.start();
    assert!(server.until_logged("event=ready").contains(&format!("{}/https", pages(&server))));
    for (version, first) in [("--http2", "HTTP/2 200"), ("--http1.1", "HTTP/1.1 200 OK")] {
        let answer = over_tls(&installation, pages(&server), &[version]);
        assert!(answer.starts_with(first), "{answer}");
        assert!(
            answer.to_lowercase().contains("strict-transport-security: max-age=31536000\r\n"),
            "{answer}"
        );
        let (_, cookie) = answer.split_once("__Host-gatepost-before=").unwrap_or_else(|| panic!("{answer}"));
        let flags: Vec<_> = cookie.lines().next().unwrap().split("; ").skip(1).collect();
        assert_eq!(flags, ["Path=/", "HttpOnly", "SameSite=Lax", "Secure"]);
    }
    assert!(!server.log().contains("event=web.unavailable"));
    let certificate = installation.authority.sign();
    certificate.write(&installation.path("fullchain.pem"), &installation.path("privkey.pem"));
    server.signal("HUP");
    server.until_logged("event=reloaded");
    let shown =
        over_tls(&installation, pages(&server), &["--write-out", "%{certs}", "--output", "/dev/null"]);
    let pem = |text: &str| text.split("-----").nth(2).unwrap().replace(['\n', '\r'], "");
    assert_eq!(pem(&shown), pem(&certificate.certificate), "{shown}");
}

/// What is under way when the server stops is answered, and idle connections don't keep it.
#[test]
fn the_server_stops_although_browsers_keep_their_connections() {
    let installation = installation("");
    let server = installation.start();
    let mut kept = TcpStream::connect(pages(&server)).unwrap();
    kept.set_read_timeout(Some(PATIENCE)).unwrap();
    kept.write_all(b"GET /sign-in HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut octets = [0; 64];
    kept.read_exact(&mut octets).unwrap();
    let begun = Instant::now();
    assert!(server.terminate().success());
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let mut rest = Vec::new();
    kept.read_to_end(&mut rest).unwrap();
}
