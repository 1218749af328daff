//! Lengths of time as people write them: in the configuration and on the command line alike.

use std::time::Duration;

use jiff::{Span, SpanRelativeTo};

/// A length of time: `90s`, `1h30m`, `2 weeks`, `P1DT12H`. Days have 24 hours; months and years have no length. `None` if it is
/// none, or negative.
#[must_use]
pub fn duration(text: &str) -> Option<Duration> {
    let span: Span = text.trim().parse().ok()?;
    let length = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    Duration::try_from(length).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_numbers_with_units_from_large_to_small() {
        for (text, seconds) in [
            ("0s", 0),
            ("5m", 300),
            ("1h30m", 5_400),
            ("1d 2h 3m 4s", 93_784),
            ("90d", 7_776_000),
            ("2w", 1_209_600),
            ("5 minutes", 300),
            ("P1DT12H", 129_600),
        ] {
            assert_eq!(duration(text), Some(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn what_has_no_length_or_a_negative_one_is_none() {
        for text in
            ["", "5", "m", "30m1h", "5m5m", "-5m", "5m ago", "1y", "1mo", "soon", "99999999999999999999s"]
        {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
