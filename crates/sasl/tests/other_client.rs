//! A client by other hands (rsasl) speaks to our exchanges.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsasl::callback::{Context, Request, SessionCallback, SessionData};
use rsasl::mechanisms::oauthbearer::properties::OAuthBearerErrored;
use rsasl::mechanisms::xoauth2::properties::XOAuth2Error;
use rsasl::prelude::{Mechname, MessageSent, Registry, SASLClient, SASLConfig, Session, SessionError, State};
use rsasl::property::{AuthId, AuthzId, OAuthBearerKV, OAuthBearerToken, OverrideCBType, Password};
use rsasl::validate::NoValidation;
use sasl::{
    ChannelBindings, Circumstances, Claim, Exchange, Mechanism, Nonces, OAuthChallenge, ScramClaim,
    ScramFlaw, Step, TokenClaim,
};
use types::Secret;

/// What the client knows.
struct Known {
    password: &'static str,
    authzid: Option<&'static str>,
    token: &'static str,
    binds: bool,
    binding: Option<&'static str>,
}

const KNOWN: Known = Known {
    password: "pencil, é",
    authzid: None,
    token: "vF9dft4qmTc2Nvb3RlckBhbHRh",
    binds: true,
    binding: None,
};

const NAME: &str = "us=er,1@example.org";

impl SessionCallback for Known {
    fn callback(
        &self,
        _: &SessionData,
        _: &Context<'_>,
        request: &mut Request<'_>,
    ) -> Result<(), SessionError> {
        if let Some(authzid) = self.authzid {
            request.satisfy::<AuthzId>(authzid)?;
        }
        if let Some(name) = self.binding {
            request.satisfy::<OverrideCBType>(name)?;
        }
        // Asked to do something about a refusal, a client may just take note of it.
        if request.get_action::<OAuthBearerErrored>().is_some()
            || request.get_action::<XOAuth2Error>().is_some()
        {
            return Ok(());
        }
        request
            .satisfy::<AuthId>(NAME)?
            .satisfy::<Password>(self.password.as_bytes())?
            .satisfy::<OAuthBearerToken>(self.token)?
            .satisfy::<OAuthBearerKV>(&[("host", "mail.example.org"), ("port", "587")])?;
        Ok(())
    }

    fn enable_channel_binding(&self) -> bool {
        self.binds
    }
}

/// What the client's end of the connection is bound by.
struct Binding(&'static str, Vec<u8>);

impl rsasl::prelude::ChannelBindingCallback for Binding {
    fn get_cb_data(&self, name: &str) -> Option<&[u8]> {
        (name == self.0).then_some(self.1.as_slice())
    }
}

struct Client(Session<NoValidation, Binding>);

impl Client {
    fn new(known: Known, binding: Binding, offered: &[Mechanism]) -> Self {
        let config = SASLConfig::builder().with_registry(registry()).with_callback(known).unwrap();
        let names: Vec<&Mechname> =
            offered.iter().map(|one| Mechname::parse(one.name().as_bytes()).unwrap()).collect();
        Self(SASLClient::with_cb(config, binding).start_suggested(&names).unwrap())
    }

    fn mechanism(&self) -> Mechanism {
        Mechanism::from_name(self.0.get_mechname().as_str()).unwrap()
    }

    /// Its answer to a challenge, both in base64; what it has to say first if there is none.
    fn step(&mut self, challenge: Option<&str>) -> Result<(String, State), SessionError> {
        let challenge = challenge.map(|text| STANDARD.decode(text).unwrap());
        let mut said = Cursor::new(Vec::new());
        let state = self.0.step(challenge.as_deref(), &mut said)?;
        Ok((STANDARD.encode(said.into_inner()), state))
    }
}

fn registry() -> Registry {
    static ALL: &[rsasl::prelude::Mechanism] = &[
        rsasl::mechanisms::scram::SCRAM_SHA256,
        rsasl::mechanisms::scram::SCRAM_SHA256_PLUS,
        rsasl::mechanisms::oauthbearer::OAUTHBEARER,
        rsasl::mechanisms::xoauth2::XOAUTH2,
        rsasl::mechanisms::plain::PLAIN,
        rsasl::mechanisms::login::LOGIN,
    ];
    Registry::with_mechanisms(ALL)
}

fn bindings() -> ChannelBindings {
    let mut bindings = ChannelBindings::default();
    (bindings.exporter, bindings.server_end_point) = (Some(Secret::new([3; 32])), Some(vec![4; 32]));
    bindings
}

/// Plays the exchange up to the claim.
fn play(client: &mut Client, offers_plus: bool) -> Claim {
    let (nonce, bindings) = (Nonces::new([5; 32]).draw(), bindings());
    let mut circumstances = Circumstances::new("x", &nonce, &bindings);
    circumstances.offers_plus = offers_plus;
    let mechanism = client.mechanism();
    let initial = (mechanism != Mechanism::Login).then(|| client.step(None).unwrap().0);
    let mut step = Exchange::start(mechanism, initial.as_deref(), circumstances);
    loop {
        step = match step {
            Step::Challenge(challenge, exchange) => {
                exchange.respond(&client.step(Some(&challenge)).unwrap().0)
            }
            Step::Salt(wanted) => {
                assert_eq!(wanted.username(), NAME);
                wanted.with(None)
            }
            Step::Claim(claim) => return claim,
            Step::Failed(error) => panic!("{error}"),
        }
    }
}

fn scram(known: Known, binding: Binding, offered: &[Mechanism], offers_plus: bool) -> (Client, ScramClaim) {
    let mut client = Client::new(known, binding, offered);
    match play(&mut client, offers_plus) {
        Claim::Scram(claim) => (client, claim),
        other => panic!("{other:?}"),
    }
}

fn no_binding() -> Binding {
    Binding("none", Vec::new())
}

const BOTH: [Mechanism; 2] = [Mechanism::ScramSha256, Mechanism::ScramSha256Plus];

/// The client is convinced by our signature, and by no other.
fn is_convinced(client: &mut Client, claim: &ScramClaim) -> bool {
    let Some(signature) = claim.validates(&Secret::new(KNOWN.password)) else { return false };
    client
        .step(Some(&signature.in_base64()))
        .is_ok_and(|(_, state)| state == State::Finished(MessageSent::No))
}

#[test]
fn scram_without_channel_binding() {
    let known = Known { binds: false, authzid: Some("boss,=x"), ..KNOWN };
    let (mut client, claim) = scram(known, no_binding(), &[Mechanism::ScramSha256], false);
    assert_eq!(claim.mechanism(), Mechanism::ScramSha256);
    assert_eq!((claim.username(), claim.authzid()), (NAME, Some("boss,=x")));
    assert!(is_convinced(&mut client, &claim));
}

#[test]
fn scram_with_both_channel_bindings() {
    for (name, data) in [("tls-exporter", vec![3; 32]), ("tls-server-end-point", vec![4; 32])] {
        let known = Known { binding: Some(name), ..KNOWN };
        let (mut client, claim) = scram(known, Binding(name, data), &BOTH, true);
        assert_eq!(claim.mechanism(), Mechanism::ScramSha256Plus);
        assert_eq!((claim.username(), claim.authzid(), claim.flaw()), (NAME, None, None));
        assert!(is_convinced(&mut client, &claim), "{name}");
    }
}

#[test]
fn sas_10_scram_through_somebody_elses_tls_is_refused() {
    let (mut client, claim) = scram(KNOWN, Binding("tls-exporter", vec![6; 32]), &BOTH, true);
    assert_eq!(claim.flaw(), Some(ScramFlaw::NotBound));
    assert!(!is_convinced(&mut client, &claim));
}

#[test]
fn a_password_that_is_not_the_users_proves_nothing() {
    let known = Known { password: "pencil", ..KNOWN };
    let (mut client, claim) = scram(known, Binding("tls-exporter", vec![3; 32]), &BOTH, true);
    assert_eq!(claim.flaw(), None);
    assert!(!is_convinced(&mut client, &claim));
}

#[test]
fn a_client_that_is_told_another_signature_does_not_believe_it() {
    let (mut client, claim) = scram(KNOWN, Binding("tls-exporter", vec![3; 32]), &BOTH, true);
    assert!(claim.validates(&Secret::new(KNOWN.password)).is_some());
    let (_, other) = scram(KNOWN, Binding("tls-exporter", vec![3; 32]), &BOTH, true);
    let signature = other.validates(&Secret::new(KNOWN.password)).unwrap();
    assert!(client.step(Some(&signature.in_base64())).is_err());
}

fn token(known: Known, mechanism: Mechanism) -> (Client, TokenClaim) {
    let mut client = Client::new(known, no_binding(), &[mechanism]);
    match play(&mut client, true) {
        Claim::Token(claim) => (client, claim),
        other => panic!("{other:?}"),
    }
}

#[test]
fn tokens() {
    for (mechanism, username) in [(Mechanism::XOAuth2, Some(NAME)), (Mechanism::OAuthBearer, None)] {
        let (_, claim) = token(KNOWN, mechanism);
        assert_eq!((claim.mechanism, claim.username.as_deref()), (mechanism, username));
        assert_eq!(claim.token, Secret::new(KNOWN.token));
    }
    let known = Known { authzid: Some("alice@example.org"), ..KNOWN };
    assert_eq!(token(known, Mechanism::OAuthBearer).1.username.as_deref(), Some("alice@example.org"));
}

#[test]
fn oau_08_a_client_understands_why_its_token_was_refused() {
    let mut challenge = OAuthChallenge::default();
    challenge.scope = Some("mail".to_owned());
    for mechanism in [Mechanism::XOAuth2, Mechanism::OAuthBearer] {
        let (mut client, _) = token(KNOWN, mechanism);
        let (_, state) = client.step(Some(&challenge.in_base64())).unwrap();
        assert!(state.is_finished(), "{mechanism}");
    }
}

#[test]
fn passwords() {
    for mechanism in [Mechanism::Plain, Mechanism::Login] {
        let mut client = Client::new(KNOWN, no_binding(), &[mechanism]);
        let Claim::Password(claim) = play(&mut client, true) else { panic!("no password") };
        assert_eq!((claim.mechanism, claim.username.as_str()), (mechanism, NAME));
        assert_eq!(claim.password, Secret::new(KNOWN.password));
    }
}
