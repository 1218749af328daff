//! Providers that are asked about each token.

use serde_json::json;

use super::*;

const TOKEN: &str = "opaque-token";

fn asked_at(idp: &FakeServer) -> ProviderSettings {
    ProviderSettings {
        issuer: "https://idp.example.org".to_owned(),
        audience: Vec::new(),
        claim: "username".to_owned(),
        proof: TokenProof::Introspection {
            endpoint: idp.endpoint("/introspect"),
            client_id: "gatepost".to_owned(),
            client_secret: Secret::new("s3cret"),
        },
        ..settings("")
    }
}

fn says(answer: serde_json::Value) -> impl Fn(&Asked) -> Reply + Send {
    move |_| Reply::With(200, answer.to_string())
}

fn active() -> serde_json::Value {
    json!({"active": true, "username": "alice@example.org", "exp": now().as_second() + 300})
}

#[tokio::test]
async fn the_provider_is_asked_as_the_rfc_has_it() {
    let idp = FakeServer::start(says(active())).await;
    let providers = providers(asked_at(&idp));
    assert_eq!(judge(&providers, TOKEN, now()).await.unwrap(), alice(360));
    let asked = idp.asked();
    assert_eq!(asked[0].line, "POST /introspect");
    assert_eq!(asked[0].body, "token=opaque-token&token_type_hint=access_token");
    // `gatepost:s3cret`
    assert!(asked[0].headers.contains(&"authorization: Basic Z2F0ZXBvc3Q6czNjcmV0".to_owned()));
    assert!(
        !format!("{providers:?}").contains("s3cret") && !format!("{providers:?}").contains("Z2F0ZXBvc3Q6")
    );
}

#[tokio::test]
async fn only_what_is_active_and_for_us_is_good() {
    let with = |more: serde_json::Value| {
        let mut answer = active();
        answer.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        answer
    };
    let seconds = now().as_second();
    for (answer, flaw) in [
        (json!({"active": false}), TokenFlaw::Inactive),
        (with(json!({"active": "true"})), TokenFlaw::Inactive),
        (with(json!({"active": 1})), TokenFlaw::Inactive),
        (with(json!({"active": null})), TokenFlaw::Inactive),
        (with(json!({"exp": seconds - 61})), TokenFlaw::Expired),
        (with(json!({"exp": "99999999999"})), TokenFlaw::Times),
        (with(json!({"nbf": seconds + 61})), TokenFlaw::NotYetValid),
        (with(json!({"iss": "https://evil.test"})), TokenFlaw::Issuer),
        (with(json!({"token_use": "refresh_token"})), TokenFlaw::NotForAccess),
        (json!({"active": true}), TokenFlaw::NoAccount),
        (with(json!({"username": null})), TokenFlaw::NoAccount),
    ] {
        let idp = FakeServer::start(says(answer.clone())).await;
        let judged = judge(&providers(asked_at(&idp)), TOKEN, now()).await.unwrap();
        assert_eq!(judged, Judged::Bad(flaw), "{answer}");
    }
}

#[tokio::test]
async fn what_is_configured_must_be_said() {
    let idp = FakeServer::start(says(active())).await;
    let strict = ProviderSettings { audience: vec![AUDIENCE.to_owned()], ..asked_at(&idp) };
    assert_eq!(judge(&providers(strict), TOKEN, now()).await.unwrap(), Judged::Bad(TokenFlaw::Audience));
    let strict = ProviderSettings { scope: vec!["mail".to_owned()], ..asked_at(&idp) };
    assert_eq!(judge(&providers(strict), TOKEN, now()).await.unwrap(), Judged::Bad(TokenFlaw::Scope));
}

#[tokio::test]
async fn a_bad_answer_is_a_fault() {
    let replies = [
        Reply::With(401, active().to_string()),
        Reply::With(500, active().to_string()),
        Reply::With(204, String::new()),
        Reply::With(200, "active".to_owned()),
        Reply::With(200, "{}".to_owned()),
        Reply::With(200, r#"{"active":false,"active":true}"#.to_owned()),
        Reply::Redirect("http://127.0.0.1/".to_owned()),
        Reply::Large(1 << 30),
        Reply::Trickle,
        Reply::HangUp,
    ];
    for reply in replies {
        let shown = format!("{reply:?}");
        let idp = FakeServer::start(move |_| reply.clone()).await;
        let providers = within(Duration::from_secs(1), asked_at(&idp));
        let fault = judge(&providers, TOKEN, now()).await;
        assert!(fault.is_err(), "{shown}: {fault:?}");
        assert!(!format!("{:?}", fault.unwrap_err()).contains(TOKEN));
        assert_eq!(providers.reach(now()).await.len(), 1, "{shown}");
    }
}

#[tokio::test]
async fn an_answer_counts_for_a_minute_at_most() {
    let idp = FakeServer::start(says(active())).await;
    let providers = providers(asked_at(&idp));
    for (seconds, times) in [(0, 1), (59, 1), (60, 2), (119, 2)] {
        assert_eq!(judge(&providers, TOKEN, after(seconds)).await.unwrap(), alice(360));
        assert_eq!(idp.times("/introspect"), times, "after {seconds} s");
    }
    idp.behave(says(json!({"active": false})));
    assert_eq!(judge(&providers, TOKEN, after(120)).await.unwrap(), Judged::Bad(TokenFlaw::Inactive));
    // Another token is another question, and what is no good is asked again.
    judge(&providers, TOKEN, after(121)).await.unwrap();
    judge(&providers, "another", after(121)).await.unwrap();
    assert_eq!(idp.times("/introspect"), 5);
}

#[tokio::test]
async fn an_answer_counts_no_longer_than_its_token() {
    let soon = json!({"active": true, "username": "alice@example.org", "exp": now().as_second() - 50});
    let idp = FakeServer::start(says(soon)).await;
    let providers = providers(asked_at(&idp));
    assert_eq!(judge(&providers, TOKEN, now()).await.unwrap(), alice(10));
    assert_eq!(judge(&providers, TOKEN, after(10)).await.unwrap(), Judged::Bad(TokenFlaw::Expired));
}

#[tokio::test]
async fn a_token_without_an_end_is_good_for_a_minute() {
    let idp = FakeServer::start(says(json!({"active": true, "username": "alice@example.org"}))).await;
    assert_eq!(judge(&providers(asked_at(&idp)), TOKEN, now()).await.unwrap(), alice(60));
}

#[tokio::test]
async fn a_token_of_somebody_else_is_not_shown_around() {
    let idp = FakeServer::start(says(active())).await;
    let signer = Signer::es256("one");
    let providers = providers(asked_at(&idp));
    let foreign = signer.sign(&claims("https://other.example"));
    assert_eq!(judge(&providers, &foreign, now()).await.unwrap(), Judged::Unknown);
    assert!(idp.asked().is_empty());
    // Its own may be signed as well.
    let own = signer.sign(&claims("https://idp.example.org"));
    assert_eq!(judge(&providers, &own, now()).await.unwrap(), alice(360));
}

#[tokio::test]
async fn each_token_goes_to_its_provider() {
    let signer = Signer::es256("one");
    let (one, two) =
        (FakeServer::start(publishes(&[signer.jwk()])).await, FakeServer::start(says(active())).await);
    let fetcher = Fetcher::new(Duration::from_secs(1), &[]).unwrap();
    let provider = |settings| Provider::new(settings, fetcher.clone()).unwrap();
    let both = Providers::new(vec![provider(asked_at(&two)), provider(settings(&one.origin))]);
    assert_eq!(judge(&both, &signer.sign(&claims(&one.origin)), now()).await.unwrap(), alice(360));
    assert!(two.asked().is_empty());
    assert_eq!(judge(&both, TOKEN, now()).await.unwrap(), alice(360));
    assert_eq!(two.asked().len(), 1);
}
