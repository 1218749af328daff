//! Access tokens: none is good but one that the provider has signed, and that says what it must.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::LazyLock;
use std::time::Duration;

use backends::fetch::Fetcher;
use backends::oauth::{Judged, Provider, ProviderSettings, Providers, SKEW, TokenProof};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use types::{Endpoint, Secret, SignatureAlgorithm};

const AUDIENCE: &str = "https://mail.example.org";
const ISSUER: &str = "http://127.0.0.1/issuer";
const NOW: i64 = 1_800_000_000;

/// A provider on this machine, and what judges its tokens.
struct World {
    key: EncodingKey,
    providers: Providers,
    runtime: Runtime,
    /// A good token.
    good: String,
}

static WORLD: LazyLock<World> = LazyLock::new(World::new);

/// Begins with `s`: a line of a header and a line of claims, which the provider signs as they are. With `e`: edits to a good token,
/// three octets each: where, and what. With anything else: a token.
pub(crate) fn holds(data: &[u8]) {
    match data {
        [b's', signed @ ..] => signed_by_the_provider(signed),
        [b'e', edits @ ..] => edited(edits),
        [_, token @ ..] => assert!(!matches!(judge(token), Some(Judged::Good(_))), "nobody has signed it"),
        [] => {}
    }
}

fn signed_by_the_provider(data: &[u8]) {
    let mut lines = data.splitn(2, |octet| *octet == b'\n');
    let (header, claims) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    if let Some(Judged::Good(identified)) = judge(sign(&WORLD.key, header, claims).as_bytes()) {
        may_be_good(header, claims, &identified.account);
    }
}

/// What RFC 7519, RFC 9068 and the configuration ask for, looked for in another reading of the same octets.
fn may_be_good(header: &[u8], claims: &[u8], account: &str) {
    let [header, claims] =
        [header, claims].map(|json| serde_json::from_slice::<Value>(json).expect("it is JSON"));
    assert!(header["alg"] == "ES256" && header.get("crit").is_none());
    assert_eq!(claims["iss"], ISSUER);
    let audience = &claims["aud"];
    let is_for_us = |named: &[Value]| named.iter().any(|named| named == AUDIENCE);
    assert!(audience == AUDIENCE || audience.as_array().is_some_and(|named| is_for_us(named)));
    let ends = claims["exp"].as_f64().expect("it ends");
    assert!(ends >= (NOW - SKEW.as_secs()) as f64, "it has ended");
    assert!(claims["nbf"].as_f64().unwrap_or(0.0) <= (NOW + SKEW.as_secs() + 1) as f64);
    assert_eq!((&claims["email"], &claims["email_verified"]), (&json!(account), &json!(true)));
    assert!(!account.is_empty() && !account.contains(char::is_control));
}

/// No change to a good token leaves it good.
fn edited(edits: &[u8]) {
    let mut token = WORLD.good.clone().into_bytes();
    for edit in edits.chunks_exact(3) {
        let at = usize::from(u16::from_be_bytes([edit[0], edit[1]])) % token.len();
        token[at] = edit[2];
    }
    let is_good = matches!(judge(&token), Some(Judged::Good(_)));
    assert_eq!(is_good, token == WORLD.good.as_bytes());
}

fn judge(token: &[u8]) -> Option<Judged> {
    let now = Timestamp::from_second(NOW).expect("a time");
    let judged = WORLD.runtime.block_on(WORLD.providers.judge(&Secret::new(token), now));
    judged.map_err(|fault| assert!(!fault.to_string().contains(char::is_control), "{fault}")).ok()
}

fn sign(key: &EncodingKey, header: &[u8], claims: &[u8]) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = crypto::sign(message.as_bytes(), key, Algorithm::ES256).expect("the key is of this kind");
    format!("{message}.{signature}")
}

impl World {
    fn new() -> Self {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
        let key = EncodingKey::from_ec_der(pair.serialized_der());
        let mut jwk = serde_json::to_value(Jwk::from_encoding_key(&key, Algorithm::ES256).expect("a key"))
            .expect("JSON");
        jwk["kid"] = "k".into();
        let settings = ProviderSettings {
            name: "test".to_owned(),
            issuer: ISSUER.to_owned(),
            audience: vec![AUDIENCE.to_owned()],
            scope: Vec::new(),
            claim: "email".to_owned(),
            proof: TokenProof::Signature {
                algorithms: vec![SignatureAlgorithm::Es256],
                types: vec!["at+jwt".to_owned()],
                jwks_uri: Some(published(json!({ "keys": [jwk] }).to_string())),
            },
        };
        let claims = json!({
            "iss": ISSUER, "aud": AUDIENCE, "exp": NOW + 300, "email": "alice@example.org", "email_verified": true,
        });
        let good = sign(&key, br#"{"alg":"ES256","typ":"at+jwt","kid":"k"}"#, claims.to_string().as_bytes());
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let fetcher = Fetcher::new(Duration::from_secs(30), &[]).expect("a client of HTTP");
        let provider = Provider::new(settings, fetcher).expect("an issuer");
        Self { key, providers: Providers::new(vec![provider]), runtime, good }
    }
}

/// Where the keys are to be had from now on.
fn published(keys: String) -> Endpoint {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let origin = format!("http://{}/keys", listener.local_addr().expect("bound"));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // Whoever asked may be gone.
            let _ = serve(&stream, &keys);
        }
    });
    Endpoint::parse(&origin).expect("an endpoint")
}

fn serve(mut stream: &TcpStream, keys: &str) -> std::io::Result<()> {
    let head =
        BufReader::new(stream).lines().take_while(|line| line.as_ref().is_ok_and(|line| !line.is_empty()));
    head.for_each(drop);
    let length = keys.len();
    write!(stream, "HTTP/1.1 200 -\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{keys}")
}
