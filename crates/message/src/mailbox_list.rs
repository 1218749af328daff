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
    // Even obsolete phrases have dots only after their first word.
    if start.starts_with('.') {
        return Err(Unreadable);
    }
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

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;

    use super::*;

    fn read(value: &str) -> Result<Vec<String>, Unreadable> {
        Ok(read_mailboxes(value)?.iter().map(Mailbox::to_string).collect())
    }

    #[test]
    fn what_clients_write_is_read() {
        for (value, mailboxes) in [
            ("me@x", &["me@x"][..]),
            ("me.@x", &["me.@x"]),
            ("Me <m..e@x>", &["m..e@x"]),
            (" <me@x>", &["me@x"]),
            (" Alice <me@x> ", &["me@x"]),
            (" Alice<me@x>", &["me@x"]),
            (" John Q. Public <me@x>", &["me@x"]),
            (" J.R. <me@x>", &["me@x"]),
            (" \"Public, John\" <me@x>", &["me@x"]),
            (" \"a \\\"b\\\" c\" <me@x>", &["me@x"]),
            (" \"\" <me@x>", &["me@x"]),
            (" \"me@x\" <me@x>", &["me@x"]),
            (" \"(not a comment\" <me@x>", &["me@x"]),
            (" \"<other@x>\" <me@x>", &["me@x"]),
            (" =?utf-8?Q?J=C3=B6rg?= =?utf-8?B?w7Y=?=\r\n <me@x>", &["me@x"]),
            ("\r\n me@x", &["me@x"]),
            ("\r\n Alice\r\n\t<me@x>\r\n ", &["me@x"]),
            (" \"Alice\r\n Smith\" <me@x>", &["me@x"]),
            (" me@x (Alice)", &["me@x"]),
            (" me@x(Alice)", &["me@x"]),
            (" (Alice) me@x", &["me@x"]),
            (" Alice (at home, now) Smith <me@x> (x)", &["me@x"]),
            (
                " a@x, b@y,\r\n\t\"C, D\" <c@z> , (e) <d@[192.0.2.1]>,e@[IPv6:::1] (f)",
                &["a@x", "b@y", "c@z", "d@[192.0.2.1]", "e@[IPv6:::1]"],
            ),
            (" \"a b\"@x", &["\"a b\"@x"]),
            (" \"victim@x x\"@me", &["\"victim@x x\"@me"]),
            (" <\"a>b\"@x>", &["\"a>b\"@x"]),
            (" <\"a,b@c\"@x>, d@x", &["\"a,b@c\"@x", "d@x"]),
            (" Jörg Müller <jörg@müller.example>", &["jörg@müller.example"]),
            (" 山田 <me@x>", &["me@x"]),
        ] {
            assert_eq!(read(value).unwrap(), mailboxes, "{value:?}");
        }
    }

    #[test]
    fn env_03_what_could_be_read_in_two_ways_is_not_read() {
        for value in [
            // nothing, or empty elements
            "",
            " ",
            "\r\n ",
            ",",
            "me@x,",
            ",me@x",
            "me@x,,me@x",
            "<>",
            "<@>",
            "()",
            "(a)",
            "Alice",
            "\"me@x\"",
            "Alice <>",
            "me",
            "me@",
            "@x",
            // groups
            "g: me@x;",
            "undisclosed-recipients:;",
            "me@x;",
            "a:b@x",
            "g:me@x",
            "\"g\": <me@x>;",
            // two addresses where one should be
            "<victim@x> <me@x>",
            "<victim@x>me@x",
            "me@x <victim@x>",
            "victim@x <me@x>",
            "victim@x me@x",
            "me@x victim@x",
            "<me@x>,victim",
            "a victim@x <me@x>",
            "a me@x",
            "\"a\" me@x",
            "<me@x> a",
            "<me@x>\"victim@x\"",
            "me@x \"victim@x\"",
            "victim@x, <me@x",
            "me@x>",
            "<<me@x>>",
            "<victim@x,me@x>",
            "<me@x victim@x>",
            "<\"a\"<victim@x>me@x>",
            "\"a\"@x@y",
            "me@x@y",
            "a@b@x <me@x>",
            "\"a\"b@x",
            // routes
            "<@victim:me@x>",
            "<@a,@b:me@x>",
            "a <@victim.example:me@x>",
            // white space and comments inside of an address
            "me @x",
            "me@ x",
            "me@x .y",
            "me. you@x",
            "me(c)@x",
            "me@(c)x",
            "< me@x>",
            "<me@x >",
            "<me@x(c)>",
            "<(c)me@x>",
            "<me\r\n @x>",
            "me@\r\n x",
            "\"me\" @x",
            "<me@x\r\n >",
            "me(\"@victim\")@x",
            // comments
            "me@x (",
            "me@x )",
            "me@x (a(b))",
            "((a)) me@x",
            "(a) me@x (",
            "(a\\) me@x",
            "(<victim@x>) me@x",
            "(victim@x) <me@x>",
            "me@x (\"a\")",
            "(a\") <victim@x> (b\") <me@x>",
            "me@x)victim@x",
            "()victim@x()me@x",
            "(a\x07) me@x",
            // quotes
            "\"a <me@x>",
            "a\" <me@x>",
            "\"a\\\" <me@x>",
            "\"a\\é\" <me@x>",
            "\"a\x07\" <me@x>",
            "\"a\x7f\" <me@x>",
            "\"\"@x",
            // characters that have no place
            "a\u{7} <me@x>",
            "a\x1b[2J <me@x>",
            "[a] <me@x>",
            "a\\b <me@x>",
            "a;b <me@x>",
            "a:b <me@x>",
            "a\u{a0}<me@x>",
            "a\u{3000}b <me@x>",
            "me@x\u{a0}",
            "me@x\u{2024}y",
            "me@x\u{3002}y",
            "me\u{200b}@x",
            "\u{202e}me@x",
            "=?utf-8?q?victim=40x=3e?=@x",
            "me@x.",
            "me@.x",
            "me@x..y",
            ".<me@x>",
            "... a <me@x>",
            ".me@x",
            ".<me@x>",
            "(c). a <me@x>",
            "me@[127.0.0.1",
            "me@127.0.0.1]",
            "me@[x]",
            "me@x_y",
            "me@xn--example-.org",
            "me@-x",
        ] {
            assert_eq!(read(value), Err(Unreadable), "{value:?}");
        }
    }

    #[test]
    fn res_06_the_worst_lists_are_read_in_a_moment() {
        let started = Instant::now();
        for part in [
            "(", "a@x,", "\"", "<", "a ", "(a)", "\\", ",", "a@", "a@[", "\"a\"", "<a@x>", "=?", ".", "@",
            "a@x(b),", ";a*0=",
        ] {
            let _ = read(&part.repeat(64 * 1024 / part.len()));
            let _ = read(&("\"".to_owned() + &part.repeat(64 * 1024 / part.len())));
        }
        assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(value in "\\PC{0,60}|([ab@x,<>()\"\\\\. ]|\r\n ){0,30}") {
            let _ = read(&value);
        }

        #[test]
        fn every_at_sign_outside_of_quotes_is_in_an_address_that_is_told(value in "([abx@,<>(). ]|\r\n |a@x|<b@x>|, ){0,20}") {
            if let Ok(mailboxes) = read(&value) {
                prop_assert_eq!(value.matches('@').count(), mailboxes.len());
                for mailbox in mailboxes {
                    prop_assert!(value.contains(&mailbox), "{} in {:?}", mailbox, value);
                }
            }
        }

        #[test]
        fn display_names_do_not_change_addresses(name in "([a-zA-Z][a-zA-Z0-9 .é=?_-]{0,20})?", quoted in "[ !#-\\[\\]-~é]{0,20}", host in "[a-z]{1,9}") {
            let value = format!(" {name} \"{quoted}\" <me@{host}>,\r\n you@{host} (x)");
            prop_assert_eq!(read(&value).unwrap(), [format!("me@{host}"), format!("you@{host}")]);
        }
    }
}
