//! The mail transaction: MAIL was accepted, recipients are named, the text is announced (RFC 5321 section 3.3).
//!
//! It is one value. RSET drops it, and so does every end of its text, whatever the reply.

use types::ForwardPath;

use super::State;
use super::chunk::{Chunk, Skip};
use super::context::Context;
use super::question::{Pending, Question};
use super::ready::Ready;
use super::text::Text;
use super::xclient;
use crate::command::Ordered;
use crate::reply::{self, Rejection, Reply};
use crate::{Envelope, SenderAllowed};

#[derive(Debug)]
pub(super) struct Transaction {
    envelope: Envelope,
    /// RCPT was sent, if only to be refused.
    tried_recipient: bool,
}

impl Transaction {
    pub(super) fn new(envelope: Envelope) -> Self {
        Self { envelope, tried_recipient: false }
    }

    pub(super) fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    pub(super) fn into_envelope(self) -> Envelope {
        self.envelope
    }

    /// RCPT was sent with an argument that can't be read.
    pub(super) fn with_refused_recipient(self) -> Self {
        Self { tried_recipient: true, ..self }
    }

    pub(super) fn on_sender(self, verdict: Result<SenderAllowed, Rejection>, cx: &mut Context) -> State {
        match verdict {
            Ok(_allowed) => cx.say_then(&reply::SENDER_OK, State::Transaction(self)),
            Err(rejection) => cx.say_then(&Reply::from(&rejection), State::Ready(Ready)),
        }
    }

    pub(super) fn on(self, command: Ordered, last_of_input: bool, cx: &mut Context) -> State {
        match command {
            Ordered::Mail(..) => cx.fault(&reply::NESTED_MAIL, State::Transaction(self)),
            Ordered::StartTls | Ordered::Auth { .. } => {
                cx.fault(&reply::NOT_IN_TRANSACTION, State::Transaction(self))
            }
            Ordered::Xclient(_) => xclient::in_transaction(State::Transaction(self), cx),
            Ordered::Rcpt(forward_path) => self.rcpt(forward_path, cx),
            Ordered::Data => self.data(last_of_input, cx),
            Ordered::Bdat { size, last } => self.bdat(size, last, cx),
        }
    }

    fn rcpt(mut self, forward_path: ForwardPath, cx: &mut Context) -> State {
        self.tried_recipient = true;
        if !forward_path.is_ascii() && !self.envelope.smtputf8 {
            return cx.fault(&reply::NEEDS_SMTPUTF8, State::Transaction(self));
        }
        // RFC 5321 section 4.5.3.1.10: those that were accepted stay so.
        if self.envelope.forward_paths.len() >= cx.settings.recipients {
            return cx.say_then(&reply::TOO_MANY_RECIPIENTS, State::Transaction(self));
        }
        State::Asking(Question::Recipient(forward_path.clone()), Pending::Recipient(self, forward_path))
    }

    pub(super) fn on_recipient(
        mut self,
        forward_path: ForwardPath,
        verdict: Result<(), Rejection>,
        cx: &mut Context,
    ) -> State {
        match verdict {
            Ok(()) => {
                if !self.envelope.forward_paths.contains(&forward_path) {
                    self.envelope.forward_paths.push(forward_path);
                }
                cx.say_then(&reply::RECIPIENT_OK, State::Transaction(self))
            }
            Err(rejection) => cx.say_then(&Reply::from(&rejection), State::Transaction(self)),
        }
    }

    /// RFC 2920 section 3.1: DATA is the last command of a group. Text that was sent before our 354 may just as well
    /// be meant as commands.
    fn data(self, last_of_input: bool, cx: &mut Context) -> State {
        if let Some(refusal) = self.refusal_of_text() {
            return cx.fault(&refusal, State::Transaction(self));
        }
        if !last_of_input {
            return cx.close(&reply::SYNCHRONISATION);
        }
        cx.say(&reply::SEND_TEXT);
        State::Text(Text::new(self, &cx.settings))
    }

    fn bdat(self, size: u64, last: bool, cx: &mut Context) -> State {
        match self.refusal_of_text() {
            Some(refusal) => Skip::chunk(size, refusal, State::Transaction(self), cx),
            None => Chunk::first(self, size, last, cx),
        }
    }

    fn refusal_of_text(&self) -> Option<Reply> {
        match (self.envelope.forward_paths.is_empty(), self.tried_recipient) {
            (false, _) => None,
            (true, true) => Some(reply::NO_VALID_RECIPIENTS),
            (true, false) => Some(reply::NEED_RCPT),
        }
    }
}
