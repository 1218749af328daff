use proptest::prelude::*;

use super::*;
use crate::{Authenticated, Nonces, ScramKeys};

/// RFC 7677 section 3.
const FIRST: &str = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
const SERVER_NONCE: &str = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const SERVER_FIRST: &str =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
const FINAL: &str = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
     p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
const SERVER_FINAL: &str = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

fn secret(text: impl AsRef<[u8]>) -> Secret {
    Secret::new(text.as_ref())
}

fn parameters() -> ScramParameters {
    let salt = base64::decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap().declassify().to_vec();
    ScramParameters { salt, iterations: 4096 }
}

fn keys() -> ScramKeys {
    ScramKeys::derive(&secret("pencil"), &parameters()).unwrap()
}

fn bindings() -> ChannelBindings {
    ChannelBindings { exporter: Some(secret([7; 32])), server_end_point: Some(vec![9; 32]) }
}

/// Begins an exchange over a connection with both bindings.
fn begin(
    mechanism: Mechanism,
    offers_plus: bool,
    first: impl AsRef<[u8]>,
) -> Result<AwaitingSalt, ExchangeError> {
    let (nonce, bindings) = (Nonces::new([0; 32]).draw(), bindings());
    let circumstances = Circumstances { hostname: "x", nonce: &nonce, bindings: &bindings, offers_plus };
    AwaitingFirst::new(mechanism, &circumstances).take(&secret(first))
}

/// Plays the exchange of the RFC with these two messages of the client.
fn example(first: impl AsRef<[u8]>, last: impl AsRef<[u8]>) -> Result<ScramClaim, ExchangeError> {
    let mut begun = begin(Mechanism::ScramSha256, false, first)?;
    let ours = begun.nonce.to_string();
    begun.nonces = begun.nonces.replace(&ours, SERVER_NONCE);
    begun.with(Some(parameters())).take(&secret(last))
}

/// A client that knows `password` and does what the RFC says: its last message, given what was said before.
fn answer(password: &str, first_bare: &str, challenge: &str, cbind_input: &[u8]) -> String {
    let mut parts = challenge.split(',').map(|part| part.split_at(2).1);
    let [nonce, salt, iterations] = [(); 3].map(|()| parts.next().unwrap());
    let salt = base64::decode(salt).unwrap().declassify().to_vec();
    let mut salted = [0; 32];
    pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), &salt, iterations.parse().unwrap(), &mut salted);
    let without_proof = format!("c={},r={nonce}", base64::encode(cbind_input));
    let client_key = hmac(&salted, b"Client Key");
    let auth_message = format!("{first_bare},{challenge},{without_proof}");
    let signature = hmac(&Sha256::digest(client_key), auth_message.as_bytes());
    let proof: Vec<u8> = client_key.iter().zip(signature).map(|(key, signed)| key ^ signed).collect();
    format!("{without_proof},p={}", base64::encode(proof))
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    use ::hmac::{Hmac, KeyInit as _, Mac as _};
    Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(message).finalize().into_bytes().into()
}

/// An exchange with a client that does all right but for what `first` and `cbind_input` say.
fn bound(mechanism: Mechanism, offers_plus: bool, first: &str, cbind_input: &[u8]) -> ScramClaim {
    let waiting = begin(mechanism, offers_plus, first).unwrap().with(Some(parameters()));
    let bare = first.split_at(first.find("n=").unwrap()).1;
    let last = answer("pencil", bare, waiting.challenge(), cbind_input);
    waiting.take(&secret(last)).unwrap()
}

#[test]
fn what_passwords_can_be_tried_on_is_not_shown() {
    let shown = format!("{:?}", example(FIRST, FINAL).unwrap());
    let expected = "ScramClaim { mechanism: ScramSha256, authzid: None, username: \"user\", flaw: None, .. }";
    assert_eq!(shown, expected);
}

#[test]
fn sas_10_the_example_of_rfc_7677() {
    let mut begun = begin(Mechanism::ScramSha256, false, FIRST).unwrap();
    assert_eq!(begun.username(), "user");
    begun.nonces = format!("rOprNGfwEbeRWgbNEkqO{SERVER_NONCE}");
    let waiting = begun.with(Some(parameters()));
    assert_eq!(waiting.challenge(), SERVER_FIRST);
    let claim = waiting.take(&secret(FINAL)).unwrap();
    assert_eq!((claim.username(), claim.authzid(), claim.flaw()), ("user", None, None));
    assert_eq!(claim.parameters(), &parameters());
    let signature = claim.validates(&secret("pencil")).unwrap();
    assert_eq!(signature.in_base64(), base64::encode(SERVER_FINAL));
    assert_eq!(claim.proves(&keys()), Some(signature));
    for wrong in ["", "penci", "Pencil", "pencil "] {
        assert_eq!(claim.validates(&secret(wrong)), None, "{wrong:?}");
    }
}

#[test]
fn keys_that_were_kept_are_the_keys() {
    let kept = ScramKeys::new(*keys().stored_key(), *keys().server_key());
    let signature = example(FIRST, FINAL).unwrap().proves(&kept).unwrap();
    assert_eq!(signature.in_base64(), base64::encode(SERVER_FINAL));
    let swapped = ScramKeys::new(*keys().server_key(), *keys().stored_key());
    assert!(example(FIRST, FINAL).unwrap().proves(&swapped).is_none());
    let none = ScramKeys::new([0; 32], [0; 32]);
    assert!(example(FIRST, FINAL).unwrap().proves(&none).is_none());
    assert_eq!(format!("{kept:?} {signature:?}"), "ScramKeys(…) ServerSignature(…)");
}

#[test]
fn the_server_s_own_proof_goes_with_that_of_the_user() {
    let signature = example(FIRST, FINAL).unwrap().proves(&keys());
    let user = Authenticated::new("user".to_owned(), 1);
    assert_eq!(user.signature(), None);
    let proved = user.with_signature(signature.clone().unwrap());
    assert_eq!(proved.map(|number| number + 1).signature(), signature.as_ref());
}

/// Our nonce is behind the client's, and the client's proof is over it.
#[test]
fn sas_10_a_last_message_is_good_in_its_exchange_alone() {
    let mut nonces = Nonces::new([1; 32]);
    let mut exchange = || {
        let (nonce, bindings) = (nonces.draw(), ChannelBindings::default());
        let circumstances =
            Circumstances { hostname: "x", nonce: &nonce, bindings: &bindings, offers_plus: false };
        let begun = AwaitingFirst::new(Mechanism::ScramSha256, &circumstances).take(&secret(FIRST));
        begun.unwrap().with(Some(parameters()))
    };
    let (one, other) = (exchange(), exchange());
    assert_ne!(one.challenge(), other.challenge());
    let last = answer("pencil", FIRST.split_at(3).1, one.challenge(), b"n,,");
    assert!(one.take(&secret(&last)).unwrap().proves(&keys()).is_some());
    let replayed = other.take(&secret(&last)).unwrap();
    assert_eq!(replayed.flaw(), Some(ScramFlaw::OtherNonce));
    assert_eq!(replayed.validates(&secret("pencil")), None);
}

#[test]
fn sas_10_no_bit_of_either_message_can_be_changed() {
    let keys = keys();
    for (first, last) in [(true, false), (false, true)] {
        let message = if first { FIRST } else { FINAL };
        for place in 0..message.len() * 8 {
            let mut changed = message.as_bytes().to_vec();
            changed[place / 8] ^= 1 << (place % 8);
            let (first, last) = (
                if first { &changed } else { FIRST.as_bytes() },
                if last { &changed } else { FINAL.as_bytes() },
            );
            let proved = example(first, last).is_ok_and(|claim| claim.proves(&keys).is_some());
            assert!(!proved, "{:?}", String::from_utf8_lossy(&changed));
        }
    }
}

#[test]
fn sas_10_each_field_of_the_last_message_counts() {
    let nonce = format!("rOprNGfwEbeRWgbNEkqO{SERVER_NONCE}");
    let proof = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    let flaw = |last: String| example(FIRST, last).map(|claim| claim.flaw());
    assert_eq!(flaw(format!("c=biws,r={nonce},p={proof}")), Ok(None));
    for other in ["eSws", "cD10bHMtZXhwb3J0ZXIsLA==", "biwsAA==", "biw="] {
        assert_eq!(flaw(format!("c={other},r={nonce},p={proof}")), Ok(Some(ScramFlaw::NotBound)), "{other}");
    }
    for other in ["rOprNGfwEbeRWgbNEkqO", SERVER_NONCE, &format!("{nonce}x"), &nonce.to_lowercase()] {
        assert_eq!(flaw(format!("c=biws,r={other},p={proof}")), Ok(Some(ScramFlaw::OtherNonce)), "{other}");
    }
    for malformed in [
        String::new(),
        format!("r={nonce},c=biws,p={proof}"),
        format!("c=biws,p={proof},r={nonce}"),
        format!("c=biws,r={nonce}"),
        format!("c=biws,p={proof}"),
        format!("r={nonce},p={proof}"),
        format!("c=biws,c=biws,r={nonce},p={proof}"),
        format!("c=biws,r={nonce},r={nonce},p={proof}"),
        format!("c=biws,r={nonce},p={proof},p={proof}"),
        format!("c=biws,r={nonce},p={proof},x=1"),
        format!("c=biws,r={nonce},m=1,p={proof}"),
        format!("m=1,c=biws,r={nonce},p={proof}"),
        format!("c=biws,r={nonce},,p={proof}"),
        format!("c=biws,r={nonce},x,p={proof}"),
        format!("c=biws,r={nonce},x=,p={proof}"),
        format!("c=biws,r={nonce},xy=1,p={proof}"),
        format!("c=biws,r={nonce},x=\0,p={proof}"),
        format!("c=biws,r={nonce},1=x,p={proof}"),
        format!("C=biws,r={nonce},p={proof}"),
        format!("c=,r={nonce},p={proof}"),
        format!("c=biws=,r={nonce},p={proof}"),
        format!("c=biwt,r= {nonce},p={proof}"),
        format!("c=biws,r=,p={proof}"),
        format!("c=biws,r={nonce}é,p={proof}"),
        format!("c=biws,r={nonce},p="),
        format!("c=biws,r={nonce},p=dHzb"),
        format!("c=biws,r={nonce},p=AA{proof}"),
        format!("c=biws,r={nonce},p={}", proof.trim_end_matches('=')),
        format!("c=biws,r={nonce},p={proof} "),
        format!("c=biws,r={nonce},p={proof}\n"),
    ] {
        assert_eq!(flaw(malformed.clone()), Err(ExchangeError::Malformed), "{malformed:?}");
    }
    assert!(example(FIRST, [FINAL.as_bytes(), b"\xff"].concat()).is_err());
}

#[test]
fn sas_10_the_first_message_has_its_form() {
    let first =
        |text: &str| begin(Mechanism::ScramSha256, false, text).map(|begun| (begun.authzid, begun.username));
    for (text, authzid, username) in [
        ("n,,n=user,r=x", None, "user"),
        ("n,a=boss,n=user,r=x", Some("boss"), "user"),
        ("y,a=a=2Cb,n=c=3Dd=2C,r=!~", Some("a,b"), "c=d,"),
        ("n,,n=jörg,r=x,x=1,Y=a=b", None, "jörg"),
        ("n,,n=user,r=r=r", None, "user"),
    ] {
        let expected = Ok((authzid.map(str::to_owned), username.to_owned()));
        assert_eq!(first(text), expected, "{text:?}");
    }
    let (long, nonce) = ("u".repeat(crate::MAX_USERNAME), "r".repeat(super::super::first::MAX_NONCE));
    assert!(first(&format!("n,a={long},n={long},r={nonce}")).is_ok());
    for text in [
        "".to_owned(),
        "n".to_owned(),
        "n,".to_owned(),
        "n,,".to_owned(),
        "n,,n=user".to_owned(),
        "n,,r=x".to_owned(),
        "n,,r=x,n=user".to_owned(),
        "n,,m=1,n=user,r=x".to_owned(),
        "n,,n=user,r=x,m=1".to_owned(),
        "n,,n=user,r=x,n=other".to_owned(),
        "n,,n=user,r=x,r=y".to_owned(),
        "n,,n=user,n=other,r=x".to_owned(),
        "n,,n=user,r=x,p=AAAA".to_owned(),
        "n,,n=user,r=x,".to_owned(),
        "n,,n=user,r=x,y".to_owned(),
        "n,,n=user,r=x,y=".to_owned(),
        "n,,n=user,r=".to_owned(),
        "n,,n=user,r=a b".to_owned(),
        "n,,n=user,r=\u{7f}".to_owned(),
        "n,,n=user,r=é".to_owned(),
        "n,,n=,r=x".to_owned(),
        "n,,n=us=er,r=x".to_owned(),
        "n,,n=us=2cer,r=x".to_owned(),
        "n,,n=us\u{0}er,r=x".to_owned(),
        "n,,n=us\r\ner,r=x".to_owned(),
        "n,,n=us\u{202e}er,r=x".to_owned(),
        "n,,n=\u{ad},r=x".to_owned(),
        "n,,N=user,r=x".to_owned(),
        "n,,nn=user,r=x".to_owned(),
        "n, ,n=user,r=x".to_owned(),
        "n,b=user,n=user,r=x".to_owned(),
        "n,a=,n=user,r=x".to_owned(),
        "n,a=b=,n=user,r=x".to_owned(),
        "z,,n=user,r=x".to_owned(),
        "p=,,n=user,r=x".to_owned(),
        "p=tls exporter,,n=user,r=x".to_owned(),
        "F,n,,n=user,r=x".to_owned(),
        format!("n,,n={long}u,r=x"),
        format!("n,,n=user,r={nonce}r"),
    ] {
        assert_eq!(first(&text), Err(ExchangeError::Malformed), "{text:?}");
    }
    assert!(begin(Mechanism::ScramSha256, false, b"n,,n=\xff,r=x").is_err());
}

/// Mechanism, whether PLUS is offered, the flag, what the client binds to, and what comes of it.
#[test]
fn sas_10_a_proof_is_bound_to_the_connection_or_not_as_its_mechanism_says() {
    let (exporter, end_point) = ([7; 32].as_slice(), [9; 32].as_slice());
    let (plain, plus) = (Mechanism::ScramSha256, Mechanism::ScramSha256Plus);
    let not_bound = Some(ScramFlaw::NotBound);
    for (mechanism, offered, flag, data, flaw) in [
        (plain, false, "n", &[][..], None),
        (plain, true, "n", &[], None),
        (plain, false, "y", &[], None),
        (plain, true, "y", &[], Some(ScramFlaw::Downgraded)),
        (plain, false, "n", exporter, not_bound),
        (plain, true, "p=tls-exporter", exporter, not_bound),
        (plain, true, "p=tls-exporter", &[], not_bound),
        (plus, true, "p=tls-exporter", exporter, None),
        (plus, true, "p=tls-server-end-point", end_point, None),
        (plus, true, "p=tls-exporter", end_point, not_bound),
        (plus, true, "p=tls-server-end-point", exporter, not_bound),
        (plus, true, "p=tls-exporter", &[], not_bound),
        (plus, true, "p=tls-exporter", &[8; 32], not_bound),
        (plus, true, "p=tls-exporter", &[7; 31], not_bound),
        (plus, true, "p=tls-exporter", &[7; 33], not_bound),
        (plus, true, "p=TLS-Exporter", exporter, not_bound),
        (plus, true, "p=tls-unique", exporter, not_bound),
        (plus, true, "n", &[], not_bound),
        (plus, true, "n", exporter, not_bound),
        (plus, true, "y", &[], not_bound),
    ] {
        let header = format!("{flag},,");
        let input = [header.as_bytes(), data].concat();
        let claim = bound(mechanism, offered, &format!("{header}n=user,r=abc"), &input);
        assert_eq!(claim.flaw(), flaw, "{mechanism} {offered} {flag} {data:?}");
        assert_eq!(claim.proves(&keys()).is_some(), flaw.is_none(), "{mechanism} {offered} {flag} {data:?}");
        assert_eq!(claim.mechanism(), mechanism);
    }
}

/// Somebody between the two who can't change the proof may want to change what the client said of itself.
#[test]
fn sas_10_the_header_is_proved_too() {
    let claim = bound(Mechanism::ScramSha256, false, "n,a=boss,n=user,r=abc", b"n,a=boss,");
    assert!(claim.proves(&keys()).is_some());
    for input in [&b"n,,"[..], b"y,a=boss,", b"n,a=bosz,"] {
        let claim = bound(Mechanism::ScramSha256, false, "n,a=boss,n=user,r=abc", input);
        assert_eq!((claim.flaw(), claim.proves(&keys())), (Some(ScramFlaw::NotBound), None));
    }
}

#[test]
fn a_binding_that_the_connection_does_not_have_is_none() {
    let nonce = Nonces::new([0; 32]).draw();
    let bindings = ChannelBindings { exporter: None, server_end_point: Some(vec![9; 32]) };
    let circumstances =
        Circumstances { hostname: "x", nonce: &nonce, bindings: &bindings, offers_plus: true };
    let first = "p=tls-exporter,,n=user,r=abc";
    let begun = AwaitingFirst::new(Mechanism::ScramSha256Plus, &circumstances).take(&secret(first)).unwrap();
    let waiting = begun.with(Some(parameters()));
    let last = answer("pencil", "n=user,r=abc", waiting.challenge(), b"p=tls-exporter,,");
    let claim = waiting.take(&secret(last)).unwrap();
    assert_eq!((claim.flaw(), claim.proves(&keys())), (Some(ScramFlaw::NotBound), None));
}

#[test]
fn a_salt_that_is_made_up_is_new_each_time() {
    let mut nonces = Nonces::new([0; 32]);
    let [one, other] = [nonces.draw(), nonces.draw()].map(|nonce| made_up(&nonce));
    assert_ne!(one.salt, other.salt);
    assert_eq!((one.salt.len(), one.iterations), (16, 20_000));
    let waiting = begin(Mechanism::ScramSha256, false, FIRST).unwrap().with(None);
    let last = answer("pencil", FIRST.split_at(3).1, waiting.challenge(), b"n,,");
    assert!(waiting.take(&secret(last)).unwrap().validates(&secret("pencil")).is_some());
}

#[test]
fn a_password_proves_itself_however_its_characters_are_written() {
    let bare = "n=user,r=abc";
    for (typed, kept) in [("IX", "I\u{ad}X"), ("é", "e\u{301}"), ("IX", "\u{2168}")] {
        let waiting = begin(Mechanism::ScramSha256, false, format!("n,,{bare}")).unwrap().with(None);
        let last = answer(typed, bare, waiting.challenge(), b"n,,");
        assert!(waiting.take(&secret(last)).unwrap().validates(&secret(kept)).is_some(), "{kept:?}");
    }
    assert!(ScramKeys::derive(&secret("a\u{7}"), &parameters()).is_none());
    assert!(ScramKeys::derive(&secret(""), &parameters()).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_octets_are_malformed_or_prove_nothing(first: Vec<u8>, last: Vec<u8>, tail in "\\PC{0,40}") {
        let keys = ScramKeys::new([1; 32], [2; 32]);
        for first in [&first[..], FIRST.as_bytes(), format!("{FIRST},{tail}").as_bytes()] {
            for last in [&last[..], format!("{FINAL}{tail}").as_bytes(), format!("c=biws,{tail}").as_bytes()] {
                prop_assert!(!example(first, last).is_ok_and(|claim| claim.proves(&keys).is_some()));
            }
        }
    }

    #[test]
    fn who_knows_the_password_proves_it_and_nobody_else(
        name in "[a-zA-Z0-9=,@. ]{1,40}", password in "[!-~]{1,40}", other in "[!-~]{1,40}", nonce in "[!-+--~]{1,60}",
    ) {
        let few = ScramParameters { iterations: 2, ..parameters() };
        let bare = format!("n={},r={nonce}", name.replace('=', "=3D").replace(',', "=2C"));
        let waiting = begin(Mechanism::ScramSha256, true, format!("n,,{bare}")).unwrap().with(Some(few));
        let last = answer(&password, &bare, waiting.challenge(), b"n,,");
        let claim = waiting.take(&secret(last)).unwrap();
        prop_assert_eq!(claim.username(), name);
        prop_assert!(claim.validates(&secret(&password)).is_some());
        prop_assert_eq!(claim.validates(&secret(&other)).is_some(), other == password);
    }
}
