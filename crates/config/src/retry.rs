//! When mail is tried again.

use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use crate::fault::Fault;
use crate::value::{self, Time};

/// When to try again (RFC 5321 section 4.5.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// After the first attempt; each wait after that is twice as long.
    pub first: Duration,
    /// No wait is longer.
    pub max: Duration,
    /// How long after acceptance the last attempt may be.
    pub give_up: Duration,
}

impl Default for Retry {
    fn default() -> Retry {
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        Retry { first: Duration::from_secs(300), max: hours(4), give_up: hours(5 * 24) }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Written {
    first: Option<Spanned<Time>>,
    max: Option<Spanned<Time>>,
    give_up: Option<Spanned<Time>>,
}

impl Written {
    /// What is not written is as in `common`.
    pub(crate) fn mean(self, common: Retry) -> Result<Retry, Fault> {
        let (second, day) = (Duration::from_secs(1), Duration::from_secs(86_400));
        let first = value::time(self.first, common.first, second..=day)?;
        let max = value::time(self.max, common.max.max(first), first..=day * 7)?;
        let give_up = value::time(self.give_up, common.give_up.max(max), max..=day * 30)?;
        Ok(Retry { first, max, give_up })
    }
}
