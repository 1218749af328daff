//! An exchange: what is said between an AUTH command and the claim that comes of it.

use types::Mechanism;

use crate::base64;
use crate::circumstances::Circumstances;
use crate::claim::Claim;
use crate::cram_md5::AwaitingDigest;
use crate::exchange_error::ExchangeError;
use crate::external::AwaitingAuthzid;
use crate::login::{AwaitingPassword, AwaitingUsername};
use crate::oauth::{AwaitingBearer, AwaitingXOAuth2};
use crate::plain::AwaitingMessage;
use crate::scram::{AwaitingFinal, AwaitingFirst, AwaitingSalt, ScramParameters};

/// What a response led to.
///
/// Exhaustive: whoever drives an exchange has to deal with every step.
#[derive(Debug)]
pub enum Step {
    /// Send this challenge, already in base64, and give the answer to [`Exchange::respond`].
    Challenge(String, Exchange),
    /// Find what this user's SCRAM keys are made with.
    Salt(SaltWanted),
    /// The client has said all; somebody must judge it.
    Claim(Claim),
    /// The exchange is over without a claim.
    Failed(ExchangeError),
}

/// An exchange that waits for the client's next line. It is consumed by that line: no state outlives a step, and
/// none passes from one AUTH to the next.
#[derive(Debug)]
pub struct Exchange(State);

/// A SCRAM exchange that waits for the user's salt.
#[derive(Debug)]
pub struct SaltWanted(AwaitingSalt);

impl SaltWanted {
    /// Whose.
    #[must_use]
    pub fn username(&self) -> &str {
        self.0.username()
    }

    /// Goes on with it; `None` lets it be made up.
    #[must_use]
    pub fn with(self, parameters: Option<ScramParameters>) -> Step {
        Exchange(State::ScramFinal(self.0.with(parameters))).challenge()
    }
}

/// What the next line will be taken for.
#[derive(Debug)]
enum State {
    PlainMessage(AwaitingMessage),
    LoginUsername(AwaitingUsername),
    LoginPassword(AwaitingPassword),
    CramMd5Digest(AwaitingDigest),
    ScramFirst(AwaitingFirst),
    ScramFinal(AwaitingFinal),
    OAuthBearerToken(AwaitingBearer),
    XOAuth2Token(AwaitingXOAuth2),
    ExternalAuthzid(AwaitingAuthzid),
}

impl Exchange {
    /// Begins an exchange with the initial response of the AUTH command, as written: `None` if it has none,
    /// `=` for an empty one (RFC 4954 section 4).
    #[must_use]
    pub fn start(mechanism: Mechanism, initial: Option<&str>, circumstances: Circumstances<'_>) -> Step {
        let state = State::first(mechanism, &circumstances);
        match initial {
            None => Self(state).challenge(),
            Some(_) if mechanism == Mechanism::CramMd5 => Step::Failed(ExchangeError::NoInitialResponse),
            Some("=") => Self(state).take(""),
            Some(text) => Self(state).take(text),
        }
    }

    /// Goes on with a line of the client, without its line end.
    #[must_use]
    pub fn respond(self, line: &str) -> Step {
        match line {
            "*" => Step::Failed(ExchangeError::Cancelled),
            text => self.take(text),
        }
    }

    fn take(self, text: &str) -> Step {
        self.decode_and_take(text).unwrap_or_else(Step::Failed)
    }

    fn decode_and_take(self, text: &str) -> Result<Step, ExchangeError> {
        let response = base64::decode(text)?;
        match self.0 {
            State::PlainMessage(state) => state.take(&response).map(Step::Claim),
            State::LoginUsername(state) => {
                state.take(&response).map(|next| Self(State::LoginPassword(next)).challenge())
            }
            State::LoginPassword(state) => state.take(response).map(Step::Claim),
            State::CramMd5Digest(state) => state.take(&response).map(Claim::CramMd5).map(Step::Claim),
            State::ScramFirst(state) => state.take(&response).map(SaltWanted).map(Step::Salt),
            State::ScramFinal(state) => state.take(&response).map(Claim::Scram).map(Step::Claim),
            State::OAuthBearerToken(state) => state.take(&response).map(Claim::Token).map(Step::Claim),
            State::XOAuth2Token(state) => state.take(&response).map(Claim::Token).map(Step::Claim),
            State::ExternalAuthzid(state) => state.take(&response).map(Claim::External).map(Step::Claim),
        }
    }

    fn challenge(self) -> Step {
        let text = match &self.0 {
            // RFC 4422 section 5: where the client speaks first, it is asked to with an empty challenge.
            State::PlainMessage(_)
            | State::ScramFirst(_)
            | State::OAuthBearerToken(_)
            | State::XOAuth2Token(_)
            | State::ExternalAuthzid(_) => "",
            State::LoginUsername(_) => AwaitingUsername::CHALLENGE,
            State::LoginPassword(_) => AwaitingPassword::CHALLENGE,
            State::CramMd5Digest(state) => state.challenge(),
            State::ScramFinal(state) => state.challenge(),
        };
        Step::Challenge(base64::encode(text), self)
    }
}

impl State {
    fn first(mechanism: Mechanism, circumstances: &Circumstances<'_>) -> Self {
        match mechanism {
            Mechanism::ScramSha256Plus | Mechanism::ScramSha256 => {
                Self::ScramFirst(AwaitingFirst::new(mechanism, circumstances))
            }
            Mechanism::OAuthBearer => Self::OAuthBearerToken(AwaitingBearer),
            Mechanism::XOAuth2 => Self::XOAuth2Token(AwaitingXOAuth2),
            Mechanism::External => Self::ExternalAuthzid(AwaitingAuthzid),
            Mechanism::CramMd5 => Self::CramMd5Digest(AwaitingDigest::new(circumstances)),
            Mechanism::Plain => Self::PlainMessage(AwaitingMessage),
            Mechanism::Login => Self::LoginUsername(AwaitingUsername),
        }
    }
}

#[cfg(test)]
mod tests {
    use ::base64::Engine;
    use ::base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::*;
    use crate::{ChannelBindings, MAX_PASSWORD, MAX_USERNAME, Nonces, PasswordClaim};

    const PASSWORDS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];

    fn start(mechanism: Mechanism, initial: Option<&str>) -> Step {
        let (nonce, bindings) = (Nonces::new([0; 32]).draw(), ChannelBindings::default());
        let circumstances =
            Circumstances { hostname: "mail.test", nonce: &nonce, bindings: &bindings, offers_plus: false };
        Exchange::start(mechanism, initial, circumstances)
    }

    fn b64(octets: impl AsRef<[u8]>) -> String {
        STANDARD.encode(octets)
    }

    fn claim(step: Step) -> PasswordClaim {
        match step {
            Step::Claim(Claim::Password(claim)) => claim,
            Step::Claim(_) | Step::Challenge(..) | Step::Salt(_) | Step::Failed(_) => {
                panic!("no claim: {step:?}")
            }
        }
    }

    fn challenge(step: Step) -> (String, Exchange) {
        match step {
            Step::Challenge(text, exchange) => (text, exchange),
            Step::Salt(_) | Step::Claim(_) | Step::Failed(_) => panic!("no challenge: {step:?}"),
        }
    }

    /// The mechanism's exchange at each of its steps, with the challenge that it waits for an answer to.
    fn waiting(mechanism: Mechanism) -> Vec<(String, Exchange)> {
        let mut all = vec![challenge(start(mechanism, None))];
        match mechanism {
            Mechanism::Login => all.push(challenge(start(mechanism, Some(&b64("alice"))))),
            Mechanism::ScramSha256 | Mechanism::ScramSha256Plus => {
                match start(mechanism, Some(&b64("n,,n=alice,r=abc"))) {
                    Step::Salt(wanted) => all.push(challenge(wanted.with(None))),
                    step @ (Step::Challenge(..) | Step::Claim(_) | Step::Failed(_)) => panic!("{step:?}"),
                }
            }
            Mechanism::OAuthBearer
            | Mechanism::XOAuth2
            | Mechanism::External
            | Mechanism::CramMd5
            | Mechanism::Plain => {}
        }
        all
    }

    fn failure(step: Step) -> ExchangeError {
        match step {
            Step::Failed(error) => error,
            Step::Challenge(..) | Step::Salt(_) | Step::Claim(_) => panic!("no failure: {step:?}"),
        }
    }

    fn plain(message: impl AsRef<[u8]>) -> Step {
        start(Mechanism::Plain, Some(&b64(message)))
    }

    fn login(username: impl AsRef<[u8]>, password: impl AsRef<[u8]>) -> Step {
        match start(Mechanism::Login, Some(&b64(username))) {
            Step::Challenge(_, exchange) => exchange.respond(&b64(password)),
            ended @ (Step::Salt(_) | Step::Claim(_) | Step::Failed(_)) => ended,
        }
    }

    /// What a claim says: authorization identity, username, password.
    fn said(claim: &PasswordClaim) -> (Option<&str>, &str, &[u8]) {
        (claim.authzid.as_deref(), &claim.username, claim.password.declassify())
    }

    #[test]
    fn plain_takes_its_message_with_the_command_or_after_an_empty_challenge() {
        let direct = claim(plain("\0alice@example.org\0secret"));
        assert_eq!(
            (direct.mechanism, said(&direct)),
            (Mechanism::Plain, (None, "alice@example.org", &b"secret"[..]))
        );
        let (text, exchange) = challenge(start(Mechanism::Plain, None));
        assert_eq!(text, "");
        assert_eq!(said(&claim(exchange.respond(&b64("\0alice\0x")))), (None, "alice", &b"x"[..]));
    }

    #[test]
    fn sas_01_the_authorization_identity_is_never_the_username() {
        let asked = claim(plain("victim\0attacker\0pw"));
        assert_eq!(said(&asked), (Some("victim"), "attacker", &b"pw"[..]));
        assert_eq!(said(&claim(plain("alice\0alice\0pw"))).0, Some("alice"));
        assert_eq!(failure(plain("victim\0\0pw")), ExchangeError::Malformed);
    }

    #[test]
    fn sas_02_plain_has_exactly_two_nuls_a_name_and_a_password() {
        for message in [
            &b""[..],
            b"\0",
            b"\0\0",
            b"\0\0\0",
            b"alice",
            b"alice\0pw",
            b"\0alice",
            b"\0alice\0",
            b"\0\0pw",
            b"a\0b",
            b"a\0b\0",
            b"a\0\0c",
            b"\0alice\0pw\0",
            b"\0alice\0p\0w",
            b"\0alice\0\0pw",
            b"a\0b\0c\0d",
            b"\0\0alice\0pw",
            b"\0alice\0pw\0\0",
        ] {
            assert_eq!(failure(plain(message)), ExchangeError::Malformed, "{message:?}");
        }
        assert_eq!(said(&claim(plain("\0a\0b"))), (None, "a", &b"b"[..]));
    }

    #[test]
    fn sas_03_base64_has_one_form() {
        for text in [
            "=AAA", "AAA=BBB", "A", "AA", "AAA", "AA=", "AA\tAA", "AAAA ", " AAAA", "AAAA\r", "AAAA=",
            "AAAA====", "====", "==", "AB==", "AAB=", "AA==AA==", "__--", "AAA*", "é", "A\0==", "**",
        ] {
            for mechanism in Mechanism::ALL {
                let early = if mechanism == Mechanism::CramMd5 {
                    ExchangeError::NoInitialResponse
                } else {
                    ExchangeError::NotBase64
                };
                assert_eq!(failure(start(mechanism, Some(text))), early, "{text:?}");
                for (_, exchange) in waiting(mechanism) {
                    assert_eq!(failure(exchange.respond(text)), ExchangeError::NotBase64, "{text:?}");
                }
            }
        }
    }

    #[test]
    fn an_equals_sign_is_an_empty_response_only_with_the_command() {
        for mechanism in PASSWORDS {
            assert_eq!(failure(start(mechanism, Some("="))), ExchangeError::Malformed);
            let (_, exchange) = challenge(start(mechanism, None));
            assert_eq!(failure(exchange.respond("=")), ExchangeError::NotBase64);
            let (_, exchange) = challenge(start(mechanism, None));
            assert_eq!(failure(exchange.respond("")), ExchangeError::Malformed);
        }
    }

    #[test]
    fn sas_04_names_and_passwords_have_limits() {
        let (name, password) = ("n".repeat(MAX_USERNAME), "p".repeat(MAX_PASSWORD));
        assert_eq!(
            said(&claim(plain(format!("\0{name}\0{password}")))),
            (None, name.as_str(), password.as_bytes())
        );
        assert_eq!(said(&claim(login(&name, &password))), (None, name.as_str(), password.as_bytes()));
        for message in [
            format!("\0{name}n\0p"),
            format!("\0n\0{password}p"),
            format!("{name}n\0n\0p"),
            "n".repeat(1 << 20),
        ] {
            assert_eq!(failure(plain(message)), ExchangeError::Malformed);
        }
        assert_eq!(failure(login(format!("{name}n"), "p")), ExchangeError::Malformed);
        assert_eq!(failure(login("n", format!("{password}p"))), ExchangeError::Malformed);
    }

    #[test]
    fn sas_05_a_star_cancels_at_every_step() {
        for (_, exchange) in Mechanism::ALL.into_iter().flat_map(waiting) {
            assert_eq!(failure(exchange.respond("*")), ExchangeError::Cancelled);
        }
    }

    #[test]
    fn sas_06_a_failure_leaves_nothing_for_the_next_exchange() {
        let begun = |mechanism| challenge(start(mechanism, None)).0;
        let fresh = Mechanism::ALL.map(begun);
        for first in Mechanism::ALL {
            let _ = start(first, Some("!"));
            for (_, exchange) in waiting(first) {
                let _ = exchange.respond("!");
            }
            assert_eq!(Mechanism::ALL.map(begun), fresh);
        }
    }

    #[test]
    fn sas_07_cram_md5_has_the_server_speak_first_and_the_others_ask_for_nothing() {
        for initial in ["=", "", "YQ==", "!"] {
            let failure = failure(start(Mechanism::CramMd5, Some(initial)));
            assert_eq!(failure, ExchangeError::NoInitialResponse, "{initial:?}");
        }
        for mechanism in Mechanism::ALL {
            let (text, _) = challenge(start(mechanism, None));
            let speaks_first = matches!(mechanism, Mechanism::CramMd5 | Mechanism::Login);
            assert_eq!(text.is_empty(), !speaks_first, "{mechanism}");
        }
    }

    #[test]
    fn external_tells_an_empty_response_from_none() {
        let claim = |step| match step {
            Step::Claim(Claim::External(claim)) => claim.authzid,
            step @ (Step::Challenge(..) | Step::Salt(_) | Step::Claim(_) | Step::Failed(_)) => {
                panic!("{step:?}")
            }
        };
        assert_eq!(claim(start(Mechanism::External, Some("="))), None);
        assert_eq!(claim(start(Mechanism::External, Some(&b64("alice")))), Some("alice".to_owned()));
        let (_, exchange) = challenge(start(Mechanism::External, None));
        assert_eq!(claim(exchange.respond("")), None);
    }

    #[test]
    fn login_asks_for_the_name_and_then_for_the_password() {
        let (text, exchange) = challenge(start(Mechanism::Login, None));
        assert_eq!(text, "VXNlcm5hbWU6");
        let (text, exchange) = challenge(exchange.respond(&b64("alice")));
        assert_eq!(text, "UGFzc3dvcmQ6");
        let ended = claim(exchange.respond(&b64("x")));
        assert_eq!((ended.mechanism, said(&ended)), (Mechanism::Login, (None, "alice", &b"x"[..])));
    }

    #[test]
    fn login_refuses_an_empty_name_an_empty_password_and_nul() {
        for (username, password) in [("", "x"), ("alice", ""), ("al\0ice", "x"), ("alice", "x\0")] {
            assert_eq!(failure(login(username, password)), ExchangeError::Malformed);
        }
    }

    #[test]
    fn sas_12_a_name_is_text_without_controls_and_a_password_is_octets() {
        for name in
            ["\u{1}a", "a\r\nReceived: x", "a\tb", "a\x1b[2J", "a\x7f", "a\u{85}b", "a\u{2028}b", "\n"]
        {
            assert_eq!(failure(plain(format!("\0{name}\0x"))), ExchangeError::Malformed, "{name:?}");
            assert_eq!(failure(plain(format!("{name}\0a\0x"))), ExchangeError::Malformed, "{name:?}");
            assert_eq!(failure(login(name, "x")), ExchangeError::Malformed, "{name:?}");
        }
        assert_eq!(failure(plain(b"\0\xff\xfe\0x")), ExchangeError::Malformed);
        assert_eq!(failure(login(b"\xc3", "x")), ExchangeError::Malformed);
        for name in ["%s%n", "' OR 1=1--", "bob)(description=*", "${HOME}", "*", "jörg", " "] {
            assert_eq!(claim(login(name, "x")).username, name);
        }
        assert_eq!(claim(plain(b"\0a\0\xff\r\n")).password.declassify(), b"\xff\r\n");
    }

    #[test]
    fn no_step_shows_the_password() {
        let shown = format!("{:?} {:?}", plain("\0alice\0swordfish"), login("alice", "swordfish"));
        assert!(
            shown.contains("alice") && !shown.contains("swordfish") && !shown.contains(&b64("swordfish")),
            "{shown}"
        );
    }

    proptest! {
        #[test]
        fn any_lines_end_in_a_step(initial in proptest::option::of("\\PC{0,40}"), lines in proptest::collection::vec("\\PC{0,40}", 0..4)) {
            for mechanism in Mechanism::ALL {
                let mut step = start(mechanism, initial.as_deref());
                for line in &lines {
                    step = match step {
                        Step::Challenge(_, exchange) => exchange.respond(&if line.is_ascii() { line.clone() } else { b64(line) }),
                        Step::Salt(wanted) => wanted.with(None),
                        Step::Claim(_) | Step::Failed(_) => break,
                    };
                }
            }
        }

        #[test]
        fn any_message_is_a_claim_of_its_own_parts_or_malformed(message: Vec<u8>) {
            match plain(&message) {
                Step::Claim(Claim::Password(claim)) => {
                    let (authzid, username, password) = said(&claim);
                    let joined = [authzid.unwrap_or("").as_bytes(), username.as_bytes(), password].join(&0);
                    prop_assert_eq!(joined, message);
                }
                step @ (Step::Challenge(..) | Step::Salt(_) | Step::Claim(_) | Step::Failed(_)) => {
                    prop_assert_eq!(failure(step), ExchangeError::Malformed);
                }
            }
        }

        #[test]
        fn both_mechanisms_claim_what_was_meant(username in "[^\\pC\u{2028}\u{2029}]{1,60}", password in "[^\0]{1,60}") {
            let meant = (None, username.as_str(), password.as_bytes());
            for step in [plain(format!("\0{username}\0{password}")), login(&username, &password)] {
                let claim = claim(step);
                prop_assert_eq!(said(&claim), meant);
            }
        }
    }
}
