//! The client's side of every mechanism: by other hands (rsasl) where they have it, else by ours.

use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use rsasl::callback::{Context, Request, SessionCallback, SessionData};
use rsasl::mechanisms::oauthbearer::properties::OAuthBearerErrored;
use rsasl::mechanisms::scram::{SCRAM_SHA256, SCRAM_SHA256_PLUS};
use rsasl::mechanisms::xoauth2::properties::XOAuth2Error;
use rsasl::mechanisms::{login::LOGIN, oauthbearer::OAUTHBEARER, plain::PLAIN, xoauth2::XOAUTH2};
use rsasl::prelude::{
    ChannelBindingCallback, Mechname, Registry, SASLClient, SASLConfig, Session, SessionError,
};
use rsasl::property::{AuthId, AuthzId, OAuthBearerToken, Password};
use rsasl::validate::NoValidation;
use sasl::{ChannelBindings, Mechanism};

/// What a client logs in with: the secret is a password or a token.
#[derive(Clone)]
pub struct Credentials {
    pub username: String,
    pub secret: String,
}

/// A login under way.
pub struct Login {
    mechanism: Mechanism,
    client: Client,
}

enum Client {
    Rsasl(Box<Session<NoValidation, Bindings>>),
    CramMd5(Credentials),
    External(Credentials),
}

impl Login {
    pub fn new(mechanism: Mechanism, credentials: Credentials, bindings: ChannelBindings) -> Login {
        let client = match mechanism {
            Mechanism::CramMd5 => Client::CramMd5(credentials),
            Mechanism::External => Client::External(credentials),
            Mechanism::ScramSha256Plus
            | Mechanism::ScramSha256
            | Mechanism::OAuthBearer
            | Mechanism::XOAuth2
            | Mechanism::Plain
            | Mechanism::Login => {
                let binds = mechanism == Mechanism::ScramSha256Plus;
                Client::Rsasl(Box::new(rsasl(Known { credentials, mechanism, binds }, bindings)))
            }
        };
        Login { mechanism, client }
    }

    /// By a client that would have bound its proof to the connection, had it been offered to.
    pub fn unbound(credentials: Credentials) -> Login {
        let mechanism = Mechanism::ScramSha256;
        let client = rsasl(Known { credentials, mechanism, binds: true }, ChannelBindings::default());
        Login { mechanism, client: Client::Rsasl(Box::new(client)) }
    }

    /// The AUTH command, with an initial response where the client speaks first.
    pub fn command(&mut self) -> String {
        let name = self.mechanism.name();
        match self.mechanism {
            Mechanism::CramMd5 | Mechanism::Login => format!("AUTH {name}"),
            Mechanism::ScramSha256Plus
            | Mechanism::ScramSha256
            | Mechanism::OAuthBearer
            | Mechanism::XOAuth2
            | Mechanism::External
            | Mechanism::Plain => format!("AUTH {name} {}", STANDARD.encode(self.respond(None))),
        }
    }

    /// The line that answers the text of a 334. A client that does not like what it was told cancels.
    pub fn answer(&mut self, challenge: &str) -> String {
        let challenge = STANDARD.decode(challenge).expect("a challenge in base64");
        STANDARD.encode(self.respond(Some(&challenge)))
    }

    fn respond(&mut self, challenge: Option<&[u8]>) -> Vec<u8> {
        match &mut self.client {
            Client::External(credentials) => credentials.username.clone().into_bytes(),
            Client::CramMd5(Credentials { username, secret }) => {
                let mac = Hmac::<Md5>::new_from_slice(secret.as_bytes()).expect("a key of any length");
                let digest = mac.chain_update(challenge.unwrap_or_default()).finalize().into_bytes();
                let digits: String = digest.iter().map(|octet| format!("{octet:02x}")).collect();
                format!("{username} {digits}").into_bytes()
            }
            Client::Rsasl(session) => {
                let mut said = Cursor::new(Vec::new());
                session.step(challenge, &mut said).expect("a challenge that the client believes");
                said.into_inner()
            }
        }
    }
}

fn rsasl(known: Known, bindings: ChannelBindings) -> Session<NoValidation, Bindings> {
    static ALL: &[rsasl::prelude::Mechanism] =
        &[SCRAM_SHA256, SCRAM_SHA256_PLUS, OAUTHBEARER, XOAUTH2, PLAIN, LOGIN];
    let name =
        |mechanism: Mechanism| Mechname::parse(mechanism.name().as_bytes()).expect("a mechanism's name");
    // It takes PLUS for a variant of the other.
    let offered = match known.mechanism {
        Mechanism::ScramSha256Plus => vec![name(Mechanism::ScramSha256), name(known.mechanism)],
        mechanism => vec![name(mechanism)],
    };
    let config = SASLConfig::builder()
        .with_registry(Registry::with_mechanisms(ALL))
        .with_callback(known)
        .expect("a configuration");
    SASLClient::with_cb(config, Bindings(bindings))
        .start_suggested(&offered)
        .expect("a mechanism that rsasl has")
}

struct Known {
    credentials: Credentials,
    mechanism: Mechanism,
    /// Whether it would bind its proof to the connection, if it were offered to.
    binds: bool,
}

impl SessionCallback for Known {
    fn callback(
        &self,
        _: &SessionData,
        _: &Context<'_>,
        request: &mut Request<'_>,
    ) -> Result<(), SessionError> {
        let Credentials { username, secret } = &self.credentials;
        // That a token was refused is seen by the reply.
        if request.get_action::<OAuthBearerErrored>().is_some()
            || request.get_action::<XOAuth2Error>().is_some()
        {
            return Ok(());
        }
        if self.mechanism == Mechanism::OAuthBearer {
            request.satisfy::<AuthzId>(username)?;
        }
        request
            .satisfy::<AuthId>(username)?
            .satisfy::<Password>(secret.as_bytes())?
            .satisfy::<OAuthBearerToken>(secret)?;
        Ok(())
    }

    fn enable_channel_binding(&self) -> bool {
        self.binds
    }
}

struct Bindings(ChannelBindings);

impl ChannelBindingCallback for Bindings {
    fn get_cb_data(&self, name: &str) -> Option<&[u8]> {
        self.0.by_name(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialogue::Setup;
    use crate::judge::bindings;
    use crate::play::Wire;
    use crate::session::PureWire;

    const ALICE: &str = "alice@example.org";

    /// A connection over which everything is offered.
    fn connect() -> PureWire {
        let mechanisms = Mechanism::ALL.iter().map(|mechanism| mechanism.name().to_owned()).collect();
        let setup = Setup {
            users: vec![(ALICE.to_owned(), "secret".to_owned())],
            mechanisms: Some(mechanisms),
            certificate: Some(ALICE.to_owned()),
            ..Setup::default()
        };
        let mut wire = PureWire::whole(&setup);
        wire.hear().unwrap();
        wire.say(b"EHLO client.example\r\n").unwrap();
        while wire.hear().unwrap().starts_with("250-") {}
        wire
    }

    /// Logs in; the last reply.
    fn log_in(wire: &mut PureWire, mechanism: Mechanism, username: &str, secret: &str) -> String {
        let credentials = Credentials { username: username.to_owned(), secret: secret.to_owned() };
        let mut login = Login::new(mechanism, credentials, bindings());
        let mut line = login.command();
        loop {
            wire.say(format!("{line}\r\n").as_bytes()).unwrap();
            let reply = wire.hear().unwrap();
            match reply.strip_prefix("334 ") {
                Some(challenge) => line = login.answer(challenge),
                None => return reply,
            }
        }
    }

    /// A login that fails for want of the right credentials.
    fn fail(wire: &mut PureWire, mechanism: Mechanism) -> String {
        log_in(wire, mechanism, "bob@example.org", "wrong")
    }

    #[test]
    fn every_mechanism_logs_in() {
        for mechanism in Mechanism::ALL {
            let reply = log_in(&mut connect(), mechanism, ALICE, "secret");
            assert_eq!(reply, "235 2.7.0 Authentication successful", "{mechanism}");
        }
    }

    #[test]
    fn sas_06_no_mechanism_leaves_anything_for_another() {
        for first in Mechanism::ALL {
            for second in Mechanism::ALL {
                let mut wire = connect();
                assert!(fail(&mut wire, first).starts_with("535 5.7.8 "), "{first}");
                let reply = log_in(&mut wire, second, ALICE, "secret");
                assert!(reply.starts_with("235 "), "{first}, then {second}: {reply}");
                let mut wire = connect();
                assert!(fail(&mut wire, first).starts_with("535 "), "{first}");
                assert!(fail(&mut wire, second).starts_with("535 "), "{first}, then {second}");
            }
        }
    }

    #[test]
    fn sas_04_a_token_of_9000_octets_logs_in() {
        for mechanism in [Mechanism::XOAuth2, Mechanism::OAuthBearer] {
            let token = "t".repeat(9000);
            let setup = Setup {
                users: vec![(ALICE.to_owned(), token.clone())],
                mechanisms: Some(vec![mechanism.name().to_owned()]),
                ..Setup::default()
            };
            let mut wire = PureWire::whole(&setup);
            wire.hear().unwrap();
            wire.say(b"EHLO client.example\r\n").unwrap();
            while wire.hear().unwrap().starts_with("250-") {}
            assert!(log_in(&mut wire, mechanism, ALICE, &token).starts_with("235 "), "{mechanism}");
        }
    }
}
