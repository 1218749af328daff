//! `gatepost user undo`: how long the messages of an account can be taken back.

use std::str::FromStr;
use std::time::Duration;

use config::duration;

/// A length of time, or that of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted(pub(super) Option<Duration>);

impl FromStr for Wanted {
    type Err = &'static str;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        match given {
            "default" => Ok(Self(None)),
            time => duration(time)
                .map(|time| Self(Some(time)))
                .ok_or("write a time like 30s, 0s for never, or default"),
        }
    }
}

/// The time, as people read it.
pub(super) fn text(seconds: Option<u64>) -> String {
    match seconds {
        None => "as configured".to_owned(),
        Some(0) => "never (its own)".to_owned(),
        Some(seconds) => format!("{seconds}s (its own)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_or_default_is_wanted() {
        assert_eq!("default".parse(), Ok(Wanted(None)));
        assert_eq!("30s".parse(), Ok(Wanted(Some(Duration::from_secs(30)))));
        assert_eq!("0s".parse(), Ok(Wanted(Some(Duration::ZERO))));
        assert!("thirty".parse::<Wanted>().is_err() && "-1s".parse::<Wanted>().is_err());
    }
}
