//! AUTH, from the command to the end of the login (RFC 4954 section 4).

use sasl::{
    Authenticated, Circumstances, Claim, ExchangeError, Mechanism, OAuthChallenge, Refusal, Step, Verdict,
};
use types::Secret;

use super::context::Context;
use super::login::Login;
use super::question::{Judge, Salt};
use super::ready::Ready;
use super::state::{ExpectAnswer, ExpectResponse, Next, State};
use crate::reply::{self, Reply};

/// A challenge was sent; the next line is the response.
#[derive(Debug)]
pub(super) struct Exchange(sasl::Exchange);

/// The claim is judged, but the mechanism has the server say one thing more, which the client has to acknowledge.
#[derive(Debug)]
pub(super) enum LastWord<U> {
    /// The server has proved itself too (RFC 5802 section 3). The login holds once the client has taken that.
    Accepted(Login<U>),
    /// The client was told why (RFC 7628 section 3.2.3). The reply follows.
    Refused(Reply),
}

pub(super) fn start<U, M>(
    mechanism: Mechanism,
    initial: Option<&Secret>,
    last_of_input: bool,
    cx: &mut Context<U>,
) -> Next<U, M> {
    let initial = initial.and_then(Secret::declassify_str);
    let nonce = cx.channel.nonces.draw();
    let mut circumstances = Circumstances::new(&cx.settings.hostname, &nonce, &cx.channel.bindings);
    circumstances.offers_plus = cx.capabilities().offers(Mechanism::ScramSha256Plus);
    on_step(sasl::Exchange::start(mechanism, initial, circumstances), last_of_input, cx)
}

impl Exchange {
    pub(super) fn on_line<U, M>(self, line: &[u8], last_of_input: bool, cx: &mut Context<U>) -> Next<U, M> {
        match str::from_utf8(line) {
            Ok(text) => on_step(self.0.respond(text), last_of_input, cx),
            Err(_) => cx.fault(&reply::NOT_BASE64, Ready.into()),
        }
    }
}

impl<U> LastWord<U> {
    /// Whatever the client makes of a refusal, it stays one. Of our proof it may think otherwise.
    pub(super) fn on_line<M>(self, line: &[u8], cx: &mut Context<U>) -> Next<U, M> {
        match (self, line) {
            (Self::Accepted(login), b"") => log_in(login, cx),
            (Self::Accepted(_), b"*") => cx.fault(&reply::CANCELLED, Ready.into()),
            (Self::Accepted(_), _) => cx.fault(&reply::BAD_RESPONSE, Ready.into()),
            (Self::Refused(_), b"*") => cx.fail_login(&reply::CANCELLED, Ready.into()),
            (Self::Refused(reply), _) => cx.fail_login(&reply, Ready.into()),
        }
    }
}

pub(super) fn on_step<U, M>(step: Step, last_of_input: bool, cx: &mut Context<U>) -> Next<U, M> {
    match step {
        // A response that was sent before its challenge answers something else.
        Step::Challenge(..) if !last_of_input => Err(cx.close(&reply::SYNCHRONISATION)),
        Step::Challenge(base64, exchange) => {
            cx.say(&Reply::challenge(base64));
            Ok(ExpectResponse::Exchange(Exchange(exchange)).into())
        }
        Step::Salt(_) if !last_of_input => Err(cx.close(&reply::SYNCHRONISATION)),
        Step::Salt(wanted) => Ok(State::Answer(ExpectAnswer::Salt(Salt(wanted)))),
        // Who has our proof yet to see can't have more to say.
        Step::Claim(Claim::Scram(_)) if !last_of_input => Err(cx.close(&reply::SYNCHRONISATION)),
        Step::Claim(claim) => Ok(State::Answer(ExpectAnswer::Judge(Judge { claim, waits: last_of_input }))),
        Step::Failed(error) => cx.fault(&failure(error), Ready.into()),
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
pub(super) fn on_verdict<U, M>(
    verdict: Verdict<U>,
    mechanism: Mechanism,
    waits: bool,
    cx: &mut Context<U>,
) -> Next<U, M> {
    match verdict {
        Verdict::Accepted(proof) => accept(proof, mechanism, cx),
        Verdict::Refused(refusal) => refuse(refusal, mechanism, waits, cx),
        Verdict::NeedsAppPassword => cx.fail_login(&reply::NEEDS_APP_PASSWORD, Ready.into()),
        Verdict::Throttled { retry_after } => cx.fail_login(&Reply::throttled(retry_after), Ready.into()),
        // Nor is a verdict that is not known here.
        Verdict::Unavailable | _ => cx.fail_login(&reply::AUTH_UNAVAILABLE, Ready.into()),
    }
}

fn accept<U, M>(proof: Authenticated<U>, mechanism: Mechanism, cx: &mut Context<U>) -> Next<U, M> {
    match mechanism {
        Mechanism::ScramSha256 | Mechanism::ScramSha256Plus => match proof.signature() {
            Some(signature) => {
                cx.say(&Reply::challenge(signature.in_base64()));
                Ok(ExpectResponse::LastWord(LastWord::Accepted(Login::by(mechanism, proof))).into())
            }
            // Without our proof the client would not believe it.
            None => cx.fail_login(&reply::AUTH_UNAVAILABLE, Ready.into()),
        },
        Mechanism::OAuthBearer
        | Mechanism::XOAuth2
        | Mechanism::External
        | Mechanism::CramMd5
        | Mechanism::Plain
        | Mechanism::Login => log_in(Login::by(mechanism, proof), cx),
    }
}

fn log_in<U, M>(login: Login<U>, cx: &mut Context<U>) -> Next<U, M> {
    cx.client.login = Some(login);
    cx.say_then(&reply::AUTHENTICATED, Ready.into())
}

fn refuse<U, M>(refusal: Refusal, mechanism: Mechanism, waits: bool, cx: &mut Context<U>) -> Next<U, M> {
    let Refusal { reply, challenge, .. } = refusal;
    let reply = reply.map_or(reply::REFUSED, Reply::from);
    match mechanism {
        // A client that has sent commands behind a token that it thought good does not wait for a challenge. The first of
        // them would be taken for the answer.
        Mechanism::OAuthBearer | Mechanism::XOAuth2 if !waits => cx.fail_login(&reply, Ready.into()),
        Mechanism::OAuthBearer | Mechanism::XOAuth2 => {
            cx.say(&Reply::challenge(OAuthChallenge::in_base64(&challenge)));
            Ok(ExpectResponse::LastWord(LastWord::Refused(reply)).into())
        }
        Mechanism::ScramSha256Plus
        | Mechanism::ScramSha256
        | Mechanism::External
        | Mechanism::CramMd5
        | Mechanism::Plain
        | Mechanism::Login => cx.fail_login(&reply, Ready.into()),
    }
}
