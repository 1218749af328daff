//! Plays a client's input to a session, and writes down what comes of it.

use std::sync::Arc;

use bytes::BytesMut;
use esmtp::{
    Advance, Channel, Durable, Envelope, Introduction, Question, Rejection, SenderAllowed, Settings, Xclient,
};
use sasl::{Authenticated, Mechanism, Nonces, Verdict};
use types::{BareLineEnds, Priority, QueueId, Secret, TlsFacts, UtcTime};

/// What happened, in its order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    /// The session said this reply, of one line or more.
    Said(Reply),
    /// A question was asked, and answered with yes or no.
    Asked(Asked, bool),
    /// The message that was committed.
    Kept(Envelope, Vec<u8>),
    /// The client is logged in.
    LoggedIn,
    /// A handshake begins.
    StartTls,
    /// The session is over.
    Closed,
}

/// What a question is about, as far as the model has to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    Salt,
    Login,
    Client,
    Sender,
    Recipient,
    Commit,
}

/// A reply as it stands on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) code: u16,
    pub(crate) text: String,
}

/// Where a client waits for all replies before it sends more. The octet itself is not sent.
pub(crate) const WAIT: u8 = 0x1e;

/// How a session is set up, and what the world outside answers: two octets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Circumstances {
    flags: u8,
    /// 0: yes to everything; else about one answer in six is no.
    seed: u8,
}

impl Circumstances {
    pub(crate) const fn new(flags: u8, seed: u8) -> Self {
        Self { flags, seed }
    }

    fn has(self, bit: u8) -> bool {
        self.flags & (1 << bit) != 0
    }

    pub(crate) fn under_tls(self) -> bool {
        self.has(0)
    }

    pub(crate) fn allows_insecure(self) -> bool {
        self.has(1)
    }

    pub(crate) fn login_is_optional(self) -> bool {
        self.has(2)
    }

    pub(crate) fn repairs(self) -> bool {
        self.has(3)
    }

    pub(crate) fn takes_xclient(self) -> bool {
        self.has(4)
    }

    fn settings(self) -> Settings {
        let few = self.has(5);
        let mut settings = Settings::new("mail.example.org");
        settings.allow_insecure = self.allows_insecure();
        settings.mechanisms = Mechanism::ALL.to_vec();
        settings.message_size = if few { 300 } else { 100_000 };
        settings.recipients = if few { 2 } else { 100 };
        settings.messages_per_connection = if few { 2 } else { 1000 };
        settings.bare_line_ends = if self.repairs() { BareLineEnds::Repair } else { BareLineEnds::Refuse };
        settings.long_lines = self.has(6);
        settings.starttls = !self.has(7);
        settings.dsn = true;
        (settings.max_hold, settings.min_deliver_by) = (Some(3600), Some(60));
        settings.max_priority = Some(Priority::URGENT);
        settings.require_tls = true;
        settings
    }

    fn channel(self, tls: bool) -> Channel {
        let exporter = Some(Secret::new([7; 32])).filter(|_| tls);
        let mut channel = Channel::in_clear(Nonces::new([self.seed; 32]));
        channel.tls = tls.then_some(TlsFacts::new("TLSv1.3", "test"));
        channel.bindings.exporter = exporter;
        channel.client_certificate = tls;
        channel.login_is_optional = self.login_is_optional();
        channel.now = Some(UtcTime::from_unix(1_790_000_000));
        channel.xclient = if self.takes_xclient() { Xclient::WithLogin } else { Xclient::Refused };
        channel
    }

    /// A number for each question, the same however the input was cut.
    fn draw(self, number: u64) -> u64 {
        let mixed = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(self.seed) << 32;
        (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 32
    }
}

/// A message is its octets, and a user is known by nothing.
type Session = esmtp::Session<(), Vec<u8>>;

/// A session and what came of it so far.
#[derive(Debug)]
pub(crate) struct Play {
    circumstances: Circumstances,
    session: Option<Session>,
    pub(crate) events: Vec<Event>,
    pub(crate) introductions: Vec<Introduction>,
    logged_in: bool,
    input: BytesMut,
    questions: u64,
}

impl Play {
    /// A session that has greeted.
    pub(crate) fn begin(circumstances: Circumstances) -> Self {
        let channel = circumstances.channel(circumstances.under_tls());
        let mut session = Session::new(Arc::new(circumstances.settings()), channel);
        session.greet(&BytesMut::new());
        Self {
            circumstances,
            session: Some(session),
            events: Vec::new(),
            introductions: Vec::new(),
            logged_in: false,
            input: BytesMut::new(),
            questions: 0,
        }
    }

    /// Plays all of a client's input, which waits for replies where it has a [`WAIT`], and is cut elsewhere.
    pub(crate) fn whole(circumstances: Circumstances, dialogue: &[u8], step: usize) -> Vec<Event> {
        let mut play = Self::begin(circumstances);
        for flight in dialogue.split(|octet| *octet == WAIT) {
            play.send(flight, step);
        }
        play.events
    }

    /// Sends a flight of commands in pieces, and waits for all replies.
    pub(crate) fn send(&mut self, flight: &[u8], step: usize) {
        for piece in super::pieces::within_lines(flight, step) {
            if !self.is_over() {
                self.input.extend_from_slice(piece);
                self.drive();
            }
        }
        self.drive();
    }

    pub(crate) fn is_over(&self) -> bool {
        self.session.is_none()
    }

    fn drive(&mut self) {
        while let Some(mut session) = self.session.take() {
            match session.advance(&mut self.input) {
                Advance::Input(_) => {
                    self.listen(&mut session);
                    return self.session = Some(session);
                }
                Advance::Keep(mut kept) => {
                    let octets = kept.take_octets();
                    kept.message().extend_from_slice(&octets);
                    kept.done();
                }
                Advance::Ask(mut question) => {
                    self.take_down(question.output());
                    self.answer(question);
                }
                Advance::StartTls(mut handshake) => {
                    assert!(self.input.is_empty(), "a handshake behind plaintext");
                    self.take_down(handshake.output());
                    self.events.push(Event::StartTls);
                    self.logged_in = false;
                    handshake.into_tls(self.circumstances.channel(true));
                }
                Advance::Close => {
                    self.listen(&mut session);
                    return self.events.push(Event::Closed);
                }
            }
            self.listen(&mut session);
            self.session = Some(session);
        }
    }

    /// Takes down what the session says, and whether somebody has logged in.
    fn listen(&mut self, session: &mut Session) {
        self.take_down(session.output());
        let logged_in = session.client().user().is_some();
        if logged_in && !self.logged_in {
            self.events.push(Event::LoggedIn);
        }
        self.logged_in = logged_in;
    }

    fn take_down(&mut self, output: &mut BytesMut) {
        let said = output.split();
        let said = std::str::from_utf8(&said).expect("replies are text");
        let mut text = String::new();
        for line in said.split_inclusive("\r\n") {
            let line = line.strip_suffix("\r\n").expect("a reply ends with CRLF");
            assert!(!line.contains(char::is_control), "a reply with a control character: {line:?}");
            assert!(line.len() + 2 <= 512 || line.starts_with("334"), "RFC 5321 section 4.5.3.1.5: {line}");
            text.push_str(&line[4..]);
            if line.as_bytes()[3] == b'-' {
                text.push('\n');
                continue;
            }
            assert_eq!(line.as_bytes()[3], b' ', "{line}");
            let code = line[..3].parse().expect("a reply begins with its code");
            self.events.push(Event::Said(Reply { code, text: std::mem::take(&mut text) }));
        }
        assert!(text.is_empty(), "a reply without an end");
    }

    /// Answers, and writes down what was asked.
    fn answer(&mut self, question: Question<'_, (), Vec<u8>>) {
        let number = self.circumstances.draw(self.questions);
        self.questions += 1;
        let yes = self.circumstances.seed == 0 || !number.is_multiple_of(6);
        let unless = |rejection: Rejection| if yes { Ok(()) } else { Err(rejection) };
        let asked = match question {
            Question::Salt(ticket) => {
                ticket.answer(None);
                Asked::Salt
            }
            Question::Judge(ticket) => {
                ticket.into_claim().1.answer(verdict(yes, number));
                Asked::Login
            }
            Question::Client(ticket) => {
                self.introductions.push(ticket.introduction().clone());
                ticket.answer(Ok(()));
                return self.events.push(Event::Asked(Asked::Client, true));
            }
            Question::Vouch(ticket) => {
                ticket.answer(verdict(yes, number));
                Asked::Login
            }
            Question::Sender(ticket) => {
                let rejection = Rejection::SenderNotOwned(ticket.envelope().reverse_path.clone());
                ticket.answer(unless(rejection).map(|()| SenderAllowed::after_check()));
                Asked::Sender
            }
            Question::Recipient(ticket) => {
                ticket.answer(unless(Rejection::RelayDenied));
                Asked::Recipient
            }
            // What keeps a text is no decision.
            Question::Open(ticket) => return ticket.answer(Vec::new()),
            Question::Commit(ticket) => {
                let (text, envelope, ticket) = ticket.into_message();
                if yes {
                    self.events.push(Event::Kept(envelope, text));
                }
                ticket.answer(unless(Rejection::StorageFailing).map(|()| durable(number)));
                Asked::Commit
            }
        };
        self.events.push(Event::Asked(asked, yes));
    }
}

fn durable(number: u64) -> Durable {
    Durable::after_sync(QueueId::new(number, [0; 10]))
}

fn verdict(yes: bool, number: u64) -> Verdict<()> {
    match number / 6 % 4 {
        _ if yes => Verdict::Accepted(Authenticated::new("a".to_owned(), ())),
        0 => Verdict::refused(),
        1 => Verdict::NeedsAppPassword,
        2 => Verdict::Throttled { retry_after: std::time::Duration::from_secs(60) },
        _ => Verdict::Unavailable,
    }
}
