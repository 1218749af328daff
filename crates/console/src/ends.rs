//! When a credential ends, as a form asks it: after a number of days, or after a day.

use jiff::{SignedDuration, Timestamp, ToSpan as _, civil};

use crate::texts::Texts;

/// When something ends that is to last so many days, as the form has them.
pub(crate) fn after_days(days: &str, now: Timestamp) -> Option<Timestamp> {
    let days = match days {
        "30" => 30,
        "90" => 90,
        "365" => 365,
        _ => return None,
    };
    now.checked_add(SignedDuration::from_hours(24 * days)).ok()
}

/// The end of this day where whoever chooses it is, unless it has passed.
pub(crate) fn after_day(day: &str, now: Timestamp, t: Texts) -> Option<Timestamp> {
    let day: civil::Date = day.parse().ok()?;
    let next = day.checked_add(1.day()).ok()?;
    next.to_zoned(t.zone().time_zone()).ok().map(|end| end.timestamp()).filter(|end| *end > now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_a_number_of_days_or_the_end_of_a_day_that_has_not_passed() {
        let now: Timestamp = "2026-03-02T14:05:00Z".parse().unwrap();
        let at = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        assert_eq!(after_days("30", now), at("2026-04-01T14:05:00Z"));
        let t = Texts::preferred("en");
        assert_eq!(after_day("2026-03-02", now, t), at("2026-03-03T00:00:00Z"));
        for day in ["2026-03-01", "", "tomorrow"] {
            assert_eq!(after_day(day, now, t), None, "{day}");
        }
        assert_eq!((after_days("31", now), after_days("", now)), (None, None));
    }
}
