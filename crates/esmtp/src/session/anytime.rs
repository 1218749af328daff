//! The commands that mean the same in every state, handled before any state sees them.

use types::EhloName;

use super::State;
use super::context::Context;
use super::ready::{Greeted, Ready};
use crate::command::Anytime;
use crate::reply::{self, Reply};

pub(super) fn on(state: State, command: Anytime, cx: &mut Context) -> State {
    if !matches!(command, Anytime::Quit) && cx.is_one_idle_command_too_many() {
        return cx.close(&reply::TOO_MANY_IDLE_COMMANDS);
    }
    match command {
        Anytime::Ehlo(name) => {
            introduce(name, true, cx);
            cx.list_capabilities();
            state.reset(cx)
        }
        Anytime::Helo(name) => {
            introduce(name, false, cx);
            cx.say(&Reply::hello(&cx.settings.hostname));
            state.reset(cx)
        }
        Anytime::Rset => {
            cx.say(&reply::DONE);
            if cx.ehlo.is_some() { state.reset(cx) } else { State::Greeted(Greeted) }
        }
        Anytime::Noop => cx.say_then(&reply::DONE, state),
        Anytime::Help => cx.say_then(&reply::HELP, state),
        // RFC 5321 sections 3.5.3 and 7.3: nobody learns here who has a mailbox.
        Anytime::Vrfy => cx.say_then(&reply::VRFY, state),
        Anytime::Expn => cx.say_then(&reply::NOT_HERE, state),
        Anytime::Quit => cx.say_then(&reply::BYE, state),
    }
}

fn introduce(name: EhloName, extended: bool, cx: &mut Context) {
    cx.ehlo = Some(name);
    cx.extended = extended;
}

impl State {
    /// Drops the transaction, as EHLO, HELO and RSET do (RFC 5321 sections 4.1.1.5 and 4.1.4).
    fn reset(self, cx: &mut Context) -> Self {
        if matches!(self, Self::Chunked(_)) {
            cx.discard();
        }
        Self::Ready(Ready)
    }
}
