//! A [`Wire`] to the pure session: no socket, no clock; the questions are answered from the dialogue's set-up.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::BytesMut;
use esmtp::{Advance, Channel, Durable, Envelope, Question, Rejection, SenderAllowed, Settings, Xclient};
use sasl::{Authenticated, Mechanism, Nonces, Verdict};
use types::{BareLineEnds, Mailbox, Priority, QueueId, ReversePath, SenderPattern, TlsFacts, UtcTime};

use crate::dialogue::{Dialogue, Listener, Setup};
use crate::judge::{Judge, bindings, same_mailbox, scram_parameters};
use crate::play::{Accepted, Wire, play};

/// Above this many octets not every place to cut is tried, but as many, evenly spread.
const CUTS: usize = 2_000;

/// Plays the dialogue with every write whole, then octet by octet, then cut in two at every place: the server's lines have to be the same.
pub fn rehearse(dialogue: &Dialogue) -> Result<(), String> {
    let mut whole = PureWire::whole(&dialogue.setup);
    let said = play(dialogue, &mut whole)?;
    if dialogue.setup.uncut {
        return Ok(());
    }
    let places = whole.written;
    let cuts = (1..places).step_by(places.div_ceil(CUTS).max(1)).map(Cut::At);
    for cut in std::iter::once(Cut::Everywhere).chain(cuts) {
        let again = play(dialogue, &mut PureWire::new(&dialogue.setup, cut))
            .map_err(|problem| format!("{problem}\n  cut {cut:?}"))?;
        if again != said {
            return Err(format!(
                "{}: cut {cut:?}, the server said {again:#?}, and uncut {said:#?}",
                dialogue.name
            ));
        }
    }
    Ok(())
}

/// Where the octets the client writes come in two pieces.
#[derive(Debug, Clone, Copy)]
enum Cut {
    Nowhere,
    Everywhere,
    /// Before this octet, counted over all the client writes.
    At(usize),
}

/// A user is known by the address, a message by its octets.
type Session = esmtp::Session<String, Vec<u8>>;

/// The wire, and the server at its other end.
pub struct PureWire {
    session: Session,
    server: Server,
    cut: Cut,
    input: BytesMut,
    written: usize,
    greeted: bool,
    upgrading: bool,
    closed: bool,
    said: String,
    lines: VecDeque<String>,
}

/// What answers the session's questions.
struct Server {
    setup: Setup,
    judge: Judge,
    accepted: Vec<Accepted>,
}

impl PureWire {
    /// A wire over which every write arrives whole.
    pub fn whole(setup: &Setup) -> PureWire {
        PureWire::new(setup, Cut::Nowhere)
    }

    fn new(setup: &Setup, cut: Cut) -> PureWire {
        let tls = (setup.listener == Listener::Submissions).then_some(FACTS);
        PureWire {
            session: Session::new(Arc::new(settings(setup)), channel(setup, tls)),
            server: Server { setup: setup.clone(), judge: Judge::of(setup), accepted: Vec::new() },
            cut,
            input: BytesMut::new(),
            written: 0,
            greeted: false,
            upgrading: false,
            closed: false,
            said: String::new(),
            lines: VecDeque::new(),
        }
    }

    fn greet(&mut self) {
        if !self.greeted {
            self.greeted = true;
            self.session.greet(&self.input);
            self.drive();
        }
    }

    /// Lets the session take what it can, as a driver does.
    fn drive(&mut self) {
        while !self.closed && !self.upgrading {
            match self.session.advance(&mut self.input) {
                Advance::Input(_) => break,
                Advance::Keep(mut kept) => {
                    let octets = kept.take_octets();
                    kept.message().extend_from_slice(&octets);
                    kept.done();
                }
                Advance::Ask(question) => self.server.answer(question),
                Advance::StartTls(mut handshake) => {
                    self.said.push_str(&String::from_utf8_lossy(&handshake.output().split()));
                    handshake.into_tls(channel(&self.server.setup, Some(FACTS)));
                    self.upgrading = true;
                }
                Advance::Close => self.closed = true,
            }
        }
        self.collect();
    }

    fn collect(&mut self) {
        let output = self.session.output().split();
        self.said.push_str(&String::from_utf8_lossy(&output));
        while let Some((line, rest)) = self.said.split_once("\r\n") {
            self.lines.push_back(line.to_owned());
            self.said = rest.to_owned();
        }
    }

    fn pieces<'o>(&self, octets: &'o [u8]) -> Vec<&'o [u8]> {
        match self.cut {
            Cut::Everywhere => octets.chunks(1).collect(),
            Cut::At(place) if place > self.written && place < self.written + octets.len() => {
                let (before, after) = octets.split_at(place - self.written);
                vec![before, after]
            }
            Cut::At(_) | Cut::Nowhere => vec![octets],
        }
    }
}

impl Server {
    fn answer(&mut self, question: Question<'_, String, Vec<u8>>) {
        match question {
            Question::Salt(ticket) => ticket.answer(Some(scram_parameters())),
            Question::Judge(ticket) => {
                let (claim, ticket) = ticket.into_claim();
                ticket.answer(self.judge.judge(&claim));
            }
            Question::Client(ticket) => ticket.answer(Ok(())),
            Question::Vouch(ticket) => {
                let verdict = self.vouched(ticket.username());
                ticket.answer(verdict);
            }
            Question::Sender(ticket) => {
                let verdict = self.sender(ticket.envelope(), ticket.client().user());
                ticket.answer(verdict);
            }
            Question::Recipient(ticket) => ticket.answer(Ok(())),
            Question::Open(ticket) => ticket.answer(Vec::new()),
            Question::Commit(ticket) => {
                let (octets, envelope, ticket) = ticket.into_message();
                ticket.answer(Ok(self.commit(octets, &envelope)));
            }
        }
    }

    /// Whether the name is a user's, which is enough for who is known to have looked at the password.
    fn vouched(&self, name: &str) -> Verdict<String> {
        match self.setup.users.iter().any(|(address, _)| address == name) {
            true => Verdict::Accepted(Authenticated::new(name.to_owned(), name.to_owned())),
            false => Verdict::refused(),
        }
    }

    fn sender(&self, envelope: &Envelope, user: Option<&String>) -> Result<SenderAllowed, Rejection> {
        let own = match (&envelope.reverse_path, user) {
            (ReversePath::Mailbox(mailbox), Some(user)) => self.is_identity(mailbox, user),
            (_, None) => self.setup.login_is_optional,
            (ReversePath::Null, Some(_)) => false,
        };
        let refused = || Rejection::SenderNotOwned(envelope.reverse_path.clone());
        own.then(SenderAllowed::after_check).ok_or_else(refused)
    }

    /// Whether the mailbox is the user's own, or one of the identities in the set-up.
    fn is_identity(&self, mailbox: &Mailbox, user: &str) -> bool {
        let mut identities = self.setup.identities.iter().filter(|(of, _)| same_mailbox(of, user));
        same_mailbox(&mailbox.to_string(), user)
            || identities.any(|(_, sender)| {
                sender.parse::<SenderPattern>().is_ok_and(|sender| sender.matches(mailbox))
            })
    }

    fn commit(&mut self, octets: Vec<u8>, envelope: &Envelope) -> Durable {
        self.accepted.push(Accepted {
            sender: bare(&envelope.reverse_path.to_string()),
            recipients: envelope.forward_paths().map(|path| bare(&path.to_string())).collect(),
            octets,
        });
        let number = u8::try_from(self.accepted.len()).unwrap_or(u8::MAX);
        Durable::after_sync(QueueId::new(0, [number; 10]))
    }
}

impl Wire for PureWire {
    fn say(&mut self, octets: &[u8]) -> Result<(), String> {
        for piece in self.pieces(octets) {
            self.input.extend_from_slice(piece);
            if self.greeted {
                self.drive();
            }
        }
        self.written += octets.len();
        Ok(())
    }

    fn hear(&mut self) -> Result<String, String> {
        self.greet();
        let silence = if self.closed { "it has closed" } else { "it says nothing" };
        self.lines.pop_front().ok_or_else(|| silence.to_owned())
    }

    fn handshake(&mut self) -> Result<(), String> {
        if !self.upgrading {
            return Err("the session did not ask for TLS".to_owned());
        }
        self.upgrading = false;
        self.drive();
        Ok(())
    }

    fn hang_up(&mut self) -> Result<(), String> {
        self.closed = true;
        Ok(())
    }

    fn silent(&mut self) -> Result<(), String> {
        self.greet();
        match (self.lines.front(), self.said.as_str()) {
            (None, "") => Ok(()),
            (line, rest) => Err(format!("the server said {line:?} {rest:?}")),
        }
    }

    fn closed(&mut self) -> Result<(), String> {
        self.greet();
        match (self.closed, self.lines.front()) {
            (true, None) => Ok(()),
            (_, Some(line)) => Err(format!("it went on to say {line:?}")),
            (false, None) => Err("it did not close".to_owned()),
        }
    }

    fn accepted(&mut self) -> Result<Vec<Accepted>, String> {
        Ok(self.server.accepted.clone())
    }

    fn number_accepted(&mut self) -> Result<usize, String> {
        Ok(self.server.accepted.len())
    }

    fn next_heard(&mut self) -> Result<Option<Vec<String>>, String> {
        Ok(None)
    }

    fn finish(&mut self) -> Result<(), String> {
        self.silent()
    }
}

const FACTS: TlsFacts = TlsFacts::new("TLSv1.3", "TLS_AES_256_GCM_SHA384");

fn channel(setup: &Setup, tls: Option<TlsFacts>) -> Channel {
    let mut channel = Channel::in_clear(Nonces::new([0; 32]));
    if tls.is_some() {
        (channel.bindings, channel.client_certificate) = (bindings(), setup.certificate.is_some());
    }
    channel.tls = tls;
    channel.login_is_optional = setup.login_is_optional;
    channel.now = UtcTime::parse("2026-11-30T13:00:00Z");
    channel.xclient = match setup.xclient {
        None => Xclient::Refused,
        Some(false) => Xclient::Taken,
        Some(true) => Xclient::WithLogin,
    };
    channel
}

fn settings(setup: &Setup) -> Settings {
    let mut settings = Settings::new("mail.example.org");
    settings.starttls = setup.listener == Listener::Submission;
    settings.hide_starttls = setup.hide_starttls;
    settings.allow_insecure = setup.listener == Listener::Insecure;
    if let Some(names) = &setup.mechanisms {
        settings.mechanisms = names.iter().filter_map(|name| Mechanism::from_name(name)).collect();
    }
    if let Some(message) = &setup.required_message {
        settings.required_message.clone_from(message);
    }
    settings.message_size = setup.message_size.unwrap_or(settings.message_size);
    settings.recipients = setup.recipients.unwrap_or(settings.recipients);
    settings.messages_per_connection =
        setup.messages_per_connection.unwrap_or(settings.messages_per_connection);
    settings.bare_line_ends =
        if setup.repairs_line_ends { BareLineEnds::Repair } else { BareLineEnds::Refuse };
    settings.long_lines = !setup.refuses_repair;
    settings.binary_mime = true;
    settings.dsn = true;
    (settings.max_hold, settings.min_deliver_by) = (Some(30 * 24 * 3600), Some(60));
    settings.max_priority = Some(Priority::URGENT);
    settings.require_tls = true;
    settings.max_unauthenticated_commands =
        setup.max_unauthenticated_commands.unwrap_or(settings.max_unauthenticated_commands);
    settings.max_failures = setup.max_failures.unwrap_or(settings.max_failures);
    settings
}

/// The address of a path, without its brackets.
fn bare(path: &str) -> String {
    path.trim_start_matches('<').trim_end_matches('>').to_owned()
}
