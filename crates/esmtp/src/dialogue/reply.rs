//! A reply of a peer, or in our own words in the place of one.
//!
//! Nothing here decides what a reply means for a message; see `transaction`.

use std::fmt;

use super::stage::Stage;

/// A whole reply: its code, the enhanced code that agrees with it, and its lines, printable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    code: u16,
    enhanced: Option<Enhanced>,
    lines: Vec<String>,
    ours: bool,
    stage: Option<Stage>,
}

/// What the first digit of a reply says (RFC 5321 section 4.2.1).
///
/// Exhaustive: RFC 5321 has no other digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 2yz: done.
    Success,
    /// 3yz: go on.
    Continue,
    /// 4yz: not now.
    Transient,
    /// 5yz: not ever.
    Permanent,
}

/// An enhanced status code, `class.subject.detail` (RFC 3463 section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enhanced(pub u8, pub u16, pub u16);

impl Reply {
    /// A reply in our own words, for what goes wrong without the peer saying so.
    pub fn ours(code: u16, enhanced: Enhanced, text: impl Into<String>) -> Reply {
        Reply { code, enhanced: Some(enhanced), lines: vec![text.into()], ours: true, stage: None }
    }

    /// A reply that the peer gave, read by `reply_reader`.
    pub(super) fn heard(code: u16, enhanced: Option<Enhanced>, lines: Vec<String>) -> Reply {
        Reply { code, enhanced, lines, ours: false, stage: None }
    }

    /// The same reply, as one to this step.
    #[must_use]
    pub fn to(self, stage: Stage) -> Reply {
        Reply { stage: Some(stage), ..self }
    }

    /// The step that it answers, or that went without an answer of the peer, where that is known.
    pub fn stage(&self) -> Option<Stage> {
        self.stage
    }

    /// Whether it is in our own words, and the peer has not said it.
    pub fn is_ours(&self) -> bool {
        self.ours
    }

    /// The three digits, 200 to 559.
    pub fn code(&self) -> u16 {
        self.code
    }

    /// The enhanced code, if the peer gave one of the same class as the reply.
    pub fn enhanced(&self) -> Option<Enhanced> {
        self.enhanced
    }

    /// The text of each line, without codes, control characters replaced.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// What the first digit says.
    pub fn kind(&self) -> Kind {
        match self.code / 100 {
            2 => Kind::Success,
            3 => Kind::Continue,
            4 => Kind::Transient,
            _ => Kind::Permanent,
        }
    }

    /// Whether the peer closes the connection after this reply (RFC 5321 section 3.8).
    pub fn closes(&self) -> bool {
        self.code == 421
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(enhanced) = self.enhanced {
            write!(f, " {enhanced}")?;
        }
        self.lines.iter().filter(|line| !line.is_empty()).try_for_each(|line| write!(f, " {line}"))
    }
}

impl fmt::Display for Enhanced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl Enhanced {
    /// Reads `class.subject.detail` (1, 1-3 and 1-3 digits, RFC 3463 section 2).
    #[must_use]
    pub fn parse(word: &str) -> Option<Enhanced> {
        let mut parts = word.split('.');
        let (class, subject, detail) = (parts.next()?, parts.next()?, parts.next()?);
        let short = |part: &str| part.len() <= 3 && part.bytes().all(|octet| octet.is_ascii_digit());
        if parts.next().is_some() || class.len() != 1 || !short(subject) || !short(detail) {
            return None;
        }
        Some(Enhanced(class.parse().ok()?, subject.parse().ok()?, detail.parse().ok()?))
    }
}
