//! The dialogue of a session in the log, at level trace alone, without anything that could be a secret.

use std::fmt::Write;

use bytes::BytesMut;
use sasl::Mechanism;
use types::SessionId;

/// Commands whose arguments may be seen. Whatever else a client sends may be part of a credential: a response, the
/// rest of an AUTH line that was too long, a password that somebody typed by mistake.
const SHOWN: [&[u8]; 13] = [
    b"EHLO",
    b"HELO",
    b"MAIL",
    b"RCPT",
    b"DATA",
    b"BDAT",
    b"RSET",
    b"NOOP",
    b"QUIT",
    b"HELP",
    b"VRFY",
    b"STARTTLS",
    b"XCLIENT",
];

/// The most that is shown of a line.
const SHOWN_OCTETS: usize = 512;

/// Input as it is before a session takes from it; nothing if nobody is listening.
pub(crate) struct Before(Option<BytesMut>);

impl Before {
    pub(crate) fn new(input: &BytesMut) -> Self {
        Self(tracing::enabled!(tracing::Level::TRACE).then(|| input.clone()))
    }

    /// Logs what the session took, given what it left, and whether it was taken as commands.
    pub(crate) fn log(self, left: &BytesMut, as_commands: bool, session: SessionId) {
        let Some(mut taken) = self.0 else { return };
        taken.truncate(taken.len().saturating_sub(left.len()));
        if !taken.is_empty() {
            let text = if as_commands { shown(&taken) } else { hidden(taken.len()) };
            tracing::trace!(event = "wire", session = %session, direction = "in", text);
        }
    }
}

/// Logs replies.
pub(crate) fn replies(output: &BytesMut, session: SessionId) {
    if tracing::enabled!(tracing::Level::TRACE) && !output.is_empty() {
        let text = output.escape_ascii().to_string();
        tracing::trace!(event = "wire", session = %session, direction = "out", text);
    }
}

/// The lines of `octets` as far as they may be seen: up to the first that introduces what is not a command.
fn shown(octets: &[u8]) -> String {
    let mut text = String::new();
    let mut rest = octets;
    while !rest.is_empty() {
        let end = rest.iter().position(|octet| *octet == b'\n').map_or(rest.len(), |end| end + 1);
        let (line, after) = rest.split_at(end);
        let verb =
            line.split(|octet| !octet.is_ascii_alphabetic()).next().unwrap_or_default().to_ascii_uppercase();
        if verb == b"AUTH" {
            let _ = write!(text, "AUTH {} and {}", mechanism(line), hidden(rest.len()));
            return text;
        }
        if !SHOWN.contains(&verb.as_slice()) {
            text.push_str(&hidden(rest.len()));
            return text;
        }
        let _ = write!(text, "{}", line.get(..SHOWN_OCTETS).unwrap_or(line).escape_ascii());
        rest = after;
        if verb == b"DATA" || verb == b"BDAT" {
            text.push_str(&hidden(rest.len()));
            return text;
        }
    }
    text
}

/// The mechanism of an AUTH line, if it is one of ours: of a client that forgets to name it, the response stands there.
fn mechanism(line: &[u8]) -> &'static str {
    let name = line.split(u8::is_ascii_whitespace).nth(1).and_then(|name| std::str::from_utf8(name).ok());
    name.and_then(Mechanism::from_name).map_or("?", Mechanism::name)
}

fn hidden(octets: usize) -> String {
    if octets == 0 { String::new() } else { format!("[{octets} octets]") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_never_show() {
        for input in [
            "AUTH PLAIN c2VjcmV0\r\n",
            "auth login\r\nc2VjcmV0\r\nc2VjcmV0\r\n",
            "c2VjcmV0\r\n",
            "EHLO a\r\nAUTH LOGIN c2VjcmV0\r\nc2VjcmV0\r\nMAIL c2VjcmV0",
            "c2VjcmV0c2VjcmV0",
            "AUTHX c2VjcmV0\r\n",
            "AUTH c2VjcmV0\r\n",
            "AUTH c2VjcmV0",
            "AUTH\tPLAIN\tc2VjcmV0\r\n",
        ] {
            let text = shown(input.as_bytes());
            assert!(!text.contains("c2VjcmV0"), "{text}");
        }
    }

    #[test]
    fn commands_show_and_messages_do_not() {
        assert_eq!(shown(b"MAIL FROM:<a@b>\r\nRSET\r\n"), "MAIL FROM:<a@b>\\r\\nRSET\\r\\n");
        assert_eq!(shown(b"DATA\r\nSubject: x\r\n"), "DATA\\r\\n[12 octets]");
    }

    #[test]
    fn what_is_hidden_is_counted_as_it_came_and_not_as_it_is_shown() {
        let noops = "NOOP\\r\\n".repeat(4);
        assert_eq!(
            shown(b"NOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\nAUTH\r\n"),
            format!("{noops}AUTH ? and [6 octets]")
        );
    }
}
