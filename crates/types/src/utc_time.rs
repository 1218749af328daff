//! A moment, as RFC 3339 writes it.

use std::fmt;

/// A moment to the second, of the years 0 to 9999 in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtcTime(i64);

/// The first and the last second that have four digits for their year, in seconds since 1970.
const RANGE: (i64, i64) = (-62_167_219_200, 253_402_300_799);
const DAY: i64 = 86_400;

impl UtcTime {
    /// The moment so many seconds after the beginning of 1970; the nearest one of the years 0 to 9999.
    #[must_use]
    pub fn from_unix(seconds: i64) -> Self {
        Self(seconds.clamp(RANGE.0, RANGE.1))
    }

    /// Seconds since the beginning of 1970.
    #[must_use]
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// The moment so many seconds later.
    #[must_use]
    pub fn later(self, seconds: u32) -> Self {
        Self::from_unix(self.0.saturating_add(i64::from(seconds)))
    }

    /// Reads a `date-time` (RFC 3339 section 5.6), with any offset. What it has of a second is left out, and a leap second is the one before.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (date, rest) = text.split_once(['T', 't'])?;
        let (time, offset) = match rest.strip_suffix(['Z', 'z']) {
            Some(time) => (time, 0),
            None => offset(rest)?,
        };
        let seconds = days(date)? * DAY + time_of_day(time)? - offset;
        (RANGE.0..=RANGE.1).contains(&seconds).then_some(Self(seconds))
    }
}

/// The time before a numeric offset, and the offset in seconds.
fn offset(text: &str) -> Option<(&str, i64)> {
    let (time, offset) = text.split_at_checked(text.rfind(['+', '-'])?)?;
    let (sign, digits) = match offset.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, offset.strip_prefix('+')?),
    };
    let (hours, minutes) = digits.split_once(':')?;
    Some((time, sign * (number(hours, 2, 0..=23)? * 3600 + number(minutes, 2, 0..=59)? * 60)))
}

fn time_of_day(text: &str) -> Option<i64> {
    let text = match text.split_once('.') {
        Some((text, fraction)) if is_digits(fraction) => text,
        Some(_) => return None,
        None => text,
    };
    let mut parts = text.split(':');
    let (hours, minutes) = (number(parts.next()?, 2, 0..=23)?, number(parts.next()?, 2, 0..=59)?);
    let seconds = number(parts.next()?, 2, 0..=60)?.min(59);
    parts.next().is_none().then_some(hours * 3600 + minutes * 60 + seconds)
}

/// Days from the beginning of 1970 to a date of the Gregorian calendar. Years begin in March here, so that the leap day is their last.
fn days(date: &str) -> Option<i64> {
    let mut parts = date.split('-');
    let (year, month) = (number(parts.next()?, 4, 0..=9999)?, number(parts.next()?, 2, 1..=12)?);
    let day = number(parts.next()?, 2, 1..=length_of(year, month))?;
    if parts.next().is_some() {
        return None;
    }
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    Some(year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468)
}

fn length_of(year: i64, month: i64) -> i64 {
    let is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn number(text: &str, digits: usize, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
    let number = (text.len() == digits && is_digits(text)).then(|| text.parse().ok())??;
    range.contains(&number).then_some(number)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit())
}

/// With `Z` for its offset.
impl fmt::Display for UtcTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, seconds) = (self.0.div_euclid(DAY) + 719_468, self.0.rem_euclid(DAY));
        // Back from `days`: by eras of 400 years.
        let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
        let year = year + era * 400;
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}Z")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_date_time_is_read_with_any_offset() {
        for (text, unix) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-11-30T13:00:00Z", 1_796_043_600),
            ("2026-11-30t14:30:00.75+01:30", 1_796_043_600),
            ("2026-11-30T08:00:00-05:00", 1_796_043_600),
            ("2000-02-29T23:59:60z", 951_868_799),
            ("0000-01-01T00:00:00Z", RANGE.0),
            ("9999-12-31T23:59:59Z", RANGE.1),
        ] {
            assert_eq!(UtcTime::parse(text).map(UtcTime::unix), Some(unix), "{text}");
        }
        for text in [
            "",
            "T",
            "2026-11-30",
            "2026-11-30T13:00:00",
            "2026-11-30 13:00:00Z",
            "2026-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-11-31T00:00:00Z",
            "2026-11-30T24:00:00Z",
            "2026-11-30T13:60:00Z",
            "2026-11-30T13:00:61Z",
            "2026-11-30T13:00Z",
            "2026-11-30T13:00:00.Z",
            "2026-11-30T13:00:00.xZ",
            "26-11-30T13:00:00Z",
            "2026-11-30T13:00:00+0100",
            "2026-11-30T13:00:00+24:00",
            "+026-11-30T13:00:00Z",
            "2026-11-30T13:00:00ZZ",
            "2026-11-30-01T13:00:00Z",
            "2026-11-30T13:00:00:00Z",
            "0000-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "\u{661}026-11-30T13:00:00Z",
        ] {
            assert_eq!(UtcTime::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(seconds in prop_oneof![any::<i64>(), RANGE.0..=RANGE.1]) {
            let time = UtcTime::from_unix(seconds);
            prop_assert_eq!(UtcTime::parse(&time.to_string()), Some(time));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,30}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,12}(Z|[+-][0-9:]{5})") {
            if let Some(time) = UtcTime::parse(&text) {
                prop_assert_eq!(UtcTime::parse(&time.to_string()), Some(time));
            }
        }
    }
}
