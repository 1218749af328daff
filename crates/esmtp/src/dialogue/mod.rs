//! The client's side of the protocol: a dialogue with the next host, as a pure value.
//!
//! The driver owns the socket, the clock and the TLS library. It writes what [`Dialogue::output`] holds, reads into a
//! buffer, and calls [`Dialogue::advance`], which says what is next:
//!
//! ```text
//!            ┌────────── 220 ──────────┐      ┌───── start_tls, 220, into_tls ─────┐
//!  Greeting ─┤                         ├─ Hello ─── 250 ─── Ready ─── log_in, 235 ──┤
//!            └─ else: Broken::Refused  ┘ (EHLO, then HELO)    │ ▲                   │
//!                                                        send │ └───── Done ────────┘
//!                                                             ▼
//!                        MAIL ─ RCPT… ─ DATA ─ 354 ─ Body ─ write_body… end_body ─ 250
//!                                  └──── BDAT ────────┘ (of a binary text)
//! ```
//!
//! A host is spoken to in SMTP, or in LMTP (RFC 2033), which begins with LHLO and ends with a 250 for each recipient.
//!
//! The next host is not trusted. Its replies are bounded (`reply_reader`), count only where they are due
//! (`transaction`), and everything that does not fit is [`Broken`]: temporary for the messages, and the end of the connection.

mod protocol;
mod stage;
mod reply;
mod reply_reader;
mod mechanism;
mod capability;
mod credentials;
mod broken;
mod login;
mod envelope;
mod verdict;
mod stuffing;
mod framing;
mod transaction;

pub use broken::Broken;
pub use capability::Capabilities;
pub use credentials::Credentials;
pub use envelope::Envelope;
pub use mechanism::Mechanism;
pub use protocol::Protocol;
pub use reply::{Enhanced, Kind, Reply};
pub use reply_reader::{LINE_LIMIT, LINES_LIMIT, ReplyError};
pub use stage::Stage;
pub use verdict::Verdict;

use bytes::{BufMut, BytesMut};
use login::Login;
use reply_reader::ReplyReader;
use sasl::ScramClientError;
use transaction::{Progress, Transaction};

/// A dialogue with the next host, from its greeting to QUIT.
#[derive(Debug)]
pub struct Dialogue {
    protocol: Protocol,
    hostname: String,
    state: State,
    capabilities: Capabilities,
    replies: ReplyReader,
    output: BytesMut,
    heard: u64,
    /// How we have logged in, or tried to.
    mechanism: Option<Mechanism>,
    /// The last transaction was left open at the peer: RSET comes before the next MAIL.
    reset_first: bool,
}

#[derive(Debug)]
enum State {
    Greeting,
    Hello { extended: bool },
    Ready,
    StartTls,
    Login(Login),
    Transaction(Box<Transaction>),
    Quit,
    Closed,
}

/// What is next.
///
/// Exhaustive: whoever drives a dialogue has to deal with each.
#[derive(Debug, PartialEq, Eq)]
pub enum Advance {
    /// Write the output, then bring more input.
    Input,
    /// A command may be given: `start_tls`, `log_in`, `send` or `quit`.
    Ready,
    /// Do the TLS handshake, then call `into_tls`.
    StartTls,
    /// Write the text: `write_body` as often as needed, then `end_body`.
    Body,
    /// The transaction is over, one verdict for each recipient. The dialogue is ready, or closed.
    Done(Vec<Verdict>),
    /// Nothing more comes: close the connection.
    Closed,
}

impl Dialogue {
    /// A dialogue in SMTP that waits for the greeting, and will introduce us as `hostname` (RFC 5321 section 4.1.1.1).
    pub fn new(hostname: impl Into<String>) -> Dialogue {
        Dialogue::of(Protocol::Smtp, hostname)
    }

    /// A dialogue in SMTP or in LMTP (RFC 2033), which begins with LHLO.
    pub fn of(protocol: Protocol, hostname: impl Into<String>) -> Dialogue {
        Dialogue {
            protocol,
            hostname: hostname.into(),
            state: State::Greeting,
            capabilities: Capabilities::default(),
            replies: ReplyReader::default(),
            output: BytesMut::new(),
            heard: 0,
            mechanism: None,
            reset_first: false,
        }
    }

    /// What the peer has offered.
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// What is waited for, and so for how long.
    pub fn stage(&self) -> Stage {
        match &self.state {
            State::Greeting => Stage::Greeting,
            State::Hello { .. } => Stage::Hello,
            State::Ready | State::Closed => Stage::Idle,
            State::StartTls => Stage::StartTls,
            State::Login(_) => Stage::Login,
            State::Transaction(transaction) => transaction.stage(),
            State::Quit => Stage::Quit,
        }
    }

    /// How many whole replies have come. Each begins another wait: RFC 5321 section 4.5.3.2 counts time for each command, also
    /// for those that left in one flight.
    pub fn heard(&self) -> u64 {
        self.heard
    }

    /// Octets to be written.
    pub fn output(&mut self) -> &mut BytesMut {
        &mut self.output
    }

    /// Whether a command may be given.
    pub fn is_ready(&self) -> bool {
        matches!(self.state, State::Ready)
    }

    /// Reads replies from `input` until something is to be done about them.
    ///
    /// # Errors
    /// After an error the connection is to be closed, and a transaction under way to be [abandoned](Dialogue::abandon).
    pub fn advance(&mut self, input: &mut BytesMut) -> Result<Advance, Broken> {
        loop {
            if matches!(self.state, State::Closed) {
                return Ok(Advance::Closed);
            }
            let stage = self.stage();
            let Some(reply) = self.replies.take(input).map_err(|error| Broken::Malformed(stage, error))?
            else {
                return Ok(self.without_reply(input));
            };
            self.heard += 1;
            if let Some(advance) = self.on_reply(reply, input)? {
                return Ok(advance);
            }
        }
    }

    fn without_reply(&self, input: &BytesMut) -> Advance {
        // Half a reply that is not due yet: the rest has to be seen before anything more is said.
        if !input.is_empty() || !self.replies.is_between() {
            return Advance::Input;
        }
        match &self.state {
            State::Ready => Advance::Ready,
            State::Transaction(transaction) if transaction.in_body() => Advance::Body,
            State::Closed => Advance::Closed,
            State::Greeting
            | State::Hello { .. }
            | State::StartTls
            | State::Login(_)
            | State::Transaction(_)
            | State::Quit => Advance::Input,
        }
    }

    fn on_reply(&mut self, reply: Reply, input: &BytesMut) -> Result<Option<Advance>, Broken> {
        match std::mem::replace(&mut self.state, State::Closed) {
            State::Greeting => self.on_greeting(reply),
            State::Hello { extended } => self.on_hello(reply, extended),
            State::Ready => Err(unasked(reply)),
            State::StartTls => on_start_tls(reply, input).map(Some),
            State::Login(login) => self.on_login(reply, login),
            State::Transaction(transaction) => self.on_transaction(reply, transaction),
            State::Quit | State::Closed => Ok(Some(Advance::Closed)),
        }
    }

    fn on_greeting(&mut self, reply: Reply) -> Result<Option<Advance>, Broken> {
        // RFC 5321 section 3.1: 220, or 554 for a host that takes no mail. For a fixed host that is a passing state.
        if reply.code() != 220 {
            return Err(Broken::Refused(Stage::Greeting, reply));
        }
        self.hello(true);
        Ok(None)
    }

    fn hello(&mut self, extended: bool) {
        self.output.put_slice(self.protocol.hello(extended));
        self.output.put_slice(self.hostname.as_bytes());
        self.output.put_slice(b"\r\n");
        self.state = State::Hello { extended };
    }

    fn on_hello(&mut self, reply: Reply, extended: bool) -> Result<Option<Advance>, Broken> {
        match (reply.kind(), extended) {
            (Kind::Success, true) => self.capabilities = self.protocol.offered(&reply),
            (Kind::Success, false) => self.capabilities = Capabilities::default(),
            // RFC 5321 section 3.2: a host that does not know EHLO is asked again with HELO.
            (Kind::Permanent, true) if self.protocol == Protocol::Smtp => {
                self.hello(false);
                return Ok(None);
            }
            (Kind::Continue, _) => return Err(Broken::OutOfTurn(Stage::Hello, reply)),
            (Kind::Transient | Kind::Permanent, _) => return Err(Broken::Refused(Stage::Hello, reply)),
        }
        self.state = State::Ready;
        Ok(None)
    }

    /// Asks for TLS (RFC 3207). The dialogue must be ready.
    pub fn start_tls(&mut self) {
        self.output.put_slice(b"STARTTLS\r\n");
        self.state = State::StartTls;
    }

    /// Begins anew inside TLS: what the peer said before may have been somebody else's words (RFC 3207 section 4.2).
    #[must_use]
    pub fn into_tls(self) -> Dialogue {
        let mut dialogue = Dialogue::of(self.protocol, self.hostname);
        dialogue.hello(true);
        dialogue
    }

    /// Logs in by the best mechanism that both sides speak. The dialogue must be ready.
    ///
    /// # Errors
    /// [`Broken::NoMechanism`] if there is none.
    pub fn log_in(&mut self, credentials: &Credentials) -> Result<(), Broken> {
        self.mechanism = credentials.choose(&self.capabilities);
        let login =
            self.mechanism.and_then(|mechanism| Login::start(mechanism, credentials, &mut self.output));
        self.state = State::Login(login.ok_or(Broken::NoMechanism)?);
        Ok(())
    }

    /// How we have logged in, or tried to.
    pub fn mechanism(&self) -> Option<Mechanism> {
        self.mechanism
    }

    fn on_login(&mut self, reply: Reply, login: Login) -> Result<Option<Advance>, Broken> {
        self.state = match reply.code() {
            235 if login.may_end() => State::Ready,
            235 => return Err(Broken::NotMutual(ScramClientError::NotProved)),
            334 => match login.respond(&reply, &mut self.output)? {
                Some(login) => State::Login(login),
                None => return Err(Broken::OutOfTurn(Stage::Login, reply)),
            },
            _ if matches!(reply.kind(), Kind::Transient | Kind::Permanent) => {
                return Err(Broken::LoginRefused(reply));
            }
            _ => return Err(Broken::OutOfTurn(Stage::Login, reply)),
        };
        Ok(None)
    }

    /// Begins a transaction for those recipients whom the peer can be asked to take the message for. The dialogue must be ready.
    /// If there are none, the verdicts come at once.
    pub fn send(&mut self, envelope: &Envelope<'_>) -> Option<Vec<Verdict>> {
        let verdicts = envelope.verdicts(self.protocol, &self.capabilities);
        if verdicts.iter().all(Option::is_some) {
            return Some(verdicts.into_iter().flatten().collect());
        }
        let reset = std::mem::replace(&mut self.reset_first, true);
        let peer = (self.protocol, &self.capabilities);
        let transaction = Transaction::start(envelope, verdicts, peer, reset, &mut self.output);
        self.state = State::Transaction(Box::new(transaction));
        None
    }

    fn on_transaction(
        &mut self,
        reply: Reply,
        mut transaction: Box<Transaction>,
    ) -> Result<Option<Advance>, Broken> {
        let (state, advance) = match transaction.on_reply(reply, &mut self.output) {
            Ok(Progress::More) => (State::Transaction(transaction), None),
            Ok(Progress::Done { clean }) => {
                self.reset_first = !clean;
                (State::Ready, Some(Advance::Done(transaction.verdicts(unsettled))))
            }
            Ok(Progress::Closed) => (State::Closed, Some(Advance::Done(transaction.verdicts(unsettled)))),
            Err(broken) => {
                self.state = State::Transaction(transaction);
                return Err(broken);
            }
        };
        self.state = state;
        Ok(advance)
    }

    /// Adds to the text of the message, which is put on the wire CRLF-clean and dot-stuffed; octet for octet, if it is binary.
    pub fn write_body(&mut self, text: &[u8]) {
        if let State::Transaction(transaction) = &mut self.state {
            transaction.write_body(text, &mut self.output);
        }
    }

    /// Ends the text. A text that could not be read to its end must not be ended: drop the connection instead.
    pub fn end_body(&mut self) {
        if let State::Transaction(transaction) = &mut self.state {
            transaction.end_body(&mut self.output);
        }
    }

    /// Ends a transaction that cannot go on: recipients without a verdict get this one.
    pub fn abandon(&mut self, verdict: &Verdict) -> Vec<Verdict> {
        let State::Transaction(transaction) = std::mem::replace(&mut self.state, State::Closed) else {
            return Vec::new();
        };
        transaction.verdicts(|| verdict.clone())
    }

    /// Says QUIT.
    pub fn quit(&mut self) {
        self.output.put_slice(b"QUIT\r\n");
        self.state = State::Quit;
    }
}

fn on_start_tls(reply: Reply, input: &BytesMut) -> Result<Advance, Broken> {
    match reply.kind() {
        Kind::Success if !input.is_empty() => Err(Broken::Plaintext),
        Kind::Success => Ok(Advance::StartTls),
        Kind::Continue => Err(Broken::OutOfTurn(Stage::StartTls, reply)),
        Kind::Transient | Kind::Permanent => Err(Broken::Refused(Stage::StartTls, reply)),
    }
}

/// A reply to no command: a farewell (RFC 5321 section 3.8), or nonsense.
fn unasked(reply: Reply) -> Broken {
    if reply.closes() { Broken::Refused(Stage::Idle, reply) } else { Broken::OutOfTurn(Stage::Idle, reply) }
}

/// For a recipient whom a finished transaction has no verdict on, which does not happen.
fn unsettled() -> Verdict {
    let reason = "the next host did not say what became of this recipient";
    Verdict::Deferred(Reply::ours(451, Enhanced(4, 5, 0), reason))
}

#[cfg(test)]
mod tests;
