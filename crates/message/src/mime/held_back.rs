//! What has come of a line that may be a delimiter.

use crate::header::MAX_LINE;

/// What stands before the boundary in a delimiter line (RFC 2046 section 5.1.1).
pub(super) const DELIMITER_START: &[u8] = b"\r\n--";

/// Octets that may turn out to be a delimiter line, with the CRLF before it.
#[derive(Debug, Default)]
pub(super) struct HeldBack {
    pub(super) octets: Vec<u8>,
    /// Whether they begin without a CRLF, because they are the first line.
    is_first_line: bool,
}

impl HeldBack {
    /// The first line of content, of which nothing has come.
    pub(super) fn first_line() -> Self {
        Self { octets: Vec::new(), is_first_line: true }
    }

    /// Whether there is nothing that may be a delimiter line.
    pub(super) fn is_empty(&self) -> bool {
        self.octets.is_empty() && !self.is_first_line
    }

    /// What must come next; `None` if all that shows a candidate is there.
    pub(super) fn wanted(&self) -> Option<u8> {
        let before = if self.is_first_line { 2 } else { 0 };
        DELIMITER_START.get(before + self.octets.len()).copied()
    }

    /// What has come of the line itself.
    pub(super) fn line(&self) -> &[u8] {
        if self.is_first_line { &self.octets } else { self.octets.strip_prefix(b"\r\n").unwrap_or_default() }
    }

    /// How many octets the line may still have. Longer ones are no delimiter lines.
    pub(super) fn room(&self) -> usize {
        (MAX_LINE + 2).saturating_sub(self.line().len())
    }
}

/// How many octets at the end may be the start of [`DELIMITER_START`].
pub(super) fn unfinished_start(octets: &[u8]) -> usize {
    (1..DELIMITER_START.len())
        .rev()
        .find(|length| DELIMITER_START.get(..*length).is_some_and(|start| octets.ends_with(start)))
        .unwrap_or(0)
}
