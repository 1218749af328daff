//! The mail transaction: MAIL was accepted, recipients are named, the text is announced (RFC 5321 section 3.3).
//!
//! It is one value. RSET drops it, and so does every end of its text, whatever the reply.

use types::{BodyType, EnvelopeRecipient};

use super::chunk::{Chunk, Skip};
use super::context::Context;
use super::question::{Open, Recipient};
use super::ready::Ready;
use super::state::{ExpectAnswer, ExpectCommand, Next, State};
use super::text::Text;
use super::xclient;
use crate::command::Ordered;
use crate::limits::RECIPIENTS_TRIED;
use crate::rejection::Rejection;
use crate::reply::{self, Reply};
use crate::{Envelope, SenderAllowed};

#[derive(Debug)]
pub(super) struct Transaction {
    envelope: Envelope,
    /// RCPT commands, whatever became of them.
    recipients_tried: usize,
    /// Errors that count against the client for recipients of this transaction.
    recipients_refused: u32,
    /// The message gets a lower priority than was asked for.
    priority_lowered: bool,
}

/// How the text of a message comes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Framing {
    /// DATA.
    Dots,
    /// BDAT, of which this is the first.
    Chunks {
        /// Octets of the first chunk.
        size: u64,
        /// There are no others.
        last: bool,
    },
}

impl Transaction {
    pub(super) fn new(envelope: Envelope, priority_lowered: bool) -> Self {
        Self { envelope, recipients_tried: 0, recipients_refused: 0, priority_lowered }
    }

    pub(super) fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    pub(super) fn on_sender<U, M>(
        self,
        verdict: Result<SenderAllowed, Rejection>,
        cx: &mut Context<U>,
    ) -> Next<U, M> {
        match verdict {
            Ok(_allowed) if self.priority_lowered => {
                cx.say_then(&Reply::priority_lowered(self.envelope.priority), self.into())
            }
            Ok(_allowed) => cx.say_then(&reply::SENDER_OK, self.into()),
            Err(rejection) => cx.fault(&Reply::from(&rejection), Ready.into()),
        }
    }

    pub(super) fn on<U, M>(self, command: Ordered, last_of_input: bool, cx: &mut Context<U>) -> Next<U, M> {
        match command {
            Ordered::Mail(..) => cx.fault(&reply::NESTED_MAIL, self.into()),
            Ordered::StartTls | Ordered::Auth { .. } => cx.fault(&reply::NOT_IN_TRANSACTION, self.into()),
            Ordered::Xclient(_) => xclient::in_transaction(ExpectCommand::Transaction(self), cx),
            Ordered::Rcpt { recipient, utf8 } => self.rcpt(recipient, utf8, cx),
            Ordered::Data => self.data(last_of_input, cx),
            Ordered::Bdat { size, last } => self.bdat(size, last, cx),
        }
    }

    fn rcpt<U, M>(mut self, recipient: EnvelopeRecipient, utf8: bool, cx: &mut Context<U>) -> Next<U, M> {
        if let Some(refusal) = self.refusal_of_rcpt(&recipient, utf8, cx) {
            return self.refuse_recipient(&refusal, cx);
        }
        let most = cx.capabilities().recipients();
        if self.recipients_tried >= most.saturating_mul(RECIPIENTS_TRIED) {
            return self.refuse_recipient(&reply::TOO_MANY_RECIPIENTS, cx);
        }
        self.recipients_tried += 1;
        // RFC 5321 section 4.5.3.1.10: those that were accepted stay so, and the client sends to the others separately. It may
        // have named them all at once, which is no error.
        if self.envelope.recipients.len() >= most {
            return cx.say_then(&reply::TOO_MANY_RECIPIENTS, self.into());
        }
        Ok(State::Answer(ExpectAnswer::Recipient(Recipient { transaction: self, recipient })))
    }

    fn refusal_of_rcpt<U>(
        &self,
        recipient: &EnvelopeRecipient,
        utf8: bool,
        cx: &Context<U>,
    ) -> Option<Reply> {
        if utf8 && !self.envelope.smtputf8 {
            Some(reply::NEEDS_SMTPUTF8)
        } else if recipient.notify.is_some() || recipient.orcpt.is_some() {
            cx.capabilities().dsn().err()
        } else {
            None
        }
    }

    pub(super) fn on_recipient<U, M>(
        mut self,
        recipient: EnvelopeRecipient,
        verdict: Result<(), Rejection>,
        cx: &mut Context<U>,
    ) -> Next<U, M> {
        match verdict {
            Ok(()) => {
                // Named again it stays as it is, whatever is asked about it then.
                if !self.envelope.goes_to(&recipient.path) {
                    self.envelope.recipients.push(recipient);
                    self.end_row_of_refusals(cx);
                }
                cx.say_then(&reply::RECIPIENT_OK, self.into())
            }
            Err(rejection) => self.count_refusal(&Reply::from(&rejection), cx),
        }
    }

    /// Refuses a RCPT command before anybody is asked about it.
    pub(super) fn refuse_recipient<U, M>(mut self, reply: &Reply, cx: &mut Context<U>) -> Next<U, M> {
        self.recipients_tried += 1;
        self.count_refusal(reply, cx)
    }

    fn count_refusal<U, M>(mut self, reply: &Reply, cx: &mut Context<U>) -> Next<U, M> {
        self.recipients_refused += 1;
        cx.fault(reply, self.into())
    }

    /// A list of recipients may have bad ones in it, if not many in a row. One error stays, or transactions that come to
    /// nothing could go on for ever.
    fn end_row_of_refusals<U>(&mut self, cx: &mut Context<U>) {
        let stays = self.recipients_refused.min(1);
        cx.forgive(self.recipients_refused - stays);
        self.recipients_refused = stays;
    }

    /// RFC 2920 section 3.1: DATA is the last command of a group. Text that was sent before our 354 may just as well
    /// be meant as commands.
    fn data<U, M>(self, last_of_input: bool, cx: &mut Context<U>) -> Next<U, M> {
        if let Some(refusal) = self.refusal_of_text() {
            return cx.fault(&refusal, self.into());
        }
        // RFC 3030 section 3: between dots nobody could tell which line ends are content.
        if self.envelope.body == BodyType::Binary {
            return cx.fault(&reply::DATA_FOR_BINARY, self.into());
        }
        if !last_of_input {
            return Err(cx.close(&reply::SYNCHRONISATION));
        }
        Ok(self.open(Framing::Dots))
    }

    fn bdat<U, M>(self, size: u64, last: bool, cx: &mut Context<U>) -> Next<U, M> {
        match self.refusal_of_text() {
            Some(refusal) => Skip::chunk(size, refusal, ExpectCommand::Transaction(self), cx),
            None => Ok(self.open(Framing::Chunks { size, last })),
        }
    }

    fn open<U, M>(self, framing: Framing) -> State<U, M> {
        State::Answer(ExpectAnswer::Open(Open { envelope: self.envelope, framing }))
    }

    fn refusal_of_text(&self) -> Option<Reply> {
        match (self.envelope.recipients.is_empty(), self.recipients_tried) {
            (false, _) => None,
            (true, 0) => Some(reply::NEED_RCPT),
            (true, _) => Some(reply::NO_VALID_RECIPIENTS),
        }
    }
}

impl<U, M> From<Transaction> for State<U, M> {
    fn from(transaction: Transaction) -> Self {
        ExpectCommand::Transaction(transaction).into()
    }
}

/// The text of a message begins, which `message` keeps.
pub(super) fn on_open<U, M>(
    message: M,
    envelope: Envelope,
    framing: Framing,
    cx: &mut Context<U>,
) -> Next<U, M> {
    match framing {
        Framing::Dots => cx.say_then(&reply::SEND_TEXT, Text::new(message, envelope, &cx.settings).into()),
        Framing::Chunks { size, last } => Chunk::first(message, envelope, size, last, cx),
    }
}
