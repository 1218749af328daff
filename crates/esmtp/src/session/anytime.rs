//! The commands that mean the same in every state, handled before any state sees them.

use super::context::Context;
use super::ready::Ready;
use super::state::{ExpectCommand, Next};
use crate::command::Anytime;
use crate::reply::{self, Reply};

pub(super) fn on<U, M>(state: ExpectCommand<M>, command: Anytime, cx: &mut Context<U>) -> Next<U, M> {
    if !matches!(command, Anytime::Quit) {
        cx.count_idle_command()?;
    }
    match command {
        Anytime::Ehlo(name) => {
            cx.client.greets(name, true);
            cx.list_capabilities();
            Ok(Ready.into())
        }
        Anytime::Helo(name) => {
            cx.client.greets(name, false);
            cx.say_then(&Reply::hello(&cx.settings.hostname), Ready.into())
        }
        Anytime::Rset => cx.say_then(&reply::DONE, state.reset().into()),
        Anytime::Noop => cx.say_then(&reply::DONE, state.into()),
        Anytime::Help => cx.say_then(&reply::HELP, state.into()),
        // RFC 5321 sections 3.5.3 and 7.3: nobody learns here who has a mailbox.
        Anytime::Vrfy => cx.say_then(&reply::VRFY, state.into()),
        Anytime::Expn => cx.say_then(&reply::NOT_HERE, state.into()),
        Anytime::Quit => cx.say_then(&reply::BYE, state.into()),
    }
}

impl<M> ExpectCommand<M> {
    /// Drops the transaction, as EHLO, HELO and RSET do (RFC 5321 sections 4.1.1.5 and 4.1.4).
    fn reset(self) -> Self {
        match self {
            Self::Greeted(_) => self,
            Self::Ready(_) | Self::Transaction(_) | Self::Chunked(_) => Self::Ready(Ready),
        }
    }
}
