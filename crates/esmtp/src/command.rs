//! Commands, parsed from their lines (RFC 5321 section 4.1.1).

use types::{EhloName, ForwardPath, ReversePath, Secret};

use crate::parameters::{MailParameters, ParameterError, no_parameters};

/// A command as the client meant it.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// Means the same in every state.
    Anytime(Anytime),
    /// What it means depends on what came before.
    Ordered(Ordered),
}

/// A command that means the same in every state.
#[derive(Debug, PartialEq, Eq)]
pub enum Anytime {
    /// `EHLO name`.
    Ehlo(EhloName),
    /// `HELO name`.
    Helo(EhloName),
    /// `RSET`.
    Rset,
    /// `NOOP`, with any argument.
    Noop,
    /// `QUIT`.
    Quit,
    /// `HELP`, with any argument.
    Help,
    /// `VRFY`, with any argument: it is never looked at.
    Vrfy,
    /// `EXPN`, with any argument.
    Expn,
}

/// A command that has its place in the order of RFC 5321 section 4.1.4.
#[derive(Debug, PartialEq, Eq)]
pub enum Ordered {
    /// `STARTTLS` (RFC 3207).
    StartTls,
    /// `AUTH mechanism [initial-response]` (RFC 4954 section 4); both as written.
    Auth {
        /// The mechanism's name.
        mechanism: String,
        /// The base64 text; `=` stands for an empty response.
        initial: Option<Secret>,
    },
    /// `XCLIENT attribute=value …`, which is read only if the peer may send it.
    Xclient(Vec<u8>),
    /// `MAIL FROM:<reverse-path> [parameters]`.
    Mail(ReversePath, MailParameters),
    /// `RCPT TO:<forward-path>`.
    Rcpt(ForwardPath),
    /// `DATA`.
    Data,
    /// `BDAT size [LAST]` (RFC 3030 section 2).
    Bdat {
        /// Octets that follow the command.
        size: u64,
        /// The message ends with this chunk.
        last: bool,
    },
}

/// Why a line is no command.
#[derive(Debug, PartialEq, Eq, Clone, Copy, thiserror::Error)]
pub enum SyntaxError {
    /// Another protocol's verb: this may be a cross-protocol attack on a browser's behalf.
    #[error("another protocol's command")]
    Foreign,
    /// No such command.
    #[error("no such command")]
    UnknownCommand,
    /// The command's argument is missing, malformed, or one too many; the text says what would be right.
    #[error("bad argument: {0}")]
    BadArgument(&'static str),
    /// The size of a chunk can't be read, so that the end of the chunk is unknown.
    #[error("bad chunk size")]
    BadChunkSize,
    /// Not a reverse-path.
    #[error("bad reverse-path")]
    BadReversePath,
    /// Not a forward-path.
    #[error("bad forward-path")]
    BadForwardPath,
    /// A parameter that was not offered.
    #[error("unknown parameter")]
    UnknownParameter,
    /// A parameter with a bad value, or given twice.
    #[error("bad parameter")]
    BadParameter,
}

impl From<ParameterError> for SyntaxError {
    fn from(error: ParameterError) -> Self {
        match error {
            ParameterError::Unknown => Self::UnknownParameter,
            ParameterError::Malformed => Self::BadParameter,
        }
    }
}

impl Command {
    /// Parses a line without its CRLF.
    pub fn parse(line: &[u8]) -> Result<Self, SyntaxError> {
        let (verb, argument) = split_verb(line)?;
        match verb.to_ascii_uppercase().as_slice() {
            b"EHLO" => name(argument).map(|name| Self::Anytime(Anytime::Ehlo(name))),
            b"HELO" => name(argument).map(|name| Self::Anytime(Anytime::Helo(name))),
            b"RSET" => alone(argument, Self::Anytime(Anytime::Rset)),
            b"NOOP" => Ok(Self::Anytime(Anytime::Noop)),
            b"QUIT" => alone(argument, Self::Anytime(Anytime::Quit)),
            b"HELP" => Ok(Self::Anytime(Anytime::Help)),
            b"VRFY" => Ok(Self::Anytime(Anytime::Vrfy)),
            b"EXPN" => Ok(Self::Anytime(Anytime::Expn)),
            b"STARTTLS" => alone(argument, Self::Ordered(Ordered::StartTls)),
            b"AUTH" => auth(argument).map(Self::Ordered),
            b"XCLIENT" => Ok(Self::Ordered(Ordered::Xclient(argument.to_vec()))),
            b"MAIL" => mail(argument).map(Self::Ordered),
            b"RCPT" => rcpt(argument).map(Self::Ordered),
            b"DATA" => alone(argument, Self::Ordered(Ordered::Data)),
            b"BDAT" => bdat(argument).map(Self::Ordered),
            b"GET" | b"POST" | b"PUT" | b"HEAD" | b"DELETE" | b"OPTIONS" | b"CONNECT" | b"PATCH"
            | b"TRACE" => Err(SyntaxError::Foreign),
            _ => Err(SyntaxError::UnknownCommand),
        }
    }
}

/// Whether the line that begins with these octets is an AUTH command, which may be longer than others.
pub(crate) fn begins_auth(input: &[u8]) -> bool {
    input.get(..5).is_some_and(|verb| verb.eq_ignore_ascii_case(b"AUTH "))
}

/// The verb, and its argument with the space before it and trailing white space gone.
fn split_verb(line: &[u8]) -> Result<(&[u8], &[u8]), SyntaxError> {
    if line.contains(&0) {
        return Err(SyntaxError::UnknownCommand);
    }
    // RFC 5321 section 4.1.1: trailing white space is tolerated.
    let line = line.trim_ascii_end();
    match line.iter().position(|octet| *octet == b' ') {
        Some(at) => Ok((line.get(..at).unwrap_or_default(), line.get(at + 1..).unwrap_or_default())),
        None => Ok((line, &[])),
    }
}

const TAKES_NOTHING: SyntaxError = SyntaxError::BadArgument("this command takes none");
const TAKES_A_NAME: SyntaxError =
    SyntaxError::BadArgument("write the name of your host, or its address in brackets");
const TAKES_A_MECHANISM: SyntaxError =
    SyntaxError::BadArgument("write AUTH, a mechanism, and at most one initial response");
const TAKES_FROM: SyntaxError = SyntaxError::BadArgument("write MAIL FROM:<address>");
const TAKES_TO: SyntaxError = SyntaxError::BadArgument("write RCPT TO:<address>");

fn alone(argument: &[u8], command: Command) -> Result<Command, SyntaxError> {
    if argument.is_empty() { Ok(command) } else { Err(TAKES_NOTHING) }
}

fn name(argument: &[u8]) -> Result<EhloName, SyntaxError> {
    let text = str::from_utf8(argument).map_err(|_| TAKES_A_NAME)?;
    EhloName::parse(text).map_err(|_| TAKES_A_NAME)
}

fn auth(argument: &[u8]) -> Result<Ordered, SyntaxError> {
    let text = str::from_utf8(argument).map_err(|_| TAKES_A_MECHANISM)?;
    let (mechanism, initial) = match text.split_once(' ') {
        Some((mechanism, initial)) => (mechanism, Some(initial)),
        None => (text, None),
    };
    if mechanism.is_empty() || initial.is_some_and(|text| text.is_empty() || text.contains(' ')) {
        return Err(TAKES_A_MECHANISM);
    }
    Ok(Ordered::Auth {
        mechanism: mechanism.to_owned(),
        initial: initial.map(|text| Secret::from(text.to_owned())),
    })
}

fn mail(argument: &[u8]) -> Result<Ordered, SyntaxError> {
    let path = after_keyword(argument, "FROM:", TAKES_FROM, SyntaxError::BadReversePath)?;
    let (reverse_path, rest) = ReversePath::take(path).map_err(|_| SyntaxError::BadReversePath)?;
    Ok(Ordered::Mail(reverse_path, MailParameters::parse(rest)?))
}

fn rcpt(argument: &[u8]) -> Result<Ordered, SyntaxError> {
    let path = after_keyword(argument, "TO:", TAKES_TO, SyntaxError::BadForwardPath)?;
    let (forward_path, rest) = ForwardPath::take(path).map_err(|_| SyntaxError::BadForwardPath)?;
    no_parameters(rest)?;
    Ok(Ordered::Rcpt(forward_path))
}

/// What follows `FROM:` or `TO:`. One space before the path is not in the grammar, but in many clients.
fn after_keyword<'a>(
    argument: &'a [u8],
    keyword: &str,
    no_keyword: SyntaxError,
    bad_path: SyntaxError,
) -> Result<&'a str, SyntaxError> {
    let (head, rest) = argument.split_at_checked(keyword.len()).ok_or(no_keyword)?;
    if !head.eq_ignore_ascii_case(keyword.as_bytes()) {
        return Err(no_keyword);
    }
    let rest = str::from_utf8(rest).map_err(|_| bad_path)?;
    Ok(rest.strip_prefix(' ').unwrap_or(rest))
}

/// `chunk-size [SP "LAST"]`. Nineteen digits hold any size below 10^19, which is below 2^64.
fn bdat(argument: &[u8]) -> Result<Ordered, SyntaxError> {
    let text = str::from_utf8(argument).map_err(|_| SyntaxError::BadChunkSize)?;
    let (size, last) = match text.split_once(' ') {
        Some((size, word)) if word.eq_ignore_ascii_case("LAST") => (size, true),
        Some(_) => return Err(SyntaxError::BadChunkSize),
        None => (text, false),
    };
    if size.is_empty() || size.len() > 19 || !size.bytes().all(|octet| octet.is_ascii_digit()) {
        return Err(SyntaxError::BadChunkSize);
    }
    let size = size.parse().map_err(|_| SyntaxError::BadChunkSize)?;
    Ok(Ordered::Bdat { size, last })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn verbs_are_read_in_any_case_and_with_trailing_space() {
        assert_eq!(Command::parse(b"quit  "), Ok(Command::Anytime(Anytime::Quit)));
        assert_eq!(Command::parse(b"Noop what ever"), Ok(Command::Anytime(Anytime::Noop)));
        assert_eq!(
            Command::parse(b"bDaT 5 lAsT"),
            Ok(Command::Ordered(Ordered::Bdat { size: 5, last: true }))
        );
    }

    #[test]
    fn chunk_sizes_that_are_no_plain_number_are_refused() {
        for size in
            ["", "-1", "+5", "0x10", "1e3", " 5", "5 LASTX", "5  LAST", "18446744073709551616", "5 LAST 6"]
        {
            let line = format!("BDAT {size}");
            assert_eq!(Command::parse(line.as_bytes()), Err(SyntaxError::BadChunkSize), "{line}");
        }
    }

    #[test]
    fn what_belongs_to_no_mail_client_is_told_apart() {
        assert_eq!(Command::parse(b"POST / HTTP/1.1"), Err(SyntaxError::Foreign));
        assert_eq!(Command::parse(b"XYZZY"), Err(SyntaxError::UnknownCommand));
        assert_eq!(Command::parse(b"MAIL FROM:<a\0b@example.org>"), Err(SyntaxError::UnknownCommand));
        assert_eq!(Command::parse(b"RCPT TO:<\xc3@example.org>"), Err(SyntaxError::BadForwardPath));
        assert_eq!(Command::parse(b"RCPT FROM:<a@example.org>"), Err(TAKES_TO));
    }

    proptest! {
        #[test]
        fn no_line_is_too_strange_to_be_answered(line in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Command::parse(&line);
        }

        #[test]
        fn no_argument_is_too_strange_to_be_answered(
            verb in "(EHLO|AUTH|XCLIENT|MAIL FROM:<|RCPT TO:<|BDAT|MAIL FROM:<> )", line in "\\PC{0,200}",
        ) {
            let _ = Command::parse(format!("{verb} {line}").as_bytes());
        }
    }
}
