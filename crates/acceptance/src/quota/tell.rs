//! What is said of sending limits: to the operator, once for each window, and to the client.

use std::collections::HashMap;
use std::fmt::Display;

use esmtp::Rejection;
use jiff::Timestamp;
use store::{Full, Limit, Limits};

/// Of which windows something was told already.
#[derive(Debug, Default)]
pub(super) struct Told(HashMap<(Limit, News), Timestamp>);

/// What the operator should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum News {
    /// Four fifths of a limit are used.
    Near,
    /// Something was refused.
    Reached,
}

/// Where somebody stands: for each limit how many count, and since when.
pub(super) trait Standing {
    fn counted(&self, limit: Limit) -> u32;

    fn since(&self, limit: Limit) -> Timestamp;
}

impl Told {
    /// Those limits of which four fifths are used, the first time in their windows.
    pub(super) fn newly_near(&mut self, standing: &impl Standing, limits: &Limits) -> Vec<(Limit, u32)> {
        let near = |limit: &Limit| {
            let at_most = limits.at_most(*limit)?;
            let near = u64::from(standing.counted(*limit)) * 5 >= u64::from(at_most) * 4;
            near.then_some((*limit, at_most))
        };
        let near: Vec<_> = Limit::ALL.iter().filter_map(near).collect();
        near.into_iter()
            .filter(|(limit, _)| self.is_first(*limit, News::Near, standing.since(*limit)))
            .collect()
    }

    /// Tells of a refusal, the first time in its window.
    pub(super) fn refused(&mut self, who: &impl Display, full: &Full, since: Timestamp) {
        if self.is_first(full.limit, News::Reached, since) {
            limited(who, full);
        }
    }

    fn is_first(&mut self, limit: Limit, news: News, since: Timestamp) -> bool {
        self.0.insert((limit, news), since) != Some(since)
    }
}

/// What the client is told.
pub(super) fn refusal(Full { limit, at_most, wait }: &Full) -> Rejection {
    Rejection::SendingLimit { limit: *at_most, what: limit.what(), wait: *wait }
}

/// Four fifths of a limit are used.
pub(super) fn near_limit(account: &impl Display, limit: Limit, at_most: u32) {
    let limit = limit.name();
    tracing::warn!(
        event = "sending.near-limit",
        account.address = %account,
        limit,
        at_most,
        "four fifths of what {account} may send are used: {limit} = {at_most}"
    );
}

/// Something was refused.
fn limited(account: &impl Display, Full { limit, at_most, wait }: &Full) {
    let (limit, wait_seconds) = (limit.name(), wait.as_secs());
    tracing::warn!(
        event = "sending.limited",
        account.address = %account,
        limit,
        at_most,
        wait.seconds = wait_seconds,
        "{account} has sent as much as it may: {limit} = {at_most}"
    );
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use store::{Amounts, CommonLimits, OwnLimits, Usage};

    use super::*;

    #[test]
    fn nearness_is_told_once_a_window() {
        let common = CommonLimits {
            messages_per_hour: Some(5),
            recipients_per_day: Some(1),
            ..CommonLimits::default()
        };
        let limits = Limits { common, own: OwnLimits::default() };
        let (mut usage, mut told, mut news) = (Usage::default(), Told::default(), Vec::new());
        const HOUR: i64 = 3600;
        for second in [0, 1, 2, 3, 4, HOUR, HOUR + 1, HOUR + 2, HOUR + 3, HOUR + 4] {
            let now = Timestamp::from_second(1_800_000_000).unwrap() + SignedDuration::from_secs(second);
            usage.take(&Amounts::of_message(u32::from(second == 0), 0), &limits, now).unwrap();
            news.extend(told.newly_near(&usage, &limits).into_iter().map(|(limit, _)| (limit, second)));
        }
        let expected =
            [(Limit::RecipientsPerDay, 0), (Limit::MessagesPerHour, 3), (Limit::MessagesPerHour, HOUR + 3)];
        assert_eq!(news, expected);
    }
}
