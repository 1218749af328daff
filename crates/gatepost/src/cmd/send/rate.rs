//! How many messages are sent in a time.

use std::str::FromStr;
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};

/// A rate such as `10/m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    /// The time between two messages.
    pub(crate) between: Duration,
}

impl FromStr for Rate {
    type Err = &'static str;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        const RIGHT: &str = "write a number from 1 to 1000 and s, m or h, such as 1/s, 30/m or 500/h";
        let (number, unit) = given.split_once('/').ok_or(RIGHT)?;
        let number: u32 = number.parse().ok().filter(|number| (1..=1000).contains(number)).ok_or(RIGHT)?;
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            _ => return Err(RIGHT),
        };
        Ok(Rate { between: Duration::from_secs(seconds) / number })
    }
}

/// When the next message may be sent.
#[derive(Debug)]
pub(crate) struct Pace(Option<Interval>);

impl Pace {
    /// As fast as the host takes them, without a rate. A message that took long is not made up for by faster ones: at no time are
    /// there more than the rate says.
    pub(crate) fn new(rate: Option<Rate>) -> Self {
        Self(rate.map(|rate| {
            let mut interval = interval(rate.between);
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
            interval
        }))
    }

    /// Waits until it may be sent; the first may be at once.
    pub(crate) async fn turn(&mut self) {
        if let Some(interval) = &mut self.0 {
            interval.tick().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, sleep};

    use super::*;

    #[test]
    fn a_rate_is_a_number_in_a_time() {
        for (given, milliseconds) in [("1/s", 1000), ("4/s", 250), ("30/m", 2000), ("500/h", 7200)] {
            assert_eq!(
                given.parse::<Rate>().unwrap().between,
                Duration::from_millis(milliseconds),
                "{given}"
            );
        }
        for given in ["", "1", "0/s", "-1/s", "1001/s", "1/d", "1/", "/s", "1.5/s", "1 /s"] {
            assert!(given.parse::<Rate>().is_err(), "{given:?}");
        }
    }

    /// In whole milliseconds of virtual time, when each message was begun that takes so long.
    async fn begun(rate: &str, takes: &[u64]) -> Vec<u128> {
        let (mut pace, start) = (Pace::new(Some(rate.parse().unwrap())), Instant::now());
        let mut begun = Vec::new();
        for milliseconds in takes {
            pace.turn().await;
            begun.push(start.elapsed().as_millis());
            sleep(Duration::from_millis(*milliseconds)).await;
        }
        begun
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_is_kept_and_time_lost_is_not_made_up_for() {
        assert_eq!(begun("2/s", &[0, 100, 499, 0]).await, [0, 500, 1000, 1500]);
        assert_eq!(begun("1/s", &[0, 3000, 10, 0, 0]).await, [0, 1000, 4000, 5000, 6000]);
        assert_eq!(begun("1/m", &[10, 10, 10]).await, [0, 60_000, 120_000]);
    }
}
