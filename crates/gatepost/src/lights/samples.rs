//! What was counted of logins and deliveries lately, to be compared with what is usual.

use auth::Authenticator;
use delivery::Counters;
use desk::health::{Fates, LoginFacts, Window};
use desk::view::LoginStatus;

/// What is put off is compared with a day.
const DAY: usize = 24 * 60;

/// Refused logins are compared with a week.
const WEEK: usize = 7 * DAY;

/// With less than this behind it, in minutes, nobody knows what is usual.
const ENOUGH: usize = 4 * HOUR;

const HOUR: usize = 60;
const QUARTER: usize = 15;

/// Samples of the counters, one a minute.
pub(super) struct Samples {
    /// Recipients: delivered, deferred, failed.
    fates: Window<3>,
    /// Logins: accepted, refused, not judged.
    logins: Window<3>,
}

impl Default for Samples {
    fn default() -> Self {
        Self { fates: Window::of_minutes(DAY), logins: Window::of_minutes(WEEK) }
    }
}

impl Samples {
    /// Takes those of this minute.
    pub(super) fn take(&mut self, judge: &Authenticator, carrier: &Counters) {
        self.fates.push(fates(carrier));
        self.logins.push(logins(judge));
    }

    /// What became of recipients in the last quarter of an hour, and in the day before that.
    pub(super) fn fates(&self, carrier: &Counters) -> (Fates, Fates) {
        let now = fates(carrier);
        let [delivered, deferred, failed] = self.fates.last(QUARTER, now);
        let lately = Fates { delivered, deferred, failed };
        let [delivered, deferred, failed] = self.fates.last(DAY, now);
        let usually = Fates {
            delivered: delivered.saturating_sub(lately.delivered),
            deferred: deferred.saturating_sub(lately.deferred),
            failed: failed.saturating_sub(lately.failed),
        };
        (lately, usually)
    }

    /// How logins went, and how they usually go.
    pub(super) fn logins(&self, judge: &Authenticator) -> LoginFacts {
        let now = logins(judge);
        let [_, refused, _] = self.logins.last(HOUR, now);
        let [_, in_all, _] = self.logins.last(WEEK, now);
        let [_, _, unjudged] = self.logins.last(QUARTER, now);
        let minutes = self.logins.minutes();
        let hours = u64::try_from(minutes.saturating_sub(HOUR) / HOUR).unwrap_or_default();
        let usual = in_all.saturating_sub(refused).checked_div(hours).filter(|_| minutes >= ENOUGH);
        LoginFacts { refused, usual, unjudged }
    }

    /// Logins of the last hour.
    pub(super) fn login_status(&self, judge: &Authenticator) -> LoginStatus {
        let [accepted_last_hour, refused_last_hour, _] = self.logins.last(HOUR, logins(judge));
        LoginStatus { accepted_last_hour, refused_last_hour }
    }
}

fn fates(carrier: &Counters) -> [u64; 3] {
    sums(["delivered", "deferred", "failed"], carrier.recipients.totals())
}

fn logins(judge: &Authenticator) -> [u64; 3] {
    let totals = judge.counters().logins.totals();
    let results = totals.into_iter().map(|((_, result), total)| (class(result), total));
    sums(["accepted", "refused", "unavailable"], results)
}

/// Those that were not judged for too many failures before are refused, too.
fn class(result: &'static str) -> &'static str {
    if result == "throttled" { "refused" } else { result }
}

fn sums(names: [&str; 3], totals: impl IntoIterator<Item = (&'static str, u64)>) -> [u64; 3] {
    let mut sums = [0; 3];
    for (name, total) in totals {
        for (sum, _) in sums.iter_mut().zip(names).filter(|(_, wanted)| *wanted == name) {
            *sum += total;
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_summed_by_their_names() {
        let totals = [("refused", 2), (class("throttled"), 3), ("accepted", 1), ("other", 9)];
        assert_eq!(sums(["accepted", "refused", "unavailable"], totals), [1, 5, 0]);
    }
}
