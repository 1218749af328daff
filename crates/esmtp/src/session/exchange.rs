//! AUTH, from the command to the verdict (RFC 4954 section 4).

use sasl::{ExchangeError, Mechanism, Step};
use types::Secret;

use super::State;
use super::context::Context;
use super::question::{Authentication, Pending, Question};
use super::ready::Ready;
use crate::reply::{self, Reply};

/// A challenge was sent; the next line is the response.
#[derive(Debug)]
pub(super) struct Exchange(sasl::Exchange);

pub(super) fn start(
    mechanism: Mechanism,
    initial: Option<&Secret>,
    last_of_input: bool,
    cx: &mut Context,
) -> State {
    let initial = initial.and_then(Secret::declassify_str);
    on_step(sasl::Exchange::start(mechanism, initial), last_of_input, cx)
}

impl Exchange {
    pub(super) fn on_line(self, line: &[u8], last_of_input: bool, cx: &mut Context) -> State {
        match str::from_utf8(line) {
            Ok(text) => on_step(self.0.respond(text), last_of_input, cx),
            Err(_) => cx.fault(&reply::NOT_BASE64, State::Ready(Ready)),
        }
    }
}

fn on_step(step: Step, last_of_input: bool, cx: &mut Context) -> State {
    match step {
        // A response that was sent before its challenge answers something else.
        Step::Challenge(..) if !last_of_input => cx.close(&reply::SYNCHRONISATION),
        Step::Challenge(base64, exchange) => {
            cx.say(&Reply::challenge(base64));
            State::Exchange(Exchange(exchange))
        }
        Step::Claim(claim) => State::Asking(Question::Authenticate(claim), Pending::Authenticate),
        Step::Failed(error) => cx.fault(&failure(error), State::Ready(Ready)),
    }
}

fn failure(error: ExchangeError) -> Reply {
    match error {
        ExchangeError::NotBase64 => reply::NOT_BASE64,
        ExchangeError::Malformed => reply::BAD_RESPONSE,
        ExchangeError::Cancelled => reply::CANCELLED,
    }
}

pub(super) fn on_verdict(verdict: Authentication, cx: &mut Context) -> State {
    match verdict {
        Authentication::Accepted => {
            cx.authenticated = true;
            cx.say_then(&reply::AUTHENTICATED, State::Ready(Ready))
        }
        Authentication::Refused => cx.fail_login(&reply::REFUSED),
        Authentication::NeedsAppPassword => cx.fail_login(&reply::NEEDS_APP_PASSWORD),
        Authentication::Throttled(wait) => cx.fail_login(&Reply::throttled(wait)),
        Authentication::Unavailable => cx.fail_login(&reply::AUTH_UNAVAILABLE),
    }
}
