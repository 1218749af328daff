//! The API: who may ask for what, and what every answer says, whatever the resource.

use serde_json::{Value, json};
use tests::browser::{Answer, Browser};
use tests::server::{Installation, Server, Settings, text};

use crate::web::{pages, routes};

pub(crate) const ALICE: &str = "alice@example.org";
pub(crate) const BOB: &str = "bob@example.org";
pub(crate) const ADMIN: &str = "admin@example.org";
pub(crate) const PASSWORD: &str = "correct horse";

/// The scopes that need no administrator.
pub(crate) const OWN: [&str; 2] = ["account:write", "messages:write"];

/// A program that asks with a token.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    browser: Browser,
    authorization: String,
}

impl Program {
    pub(crate) fn new(server: &Server, token: &str) -> Program {
        Program { browser: Browser::new(pages(server)), authorization: format!("Bearer {token}") }
    }

    pub(crate) fn ask(&self, method: &str, path: &str, more: &[(&str, &str)], body: &str) -> Answer {
        let mut headers = vec![("Authorization", self.authorization.as_str())];
        headers.extend(more);
        let kind = ("Content-Type", "application/json");
        if !body.is_empty() && !more.iter().any(|(name, _)| *name == "Content-Type") {
            headers.push(kind);
        }
        self.browser.clone().ask(method, path, &headers, body)
    }

    /// What is answered with 200.
    pub(crate) fn get(&self, path: &str) -> Value {
        let answer = self.ask("GET", path, &[], "");
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        json_of(&answer)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask("POST", path, &[], &body.to_string())
    }

    /// Changes an object as it is now.
    pub(crate) fn patch(&self, path: &str, body: &Value) -> Answer {
        let now = self.ask("GET", path, &[], "");
        let tag = now.header("etag").unwrap_or_else(|| panic!("{path}: {now:?}"));
        self.ask("PATCH", path, &[("If-Match", tag)], &body.to_string())
    }
}

pub(crate) fn json_of(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{error}: {answer:?}"))
}

/// Sees that this is a problem with this code, as RFC 9457 has it; its members.
pub(crate) fn see_problem(answer: &Answer, status: u16, code: &str) -> Value {
    assert_eq!(answer.status, status, "{code}: {answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{answer:?}");
    let problem = json_of(answer);
    assert_eq!(problem["code"], code, "{answer:?}");
    assert_eq!(problem["status"], status, "{answer:?}");
    assert_eq!(problem["type"], format!("https://mail.example.org/problems/{code}"), "{answer:?}");
    for member in ["title", "detail", "request"] {
        assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {answer:?}");
    }
    problem
}

/// A configuration with the API, where administrators need no second factor.
pub(crate) fn web(more: &str) -> String {
    format!(
        "[web]\nbase_url = \"https://mail.example.org\"\npage_rate = 10000\napi_rate = 100000\n\
         admin_needs_second_factor = false\n{more}[[web.listen]]\naddress = \"127.0.0.1:0\"\ntls = \"off\"\n"
    )
}

/// Two users and an administrator.
pub(crate) fn office() -> (Installation, Server) {
    office_with(Settings { web: web(""), ..Settings::default() })
}

pub(crate) fn office_with(settings: Settings) -> (Installation, Server) {
    let installation = Installation::new(&settings);
    for address in [ALICE, BOB] {
        installation.add_user(address, PASSWORD);
    }
    installation.run(&["user", "add", ADMIN, "--admin", "--password-stdin", "--allow-weak"], PASSWORD);
    let server = installation.start();
    (installation, server)
}

/// A fresh token; its identifier and the token.
pub(crate) fn token(installation: &Installation, address: &str, scopes: &[&str]) -> (String, String) {
    let mut arguments = vec!["token", "create", address, "--label", "a test"];
    arguments.extend(scopes.iter().flat_map(|scope| ["--scope", *scope]));
    let made = installation.json(&arguments);
    (text(&made, "id"), text(&made, "token"))
}

pub(crate) fn program(
    installation: &Installation,
    server: &Server,
    address: &str,
    scopes: &[&str],
) -> Program {
    Program::new(server, &token(installation, address, scopes).1)
}

/// Every scope there is, as the command line tells them.
fn every_scope() -> Vec<String> {
    let all = types_of_scopes();
    all.into_iter().flat_map(|(kind, verbs)| verbs.iter().map(move |verb| format!("{kind}:{verb}"))).collect()
}

fn types_of_scopes() -> [(&'static str, &'static [&'static str]); 11] {
    let both: &[&str] = &["read", "write"];
    [
        ("account", both),
        ("messages", both),
        ("accounts", both),
        ("queue", both),
        ("throttles", both),
        ("audit", &["read"]),
        ("domains", both),
        ("health", &["read"]),
        ("limits", both),
        ("webhooks", both),
        ("metrics", &["read"]),
    ]
}

/// The routes of the API: method, path, and the scopes that each needs.
fn operations() -> Vec<(&'static str, String, Vec<String>)> {
    let named = |right: &str| {
        let inner = right.split_once('(').map(|(_, inner)| inner.trim_end_matches(')').to_owned());
        let scopes = inner.unwrap_or_default();
        scopes.split(", ").filter(|scope| !scope.is_empty()).map(kebab).collect::<Vec<_>>()
    };
    let all = routes().into_iter().filter(|(_, path, _)| path.starts_with("/api/"));
    all.map(|(method, path, right)| (method, path, named(right))).collect()
}

/// `AccountRead` as it is written: `account:read`.
fn kebab(name: &str) -> String {
    let verb = if name.ends_with("Read") { "Read" } else { "Write" };
    let kind = name.strip_suffix(verb).unwrap().to_lowercase();
    format!("{kind}:{}", verb.to_lowercase())
}

fn includes(own: &str, needed: &str) -> bool {
    own == needed || own.strip_suffix(":write").is_some_and(|kind| needed == format!("{kind}:read"))
}

/// Asks for a route with a body that no handler takes, so that nothing comes of it.
fn tried(program: &Program, method: &str, path: &str) -> Answer {
    let body = if ["POST", "PATCH"].contains(&method) { "{\"nonsense\": 1}" } else { "" };
    program.ask(method, path, &[("If-Match", "\"x\"")], body)
}

#[test]
fn each_operation_is_for_tokens_of_its_scope_and_no_others() {
    let (installation, server) = office();
    let all = operations();
    assert!(all.len() > 40, "{all:?}");
    for own in every_scope() {
        let program = program(&installation, &server, ADMIN, &[&own]);
        for (method, path, scopes) in &all {
            let answer = tried(&program, method, path);
            match scopes.iter().find(|needed| !includes(&own, needed)) {
                None => {
                    assert!(![401, 403, 405].contains(&answer.status), "{own} {method} {path}: {answer:?}");
                    assert!(answer.status < 500, "{own} {method} {path}: {answer:?}");
                }
                Some(missing) => {
                    let problem = see_problem(&answer, 403, "missing-scope");
                    assert!(text(&problem, "detail").contains(missing.as_str()), "{path}: {answer:?}");
                    let challenge = answer.header("www-authenticate").unwrap();
                    assert!(challenge.contains(missing.as_str()), "{answer:?}");
                }
            }
        }
    }
}

#[test]
fn whoever_has_no_good_token_is_told_no_more_than_that() {
    let (installation, server) = office();
    let (id, revoked) = token(&installation, ALICE, &OWN);
    installation.done(&["token", "revoke", ALICE, &id]);
    let elsewhere = text(
        &installation.json(&[
            "token",
            "create",
            ALICE,
            "--label",
            "x",
            "--scope",
            "account:read",
            "--network",
            "192.0.2.0/24",
        ]),
        "token",
    );
    let nobody = Browser::new(pages(&server));
    for (method, path, _) in operations() {
        let with_revoked = format!("Bearer {revoked}");
        for authorization in ["", "Basic YTpi", "Bearer", "Bearer gp_nonsense", with_revoked.as_str()] {
            let headers = [("Authorization", authorization), ("Content-Type", "application/json")];
            let headers = if authorization.is_empty() { &headers[1..] } else { &headers[..] };
            let answer = nobody.clone().ask(method, &path, headers, "");
            if answer.status == 429 {
                // The network has failed too often, whichever the token; that is told in the same way for all.
                see_problem(&answer, 429, "too-many-requests");
                continue;
            }
            see_problem(&answer, 401, "invalid-token");
            assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer"), "{answer:?}");
        }
    }
    installation.done(&["throttle", "clear", "127.0.0.1"]);
    let answer = Program::new(&server, &elsewhere).ask("GET", "/api/v1/account", &[], "");
    see_problem(&answer, 401, "invalid-token");
    // A cookie opens nothing here, and a token nothing there.
    let program = program(&installation, &server, ALICE, &OWN);
    assert_eq!(program.ask("GET", "/account", &[], "").status, 303);
    assert_eq!(program.get("/api/v1/account")["address"], ALICE);
}

#[test]
fn a_token_does_no_more_than_its_owner_may_at_that_moment() {
    let (installation, server) = office();
    let admin = program(&installation, &server, ADMIN, &["accounts:read", "account:read"]);
    assert_eq!(admin.get("/api/v1/admin/accounts")["items"].as_array().unwrap().len(), 3);
    drop(server);
    let strict = web("").replace("admin_needs_second_factor = false\n", "");
    installation.configure(&Settings { web: strict, ..Settings::default() });
    let server = installation.start();
    let admin = Program { browser: Browser::new(pages(&server)), ..admin };
    see_problem(&admin.ask("GET", "/api/v1/admin/accounts", &[], ""), 403, "not-administrator");
    assert_eq!(admin.get("/api/v1/account")["address"], ADMIN);
    installation.done(&["user", "disable", ADMIN]);
    see_problem(&admin.ask("GET", "/api/v1/account", &[], ""), 401, "invalid-token");
}

#[test]
fn what_is_refused_before_a_handler_is_told_in_the_same_way() {
    let (installation, server) = office();
    let program = program(&installation, &server, ALICE, &OWN);
    let all = "/api/v1/account/app-passwords";
    see_problem(&program.ask("GET", "/api/v1/nothing", &[], ""), 404, "not-found");
    see_problem(&program.ask("GET", "/api", &[], ""), 404, "not-found");
    let answer = program.ask("PUT", all, &[], "");
    see_problem(&answer, 405, "method-not-allowed");
    let mut allowed: Vec<_> = answer.header("allow").unwrap().split(',').collect();
    allowed.sort_unstable();
    assert_eq!(allowed, ["GET", "HEAD", "POST"]);
    let large = format!("{{\"label\": \"{}\"}}", "x".repeat(65 * 1024));
    see_problem(&program.ask("POST", all, &[], &large), 413, "too-large");
    see_problem(
        &program.ask("POST", all, &[("Content-Type", "text/plain")], "{}"),
        415,
        "unsupported-media-type",
    );
    see_problem(&program.ask("GET", all, &[("Host", "evil.test")], ""), 421, "misdirected");
    see_problem(&program.ask("GET", all, &[("Accept", "text/html")], ""), 406, "not-acceptable");
    let deep = "[".repeat(10_000);
    for body in ["{", "", "nonsense", deep.as_str()] {
        see_problem(
            &program.ask("POST", all, &[("Content-Type", "application/json")], body),
            400,
            "not-json",
        );
    }
    for (body, pointer) in [
        (json!([]), ""),
        (json!({}), ""),
        (json!({"label": "x", "lable": "y"}), "/lable"),
        (json!({"label": 1}), "/label"),
        (json!({"label": "x", "networks": ["192.0.2.0/24", "office"]}), "/networks/1"),
        (json!({"label": "x", "senders": ["nobody"]}), "/senders/0"),
        (json!({"label": "x", "expires_at": "2020-01-01T00:00:00Z"}), "/expires_at"),
    ] {
        let problem = see_problem(&program.post(all, &body), 422, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}: {problem}");
        assert!(!text(&problem["errors"][0], "detail").is_empty());
    }
    for (query, parameter) in
        [("limit=0", "limit"), ("limit=201", "limit"), ("after=!", "after"), ("lmit=1", "lmit")]
    {
        let problem = see_problem(&program.ask("GET", &format!("{all}?{query}"), &[], ""), 422, "invalid");
        assert_eq!(problem["errors"][0]["parameter"], parameter, "{problem}");
    }
    assert!(installation.json(&["app-password", "list", ALICE]).as_array().unwrap().is_empty());
    let page = Browser::new(pages(&server)).get("/problems/missing-scope");
    assert!(page.status == 200 && page.body.contains("The token lacks a scope"), "{page:?}");
    assert_eq!(Browser::new(pages(&server)).get("/problems/nonsense").status, 404);
}

#[test]
fn a_token_is_told_how_much_it_has_left_and_how_long_to_wait() {
    let settings =
        Settings { web: web("").replace("api_rate = 100000", "api_rate = 10"), ..Settings::default() };
    let (installation, server) = office_with(settings);
    let program = program(&installation, &server, ALICE, &OWN);
    let first = program.ask("GET", "/api/v1/account", &[], "");
    assert_eq!(first.header("ratelimit"), Some("\"token\";r=9;t=60"), "{first:?}");
    assert_eq!(first.header("ratelimit-policy"), Some("\"token\";q=10;w=60"));
    let rest: Vec<_> = (0..9).map(|_| program.ask("GET", "/api/v1/account", &[], "").status).collect();
    assert_eq!(rest, [200; 9]);
    let answer = program.ask("GET", "/api/v1/account", &[], "");
    see_problem(&answer, 429, "too-many-requests");
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=6).contains(&wait), "{answer:?}");
    // Another token of the same account has its own.
    assert_eq!(
        crate::api::program(&installation, &server, ALICE, &OWN).get("/api/v1/account")["address"],
        ALICE
    );
}

#[test]
fn the_api_is_served_where_the_configuration_says_so() {
    let listen = "[[web.listen]]\naddress = \"127.0.0.1:0\"\ntls = \"off\"\nserve = [\"account\"]\n";
    let web = format!("{}{listen}", web(""));
    let (installation, server) = office_with(Settings { web, ..Settings::default() });
    let program = program(&installation, &server, ALICE, &OWN);
    assert_eq!(program.get("/api/v1/account")["address"], ALICE);
    let elsewhere = Program { browser: Browser::new(server.until_ready()[3]), ..program };
    for (method, path) in
        [("GET", "/api/v1/account"), ("PUT", "/api/v1/account"), ("GET", "/api/v1/openapi.json")]
    {
        see_problem(&elsewhere.ask(method, path, &[], ""), 404, "not-found");
    }
}

#[test]
fn the_document_is_that_of_the_command_line_and_tells_every_operation() {
    let (installation, server) = office();
    let printed: Value = serde_json::from_str(&installation.done(&["web", "describe"])).unwrap();
    let program = program(&installation, &server, ALICE, &["messages:read"]);
    assert_eq!(program.get("/api/v1/openapi.json"), printed);
    assert_eq!(printed["openapi"], "3.1.0");
    let mut names = std::collections::BTreeSet::new();
    let mut found = Vec::new();
    for (path, item) in printed["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = text(operation, "operationId");
            assert!(!name.is_empty() && names.insert(name.clone()), "{path} {name}");
            for (status, response) in operation["responses"].as_object().unwrap() {
                let content = response["content"].as_object();
                let examples = content.into_iter().flatten().map(|(_, content)| &content["example"]);
                assert!(examples.clone().all(|example| !example.is_null()), "{name} {status}");
                assert!(status == "204" || examples.count() == 1, "{name} {status}");
            }
            let body = operation["requestBody"]["content"].as_object();
            for (kind, content) in body.into_iter().flatten() {
                assert!(content["example"].is_object(), "{name} {kind}");
            }
            let scopes = operation["x-scopes"].as_array().unwrap();
            let scopes = scopes.iter().map(|scope| scope.as_str().unwrap().to_owned()).collect::<Vec<_>>();
            let parts = path.split('/').map(|part| if part.starts_with('{') { "x" } else { part });
            found.push((method.to_uppercase(), parts.collect::<Vec<_>>().join("/"), scopes));
        }
    }
    let mut meant: Vec<_> =
        operations().into_iter().map(|(method, path, scopes)| (method.to_owned(), path, scopes)).collect();
    found.sort();
    meant.sort();
    assert_eq!(found, meant);
}

/// The examples of docs/api.md: method and path of each.
fn examples() -> Vec<(String, String)> {
    let page = include_str!("../../docs/api.md");
    let lines = page.lines().filter_map(|line| line.strip_prefix("ask "));
    let examples = lines.map(|line| {
        let method = match line.split_once("--request ") {
            Some((_, rest)) => rest.split(' ').next().unwrap(),
            None if line.contains("--json ") => "POST",
            None => "GET",
        };
        let (_, path) = line.split_once("$GATEPOST").unwrap_or_else(|| panic!("{line}"));
        let path = path.split(['?', '"', ' ']).next().unwrap();
        (method.to_owned(), path.to_owned())
    });
    examples.collect()
}

#[test]
fn the_examples_of_the_page_about_the_api_are_of_operations_that_there_are() {
    let patterns = include_str!("../../crates/console/routes.txt").lines();
    let patterns: Vec<_> = patterns
        .filter_map(|line| Some((line.split(' ').next()?, line.split(' ').nth(1)?)))
        .filter(|(_, path)| path.starts_with("/api/"))
        .collect();
    let fits = |path: &str, pattern: &str| {
        let (parts, pattern): (Vec<_>, Vec<_>) = (path.split('/').collect(), pattern.split('/').collect());
        let is_same = |(part, pattern): (&&str, &&str)| part == pattern || pattern.starts_with('{');
        parts.len() == pattern.len() && parts.iter().zip(&pattern).all(is_same)
    };
    let examples = examples();
    assert!(examples.len() > 40, "{examples:?}");
    for (method, path) in &examples {
        let is_there = patterns.iter().any(|(verb, pattern)| verb == method && fits(path, pattern));
        assert!(is_there, "{method} {path}");
    }
    // Those of one's own account are told once, and hold for any account; the rest each has an example.
    for (verb, pattern) in patterns {
        let is_told = examples.iter().any(|(method, path)| verb == method && fits(path, pattern));
        let is_twin = pattern.contains("{address}/") || pattern.ends_with("/openapi.json");
        assert!(is_told || is_twin, "{verb} {pattern}");
    }
}
