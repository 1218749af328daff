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
use crate::limits::RECIPIENTS_TRIED;
use crate::reply::{self, Rejection, Reply};
use crate::{Envelope, SenderAllowed};

#[derive(Debug)]
pub(super) struct Transaction {
    envelope: Envelope,
    /// RCPT commands, whatever became of them.
    recipients_tried: usize,
    /// Errors that count against the client for recipients of this transaction.
    recipients_refused: u32,
}

impl Transaction {
    pub(super) fn new(envelope: Envelope) -> Self {
        Self { envelope, recipients_tried: 0, recipients_refused: 0 }
    }

    pub(super) fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    pub(super) fn into_envelope(self) -> Envelope {
        self.envelope
    }

    /// Refuses a RCPT command whose argument can't be read.
    pub(super) fn on_unreadable_recipient(mut self, reply: &Reply, cx: &mut Context) -> State {
        self.recipients_tried += 1;
        self.refuse_recipient(reply, cx)
    }

    pub(super) fn on_sender(self, verdict: Result<SenderAllowed, Rejection>, cx: &mut Context) -> State {
        match verdict {
            Ok(_allowed) => cx.say_then(&reply::SENDER_OK, State::Transaction(self)),
            Err(rejection) => cx.fault(&Reply::from(&rejection), State::Ready(Ready)),
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
        self.recipients_tried += 1;
        if !forward_path.is_ascii() && !self.envelope.smtputf8 {
            return self.refuse_recipient(&reply::NEEDS_SMTPUTF8, cx);
        }
        let most_tried = cx.settings.recipients.saturating_mul(RECIPIENTS_TRIED);
        if self.recipients_tried > most_tried {
            return self.refuse_recipient(&reply::TOO_MANY_RECIPIENTS, cx);
        }
        // RFC 5321 section 4.5.3.1.10: those that were accepted stay so, and the client sends to the others separately. It may
        // have named them all at once, which is no error.
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
                    self.end_row_of_refusals(cx);
                }
                cx.say_then(&reply::RECIPIENT_OK, State::Transaction(self))
            }
            Err(rejection) => self.refuse_recipient(&Reply::from(&rejection), cx),
        }
    }

    fn refuse_recipient(mut self, reply: &Reply, cx: &mut Context) -> State {
        self.recipients_refused += 1;
        cx.fault(reply, State::Transaction(self))
    }

    /// A list of recipients may have bad ones in it, if not many in a row. One error stays, or transactions that come to
    /// nothing could go on for ever.
    fn end_row_of_refusals(&mut self, cx: &mut Context) {
        let stays = self.recipients_refused.min(1);
        cx.forgive(self.recipients_refused - stays);
        self.recipients_refused = stays;
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
        match (self.envelope.forward_paths.is_empty(), self.recipients_tried) {
            (false, _) => None,
            (true, 0) => Some(reply::NEED_RCPT),
            (true, _) => Some(reply::NO_VALID_RECIPIENTS),
        }
    }
}
