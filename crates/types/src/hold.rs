//! When a message is to leave at the earliest (RFC 4865).

use std::fmt;

use crate::UtcTime;

/// What a sender asks with HOLDFOR or HOLDUNTIL of MAIL.
///
/// Exhaustive: RFC 4865 has no other parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hold {
    /// So many seconds from when it is handed in.
    For(u32),
    /// Until then.
    Until(UtcTime),
}

impl Hold {
    /// Reads the value of HOLDFOR: up to nine digits, the first of which is no 0 (RFC 4865 section 3).
    #[must_use]
    pub fn for_seconds(value: &str) -> Option<Self> {
        let is_number = (1..=9).contains(&value.len()) && value.bytes().all(|octet| octet.is_ascii_digit());
        (is_number && !value.starts_with('0')).then(|| value.parse().ok().map(Self::For))?
    }

    /// Reads the value of HOLDUNTIL: a date and time (RFC 3339).
    #[must_use]
    pub fn until(value: &str) -> Option<Self> {
        UtcTime::parse(value).map(Self::Until)
    }
}

/// As the parameter of MAIL.
impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::For(seconds) => write!(f, "HOLDFOR={seconds}"),
            Self::Until(time) => write!(f, "HOLDUNTIL={time}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_has_one_to_nine_digits() {
        assert_eq!(Hold::for_seconds("86400"), Some(Hold::For(86_400)));
        assert_eq!(Hold::for_seconds("1"), Some(Hold::For(1)));
        assert_eq!(Hold::for_seconds("999999999"), Some(Hold::For(999_999_999)));
        for value in ["", "0", "01", "000000000", "-1", "+1", "1.5", "1000000000", "x", "1 "] {
            assert_eq!(Hold::for_seconds(value), None, "{value}");
        }
    }

    #[test]
    fn a_hold_is_written_as_its_parameter() {
        assert_eq!(Hold::For(60).to_string(), "HOLDFOR=60");
        let until = Hold::until("2026-11-30T14:00:00+01:00").unwrap();
        assert_eq!(until.to_string(), "HOLDUNTIL=2026-11-30T13:00:00Z");
    }
}
