//! Replies of a host that mail is sent to: whatever it says, the dialogue ends, each recipient has one verdict, and nobody is
//! told that a message has arrived which was not sent.

use bytes::BytesMut;
use esmtp::dialogue::{Advance, Broken, Credentials, Dialogue, Envelope, Verdict};
use types::{EnvelopeRecipient, ForwardPath, Handover, Notify, Ret, ReversePath, Secret};

use crate::pieces::within_lines;
use crate::play::WAIT;

/// What happened, in its order.
#[derive(Debug, PartialEq)]
enum Event {
    Wrote(String),
    Verdicts(Vec<Verdict>),
    Broke(Broken),
    Closed,
}

/// The first octet says what the client wants; the rest is what the host says, with a [`WAIT`] wherever it waits for the client.
pub(crate) fn holds(data: &[u8]) {
    let [wants, said @ ..] = data else { return };
    let whole = Client::play(*wants, said, usize::MAX);
    for step in [1, 5 + usize::from(*wants)] {
        assert_eq!(Client::play(*wants, said, step), whole, "in pieces of {step}");
    }
    whole.iter().for_each(is_sound);
    let sent = whole.iter().any(|event| matches!(event, Event::Wrote(text) if text.ends_with("\r\n.\r\n")));
    let delivered = |event: &Event| match event {
        Event::Verdicts(verdicts) => verdicts.iter().any(|verdict| matches!(verdict, Verdict::Delivered(..))),
        _ => false,
    };
    assert!(sent || !whole.iter().any(delivered), "delivered without a text: {whole:?}");
    let offered = said.to_ascii_uppercase().windows(3).any(|word| word == b"DSN");
    whole.iter().for_each(|event| says_of_dsn_what_it_may(event, offered));
}

/// RFC 3461 section 5.2.2: a host that does not offer DSN hears nothing of it, and is not trusted to report.
fn says_of_dsn_what_it_may(event: &Event, offered: bool) {
    match event {
        Event::Wrote(text) => {
            let asked = [" RET=", " ENVID=", " NOTIFY=", " ORCPT="].iter().any(|word| text.contains(word));
            assert!(offered || !asked, "{text}");
        }
        Event::Verdicts(verdicts) => {
            let trusted = |verdict: &Verdict| matches!(verdict, Verdict::Delivered(_, Handover::WithDsn));
            assert!(offered || !verdicts.iter().any(trusted), "{verdicts:?}");
        }
        Event::Broke(_) | Event::Closed => {}
    }
}

fn is_sound(event: &Event) {
    match event {
        Event::Verdicts(verdicts) => {
            assert_eq!(verdicts.len(), RECIPIENTS.len());
            verdicts.iter().for_each(|verdict| is_fit_to_print(verdict.reply()));
            for verdict in verdicts {
                let class = verdict.reply().code() / 100;
                match verdict {
                    Verdict::Delivered(..) => assert_eq!(class, 2),
                    Verdict::Failed(_) => assert_eq!(class, 5),
                    Verdict::Deferred(_) | Verdict::Unclear(_) => {}
                }
            }
        }
        Event::Broke(broken) => assert!(!broken.to_string().contains(char::is_control)),
        Event::Wrote(_) | Event::Closed => {}
    }
}

fn is_fit_to_print(reply: &esmtp::dialogue::Reply) {
    assert!((200..=559).contains(&reply.code()));
    assert!(reply.lines().iter().all(|line| !line.contains(char::is_control)), "{reply:?}");
}

const RECIPIENTS: [&str; 2] = ["<b@example.org>", "<\u{fc}@example.org>"];

struct Client {
    dialogue: Option<Dialogue>,
    recipients: Vec<EnvelopeRecipient>,
    log_in: bool,
    start_tls: bool,
    sent: bool,
    events: Vec<Event>,
}

impl Client {
    fn play(wants: u8, said: &[u8], step: usize) -> Vec<Event> {
        let recipient = |text: &&str| {
            let path = ForwardPath::take_from_command(text).expect("a path").0;
            let mut recipient = EnvelopeRecipient::new(path);
            recipient.notify = Some(Notify::NEVER);
            recipient
        };
        let mut client = Self {
            dialogue: Some(Dialogue::new("client.example")),
            recipients: RECIPIENTS.iter().map(recipient).collect(),
            log_in: wants & 1 != 0,
            start_tls: wants & 2 != 0,
            sent: false,
            events: Vec::new(),
        };
        let mut input = BytesMut::new();
        for flight in said.split(|octet| *octet == WAIT) {
            for piece in within_lines(flight, step) {
                input.extend_from_slice(piece);
                client.drive(&mut input);
            }
        }
        // The connection ends, and with it whatever is under way.
        if client.sent
            && let Some(dialogue) = &mut client.dialogue
        {
            let lost = Verdict::Deferred(esmtp::dialogue::Reply::ours(
                451,
                esmtp::dialogue::Enhanced(4, 4, 2),
                "lost",
            ));
            let verdicts = dialogue.abandon(&lost);
            if !verdicts.is_empty() {
                client.events.push(Event::Verdicts(verdicts));
            }
        }
        client.events
    }

    fn drive(&mut self, input: &mut BytesMut) {
        while let Some(mut dialogue) = self.dialogue.take() {
            let advance = dialogue.advance(input);
            match advance {
                Ok(Advance::Input) => {
                    self.wrote(&mut dialogue);
                    self.dialogue = Some(dialogue);
                    return;
                }
                Ok(Advance::Ready) => self.command(&mut dialogue),
                Ok(Advance::StartTls) => {
                    assert!(input.is_empty(), "a handshake behind plaintext");
                    self.start_tls = false;
                    dialogue = dialogue.into_tls();
                }
                Ok(Advance::Body) => {
                    dialogue.write_body(b"Subject: x\r\n\r\n.x\r\n");
                    dialogue.end_body();
                }
                Ok(Advance::Done(verdicts)) => self.events.push(Event::Verdicts(verdicts)),
                Ok(Advance::Closed) => return self.events.push(Event::Closed),
                Err(broken) => {
                    self.wrote(&mut dialogue);
                    return self.events.push(Event::Broke(broken));
                }
            }
            self.wrote(&mut dialogue);
            self.dialogue = Some(dialogue);
        }
    }

    /// Takes down what is written. Where replies come before their commands have left, it depends on the cut whether these leave
    /// in one flight.
    fn wrote(&mut self, dialogue: &mut Dialogue) {
        let text = String::from_utf8(dialogue.output().split().to_vec()).expect("what we write is text");
        assert!(crate::pieces::is_clean(text.as_bytes()), "{text:?}");
        match self.events.last_mut() {
            Some(Event::Wrote(before)) => before.push_str(&text),
            _ if text.is_empty() => {}
            _ => self.events.push(Event::Wrote(text)),
        }
    }

    /// TLS, a login, and one message, if they are wanted; then QUIT.
    fn command(&mut self, dialogue: &mut Dialogue) {
        if std::mem::take(&mut self.start_tls) {
            return dialogue.start_tls();
        }
        if std::mem::take(&mut self.log_in) {
            let password = Secret::new("secret");
            let login = Credentials::new("alice", password);
            match dialogue.log_in(&login) {
                Ok(()) => return,
                Err(broken) => self.events.push(Event::Broke(broken)),
            }
        }
        if std::mem::replace(&mut self.sent, true) {
            return dialogue.quit();
        }
        let mut envelope = Envelope::new(&ReversePath::Null, self.recipients.iter().collect());
        envelope.size = Some(19);
        (envelope.ret, envelope.envid) = (Some(Ret::Full), Some("a b"));
        let verdicts = dialogue.send(&envelope);
        self.events.extend(verdicts.map(Event::Verdicts));
    }
}
