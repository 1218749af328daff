//! One mail transaction: MAIL, RCPT, DATA and the text, and what became of each recipient.
//!
//! With PIPELINING (RFC 2920) MAIL, every RCPT and DATA leave in one flight; without it one after the other. Either way the
//! replies are read against the same list of steps, so that no reply is ever taken for another's. After the text SMTP has one reply for all
//! recipients, and LMTP one for each that was taken, in the order of the RCPTs (RFC 2033 section 4.2). A binary text is announced by BDAT
//! instead of DATA, once it is known that somebody is taken.

use std::collections::VecDeque;

use super::broken::Broken;
use super::capability::Capabilities;
use super::envelope::{Envelope, Written, parameters_for};
use super::framing::Framing;
use super::protocol::Protocol;
use super::reply::{Kind, Reply};
use super::stage::Stage;
use super::verdict::Verdict;
use bytes::{BufMut, BytesMut};

/// A transaction under way.
#[derive(Debug)]
pub(super) struct Transaction {
    /// Commands not written yet, and the octets of `script` that each takes.
    ahead: VecDeque<(Step, usize)>,
    script: BytesMut,
    /// Commands written, whose replies are due in this order.
    due: VecDeque<Step>,
    /// What is settled for each recipient; `None` is still open.
    verdicts: Vec<Option<Verdict>>,
    protocol: Protocol,
    peer: Capabilities,
    /// There is a time by which the message is to be delivered (RFC 2852).
    has_deadline: bool,
    framing: Framing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Reset,
    Mail,
    Recipient(usize),
    Data,
    /// The text is to be written: no reply may come.
    Body,
    /// The dot is written, and the reply is for all recipients.
    Final,
    /// The dot is written, and the reply is for this recipient (RFC 2033 section 4.2).
    FinalOf(usize),
    /// A dot was written for a DATA that should not have been accepted, there being no recipient.
    EmptyFinal,
}

/// Where the transaction stands after a reply.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// More is to come: replies, or the text.
    More,
    /// Every recipient is settled. `clean` if the peer has ended the transaction too.
    Done { clean: bool },
    /// Every recipient is settled, and the peer closes the connection.
    Closed,
}

impl Transaction {
    /// Writes the first commands to `out`; all of them if the peer takes them in one flight. Recipients that have a verdict
    /// already are left out.
    pub(super) fn start(
        envelope: &Envelope<'_>,
        verdicts: Vec<Option<Verdict>>,
        (protocol, peer): (Protocol, &Capabilities),
        reset: bool,
        out: &mut BytesMut,
    ) -> Transaction {
        let mut transaction = Transaction {
            ahead: VecDeque::with_capacity(envelope.recipients.len() + 3),
            script: BytesMut::new(),
            due: VecDeque::with_capacity(envelope.recipients.len() + 3),
            verdicts,
            protocol,
            peer: peer.clone(),
            has_deadline: envelope.deliver_by.is_some(),
            framing: Framing::of(envelope.chunk()),
        };
        transaction.write_script(envelope, reset);
        if peer.pipelining {
            out.unsplit(std::mem::take(&mut transaction.script));
            transaction.due.extend(transaction.ahead.drain(..).map(|(step, _)| step));
        } else {
            transaction.next_command(out);
        }
        transaction
    }

    fn write_script(&mut self, envelope: &Envelope<'_>, reset: bool) {
        if reset {
            self.add(Step::Reset, format_args!("RSET\r\n"));
        }
        let utf8 = envelope.asks_for_smtputf8(&self.peer);
        let sender = Written::sender(envelope.reverse_path, utf8);
        let parameters = envelope.parameters(&self.peer);
        self.add(Step::Mail, format_args!("MAIL FROM:{sender}{parameters}\r\n"));
        for (number, recipient) in envelope.recipients.iter().enumerate() {
            if self.is_open(number) {
                let path = Written::recipient(&recipient.path, utf8);
                let parameters = parameters_for(recipient, envelope, utf8, &self.peer);
                self.add(Step::Recipient(number), format_args!("RCPT TO:{path}{parameters}\r\n"));
            }
        }
        if let Framing::Lines(_) = self.framing {
            self.add(Step::Data, format_args!("DATA\r\n"));
        }
    }

    fn add(&mut self, step: Step, command: std::fmt::Arguments<'_>) {
        let before = self.script.len();
        // Writing to a buffer in memory does not fail.
        let _ = std::fmt::Write::write_fmt(&mut self.script, command);
        self.ahead.push_back((step, self.script.len() - before));
    }

    fn next_command(&mut self, out: &mut BytesMut) {
        if let Some((step, length)) = self.ahead.pop_front() {
            out.put(self.script.split_to(length));
            self.due.push_back(step);
        }
    }

    pub(super) fn stage(&self) -> Stage {
        match self.due.front() {
            None => Stage::Idle,
            Some(Step::Reset | Step::Mail) => Stage::Mail,
            Some(Step::Recipient(_)) => Stage::Recipient,
            Some(Step::Data) => Stage::Data,
            Some(Step::Body) => Stage::Body,
            Some(Step::Final | Step::FinalOf(_) | Step::EmptyFinal) => Stage::FinalReply,
        }
    }

    /// Takes the reply to the step that is due.
    pub(super) fn on_reply(&mut self, reply: Reply, out: &mut BytesMut) -> Result<Progress, Broken> {
        let stage = self.stage();
        let reply = reply.to(stage);
        let Some(step) = self.due.pop_front() else { return Err(Broken::OutOfTurn(stage, reply)) };
        match (step, reply.kind()) {
            // The final reply stands whatever else the peer is up to.
            (Step::Final, Kind::Success) => Ok(self.settle(self.delivered(reply))),
            (Step::Final, Kind::Transient | Kind::Permanent) => Ok(self.settle(self.refusal(reply))),
            (Step::FinalOf(number), Kind::Success) => Ok(self.settle_one(number, self.delivered(reply))),
            (Step::EmptyFinal, Kind::Success | Kind::Transient | Kind::Permanent) => {
                Ok(Progress::Done { clean: true })
            }
            // A verdict before the whole text was sent is about the connection, not about the text.
            (Step::Body, Kind::Transient | Kind::Permanent) => Ok(self.hang_up(reply)),
            (_, Kind::Transient) if reply.closes() => Ok(self.hang_up(reply)),
            (Step::FinalOf(number), Kind::Transient | Kind::Permanent) => {
                Ok(self.settle_one(number, self.refusal(reply)))
            }
            (Step::Reset, Kind::Success) => Ok(self.go_on(out)),
            (Step::Mail, Kind::Success) => Ok(self.go_on(out)),
            (Step::Mail, Kind::Transient | Kind::Permanent) => Ok(self.mail_refused(reply)),
            (Step::Recipient(_), Kind::Success) => Ok(self.go_on(out)),
            (Step::Recipient(number), Kind::Transient | Kind::Permanent) => {
                self.recipient_refused(number, reply);
                Ok(self.go_on(out))
            }
            // RFC 2033 section 4.2: the text of nobody would be answered by nothing.
            (Step::Data, Kind::Continue) if self.protocol == Protocol::Lmtp && self.nobody_left() => {
                Err(Broken::OutOfTurn(stage, reply))
            }
            (Step::Data, Kind::Continue) => Ok(self.data_accepted(out)),
            (Step::Data, Kind::Transient | Kind::Permanent) => {
                self.settle(self.refusal(reply));
                Ok(Progress::Done { clean: false })
            }
            (Step::Reset | Step::Final | Step::FinalOf(_) | Step::EmptyFinal | Step::Body, _)
            | (Step::Mail | Step::Recipient(_), Kind::Continue)
            | (Step::Data, Kind::Success) => Err(Broken::OutOfTurn(stage, reply)),
        }
    }

    /// Goes on to the next command, unless it is the text of nobody.
    fn go_on(&mut self, out: &mut BytesMut) -> Progress {
        if !self.due.is_empty() {
            return Progress::More;
        }
        if self.nobody_left() {
            return Progress::Done { clean: false };
        }
        if self.ahead.is_empty() {
            self.framing.announce(out);
            self.due.push_back(Step::Body);
        }
        self.next_command(out);
        Progress::More
    }

    fn mail_refused(&mut self, reply: Reply) -> Progress {
        self.settle(self.refusal(reply));
        if self.due.is_empty() { Progress::Done { clean: false } } else { Progress::More }
    }

    fn recipient_refused(&mut self, number: usize, reply: Reply) {
        // RFC 5321 section 4.5.3.1.10: 552 to RCPT is an old way to say 452, too many recipients.
        let verdict = if reply.code() == 552 { Verdict::Deferred(reply) } else { self.refusal(reply) };
        self.put(number, verdict);
    }

    fn put(&mut self, number: usize, verdict: Verdict) {
        if let Some(open @ None) = self.verdicts.get_mut(number) {
            *open = Some(verdict);
        }
    }

    /// Settles one recipient after the text. The transaction ends with the last.
    fn settle_one(&mut self, number: usize, verdict: Verdict) -> Progress {
        self.put(number, verdict);
        if self.due.is_empty() { Progress::Done { clean: true } } else { Progress::More }
    }

    fn delivered(&self, reply: Reply) -> Verdict {
        Verdict::Delivered(reply, self.protocol.handover(&self.peer, self.has_deadline))
    }

    fn data_accepted(&mut self, out: &mut BytesMut) -> Progress {
        if !self.nobody_left() {
            self.due.push_back(Step::Body);
            return Progress::More;
        }
        // RFC 2920 section 3.1: if DATA is accepted although no recipient was, a lone dot must be sent.
        out.put_slice(b".\r\n");
        self.due.push_back(Step::EmptyFinal);
        Progress::More
    }

    fn hang_up(&mut self, reply: Reply) -> Progress {
        self.settle(Verdict::Deferred(reply));
        Progress::Closed
    }

    /// Settles every recipient that is still open.
    fn settle(&mut self, verdict: Verdict) -> Progress {
        for open in self.verdicts.iter_mut().filter(|settled| settled.is_none()) {
            *open = Some(verdict.clone());
        }
        let closed = matches!(verdict, Verdict::Deferred(reply) if reply.closes());
        if closed { Progress::Closed } else { Progress::Done { clean: true } }
    }

    fn refusal(&self, reply: Reply) -> Verdict {
        Verdict::refusal(reply, &self.peer)
    }

    fn is_open(&self, number: usize) -> bool {
        matches!(self.verdicts.get(number), Some(None))
    }

    fn nobody_left(&self) -> bool {
        self.verdicts.iter().all(Option::is_some)
    }

    /// Whether the text may be written.
    pub(super) fn in_body(&self) -> bool {
        self.due.front() == Some(&Step::Body)
    }

    pub(super) fn write_body(&mut self, text: &[u8], out: &mut BytesMut) {
        self.framing.push(text, out);
    }

    pub(super) fn end_body(&mut self, out: &mut BytesMut) {
        self.framing.finish(out);
        self.due.clear();
        match self.protocol {
            Protocol::Smtp => self.due.push_back(Step::Final),
            Protocol::Lmtp => {
                let taken = self.verdicts.iter().enumerate().filter(|(_, verdict)| verdict.is_none());
                self.due.extend(taken.map(|(number, _)| Step::FinalOf(number)));
            }
        }
    }

    /// The verdicts, with another for those still open.
    pub(super) fn verdicts(self, otherwise: impl Fn() -> Verdict) -> Vec<Verdict> {
        self.verdicts.into_iter().map(|verdict| verdict.unwrap_or_else(&otherwise)).collect()
    }
}
