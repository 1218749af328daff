//! Reads the replies of a peer that may be hostile: within limits, and printable from then on.

use bytes::BytesMut;
use memchr::memchr;

use super::reply::{Enhanced, Reply};

/// Octets in one line of a reply, with its CRLF. RFC 5321 section 4.5.3.1.5 promises 512; some servers say more.
pub const LINE_LIMIT: usize = 2048;
/// Lines in one reply. RFC 5321 sets no limit; the longest EHLO replies seen have about thirty.
pub const LINES_LIMIT: usize = 100;
/// Octets of text that a reply keeps, for the queue and the log.
const TEXT_KEPT: usize = 1000;

/// Why octets are no reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplyError {
    /// A line longer than [`LINE_LIMIT`].
    #[error("a line of the reply is longer than {LINE_LIMIT} octets")]
    LineTooLong,
    /// More than [`LINES_LIMIT`] lines.
    #[error("the reply has more than {LINES_LIMIT} lines")]
    TooManyLines,
    /// No code between 200 and 559, or no space or hyphen after it.
    #[error("the reply does not begin with a code")]
    NoCode,
    /// The lines of one reply disagree about the code.
    #[error("the lines of the reply have different codes")]
    MixedCodes,
}

/// Gathers the lines of a reply as octets arrive.
#[derive(Debug, Default)]
pub(super) struct ReplyReader {
    code: Option<u16>,
    lines: Vec<String>,
    kept: usize,
    scanned: usize,
}

impl ReplyReader {
    /// Takes whole lines from `input`; a reply once its last line is there, `None` while more must come.
    ///
    /// A bare LF ends a line as CRLF does: replies carry no mail, and some old servers write them so.
    pub(super) fn take(&mut self, input: &mut BytesMut) -> Result<Option<Reply>, ReplyError> {
        while let Some(line) = self.take_line(input)? {
            if let Some(reply) = self.add(trim(&line))? {
                return Ok(Some(reply));
            }
        }
        Ok(None)
    }

    /// Whether no line of a reply has come yet whose other lines are due.
    pub(super) fn is_between(&self) -> bool {
        self.code.is_none()
    }

    fn take_line(&mut self, input: &mut BytesMut) -> Result<Option<BytesMut>, ReplyError> {
        let fresh = input.get(self.scanned..).unwrap_or_default();
        let end = memchr(b'\n', fresh).map(|at| self.scanned + at + 1);
        if end.unwrap_or(input.len()) > LINE_LIMIT {
            return Err(ReplyError::LineTooLong);
        }
        self.scanned = if end.is_some() { 0 } else { input.len() };
        Ok(end.map(|end| input.split_to(end)))
    }

    fn add(&mut self, line: &[u8]) -> Result<Option<Reply>, ReplyError> {
        let (code, more, text) = split(line).ok_or(ReplyError::NoCode)?;
        if self.code.is_some_and(|first| first != code) {
            return Err(ReplyError::MixedCodes);
        }
        if self.lines.len() == LINES_LIMIT {
            return Err(ReplyError::TooManyLines);
        }
        self.code = Some(code);
        self.keep(text);
        Ok((!more).then(|| self.finish(code)))
    }

    fn keep(&mut self, text: &[u8]) {
        // The keywords of an EHLO reply are short lines; what is cut away is prose.
        let room = TEXT_KEPT.saturating_sub(self.kept).max(64);
        let text = printable(text.get(..room.min(text.len())).unwrap_or_default());
        self.kept += text.len();
        self.lines.push(text);
    }

    fn finish(&mut self, code: u16) -> Reply {
        let mut lines = std::mem::take(self).lines;
        let enhanced = common_enhanced(&mut lines, code);
        Reply::heard(code, enhanced, lines)
    }
}

fn trim(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// `Reply-code [ SP textstring ]` or `Reply-code "-" [ textstring ]` (RFC 5321 section 4.2).
fn split(line: &[u8]) -> Option<(u16, bool, &[u8])> {
    let (digits, rest) = line.split_first_chunk::<3>()?;
    let [hundreds @ b'2'..=b'5', tens @ b'0'..=b'5', ones @ b'0'..=b'9'] = *digits else { return None };
    let code = u16::from(hundreds - b'0') * 100 + u16::from(tens - b'0') * 10 + u16::from(ones - b'0');
    match rest.split_first() {
        None => Some((code, false, rest)),
        Some((b' ', text)) => Some((code, false, text)),
        Some((b'-', text)) => Some((code, true, text)),
        Some(_) => None,
    }
}

/// Text of a peer as it may stand in a log: no control characters, no broken UTF-8.
fn printable(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// The enhanced code that begins the first line, if its class is that of `code`; it is cut from every line that has it.
///
/// A code of another class is stale text of some other server, and stays text.
fn common_enhanced(lines: &mut [String], code: u16) -> Option<Enhanced> {
    let word = lines.first()?.split(' ').next()?.to_owned();
    let enhanced = Enhanced::parse(&word).filter(|enhanced| u16::from(enhanced.0) == code / 100)?;
    for line in lines {
        if let Some(rest) = line.strip_prefix(&word) {
            *line = rest.trim_start().to_owned();
        }
    }
    Some(enhanced)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialogue::reply::Kind;

    fn read(octets: &[u8]) -> Result<Option<Reply>, ReplyError> {
        ReplyReader::default().take(&mut BytesMut::from(octets))
    }

    fn shown(octets: &[u8]) -> String {
        read(octets).expect("well formed").expect("whole").to_string()
    }

    #[test]
    fn a_reply_is_told_as_one_line() {
        let table: &[(&[u8], &str)] = &[
            (b"250 2.1.0 Ok\r\n", "250 2.1.0 Ok"),
            (b"250\r\n", "250"),
            (b"250 \r\n", "250"),
            (b"250-\r\n250 done\r\n", "250 done"),
            (b"250 Ok\n", "250 Ok"),
            (b"550-5.1.1 no such\r\n550 5.1.1 user\r\n", "550 5.1.1 no such user"),
            (b"550 5.7.2\r\n", "550 5.7.2"),
            // The class disagrees with the code: text.
            (b"550 2.1.5 Ok\r\n", "550 2.1.5 Ok"),
            (b"250 4.0 not a code\r\n", "250 4.0 not a code"),
            (b"450 4.1.8.2 too long\r\n", "450 4.1.8.2 too long"),
            (b"450 4.1000.2 too long\r\n", "450 4.1000.2 too long"),
            (b"250 a\0b\x1b[31m\xff\r\n", "250 a?b?[31m\u{fffd}"),
            (b"250 a\rb\r\n", "250 a?b"),
        ];
        for (octets, expected) in table {
            assert_eq!(shown(octets), *expected, "{}", octets.escape_ascii());
        }
    }

    #[test]
    fn what_is_no_reply_is_an_error() {
        let too_long = [b"250 ".as_slice(), &[b'x'; LINE_LIMIT]].concat();
        let too_many = b"250-x\r\n".repeat(LINES_LIMIT + 1);
        let table: &[(&[u8], ReplyError)] = &[
            (b"\r\n", ReplyError::NoCode),
            (b"25\r\n", ReplyError::NoCode),
            (b"5.7.2\r\n", ReplyError::NoCode),
            (b"999 x\r\n", ReplyError::NoCode),
            (b"199 x\r\n", ReplyError::NoCode),
            (b"260 x\r\n", ReplyError::NoCode),
            (b"2500 x\r\n", ReplyError::NoCode),
            (b"250x\r\n", ReplyError::NoCode),
            (b" 250 x\r\n", ReplyError::NoCode),
            (b"HTTP/1.1 400 Bad Request\r\n", ReplyError::NoCode),
            (b"\x16\x03\x01\n", ReplyError::NoCode),
            (b"250-x\r\n550 x\r\n", ReplyError::MixedCodes),
            (&too_long, ReplyError::LineTooLong),
            (&too_many, ReplyError::TooManyLines),
        ];
        for (octets, expected) in table {
            assert_eq!(read(octets), Err(*expected), "{}", octets.escape_ascii());
        }
    }

    #[test]
    fn an_enhanced_code_has_a_class_of_one_digit_and_others_of_three_at_most() {
        let read_of = |word: &str| read(format!("450 {word} x\r\n").as_bytes()).unwrap().unwrap().enhanced();
        assert_eq!(read_of("4.1.8"), Some(Enhanced(4, 1, 8)));
        assert_eq!(read_of("4.123.456"), Some(Enhanced(4, 123, 456)));
        for word in [
            "44.1.8", "4.1000.8", "4.1.1000", "4.x.8", "4.1.x", "4.1.8.", "4..8", "4.1.", ".1.8", "4.1",
            "5.1.8", "4.+1.8",
        ] {
            assert_eq!(read_of(word), None, "{word}");
        }
    }

    #[test]
    fn a_reply_may_have_as_many_lines_and_octets_in_them_as_the_limits_say() {
        let line = |octets: usize| [b"250 ".as_slice(), &vec![b'x'; octets - 6], b"\r\n"].concat();
        assert_eq!(read(&line(LINE_LIMIT)).unwrap().unwrap().code(), 250);
        assert_eq!(read(&line(LINE_LIMIT + 1)), Err(ReplyError::LineTooLong));
        // Nor does one get longer by not having ended.
        assert_eq!(read(&[b'2'; LINE_LIMIT]), Ok(None));
        assert_eq!(read(&[b'2'; LINE_LIMIT + 1]), Err(ReplyError::LineTooLong));
        let lines = |count: usize| [b"250-x\r\n".repeat(count - 1), b"250 x\r\n".to_vec()].concat();
        assert_eq!(read(&lines(LINES_LIMIT)).unwrap().unwrap().lines().len(), LINES_LIMIT);
        assert_eq!(read(&lines(LINES_LIMIT + 1)), Err(ReplyError::TooManyLines));
    }

    /// The first lines are kept up to the limit, and of those behind it as much as a keyword of EHLO may have.
    #[test]
    fn of_a_long_reply_the_beginning_is_kept_and_of_each_further_line_its_first_word() {
        let line = |code: &str| [code.as_bytes(), &[b'x'; 700], b"\r\n"].concat();
        let octets = [line("250-"), line("250-"), line("250-"), line("250 ")].concat();
        let reply = read(&octets).unwrap().unwrap();
        assert_eq!(reply.lines().iter().map(String::len).collect::<Vec<_>>(), [700, 300, 64, 64]);
    }

    #[test]
    fn the_first_digit_says_what_a_reply_is_and_421_that_it_is_the_last() {
        let reply = |code: u16| read(format!("{code}\r\n").as_bytes()).unwrap().unwrap();
        for (codes, kind) in [
            ([200, 250, 259], Kind::Success),
            ([300, 334, 354], Kind::Continue),
            ([400, 421, 459], Kind::Transient),
            ([500, 521, 559], Kind::Permanent),
        ] {
            for code in codes {
                assert_eq!((reply(code).kind(), reply(code).closes()), (kind, code == 421), "{code}");
                assert!(!reply(code).is_ours(), "{code}");
            }
        }
    }

    #[test]
    fn a_reply_cut_anywhere_reads_the_same() {
        let octets = b"250-one.example\r\n250-SIZE 1000\r\n250 PIPELINING\r\n";
        let whole = read(octets).unwrap().unwrap();
        for at in 0..octets.len() {
            let mut reader = ReplyReader::default();
            let mut input = BytesMut::from(&octets[..at]);
            assert_eq!(reader.take(&mut input), Ok(None), "{at}");
            input.extend_from_slice(&octets[at..]);
            assert_eq!(reader.take(&mut input).unwrap().unwrap(), whole, "{at}");
        }
    }

    #[test]
    fn one_reply_is_taken_at_a_time() {
        let mut input = BytesMut::from("250 a\r\n550 b\r\n2");
        let mut reader = ReplyReader::default();
        assert_eq!(reader.take(&mut input).unwrap().unwrap().code(), 250);
        assert_eq!(reader.take(&mut input).unwrap().unwrap().code(), 550);
        assert_eq!(reader.take(&mut input), Ok(None));
    }

    #[test]
    fn an_endless_reply_is_kept_short() {
        let line = [b"550-".as_slice(), &[b'x'; 2000], b"\r\n"].concat();
        let octets = [line.repeat(90), b"550 end\r\n".to_vec()].concat();
        assert!(shown(&octets).len() < TEXT_KEPT + LINES_LIMIT * 66);
    }
}
