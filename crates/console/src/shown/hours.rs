//! The last day as bars, one for each hour: an SVG without inline style.

use jiff::{SignedDuration, Timestamp};

use crate::texts::Texts;

/// The height of the highest bar, in the units of the picture.
const HIGHEST: u64 = 100;

/// A day of hours.
#[derive(Debug)]
pub(crate) struct Hours {
    pub(crate) bars: Vec<Bar>,
}

/// One hour.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Bar {
    /// Where it begins from the left.
    pub(crate) x: usize,
    /// Where it begins from above.
    pub(crate) y: u64,
    pub(crate) height: u64,
    /// When it began, where that is written below it.
    pub(crate) words: Option<String>,
    pub(crate) messages: u64,
}

impl Hours {
    /// The hours up to this one, of those that there was something in; they are told in the zone of whoever reads them.
    pub(crate) fn of(hours: &[(Timestamp, u64)], now: Timestamp, t: Texts) -> Self {
        let most = hours.iter().map(|(_, messages)| *messages).max().unwrap_or_default().max(1);
        let begun = now.as_second().div_euclid(3600);
        let bar = |(number, back): (usize, i64)| {
            let hour = Timestamp::from_second((begun - back) * 3600).unwrap_or(now);
            let found =
                hours.iter().find(|(at, _)| at.duration_since(hour).abs() < SignedDuration::from_mins(1));
            let messages = found.map_or(0, |(_, messages)| *messages);
            // Something is never nothing.
            let height = (messages.saturating_mul(HIGHEST) / most).max(u64::from(messages > 0) * 2);
            let told = || hour.to_zoned(t.zone().time_zone()).strftime("%H:%M").to_string();
            let words = (back % 4 == 0).then(told);
            Bar { x: number * 20, y: HIGHEST - height, height, words, messages }
        };
        Self { bars: (0..24).rev().enumerate().map(bar).collect() }
    }

    /// How many came in the hour in which most did.
    pub(crate) fn busiest(&self) -> u64 {
        self.bars.iter().map(|bar| bar.messages).max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_bar_for_each_hour_and_the_last_is_this_one() {
        let now: Timestamp = "2026-03-02T14:05:00Z".parse().unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let hours = [
            (at("2026-03-02T14:00:00Z"), 1_000),
            (at("2026-03-02T13:00:00Z"), 1),
            (at("2026-03-01T15:00:00Z"), 500),
        ];
        let t = Texts::preferred("en");
        let in_berlin = store::Preferences {
            time_zone: Some("Europe/Berlin".to_owned()),
            ..store::Preferences::default()
        };
        let elsewhere = Hours::of(&hours, now, t.for_owner(&in_berlin));
        assert_eq!(elsewhere.bars.last().and_then(|bar| bar.words.as_deref()), Some("15:00"));
        let hours = Hours::of(&hours, now, t);
        assert_eq!((hours.bars.len(), hours.busiest()), (24, 1_000));
        let [first, .., before, last] = &hours.bars[..] else { panic!() };
        assert_eq!((last.height, last.y, last.x), (100, 0, 460));
        assert_eq!((before.height, before.y), (2, 98), "little is not nothing");
        assert_eq!((first.height, first.x, first.messages), (50, 0, 500));
        assert_eq!(last.words.as_deref(), Some("14:00"));
        assert_eq!(Hours::of(&[], now, t).busiest(), 0);
    }
}
