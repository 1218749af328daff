//! The parameters of Content-Type and Content-Disposition (RFC 2045 section 5.1), written so that they can travel (RFC 2231).

use std::collections::BTreeSet;

use crate::encoded_word::Charset;
use crate::lexer::{Kind, lex};

/// Octets of a section of a value, so that its line is well below 78.
const SECTION: usize = 40;

/// A parameter of more octets can't stay on one line.
const LONGEST: usize = 900;

/// A parameter as it stands in its field, between two semicolons.
#[derive(Clone, Copy)]
struct Parameter<'a> {
    written: &'a str,
    /// With all that RFC 2231 sections 3 and 4 add to it: `filename*0*`.
    name: &'a str,
    value: &'a str,
}

impl<'a> Parameter<'a> {
    fn read(written: &'a str) -> Self {
        let (name, value) = written.split_once('=').unwrap_or_default();
        Self { written, name: name.trim_matches(is_blank), value: value.trim_matches(is_blank) }
    }

    /// The name without what RFC 2231 adds, in lower case.
    fn base(&self) -> String {
        self.name.split('*').next().unwrap_or_default().to_ascii_lowercase()
    }

    /// The number of a section that is not yet written as octets.
    fn plain_section(&self) -> Option<&'a str> {
        self.name
            .split_once('*')
            .map(|(_, number)| number)
            .filter(|number| !number.is_empty() && !number.ends_with('*'))
    }

    fn has_plain_name(&self) -> bool {
        let is_plain = |octet: u8| octet.is_ascii_graphic() && !b"*'%()<>@,;:\\\"/[]?=".contains(&octet);
        !self.name.is_empty() && self.name.bytes().all(is_plain)
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// The value with octets above 127 in parameters encoded. What is no parameter keeps question marks in the place of what it
/// can't say, and a boundary stays as it is: few readers know another form of it than that in its delimiter lines.
pub(crate) fn encode(value: &str, charset: Charset) -> String {
    let parameters: Vec<_> = cut_at_semicolons(value).into_iter().map(Parameter::read).collect();
    let bases = |of: &dyn Fn(&Parameter<'_>) -> bool| -> BTreeSet<String> {
        parameters.iter().filter(|parameter| of(parameter)).map(Parameter::base).collect()
    };
    let extended = bases(&|parameter| parameter.name.contains('*'));
    let in_raw_sections =
        bases(&|parameter| !parameter.written.is_ascii() && parameter.plain_section().is_some());
    let written = parameters.iter().filter_map(|parameter| {
        let base = parameter.base();
        match parameter.plain_section() {
            Some(number) if in_raw_sections.contains(&base) => {
                Some(section(&base, number, parameter.value, charset))
            }
            _ if parameter.written.is_ascii() || base == "boundary" => Some(parameter.written.to_owned()),
            _ if parameter.name.ends_with('*') => Some(percent_encoded(parameter.written, charset)),
            // Readers would join it to the other one, which says the same.
            _ if extended.contains(&base) => None,
            _ if parameter.has_plain_name() => {
                Some(sections(parameter.name, &unquoted(parameter.value), charset))
            }
            _ => Some(parameter.written.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect()),
        }
    });
    written.collect::<Vec<_>>().join(";")
}

/// The value with each parameter on a line of its own, and long ones in sections; nothing if there is one that can't be cut.
pub(crate) fn fold(value: &str) -> Option<String> {
    let parameters = cut_at_semicolons(value).into_iter().map(Parameter::read);
    let folded =
        parameters.enumerate().map(|(number, parameter)| match parameter.written.trim_matches(is_blank) {
            written if written.len() <= LONGEST => {
                Some(if number == 0 { format!(" {written}") } else { format!("\r\n {written}") })
            }
            _ if parameter.has_plain_name() && parameter.base() != "boundary" => {
                Some(sections(parameter.name, &unquoted(parameter.value), Charset::Utf8))
            }
            _ => None,
        });
    folded.collect::<Option<Vec<_>>>().map(|folded| folded.join(";"))
}

/// The parts between semicolons that are not in quotes. A quote without an end is none.
fn cut_at_semicolons(value: &str) -> Vec<&str> {
    let (tokens, _) = lex(value);
    let mut parts = Vec::new();
    let (mut start, mut at) = (0, 0);
    for token in tokens {
        if token.is(';') {
            parts.extend(value.get(start..at));
            start = at + 1;
        }
        at += token.text.len();
    }
    parts.extend(value.get(start..));
    parts
}

/// What a value says. Of backslashes only those before a quote or another backslash are taken away: programs write the paths of
/// Windows as they are.
fn unquoted(value: &str) -> String {
    let (tokens, _) = lex(value);
    let quoted = tokens.iter().find(|token| !token.is_cfws()).filter(|token| token.kind == Kind::Quoted);
    let Some(quoted) = quoted else { return value.trim_matches('"').to_owned() };
    let inside = quoted.text.get(1..quoted.text.len().saturating_sub(1)).unwrap_or_default();
    inside.replace("\r\n", "").replace("\\\"", "\"").replace("\\\\", "\\")
}

fn percent_encoded(text: &str, charset: Charset) -> String {
    text.chars().map(|c| if c.is_ascii() { c.to_string() } else { charset.percent_encode(c) }).collect()
}

fn octets_of(value: &str, charset: Charset) -> impl Iterator<Item = String> {
    value.chars().map(move |c| charset.percent_encode(c))
}

/// A section that was there already: the first says the charset of all.
fn section(base: &str, number: &str, value: &str, charset: Charset) -> String {
    let lead = if number == "0" { format!("{}''", charset.name()) } else { String::new() };
    format!("\r\n {base}*{number}*={lead}{}", octets_of(&unquoted(value), charset).collect::<String>())
}

/// `name*=charset''value`, or in sections `name*0*=charset''…; name*1*=…` (RFC 2231 sections 3 and 4).
fn sections(name: &str, value: &str, charset: Charset) -> String {
    let mut sections = vec![String::new()];
    for encoded in octets_of(value, charset) {
        match sections.last_mut() {
            Some(last) if last.len() + encoded.len() <= SECTION => last.push_str(&encoded),
            _ => sections.push(encoded),
        }
    }
    let charset = charset.name();
    match sections.as_slice() {
        [only] => format!("\r\n {name}*={charset}''{only}"),
        sections => {
            let lead = |number| if number == 0 { format!("{charset}''") } else { String::new() };
            let numbered = sections.iter().enumerate();
            let written =
                numbered.map(|(number, text)| format!("\r\n {name}*{number}*={}{text}", lead(number)));
            written.collect::<Vec<_>>().join(";")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(value: &str) -> String {
        let (charset, text) = Charset::read(value.as_bytes());
        encode(&text, charset)
    }

    #[test]
    fn file_names_are_encoded() {
        for (value, written) in [
            (
                " attachment; filename=\"Prüfung; 1.pdf\"",
                " attachment;\r\n filename*=utf-8''Pr%C3%BCfung%3B%201.pdf",
            ),
            (" application/pdf; name=ü.pdf; x=y", " application/pdf;\r\n name*=utf-8''%C3%BC.pdf; x=y"),
            (" text/pläin; x", " text/pl?in; x"),
            (" attachment; filename=\"ü.pdf", " attachment;\r\n filename*=utf-8''%C3%BC.pdf"),
            (" a/b; filename=\"C:\\Temp\\ü.pdf\"", " a/b;\r\n filename*=utf-8''C%3A%5CTemp%5C%C3%BC.pdf"),
            (" a/b; filename=\"ü.pdf\" (c)", " a/b;\r\n filename*=utf-8''%C3%BC.pdf"),
            // Both are common, and say the same.
            (" a/b; filename=\"ü.pdf\"; filename*=utf-8''%C3%BC.pdf", " a/b; filename*=utf-8''%C3%BC.pdf"),
            (" a/b; filename*=utf-8''ü.pdf", " a/b; filename*=utf-8''%C3%BC.pdf"),
            (
                " a/b; filename*0=\"ü\";filename*1=\".pdf\"",
                " a/b;\r\n filename*0*=utf-8''%C3%BC;\r\n filename*1*=.pdf",
            ),
            (" multipart/mixed; boundary=ü", " multipart/mixed; boundary=ü"),
        ] {
            assert_eq!(encoded(value), written);
        }
        let long = encoded(&format!(" a/b; name=\"{}\"", "ü".repeat(20)));
        assert!(
            long.starts_with(" a/b;\r\n name*0*=utf-8''%C3%BC") && long.contains(";\r\n name*1*=%C3"),
            "{long}"
        );
    }

    #[test]
    fn long_parameters_are_folded_and_none_is_lost() {
        let folded = fold(&format!(" multipart/mixed;boundary=b;x=\"{}\"", "y".repeat(950))).unwrap();
        assert!(folded.starts_with(" multipart/mixed;\r\n boundary=b;\r\n x*0*=utf-8''yyy"), "{folded}");
        assert!(folded.split("\r\n").all(|line| line.len() <= 78));
        assert_eq!(fold(&format!(" {}", "y".repeat(950))), None);
    }
}
