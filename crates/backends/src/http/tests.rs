//! What the program is told, what its answers mean, and that anything else is no verdict.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sasl::{
    ChannelBindings, Circumstances, Claim, CramMd5Claim, Exchange, Mechanism, Nonces, ScramParameters, Step,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use types::{ClientCertificate, EhloName, Fingerprint, SessionId, TlsFacts};

use super::*;
use crate::fake::tls::tls;
use crate::fake::{FakeServer, Reply};

const ANN: &str = "ann@example.org";

fn settings(endpoint: Endpoint) -> HttpSettings {
    HttpSettings {
        endpoint,
        secret: Secret::new("s3cret"),
        timeout: Duration::from_millis(500),
        concurrency: 2,
        authorities: Vec::new(),
    }
}

fn handler(server: &FakeServer) -> HttpHandler {
    HttpHandler::new(settings(server.endpoint("/login?from=mail"))).unwrap()
}

/// A program that says the same to everybody.
async fn saying(answer: &str) -> (FakeServer, HttpHandler) {
    let answer = answer.to_owned();
    let server = FakeServer::start(move |_| Reply::With(200, answer.clone())).await;
    let handler = handler(&server);
    (server, handler)
}

fn ann<'a>(mechanism: &'a str, evidence: Evidence<'a>) -> HttpClaim<'a> {
    HttpClaim { mechanism, username: Some(ANN), authzid: None, evidence }
}

fn accepted(address: &str) -> HttpVerdict {
    let address = Mailbox::parse(address).unwrap();
    HttpVerdict::Accepted(HttpUser { address, until: None, signature: None })
}

/// What a program that says `answer` makes of a right password.
async fn judged(answer: &str) -> Result<HttpVerdict, HttpFault> {
    let password = Secret::new("pässword");
    saying(answer).await.1.ask(ann("PLAIN", Evidence::Password(&password)), None).await
}

fn session() -> SessionFacts {
    let (peer, local) = ("192.0.2.7:40000".parse().unwrap(), "[2001:db8::1]:587".parse().unwrap());
    let (fingerprint, long_ago) = (Fingerprint::from_octets([0xab; 32]), std::time::SystemTime::UNIX_EPOCH);
    let certificate = ClientCertificate::new(fingerprint, Vec::new(), long_ago, long_ago);
    let mut session = SessionFacts::new(SessionId::new([0; 8]), peer, local);
    session.tls = Some(TlsFacts::new("TLSv1.3", "TLS_AES_128_GCM_SHA256"));
    session.ehlo = EhloName::parse("laptop.example").ok();
    session.client_certificate = Some(certificate.into());
    session
}

fn circumstances<'a>(nonce: &'a sasl::Nonce, bindings: &'a ChannelBindings) -> Circumstances<'a> {
    Circumstances::new("mail.example.org", nonce, bindings)
}

fn hmac<D>(key: &[u8], message: &[u8]) -> Vec<u8>
where
    D: hmac::EagerHash,
{
    let mac = Hmac::<D>::new_from_slice(key).unwrap();
    mac.chain_update(message).finalize().into_bytes().to_vec()
}

fn cram_md5(password: &str) -> CramMd5Claim {
    let (nonce, bindings) = (Nonces::new([1; 32]).draw(), ChannelBindings::default());
    let start = Exchange::start(Mechanism::CramMd5, None, circumstances(&nonce, &bindings));
    let Step::Challenge(challenge, exchange) = start else { panic!("{start:?}") };
    let digest = hmac::<md5::Md5>(password.as_bytes(), &STANDARD.decode(challenge).unwrap());
    let digest: String = digest.iter().map(|octet| format!("{octet:02x}")).collect();
    let end = exchange.respond(&STANDARD.encode(format!("{ANN} {digest}")));
    let Step::Claim(Claim::CramMd5(claim)) = end else { panic!("{end:?}") };
    claim
}

/// RFC 5802 section 3, from the client's side.
fn scram(password: &str) -> ScramClaim {
    let (nonce, bindings) = (Nonces::new([1; 32]).draw(), ChannelBindings::default());
    let first = format!("n={ANN},r=client");
    let initial = STANDARD.encode(format!("n,,{first}"));
    let start = Exchange::start(Mechanism::ScramSha256, Some(&initial), circumstances(&nonce, &bindings));
    let Step::Salt(wanted) = start else { panic!("{start:?}") };
    let parameters = ScramParameters { salt: b"salt".to_vec(), iterations: 4096 };
    let Step::Challenge(challenge, exchange) = wanted.with(Some(parameters)) else { panic!("no challenge") };
    let challenge = String::from_utf8(STANDARD.decode(challenge).unwrap()).unwrap();
    let (nonce, _) = challenge.split_once(",s=").unwrap();
    let last = format!("c=biws,{nonce}");
    let mut salted = [0; 32];
    pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), b"salt", 4096, &mut salted);
    let client_key = hmac::<Sha256>(&salted, b"Client Key");
    let message = format!("{first},{challenge},{last}");
    let signature = hmac::<Sha256>(&Sha256::digest(&client_key), message.as_bytes());
    let proof: Vec<u8> = client_key.iter().zip(signature).map(|(key, octet)| key ^ octet).collect();
    let end = exchange.respond(&STANDARD.encode(format!("{last},p={}", STANDARD.encode(proof))));
    let Step::Claim(Claim::Scram(claim)) = end else { panic!("{end:?}") };
    claim
}

#[tokio::test]
async fn a_claim_is_told_with_its_session_and_our_secret() {
    let (server, handler) = saying("{\"verdict\":\"refuse\"}").await;
    let password = Secret::new("pässword\"");
    let claim = HttpClaim { authzid: Some("bob"), ..ann("PLAIN", Evidence::Password(&password)) };
    assert_eq!(handler.ask(claim, Some(&session())).await.unwrap(), HttpVerdict::Refused);
    let [asked] = &server.asked()[..] else { panic!("asked more than once") };
    assert_eq!(asked.line, "POST /login?from=mail");
    for header in ["authorization: Bearer s3cret", "content-type: application/json"] {
        assert!(asked.headers.contains(&header.to_owned()), "{asked:?}");
    }
    let fingerprint = vec!["AB"; 32].join(":");
    let expected = json!({
        "method": "PLAIN", "username": ANN, "authzid": "bob", "password": "pässword\"",
        "session": {
            "id": "0000000000000", "ip": "192.0.2.7", "port": 40000, "local": "[2001:db8::1]:587",
            "tls": {"version": "TLSv1.3", "cipher": "TLS_AES_128_GCM_SHA256"},
            "ehlo": "laptop.example", "certificate": fingerprint,
        },
    });
    assert_eq!(serde_json::from_str::<Value>(&asked.body).unwrap(), expected);
}

#[tokio::test]
async fn each_mechanism_tells_what_it_has() {
    let (server, handler) = saying("{\"verdict\":\"unknown\"}").await;
    let (token, cram_md5, scram) = (Secret::new("t0ken"), cram_md5("x"), scram("x"));
    let nobody = HttpClaim { username: None, ..ann("OAUTHBEARER", Evidence::Token(&token)) };
    for claim in [
        nobody,
        ann("CRAM-MD5", Evidence::CramMd5(&cram_md5)),
        ann("SCRAM-SHA-256", Evidence::Scram(&scram)),
        ann("EXTERNAL", Evidence::Certificate),
    ] {
        assert_eq!(handler.ask(claim, None).await.unwrap(), HttpVerdict::Unknown);
    }
    let said: Vec<Value> =
        server.asked().iter().map(|asked| serde_json::from_str(&asked.body).unwrap()).collect();
    let claim = |method: &str| json!({"method": method, "username": ANN, "authzid": null, "session": null});
    assert_eq!(said[0]["username"], Value::Null);
    assert_eq!(said[0]["token"], "t0ken");
    assert_eq!(said[1]["challenge"], cram_md5.challenge());
    assert_eq!(said[1]["response"].as_str().unwrap().len(), 32);
    assert_eq!(said[2], claim("SCRAM-SHA-256"));
    assert_eq!((&said[3]["method"], &said[3]["certificate"]), (&json!("EXTERNAL"), &Value::Null));
}

#[tokio::test]
async fn an_answer_is_a_verdict_and_what_belongs_to_it() {
    for (answer, verdict) in [
        ("{\"verdict\":\"accept\"}", accepted(ANN)),
        (" {\"other\": [{}], \"verdict\": \"accept\", \"address\": null}\n", accepted(ANN)),
        ("{\"verdict\":\"accept\",\"address\":\"b@example.org\"}", accepted("b@example.org")),
        ("{\"verdict\":\"accept\",\"password\":\"p\\u00e4ssword\"}", accepted(ANN)),
        ("{\"verdict\":\"accept\",\"password\":\"passwort\"}", HttpVerdict::Refused),
        ("{\"verdict\":\"refuse\"}", HttpVerdict::Refused),
        ("{\"verdict\":\"refuse\",\"password\":\"p\\u00e4ssword\"}", HttpVerdict::Refused),
        ("{\"verdict\":\"unknown\"}", HttpVerdict::Unknown),
    ] {
        assert_eq!(judged(answer).await.unwrap(), verdict, "{answer}");
    }
    let until = "{\"verdict\":\"accept\",\"until\":\"2027-01-31T13:00:00+01:00\"}";
    let HttpVerdict::Accepted(user) = judged(until).await.unwrap() else { panic!("not accepted") };
    assert_eq!(user.until, Some("2027-01-31T12:00:00Z".parse().unwrap()));
}

#[tokio::test]
async fn anything_else_is_no_verdict_and_is_not_repeated() {
    for answer in [
        "",
        "accept",
        "true",
        "\"accept\"",
        "[\"accept\"]",
        "null",
        "{}",
        "{\"verdict\":\"accept\"} hunter2",
        "{\"verdict\":\"accept\"",
        "{'verdict':'accept'}",
        "{\"verdict\":true}",
        "{\"verdict\":null}",
        "{\"verdict\":\"ACCEPT\"}",
        "{\"verdict\":\"hunter2\"}",
        "{\"verdict\":{\"accept\":1}}",
        "{\"verdict\":\"refuse\",\"verdict\":\"accept\"}",
        "{\"password\":\"hunter2\"}",
        "{\"verdict\":\"accept\",\"password\":12345}",
        "{\"verdict\":\"accept\",\"password\":[\"hunter2\"]}",
        "{\"verdict\":\"accept\",\"password\":\"\"}",
        "{\"verdict\":\"accept\",\"address\":\"hunter2\"}",
        "{\"verdict\":\"accept\",\"address\":\"\"}",
        "{\"verdict\":\"accept\",\"address\":\"a@b.test, c@d.test\"}",
        "{\"verdict\":\"accept\",\"until\":\"hunter2\"}",
        "{\"verdict\":\"accept\",\"until\":\"2027-01-31\"}",
        "{\"verdict\":\"accept\",\"until\":1800000000}",
        "\u{feff}{\"verdict\":\"accept\"}",
    ] {
        let fault = judged(answer).await.unwrap_err();
        assert!(matches!(fault, HttpFault::Answer { .. }), "{answer}: {fault:?}");
        let said = format!("{fault} {fault:?}");
        assert!(!said.contains("hunter2") && !said.contains("12345"), "{said}");
        assert!(fault.to_string().contains("docs/http-handler.md"), "{fault}");
    }
}

#[tokio::test]
async fn every_status_but_200_is_a_fault_that_says_what_to_do() {
    for (status, advice) in [
        (401, "secret_file"),
        (403, "secret_file"),
        (404, "auth.http.url"),
        (500, "log"),
        (201, "log"),
        (204, "log"),
    ] {
        let server =
            FakeServer::start(move |_| Reply::With(status, "{\"verdict\":\"accept\"}".to_owned())).await;
        let password = Secret::new("hunter2");
        let fault =
            handler(&server).ask(ann("PLAIN", Evidence::Password(&password)), None).await.unwrap_err();
        assert!(matches!(fault, HttpFault::Status { status: told, .. } if told == status), "{fault:?}");
        let said = format!("{fault} {fault:?}");
        assert!(said.contains(advice), "{said}");
        assert!(!said.contains("hunter2") && !said.contains("s3cret"), "{said}");
    }
}

#[tokio::test]
async fn without_an_answer_there_is_no_verdict() {
    let elsewhere = FakeServer::start(|_| Reply::With(200, "{\"verdict\":\"accept\"}".to_owned())).await;
    let password = Secret::new("x");
    for reply in
        [Reply::HangUp, Reply::Trickle, Reply::Large(600 * 1024), Reply::Redirect(elsewhere.origin.clone())]
    {
        let manner = reply.clone();
        let server = FakeServer::start(move |_| manner.clone()).await;
        let asked = handler(&server).ask(ann("PLAIN", Evidence::Password(&password)), None).await;
        assert!(asked.is_err(), "{reply:?}");
    }
    assert!(elsewhere.asked().is_empty());
    let nobody = HttpHandler::new(settings(Endpoint::parse("http://127.0.0.1:1/").unwrap())).unwrap();
    let fault = nobody.ask(ann("PLAIN", Evidence::Password(&password)), None).await.unwrap_err();
    assert!(matches!(fault, HttpFault::Fetch(FetchError::Unreachable { .. })), "{fault:?}");
}

#[tokio::test]
async fn a_password_that_is_no_text_is_refused_unasked() {
    let (server, handler) = saying("{\"verdict\":\"accept\"}").await;
    let password = Secret::new(vec![b'p', 0xff]);
    let verdict = handler.ask(ann("PLAIN", Evidence::Password(&password)), None).await.unwrap();
    assert_eq!((verdict, server.asked().len()), (HttpVerdict::Refused, 0));
}

#[tokio::test]
async fn who_is_accepted_is_somebody() {
    let (_server, handler) = saying("{\"verdict\":\"accept\"}").await;
    let token = Secret::new("t0ken");
    for username in [None, Some("ann"), Some("")] {
        let claim = HttpClaim { username, ..ann("XOAUTH2", Evidence::Token(&token)) };
        let fault = handler.ask(claim, None).await.unwrap_err();
        assert!(fault.to_string().contains("lacks \"address\""), "{fault}");
    }
    let (_server, handler) = saying("{\"verdict\":\"accept\",\"address\":\"ann@example.org\"}").await;
    let claim = HttpClaim { username: None, ..ann("OAUTHBEARER", Evidence::Token(&token)) };
    assert_eq!(handler.ask(claim, None).await.unwrap(), accepted(ANN));
}

#[tokio::test]
async fn with_a_password_challenges_are_judged_here() {
    let (right, wrong) = (cram_md5("tanstaaf"), cram_md5("tanstaa"));
    let (_server, handler) = saying("{\"verdict\":\"accept\",\"password\":\"tanstaaf\"}").await;
    let ask = |evidence| handler.ask(ann("X", evidence), None);
    assert_eq!(ask(Evidence::CramMd5(&right)).await.unwrap(), accepted(ANN));
    assert_eq!(ask(Evidence::CramMd5(&wrong)).await.unwrap(), HttpVerdict::Refused);
    let (right, wrong) = (scram("tanstaaf"), scram("tanstaa"));
    let HttpVerdict::Accepted(user) = ask(Evidence::Scram(&right)).await.unwrap() else { panic!("refused") };
    assert_eq!(user.signature, right.validates(&Secret::new("tanstaaf")));
    assert!(user.signature.is_some());
    assert_eq!(ask(Evidence::Scram(&wrong)).await.unwrap(), HttpVerdict::Refused);
}

#[tokio::test]
async fn the_program_may_judge_cram_md5_but_not_scram() {
    let (_server, handler) = saying("{\"verdict\":\"accept\"}").await;
    let (cram_md5, scram) = (cram_md5("any"), scram("any"));
    let judged = handler.ask(ann("CRAM-MD5", Evidence::CramMd5(&cram_md5)), None).await;
    assert_eq!(judged.unwrap(), accepted(ANN));
    let fault = handler.ask(ann("SCRAM-SHA-256", Evidence::Scram(&scram)), None).await.unwrap_err();
    assert!(fault.to_string().contains("without \"password\""), "{fault}");
}

#[tokio::test]
async fn a_password_that_nobody_compares_is_a_mistake() {
    let (_server, handler) = saying("{\"verdict\":\"accept\",\"password\":\"x\"}").await;
    let token = Secret::new("x");
    for evidence in [Evidence::Token(&token), Evidence::Certificate] {
        assert!(matches!(handler.ask(ann("X", evidence), None).await, Err(HttpFault::Answer { .. })));
    }
}

#[tokio::test]
async fn so_many_are_asked_about_at_a_time() {
    let server = FakeServer::start(|_| Reply::Trickle).await;
    let slow = HttpSettings { timeout: Duration::from_secs(10), ..settings(server.endpoint("/")) };
    let (handler, password) = (HttpHandler::new(slow).unwrap(), Secret::new("x"));
    let ask = || handler.ask(ann("PLAIN", Evidence::Password(&password)), None);
    let first_two = async { tokio::join!(ask(), ask()) };
    tokio::select! {
        // In the order in which they are written.
        biased;
        _ = first_two => panic!("it never answers"),
        third = ask() => assert!(matches!(third, Err(HttpFault::Busy(_))), "{third:?}"),
    }
    assert_eq!(server.asked().len(), 2);
    server.behave(|_| Reply::With(200, "{\"verdict\":\"accept\"}".to_owned()));
    assert_eq!(ask().await.unwrap(), accepted(ANN), "places are given back");
}

#[tokio::test]
async fn its_certificate_is_verified() {
    let (endpoint, authority) = tls().await;
    let password = Secret::new("x");
    let claim = ann("PLAIN", Evidence::Password(&password));
    let known = HttpSettings { authorities: vec![authority], ..settings(endpoint.clone()) };
    let known = HttpHandler::new(known).unwrap().ask(claim, None).await;
    assert!(matches!(known, Err(HttpFault::Answer { .. })), "{known:?}");
    let unknown = HttpHandler::new(settings(endpoint)).unwrap().ask(claim, None).await;
    assert!(matches!(unknown, Err(HttpFault::Fetch(_))), "{unknown:?}");
}

#[tokio::test]
async fn the_secret_can_be_sent_and_is_not_shown() {
    let (server, handler) = saying("{}").await;
    assert!(!format!("{handler:?} {:?}", settings(server.endpoint("/"))).contains("s3cret"));
    for secret in ["two\nlines", "null\0"] {
        let settings = HttpSettings { secret: Secret::new(secret), ..settings(server.endpoint("/")) };
        assert!(matches!(HttpHandler::new(settings), Err(HttpSetupError::Secret(_))));
    }
}

#[tokio::test]
async fn a_program_that_accepts_a_made_up_password_is_told_of() {
    for (answer, told) in [
        (r#"{"verdict":"refuse"}"#, ""),
        (r#"{"verdict":"unknown"}"#, ""),
        // It leaves the comparison to us.
        (r#"{"verdict":"accept","password":"correct horse"}"#, ""),
        (r#"{"verdict":"accept"}"#, "accepted a made-up password"),
        ("{}", "docs/http-handler.md"),
    ] {
        let (_server, handler) = saying(answer).await;
        let reached = handler.reach("mail.example.org").await;
        let error = reached.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(told) && error.is_empty() == told.is_empty(), "{answer}: {error}");
    }
}
