//! Dates as messages have them.

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use jiff::tz::TimeZone;

/// A time whose year has no four digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoDate;

/// `date-time` of RFC 5322 section 3.3, in UTC.
pub(crate) fn date_time(time: Timestamp) -> Result<String, NoDate> {
    DateTimePrinter::new().zoned_to_string(&time.to_zoned(TimeZone::UTC)).map_err(|_| NoDate)
}

/// The same of whatever a clock says: what is before 1970 is 1970.
pub(crate) fn date_since_1970(time: Timestamp) -> String {
    date_time(time.max(Timestamp::UNIX_EPOCH)).unwrap_or_default()
}
