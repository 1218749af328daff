//! The client's half of SMTP, as much of it as a load needs.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use crate::fault::Fault;

/// Octets asked from the stream at once.
const READ: usize = 2048;
/// A reply longer than this is not one: 100 lines of 512 octets (RFC 5321 section 4.5.3.1.5).
const REPLY: usize = 51_200;

/// A connection to the server, plain or within TLS.
#[derive(Debug)]
pub(crate) struct Client<S> {
    stream: S,
    input: Vec<u8>,
    patience: Duration,
}

/// What the server said, with all its lines.
#[derive(Debug)]
pub(crate) struct Reply {
    code: u16,
    text: Vec<u8>,
}

impl Reply {
    /// Whether one of the lines of an EHLO reply begins with this keyword.
    pub(crate) fn offers(&self, keyword: &str) -> bool {
        let keyword = keyword.as_bytes();
        let offered =
            |line: &[u8]| line.get(4..).is_some_and(|rest| rest.trim_ascii_end().starts_with(keyword));
        self.text.split(|&octet| octet == b'\n').any(offered)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    pub(crate) fn new(stream: S, patience: Duration) -> Self {
        Self { stream, input: Vec::new(), patience }
    }

    /// The bare stream, for STARTTLS.
    pub(crate) fn into_stream(self) -> S {
        self.stream
    }

    /// Sends octets as they are.
    pub(crate) async fn send(&mut self, octets: &[u8]) -> Result<(), Fault> {
        self.stream.write_all(octets).await.map_err(|error| Fault::Io(error.kind()))?;
        self.stream.flush().await.map_err(|error| Fault::Io(error.kind()))
    }

    /// Sends a command and waits for the reply with this code.
    pub(crate) async fn command(
        &mut self,
        verb: &'static str,
        line: &[u8],
        code: u16,
    ) -> Result<Reply, Fault> {
        self.send(line).await?;
        self.expect(verb, code).await
    }

    /// Waits for a reply, which must have this code; `verb` names what it answers.
    pub(crate) async fn expect(&mut self, verb: &'static str, code: u16) -> Result<Reply, Fault> {
        let reply = self.reply(verb).await?;
        if reply.code == code { Ok(reply) } else { Err(Fault::Reply(verb, reply.code)) }
    }

    /// Reads until the server closes; what happens meanwhile doesn't matter.
    pub(crate) async fn drain(mut self) {
        while self.fill("QUIT").await.is_ok() {
            self.input.clear();
        }
    }

    async fn reply(&mut self, verb: &'static str) -> Result<Reply, Fault> {
        loop {
            if let Some(reply) = self.take_reply(verb)? {
                return Ok(reply);
            }
            self.fill(verb).await?;
        }
    }

    async fn fill(&mut self, verb: &'static str) -> Result<(), Fault> {
        self.input.reserve(READ);
        match timeout(self.patience, self.stream.read_buf(&mut self.input)).await {
            Err(_) => Err(Fault::Timeout(verb)),
            Ok(Err(error)) => Err(Fault::Io(error.kind())),
            Ok(Ok(0)) => Err(Fault::Closed(verb)),
            Ok(Ok(_)) => Ok(()),
        }
    }

    /// Takes the first whole reply out of the input: lines `250-…` and a last one `250 …` (RFC 5321 section 4.2.1).
    fn take_reply(&mut self, verb: &'static str) -> Result<Option<Reply>, Fault> {
        let mut end = 0;
        for line in self.input.split_inclusive(|&octet| octet == b'\n') {
            if !line.ends_with(b"\n") {
                break;
            }
            end += line.len();
            if line.get(3) != Some(&b'-') {
                let code = code(line).ok_or(Fault::Garbage(verb))?;
                let text = self.input.drain(..end).collect();
                return Ok(Some(Reply { code, text }));
            }
        }
        if self.input.len() > REPLY { Err(Fault::Garbage(verb)) } else { Ok(None) }
    }
}

fn code(line: &[u8]) -> Option<u16> {
    let digits = line.get(..3).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn client(says: &[u8]) -> Client<tokio::io::DuplexStream> {
        let (near, mut far) = tokio::io::duplex(4096);
        far.write_all(says).await.unwrap();
        Client::new(near, Duration::from_secs(5))
    }

    #[tokio::test]
    async fn replies_are_taken_one_at_a_time() {
        let mut client = client(b"250-mail.example.org\r\n250-PIPELINING\r\n250 HELP\r\n354 go\r\n").await;
        let ehlo = client.expect("EHLO", 250).await.unwrap();
        assert!(ehlo.offers("PIPELINING") && ehlo.offers("HELP") && !ehlo.offers("STARTTLS"));
        client.expect("DATA", 354).await.unwrap();
    }

    #[tokio::test]
    async fn faults_are_told_apart() {
        let refused = client(b"535 5.7.8 no\r\n").await.expect("AUTH", 235).await;
        assert_eq!(refused.unwrap_err().to_string(), "AUTH: 535");
        let closed = client(b"250-half").await.expect("EHLO", 250).await;
        assert_eq!(closed.unwrap_err().to_string(), "EHLO: closed");
        let garbage = client(b"hello\r\n").await.expect("greeting", 220).await;
        assert_eq!(garbage.unwrap_err().to_string(), "greeting: not a reply");
    }
}
