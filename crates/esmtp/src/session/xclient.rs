//! XCLIENT: a trusted proxy says who its client is (Postfix, XCLIENT_README).
//!
//! Behind it the session begins anew, but for TLS and for what has been counted: else XCLIENT would be a way around
//! every limit of the connection. Who is trusted is a matter of the connection. No XCLIENT extends that, but one that names
//! the client ends it: behind it a proxy such as nginx passes on whatever the client says, which might be XCLIENT, too.

use super::State;
use super::context::Context;
use super::question::{Authentication, Pending, Question};
use super::ready::Greeted;
use crate::introduction::{Introduction, Xclient};
use crate::reply::{self, Rejection, Reply};

/// Outside of a transaction.
pub(super) fn on(here: State, attributes: &[u8], last_of_input: bool, cx: &mut Context) -> State {
    if matches!(cx.channel.xclient, Xclient::Refused | Xclient::Said) {
        return cx.fault(&reply::NOT_AUTHORISED, here);
    }
    if cx.is_one_introduction_too_many() {
        return cx.close(&reply::TOO_MANY_IDLE_COMMANDS);
    }
    match cx.introduction.with(attributes, cx.channel.xclient) {
        // What stands behind it would be said before the greeting.
        Ok(_) if !last_of_input => cx.close(&reply::SYNCHRONISATION),
        Ok(known) => State::Asking(Question::Client(known.clone()), Pending::Client(known)),
        Err(_) => cx.fault(&reply::BAD_ATTRIBUTE, here),
    }
}

pub(super) fn in_transaction(here: State, cx: &mut Context) -> State {
    match cx.channel.xclient {
        Xclient::Refused | Xclient::Said => cx.fault(&reply::NOT_AUTHORISED, here),
        Xclient::Taken | Xclient::WithLogin => cx.fault(&reply::NOT_IN_TRANSACTION, here),
    }
}

/// From here on the client is another, whatever comes of its login.
pub(super) fn on_client(
    known: Introduction,
    verdict: Result<Option<Authentication>, Rejection>,
    cx: &mut Context,
) -> State {
    cx.begin_again(known);
    let here = State::Greeted(Greeted);
    match verdict {
        Ok(None) => {
            cx.greet();
            here
        }
        Ok(Some(Authentication::Accepted(_))) => {
            cx.authenticated = true;
            cx.greet();
            State::Vouched
        }
        Ok(Some(Authentication::Refused(_) | Authentication::NeedsAppPassword)) => {
            cx.fail_login(&reply::LOGIN_NOT_TAKEN, here)
        }
        Ok(Some(Authentication::Throttled(wait))) => cx.fail_login(&Reply::throttled(wait), here),
        Ok(Some(Authentication::Unavailable)) => cx.fail_login(&reply::AUTH_UNAVAILABLE, here),
        Err(rejection) => cx.close(&Reply::from(&rejection)),
    }
}
