//! Reads lists of mailboxes in header fields (RFC 5322 section 3.4) as their senders meant them.
//!
//! What is read here is judged by the address and then written anew from what was read, unless it came in a form that
//! has one reading everywhere ([`crate::plain_form`]). So it does no harm to be patient with what people and programs
//! write: nobody but us ever reads the original. [`Mailboxes::strict`] says whether patience was needed.
//!
//! What could mean two different addresses is not read: groups, routes, an address that something follows.

use types::Mailbox;

use crate::encoded_word;
use crate::lexer::{Kind, Token, Unclosed, lex};

/// A list that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mailboxes {
    pub(crate) members: Vec<Member>,
    /// The list is as RFC 5322 wants it written today, and has nothing that a simple reader might take for more.
    pub(crate) strict: bool,
}

/// One mailbox of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) mailbox: Mailbox,
    /// What is shown of its owner, decoded; empty if nothing is. Not yet safe to be written.
    pub(crate) name: String,
    /// The address that stands in the place of an unquoted name. Some readers show that one.
    pub(crate) named: Option<Mailbox>,
}

/// Why a list has not one reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// There is no address in it.
    #[error("has no address")]
    Empty,
    /// A quoted-string has no end.
    #[error("has a quote that is not closed")]
    OpenQuote,
    /// A comment has no end.
    #[error("has a bracket that is not closed")]
    OpenComment,
    /// A group (RFC 5322 section 3.4).
    #[error("has a group of addresses")]
    Group,
    /// There is a name, and no address.
    #[error("has a name and no address")]
    NameAlone,
    /// Something without an address where an address is due.
    #[error("has something in it that is no address")]
    NotAnAddress,
    /// More than one address where one is due.
    #[error("has more than one address")]
    Several,
    /// It would have one reading with patience, which is not wanted.
    #[error("is not a plain list of addresses")]
    Obsolete,
    /// Something stands where only one address in angle brackets can, at the end.
    #[error("has angle brackets that do not hold one address at the end")]
    AngleBrackets,
}

impl From<Unclosed> for ListError {
    fn from(unclosed: Unclosed) -> Self {
        match unclosed {
            Unclosed::Quote => Self::OpenQuote,
            Unclosed::Comment => Self::OpenComment,
        }
    }
}

/// `mailbox-list = mailbox *("," mailbox)`, read with patience.
pub(crate) fn read_mailboxes(value: &str) -> Result<Mailboxes, ListError> {
    // So most programs write it, and there is nothing to take apart.
    if let Ok(mailbox) = Mailbox::parse(value.trim_matches([' ', '\t'])) {
        let member = Member { mailbox, name: String::new(), named: None };
        return Ok(Mailboxes { members: vec![member], strict: true });
    }
    let (tokens, unclosed) = lex(value);
    let read = read_tokens(&tokens, unclosed.is_none());
    read.map_err(|error| unclosed.map_or(error, ListError::from))
}

/// The mailboxes of a list that need not have one reading: what stands between two commas is read by itself, and what is no mailbox is passed
/// over. Those in a group count (RFC 6854).
pub(crate) fn mailboxes_in(value: &str) -> Vec<Mailbox> {
    let (tokens, _) = lex(value);
    let mut mailboxes = Vec::with_capacity(1);
    for element in elements(&tokens) {
        let mut list = List::new(false);
        if list.add(element).is_ok() {
            mailboxes.extend(list.mailboxes.members.into_iter().map(|member| member.mailbox));
        }
    }
    mailboxes
}

/// What a list that is nothing but a name says: `root`, of whom no host is told.
pub(crate) fn read_name(value: &str) -> String {
    phrase(&lex(value).0)
}

fn read_tokens(tokens: &[Token<'_>], closed: bool) -> Result<Mailboxes, ListError> {
    let colon = at_top_level(tokens).any(|token| token.is(':'));
    if colon && at_top_level(tokens).any(|token| token.is(';')) {
        return Err(ListError::Group);
    }
    let strict = closed && tokens.iter().all(is_strict);
    let mut list = List::new(strict);
    for element in elements(tokens) {
        list.add(element)?;
    }
    list.finish()
}

/// A list while it is read.
struct List<'a> {
    mailboxes: Mailboxes,
    /// What stood before a comma and was no address: the beginning of the next one's name, such as `Care Team, Billing`.
    words: Vec<Token<'a>>,
}

impl<'a> List<'a> {
    fn new(strict: bool) -> Self {
        Self { mailboxes: Mailboxes { members: Vec::new(), strict }, words: Vec::new() }
    }

    fn add(&mut self, element: &[Token<'a>]) -> Result<(), ListError> {
        if element.iter().all(Token::is_cfws) {
            self.mailboxes.strict = false;
            return Ok(());
        }
        if let Some(member) = self.angle_addr(element)? {
            self.mailboxes.members.push(member);
            return Ok(());
        }
        if self.words.is_empty()
            && let Some(member) = self.bare_address(element)
        {
            self.mailboxes.members.push(member);
            return Ok(());
        }
        if element.iter().any(|token| token.is('@') || token.is('>')) {
            return Err(ListError::NotAnAddress);
        }
        self.mailboxes.strict = false;
        self.words.extend_from_slice(element);
        self.words.push(Token { kind: Kind::Special(','), text: "," });
        Ok(())
    }

    /// An addr-spec, or words of which one is an address: `Alice alice@example.org`.
    fn bare_address(&mut self, element: &[Token<'a>]) -> Option<Member> {
        if let Some(address) = addr_spec(element) {
            self.mailboxes.strict &= address.strict;
            return Some(address.member(element));
        }
        let at = element.iter().position(|token| token.is('@'))?;
        let (before, address) = element.split_at_checked(at.checked_sub(1)?)?;
        let (address, after) = address.split_at_checked(3)?;
        let others = [before, after].concat();
        let mailbox = addr_spec(address).filter(|address| address.strict)?.mailbox;
        if others.iter().any(|token| token.is('@') || token.is('>')) {
            return None;
        }
        self.mailboxes.strict = false;
        Some(Member { mailbox, name: phrase(&others), named: None })
    }

    /// `name-addr = [display-name] angle-addr`; nothing if there are no angle brackets. What stands behind them belongs to the name, if
    /// it can't be an address.
    fn angle_addr(&mut self, element: &[Token<'a>]) -> Result<Option<Member>, ListError> {
        let Some(open) = element.iter().position(|token| token.is('<')) else { return Ok(None) };
        let close = element.iter().position(|token| token.is('>')).filter(|close| *close > open);
        let close = close.ok_or(ListError::AngleBrackets)?;
        let before = element.get(..open).unwrap_or_default();
        let inside = element.get(open + 1..close).unwrap_or_default();
        let after = element.get(close + 1..).unwrap_or_default();
        if after.iter().any(|token| token.is('<') || token.is('>') || token.is('@')) {
            return Err(ListError::AngleBrackets);
        }
        let is_empty = |tokens: &[Token<'_>]| tokens.iter().all(Token::is_cfws);
        if is_empty(inside) && self.mailboxes.members.is_empty() {
            let nothing = is_empty(before) && is_empty(after) && self.words.is_empty();
            return Err(if nothing { ListError::Empty } else { ListError::NameAlone });
        }
        let address = addr_spec(inside).ok_or(ListError::AngleBrackets)?;
        // White space around the address within its brackets is in today's grammar, but few readers know it.
        let tight = !inside.iter().any(Token::is_cfws);
        self.mailboxes.strict &= address.strict && tight && is_empty(after) && is_strict_phrase(before);
        let named = addr_spec(before).filter(|named| self.words.is_empty() && is_public(&named.mailbox));
        let mut name = std::mem::take(&mut self.words);
        name.extend_from_slice(before);
        if !is_empty(after) {
            name.extend_from_slice(after);
        }
        let (mailbox, named) = (address.mailbox, named.map(|address| address.mailbox));
        Ok(Some(Member { mailbox, name: phrase(&name), named }))
    }

    fn finish(self) -> Result<Mailboxes, ListError> {
        match (self.words.is_empty(), self.mailboxes.members.is_empty()) {
            (false, true) => Err(ListError::NameAlone),
            (false, false) => Err(ListError::NotAnAddress),
            (true, true) => Err(ListError::Empty),
            (true, false) => Ok(self.mailboxes),
        }
    }
}

/// Whether an address can be one that somebody knows: `Scanner@3rd-floor` is but a name.
fn is_public(mailbox: &Mailbox) -> bool {
    mailbox.host().domain().is_none_or(|domain| domain.as_str().contains('.'))
}

/// Tokens outside of angle brackets, and these.
fn at_top_level<'a, 't>(tokens: &'t [Token<'a>]) -> impl Iterator<Item = &'t Token<'a>> {
    let mut inside = false;
    tokens.iter().filter(move |token| {
        let outside = !inside || token.is('>');
        inside = (inside || token.is('<')) && !token.is('>');
        outside
    })
}

/// The list cut at its commas, and at semicolons, which some programs write between addresses.
fn elements<'a, 't>(tokens: &'t [Token<'a>]) -> impl Iterator<Item = &'t [Token<'a>]> {
    let mut inside = false;
    tokens.split(move |token| {
        inside = (inside || token.is('<')) && !token.is('>');
        !inside && (token.is(',') || token.is(';'))
    })
}

/// An addr-spec that was read.
struct AddrSpec {
    mailbox: Mailbox,
    strict: bool,
}

impl AddrSpec {
    /// Without a name, what a comment says is taken for it: `root@host (Cron Daemon)`.
    fn member(self, element: &[Token<'_>]) -> Member {
        let comments = element.iter().filter(|token| token.kind == Kind::Comment);
        let name = comments.map(Token::content).collect::<Vec<_>>().join(" ");
        Member { mailbox: self.mailbox, name: encoded_word::decode(&name), named: None }
    }
}

/// `addr-spec = local-part "@" domain`, with white space and comments between its tokens (RFC 5322 section 4.4).
fn addr_spec(tokens: &[Token<'_>]) -> Option<AddrSpec> {
    let first = tokens.iter().position(|token| !token.is_cfws())?;
    let last = tokens.iter().rposition(|token| !token.is_cfws())?;
    let tokens = tokens.get(first..=last)?;
    let at = tokens.iter().position(|token| token.is('@'))?;
    let (local_part, domain) = (tokens.get(..at)?, tokens.get(at + 1..)?);
    let text = format!("{}@{}", joined(local_part)?, joined(domain)?);
    // The root's dot behind a domain is no part of it.
    let rooted = text.strip_suffix('.');
    let mailbox = Mailbox::parse(rooted.unwrap_or(&text)).ok()?;
    Some(AddrSpec { mailbox, strict: rooted.is_none() && !tokens.iter().any(Token::is_cfws) })
}

/// The text of tokens without what stands between them; nothing if that was between two words, which are then no one
/// word.
fn joined(tokens: &[Token<'_>]) -> Option<String> {
    let mut text = String::new();
    let mut spaced = false;
    for token in tokens {
        if token.is_cfws() {
            spaced = true;
            continue;
        }
        let apart = spaced && !text.is_empty() && !text.ends_with('.') && !token.text.starts_with('.');
        if apart && !token.is(']') && !text.ends_with('[') {
            return None;
        }
        match token.kind {
            Kind::Quoted => text.push_str(&requoted(&token.content())),
            _ => text.push_str(token.text),
        }
        spaced = false;
    }
    Some(text)
}

fn requoted(content: &str) -> String {
    let mut quoted = String::from("\"");
    for c in content.chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

/// What a display-name says, decoded.
fn phrase(tokens: &[Token<'_>]) -> String {
    let mut text = String::new();
    for token in tokens {
        match token.kind {
            Kind::Blank | Kind::Comment => text.push(' '),
            Kind::Quoted => text.push_str(&token.content()),
            Kind::Word | Kind::Special(_) => text.push_str(token.text),
        }
    }
    encoded_word::decode(text.trim())
}

/// Whether a token can stand in a list as RFC 5322 wants it written today, and is nothing that a reader who knows no
/// comments, or no encoded-words, would take for more.
fn is_strict(token: &Token<'_>) -> bool {
    match token.kind {
        Kind::Blank => true,
        Kind::Word => token.text.chars().all(crate::lexer::is_word),
        Kind::Special(special) => matches!(special, ',' | '<' | '>' | '@' | '[' | ']' | ':'),
        Kind::Quoted => !token.text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\r' | '\n')),
        Kind::Comment => {
            let inside = token.text.get(1..token.text.len().saturating_sub(1)).unwrap_or_default();
            !inside.contains(|c: char| {
                matches!(c, '(' | '"' | '\\' | '@' | '<' | '>')
                    || (c.is_control() && !matches!(c, '\t' | '\r' | '\n'))
            })
        }
    }
}

/// `phrase = 1*word`, of which only the words behind the first may have dots (RFC 5322 section 4.1), or nothing.
fn is_strict_phrase(tokens: &[Token<'_>]) -> bool {
    let dotted =
        tokens.iter().find(|token| !token.is_cfws()).is_some_and(|first| first.text.starts_with('.'));
    !dotted && !tokens.iter().any(|token| matches!(token.kind, Kind::Special(_)))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;

    use super::*;

    fn read(value: &str) -> Result<Vec<String>, ListError> {
        let list = read_mailboxes(value)?;
        Ok(list.members.iter().map(|member| member.mailbox.to_string()).collect())
    }

    #[test]
    fn what_clients_write_is_read() {
        for (value, mailboxes) in [
            ("me@x", &["me@x"][..]),
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
            assert!(read_mailboxes(value).unwrap().strict, "{value:?}");
        }
    }

    #[test]
    fn what_people_and_programs_write_is_read_with_patience() {
        for (value, mailboxes, name) in [
            (" Alice < me@x >", &["me@x"][..], "Alice"),
            (" <me @ x>", &["me@x"], ""),
            (" me (c) . too@(d)x . y", &["me.too@x.y"], "c d"),
            (" <me@x(c)>", &["me@x"], ""),
            (" Nulty [Site Name] <me@x>", &["me@x"], "Nulty [Site Name]"),
            (" Care Team, Billing <me@x>", &["me@x"], "Care Team, Billing"),
            (" Doe, John <a@x>, Roe, Jane <b@x>", &["a@x", "b@x"], "Doe, John"),
            (" Sales @ Work <me@x>", &["me@x"], "Sales @ Work"),
            (" @home <me@x>", &["me@x"], "@home"),
            (" Re: you <me@x>", &["me@x"], "Re: you"),
            (" a\\b;c <me@x>", &["me@x"], "a\\b,c"),
            (" .a <me@x>", &["me@x"], ".a"),
            (" root@x (Cron Daemon)", &["root@x"], "Cron Daemon"),
            (" me@x (a(b)) ", &["me@x"], "a(b)"),
            (" (you@y) me@x", &["me@x"], "you@y"),
            (" me@x; you@x;", &["me@x", "you@x"], ""),
            (" me@x,,you@x,", &["me@x", "you@x"], ""),
            (" a\u{7}\u{a0}b <me@x>", &["me@x"], "a\u{7}\u{a0}b"),
            (" =?utf-8?q?a,_(b?= <me@x>", &["me@x"], "a, (b"),
            (" \"Alice <me@x>", &["me@x"], "\"Alice"),
            (" Alice (home <me@x>", &["me@x"], "Alice (home"),
            (" <me@x> Alice", &["me@x"], "Alice"),
            (" Alice <me@x> \"B\"", &["me@x"], "Alice  B"),
            (" Alice me@x", &["me@x"], "Alice"),
            (" me@x Alice", &["me@x"], "Alice"),
            (" \"you@y\" me@x", &["me@x"], "you@y"),
            (" g:me@x", &["me@x"], "g:"),
            (" <me@x.y.>", &["me@x.y"], ""),
            (" my_pc@my_pc.example", &["my_pc@my_pc.example"], ""),
        ] {
            let list = read_mailboxes(value).unwrap();
            assert_eq!(read(value).unwrap(), mailboxes, "{value:?}");
            assert_eq!(list.members[0].name, name, "{value:?}");
        }
    }

    #[test]
    fn mailboxes_are_found_among_what_has_not_one_reading() {
        for (value, mailboxes) in [
            (" me@x", &["me@x"][..]),
            (" \"victim@x\" <me@x>", &["me@x"]),
            (" Team: a@x, B <b@y> ;", &["a@x", "b@y"]),
            (" victim@x me@x, b@y", &["b@y"]),
            (" <victim@x> <me@x>, b@y", &["b@y"]),
            (" Alice <@victim:me@x>", &[]),
            (" \"b, a@x", &["a@x"]),
            (" Team:;", &[]),
            (" root", &[]),
            ("", &[]),
        ] {
            let found = mailboxes_in(value);
            assert_eq!(found.iter().map(Mailbox::to_string).collect::<Vec<_>>(), mailboxes, "{value:?}");
        }
    }

    #[test]
    fn obsolete_forms_are_told_from_strict_ones() {
        for value in [
            " < me@x>",
            " me @x",
            " [a] <me@x>",
            " a, b <me@x>",
            " me@x (a(b))",
            " me@x (b@y)",
            " me@x (\"a\")",
            " me@x,",
            " ,me@x",
            " .a <me@x>",
            " a\u{a0}<me@x>",
            " a@x <me@x>",
            " =?u?q?(?= <me@x>",
            " me@x;",
        ] {
            assert!(!read_mailboxes(value).unwrap().strict, "{value:?}");
        }
    }

    #[test]
    fn an_address_in_the_place_of_a_name_is_told() {
        let named =
            |value: &str| read_mailboxes(value).unwrap().members[0].named.as_ref().map(Mailbox::to_string);
        assert_eq!(named(" you@y.z <me@x>").as_deref(), Some("you@y.z"));
        assert_eq!(named(" you @ y . z (c) <me@x>").as_deref(), Some("you@y.z"));
        for value in [" \"you@y\" <me@x>", " you@y team <me@x>", " you <me@x>", " (you@y) <me@x>"] {
            assert_eq!(named(value), None, "{value:?}");
        }
    }

    #[test]
    fn env_03_what_could_mean_two_addresses_is_not_read() {
        use ListError::{AngleBrackets, Empty, Group, NameAlone, NotAnAddress, OpenComment, OpenQuote};
        for (value, error) in [
            ("", Empty),
            ("\r\n ", Empty),
            (",", Empty),
            ("()", Empty),
            ("<>", Empty),
            (" < > ", Empty),
            ("Alice <>", NameAlone),
            ("<@>", AngleBrackets),
            ("(a) b", NameAlone),
            ("Alice", NameAlone),
            ("\"me@x\"", NameAlone),
            ("me@", NotAnAddress),
            ("@x", NotAnAddress),
            ("g: me@x;", Group),
            ("undisclosed-recipients:;", Group),
            ("g: a@x, b <me@x>;", Group),
            ("<victim@x> <me@x>", AngleBrackets),
            ("<victim@x>me@x", AngleBrackets),
            ("victim@x me@x", NotAnAddress),
            ("<me@x>,victim", NotAnAddress),
            ("victim, me@x", NotAnAddress),
            ("victim@x, <me@x", AngleBrackets),
            ("me@x>", NotAnAddress),
            ("<<me@x>>", AngleBrackets),
            ("<victim@x,me@x>", AngleBrackets),
            ("<me@x victim@x>", AngleBrackets),
            ("me@x@y", NotAnAddress),
            ("<@victim:me@x>", AngleBrackets),
            ("a <@victim.example:me@x>", AngleBrackets),
            ("me@x, (", OpenComment),
            ("me@x, \"b", OpenQuote),
            ("\"\"@x", NotAnAddress),
            ("me\u{200b}@x", NotAnAddress),
            ("\u{202e}me@x", NotAnAddress),
            ("=?utf-8?q?victim=40x=3e?=@x", NotAnAddress),
            ("me@[127.0.0.1", NotAnAddress),
            ("me@-x", NotAnAddress),
        ] {
            assert_eq!(read(value), Err(error), "{value:?}");
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
            let _ = mailboxes_in(&part.repeat(64 * 1024 / part.len()));
        }
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(value in "\\PC{0,60}|([ab@x,<>()\"\\\\. ]|\r\n ){0,30}") {
            let _ = read(&value);
            let _ = mailboxes_in(&value);
        }

        #[test]
        fn display_names_do_not_change_addresses(name in "([a-zA-Z][a-zA-Z0-9 .é=?_-]{0,20})?", quoted in "[ !#-\\[\\]-~é]{0,20}", host in "[a-z]{1,9}") {
            let value = format!(" {name} \"{quoted}\" <me@{host}>,\r\n you@{host} (x)");
            prop_assert_eq!(read(&value).unwrap(), [format!("me@{host}"), format!("you@{host}")]);
        }
    }
}
