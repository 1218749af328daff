//! XCLIENT: a trusted proxy says who its client is (Postfix, XCLIENT_README).
//!
//! Behind it the session begins anew, but for TLS and for what has been counted: else XCLIENT would be a way around
//! every limit of the connection. Who is trusted is a matter of the connection. No XCLIENT extends that, but one that names
//! the client ends it: behind it a proxy such as nginx passes on whatever the client says, which might be XCLIENT, too.

use sasl::Verdict;

use super::context::Context;
use super::login::Login;
use super::question::{Client, Vouch};
use super::ready::Greeted;
use super::state::{ExpectAnswer, ExpectCommand, Next, State};
use crate::rejection::Rejection;
use crate::reply::{self, Reply};

/// Outside of a transaction. From here on the client is another, whatever comes of it.
pub(super) fn on<U, M>(
    here: ExpectCommand<M>,
    attributes: &[u8],
    last_of_input: bool,
    cx: &mut Context<U>,
) -> Next<U, M> {
    if let Err(refusal) = cx.capabilities().xclient() {
        return cx.fault(&refusal, here.into());
    }
    cx.count_introduction()?;
    match cx.client.introduction.with(attributes, cx.channel.xclient) {
        // What stands behind it would be said before the greeting.
        Ok(_) if !last_of_input => Err(cx.close(&reply::SYNCHRONISATION)),
        Ok(known) => {
            cx.introduce(known);
            Ok(State::Answer(ExpectAnswer::Client(Client)))
        }
        Err(_) => cx.fault(&reply::BAD_ATTRIBUTE, here.into()),
    }
}

pub(super) fn in_transaction<U, M>(here: ExpectCommand<M>, cx: &mut Context<U>) -> Next<U, M> {
    let refusal = cx.capabilities().xclient().err().unwrap_or(reply::NOT_IN_TRANSACTION);
    cx.fault(&refusal, here.into())
}

/// Whether there is room for the client. It is greeted, unless the proxy says that it has logged in.
pub(super) fn on_client<U, M>(verdict: Result<(), Rejection>, cx: &mut Context<U>) -> Next<U, M> {
    if let Err(rejection) = verdict {
        return Err(cx.close(&Reply::from(&rejection)));
    }
    match cx.client.introduction.login.take() {
        Some(username) => Ok(State::Answer(ExpectAnswer::Vouch(Vouch(username)))),
        None => Ok(greet(cx)),
    }
}

/// Whether the client is logged in by the word of the proxy.
pub(super) fn on_vouched<U, M>(verdict: Verdict<U>, cx: &mut Context<U>) -> Next<U, M> {
    match verdict {
        Verdict::Accepted(proof) => {
            cx.client.login = Some(Login::by_xclient(proof));
            Ok(greet(cx))
        }
        Verdict::Refused(_) | Verdict::NeedsAppPassword => {
            cx.fail_login(&reply::LOGIN_NOT_TAKEN, Greeted.into())
        }
        Verdict::Throttled { retry_after } => cx.fail_login(&Reply::throttled(retry_after), Greeted.into()),
        Verdict::Unavailable | _ => cx.fail_login(&reply::AUTH_UNAVAILABLE, Greeted.into()),
    }
}

fn greet<U, M>(cx: &mut Context<U>) -> State<U, M> {
    cx.greet();
    Greeted.into()
}
