//! Tokens that somebody has made to get in, each wrong in one way.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, EncodingKey};
use rcgen::PublicKeyData as _;
use serde_json::{Value, json};

use super::signer::{self, unsigned};
use super::*;

/// Where no connection may ever arrive.
struct Trap(FakeServer);

impl Trap {
    async fn set() -> Self {
        Trap(FakeServer::start(|_| Reply::HangUp).await)
    }

    fn url(&self) -> String {
        format!("{}/keys", self.0.origin)
    }
}

struct Stage {
    idp: FakeServer,
    providers: Providers,
    ours: Signer,
    theirs: Signer,
    curve: Signer,
}

impl Stage {
    async fn set() -> Self {
        let (ours, theirs, curve) = (Signer::rs256("one"), Signer::rs256("one"), Signer::es256("curve"));
        let for_encryption = with(ours.jwk(), &json!({"kid": "enc", "use": "enc"}));
        let for_another = with(ours.jwk(), &json!({"kid": "rs512", "alg": "RS512"}));
        let to_encrypt = with(ours.jwk(), &json!({"kid": "ops", "key_ops": ["encrypt"]}));
        let shared = json!({"kty": "oct", "kid": "oct", "k": "c2VjcmV0"});
        let own = with(ours.jwk(), &json!({"use": "sig", "alg": "RS256"}));
        let strange = json!({"kty": "AKP", "kid": "new"});
        let keys = [own, for_encryption, for_another, to_encrypt, curve.jwk(), shared, strange];
        let idp = FakeServer::start(publishes(&keys)).await;
        let mut settings = settings(&idp.origin);
        settings.scope = vec!["mail.send".to_owned()];
        settings.proof = TokenProof::Signature {
            algorithms: vec![SignatureAlgorithm::Rs256],
            types: ["at+jwt", "JWT"].map(str::to_owned).to_vec(),
            jwks_uri: None,
        };
        Stage { providers: providers(settings), idp, ours, theirs, curve }
    }

    fn claims(&self) -> Value {
        with(claims(&self.idp.origin), &json!({"scope": "openid mail.send"}))
    }

    /// With these claims instead.
    fn claiming(&self, other: &Value) -> String {
        self.ours.sign(&with(self.claims(), other))
    }

    /// Without this claim.
    fn lacking(&self, name: &str) -> String {
        let mut claims = self.claims();
        claims.as_object_mut().unwrap().remove(name);
        self.ours.sign(&claims)
    }

    /// With text in the claims that no library would write.
    fn writing(&self, name: &str, text: &str) -> String {
        let claims = self.claims().to_string();
        let claims = claims.replacen('{', &format!("{{\"{name}\":{text},"), 1);
        let header = header(&json!({}));
        self.ours.sign_as(Algorithm::RS256, &header, &claims)
    }

    /// With text instead of a claim's value.
    fn writing_instead(&self, name: &str, text: &str) -> String {
        let claims = with(self.claims(), &json!({ name: "INSTEAD" })).to_string();
        let claims = claims.replace("\"INSTEAD\"", text);
        self.ours.sign_as(Algorithm::RS256, &header(&json!({})), &claims)
    }

    /// With this in the header.
    fn headed(&self, more: &Value) -> String {
        self.ours.sign_as(Algorithm::RS256, &header(more), &self.claims().to_string())
    }

    /// With this in the header, and signed by somebody else.
    fn forged(&self, more: &Value) -> String {
        self.theirs.sign_as(Algorithm::RS256, &header(more), &self.claims().to_string())
    }
}

fn with(mut value: Value, other: &Value) -> Value {
    value.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
    value
}

/// The header of a good token, with more, and without what is `null`.
fn header(more: &Value) -> String {
    let mut header = with(json!({"alg": "RS256", "typ": "at+jwt", "kid": "one"}), more);
    header.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    header.to_string()
}

/// Every token with what it is called.
fn forgeries(stage: &Stage, trap: &Trap) -> Vec<(&'static str, String, TokenFlaw)> {
    let claims = stage.claims().to_string();
    let unsigned = |alg| unsigned(&header(&json!({"alg": alg})), &claims);
    let by_secret = |secret: &[u8]| {
        let key = EncodingKey::from_secret(secret);
        signer::sign(&key, Algorithm::HS256, &header(&json!({"alg": "HS256"})), &claims)
    };
    let (pem, der) = (stage.ours.pair.public_key_pem(), stage.ours.pair.subject_public_key_info());
    let good = stage.ours.sign(&stage.claims());
    let (message, signature) = good.rsplit_once('.').unwrap();
    let other = stage.claiming(&json!({"email": "bob@example.org"}));
    let other = other.rsplit_once('.').unwrap().0;
    let chain = json!([STANDARD.encode(stage.theirs.pair.subject_public_key_info())]);
    let ps256 = header(&json!({"alg": "PS256"}));
    let es256 = header(&json!({"alg": "ES256", "kid": "curve"}));
    let rs512 = header(&json!({"alg": "RS512", "kid": "rs512"}));
    use TokenFlaw::{Algorithm as Alg, Critical, Malformed, Signature, TooLong, Type, UnknownKey};
    vec![
        ("alg none", unsigned("none") + ".", Alg),
        ("alg NONE", unsigned("NONE") + ".", Alg),
        ("alg nOnE with a signature", format!("{}.{signature}", unsigned("nOnE")), Alg),
        ("alg empty", format!("{}.{signature}", unsigned("")), Alg),
        ("alg in small letters", format!("{}.{signature}", unsigned("rs256")), Alg),
        ("alg a list", stage.headed(&json!({"alg": ["RS256"]})), Alg),
        ("HS256 by the public key's PEM", by_secret(pem.as_bytes()), Alg),
        ("HS256 by the public key's DER", by_secret(&der), Alg),
        ("HS256 by nothing", by_secret(b""), Alg),
        (
            "HS256 by a published secret",
            {
                let key = EncodingKey::from_secret(b"secret");
                signer::sign(&key, Algorithm::HS256, &header(&json!({"alg": "HS256", "kid": "oct"})), &claims)
            },
            Alg,
        ),
        ("the right key by another algorithm", stage.ours.sign_as(Algorithm::PS256, &ps256, &claims), Alg),
        ("a key of another family", stage.curve.sign_as(Algorithm::ES256, &es256, &claims), Alg),
        ("an algorithm not configured", stage.ours.sign_as(Algorithm::RS512, &rs512, &claims), Alg),
        ("a key id for another family", stage.headed(&json!({"kid": "curve"})), UnknownKey),
        ("a key id of a secret", stage.headed(&json!({"kid": "oct"})), UnknownKey),
        ("a key for encryption", stage.headed(&json!({"kid": "enc"})), UnknownKey),
        ("a key for other operations", stage.headed(&json!({"kid": "ops"})), UnknownKey),
        ("a key for another algorithm", stage.headed(&json!({"kid": "rs512"})), UnknownKey),
        ("a key id that is a path", stage.forged(&json!({"kid": "../../../dev/null"})), UnknownKey),
        ("a key id that is SQL", stage.forged(&json!({"kid": "x' UNION SELECT 'k"})), UnknownKey),
        ("a key id that is a URL", stage.forged(&json!({"kid": trap.url()})), UnknownKey),
        ("a key id with a line break", stage.forged(&json!({"kid": "one\r\n"})), UnknownKey),
        ("a key id that is empty", stage.forged(&json!({"kid": ""})), UnknownKey),
        ("a key id that is a number", stage.headed(&json!({"kid": 1})), Malformed),
        ("keys elsewhere", stage.forged(&json!({"jku": trap.url(), "kid": "evil"})), UnknownKey),
        ("keys elsewhere, by a known name", stage.forged(&json!({"jku": trap.url()})), Signature),
        ("a certificate elsewhere", stage.forged(&json!({"x5u": trap.url()})), Signature),
        ("a key of its own", stage.forged(&json!({"jwk": stage.theirs.jwk()})), Signature),
        (
            "a key of its own and no id",
            stage.forged(&json!({"jwk": stage.theirs.jwk(), "kid": null})),
            Signature,
        ),
        ("a certificate of its own", stage.forged(&json!({"x5c": chain})), Signature),
        ("another's signature", stage.forged(&json!({})), Signature),
        ("no signature", format!("{message}."), Signature),
        ("half a signature", format!("{message}.{}", signature.split_at(signature.len() / 2).0), Signature),
        ("a signature that is none", format!("{message}.!!!!"), Signature),
        ("the signature of other claims", format!("{other}.{signature}"), Signature),
        ("something critical", stage.headed(&json!({"crit": ["exp"]})), Critical),
        ("claims in the clear", stage.headed(&json!({"crit": ["b64"], "b64": false})), Critical),
        ("nothing critical", stage.headed(&json!({"crit": []})), Critical),
        ("no type", stage.headed(&json!({"typ": null})), Type),
        ("another type", stage.headed(&json!({"typ": "logout+jwt"})), Type),
        ("a type that is a list", stage.headed(&json!({"typ": ["at+jwt"]})), Type),
        ("a type that is empty", stage.headed(&json!({"typ": ""})), Type),
        (
            "claims that are a list",
            stage.ours.sign_as(Algorithm::RS256, &header(&json!({})), "[]"),
            Malformed,
        ),
        (
            "claims that are no JSON",
            stage.ours.sign_as(Algorithm::RS256, &header(&json!({})), "{"),
            Malformed,
        ),
        ("a token too long", stage.claiming(&json!({"x": "y".repeat(9000)})), TooLong),
    ]
}

/// Claims that the provider has signed, but for something else.
fn misuses(stage: &Stage) -> Vec<(&'static str, String, TokenFlaw)> {
    let now = now().as_second();
    use TokenFlaw::*;
    vec![
        ("another audience", stage.claiming(&json!({"aud": "https://other.example"})), Audience),
        (
            "an audience that begins like ours",
            stage.claiming(&json!({"aud": format!("{AUDIENCE}.evil.test")})),
            Audience,
        ),
        ("several audiences without us", stage.claiming(&json!({"aud": ["a", "b"]})), Audience),
        ("no audiences", stage.claiming(&json!({"aud": []})), Audience),
        ("an audience that is a number", stage.claiming(&json!({"aud": 1})), Audience),
        ("audiences with a number", stage.claiming(&json!({"aud": [AUDIENCE, 1]})), Audience),
        ("an audience that is an object", stage.claiming(&json!({"aud": {AUDIENCE: true}})), Audience),
        ("no audience", stage.lacking("aud"), Audience),
        ("no end", stage.lacking("exp"), Times),
        ("an end that is a string", stage.claiming(&json!({"exp": "99999999999"})), Times),
        ("an end that is null", stage.claiming(&json!({"exp": null})), Times),
        ("an end that is true", stage.claiming(&json!({"exp": true})), Times),
        ("an end that is a list", stage.claiming(&json!({"exp": [99_999_999_999_i64]})), Times),
        ("an end before all times", stage.claiming(&json!({"exp": -1})), Times),
        ("an end after all times", stage.claiming(&json!({"exp": u64::MAX})), Times),
        ("an end far after all times", stage.claiming(&json!({"exp": 1e300})), Times),
        ("an end beyond numbers", stage.writing_instead("exp", "1e400"), Malformed),
        ("an end that is not a number", stage.writing_instead("exp", "NaN"), Malformed),
        ("an end that is infinite", stage.writing_instead("exp", "Infinity"), Malformed),
        ("the end of 1970", stage.claiming(&json!({"exp": 0})), Expired),
        ("an hour too late", stage.claiming(&json!({"exp": now - 3600})), Expired),
        ("an hour too early", stage.claiming(&json!({"nbf": now + 3600})), NotYetValid),
        ("from the future", stage.claiming(&json!({"iat": now + 3600})), NotYetValid),
        ("a begin that is a string", stage.claiming(&json!({"nbf": "0"})), Times),
        ("an issue that is a string", stage.claiming(&json!({"iat": "0"})), Times),
        ("two ends", stage.writing("exp", "1"), Malformed),
        ("two addresses", stage.writing("email", "\"bob@example.org\""), Malformed),
        ("two audiences", stage.writing("\\u0061ud", "\"x\""), Malformed),
        ("an ID token, by its hash", stage.claiming(&json!({"at_hash": "x"})), NotForAccess),
        ("an ID token, by its code", stage.claiming(&json!({"c_hash": "x"})), NotForAccess),
        ("an ID token, as Keycloak has it", stage.claiming(&json!({"typ": "ID"})), NotForAccess),
        ("a refresh token, as Keycloak has it", stage.claiming(&json!({"typ": "Refresh"})), NotForAccess),
        ("an ID token, as Cognito has it", stage.claiming(&json!({"token_use": "id"})), NotForAccess),
        ("a logout", stage.claiming(&json!({"events": {}})), NotForAccess),
        ("no scope", stage.lacking("scope"), Scope),
        ("another scope", stage.claiming(&json!({"scope": "openid mail.sender"})), Scope),
        ("a scope that is an object", stage.claiming(&json!({"scope": {"mail.send": true}})), Scope),
        ("scopes with a number", stage.claiming(&json!({"scope": ["mail.send", 1]})), Scope),
        ("no account", stage.lacking("email"), NoAccount),
        ("an account that is empty", stage.claiming(&json!({"email": ""})), NoAccount),
        ("an account that is a list", stage.claiming(&json!({"email": ["alice@example.org"]})), NoAccount),
        ("an account with a NUL", stage.claiming(&json!({"email": "alice@example.org\0"})), NoAccount),
        ("an account without end", stage.claiming(&json!({"email": "a".repeat(321)})), NoAccount),
        ("an address not verified", stage.claiming(&json!({"email_verified": false})), UnverifiedEmail),
        (
            "an address verified by a word",
            stage.claiming(&json!({"email_verified": "true"})),
            UnverifiedEmail,
        ),
        ("an address verified by nobody", stage.lacking("email_verified"), UnverifiedEmail),
    ]
}

/// What none of the providers has issued, as far as it says.
fn strangers(stage: &Stage) -> Vec<(&'static str, String)> {
    let good = stage.ours.sign(&stage.claims());
    let parts: Vec<_> = good.split('.').collect();
    let twice = header(&json!({})).replacen('{', "{\"alg\":\"none\",", 1);
    vec![
        ("another issuer", stage.claiming(&json!({"iss": "https://evil.test"}))),
        ("an issuer with a slash", stage.claiming(&json!({"iss": format!("{}/", stage.idp.origin)}))),
        ("an issuer in capitals", stage.claiming(&json!({"iss": stage.idp.origin.to_uppercase()}))),
        ("several issuers", stage.claiming(&json!({"iss": [stage.idp.origin]}))),
        ("no issuer", stage.lacking("iss")),
        ("nothing", String::new()),
        ("dots", "..".to_owned()),
        ("a word", "abc".to_owned()),
        ("two parts", parts[..2].join(".")),
        ("four parts", format!("{good}.x")),
        ("five parts", "eyJhbGciOiJkaXIifQ.a.b.c.d".to_owned()),
        ("padded base64", format!("{}=.{}.{}", parts[0], parts[1], parts[2])),
        ("a space before it", format!(" {good}")),
        ("a line break behind the header", format!("{}\n.{}.{}", parts[0], parts[1], parts[2])),
        ("two algorithms", stage.ours.sign_as(Algorithm::RS256, &twice, &stage.claims().to_string())),
        ("JSON", json!({"payload": parts[1], "signature": parts[2], "protected": parts[0]}).to_string()),
        ("not ASCII", format!("{good}é")),
        ("a header that is deep", unsigned(&"[".repeat(5000), "{}") + ".x"),
    ]
}

#[tokio::test]
async fn each_is_refused_and_the_trail_learns_why() {
    let (stage, trap) = (Stage::set().await, Trap::set().await);
    let right = judge(&stage.providers, &stage.ours.sign(&stage.claims()), now()).await.unwrap();
    assert_eq!(right, alice(360));
    let hostile: Vec<_> = forgeries(&stage, &trap).into_iter().chain(misuses(&stage)).collect();
    assert!(hostile.len() > 80);
    for (what, token, flaw) in hostile {
        assert_eq!(judge(&stage.providers, &token, now()).await.unwrap(), Judged::Bad(flaw), "{what}");
    }
    for (what, token) in strangers(&stage) {
        assert_eq!(judge(&stage.providers, &token, now()).await.unwrap(), Judged::Unknown, "{what}");
    }
    assert!(trap.0.asked().is_empty(), "a token chose whom we ask: {:?}", trap.0.asked());
    // The keys once, and once more because of one that is not among them.
    assert!(stage.idp.times("/keys") <= 2, "{}", stage.idp.times("/keys"));
}

#[tokio::test]
async fn good_tokens_come_in_several_forms() {
    let stage = Stage::set().await;
    let good = [
        ("a list of audiences", stage.claiming(&json!({"aud": ["other", AUDIENCE]}))),
        ("an end with a fraction", stage.claiming(&json!({"exp": now().as_second() as f64 + 300.0}))),
        ("a list of scopes", stage.claiming(&json!({"scope": ["mail.send"]}))),
        ("Microsoft's scopes", {
            let claims = with(stage.claims(), &json!({"scp": "mail.send"}));
            stage.ours.sign(&with(claims, &json!({"scope": "openid"})))
        }),
        ("a nonce beside a scope", stage.claiming(&json!({"nonce": "x"}))),
        ("another type", stage.headed(&json!({"typ": "JWT"}))),
        ("a type in full", stage.headed(&json!({"typ": "application/AT+jwt"}))),
        ("one key that fits, and no name", stage.headed(&json!({"kid": null}))),
        ("members that nobody knows", stage.headed(&json!({"x5t": "x", "xyz": {}}))),
    ];
    for (what, token) in good {
        assert_eq!(judge(&stage.providers, &token, now()).await.unwrap(), alice(360), "{what}");
    }
}

#[tokio::test]
async fn clocks_may_differ_by_a_minute() {
    let stage = Stage::set().await;
    let at = |name: &str, seconds: i64| stage.claiming(&json!({ name: now().as_second() + seconds }));
    for (name, seconds, good) in [
        ("exp", -59, true),
        ("exp", -60, false),
        ("exp", -61, false),
        ("nbf", 59, true),
        ("nbf", 60, true),
        ("nbf", 61, false),
        ("iat", 59, true),
        ("iat", 61, false),
    ] {
        let judged = judge(&stage.providers, &at(name, seconds), now()).await.unwrap();
        assert_eq!(matches!(judged, Judged::Good(_)), good, "{name} {seconds}: {judged:?}");
    }
}

#[tokio::test]
async fn another_claim_may_name_the_account() {
    let signer = Signer::es256("one");
    let idp = FakeServer::start(publishes(&[signer.jwk()])).await;
    let claims =
        with(claims(&idp.origin), &json!({"preferred_username": "alice@example.org", "email": "x@y"}));
    let settings = ProviderSettings { claim: "preferred_username".to_owned(), ..settings(&idp.origin) };
    assert_eq!(judge(&providers(settings), &signer.sign(&claims), now()).await.unwrap(), alice(360));
}

#[tokio::test]
async fn a_nonce_without_a_scope_is_an_id_token() {
    let signer = Signer::es256("one");
    let idp = FakeServer::start(publishes(&[signer.jwk()])).await;
    let token = signer.sign(&with(claims(&idp.origin), &json!({"nonce": "x"})));
    let judged = judge(&providers(settings(&idp.origin)), &token, now()).await.unwrap();
    assert_eq!(judged, Judged::Bad(TokenFlaw::NotForAccess));
}
