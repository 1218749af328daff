//! Commands, parsed from their lines (RFC 5321 section 4.1.1).
//!
//! Devices and old libraries write several blanks, or tabs, where the grammar has one space. That changes no meaning and is
//! taken, but not with BDAT, whose size decides what is text and what is a command.

use types::{AddressError, EhloName, EnvelopeRecipient, ForwardPath, ReversePath, Secret};

use crate::limits::COMMAND_LINE;
use crate::parameters::{self, MailParameters, ParameterError};

/// A command as the client meant it.
///
/// Exhaustive: whoever reads commands has to deal with each.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// Means the same in every state.
    Anytime(Anytime),
    /// What it means depends on what came before.
    Ordered(Ordered),
}

/// A command that means the same in every state.
///
/// Exhaustive: whoever reads commands has to deal with each.
#[derive(Debug, PartialEq, Eq)]
pub enum Anytime {
    /// `EHLO name`, with any name or none.
    Ehlo(EhloName),
    /// `HELO name`, with any name or none.
    Helo(EhloName),
    /// `RSET`.
    Rset,
    /// `NOOP`, with any argument.
    Noop,
    /// `QUIT`.
    Quit,
    /// `HELP`, with any argument.
    Help,
    /// `VRFY string`, with any string: it is never looked at.
    Vrfy,
    /// `EXPN`, with any argument.
    Expn,
}

/// A command that has its place in the order of RFC 5321 section 4.1.4.
///
/// Exhaustive: whoever reads commands has to deal with each.
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
    /// `MAIL FROM:<reverse-path> [parameters]`, also without the angle brackets.
    Mail(ReversePath, MailParameters),
    /// `RCPT TO:<forward-path> [parameters]`, also without the angle brackets.
    Rcpt {
        /// Whom it names.
        recipient: EnvelopeRecipient,
        /// Whether the path or ORCPT has characters beyond ASCII as they are: those that ORCPT has by their numbers are ASCII (RFC 6533
        /// section 3).
        utf8: bool,
    },
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
#[non_exhaustive]
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
    /// Not a reverse-path, and what is wrong with it.
    #[error("bad reverse-path: {0}")]
    BadReversePath(AddressError),
    /// Not a forward-path, and what is wrong with it.
    #[error("bad forward-path: {0}")]
    BadForwardPath(AddressError),
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
        let (verb, behind) = split_verb(line)?;
        let argument = behind.trim_ascii_start();
        match verb.to_ascii_uppercase().as_slice() {
            b"EHLO" => Ok(Self::Anytime(Anytime::Ehlo(EhloName::plain_of(argument)))),
            b"HELO" => Ok(Self::Anytime(Anytime::Helo(EhloName::plain_of(argument)))),
            b"RSET" => alone(argument, Self::Anytime(Anytime::Rset)),
            b"NOOP" => Ok(Self::Anytime(Anytime::Noop)),
            b"QUIT" => alone(argument, Self::Anytime(Anytime::Quit)),
            b"HELP" => Ok(Self::Anytime(Anytime::Help)),
            b"VRFY" if argument.is_empty() => Err(TAKES_A_STRING),
            b"VRFY" => Ok(Self::Anytime(Anytime::Vrfy)),
            b"EXPN" => Ok(Self::Anytime(Anytime::Expn)),
            b"STARTTLS" => alone(argument, Self::Ordered(Ordered::StartTls)),
            b"AUTH" => auth(argument).map(Self::Ordered),
            b"XCLIENT" => Ok(Self::Ordered(Ordered::Xclient(argument.to_vec()))),
            b"MAIL" => mail(argument).map(Self::Ordered),
            b"RCPT" => rcpt(argument).map(Self::Ordered),
            b"DATA" => alone(argument, Self::Ordered(Ordered::Data)),
            b"BDAT" => bdat(behind).map(Self::Ordered),
            b"GET" | b"POST" | b"PUT" | b"HEAD" | b"DELETE" | b"OPTIONS" | b"CONNECT" | b"PATCH"
            | b"TRACE" => Err(SyntaxError::Foreign),
            _ => Err(SyntaxError::UnknownCommand),
        }
    }
}

/// Whether the line that begins with these octets is an AUTH command, which may be longer than others. Blanks before it count towards the
/// limit of any other, which they would have reached alone if they came alone.
pub(crate) fn begins_auth(input: &[u8]) -> bool {
    let input = input.get(..COMMAND_LINE).unwrap_or(input);
    let blanks = input.iter().take_while(|octet| is_blank(**octet)).count();
    match input.get(blanks..).unwrap_or_default().split_at_checked(b"AUTH".len()) {
        Some((verb, [blank, ..])) => is_blank(*blank) && verb.eq_ignore_ascii_case(b"AUTH"),
        Some((_, [])) | None => false,
    }
}

/// Whether the line is a RCPT command, be it as malformed as it may.
pub(crate) fn is_rcpt(line: &[u8]) -> bool {
    split_verb(line).is_ok_and(|(verb, _)| verb.eq_ignore_ascii_case(b"RCPT"))
}

/// The verb, and what stands behind it with the blanks before it; white space at both ends of the line is gone.
fn split_verb(line: &[u8]) -> Result<(&[u8], &[u8]), SyntaxError> {
    if line.contains(&0) {
        return Err(SyntaxError::UnknownCommand);
    }
    // RFC 5321 section 4.1.1: trailing white space is tolerated, and so is that before a verb.
    let line = line.trim_ascii();
    let end = line.iter().position(|octet| is_blank(*octet)).unwrap_or(line.len());
    Ok(line.split_at_checked(end).unwrap_or((line, &[])))
}

fn is_blank(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t')
}

const TAKES_NOTHING: SyntaxError = SyntaxError::BadArgument("this command takes none");
const TAKES_A_STRING: SyntaxError = SyntaxError::BadArgument("write VRFY and a name or an address");
const TAKES_A_MECHANISM: SyntaxError =
    SyntaxError::BadArgument("write AUTH, a mechanism, and at most one initial response");
const TAKES_FROM: SyntaxError = SyntaxError::BadArgument("write MAIL FROM:<address>");
const TAKES_TO: SyntaxError = SyntaxError::BadArgument("write RCPT TO:<address>");

fn alone(argument: &[u8], command: Command) -> Result<Command, SyntaxError> {
    if argument.is_empty() { Ok(command) } else { Err(TAKES_NOTHING) }
}

fn auth(argument: &[u8]) -> Result<Ordered, SyntaxError> {
    let text = str::from_utf8(argument).map_err(|_| TAKES_A_MECHANISM)?;
    let mut words = text.split_ascii_whitespace();
    let mechanism = words.next().ok_or(TAKES_A_MECHANISM)?;
    let initial = words.next();
    if words.next().is_some() {
        return Err(TAKES_A_MECHANISM);
    }
    Ok(Ordered::Auth {
        mechanism: mechanism.to_owned(),
        initial: initial.map(|text| Secret::from(text.to_owned())),
    })
}

fn mail(argument: &[u8]) -> Result<Ordered, SyntaxError> {
    let path = after_keyword(argument, b"FROM").ok_or(TAKES_FROM)?;
    let path = text_of(path).map_err(SyntaxError::BadReversePath)?;
    let (reverse_path, rest) = ReversePath::take_from_command(path).map_err(SyntaxError::BadReversePath)?;
    Ok(Ordered::Mail(reverse_path, MailParameters::parse(rest)?))
}

fn rcpt(argument: &[u8]) -> Result<Ordered, SyntaxError> {
    let path = after_keyword(argument, b"TO").ok_or(TAKES_TO)?;
    let path = text_of(path).map_err(SyntaxError::BadForwardPath)?;
    let (forward_path, rest) = ForwardPath::take_from_command(path).map_err(SyntaxError::BadForwardPath)?;
    let recipient = parameters::recipient(forward_path, rest)?;
    Ok(Ordered::Rcpt { utf8: !recipient.path.is_ascii() || !rest.is_ascii(), recipient })
}

/// What follows `FROM:` or `TO:`, also with blanks before the colon.
fn after_keyword<'a>(argument: &'a [u8], keyword: &[u8]) -> Option<&'a [u8]> {
    let (head, rest) = argument.split_at_checked(keyword.len())?;
    let path = rest.trim_ascii_start().strip_prefix(b":");
    path.filter(|_| head.eq_ignore_ascii_case(keyword))
}

fn text_of(path: &[u8]) -> Result<&str, AddressError> {
    str::from_utf8(path).map_err(|_| AddressError::NotUtf8)
}

/// `SP chunk-size [SP "LAST"]`. Nineteen digits hold any size below 10^19, which is below 2^64. Whoever reads a size in two
/// ways takes text for commands, so this is read to the letter.
fn bdat(behind: &[u8]) -> Result<Ordered, SyntaxError> {
    let text = str::from_utf8(behind).map_err(|_| SyntaxError::BadChunkSize)?;
    let text = text.strip_prefix(' ').ok_or(SyntaxError::BadChunkSize)?;
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
    use types::Mailbox;

    use super::*;

    #[test]
    fn verbs_are_read_in_any_case_and_with_trailing_space() {
        assert_eq!(Command::parse(b"quit  "), Ok(Command::Anytime(Anytime::Quit)));
        assert_eq!(Command::parse(b"Noop what ever"), Ok(Command::Anytime(Anytime::Noop)));
        assert_eq!(
            Command::parse(b"bDaT 5 lAsT"),
            Ok(Command::Ordered(Ordered::Bdat { size: 5, last: true }))
        );
        for (line, command) in [
            (b"HELO  laptop.example ".as_slice(), Anytime::Helo(EhloName::parse("laptop.example").unwrap())),
            (b"RSET", Anytime::Rset),
            (b"help mail", Anytime::Help),
            (b"HELP", Anytime::Help),
            (b"VRFY ann", Anytime::Vrfy),
            (b"EXPN list", Anytime::Expn),
        ] {
            assert_eq!(Command::parse(line), Ok(Command::Anytime(command)));
        }
    }

    #[test]
    fn chunk_sizes_that_are_no_plain_number_are_refused() {
        for size in [
            "",
            "-1",
            "+5",
            "0x10",
            "1e3",
            " 5",
            "5 LASTX",
            "5  LAST",
            "18446744073709551616",
            "00000000000000000005",
            "5 LAST 6",
            "\t5",
            "5\tLAST",
        ] {
            let line = format!("BDAT {size}");
            assert_eq!(Command::parse(line.as_bytes()), Err(SyntaxError::BadChunkSize), "{line}");
        }
        assert_eq!(Command::parse(b"BDAT\t5"), Err(SyntaxError::BadChunkSize));
        let longest = Ordered::Bdat { size: 9_999_999_999_999_999_999, last: false };
        assert_eq!(Command::parse(b"BDAT 9999999999999999999"), Ok(Command::Ordered(longest)));
    }

    fn mailbox(text: &str) -> Mailbox {
        Mailbox::parse(text).unwrap()
    }

    #[test]
    fn several_blanks_are_as_good_as_one() {
        for line in [
            "AUTH PLAIN AGEAYg==",
            "AUTH  PLAIN   AGEAYg== ",
            "auth\tPLAIN\t AGEAYg==\t",
            " \tAUTH PLAIN AGEAYg==",
        ] {
            let initial = Some(Secret::from("AGEAYg==".to_owned()));
            let auth = Ordered::Auth { mechanism: "PLAIN".to_owned(), initial };
            assert_eq!(Command::parse(line.as_bytes()), Ok(Command::Ordered(auth)), "{line:?}");
            assert!(begins_auth(line.as_bytes()), "{line:?}");
        }
        let behind = |blanks: usize| [vec![b' '; blanks], b"AUTH PLAIN".to_vec()].concat();
        assert!(begins_auth(&behind(COMMAND_LINE - 5)) && !begins_auth(&behind(COMMAND_LINE - 4)));
        assert!(!begins_auth(b"AUTH") && !begins_auth(b"AUTHX ") && !begins_auth(b"\r\nAUTH "));
        for line in [
            "MAIL FROM:<a@example.org> SIZE=5",
            "MAIL  FROM:<a@example.org>  SIZE=5 ",
            "MAIL FROM : <a@example.org> SIZE=5",
            "mail\tfrom\t:\t< a@example.org >\tSIZE=5\t",
            "MAIL FROM: a@example.org   SIZE=5",
        ] {
            let parameters = MailParameters { size: Some(5), ..MailParameters::default() };
            let mail = Ordered::Mail(ReversePath::Mailbox(mailbox("a@example.org")), parameters);
            assert_eq!(Command::parse(line.as_bytes()), Ok(Command::Ordered(mail)), "{line:?}");
        }
        for line in ["RCPT TO:<b@example.org>", "RCPT   TO :  b@example.org  ", " RCPT TO:b@example.org"] {
            let recipient = ForwardPath::Mailbox(mailbox("b@example.org")).into();
            let rcpt = Ordered::Rcpt { recipient, utf8: false };
            assert_eq!(Command::parse(line.as_bytes()), Ok(Command::Ordered(rcpt)), "{line:?}");
            assert!(is_rcpt(line.as_bytes()));
        }
    }

    #[test]
    fn whoever_greets_is_taken_at_what_is_plain_of_the_name() {
        for (line, name) in [
            (b"EHLO laptop.example".as_slice(), "laptop.example"),
            (b"EHLO", "unknown"),
            (b"ehlo  \t[::1] ", "[IPv6:::1]"),
            (b"EHLO M\xdcLLER-PC", "MLLER-PC"),
        ] {
            let name = EhloName::parse(name).unwrap();
            assert_eq!(Command::parse(line), Ok(Command::Anytime(Anytime::Ehlo(name))));
        }
    }

    #[test]
    fn what_belongs_to_no_mail_client_is_told_apart() {
        assert_eq!(Command::parse(b"POST / HTTP/1.1"), Err(SyntaxError::Foreign));
        assert_eq!(Command::parse(b"XYZZY"), Err(SyntaxError::UnknownCommand));
        assert_eq!(Command::parse(b"MAIL FROM:<a\0b@example.org>"), Err(SyntaxError::UnknownCommand));
        assert_eq!(Command::parse(b"RCPT FROM:<a@example.org>"), Err(TAKES_TO));
        assert_eq!(Command::parse(b"RCPT TO <a@example.org>"), Err(TAKES_TO));
        assert_eq!(Command::parse(b"VRFY "), Err(TAKES_A_STRING));
    }

    #[test]
    fn a_bad_path_says_which_part_is_wrong() {
        use AddressError::{Domain, Empty, NoDomain, NotUtf8};
        for (line, error) in [
            (b"RCPT TO:<\xc3@example.org>".as_slice(), NotUtf8),
            (b"RCPT TO:<>", Empty),
            (b"RCPT TO:", Empty),
            (b"RCPT TO: bob", NoDomain),
            (b"RCPT TO:<bob@example..org>", Domain),
        ] {
            assert_eq!(Command::parse(line), Err(SyntaxError::BadForwardPath(error)));
            assert!(is_rcpt(line));
        }
        assert_eq!(Command::parse(b"MAIL FROM:<a@>"), Err(SyntaxError::BadReversePath(Domain)));
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
