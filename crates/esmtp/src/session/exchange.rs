//! AUTH, from the command to the end of the login (RFC 4954 section 4).

use sasl::{Circumstances, Claim, ExchangeError, Mechanism, OAuthChallenge, Refusal, Step};
use types::Secret;

use super::State;
use super::context::Context;
use super::question::{Authentication, Pending, Question};
use super::ready::Ready;
use crate::reply::{self, Reply};

/// A challenge was sent; the next line is the response.
#[derive(Debug)]
pub(super) struct Exchange(sasl::Exchange);

/// The claim is judged, but the mechanism has the server say one thing more, which the client has to acknowledge.
#[derive(Debug)]
pub(super) enum LastWord {
    /// The server has proved itself too (RFC 5802 section 3).
    Accepted,
    /// The client was told why (RFC 7628 section 3.2.3). The reply follows.
    Refused(Reply),
}

pub(super) fn start(
    mechanism: Mechanism,
    initial: Option<&Secret>,
    last_of_input: bool,
    cx: &mut Context,
) -> State {
    let initial = initial.and_then(Secret::declassify_str);
    let nonce = cx.channel.nonces.draw();
    let circumstances = Circumstances {
        hostname: &cx.settings.hostname,
        nonce: &nonce,
        bindings: &cx.channel.bindings,
        offers_plus: cx.capabilities().offers(Mechanism::ScramSha256Plus),
    };
    on_step(sasl::Exchange::start(mechanism, initial, circumstances), last_of_input, cx)
}

impl Exchange {
    pub(super) fn on_line(self, line: &[u8], last_of_input: bool, cx: &mut Context) -> State {
        match str::from_utf8(line) {
            Ok(text) => on_step(self.0.respond(text), last_of_input, cx),
            Err(_) => cx.fault(&reply::NOT_BASE64, State::Ready(Ready)),
        }
    }
}

impl LastWord {
    /// Whatever the client makes of a refusal, it stays one. Of our proof it may think otherwise.
    pub(super) fn on_line(self, line: &[u8], cx: &mut Context) -> State {
        match (self, line) {
            (Self::Accepted, b"") => log_in(cx),
            (Self::Accepted, b"*") => cx.fault(&reply::CANCELLED, State::Ready(Ready)),
            (Self::Accepted, _) => cx.fault(&reply::BAD_RESPONSE, State::Ready(Ready)),
            (Self::Refused(_), b"*") => cx.fail_login(&reply::CANCELLED, State::Ready(Ready)),
            (Self::Refused(reply), _) => cx.fail_login(&reply, State::Ready(Ready)),
        }
    }
}

pub(super) fn on_step(step: Step, last_of_input: bool, cx: &mut Context) -> State {
    match step {
        // A response that was sent before its challenge answers something else.
        Step::Challenge(..) if !last_of_input => cx.close(&reply::SYNCHRONISATION),
        Step::Challenge(base64, exchange) => {
            cx.say(&Reply::challenge(base64));
            State::Exchange(Exchange(exchange))
        }
        Step::Salt(_) if !last_of_input => cx.close(&reply::SYNCHRONISATION),
        Step::Salt(wanted) => {
            State::Asking(Question::Salt(wanted.username().to_owned()), Pending::Salt(wanted))
        }
        // Who has our proof yet to see can't have more to say.
        Step::Claim(Claim::Scram(_)) if !last_of_input => cx.close(&reply::SYNCHRONISATION),
        Step::Claim(claim) => {
            let pending = Pending::Authenticate { mechanism: claim.mechanism(), waits: last_of_input };
            State::Asking(Question::Authenticate(claim), pending)
        }
        Step::Failed(error) => cx.fault(&failure(error), State::Ready(Ready)),
    }
}

fn failure(error: ExchangeError) -> Reply {
    match error {
        ExchangeError::NotBase64 => reply::NOT_BASE64,
        ExchangeError::Malformed => reply::BAD_RESPONSE,
        ExchangeError::Cancelled => reply::CANCELLED,
        ExchangeError::NoInitialResponse => reply::NO_INITIAL_RESPONSE,
    }
}

/// Goes on with the verdict. `waits` says whether the client has sent nothing behind its claim.
pub(super) fn on_verdict(
    verdict: Authentication,
    mechanism: Mechanism,
    waits: bool,
    cx: &mut Context,
) -> State {
    match verdict {
        Authentication::Accepted(signature) => match (mechanism, signature) {
            (Mechanism::ScramSha256 | Mechanism::ScramSha256Plus, Some(signature)) => {
                cx.say(&Reply::challenge(signature.in_base64()));
                State::LastWord(LastWord::Accepted)
            }
            // Without our proof the client would not believe it.
            (Mechanism::ScramSha256 | Mechanism::ScramSha256Plus, None) => {
                cx.fail_login(&reply::AUTH_UNAVAILABLE, State::Ready(Ready))
            }
            (_, _) => log_in(cx),
        },
        Authentication::Refused(refusal) => refuse(refusal, mechanism, waits, cx),
        Authentication::NeedsAppPassword => cx.fail_login(&reply::NEEDS_APP_PASSWORD, State::Ready(Ready)),
        Authentication::Throttled(wait) => cx.fail_login(&Reply::throttled(wait), State::Ready(Ready)),
        Authentication::Unavailable => cx.fail_login(&reply::AUTH_UNAVAILABLE, State::Ready(Ready)),
    }
}

fn log_in(cx: &mut Context) -> State {
    cx.authenticated = true;
    cx.say(&reply::AUTHENTICATED);
    State::LoggedIn
}

fn refuse(refusal: Refusal, mechanism: Mechanism, waits: bool, cx: &mut Context) -> State {
    let Refusal { reply, challenge } = refusal;
    let reply = reply.map_or(reply::REFUSED, Reply::from);
    match mechanism {
        // A client that has sent commands behind a token that it thought good does not wait for a challenge. The first of
        // them would be taken for the answer.
        Mechanism::OAuthBearer | Mechanism::XOAuth2 if !waits => cx.fail_login(&reply, State::Ready(Ready)),
        Mechanism::OAuthBearer | Mechanism::XOAuth2 => {
            cx.say(&Reply::challenge(OAuthChallenge::in_base64(&challenge)));
            State::LastWord(LastWord::Refused(reply))
        }
        Mechanism::ScramSha256Plus
        | Mechanism::ScramSha256
        | Mechanism::External
        | Mechanism::CramMd5
        | Mechanism::Plain
        | Mechanism::Login => cx.fail_login(&reply, State::Ready(Ready)),
    }
}
