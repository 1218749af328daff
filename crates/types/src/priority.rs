//! Which of the messages that wait comes first (RFC 6710).

use std::fmt;

/// What a sender asks with MT-PRIORITY of MAIL: from -9 to 9, the greater the sooner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Priority(i8);

impl Priority {
    /// That of a message of which nothing is said (RFC 6710 section 4).
    pub const NORMAL: Self = Self(0);
    /// MIXER's "urgent" (RFC 6710, appendix C).
    pub const URGENT: Self = Self(4);

    /// The priority with this number, if it is one.
    #[must_use]
    pub fn new(number: i8) -> Option<Self> {
        (-9..=9).contains(&number).then_some(Self(number))
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> i8 {
        self.0
    }

    /// Reads the value of MT-PRIORITY: a digit, with `-` before it if it is below 0.
    #[must_use]
    pub fn from_value(value: &str) -> Option<Self> {
        let digit = value.strip_prefix('-').unwrap_or(value);
        let is_number = matches!(digit.as_bytes(), [b'0'..=b'9']) && value != "-0";
        is_number.then(|| value.parse().ok().and_then(Self::new))?
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_priority_is_one_of_nineteen() {
        for number in -9..=9 {
            let priority = Priority::new(number).unwrap();
            assert_eq!(Priority::from_value(&priority.to_string()), Some(priority));
        }
        assert_eq!((Priority::new(10), Priority::new(-10)), (None, None));
        for value in ["", "-", "-0", "+1", "10", "00", "x", "1 ", "--1", "\u{661}"] {
            assert_eq!(Priority::from_value(value), None, "{value}");
        }
        assert!(Priority::URGENT > Priority::NORMAL);
    }
}
