//! Keys: when a provider is asked for them, and what happens if it does not answer.

use super::*;

/// A provider with a key, and what knows it.
async fn stage() -> (FakeServer, Providers, Signer) {
    let signer = Signer::es256("one");
    let idp = FakeServer::start(publishes(&[signer.jwk()])).await;
    let providers = providers(settings(&idp.origin));
    (idp, providers, signer)
}

/// A token that lasts for days.
fn lasting(signer: &Signer, idp: &FakeServer) -> String {
    let mut claims = claims(&idp.origin);
    claims["exp"] = (now().as_second() + 300_000).into();
    signer.sign(&claims)
}

fn is_good(judged: &Result<Judged, ProviderFault>) -> bool {
    matches!(judged, Ok(Judged::Good(_)))
}

#[tokio::test]
async fn keys_are_asked_for_once_an_hour() {
    let (idp, providers, signer) = stage().await;
    let token = lasting(&signer, &idp);
    for (seconds, times) in [(0, 1), (10, 1), (3599, 1), (3600, 2), (3700, 2)] {
        assert!(is_good(&judge(&providers, &token, after(seconds)).await));
        assert_eq!(idp.times("/keys"), times, "after {seconds} s");
    }
}

#[tokio::test]
async fn known_keys_do_for_a_day_without_the_provider() {
    let (idp, providers, signer) = stage().await;
    let token = lasting(&signer, &idp);
    assert!(is_good(&judge(&providers, &token, now()).await));
    idp.behave(|_| Reply::With(503, String::new()));
    for hours in [1, 5, 23] {
        assert!(is_good(&judge(&providers, &token, after(hours * 3600)).await), "after {hours} h");
    }
    let fault = judge(&providers, &token, after(24 * 3600)).await.unwrap_err();
    assert!(matches!(fault.trouble, ProviderTrouble::Status { status: 503, .. }), "{fault:?}");
    idp.behave(publishes(&[signer.jwk()]));
    assert!(is_good(&judge(&providers, &token, after(24 * 3600 + 10)).await));
}

#[tokio::test]
async fn a_new_key_is_found_at_once() {
    let (idp, providers, old) = stage().await;
    assert!(is_good(&judge(&providers, &lasting(&old, &idp), now()).await));
    let new = Signer::es256("two");
    idp.behave(publishes(&[new.jwk()]));
    assert!(is_good(&judge(&providers, &lasting(&new, &idp), after(1)).await));
    // What the provider has taken back is no longer good.
    let judged = judge(&providers, &lasting(&old, &idp), after(2)).await.unwrap();
    assert_eq!(judged, Judged::Bad(TokenFlaw::UnknownKey));
}

#[tokio::test]
async fn a_flood_of_unknown_keys_asks_once() {
    let (idp, providers, signer) = stage().await;
    assert!(is_good(&judge(&providers, &lasting(&signer, &idp), now()).await));
    let before = idp.asked().len();
    let flood = (0..10_000).map(|number| {
        let header = format!("{{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"k{number}\"}}");
        let token = format!("{}.AAAA", signer::unsigned(&header, &claims(&idp.origin).to_string()));
        let providers = &providers;
        async move { judge(providers, &token, after(1)).await.unwrap() }
    });
    let judged = join_all(flood).await;
    assert!(judged.iter().all(|judged| *judged == Judged::Bad(TokenFlaw::UnknownKey)));
    assert_eq!((idp.times("/keys"), idp.asked().len() - before), (2, 2));
    // Five minutes later, once more.
    let stranger = lasting(&Signer::es256("two"), &idp);
    for (seconds, times) in [(300, 2), (301, 3), (302, 3)] {
        judge(&providers, &stranger, after(seconds)).await.unwrap();
        assert_eq!(idp.times("/keys"), times, "after {seconds} s");
    }
}

#[tokio::test]
async fn those_who_come_together_ask_once() {
    let (idp, providers, signer) = stage().await;
    let token = lasting(&signer, &idp);
    let judged = join_all((0..100).map(|_| judge(&providers, &token, now()))).await;
    assert!(judged.iter().all(is_good));
    assert_eq!(idp.times("/keys"), 1);
}

#[tokio::test]
async fn an_unknown_key_is_no_refusal_while_nobody_answers() {
    let (idp, providers, signer) = stage().await;
    let known = lasting(&signer, &idp);
    let new = Signer::es256("two");
    assert!(is_good(&judge(&providers, &known, now()).await));
    idp.behave(|_| Reply::HangUp);
    assert!(judge(&providers, &lasting(&new, &idp), after(1)).await.is_err());
    // The next ones do not wait for the same, and are not refused either.
    let asked = idp.asked().len();
    let fault = judge(&providers, &lasting(&new, &idp), after(2)).await.unwrap_err();
    assert!(matches!(fault.trouble, ProviderTrouble::Lately), "{fault:?}");
    assert_eq!(idp.asked().len(), asked);
    assert!(is_good(&judge(&providers, &known, after(2)).await));
    idp.behave(publishes(&[new.jwk()]));
    assert!(is_good(&judge(&providers, &lasting(&new, &idp), after(12)).await));
}

#[tokio::test]
async fn a_set_without_keys_does_not_replace_those_that_are_known() {
    let (idp, providers, signer) = stage().await;
    let token = lasting(&signer, &idp);
    assert!(is_good(&judge(&providers, &token, now()).await));
    idp.behave(publishes(&[]));
    assert!(is_good(&judge(&providers, &token, after(4000)).await));
}

/// What a provider that behaves like this comes to, and the path that it was asked for last.
async fn fault_of(manner: impl Fn(&Asked) -> Reply + Send + 'static) -> (ProviderTrouble, String) {
    let idp = FakeServer::start(manner).await;
    let token = lasting(&Signer::es256("one"), &idp);
    let providers = within(Duration::from_secs(1), settings(&idp.origin));
    let fault = judge(&providers, &token, now()).await.unwrap_err();
    assert_eq!(providers.reach(now()).await.len(), 1);
    (fault.trouble, idp.asked().pop().unwrap().line)
}

fn document(issuer: &str, keys: &str) -> Reply {
    Reply::With(200, serde_json::json!({"issuer": issuer, "jwks_uri": keys}).to_string())
}

#[tokio::test]
async fn a_provider_that_answers_badly_is_a_fault_and_leads_nowhere() {
    let trap = FakeServer::start(|_| Reply::HangUp).await;
    let to = format!("{}/admin", trap.origin);
    let redirecting = to.clone();
    let elsewhere = to.clone();
    let host = |asked: &Asked| {
        let host = asked.headers.iter().find_map(|header| header.strip_prefix("host: ")).unwrap();
        format!("http://{host}")
    };
    let (trouble, _) = fault_of(move |_| Reply::Redirect(redirecting.clone())).await;
    assert!(matches!(trouble, ProviderTrouble::Status { status: 302, .. }), "{trouble}");
    let (trouble, _) = fault_of(|_| Reply::Large(1 << 30)).await;
    assert!(trouble.to_string().contains("larger than 512 KiB"), "{trouble}");
    let (trouble, _) = fault_of(|_| Reply::Trickle).await;
    assert!(trouble.to_string().contains("did not answer in time"), "{trouble}");
    let (trouble, _) = fault_of(move |asked| document(&host(asked), &elsewhere)).await;
    assert!(trouble.to_string().contains("keys on another server"), "{trouble}");
    let (trouble, _) = fault_of(move |asked| document(&host(asked), "file:///etc/passwd")).await;
    assert!(trouble.to_string().contains("no keys that can be asked for"), "{trouble}");
    for other in ["https://evil.test", "", "http://127.0.0.1"] {
        let (trouble, _) = fault_of(move |asked| document(other, &format!("{}/keys", host(asked)))).await;
        assert!(trouble.to_string().contains("another issuer"), "{trouble}");
    }
    let (trouble, _) = fault_of(move |asked| document(&format!("{}/", host(asked)), &host(asked))).await;
    assert!(trouble.to_string().contains("another issuer"), "{trouble}");
    let (trouble, _) = fault_of(|_| Reply::With(200, "<html>".to_owned())).await;
    assert!(trouble.to_string().contains("not an object of JSON"), "{trouble}");
    let (trouble, line) = fault_of(|_| Reply::With(404, String::new())).await;
    assert!(matches!(trouble, ProviderTrouble::Status { status: 404, .. }), "{trouble}");
    assert_eq!(line, "GET /.well-known/oauth-authorization-server");
    assert!(trap.asked().is_empty());
}

#[tokio::test]
async fn keys_may_be_pinned_to_another_server() {
    let signer = Signer::es256("one");
    let keys = FakeServer::start(publishes(&[signer.jwk()])).await;
    let issuer = "https://idp.invalid";
    let mut settings = settings(issuer);
    let types = vec!["at+jwt".to_owned()];
    let algorithms = vec![SignatureAlgorithm::Es256];
    settings.proof = TokenProof::Signature { algorithms, types, jwks_uri: Some(keys.endpoint("/keys")) };
    let judged = judge(&providers(settings), &signer.sign(&claims(issuer)), now()).await.unwrap();
    assert_eq!(judged, alice(360));
}

#[tokio::test]
async fn the_document_of_oauth_stands_before_the_path_of_the_issuer() {
    let signer = Signer::es256("one");
    let keys = serde_json::json!({"keys": [signer.jwk()]}).to_string();
    let idp = FakeServer::start(move |asked| {
        let host = asked.headers.iter().find_map(|header| header.strip_prefix("host: ")).unwrap();
        match asked.line.as_str() {
            "GET /.well-known/oauth-authorization-server/realm" => {
                document(&format!("http://{host}/realm"), &format!("http://{host}/keys"))
            }
            "GET /keys" => Reply::With(200, keys.clone()),
            _ => Reply::With(404, String::new()),
        }
    })
    .await;
    let issuer = format!("{}/realm", idp.origin);
    let judged = judge(&providers(settings(&issuer)), &signer.sign(&claims(&issuer)), now()).await.unwrap();
    assert_eq!(judged, alice(360));
    assert_eq!(idp.asked()[0].line, "GET /realm/.well-known/openid-configuration");
    assert!(providers(settings(&issuer)).reach(now()).await.is_empty());
}

#[tokio::test]
async fn keys_outlive_a_change_of_the_configuration() {
    let (idp, old, signer) = stage().await;
    let token = lasting(&signer, &idp);
    assert!(is_good(&judge(&old, &token, now()).await));
    idp.behave(|_| Reply::HangUp);
    let new = providers(settings(&idp.origin));
    new.inherit(&old);
    assert!(is_good(&judge(&new, &token, after(1)).await));
    // Not those that came from elsewhere.
    let mut pinned = settings(&idp.origin);
    let algorithms = vec![SignatureAlgorithm::Es256];
    pinned.proof = TokenProof::Signature {
        algorithms,
        types: vec!["at+jwt".to_owned()],
        jwks_uri: Some(idp.endpoint("/others")),
    };
    let pinned = providers(pinned);
    pinned.inherit(&old);
    assert!(judge(&pinned, &token, after(1)).await.is_err());
}
