//! Writes a list of mailboxes in the one form that every reader reads alike.

use types::Mailbox;

use crate::encoded_word::{self, Charset};
use crate::mailbox_list::Member;
use crate::plain_form::{is_odd, looks_encoded, special};

/// The most octets of a line. RFC 5322 section 2.1.1 recommends 78.
const LINE: usize = 78;

/// Names of more octets are written as encoded-words, which can be folded; a quoted-string can't.
const LONGEST_QUOTED: usize = 120;

/// The value of a field with these mailboxes, with the blank at its beginning and without its last CRLF. `column` is where
/// it begins; `own` says which addresses may stand in a name, being the author's own.
pub(crate) fn write(members: &[Member], column: usize, own: &dyn Fn(&Mailbox) -> bool) -> String {
    let mut value = String::new();
    let mut column = column;
    for (number, member) in members.iter().enumerate() {
        if number > 0 {
            value.push(',');
        }
        let written = write_member(member, column + 1, own);
        let first_line = written.split("\r\n").next().unwrap_or_default().len();
        let folds = number > 0 && column + first_line > LINE;
        value.push_str(if folds { "\r\n " } else { " " });
        value.push_str(&written);
        let last_line = value.rsplit("\r\n").next().unwrap_or_default().len();
        column = if value.contains("\r\n") { last_line } else { column + last_line };
    }
    value
}

fn write_member(member: &Member, column: usize, own: &dyn Fn(&Mailbox) -> bool) -> String {
    let (name, mailbox) = (harmless(&member.name, own), &member.mailbox);
    if name.is_empty() {
        return mailbox.to_string();
    }
    let phrase = write_phrase(&name, column);
    let line = phrase.rsplit("\r\n").next().unwrap_or_default().len();
    let begin = if phrase.contains("\r\n") { 0 } else { column };
    let blank = if begin + line + mailbox.to_string().len() + 3 > LINE { "\r\n " } else { " " };
    format!("{phrase}{blank}<{mailbox}>")
}

fn write_phrase(name: &str, column: usize) -> String {
    let is_atom =
        |word: &str| word.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c));
    if fits_quotes(name) {
        return if name.split(' ').all(is_atom) { name.to_owned() } else { format!("\"{name}\"") };
    }
    encoded_word::encode(name, Charset::Utf8, column)
}

fn fits_quotes(name: &str) -> bool {
    name.is_ascii() && name.len() <= LONGEST_QUOTED
}

/// The name without anything that a reader could take for the end of it: specials become blanks, and `@` becomes ` at `. Only in
/// quotes may an address of the author's own stay as it is.
fn harmless(name: &str, own: &dyn Fn(&Mailbox) -> bool) -> String {
    let keeps = |word: &&str| fits_quotes(name) && Mailbox::parse(word).is_ok_and(|address| own(&address));
    let words = words(name).map(|word| if keeps(&word) { word.to_owned() } else { disarmed(word) });
    let mut harmless = words.collect::<Vec<_>>().join(" ");
    while looks_encoded(&harmless) {
        harmless = harmless.replace("=?", " ").replace("?=", " ");
    }
    harmless.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

fn disarmed(word: &str) -> String {
    word.split(|c| special(c) == Some('@')).collect::<Vec<_>>().join(" at ")
}

/// The words of a name: what stands between blanks and specials other than `@`.
fn words(name: &str) -> impl Iterator<Item = &str> {
    let ends = |c: char| c.is_whitespace() || is_odd(c) || special(c).is_some_and(|special| special != '@');
    name.split(ends).filter(|word| !word.is_empty())
}

/// The addresses in a name, which may stay there if they are the author's own.
pub(crate) fn addresses_in(name: &str) -> impl Iterator<Item = Mailbox> {
    words(name).filter(|word| word.contains('@')).filter_map(|word| Mailbox::parse(word).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::mailbox_list::read_mailboxes;
    use crate::plain_form::is_plain;

    fn is_own(mailbox: &Mailbox) -> bool {
        mailbox.to_string() == "me@gp.test"
    }

    fn anew(value: &str) -> String {
        write(&read_mailboxes(value).unwrap().members, 5, &is_own)
    }

    #[test]
    fn names_are_written_so_that_they_end_where_they_should() {
        for (value, written) in [
            ("me@gp.test", " me@gp.test"),
            (" <me@gp.test>", " me@gp.test"),
            (" Alice  B.<me@gp.test>", " \"Alice B.\" <me@gp.test>"),
            (" me@gp.test <me@gp.test>", " \"me@gp.test\" <me@gp.test>"),
            (" Boss (me@gp.test) <me@gp.test>", " Boss <me@gp.test>"),
            (" \"Doe, John\" <me@gp.test>", " Doe John <me@gp.test>"),
            (" \"ceo@bank.test\\\\\" <me@gp.test>", " \"ceo at bank.test\" <me@gp.test>"),
            (" \"ceo@bank.test\r\n \" <me@gp.test>", " \"ceo at bank.test\" <me@gp.test>"),
            (" =?utf-8?q?ceo=40bank=2Etest?= <me@gp.test>", " \"ceo at bank.test\" <me@gp.test>"),
            (
                " The Boss =?----- \"<ceo@bank.test> (\" =?x?q??= <me@gp.test>",
                " \"The Boss ----- ceo at bank.test x?q?\" <me@gp.test>",
            ),
            (" =?utf-8?q?=3D=3Futf-8=3Fq=3Fa=3F=3D?= <me@gp.test>", " utf-8?q?a <me@gp.test>"),
            (" Jörg <me@gp.test>", " =?utf-8?q?J=C3=B6rg?= <me@gp.test>"),
            (" \u{202e}gpj <me@gp.test>", " gpj <me@gp.test>"),
            (
                " ceo\u{ff20}bank.test\u{ff1c}é <me@gp.test>",
                " =?utf-8?q?ceo_at_bank=2Etest_=C3=A9?= <me@gp.test>",
            ),
            (" é me@gp.test <me@gp.test>", " =?utf-8?q?=C3=A9_me_at_gp=2Etest?= <me@gp.test>"),
            (" a@b, \"c.\"<d@e>", " a@b, \"c.\" <d@e>"),
            (" me@gp.test (me@gp.test)", " \"me@gp.test\" <me@gp.test>"),
            (" \"x\"@gp.test", " x@gp.test"),
            (" \"x y\"@gp.test (z)", " z <\"x y\"@gp.test>"),
        ] {
            assert_eq!(anew(value), written, "{value:?}");
        }
    }

    #[test]
    fn long_lists_are_folded_between_their_members() {
        let written = anew(&["Somebody Else <somebody.else@example.org>"; 9].join(","));
        assert!(is_plain(&written) && written.split("\r\n").all(|line| line.len() <= LINE), "{written}");
        let long = anew(&format!("\"{}\" <me@gp.test>", "a.b ".repeat(100)));
        assert!(is_plain(&long) && long.split("\r\n").all(|line| line.len() <= LINE), "{long}");
    }

    proptest! {
        #[test]
        fn what_is_written_is_plain_and_has_the_same_addresses(
            names in proptest::collection::vec("([a@<>(),;:\"\\\\.é=?_ \u{202e}]|=\\?utf-8\\?q\\?a=40?\\?=){0,20}", 1..4),
        ) {
            let members: Vec<Member> = names.iter().map(|name| Member {
                mailbox: Mailbox::parse("me@gp.test").unwrap(),
                name: name.clone(),
                named: None,
            }).collect();
            let written = write(&members, 5, &is_own);
            prop_assert!(is_plain(&written), "{written:?}");
            prop_assert_eq!(read_mailboxes(&written).unwrap().members.len(), names.len());
            prop_assert!(written.matches('@').count() == names.len() || names.iter().any(|name| name.contains("me@gp.test")));
        }
    }
}
