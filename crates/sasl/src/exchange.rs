//! An exchange: what is said between an AUTH command and the claim that comes of it.

use crate::Mechanism;
use crate::base64;
use crate::claim::Claim;
use crate::login::{AwaitingPassword, AwaitingUsername};
use crate::plain::AwaitingMessage;

/// What a response led to.
#[derive(Debug)]
pub enum Step {
    /// Send this challenge, already in base64, and give the answer to [`Exchange::respond`].
    Challenge(String, Exchange),
    /// The client has said all; somebody must judge it.
    Claim(Claim),
    /// The exchange is over without a claim.
    Failed(ExchangeError),
}

/// Why an exchange ended without a claim. None of these is a failed attempt to log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    /// Not base64 in its one canonical form: other characters, wrong padding, stray bits. RFC 4954 section 4.
    #[error("the response is not valid base64")]
    NotBase64,
    /// Not what the mechanism's response must be.
    #[error("the response is malformed")]
    Malformed,
    /// The client sent `*`. RFC 4954 section 4.
    #[error("the client cancelled the exchange")]
    Cancelled,
}

/// An exchange that waits for the client's next line. It is consumed by that line: no state outlives a step, and
/// none passes from one AUTH to the next.
#[derive(Debug)]
pub struct Exchange(State);

/// What the next line will be taken for.
#[derive(Debug)]
enum State {
    PlainMessage(AwaitingMessage),
    LoginUsername(AwaitingUsername),
    LoginPassword(AwaitingPassword),
}

impl Exchange {
    /// Begins an exchange with the initial response of the AUTH command, as written: `None` if it has none,
    /// `=` for an empty one (RFC 4954 section 4).
    #[must_use]
    pub fn start(mechanism: Mechanism, initial: Option<&str>) -> Step {
        let state = match mechanism {
            Mechanism::Plain => State::PlainMessage(AwaitingMessage),
            Mechanism::Login => State::LoginUsername(AwaitingUsername),
        };
        match initial {
            None => Self(state).challenge(),
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
        }
    }

    fn challenge(self) -> Step {
        let text = match &self.0 {
            // RFC 4616: the client speaks first, so that the challenge is empty.
            State::PlainMessage(_) => "",
            State::LoginUsername(_) => AwaitingUsername::CHALLENGE,
            State::LoginPassword(_) => AwaitingPassword::CHALLENGE,
        };
        Step::Challenge(base64::encode(text), self)
    }
}
