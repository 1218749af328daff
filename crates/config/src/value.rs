//! The values that sections are made of: sizes, times, numbers, paths.

use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Visitor};
use toml::Spanned;

use crate::duration::duration;
use crate::fault::Fault;

/// Where relative paths start: the directory of the configuration file.
pub(crate) struct Base(PathBuf);

impl Base {
    pub(crate) fn of(file: &Path) -> Base {
        Base(crate::directory_of(file))
    }

    pub(crate) fn join(&self, path: impl AsRef<Path>) -> PathBuf {
        self.0.join(path)
    }

    /// A path that must be written.
    pub(crate) fn required(
        &self,
        written: Option<Spanned<String>>,
        section: usize,
        key: &str,
        right: &str,
    ) -> Result<PathBuf, Fault> {
        let written = written.ok_or_else(|| Fault::missing(Some(section), key, right))?;
        self.path(&written)
    }

    pub(crate) fn path(&self, written: &Spanned<String>) -> Result<PathBuf, Fault> {
        if written.get_ref().is_empty() {
            return Err(Fault::at(written, "is empty; write the path of a file"));
        }
        Ok(self.join(written.get_ref()))
    }
}

/// Octets, written `"35 MiB"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

/// A length of time, written `"1h30m"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Time(pub(crate) Duration);

/// A number, or `false` for no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cap {
    Number(i64),
    None,
}

/// A length of time, or `false` for never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeOrNever {
    Time(Duration),
    Never,
}

pub(crate) fn size(
    written: Option<Spanned<Size>>,
    default: u64,
    range: RangeInclusive<u64>,
) -> Result<u64, Fault> {
    let Some(written) = written else { return Ok(default) };
    let Size(octets) = *written.get_ref();
    if range.contains(&octets) {
        return Ok(octets);
    }
    let (least, most) = (show_size(*range.start()), show_size(*range.end()));
    Err(Fault::at(
        &written,
        format!("{} is out of range; write \"{least}\" to \"{most}\"", show_size(octets)),
    ))
}

pub(crate) fn time(
    written: Option<Spanned<Time>>,
    default: Duration,
    range: RangeInclusive<Duration>,
) -> Result<Duration, Fault> {
    let Some(written) = written else { return Ok(default) };
    let Time(time) = *written.get_ref();
    if range.contains(&time) {
        return Ok(time);
    }
    let (least, most) = (show_time(*range.start()), show_time(*range.end()));
    Err(Fault::at(&written, format!("{} is out of range; write \"{least}\" to \"{most}\"", show_time(time))))
}

pub(crate) fn time_or_never(
    written: Option<Spanned<TimeOrNever>>,
    default: Option<Duration>,
    range: RangeInclusive<Duration>,
) -> Result<Option<Duration>, Fault> {
    let Some(written) = written else { return Ok(default) };
    match *written.get_ref() {
        TimeOrNever::Never => Ok(None),
        TimeOrNever::Time(time) if range.contains(&time) => Ok(Some(time)),
        TimeOrNever::Time(time) => {
            let (least, most) = (show_time(*range.start()), show_time(*range.end()));
            let time = show_time(time);
            Err(Fault::at(
                &written,
                format!("{time} is out of range; write \"{least}\" to \"{most}\", or false for never"),
            ))
        }
    }
}

pub(crate) fn number(
    written: Option<Spanned<i64>>,
    default: u32,
    range: RangeInclusive<u32>,
) -> Result<u32, Fault> {
    written.map_or(Ok(default), |written| in_range(&written, *written.get_ref(), range, ""))
}

pub(crate) fn cap(
    written: Option<Spanned<Cap>>,
    default: Option<u32>,
    range: RangeInclusive<u32>,
) -> Result<Option<u32>, Fault> {
    let Some(written) = written else { return Ok(default) };
    match *written.get_ref() {
        Cap::None => Ok(None),
        Cap::Number(number) => in_range(&written, number, range, ", or false for no limit").map(Some),
    }
}

fn in_range<T>(
    written: &Spanned<T>,
    number: i64,
    range: RangeInclusive<u32>,
    or: &str,
) -> Result<u32, Fault> {
    u32::try_from(number).ok().filter(|number| range.contains(number)).ok_or_else(|| {
        let (least, most) = range.into_inner();
        Fault::at(written, format!("{number} is out of range; write {least} to {most}{or}"))
    })
}

const SIZE_UNITS: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];
const TIME_UNITS: [(&str, u64); 4] = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];

fn parse_size(text: &str) -> Option<Size> {
    let text = text.trim();
    let digits = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let (number, unit) = text.split_at_checked(text.len() - digits.len())?;
    let (_, octets) = SIZE_UNITS.iter().find(|(name, _)| *name == unit.trim_start())?;
    number.parse::<u64>().ok()?.checked_mul(*octets).map(Size)
}

pub(crate) fn show_size(octets: u64) -> String {
    let unit = SIZE_UNITS.iter().find(|(_, unit)| octets >= *unit && octets.is_multiple_of(*unit));
    unit.map_or_else(|| format!("{octets} B"), |(name, unit)| format!("{} {name}", octets / unit))
}

fn show_time(time: Duration) -> String {
    let seconds = time.as_secs();
    let unit = TIME_UNITS.iter().find(|(_, unit)| seconds >= *unit && seconds.is_multiple_of(*unit));
    unit.map_or_else(|| format!("{seconds}s"), |(name, unit)| format!("{}{name}", seconds / unit))
}

/// Reads a string with `parse`, which says what would be right if it cannot.
pub(crate) struct Text<T> {
    pub(crate) expecting: &'static str,
    pub(crate) parse: fn(&str) -> Result<T, String>,
}

impl<T> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expecting)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        (self.parse)(text).map_err(E::custom)
    }
}

const A_SIZE: &str = "a size such as \"35 MiB\" (units B, KiB, MiB, GiB)";
const A_TIME: &str = "a time such as \"90s\", \"5m\" or \"1h30m\" (units s, m, h, d)";
const A_CAP: &str = "a number, or false for no limit";

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Size, D::Error> {
        let parse =
            |text: &str| parse_size(text).ok_or_else(|| format!("\"{text}\" is not a size; write {A_SIZE}"));
        deserializer.deserialize_str(Text { expecting: A_SIZE, parse })
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
        let parse = |text: &str| {
            duration(text).map(Time).ok_or_else(|| format!("\"{text}\" is not a time; write {A_TIME}"))
        };
        deserializer.deserialize_str(Text { expecting: A_TIME, parse })
    }
}

impl<'de> Deserialize<'de> for Cap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Cap, D::Error> {
        deserializer.deserialize_any(CapVisitor)
    }
}

struct CapVisitor;

impl Visitor<'_> for CapVisitor {
    type Value = Cap;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(A_CAP)
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Cap, E> {
        Ok(Cap::Number(number))
    }

    fn visit_bool<E: serde::de::Error>(self, limited: bool) -> Result<Cap, E> {
        if limited { Err(E::custom(format!("true says no number; write {A_CAP}"))) } else { Ok(Cap::None) }
    }
}

const A_TIME_OR_NEVER: &str =
    "a time such as \"90s\", \"5m\" or \"1h30m\" (units s, m, h, d), or false for never";

impl<'de> Deserialize<'de> for TimeOrNever {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<TimeOrNever, D::Error> {
        deserializer.deserialize_any(TimeOrNeverVisitor)
    }
}

struct TimeOrNeverVisitor;

impl Visitor<'_> for TimeOrNeverVisitor {
    type Value = TimeOrNever;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(A_TIME_OR_NEVER)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<TimeOrNever, E> {
        let wrong = || E::custom(format!("\"{text}\" is not a time; write {A_TIME_OR_NEVER}"));
        duration(text).map(TimeOrNever::Time).ok_or_else(wrong)
    }

    fn visit_bool<E: serde::de::Error>(self, ever: bool) -> Result<TimeOrNever, E> {
        if ever {
            Err(E::custom(format!("true says no time; write {A_TIME_OR_NEVER}")))
        } else {
            Ok(TimeOrNever::Never)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_a_unit() {
        assert_eq!(parse_size("35 MiB"), Some(Size(36_700_160)));
        assert_eq!(parse_size("1KiB"), Some(Size(1024)));
        assert_eq!(parse_size(" 7 B "), Some(Size(7)));
        for wrong in [
            "",
            "35",
            "35 MB",
            "-1 MiB",
            "1.5 MiB",
            "MiB",
            "99999999999999999999 B",
            "18446744073709551615 KiB",
        ] {
            assert_eq!(parse_size(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn shown_as_people_write_them() {
        assert_eq!(show_size(36_700_160), "35 MiB");
        assert_eq!(show_size(0), "0 B");
        assert_eq!(show_size(1500), "1500 B");
        assert_eq!(show_time(Duration::from_secs(90)), "90s");
        assert_eq!(show_time(Duration::from_secs(86_400)), "1d");
        assert_eq!(show_time(Duration::ZERO), "0s");
    }
}
