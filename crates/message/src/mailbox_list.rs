//! Reads lists of mailboxes in header fields (RFC 5322 section 3.4), and only those that have one reading.
//!
//! Comments, folding, display names, quoted strings and encoded-words are understood. What some reader might
//! take for another address is not accepted: groups, routes, empty elements, white space or comments inside of
//! an address, comments that nest or have an at sign, bare at signs in display names.

use types::{Mailbox, ReversePath};

/// The list could not be read, or could be read in two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unreadable;

/// `mailbox-list = mailbox *("," mailbox)`
pub(crate) fn read_mailboxes(value: &str) -> Result<Vec<Mailbox>, Unreadable> {
    let mut mailboxes = Vec::with_capacity(1);
    let mut rest = value;
    loop {
        let (mailbox, after) = take_mailbox(rest)?;
        mailboxes.push(mailbox);
        rest = match after.strip_prefix(',') {
            Some(next) => next,
            None if after.is_empty() => return Ok(mailboxes),
            None => return Err(Unreadable),
        };
    }
}

/// `mailbox = name-addr / addr-spec`, with the white space and comments around it.
fn take_mailbox(input: &str) -> Result<(Mailbox, &str), Unreadable> {
    let start = skip_cfws(input)?;
    let mut rest = start;
    loop {
        if let Some(opened) = rest.strip_prefix('<') {
            return take_angle_addr(rest, opened);
        }
        let after = skip_word(rest)?;
        if after.starts_with('@') {
            // An address that follows other words is none: it must be the first word.
            return if rest.len() == start.len() { take_addr_spec(start) } else { Err(Unreadable) };
        }
        rest = skip_cfws(after)?;
    }
}

/// `angle-addr = "<" addr-spec ">"`, without the obsolete route.
fn take_angle_addr<'a>(angle: &'a str, opened: &str) -> Result<(Mailbox, &'a str), Unreadable> {
    if opened.starts_with('@') {
        return Err(Unreadable);
    }
    match ReversePath::take(angle) {
        Ok((ReversePath::Mailbox(mailbox), rest)) => Ok((mailbox, skip_cfws(rest)?)),
        Ok((ReversePath::Null, _)) | Err(_) => Err(Unreadable),
    }
}

/// `addr-spec`, whose local part is known to be followed by `@`.
fn take_addr_spec(input: &str) -> Result<(Mailbox, &str), Unreadable> {
    let host = skip_word(input)?.strip_prefix('@').ok_or(Unreadable)?;
    let host_length = match host.strip_prefix('[') {
        Some(literal) => literal.find(']').map(|end| end.saturating_add(2)),
        None => host.find([' ', '\t', '\r', ',', '(']),
    };
    let rest = host_length.map_or("", |length| host.get(length..).unwrap_or_default());
    let addr_spec = input.get(..input.len().saturating_sub(rest.len())).unwrap_or_default();
    let mailbox = Mailbox::parse(addr_spec).map_err(|_| Unreadable)?;
    Ok((mailbox, skip_cfws(rest)?))
}

/// `word = atom / quoted-string`. An atom may have dots, which display names had before quotes were asked for.
fn skip_word(input: &str) -> Result<&str, Unreadable> {
    if let Some(quoted) = input.strip_prefix('"') {
        return skip_quoted(quoted);
    }
    let rest = input.trim_start_matches(is_word);
    if rest.len() == input.len() { Err(Unreadable) } else { Ok(rest) }
}

/// The rest after a quoted string whose opening quote was taken.
fn skip_quoted(quoted: &str) -> Result<&str, Unreadable> {
    let mut chars = quoted.chars();
    loop {
        match chars.next() {
            Some('"') => return Ok(chars.as_str()),
            Some('\\') => match chars.next() {
                Some(' '..='~') => {}
                _ => return Err(Unreadable),
            },
            Some('\r' | '\n' | '\t') => {}
            Some(c) if !c.is_control() => {}
            _ => return Err(Unreadable),
        }
    }
}

/// Skips white space, line folds and comments.
pub(crate) fn skip_cfws(input: &str) -> Result<&str, Unreadable> {
    let mut rest = input;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        match rest.strip_prefix('(') {
            Some(comment) => rest = skip_comment(comment)?,
            None => return Ok(rest),
        }
    }
}

/// The rest after a comment whose opening bracket was taken. What could be another comment, a quoted string or
/// an address to a reader who knows no comments is not accepted within.
fn skip_comment(comment: &str) -> Result<&str, Unreadable> {
    let (text, rest) = comment.split_once(')').ok_or(Unreadable)?;
    let ambiguous = |c: char| matches!(c, '(' | '"' | '\\' | '@' | '<' | '>');
    let foreign = |c: char| c.is_control() && !matches!(c, '\t' | '\r' | '\n');
    if text.contains(|c| ambiguous(c) || foreign(c)) { Err(Unreadable) } else { Ok(rest) }
}

/// `atext` of RFC 5322 section 3.2.3 and RFC 6532 section 3.2, or a dot.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || "!#$%&'*+-/=?^_`{|}~.".contains(c)
        || (!c.is_ascii() && !c.is_control() && !c.is_whitespace())
}
