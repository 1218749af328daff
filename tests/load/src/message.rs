//! The messages sent: all alike but for their Message-ID, and made before the clock runs.

use std::fmt::Write;

/// Text lines of this many octets, CRLF included: as mail clients fold.
const LINE: usize = 76;

/// A message of a given size, complete but for its first field.
#[derive(Debug)]
pub(crate) struct Template {
    rest: Vec<u8>,
    run: u32,
}

impl Template {
    /// A template for messages of `size` octets from `sender` to `recipients`. `run` tells the messages of one run from
    /// those of another.
    pub(crate) fn new(sender: &str, recipients: &[String], size: usize, run: u32) -> Self {
        let mut text = String::new();
        let to = recipients.join(",\r\n ");
        let _ = write!(text, "From: {sender}\r\nTo: {to}\r\nDate: Mon, 01 Jun 2026 12:00:00 +0000\r\n");
        text.push_str(
            "Subject: Load\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n",
        );
        let body = size.saturating_sub(text.len() + message_id(run, 0).len());
        push_lines(&mut text, body);
        Self { rest: text.into_bytes(), run }
    }

    /// Appends message `number` and the final dot to `output`, ready for the wire.
    pub(crate) fn write(&self, number: u64, output: &mut Vec<u8>) {
        output.extend_from_slice(message_id(self.run, number).as_bytes());
        output.extend_from_slice(&self.rest);
        output.extend_from_slice(b".\r\n");
    }
}

fn message_id(run: u32, number: u64) -> String {
    format!("Message-ID: <{number:010}.{run:08}@load.example.org>\r\n")
}

/// Appends `octets` octets of lines that end in CRLF and never begin with a dot, so no stuffing is needed.
fn push_lines(text: &mut String, mut octets: usize) {
    while octets > 0 {
        // Never leave a rest too small for a line of its own.
        let line = if octets < LINE + 3 { octets } else { LINE };
        text.extend(('a'..='z').cycle().take(line.saturating_sub(2)));
        text.push_str("\r\n");
        octets = octets.saturating_sub(line.max(2));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_the_size_asked_for_and_clean_lines() {
        for size in [400, 4095, 4096, 4097, 100_000] {
            let mut output = Vec::new();
            Template::new("a@example.org", &["b@example.net".to_owned()], size, 7).write(42, &mut output);
            let text = String::from_utf8(output).unwrap();
            assert_eq!(text.len(), size + ".\r\n".len());
            assert!(text.starts_with("Message-ID: <0000000042.00000007@"));
            assert!(!text.replace("\r\n", "").contains(['\r', '\n']), "a bare CR or LF");
            assert!(text.split("\r\n").all(|line| line.len() <= 998));
        }
    }
}
