//! What a fetch does with answers that are too large, too slow, or lead elsewhere, and what it shows to whom.

use super::*;
use crate::fake::{FakeServer, Reply};

fn fetcher() -> Fetcher {
    Fetcher::new(Duration::from_millis(500), &[]).unwrap()
}

fn ok(body: &str) -> Reply {
    Reply::With(200, body.to_owned())
}

#[tokio::test]
async fn status_and_body_are_returned_whatever_the_status() {
    let server = FakeServer::start(|_| Reply::With(418, "{}".to_owned())).await;
    let answer = fetcher().get(&server.endpoint("/a?b=c"), &[]).await.unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (418, b"{}".as_slice()));
    assert_eq!(server.asked()[0].line, "GET /a?b=c");
}

#[tokio::test]
async fn forms_and_json_are_posted_with_headers() {
    let server = FakeServer::start(|_| ok("{}")).await;
    let header = [Header::new("X-Gatepost", &Secret::new("s3cret")).unwrap()];
    assert!(!format!("{header:?}").contains("s3cret"));
    let endpoint = server.endpoint("/");
    fetcher().post_form(&endpoint, &header, &[("token", "a b&c")]).await.unwrap();
    fetcher().post_json(&endpoint, &header, &serde_json::json!({"a": 1})).await.unwrap();
    let asked = server.asked();
    assert_eq!((asked[0].body.as_str(), asked[1].body.as_str()), ("token=a+b%26c", "{\"a\":1}"));
    for asked in asked {
        assert!(asked.headers.contains(&"x-gatepost: s3cret".to_owned()), "{asked:?}");
        assert!(asked.headers.contains(&"accept: application/json".to_owned()), "{asked:?}");
    }
}

#[tokio::test]
async fn a_client_logs_in_as_oauth_has_it() {
    let server = FakeServer::start(|_| ok("{}")).await;
    let header = Header::basic("a:b", &Secret::new("p w"));
    fetcher().get(&server.endpoint("/"), &[header]).await.unwrap();
    let expected = format!("authorization: Basic {}", STANDARD.encode("a%3Ab:p+w"));
    assert!(server.asked()[0].headers.contains(&expected));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let admin = FakeServer::start(|_| ok("{}")).await;
    let to = admin.origin.clone();
    let server = FakeServer::start(move |_| Reply::Redirect(to.clone())).await;
    assert_eq!(fetcher().get(&server.endpoint("/"), &[]).await.unwrap().status, 302);
    assert!(admin.asked().is_empty());
}

#[tokio::test]
async fn an_answer_has_a_size() {
    let server = FakeServer::start(|asked| match asked.line.as_str() {
        "GET /most" => Reply::Large(512 * 1024),
        "GET /more" => Reply::Large(512 * 1024 + 65_536),
        _ => Reply::Large(1 << 30),
    })
    .await;
    let patient = Fetcher::new(Duration::from_secs(30), &[]).unwrap();
    assert_eq!(patient.get(&server.endpoint("/most"), &[]).await.unwrap().body.len(), MAX_ANSWER);
    for path in ["/more", "/gibibyte"] {
        let error = patient.get(&server.endpoint(path), &[]).await.unwrap_err();
        assert!(matches!(error, FetchError::TooLarge(_)), "{error:?}");
    }
}

#[tokio::test]
async fn an_answer_has_a_deadline_that_octets_do_not_prolong() {
    let server = FakeServer::start(|_| Reply::Trickle).await;
    let error = fetcher().get(&server.endpoint("/"), &[]).await.unwrap_err();
    assert!(matches!(error, FetchError::Late(_)), "{error:?}");
}

#[tokio::test]
async fn errors_name_the_url_without_its_query() {
    let server = FakeServer::start(|_| Reply::HangUp).await;
    let error = fetcher().get(&server.endpoint("/a?key=s3cret"), &[]).await.unwrap_err();
    let told = chain(&error);
    assert!(told.contains("/a cannot be asked") && !told.contains("s3cret"), "{told}");
    assert_eq!(server.times("/a?key=s3cret"), 1, "asked again");
    server.behave(|_| ok("{}"));
    assert_eq!(fetcher().get(&server.endpoint("/a"), &[]).await.unwrap().status, 200);
}

/// The chain of an error, as it is logged.
fn chain(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(Some(error), |error| error.source());
    sources.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[tokio::test]
async fn a_certificate_is_verified() {
    let (endpoint, authority) = crate::fake::tls::tls().await;
    let error = fetcher().get(&endpoint, &[]).await.unwrap_err();
    assert!(matches!(error, FetchError::Unreachable { .. }), "{error:?}");
    let trusting = Fetcher::new(Duration::from_secs(5), &[authority]).unwrap();
    assert_eq!(trusting.get(&endpoint, &[]).await.unwrap().status, 200);
}

#[test]
fn what_is_no_header_is_refused() {
    for (name, value) in [("", "x"), ("a b", "x"), ("X:", "x"), ("X", "a\r\nY: b"), ("X", "a\0")] {
        assert_eq!(Header::new(name, &Secret::new(value)).unwrap_err(), BadHeader, "{name:?} {value:?}");
    }
}
