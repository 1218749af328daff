//! How a line begins with its time, and how it tells that it came several times.

use std::io::Write as _;

use jiff::Timestamp;

/// The form of the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    /// Text for a terminal.
    Coloured,
    /// An object a line.
    Json,
}

impl Form {
    /// Appends `line`, which has no time yet, with the time.
    pub(super) fn append(self, to: &mut Vec<u8>, at: Timestamp, line: &[u8]) {
        let line = self.append_time(to, at, line);
        to.extend_from_slice(line);
    }

    /// As [`Form::append`], of a line that came this often.
    pub(super) fn append_repeated(self, to: &mut Vec<u8>, at: Timestamp, line: &[u8], times: u64) {
        let line = self.append_time(to, at, line).trim_ascii_end();
        // Nothing that is written to memory fails.
        let _ = match self {
            Form::Text | Form::Coloured => {
                to.extend_from_slice(line);
                writeln!(to, " repeated={times}")
            }
            Form::Json => {
                to.extend_from_slice(line.strip_suffix(b"}").unwrap_or(line));
                writeln!(to, ",\"repeated\":{times}}}")
            }
        };
    }

    /// Appends the time; what of `line` is to come behind it.
    fn append_time<'l>(self, to: &mut Vec<u8>, at: Timestamp, line: &'l [u8]) -> &'l [u8] {
        let _ = match self {
            Form::Text => write!(to, "{at:.6} "),
            Form::Coloured => write!(to, "\u{1b}[2m{at:.6}\u{1b}[0m "),
            Form::Json => write!(to, "{{\"timestamp\":\"{at:.6}\","),
        };
        match self {
            Form::Text | Form::Coloured => line,
            Form::Json => line.strip_prefix(b"{").unwrap_or(line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_begins_with_its_time_and_ends_with_its_number() {
        let at: Timestamp = "2026-11-21T15:11:53.6075Z".parse().unwrap();
        for (form, line, once, often) in [
            (
                Form::Text,
                " INFO a b=1\n",
                "2026-11-21T15:11:53.607500Z  INFO a b=1\n",
                "2026-11-21T15:11:53.607500Z  INFO a b=1 repeated=7\n",
            ),
            (
                Form::Coloured,
                "\u{1b}[32m INFO\u{1b}[0m a\n",
                "\u{1b}[2m2026-11-21T15:11:53.607500Z\u{1b}[0m \u{1b}[32m INFO\u{1b}[0m a\n",
                "\u{1b}[2m2026-11-21T15:11:53.607500Z\u{1b}[0m \u{1b}[32m INFO\u{1b}[0m a repeated=7\n",
            ),
            (
                Form::Json,
                "{\"level\":\"INFO\"}\n",
                "{\"timestamp\":\"2026-11-21T15:11:53.607500Z\",\"level\":\"INFO\"}\n",
                "{\"timestamp\":\"2026-11-21T15:11:53.607500Z\",\"level\":\"INFO\",\"repeated\":7}\n",
            ),
        ] {
            let (mut first, mut second) = (Vec::new(), Vec::new());
            form.append(&mut first, at, line.as_bytes());
            form.append_repeated(&mut second, at, line.as_bytes(), 7);
            assert_eq!(String::from_utf8(first).unwrap(), once);
            assert_eq!(String::from_utf8(second).unwrap(), often);
        }
    }
}
