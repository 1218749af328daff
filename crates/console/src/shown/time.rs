//! Times: said relative to now while that is clearer, with the exact one beside it. All are in the zone of whoever reads them.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use crate::texts::Texts;

/// A time as a page has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Time {
    /// For programs: RFC 3339.
    pub(crate) exact: String,
    /// For people.
    pub(crate) words: String,
}

impl Time {
    /// This time, said at that moment.
    pub(crate) fn of(at: Timestamp, now: Timestamp, t: Texts) -> Self {
        let exact = at.round(jiff::Unit::Second).unwrap_or(at).to_string();
        Self { exact, words: words(at, now, t) }
    }
}

/// Filled into a template it is an element; what it is made of has nothing to be escaped.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<time datetime=\"{}\">{}</time>", self.exact, self.words)
    }
}

/// Nothing of it is strangers' text.
impl askama::filters::HtmlSafe for Time {}

fn words(at: Timestamp, now: Timestamp, t: Texts) -> String {
    let ago = now.duration_since(at);
    match ago {
        ago if ago < SignedDuration::ZERO => date(at, t),
        ago if ago < SignedDuration::from_mins(1) => t.just_now().to_owned(),
        ago if ago < SignedDuration::from_hours(1) => t.minutes_ago(ago.as_mins()),
        ago if ago < SignedDuration::from_hours(24) => t.hours_ago(ago.as_hours()),
        _ => date(at, t),
    }
}

/// A day, with the time of day: `2 March 2026, 14:05`.
pub(crate) fn date(at: Timestamp, t: Texts) -> String {
    let at = at.to_zoned(t.zone().time_zone());
    let month = t.months().split(' ').nth(usize::try_from(at.month() - 1).unwrap_or_default());
    t.date(at.day(), month.unwrap_or_default(), at.year(), at.strftime("%H:%M"))
}

/// The end of a wait, with its zone: `14:05 (UTC)`, and with the day if that is not today.
pub(crate) fn end_of_wait(at: Timestamp, now: Timestamp, t: Texts) -> String {
    // Rounded up: whoever comes at that minute is let in.
    let at = at.saturating_add(SignedDuration::from_millis(59_999)).unwrap_or(at);
    let [end, today] = [at, now].map(|time| time.to_zoned(t.zone().time_zone()));
    let words = match end.date() == today.date() {
        true => end.strftime("%H:%M").to_string(),
        false => date(at, t),
    };
    format!("{words} ({})", t.zone().name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_less_than_a_day_ago_is_said_relative_to_now() {
        let (t, now) = (Texts::preferred("en"), "2026-03-02T14:05:30Z".parse().unwrap());
        for (at, expected) in [
            ("2026-03-02T14:05:00Z", "just now"),
            ("2026-03-02T14:04:30Z", "1 minute ago"),
            ("2026-03-02T13:05:31Z", "59 minutes ago"),
            ("2026-03-02T12:00:00Z", "2 hours ago"),
            ("2026-03-01T14:05:30Z", "1 March 2026, 14:05"),
            ("2026-03-03T00:00:00Z", "3 March 2026, 00:00"),
        ] {
            assert_eq!(words(at.parse().unwrap(), now, t), expected, "{at}");
        }
        let time = Time::of("2026-03-01T14:05:29.6Z".parse().unwrap(), now, Texts::preferred("de"));
        assert_eq!(time.to_string(), "<time datetime=\"2026-03-01T14:05:30Z\">1. März 2026, 14:05</time>");
    }

    #[test]
    fn the_time_of_a_wait_is_rounded_up_to_a_minute() {
        let (t, now) = (Texts::preferred("en"), "2026-03-02T14:00:00Z".parse().unwrap());
        for (at, expected) in [
            ("2026-03-02T14:05:00Z", "14:05 (UTC)"),
            ("2026-03-02T14:05:00.001Z", "14:06 (UTC)"),
            ("2026-03-03T13:00:00Z", "3 March 2026, 13:00 (UTC)"),
        ] {
            assert_eq!(end_of_wait(at.parse().unwrap(), now, t), expected);
        }
    }

    #[test]
    fn times_are_in_the_zone_of_whoever_reads_them() {
        let (at, now) = ("2026-03-01T23:30:00Z".parse().unwrap(), "2026-03-03T14:05:30Z".parse().unwrap());
        let time_zone = Some("Europe/Berlin".to_owned());
        let preferences = store::Preferences { time_zone, ..store::Preferences::default() };
        let t = Texts::preferred("en").for_owner(&preferences);
        let time = Time::of(at, now, t);
        assert_eq!(
            (time.words.as_str(), time.exact.as_str()),
            ("2 March 2026, 00:30", "2026-03-01T23:30:00Z")
        );
        assert_eq!(end_of_wait("2026-03-03T14:30:00Z".parse().unwrap(), now, t), "15:30 (Europe/Berlin)");
    }
}
