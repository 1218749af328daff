//! By when a message is to be delivered, and what is to be done otherwise (RFC 2852).

use std::fmt;

/// What a sender asks with BY of MAIL.
///
/// Exhaustive: RFC 2852 section 4 has nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeliverBy {
    /// The seconds that are left. Not above 0 if the time is over, which only [`ByMode::Notify`] can have.
    pub seconds: i32,
    /// What is to be done when the time is over.
    pub mode: ByMode,
    /// The sender wants to know whenever it is passed on.
    pub trace: bool,
}

/// What is to be done with a message that can't be delivered in time.
///
/// Exhaustive: RFC 2852 section 4 has no other modes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ByMode {
    /// It goes back to its sender.
    Return,
    /// Its sender is told, and it is tried on.
    Notify,
}

impl ByMode {
    /// The letter that stands for it.
    #[must_use]
    pub const fn letter(self) -> &'static str {
        match self {
            Self::Return => "R",
            Self::Notify => "N",
        }
    }

    /// The mode with an optional `T` for trace, in either case.
    #[must_use]
    pub fn with_trace(text: &str) -> Option<(Self, bool)> {
        match text.to_ascii_uppercase().as_str() {
            "R" => Some((Self::Return, false)),
            "RT" => Some((Self::Return, true)),
            "N" => Some((Self::Notify, false)),
            "NT" => Some((Self::Notify, true)),
            _ => None,
        }
    }
}

impl DeliverBy {
    /// Reads the value of BY: up to nine digits with or without a sign, `;`, `N` or `R`, and perhaps `T`. A message is not to be returned
    /// at once: with `R` there are some seconds left.
    #[must_use]
    pub fn from_value(value: &str) -> Option<Self> {
        let (time, mode) = value.split_once(';')?;
        let digits = time.strip_prefix(['+', '-']).unwrap_or(time);
        if !(1..=9).contains(&digits.len()) || !digits.bytes().all(|octet| octet.is_ascii_digit()) {
            return None;
        }
        let (seconds, (mode, trace)) = (time.parse().ok()?, ByMode::with_trace(mode)?);
        (mode == ByMode::Notify || seconds > 0).then_some(Self { seconds, mode, trace })
    }

    /// Whether the time will be over before a message leaves that is held for so many seconds; if for none, it leaves at once.
    #[must_use]
    pub fn is_over_after(&self, held: i64) -> bool {
        held > i64::from(self.seconds).max(0)
    }
}

/// As the value of BY.
impl fmt::Display for DeliverBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let trace = if self.trace { "T" } else { "" };
        write!(f, "{};{}{trace}", self.seconds, self.mode.letter())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_time_has_a_mode() {
        let by = |seconds, mode, trace| Some(DeliverBy { seconds, mode, trace });
        assert_eq!(DeliverBy::from_value("600;R"), by(600, ByMode::Return, false));
        assert_eq!(DeliverBy::from_value("+600;nt"), by(600, ByMode::Notify, true));
        assert_eq!(DeliverBy::from_value("-5;N"), by(-5, ByMode::Notify, false));
        assert_eq!(DeliverBy::from_value("999999999;RT"), by(999_999_999, ByMode::Return, true));
        for value in [
            "",
            "600",
            ";R",
            "600;",
            "600;X",
            "600;RTT",
            "600;T",
            "0;R",
            "-1;R",
            "1000000000;N",
            "+-1;N",
            "6 ;N",
            "600;R;T",
            "\u{661};N",
        ] {
            assert_eq!(DeliverBy::from_value(value), None, "{value}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(seconds in 1i32..=999_999_999, returns: bool, trace: bool) {
            let by = DeliverBy { seconds, mode: if returns { ByMode::Return } else { ByMode::Notify }, trace };
            prop_assert_eq!(DeliverBy::from_value(&by.to_string()), Some(by));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,30}|[+-]?[0-9]{1,10};[nrNR]T?") {
            if let Some(by) = DeliverBy::from_value(&text) {
                prop_assert_eq!(DeliverBy::from_value(&by.to_string()), Some(by));
            }
        }
    }
}
