//! Text with gaps, `{{column}}`, that are filled in for each recipient. `\{{` is two braces and no gap.

use std::borrow::Cow;

/// A text, cut at its gaps.
#[derive(Debug)]
pub(crate) struct Template {
    pieces: Vec<Piece>,
}

#[derive(Debug)]
enum Piece {
    Text(String),
    Gap(Gap),
}

/// A place where something is filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    /// The column that it is filled from.
    pub(crate) column: usize,
    /// Where it stood in the text, in octets.
    pub(crate) at: usize,
}

/// Where a text stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) file: &'a str,
    /// The line of its first character, from 1.
    pub(crate) line: usize,
    /// Characters that stand before it in that line.
    pub(crate) indent: usize,
}

impl Place<'_> {
    /// `file:line:column` of an octet of the text.
    pub(crate) fn of(&self, text: &str, at: usize) -> String {
        let before = text.get(..at).unwrap_or(text);
        let (lines, last) = (before.matches('\n').count(), before.rsplit('\n').next().unwrap_or_default());
        let indent = if lines == 0 { self.indent } else { 0 };
        format!("{}:{}:{}", self.file, self.line + lines, last.chars().count() + indent + 1)
    }
}

impl Template {
    /// A text without gaps, whatever stands in it.
    pub(crate) fn fixed(text: &str) -> Template {
        Template { pieces: vec![Piece::Text(text.to_owned())] }
    }

    /// Reads a text, with a gap for each column that is named in it.
    ///
    /// # Errors
    /// Every gap that can't be filled, each with its place.
    pub(crate) fn read(text: &str, place: Place<'_>, columns: &[String]) -> Result<Template, Vec<String>> {
        let (mut pieces, mut faults, mut literal, mut rest) = (Vec::new(), Vec::new(), String::new(), text);
        while let Some((before, behind)) = rest.split_once("{{") {
            let at = text.len() - behind.len() - "{{".len();
            rest = behind;
            if let Some(before) = before.strip_suffix('\\') {
                literal.push_str(before);
                literal.push_str("{{");
                continue;
            }
            literal.push_str(before);
            match column(behind, columns) {
                Ok((column, after)) => {
                    pieces
                        .extend([Piece::Text(std::mem::take(&mut literal)), Piece::Gap(Gap { column, at })]);
                    rest = after;
                }
                Err(fault) => faults.push(format!("{}: {fault}", place.of(text, at))),
            }
        }
        literal.push_str(rest);
        pieces.push(Piece::Text(literal));
        if faults.is_empty() { Ok(Template { pieces }) } else { Err(faults) }
    }

    pub(crate) fn gaps(&self) -> impl Iterator<Item = Gap> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Gap(gap) => Some(*gap),
            Piece::Text(_) => None,
        })
    }

    /// The text, filled in: `fill` says what comes into a gap, and is told what stands before it.
    ///
    /// # Errors
    /// The first of `fill`.
    pub(crate) fn filled<'a>(
        &self,
        fill: impl Fn(Gap, &str) -> Result<Cow<'a, str>, String>,
    ) -> Result<String, String> {
        let mut filled = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Gap(gap) => {
                    let value = fill(*gap, &filled)?;
                    filled.push_str(&value);
                }
            }
        }
        Ok(filled)
    }
}

/// The column that is named at the start of a text behind the braces, and what follows.
fn column<'a>(text: &'a str, columns: &[String]) -> Result<(usize, &'a str), String> {
    let line = text.lines().next().unwrap_or_default();
    let Some((name, _)) = line.split_once("}}") else {
        return Err("\"{{\" has no \"}}\" in its line; write \"\\{{\" if it is meant as it stands".to_owned());
    };
    let after = text.get(name.len() + "}}".len()..).unwrap_or_default();
    let found = columns.iter().position(|column| column.eq_ignore_ascii_case(name.trim()));
    found
        .map(|found| (found, after))
        .ok_or_else(|| format!("there is no column {:?}; there are {}", name.trim(), columns.join(", ")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Template, Vec<String>> {
        let place = Place { file: "a.txt", line: 3, indent: 9 };
        Template::read(text, place, &["address".to_owned(), "Name".to_owned()])
    }

    fn filled(text: &str) -> String {
        read(text)
            .unwrap()
            .filled(|gap, _| Ok(["a@b.example", "Bob {{address}}"][gap.column].into()))
            .unwrap()
    }

    #[test]
    fn gaps_are_filled_and_what_is_filled_in_has_none() {
        assert_eq!(filled("Dear {{name}},"), "Dear Bob {{address}},");
        assert_eq!(filled("{{ NAME }}{{address}}"), "Bob {{address}}a@b.example");
        assert_eq!(filled("\\{{name}} {name} }} {"), "{{name}} {name} }} {");
        assert_eq!(filled(""), "");
    }

    #[test]
    fn a_gap_that_cannot_be_filled_is_told_with_its_place() {
        let faults = read("x {{nmae}}\r\ny {{\n}} {{name}} {{}}").unwrap_err();
        assert_eq!(
            faults,
            [
                "a.txt:3:12: there is no column \"nmae\"; there are address, Name",
                "a.txt:4:3: \"{{\" has no \"}}\" in its line; write \"\\{{\" if it is meant as it stands",
                "a.txt:5:13: there is no column \"\"; there are address, Name",
            ]
        );
    }

    proptest! {
        #[test]
        fn a_text_without_braces_stays(text in "[^{]*") {
            prop_assert_eq!(filled(&text), text);
        }

        #[test]
        fn any_text_has_an_answer(text in "[{}\\\\a\n]{0,40}") {
            let _ = read(&text);
        }
    }
}
