//! Access tokens of a real provider, with curl and by hand: good ones, hostile ones, and a provider that changes its keys
//! or is not there.

use std::net::TcpListener;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use tests::client::{Client, Reply};
use tests::maildir::until_there;
use tests::server::{Installation, Server, Settings, run, text, until};

use crate::identity_provider::{AUDIENCE, IdentityProvider, SCOPE};
use crate::letter::{awkward, carries};

const USER: &str = "alice@example.org";

/// The provider in the words of the configuration.
fn usual(issuer: &str) -> String {
    format!("name = \"test\"\nissuer = \"{issuer}\"\naudience = \"{AUDIENCE}\"\nscope = \"{SCOPE}\"\n")
}

/// Gatepost and the provider whose tokens it takes.
struct Stage {
    provider: IdentityProvider,
    installation: Installation,
}

impl Stage {
    fn set() -> Stage {
        Stage::with(usual)
    }

    /// The provider in the words of the configuration.
    fn with(words: impl Fn(&str) -> String) -> Stage {
        let provider = IdentityProvider::start();
        let installation = Installation::with_maildir();
        for user in [USER, "bob@example.org"] {
            installation.add_user(user, "correct horse");
        }
        std::fs::write(installation.path("client.secret"), "secret of gatepost\n").unwrap();
        let stage = Stage { provider, installation };
        stage.configure(&words(&stage.provider.issuer));
        stage
    }

    fn configure(&self, provider: &str) {
        self.configure_listeners(provider, Vec::new());
    }

    /// The same, with the mechanisms of each listener.
    fn configure_listeners(&self, provider: &str, mechanisms: Vec<&'static str>) {
        let auth = format!(
            "mechanisms = [\"OAUTHBEARER\", \"XOAUTH2\", \"PLAIN\"]\nbackends = [\"accounts\", \"oauth\"]\nmax_failures = 100\n\
             [auth.throttle]\nnetwork = {{ failures = 1000, window = \"10m\" }}\n[[oauth.provider]]\n{provider}"
        );
        let delivery = self.installation.maildir_delivery();
        self.installation.configure(&Settings { auth, delivery, mechanisms, ..Settings::default() });
    }

    fn client(&self, server: &Server) -> Client {
        let mut client = server.client(&self.installation);
        client.expect("EHLO client.example", 250);
        client
    }

    /// What a client that comes with this token is told in the end.
    fn knock(&self, server: &Server, token: &str) -> Reply {
        let mut client = self.client(server);
        let reply = client.ask(&xoauth2(USER, token)).unwrap();
        if reply.code == 334 { client.ask("").unwrap() } else { reply }
    }
}

/// What the log tells of refused logins, in their order, once there are so many.
fn refusals(server: &Server, count: usize) -> Vec<String> {
    until("the logins are told", || {
        let log = server.log();
        let refused = log.lines().filter(|line| line.contains("event=auth.refused"));
        let refused: Vec<_> = refused.map(str::to_owned).collect();
        (refused.len() >= count).then_some(refused)
    })
}

fn reasons(server: &Server, count: usize) -> Vec<String> {
    refusals(server, count).iter().map(|line| word_behind(line, "reason=").to_owned()).collect()
}

fn word_behind<'a>(line: &'a str, name: &str) -> &'a str {
    line.split_once(name).and_then(|(_, rest)| rest.split(' ').next()).unwrap()
}

fn xoauth2(user: &str, token: &str) -> String {
    format!("AUTH XOAUTH2 {}", STANDARD.encode(format!("user={user}\x01auth=Bearer {token}\x01\x01")))
}

fn oauthbearer(user: &str, token: &str) -> String {
    format!("AUTH OAUTHBEARER {}", STANDARD.encode(format!("n,a={user},\x01auth=Bearer {token}\x01\x01")))
}

#[test]
fn curl_sends_mail_with_a_token_by_each_mechanism() {
    // Where both are offered curl takes OAUTHBEARER, whatever it is told.
    let stage = Stage::set();
    let one_each = vec!["[\"XOAUTH2\"]", "[\"OAUTHBEARER\"]"];
    stage.configure_listeners(&usual(&stage.provider.issuer), one_each);
    let server = stage.installation.start();
    let (xoauth2, oauthbearer) = (
        ("XOAUTH2", format!("smtp://localhost:{}", server.starttls().port())),
        ("OAUTHBEARER", format!("smtps://localhost:{}", server.implicit().port())),
    );
    let ways =
        [(&xoauth2, "--sasl-ir"), (&oauthbearer, "--sasl-ir"), (&xoauth2, "--ssl"), (&oauthbearer, "--ssl")];
    for (number, ((mechanism, url), more)) in ways.into_iter().enumerate() {
        let message = awkward(mechanism);
        let file = stage.installation.path("letter");
        std::fs::write(&file, &message).unwrap();
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--ssl-reqd", "--cacert"])
            .arg(stage.installation.path("ca.pem"));
        curl.args(["--url", url]);
        curl.args(["--user", &format!("{USER}:"), "--oauth2-bearer", &stage.provider.token(USER)]);
        curl.args(["--login-options", &format!("AUTH={mechanism}"), more]);
        curl.args(["--mail-from", USER, "--mail-rcpt", "bob@example.net", "--upload-file"]).arg(file);
        let output = run(&mut curl, "");
        assert!(output.status.success(), "{mechanism} {more}: {output:?}");
        let stored = until_there(&stage.installation.path("outbox"), number + 1);
        assert!(stored.iter().any(|stored| carries(stored, &message)), "{mechanism} {more}");
    }
    // Those that are alike are one entry, and the last is written a moment later.
    let by = until("all four logins are in the audit trail", || {
        let told = stage.installation.json(&["audit", "list", "--action", "login"]);
        let count = |entry: &Value| entry["count"].as_u64().unwrap();
        let each = told.as_array().unwrap().iter().map(|entry| {
            assert_eq!(entry["credential"], "oauth:test", "{told}");
            (text(entry, "mechanism"), count(entry))
        });
        let each: Vec<_> = each.collect();
        (each.iter().map(|(_, count)| count).sum::<u64>() == 4).then_some(each)
    });
    let of = |name: &str| by.iter().filter(|(mechanism, _)| mechanism == name).map(|(_, count)| count).sum();
    let (xoauth2, oauthbearer): (u64, u64) = (of("XOAUTH2"), of("OAUTHBEARER"));
    assert_eq!((xoauth2, oauthbearer), (2, 2), "{by:?}");
}

#[test]
fn a_refused_token_is_told_in_json_and_then_by_a_reply() {
    let stage = Stage::set();
    let server = stage.installation.start();
    let id_token = text(&stage.provider.tokens(USER, &[]), "id_token");
    for (command, answer) in [(xoauth2(USER, &id_token), ""), (oauthbearer(USER, &id_token), "AQ==")] {
        let mut client = stage.client(&server);
        let challenge = client.expect(&command, 334);
        let told: Value =
            serde_json::from_slice(&STANDARD.decode(&challenge.lines[0][4..]).unwrap()).unwrap();
        assert_eq!(told, json!({"status": "401", "schemes": "bearer", "scope": SCOPE}));
        let reply = client.expect(answer, 535);
        assert!(reply.lines[0].starts_with("535 5.7.8 "), "{reply:?}");
        // The connection is as good as before.
        client.expect(&xoauth2(USER, &stage.provider.token(USER)), 235);
    }
    assert_eq!(reasons(&server, 2), ["token-audience", "token-audience"]);
}

#[test]
fn hostile_tokens_are_refused_one_by_one() {
    let stage = Stage::set();
    let server = stage.installation.start();
    let trap = TcpListener::bind("127.0.0.1:0").unwrap();
    trap.set_nonblocking(true).unwrap();
    let elsewhere = format!("http://{}/keys", trap.local_addr().unwrap());
    let mut hostile = forged(&stage, &elsewhere);
    hostile.extend(misused(&stage));
    assert!(hostile.len() >= 35, "{}", hostile.len());
    // Each under a name of its own, by which the log tells them apart, and all at once, as a refusal takes its time.
    let name = |number: usize| format!("n{number}@example.org");
    let numbered: Vec<_> = hostile.iter().enumerate().collect();
    // No more names at once than a network may try.
    for some in numbered.chunks(8) {
        std::thread::scope(|scope| {
            for &(number, (what, token, _)) in some {
                let (server, stage) = (&server, &stage);
                scope.spawn(move || {
                    let mut client = stage.client(server);
                    let reply = client.ask(&xoauth2(&name(number), token)).unwrap();
                    assert_eq!(reply.code, 334, "{what}: {reply:?}");
                    client.expect("", 535);
                });
            }
        });
        stage.installation.done(&["throttle", "clear", "127.0.0.1"]);
    }
    let log = refusals(&server, hostile.len());
    for (number, (what, _, reason)) in hostile.iter().enumerate() {
        let name = format!("username={}", name(number));
        let told = log.iter().find(|line| line.ends_with(&name)).unwrap();
        assert_eq!(word_behind(told, "reason="), *reason, "{what}");
    }
    assert!(trap.accept().is_err(), "a token chose whom we ask");
}

#[test]
fn a_token_is_good_for_its_own_account_alone() {
    let stage = Stage::set();
    let server = stage.installation.start();
    let bob = stage.provider.token("bob@example.org");
    let nobody = stage.provider.token("nobody@example.org");
    let mut heard = Vec::new();
    for (command, reason) in [
        (xoauth2(USER, &bob), "token-of-another"),
        (oauthbearer(USER, &bob), "token-of-another"),
        (xoauth2("nobody@example.org", &nobody), "unknown-user"),
    ] {
        let mut client = stage.client(&server);
        client.expect(&command, 334);
        client.expect("AQ==", 535);
        heard.push(reason);
        assert_eq!(reasons(&server, heard.len()), heard);
    }
    stage.client(&server).expect(&oauthbearer("Bob@Example.ORG", &bob), 235);
}

/// Made by somebody who has a good token and a key of his own.
fn forged(stage: &Stage, elsewhere: &str) -> Vec<(&'static str, String, &'static str)> {
    let good = stage.provider.token(USER);
    let parts: Vec<&str> = good.split('.').collect();
    let (message, signature) = good.rsplit_once('.').unwrap();
    let (header, claims) = (decoded(parts[0]), decoded(parts[1]));
    let own = OwnKey::make(stage);
    let headed = |more: Value| format!("{}.{}", encoded(&with(&header, &more)), parts[1]);
    let signed = |more: Value| own.sign(&headed(more));
    let claiming = |more: Value| format!("{}.{}.{signature}", parts[0], encoded(&with(&claims, &more)));
    let published = stage.provider.keys();
    let by_hmac = |secret: &[u8]| {
        let message = headed(json!({"alg": "HS256"}));
        let mac = Hmac::<Sha256>::new_from_slice(secret).unwrap().chain_update(&message).finalize();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac.into_bytes()))
    };
    let modulus = URL_SAFE_NO_PAD.decode(text(&published["keys"][0], "n")).unwrap();
    let none = |alg: &str| format!("{}.", headed(json!({"alg": alg})));
    let twice = format!("{{\"email\":\"{USER}\",{}", &claims.to_string()[1..]);
    vec![
        ("alg none", none("none"), "token-algorithm"),
        ("alg NONE", none("NONE"), "token-algorithm"),
        ("alg nOnE with a signature", format!("{}{signature}", none("nOnE")), "token-algorithm"),
        ("alg empty", none(""), "token-algorithm"),
        ("alg rs256", format!("{}{signature}", none("rs256")), "token-algorithm"),
        ("HS256 by the modulus", by_hmac(&modulus), "token-algorithm"),
        (
            "HS256 by the published key",
            by_hmac(published["keys"][0].to_string().as_bytes()),
            "token-algorithm",
        ),
        ("HS256 by nothing", by_hmac(b""), "token-algorithm"),
        ("PS256", format!("{}.{signature}", headed(json!({"alg": "PS256"}))), "token-algorithm"),
        ("his own signature", signed(json!({})), "token-signature"),
        ("his own key in the header", signed(json!({"jwk": own.jwk()})), "token-signature"),
        ("his own key, and its name", signed(json!({"jwk": own.jwk(), "kid": "own"})), "token-unknown-key"),
        ("his own key, and no name", signed(json!({"jwk": own.jwk(), "kid": null})), "token-malformed"),
        ("keys elsewhere", signed(json!({"jku": elsewhere})), "token-signature"),
        ("keys elsewhere, and a name", signed(json!({"jku": elsewhere, "kid": "own"})), "token-unknown-key"),
        ("a certificate elsewhere", signed(json!({"x5u": elsewhere})), "token-signature"),
        ("a certificate of his own", signed(json!({"x5c": ["AAAA"]})), "token-signature"),
        ("a name that is a URL", signed(json!({"kid": elsewhere})), "token-unknown-key"),
        ("a name that is a path", signed(json!({"kid": "../../../../dev/null"})), "token-unknown-key"),
        ("a name that is SQL", signed(json!({"kid": "' OR 1=1 --"})), "token-unknown-key"),
        ("something critical", signed(json!({"crit": ["exp"], "exp": 1})), "token-critical-header"),
        ("another type", signed(json!({"typ": "logout+jwt"})), "token-type"),
        ("another's address", claiming(json!({"email": "bob@example.org"})), "token-signature"),
        ("a later end", claiming(json!({"exp": 4_000_000_000_u32})), "token-signature"),
        (
            "two addresses",
            format!("{}.{}.{signature}", parts[0], URL_SAFE_NO_PAD.encode(twice)),
            "token-malformed",
        ),
        ("another issuer", claiming(json!({"iss": "https://evil.test"})), "unknown-token"),
        (
            "an issuer with a slash",
            claiming(json!({"iss": format!("{}/", stage.provider.issuer)})),
            "unknown-token",
        ),
        ("no signature", format!("{message}."), "token-signature"),
        ("half a signature", format!("{message}.{}", &signature[..100]), "token-signature"),
        ("two parts", message.to_owned(), "unknown-token"),
        ("four parts", format!("{good}.x"), "unknown-token"),
        ("a word", "abc".to_owned(), "unknown-token"),
    ]
}

/// Made by the provider, but not for this.
fn misused(stage: &Stage) -> Vec<(&'static str, String, &'static str)> {
    let issued = |wishes: &[&str]| text(&stage.provider.tokens(USER, wishes), "access_token");
    let unverified = stage.provider.token("unverified@example.org");
    let machine = ["grant_type=client_credentials", "scope=mail.send"];
    let machine = text(&stage.provider.post("/token", &machine), "access_token");
    let id_token = text(&stage.provider.tokens(USER, &[]), "id_token");
    vec![
        ("an ID token", id_token, "token-audience"),
        ("another audience", issued(&["audience=https://other.example"]), "token-audience"),
        ("no scope", issued(&["scope="]), "token-scope"),
        ("another scope", issued(&["scope=openid email"]), "token-scope"),
        ("an address that nobody has verified", unverified, "token-unverified-email"),
        ("one that the provider alone can read", issued(&["format=opaque"]), "unknown-token"),
        ("a machine's", machine, "unknown-token"),
    ]
}

/// A key that the provider knows nothing of.
struct OwnKey {
    file: std::path::PathBuf,
    modulus: Vec<u8>,
}

impl OwnKey {
    fn make(stage: &Stage) -> OwnKey {
        let file = stage.installation.path("own.pem");
        let mut openssl = Command::new("openssl");
        openssl.args(["genrsa", "-out"]).arg(&file).arg("2048");
        assert!(run(&mut openssl, "").status.success());
        let mut openssl = Command::new("openssl");
        let shown = run(openssl.args(["rsa", "-noout", "-modulus", "-in"]).arg(&file), "");
        let hex = String::from_utf8(shown.stdout).unwrap();
        let hex = hex.trim_end().strip_prefix("Modulus=").unwrap();
        let octets = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap());
        OwnKey { file, modulus: octets.collect() }
    }

    fn jwk(&self) -> Value {
        json!({"kty": "RSA", "n": URL_SAFE_NO_PAD.encode(&self.modulus), "e": "AQAB", "alg": "RS256"})
    }

    fn sign(&self, message: &str) -> String {
        let mut openssl = Command::new("openssl");
        let signed = run(openssl.args(["dgst", "-sha256", "-sign"]).arg(&self.file), message);
        assert!(signed.status.success());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signed.stdout))
    }
}

fn decoded(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn with(value: &Value, more: &Value) -> Value {
    let mut value = value.clone();
    value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    value
}

#[test]
fn keys_change_and_the_provider_goes_down_and_comes_back() {
    let mut stage = Stage::set();
    let server = stage.installation.start();
    let old = stage.provider.token(USER);
    assert_eq!(stage.knock(&server, &old).code, 235);
    // A new key is found at once.
    stage.provider.rotate();
    let new = stage.provider.token(USER);
    assert_eq!(stage.knock(&server, &new).code, 235);
    assert_eq!(stage.knock(&server, &old).code, 535);
    // Known keys do without the provider; a key that may be new is no reason to throw a token away.
    stage.provider.rotate();
    let newest = stage.provider.token(USER);
    stage.provider.go_down();
    assert_eq!(stage.knock(&server, &new).code, 235);
    // The last reason to ask was just now, so this one is none, and the next start knows no keys at all.
    drop(server);
    let server = stage.installation.start();
    let reply = stage.knock(&server, &newest);
    assert!(reply.lines[0].starts_with("454 4.7.0 "), "{reply:?}");
    let told = server.until_logged("event=auth.unavailable");
    assert!(told.contains("provider test cannot be asked") && !told.contains(&newest), "{told}");
    let check = failing_check(&stage);
    assert!(
        check.contains("error: provider test cannot be asked about tokens: http://127.0.0.1:"),
        "{check}"
    );
    assert!(
        !stage.installation.done(&["check"]).contains("provider test"),
        "nobody is asked without --connect"
    );
    stage.provider.come_up();
    assert!(!stage.installation.done(&["check", "--connect"]).contains("provider test"));
    until("the provider is asked again", || match stage.knock(&server, &newest).code {
        235 => Some(()),
        code => {
            assert_eq!(code, 454);
            None
        }
    });
    // An unknown key while nobody answers.
    stage.provider.rotate();
    let unknown = stage.provider.token(USER);
    stage.provider.go_down();
    assert_eq!(stage.knock(&server, &unknown).code, 454);
    assert_eq!(stage.knock(&server, &newest).code, 235);
}

#[test]
fn a_provider_can_be_added_and_keys_outlive_a_reload() {
    let mut stage =
        Stage::with(|_| "name = \"other\"\nissuer = \"https://idp.invalid\"\naudience = \"x\"\n".to_owned());
    let server = stage.installation.start();
    let token = stage.provider.token(USER);
    assert_eq!(stage.knock(&server, &token).code, 535);
    let words =
        format!("name = \"test\"\nissuer = \"{}\"\naudience = \"{AUDIENCE}\"\n", stage.provider.issuer);
    stage.configure(&words);
    server.signal("HUP");
    server.until_logged("event=reloaded");
    assert_eq!(stage.knock(&server, &token).code, 235);
    stage.provider.go_down();
    stage.configure(&words.replace("\"test\"", "\"renamed\""));
    server.signal("HUP");
    until("the provider has its new name", || {
        assert_eq!(stage.knock(&server, &token).code, 235);
        let told = stage.installation.json(&["audit", "list", "--action", "login", "--limit", "1"]);
        (told[0]["credential"] == "oauth:renamed").then_some(())
    });
}

#[test]
fn a_provider_is_asked_about_tokens_that_it_alone_can_read() {
    let mut stage = Stage::with(|issuer| {
        format!(
            "name = \"test\"\nissuer = \"{issuer}\"\naudience = \"{AUDIENCE}\"\nscope = \"{SCOPE}\"\n\
             introspection_endpoint = \"{issuer}/token/introspection\"\nclient_id = \"gatepost\"\n\
             client_secret_file = \"client.secret\"\n"
        )
    });
    let server = stage.installation.start();
    let opaque = |wishes: &[&str]| {
        let wishes: Vec<_> = ["format=opaque"].iter().chain(wishes).copied().collect();
        text(&stage.provider.tokens(USER, &wishes), "access_token")
    };
    let (good, revoked) = (opaque(&[]), opaque(&[]));
    stage.provider.post("/token/revocation", &[&format!("token={revoked}")]);
    assert_eq!(stage.knock(&server, &good).code, 235);
    let bad = [
        (revoked, "token-inactive"),
        ("nonsense".to_owned(), "token-inactive"),
        (opaque(&["scope=openid"]), "token-scope"),
        (opaque(&["audience=https://other.example"]), "token-audience"),
    ];
    for (token, reason) in &bad {
        assert_eq!(stage.knock(&server, token).code, 535, "{reason}");
    }
    assert_eq!(reasons(&server, bad.len()), bad.map(|(_, reason)| reason));
    let fresh = opaque(&[]);
    stage.provider.go_down();
    assert_eq!(stage.knock(&server, &fresh).code, 454);
    // The answer about this one counts for a minute.
    assert_eq!(stage.knock(&server, &good).code, 235);
    stage.provider.come_up();
    assert_eq!(stage.knock(&server, &fresh).code, 235);
    // Without the right secret the provider says nothing, and that is not the token's fault.
    std::fs::write(stage.installation.path("client.secret"), "guess\n").unwrap();
    let check = failing_check(&stage);
    assert!(check.contains("answers with status 401"), "{check}");
}

fn failing_check(stage: &Stage) -> String {
    let output = stage.installation.run(&["check", "--connect"], "");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}
