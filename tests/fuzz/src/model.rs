//! A model of a submission server (RFC 5321, 3207, 4954, 3030, 6409): of each command it knows which replies are possible where
//! the dialogue stands, what of the dialogue must be in the queue, and nothing of how the server does it.
//!
//! It takes the client's input apart itself, and walks through what happened beside it. A command's meaning it has from
//! [`Command::parse`], which has a property of its own.

use esmtp::limits::{AUTH_LINE, COMMAND_LINE};
use esmtp::{Anytime, Command, MailParameters, Ordered, SyntaxError};
use types::{BodyType, EnvelopeRecipient, ReversePath};

use crate::pieces::{clean, is_clean, unstuffed};
use crate::play::{Asked, Circumstances, Event, Reply};

/// Where the dialogue stands.
#[derive(Debug)]
struct Model<'a> {
    circumstances: Circumstances,
    /// What the client has sent and the model has not looked at.
    input: &'a [u8],
    /// What happened and the model has not looked at.
    events: &'a [Event],
    tls: bool,
    greeted: bool,
    logged_in: bool,
    login_is_optional: bool,
    in_exchange: bool,
    transaction: Option<Transaction>,
}

#[derive(Debug)]
struct Transaction {
    sender: ReversePath,
    parameters: MailParameters,
    recipients: Vec<EnvelopeRecipient>,
    /// What came in chunks, once one has.
    chunks: Option<Vec<u8>>,
}

/// What the model finds next in the client's input.
enum Line<'a> {
    Whole(&'a [u8]),
    /// Too long, or with a CR or LF of its own.
    Refused,
    /// More must come.
    Unfinished,
}

/// What became of one command.
struct Outcome<'a> {
    asked: Vec<(Asked, bool)>,
    kept: Option<(&'a esmtp::Envelope, &'a [u8])>,
    reply: &'a Reply,
    /// The code of the reply that closed the connection, if one did.
    closed_by: Option<u16>,
}

/// Panics if that can't have happened when a client sent this.
pub(crate) fn explains(circumstances: Circumstances, input: &[u8], events: &[Event]) {
    let mut model = Model {
        circumstances,
        input,
        events,
        tls: circumstances.under_tls(),
        greeted: false,
        logged_in: false,
        login_is_optional: circumstances.login_is_optional(),
        in_exchange: false,
        transaction: None,
    };
    let greeting = model.outcome();
    assert_eq!(greeting.reply.code, 220);
    while model.step() {}
    assert!(model.events.is_empty(), "nobody has asked for {:?}", model.events);
}

impl<'a> Model<'a> {
    /// Walks past the next line of the client and what it led to; `false` at the end.
    fn step(&mut self) -> bool {
        let is_auth = self.input.get(..4).is_some_and(|verb| verb.eq_ignore_ascii_case(b"AUTH"))
            && matches!(self.input.get(4), Some(b' ' | b'\t'));
        let limit = if self.in_exchange || is_auth { AUTH_LINE } else { COMMAND_LINE };
        match self.take_line(limit) {
            Line::Unfinished => false,
            Line::Refused => {
                self.in_exchange = false;
                self.finish(&[500, 421], &[])
            }
            Line::Whole(_) if self.in_exchange => self.exchange(),
            Line::Whole(line) => self.command(line),
        }
    }

    /// RFC 5321 sections 2.3.8 and 4.5.3.1.4: only CRLF ends a line, and a line has a limit.
    fn take_line(&mut self, limit: usize) -> Line<'a> {
        let special = self.input.iter().position(|octet| matches!(octet, b'\r' | b'\n'));
        let at = special.unwrap_or(self.input.len());
        let skipped = match (self.input.get(at), self.input.get(at + 1)) {
            (Some(b'\r'), Some(b'\n')) if at + 2 <= limit => {
                let line = &self.input[..at];
                self.input = &self.input[at + 2..];
                return Line::Whole(line);
            }
            (Some(b'\r'), None) if at + 1 < limit => return Line::Unfinished,
            (Some(_), _) if at >= limit => limit,
            (Some(b'\r'), _) if at + 1 >= limit => at,
            (Some(_), _) => at + 1,
            (None, _) if at < limit => return Line::Unfinished,
            (None, _) => limit,
        };
        let rest = &self.input[skipped..];
        let end = rest.windows(2).position(|pair| pair == b"\r\n");
        self.input = end.map_or(&[], |end| &rest[end + 2..]);
        Line::Refused
    }

    fn command(&mut self, line: &[u8]) -> bool {
        match Command::parse(line) {
            Err(SyntaxError::UnknownCommand) => self.finish(&[500, 502], &[]),
            Err(SyntaxError::Foreign) => self.finish(&[500, 502], &[]),
            Err(SyntaxError::UnknownParameter) => self.finish(&[555], &[]),
            Err(_) => self.finish(&[501], &[]),
            Ok(Command::Anytime(command)) => self.anytime(&command),
            Ok(Command::Ordered(command)) => self.ordered(command),
        }
    }

    fn anytime(&mut self, command: &Anytime) -> bool {
        match command {
            Anytime::Ehlo(_) | Anytime::Helo(_) => {
                self.transaction = None;
                let goes_on = self.finish(&[250], &[]);
                self.greeted = true;
                goes_on
            }
            Anytime::Rset => {
                self.transaction = None;
                self.finish(&[250], &[])
            }
            Anytime::Noop => self.finish(&[250], &[]),
            Anytime::Help => self.finish(&[214], &[]),
            Anytime::Vrfy => self.finish(&[252], &[]),
            Anytime::Expn => self.finish(&[502], &[]),
            Anytime::Quit => self.finish(&[221], &[]),
        }
    }

    fn ordered(&mut self, command: Ordered) -> bool {
        match command {
            Ordered::StartTls => self.start_tls(),
            Ordered::Auth { .. } => self.auth(),
            Ordered::Xclient(_) => self.xclient(),
            Ordered::Mail(sender, parameters) => self.mail(sender, parameters),
            Ordered::Rcpt { recipient, .. } => self.rcpt(recipient),
            Ordered::Data => self.data(),
            Ordered::Bdat { size, last } => self.bdat(size, last),
        }
    }

    /// RFC 3207 section 4: nothing from before TLS matters after it.
    fn start_tls(&mut self) -> bool {
        let possible: &[u16] = if self.tls || self.transaction.is_some() { &[503] } else { &[220, 502, 554] };
        let Some(outcome) = self.possible(possible, &[]) else { return false };
        if outcome.reply.code == 220 {
            assert_eq!(self.events.split_off_first(), Some(&Event::StartTls));
            (self.tls, self.greeted, self.logged_in, self.transaction) = (true, false, false, None);
            self.login_is_optional = self.circumstances.login_is_optional();
        }
        true
    }

    /// RFC 4954 sections 3 and 4, RFC 8314 section 3.
    fn auth(&mut self) -> bool {
        let in_clear = !self.tls && !self.circumstances.allows_insecure();
        if in_clear || !self.greeted || self.logged_in || self.transaction.is_some() {
            return self.finish(&[503, 530, 538], &[]);
        }
        self.exchange()
    }

    fn exchange(&mut self) -> bool {
        let possible = [235, 334, 454, 500, 501, 504, 534, 535, 554];
        let Some(outcome) = self.possible(&possible, &[Asked::Salt, Asked::Login]) else { return false };
        self.in_exchange = outcome.reply.code == 334;
        if outcome.reply.code == 235 {
            assert!(outcome.asked.contains(&(Asked::Login, true)), "235 without a judge");
            assert_eq!(self.events.split_off_first(), Some(&Event::LoggedIn));
            self.logged_in = true;
        }
        true
    }

    fn xclient(&mut self) -> bool {
        let possible: &[u16] =
            if self.circumstances.takes_xclient() { &[220, 454, 501, 503, 550, 554] } else { &[550] };
        let Some(outcome) = self.possible(possible, &[Asked::Client, Asked::Login]) else { return false };
        if !outcome.asked.is_empty() {
            assert!(self.transaction.is_none());
            (self.greeted, self.logged_in, self.login_is_optional) = (false, false, false);
        }
        if self.events.first() == Some(&Event::LoggedIn) {
            let asked = vec![(Asked::Client, true), (Asked::Login, true)];
            assert_eq!((outcome.reply.code, outcome.asked), (220, asked));
            self.events.split_off_first();
            self.logged_in = true;
        }
        true
    }

    /// RFC 6409 section 4.3.
    fn may_send(&self) -> bool {
        self.logged_in || self.login_is_optional
    }

    fn mail(&mut self, sender: ReversePath, parameters: MailParameters) -> bool {
        if !self.may_send() {
            return self.finish(&[503, 530], &[]);
        }
        if !self.greeted || self.transaction.is_some() {
            return self.finish(&[503], &[]);
        }
        let Some(outcome) = self.possible(&[250, 552, 553], &[Asked::Sender]) else { return false };
        if outcome.reply.code == 250 {
            assert_eq!(outcome.asked, [(Asked::Sender, true)]);
            self.transaction = Some(Transaction { sender, parameters, recipients: Vec::new(), chunks: None });
        }
        true
    }

    fn rcpt(&mut self, recipient: EnvelopeRecipient) -> bool {
        if !self.may_send() {
            return self.finish(&[503, 530], &[]);
        }
        if self.transaction.as_ref().is_none_or(|transaction| transaction.chunks.is_some()) {
            return self.finish(&[503], &[]);
        }
        let Some(outcome) = self.possible(&[250, 452, 550, 553], &[Asked::Recipient]) else { return false };
        if outcome.reply.code == 250 {
            assert_eq!(outcome.asked, [(Asked::Recipient, true)]);
            let transaction = self.transaction.as_mut().expect("looked at above");
            // RFC 3461 says nothing of a recipient that is named twice: what was asked first stands.
            if transaction.recipients.iter().all(|known| known.path != recipient.path) {
                transaction.recipients.push(recipient);
            }
        }
        true
    }

    /// RFC 5321 section 4.1.1.4; RFC 3030 section 2 for chunks that came before.
    fn data(&mut self) -> bool {
        match &self.transaction {
            _ if !self.may_send() => self.finish(&[503, 530], &[]),
            None => self.finish(&[503], &[]),
            Some(transaction) if transaction.chunks.is_some() => self.finish(&[503], &[]),
            Some(transaction) if transaction.recipients.is_empty() => self.finish(&[503, 554], &[]),
            Some(_) => {
                let Some(outcome) = self.possible(&[354, 554], &[]) else { return false };
                outcome.reply.code != 354 || self.text()
            }
        }
    }

    /// Only CRLF.CRLF ends it, of which DATA's own CRLF may be the first (RFC 5321 section 4.1.1.4).
    fn text(&mut self) -> bool {
        let end = match self.input.starts_with(b".\r\n") {
            true => Some(0),
            false => self.input.windows(5).position(|five| five == b"\r\n.\r\n").map(|at| at + 2),
        };
        let Some(end) = end else { return self.only_a_flood() };
        let (text, rest) = (&self.input[..end], &self.input[end + 3..]);
        self.input = rest;
        self.end_of_message(&unstuffed(text))
    }

    fn bdat(&mut self, size: u64, last: bool) -> bool {
        let wanted = usize::try_from(size).ok().filter(|size| *size <= self.input.len());
        let Some(wanted) = wanted else { return self.only_a_flood() };
        let (chunk, rest) = self.input.split_at(wanted);
        let refused: &[u16] = match &self.transaction {
            _ if !self.may_send() => &[503, 530],
            None => &[503],
            Some(transaction) if transaction.recipients.is_empty() => &[503, 554],
            Some(_) => &[],
        };
        self.input = rest;
        if !refused.is_empty() {
            return self.finish(refused, &[]);
        }
        let transaction = self.transaction.as_mut().expect("looked at above");
        transaction.chunks.get_or_insert_default().extend_from_slice(chunk);
        if last {
            let text = transaction.chunks.take().unwrap_or_default();
            return self.end_of_message(&text);
        }
        let Some(outcome) = self.possible(&[250, 521, 552, 554], &[]) else { return false };
        if outcome.reply.code != 250 {
            self.transaction = None;
        }
        true
    }

    /// 250 is for what is on stable storage, and nothing else; and that is what the dialogue says.
    fn end_of_message(&mut self, text: &[u8]) -> bool {
        let transaction = self.transaction.take().expect("a message has a transaction");
        let Some(outcome) = self.possible(&[250, 451, 452, 521, 552, 554], &[Asked::Commit]) else {
            return false;
        };
        let durable = outcome.asked == [(Asked::Commit, true)];
        assert_eq!(
            (outcome.reply.code == 250, outcome.kept.is_some()),
            (durable, durable),
            "{}",
            outcome.reply.text
        );
        if let Some((envelope, kept)) = outcome.kept {
            let body = if kept.is_ascii() { BodyType::SevenBit } else { BodyType::EightBit };
            assert_eq!(envelope.reverse_path, transaction.sender);
            assert_eq!(envelope.recipients, transaction.recipients);
            let said = transaction.parameters;
            assert_eq!((envelope.smtputf8, envelope.body), (said.smtputf8, body));
            assert_eq!((envelope.ret, &envelope.envid), (said.ret, &said.envid));
            self.is_kept(text, kept);
        }
        true
    }

    fn is_kept(&self, text: &[u8], kept: &[u8]) {
        assert!(is_clean(kept), "a bare CR or LF was kept");
        if is_clean(text) {
            let ended = if text.is_empty() || text.ends_with(b"\r\n") { text.to_vec() } else { clean(text) };
            assert!(
                kept == ended || text.is_empty() && kept == b"\r\n",
                "{:?}",
                kept.escape_ascii().to_string()
            );
        } else {
            assert!(self.circumstances.repairs(), "a text with a bare CR or LF was kept");
            let rest =
                |text: &[u8]| text.iter().copied().filter(|o| !b"\r\n".contains(o)).collect::<Vec<_>>();
            assert_eq!(rest(kept), rest(text));
        }
    }

    /// The text or the chunk has not ended: there is no reply yet, unless so much was announced or came that nobody waits.
    fn only_a_flood(&mut self) -> bool {
        if !self.events.is_empty() {
            assert!(self.outcome().closed_by.is_some());
        }
        false
    }

    /// The reply must be one of these, and no other question be asked. Whether the dialogue goes on.
    fn finish(&mut self, codes: &[u16], asks: &[Asked]) -> bool {
        self.possible(codes, asks).is_some()
    }

    /// What became of the command; nothing if the session is over. 421 is possible everywhere (RFC 5321 section 3.8).
    fn possible(&mut self, codes: &[u16], asks: &[Asked]) -> Option<Outcome<'a>> {
        let outcome = self.outcome();
        let Reply { code, text } = outcome.reply;
        assert!(codes.contains(code) || *code == 421, "{code} {text} where only {codes:?} can be: {self:?}");
        assert!(outcome.asked.iter().all(|(asked, _)| asks.contains(asked)), "{:?} was asked", outcome.asked);
        has_its_class(outcome.reply);
        assert_eq!(outcome.kept.is_some(), outcome.asked.contains(&(Asked::Commit, true)));
        match outcome.closed_by {
            Some(code) => {
                assert!(matches!(code, 221 | 421 | 501..=503 | 521 | 530 | 550 | 552 | 554), "{code}")
            }
            None => assert!(!matches!(code, 221 | 421 | 521), "{code} and the connection stays open"),
        }
        outcome.closed_by.is_none().then_some(outcome)
    }

    /// The next reply and what came before it. One error too many has a 421 right behind it.
    fn outcome(&mut self) -> Outcome<'a> {
        let (mut asked, mut kept) = (Vec::new(), None);
        let reply = loop {
            match self.events.split_off_first() {
                Some(Event::Asked(what, yes)) => asked.push((*what, *yes)),
                Some(Event::Kept(envelope, text)) => kept = Some((envelope, text.as_slice())),
                Some(Event::Said(reply)) => break reply,
                other => panic!("no reply, but {other:?}: {self:?}"),
            }
        };
        let closed_by = match self.events {
            [Event::Closed] => Some(reply.code),
            [Event::Said(last), Event::Closed] if reply.code >= 400 && last.code == 421 => Some(last.code),
            _ => None,
        };
        if closed_by.is_some() {
            self.events = &[];
        }
        Outcome { asked, kept, reply, closed_by }
    }
}

/// RFC 3463 section 3.1: the enhanced code is of the class of the reply.
fn has_its_class(reply: &Reply) {
    let word = reply.text.split(' ').next().unwrap_or_default();
    let is_enhanced = word.split('.').count() == 3 && word.bytes().all(|o| o == b'.' || o.is_ascii_digit());
    let class = (reply.code / 100).to_string();
    assert!(!is_enhanced || word.starts_with(&class), "{} {}", reply.code, reply.text);
}
