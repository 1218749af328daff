//! Plays a dialogue over a [`Wire`]: the pure session or a socket.

use crate::dialogue::{Dialogue, Listener, Setup, Step};
use crate::template::matches;

/// One connection, seen from the client.
pub trait Wire {
    /// Writes these octets at once.
    fn say(&mut self, octets: &[u8]) -> Result<(), String>;
    /// The next line the server says, without its CRLF; an error when it says nothing or has closed.
    fn hear(&mut self) -> Result<String, String>;
    fn handshake(&mut self) -> Result<(), String>;
    /// Closes the connection and waits until the server has seen it.
    fn hang_up(&mut self) -> Result<(), String>;
    /// An error if the server has said something that was not heard; over a socket, only what came with the last line.
    fn silent(&mut self) -> Result<(), String>;
    /// An error unless the server has closed and said nothing more.
    fn closed(&mut self) -> Result<(), String>;
    /// Everything accepted so far, oldest first.
    fn accepted(&mut self) -> Result<Vec<Accepted>, String>;
    /// How much that is.
    fn number_accepted(&mut self) -> Result<usize, String>;
    /// Every line that the next host was told, once nothing is queued any more; `None` where there is no next host.
    fn next_heard(&mut self) -> Result<Option<Vec<String>>, String>;
    /// The dialogue is over: an error if the server said more than was heard.
    fn finish(&mut self) -> Result<(), String>;
}

/// A message that got its 250.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    pub sender: String,
    pub recipients: Vec<String>,
    pub octets: Vec<u8>,
}

/// Plays every step; the lines the server said, or what went wrong where.
pub fn play(dialogue: &Dialogue, wire: &mut dyn Wire) -> Result<Vec<String>, String> {
    let mut play = Play { setup: &dialogue.setup, wire, said: Vec::new(), reply: Vec::new() };
    for (line, step) in &dialogue.steps {
        play.step(step)
            .map_err(|problem| format!("{}.smtp:{line}: {problem}{}", dialogue.name, play.heard()))?;
    }
    play.wire.finish().map_err(|problem| format!("{}.smtp, at its end: {problem}", dialogue.name))?;
    Ok(play.said)
}

struct Play<'a> {
    setup: &'a Setup,
    wire: &'a mut dyn Wire,
    said: Vec<String>,
    reply: Vec<String>,
}

impl Play<'_> {
    fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Say(octets) => self.wire.say(octets),
            Step::Hear(pattern) => self.hear(pattern),
            Step::HearReply(pattern) => self.hear_reply(pattern),
            Step::SkipTo(pattern) => self.skip_to(pattern),
            Step::LogIn => self.log_in(),
            Step::StartTls => self.starttls(),
            Step::Handshake => self.wire.handshake(),
            Step::HangUp => self.wire.hang_up(),
            Step::Closed => self.wire.closed(),
            Step::Silent => self.wire.silent(),
            Step::Queue(number) => same("messages accepted", self.wire.number_accepted()?, *number),
            Step::Sender(path) => same("sender", self.last()?.sender.as_str(), path.as_str()),
            Step::Recipients(paths) => same("recipients", &self.last()?.recipients, paths),
            Step::Body { has, octets } => has_octets(&self.last()?.octets, octets, *has),
            Step::Reply { has, pattern } => self.reply_line(pattern, *has),
            Step::Next { heard, pattern } => self.next_line(pattern, *heard),
        }
    }

    fn hear(&mut self, pattern: &str) -> Result<(), String> {
        let line = self.wire.hear().map_err(|problem| format!("expected {pattern:?}, but {problem}"))?;
        self.said.push(line.clone());
        match matches(pattern, &line) {
            true => Ok(()),
            false => Err(format!("expected {pattern:?}, heard {line:?}")),
        }
    }

    fn skip_to(&mut self, pattern: &str) -> Result<(), String> {
        loop {
            let line =
                self.wire.hear().map_err(|problem| format!("expected {pattern:?} at last, but {problem}"))?;
            self.said.push(line.clone());
            if matches(pattern, &line) {
                return Ok(());
            }
        }
    }

    fn hear_reply(&mut self, pattern: &str) -> Result<(), String> {
        self.reply.clear();
        loop {
            let line = self
                .wire
                .hear()
                .map_err(|problem| format!("expected a reply with {pattern:?}, but {problem}"))?;
            self.said.push(line.clone());
            let last = line.as_bytes().get(3) != Some(&b'-');
            self.reply.push(without_hyphen(&line));
            if last {
                return self.reply_line(pattern, true);
            }
        }
    }

    fn reply_line(&self, pattern: &str, wanted: bool) -> Result<(), String> {
        match self.reply.iter().any(|line| matches(pattern, line)) == wanted {
            true => Ok(()),
            false => Err(format!(
                "expected a reply {} {pattern:?}, heard {:#?}",
                if wanted { "with" } else { "without" },
                self.reply
            )),
        }
    }

    /// A session has no next host, so that there the step says nothing.
    fn next_line(&mut self, pattern: &str, wanted: bool) -> Result<(), String> {
        let Some(lines) = self.wire.next_heard()? else { return Ok(()) };
        match lines.iter().any(|line| matches(pattern, line)) == wanted {
            true => Ok(()),
            false => Err(format!(
                "the next host {} {pattern:?}, but {lines:#?}",
                if wanted { "was not told" } else { "was told" }
            )),
        }
    }

    fn log_in(&mut self) -> Result<(), String> {
        self.hear("220 *")?;
        self.ehlo()?;
        if self.setup.listener == Listener::Submission {
            self.starttls()?;
            self.ehlo()?;
        }
        let (address, password) = self.setup.users.first().ok_or("LOGIN wants an `@ user`")?;
        let response = crate::template::expand(&format!("AUTH PLAIN {{b64:\\0{address}\\0{password}}}\r\n"))?;
        self.wire.say(&response)?;
        self.hear("235 2.7.0 *")
    }

    fn ehlo(&mut self) -> Result<(), String> {
        self.wire.say(b"EHLO client.example\r\n")?;
        self.hear_reply("250 *")
    }

    fn starttls(&mut self) -> Result<(), String> {
        self.wire.say(b"STARTTLS\r\n")?;
        self.hear("220 2.0.0 *")?;
        self.wire.handshake()
    }

    fn last(&mut self) -> Result<Accepted, String> {
        self.wire.accepted()?.pop().ok_or_else(|| "no message was accepted".to_owned())
    }

    fn heard(&self) -> String {
        let last = &self.said[self.said.len().saturating_sub(4)..];
        format!("\n  the server said last:\n    {}", last.join("\n    "))
    }
}

/// The lines of one reply look alike, whichever is the last.
fn without_hyphen(line: &str) -> String {
    match line.split_at_checked(3) {
        Some((code, rest)) => format!("{code} {}", rest.strip_prefix(['-', ' ']).unwrap_or(rest)),
        None => line.to_owned(),
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, is: T, wanted: T) -> Result<(), String> {
    match is == wanted {
        true => Ok(()),
        false => Err(format!("{what}: expected {wanted:?}, found {is:?}")),
    }
}

fn has_octets(message: &[u8], octets: &[u8], wanted: bool) -> Result<(), String> {
    match message.windows(octets.len()).any(|window| window == octets) == wanted {
        true => Ok(()),
        false => Err(format!(
            "the message {} {:?}:\n{}",
            if wanted { "lacks" } else { "has" },
            String::from_utf8_lossy(octets),
            String::from_utf8_lossy(message)
        )),
    }
}
