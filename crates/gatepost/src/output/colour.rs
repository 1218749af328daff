//! Colours, which mark what somebody should not overlook. They say nothing that the words don't.

use std::env;
use std::ffi::OsString;
use std::io::IsTerminal;

/// What a text means to whoever reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// Nothing in particular.
    Plain,
    /// It says what stands below it.
    Heading,
    /// All is as it should be.
    Good,
    /// It may be meant, or pass, and should be known.
    Doubtful,
    /// Something is wrong.
    Bad,
}

impl Look {
    /// The text in this colour.
    pub(crate) fn paint(self, text: &str, colour: bool) -> String {
        match self.sgr().filter(|_| colour) {
            Some(sgr) => format!("\u{1b}[{sgr}m{text}\u{1b}[0m"),
            None => text.to_owned(),
        }
    }

    /// The parameter of SGR, ECMA-48 section 8.3.117.
    fn sgr(self) -> Option<u8> {
        match self {
            Look::Plain => None,
            Look::Heading => Some(1),
            Look::Bad => Some(31),
            Look::Good => Some(32),
            Look::Doubtful => Some(33),
        }
    }
}

/// Whether there are colours on this stream: it is a terminal that has them, and nobody has asked for none.
pub(crate) fn colour(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && wanted(|variable| env::var_os(variable))
}

/// `NO_COLOR` is of <https://no-color.org>, `TERM=dumb` of terminals that show escape sequences as they are.
fn wanted(variable: impl Fn(&str) -> Option<OsString>) -> bool {
    let refused = variable("NO_COLOR").is_some_and(|value| !value.is_empty());
    !refused && variable("TERM").is_none_or(|terminal| terminal != "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_wanted_unless_somebody_refused_them_or_the_terminal_has_none() {
        for (no_color, term, expected) in [
            (None, None, true),
            (None, Some("xterm-256color"), true),
            (Some(""), Some("xterm"), true),
            (Some("1"), Some("xterm"), false),
            (None, Some("dumb"), false),
        ] {
            let variable = |name: &str| if name == "NO_COLOR" { no_color } else { term }.map(OsString::from);
            assert_eq!(wanted(variable), expected, "{no_color:?} {term:?}");
        }
    }

    #[test]
    fn a_text_is_painted_only_in_colour() {
        assert_eq!(Look::Bad.paint("error", true), "\u{1b}[31merror\u{1b}[0m");
        assert_eq!(Look::Plain.paint("note", true), "note");
        assert_eq!(Look::Bad.paint("error", false), "error");
    }
}
